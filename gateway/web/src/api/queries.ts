// The names under which answers are kept, and how long: one place, so that what changes something knows what to refresh.
import { QueryClient } from "@tanstack/react-query";
import { Problem } from "./client";

/** Names of kept answers, from general to particular: refreshing `["jobs"]` refreshes all lists of jobs. */
export const keys = {
  session: ["session"] as const,
  montages: ["montages"] as const,
  montage: (id: string) => ["montage", id] as const,
  facets: ["facets"] as const,
  search: ["search"] as const,
  jobs: ["jobs"] as const,
  job: (id: string) => ["job", id] as const,
  stats: ["stats"] as const,
  executors: ["executors"] as const,
  schedules: ["schedules"] as const,
  schedule: (id: string) => ["schedule", id] as const,
  keys: ["keys"] as const,
  webhooks: ["webhooks"] as const,
  uploads: ["uploads"] as const,
};

/** Tries before an error is shown; each waits longer, 8 s at most. */
const TRIES = 3;

/** Keeps answers. Asks again only where that may help. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // The library is often on this very machine: the browser's idea of being online says nothing about it.
        networkMode: "always",
        retry: (tries, error) => tries < TRIES && error instanceof Problem && error.isPassing,
        retryDelay: (tries) => Math.min(8000, 500 * 2 ** tries),
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
