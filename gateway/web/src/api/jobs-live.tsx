// The jobs of the whole page, live: every kept answer about a job is brought up to date as the server tells of it.
import { type InfiniteData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { follow, type LiveState } from "./live";
import { keys } from "./queries";
import type { Job, JobPage } from "./types";

const FINAL = new Set(["succeeded", "failed", "dead", "cancelled"]);

/** Whether nothing more happens to a job by itself. */
export const isFinal = (job: Job): boolean => FINAL.has(job.state);

/** The newer of two looks at one job. What lists leave out is kept from the fuller look. */
export function newer(known: Job | undefined, told: Job): Job {
  if (!known) return told;
  if (Date.parse(told.updated_at) < Date.parse(known.updated_at)) return known;
  const attempts = told.attempts.length > 0 || known.attempts.length === 0 ? told.attempts : known.attempts;
  return { ...told, attempts, parts: told.parts ?? known.parts };
}

/** Takes one told job into everything that is kept. */
export function take(client: QueryClient, told: Job): void {
  const known = client.getQueryData<Job>(keys.job(told.id));
  if (known) client.setQueryData(keys.job(told.id), newer(known, told));
  let listed = false;
  client.setQueriesData<InfiniteData<JobPage>>({ queryKey: keys.jobs }, (kept) => {
    if (!kept) return kept;
    const pages = kept.pages.map((page) => {
      if (!page.items.some((job) => job.id === told.id)) return page;
      listed = true;
      return { ...page, items: page.items.map((job) => (job.id === told.id ? newer(job, told) : job)) };
    });
    return { ...kept, pages };
  });
  // A new one belongs at the top of some lists, and one that ended may belong in others: which, the server knows.
  if (!listed || isFinal(told)) void client.invalidateQueries({ queryKey: keys.jobs });
  if (isFinal(told)) {
    void client.invalidateQueries({ queryKey: keys.stats });
    if (told.state === "succeeded") {
      void client.invalidateQueries({ queryKey: keys.montages });
      if (told.result) void client.invalidateQueries({ queryKey: keys.montage(told.result.montage_id) });
    }
  }
}

const State = createContext<LiveState>("connecting");

/** How the stream stands. */
export const useLiveState = (): LiveState => useContext(State);

export function LiveJobs({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>("connecting");
  useEffect(() => {
    let lost = false;
    return follow("/v1/events", {
      job: (data) => take(client, JSON.parse(data) as Job),
      reset: () => void client.invalidateQueries(),
      state: (now) => {
        setState(now);
        // Jobs come again by the stream itself; everything else may have changed while nobody told.
        if (now === "open" && lost) void client.invalidateQueries();
        lost = now === "lost";
      },
    });
  }, [client]);
  return <State.Provider value={state}>{children}</State.Provider>;
}

/** Follows one job with all that belongs to it, attempts and parts, while the component is shown. */
export function useFollowedJob(id: string): LiveState {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>("connecting");
  useEffect(
    () =>
      follow(`/v1/jobs/${id}/events`, {
        job: (data) => {
          const told = JSON.parse(data) as Job;
          client.setQueryData<Job>(keys.job(id), (known) => newer(known, told));
        },
        reset: () => void client.invalidateQueries({ queryKey: keys.job(id) }),
        state: setState,
      }),
    [client, id],
  );
  return state;
}
