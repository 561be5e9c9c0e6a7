// What the pages about jobs ask for. Kept up to date by the server's events; while those are lost, by asking every few seconds.
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { isFinal, useLiveState } from "../../api/jobs-live";
import type { LiveState } from "../../api/live";
import { keys } from "../../api/queries";
import { useMay } from "../../api/session";

/** How often is asked while no events come, in milliseconds. */
export const ASKED = 3000;

/** Whether this session may change things. */
export function useMayChange(): boolean {
  const [write, admin] = [useMay("write"), useMay("admin")];
  return write || admin;
}

/** What a list of jobs is narrowed to. */
export interface JobFilter {
  state?: string;
  kind?: string;
  label?: string;
}

export function useJobs(filter: JobFilter) {
  const live = useLiveState();
  return useInfiniteQuery({
    queryKey: [...keys.jobs, filter],
    queryFn: ({ pageParam, signal }) =>
      ask(api.GET("/v1/jobs", { params: { query: { ...filter, limit: 50, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: live === "open" ? false : ASKED,
  });
}

/** One job; `live` is how its own stream stands. */
export function useJob(id: string, live: LiveState) {
  return useQuery({
    queryKey: keys.job(id),
    queryFn: ({ signal }) => ask(api.GET("/v1/jobs/{id}", { params: { path: { id } }, signal })),
    refetchInterval: (query) => (live === "open" || !query.state.data || isFinal(query.state.data) ? false : ASKED),
  });
}

export function useStats() {
  const live = useLiveState();
  return useQuery({
    queryKey: keys.stats,
    queryFn: ({ signal }) => ask(api.GET("/v1/stats", { signal })),
    refetchInterval: live === "open" ? 15_000 : 2 * ASKED,
  });
}
