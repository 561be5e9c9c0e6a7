// What the page of a montage asks of the API, and what it changes.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, ask, askWithHead, Problem } from "../../api/client";
import { isFinal, useLiveState } from "../../api/jobs-live";
import { keys } from "../../api/queries";
import type { components } from "../../api/schema";
import type { Job, Montage, Provenance } from "../../api/types";
import type { Cue } from "./cues";

/** A montage with the version that a change is made to. */
export interface Versioned {
  montage: Montage;
  etag: string | undefined;
}

export type Engine = components["schemas"]["Engine"];

const ofMontage = (id: string) => [...keys.montage(id), "page"] as const;

export function useMontage(id: string) {
  return useQuery({
    queryKey: ofMontage(id),
    queryFn: async ({ signal }): Promise<Versioned> => {
      const { data, etag } = await askWithHead(api.GET("/v1/montages/{id}", { params: { path: { id } }, signal }));
      return { montage: data, etag };
    },
  });
}

/** What is said, where there is a transcript. */
export function useCues(id: string, has: boolean) {
  return useQuery({
    queryKey: [...keys.montage(id), "cues"],
    enabled: has,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) =>
      (await ask(api.GET("/v1/montages/{id}/captions.json", { params: { path: { id } }, signal }))) as Cue[],
  });
}

export function useProvenance(id: string, has: boolean) {
  return useQuery({
    queryKey: [...keys.montage(id), "provenance"],
    enabled: has,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }): Promise<Provenance> =>
      ask(api.GET("/v1/montages/{id}/provenance", { params: { path: { id } }, signal })),
  });
}

/** How often the transcript jobs are looked at where nothing tells of them, in milliseconds. */
const LOOK = 5000;

/** The job that is making a new transcript of a montage right now. When it ends, the montage is read again. */
export function useTranscriptJob(id: string): Job | undefined {
  const client = useQueryClient();
  const live = useLiveState();
  const query = { kind: "transcript", state: "queued,running,retrying", limit: 200 } as const;
  const jobs = useInfiniteQuery({
    // The same list for every montage; what happens to its jobs is told to it.
    queryKey: [...keys.jobs, query],
    queryFn: ({ signal }) => ask(api.GET("/v1/jobs", { params: { query }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: () => undefined,
    refetchInterval: ({ state }) => (live !== "open" && state.data?.pages[0]?.items.length ? LOOK : false),
  });
  const job = jobs.data?.pages
    .flatMap((page) => page.items)
    .find((item) => !isFinal(item) && "montage" in item.spec && item.spec.montage === id);
  const before = useRef<string>(undefined);
  useEffect(() => {
    if (before.current && !job) void client.invalidateQueries({ queryKey: keys.montage(id) });
    before.current = job?.id;
  }, [client, id, job]);
  return job;
}

/** Changes the title or labels, but only of the version that was seen. Refused where somebody else was faster: then the newer is read. */
export function useChange(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (patch: { title?: string; labels?: Record<string, string | null> }): Promise<Versioned> => {
      const seen = client.getQueryData<Versioned>(ofMontage(id));
      const { data, etag } = await askWithHead(
        api.PATCH("/v1/montages/{id}", {
          params: { path: { id }, header: { "If-Match": seen?.etag } },
          body: patch,
        }),
      );
      return { montage: data, etag };
    },
    onSuccess: (changed) => {
      client.setQueryData(ofMontage(id), changed);
      void client.invalidateQueries({ queryKey: keys.montages });
      void client.invalidateQueries({ queryKey: keys.facets });
    },
    onError: async (error) => {
      if (wasFaster(error)) await client.refetchQueries({ queryKey: ofMontage(id) });
    },
  });
}

/** Whether something was not changed because somebody else had changed it. */
export const wasFaster = (error: unknown): boolean => error instanceof Problem && error.status === 412;

/** Deletes a montage; for a while it can be restored. */
export function useDelete(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => ask(api.DELETE("/v1/montages/{id}", { params: { path: { id } } })),
    onSuccess: () => {
      for (const name of [keys.montages, keys.facets, keys.search]) void client.invalidateQueries({ queryKey: name });
    },
  });
}

/** Brings a deleted montage back. */
export function useRestore(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => ask(api.POST("/v1/montages/{id}/restore", { params: { path: { id } } })),
    onSuccess: () => {
      for (const name of [keys.montages, keys.facets, keys.search, keys.montage(id)]) {
        void client.invalidateQueries({ queryKey: name });
      }
    },
  });
}

export function useTranscribe(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { engine: Engine; language: string | null }) =>
      ask(api.POST("/v1/montages/{id}/transcribe", { params: { path: { id } }, body })),
    onSuccess: (job) => {
      client.setQueryData(keys.job(job.id), job);
      void client.invalidateQueries({ queryKey: keys.jobs });
    },
  });
}
