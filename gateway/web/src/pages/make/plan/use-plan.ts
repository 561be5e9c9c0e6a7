// The plan of what would be posted now: asked for by itself as soon as nothing is missing and nobody types any more.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, ask, Problem } from "../../../api/client";
import type { PlanView } from "../../../api/types";
import { answered, WAIT } from "../answered";
import { type PostedJob, type Posting, planText } from "../draft/spec";
import type { Found } from "../mistakes";

/** How long nobody has to change anything, in milliseconds. */
const QUIET = 1000;
/** A plan is kept for an hour. In milliseconds. */
const KEPT = 50 * 60 * 1000;

export interface Planned {
  plan: PlanView | null;
  /** It is being made, or brought up to date. */
  busy: boolean;
  /** Why there is none. */
  error: unknown;
  /** The mistakes that planning found. */
  found: Found | null;
  again: () => void;
}

interface Wish {
  text: string;
  spec: PostedJob["spec"];
  clips: string[];
}

export function usePlan(posting: Posting): Planned {
  const isReady = posting.clips.length > 0 && posting.mistakes.length === 0;
  const text = isReady ? planText(posting) : null;
  const [wish, setWish] = useState<Wish | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text stands for all of the posting that matters
  useEffect(() => {
    if (text === null) {
      setWish(null);
      return;
    }
    const timer = setTimeout(() => setWish({ text, spec: posting.body.spec, clips: posting.clips }), QUIET);
    return () => clearTimeout(timer);
  }, [text]);
  const query = useQuery({
    queryKey: ["plan", wish?.text],
    enabled: wish !== null,
    staleTime: KEPT,
    gcTime: KEPT,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<PlanView> => {
      const { spec } = wish as Wish;
      return answered(
        () => ask(api.POST("/v1/plans", { body: { spec }, signal })),
        (id) => ask(api.GET("/v1/plans/{id}", { params: { path: { id }, query: { wait_seconds: WAIT } }, signal })),
        (answer) => answer.plan as PlanView | null | undefined,
        signal,
      );
    },
  });
  const isNow = wish !== null && wish.text === text;
  const error = isNow && !query.isFetching ? query.error : null;
  const found =
    error instanceof Problem && error.errors.length > 0 && wish ? { mistakes: error.errors, clips: wish.clips } : null;
  return {
    plan: text === null || error ? null : (query.data ?? null),
    busy: text !== null && (!isNow || query.isFetching),
    error,
    found,
    again: () => void query.refetch(),
  };
}
