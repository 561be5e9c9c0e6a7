// What the pages about schedules ask for and change. Nobody tells of schedules as jobs are told of: they are looked at again.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask, askWithHead } from "../../api/client";
import { keys } from "../../api/queries";
import type { components } from "../../api/schema";
import type { Schedule, ScheduleRun } from "../../api/types";
import { useToasts } from "../../ui/toast";
import { refusalWords } from "./words";

export type RunRequest = components["schemas"]["RunRequest"];

/** How often is looked again, in milliseconds: usually, and while a run goes on. */
const [USUALLY, DURING] = [20_000, 1500];

export function useSchedules() {
  return useInfiniteQuery({
    queryKey: keys.schedules,
    queryFn: ({ pageParam, signal }) =>
      ask(api.GET("/v1/schedules", { params: { query: { cursor: pageParam, limit: 50 } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: USUALLY,
  });
}

/** One schedule with its version. */
export function useSchedule(id: string, enabled = true) {
  return useQuery({
    queryKey: keys.schedule(id),
    queryFn: async ({ signal }) => {
      const { data, etag } = await askWithHead(api.GET("/v1/schedules/{id}", { params: { path: { id } }, signal }));
      return { schedule: data, etag };
    },
    enabled,
    refetchInterval: USUALLY,
  });
}

/** What an expression means, and its next five ticks. */
export function useRule(cron: string, zone: string) {
  return useQuery({
    queryKey: ["rule", cron, zone],
    queryFn: ({ signal }) => ask(api.POST("/v1/schedules/preview", { body: { cron, time_zone: zone }, signal })),
    enabled: cron !== "",
    staleTime: 60_000,
  });
}

/** The runs of a schedule, newest first; `limit` on a page. */
export function useRuns(id: string, limit: number) {
  return useInfiniteQuery({
    queryKey: [...keys.schedule(id), "runs", limit],
    queryFn: ({ pageParam, signal }) =>
      ask(
        api.GET("/v1/schedules/{id}/runs", {
          params: { path: { id }, query: { cursor: pageParam, limit } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some((run) => run.outcome === "running")) ? DURING : USUALLY,
  });
}

/** A run with all its jobs: asked for only where the list has not all of them. */
export function useWholeRun(id: string, run: ScheduleRun, wanted: boolean) {
  return useQuery({
    queryKey: [...keys.schedule(id), "run", run.id],
    queryFn: ({ signal }) =>
      ask(api.GET("/v1/schedules/{id}/runs/{run}", { params: { path: { id, run: run.id } }, signal })),
    enabled: wanted,
    refetchInterval: run.outcome === "running" ? DURING : false,
  });
}

/** What can be done with a schedule. With `quiet` a run that is refused is explained by whoever asked for it. */
export function useScheduleActions(schedule: Schedule, { quiet = false } = {}) {
  const client = useQueryClient();
  const { say, complain } = useToasts();
  const { id, name } = schedule;
  const refresh = () => {
    void client.invalidateQueries({ queryKey: keys.schedules });
    void client.invalidateQueries({ queryKey: keys.schedule(id) });
  };
  const run = useMutation({
    mutationFn: (asked: RunRequest) =>
      ask(api.POST("/v1/schedules/{id}/run", { params: { path: { id } }, body: asked })),
    onSuccess: () => say(`“${name}” runs. What it makes is in its history.`),
    // With a 429 comes how long to wait.
    onError: (error) => quiet || complain(refusalWords(error)),
    onSettled: refresh,
  });
  const pause = useMutation({
    mutationFn: (paused: boolean) =>
      paused
        ? ask(api.POST("/v1/schedules/{id}/pause", { params: { path: { id } } }))
        : ask(api.POST("/v1/schedules/{id}/resume", { params: { path: { id } } })),
    onSuccess: (changed) => say(changed.paused ? `“${name}” is paused.` : `“${name}” goes on.`),
    onError: complain,
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: () => ask(api.DELETE("/v1/schedules/{id}", { params: { path: { id } } })),
    onSuccess: () => {
      say(`“${name}” is deleted.`);
      client.removeQueries({ queryKey: keys.schedule(id) });
      void client.invalidateQueries({ queryKey: keys.schedules });
    },
  });
  return { run, pause, remove };
}
