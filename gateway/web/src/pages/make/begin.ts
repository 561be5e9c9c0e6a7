// What the page begins with when its address says so: a job to make again, or a montage to cut from.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, ask } from "../../api/client";
import { keys } from "../../api/queries";
import { useUrlState } from "../../lib/url-state";
import { useToasts } from "../../ui/toast";
import { draftOf } from "./draft/from-job";
import { type Draft, isEmpty, newSource, type SourceRef } from "./draft/model";
import { dispatch, getDraft } from "./draft/store";
import { parseTime } from "./time";

/**
 * Follows `?from=` and `?montage=`, then takes them out of the address, so that a reload shows the draft as it is by then. Nothing that was
 * put together before is lost by it.
 */
export function useBeginning(): void {
  const [state, change] = useUrlState();
  const client = useQueryClient();
  const { say, complain } = useToasts();
  const begun = useRef("");
  useEffect(() => {
    const [from, montage] = [state.get("from"), state.get("montage")];
    const wish = state.toString();
    if ((!from && !montage) || begun.current === wish) return;
    begun.current = wish;
    const done = () => change({ from: null, montage: null, start: null, end: null }, true);
    const fromJob = async (id: string) => {
      const job = await client.fetchQuery({
        queryKey: keys.job(id),
        queryFn: () => ask(api.GET("/v1/jobs/{id}", { params: { path: { id } } })),
      });
      const draft = draftOf(job);
      if (!draft) throw new Error("This job does not make a montage of clips: there is nothing to begin with.");
      begin(draft, say);
    };
    const fromMontage = async (id: string) => {
      const { title } = await client.fetchQuery({
        queryKey: keys.montage(id),
        queryFn: () => ask(api.GET("/v1/montages/{id}", { params: { path: { id } } })),
      });
      cutFrom({ montage: id }, title, state.get("start") ?? "", state.get("end") ?? "");
    };
    const work = from ? fromJob(from) : fromMontage(montage ?? "");
    work.catch(complain).finally(done);
  }, [state, change, client, say, complain]);
}

function begin(draft: Draft, say: ReturnType<typeof useToasts>["say"]): void {
  const before = getDraft();
  dispatch({ type: "replace", draft });
  void nameSources(draft);
  if (isEmpty(before)) return;
  say("The job is loaded as a draft. The draft that was here is put aside.", {
    label: "Bring it back",
    run: () => dispatch({ type: "replace", draft: before }),
  });
}

/** Shows a source with marks on it, whether it was in the list or not. */
function cutFrom(ref: SourceRef, name: string, start: string, end: string): void {
  dispatch({ type: "add-source", source: newSource(ref, name) });
  const source = getDraft().sources.find((one) => JSON.stringify(one.ref) === JSON.stringify(ref));
  if (!source) return;
  dispatch({ type: "look-at", source: source.key });
  const marks = { start: parseTime(start) ? start : source.start, end: parseTime(end) ? end : source.end };
  dispatch({ type: "change-source", key: source.key, changes: marks });
}

/** A job names uploads and montages by their ids: people know them by other names. */
async function nameSources(draft: Draft): Promise<void> {
  for (const { key, ref } of draft.sources) {
    try {
      let name: string | null | undefined;
      if (ref && "montage" in ref) {
        name = (await ask(api.GET("/v1/montages/{id}", { params: { path: { id: ref.montage } } }))).title;
      } else if (ref && "upload" in ref) {
        name = (await ask(api.GET("/v1/uploads/{id}", { params: { path: { id: ref.upload } } }))).name;
      }
      if (name) dispatch({ type: "change-source", key, changes: { name } });
    } catch {
      // It is gone, or nobody answers: what is wrong with the source is said at the source.
    }
  }
}
