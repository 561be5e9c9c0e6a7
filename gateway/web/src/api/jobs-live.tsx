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

/** What was told of jobs so far, to tell a change of state from one of progress; and whether lists are about to be read again. */
interface Told {
  states: Map<string, string>;
  due: ReturnType<typeof setTimeout> | undefined;
}
const told = new WeakMap<QueryClient, Told>();
/** How many jobs' states are remembered, and how long lists wait for more changes, in milliseconds. */
const [MOST_STATES, GATHER] = [2000, 400];

/** Reads lists and counts again soon, once for all that happens meanwhile. */
function refresh(client: QueryClient, known: Told): void {
  known.due ??= setTimeout(() => {
    known.due = undefined;
    void client.invalidateQueries({ queryKey: keys.jobs });
    void client.invalidateQueries({ queryKey: keys.stats });
  }, GATHER);
}

/** Takes one told job into everything that is kept. */
export function take(client: QueryClient, job: Job): void {
  const known = told.get(client) ?? { states: new Map(), due: undefined };
  told.set(client, known);
  client.setQueryData<Job>(keys.job(job.id), (kept) => kept && newer(kept, job));
  client.setQueriesData<InfiniteData<JobPage>>({ queryKey: keys.jobs }, (kept) => {
    if (!kept?.pages.some((page) => page.items.some((item) => item.id === job.id))) return kept;
    const pages = kept.pages.map((page) => ({
      ...page,
      items: page.items.map((item) => (item.id === job.id ? newer(item, job) : item)),
    }));
    return { ...kept, pages };
  });
  // A new one belongs at the top of some lists, and one whose state changed in others: which, the server knows. Progress moves nothing.
  const changed = known.states.get(job.id) !== job.state;
  if (known.states.size >= MOST_STATES) known.states.clear();
  known.states.set(job.id, job.state);
  if (!changed) return;
  refresh(client, known);
  if (job.state === "succeeded") {
    void client.invalidateQueries({ queryKey: keys.montages });
    if (job.result) void client.invalidateQueries({ queryKey: keys.montage(job.result.montage_id) });
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
