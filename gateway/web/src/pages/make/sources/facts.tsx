// What is known of the draft's sources: looked into once each, shared by everything on the page.
import { type UseQueryResult, useQueries } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext } from "react";
import { type DraftSource, refText } from "../draft/model";
import { useDraft } from "../draft/store";
import { rateOf } from "../time";
import { type Probed, type ProbeView, probe } from "./probe";

export interface Fact {
  state: "none" | "looking" | "known" | "failed";
  /** The probe's id: its media is played by that. */
  id: string | null;
  probe: ProbeView | null;
  /** Frames in a second. */
  rate: number | null;
  /** In seconds; null where nothing says it. */
  duration: number | null;
  error: unknown;
  again: () => void;
}

const NOTHING: Fact = {
  state: "none",
  id: null,
  probe: null,
  rate: null,
  duration: null,
  error: null,
  again: () => {},
};

const Context = createContext<Map<string, Fact>>(new Map());

/** What is known of a source. */
export function useFact(key: string | null | undefined): Fact {
  return useContext(Context).get(key ?? "") ?? NOTHING;
}

/** What is known of all sources, by key. */
export const useFacts = (): Map<string, Fact> => useContext(Context);

const factOf = (source: DraftSource, result: UseQueryResult<Probed> | undefined): Fact => {
  if (!source.ref || !result) return NOTHING;
  const again = () => void result.refetch();
  if (!result.data) {
    return result.isError && !result.isFetching
      ? { ...NOTHING, state: "failed", error: result.error, again }
      : { ...NOTHING, state: "looking", again };
  }
  const { id, probe: view } = result.data;
  return {
    state: "known",
    id,
    probe: view,
    rate: rateOf(view.video.frame_rate),
    duration: view.duration > 0 ? view.duration : null,
    error: null,
    again,
  };
};

/** Twelve hours less what a long session may need of it, in milliseconds. */
const KEPT = 11 * 3600 * 1000;

export function Facts({ children }: { children: ReactNode }) {
  const sources = useDraft((draft) => draft.sources);
  const combine = useCallback(
    (results: UseQueryResult<Probed>[]) =>
      new Map(sources.map((source, index) => [source.key, factOf(source, results[index])])),
    [sources],
  );
  const facts = useQueries({
    queries: sources.map((source) => ({
      queryKey: ["probe", source.ref ? refText(source.ref) : `unfinished:${source.key}`],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        source.ref ? probe(source.ref, signal) : Promise.reject(new Error("nothing to look into")),
      enabled: source.ref !== null,
      staleTime: KEPT,
      gcTime: KEPT,
    })),
    combine,
  });
  return <Context.Provider value={facts}>{children}</Context.Provider>;
}
