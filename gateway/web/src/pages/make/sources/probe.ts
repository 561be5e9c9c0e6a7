// What is in a source: asked once, kept as long as the server keeps it.
import { coming } from "../../../api/coming";
import { answered, WAIT } from "../answered";
import type { SourceRef } from "../draft/model";

/** What is in a source, as the API tells it. */
export interface ProbeView {
  container: string;
  bytes: number;
  duration: number;
  media_type?: string | null;
  video: { codec: string; width: number; height: number; frame_rate: string };
  audio?: { codec: string; channels: number; sample_rate: number } | null;
  keyframes: number[];
  keyframes_total: number;
  playable: boolean;
}

export interface Probed {
  id: string;
  probe: ProbeView;
}

interface ProbeAnswer {
  id: string;
  probe?: ProbeView | null;
}

/**
 * Looks into a source and waits until somebody has.
 *
 * @throws {Problem} why it cannot be looked into.
 */
export function probe(source: SourceRef, signal: AbortSignal): Promise<Probed> {
  return answered(
    () => coming<ProbeAnswer>("POST", "/v1/probes", { body: { source }, signal }),
    (id) => coming<ProbeAnswer>("GET", `/v1/probes/${id}`, { query: { wait_seconds: WAIT }, signal }),
    (answer) => answer.probe && { id: answer.id, probe: answer.probe },
    signal,
  );
}
