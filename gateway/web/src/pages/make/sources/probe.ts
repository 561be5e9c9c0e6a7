// What is in a source: asked once, kept as long as the server keeps it.
import { api, ask } from "../../../api/client";
import type { components } from "../../../api/schema";
import { answered, WAIT } from "../answered";
import type { SourceRef } from "../draft/model";

/** What is in a source, as the API tells it. */
export type ProbeView = components["schemas"]["ProbeView"];

export interface Probed {
  id: string;
  probe: ProbeView;
}

/**
 * Looks into a source and waits until somebody has.
 *
 * @throws {Problem} why it cannot be looked into.
 */
export function probe(source: SourceRef, signal: AbortSignal): Promise<Probed> {
  return answered(
    () => ask(api.POST("/v1/probes", { body: { source }, signal })),
    (id) => ask(api.GET("/v1/probes/{id}", { params: { path: { id }, query: { wait_seconds: WAIT } }, signal })),
    (answer) => answer.probe && { id: answer.id, probe: answer.probe },
    signal,
  );
}
