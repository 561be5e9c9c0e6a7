// Posts the draft as a job: once, however often the button is pressed or a lost answer makes somebody try again.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useLocation } from "wouter";
import { api, ask, Problem } from "../../../api/client";
import { keys } from "../../../api/queries";
import type { Job } from "../../../api/types";
import { newKey } from "../draft/model";
import type { Posting } from "../draft/spec";
import { dispatch, getDraft, keepNow } from "../draft/store";
import type { Found } from "../mistakes";

export interface SendingState {
  send: () => void;
  busy: boolean;
  error: unknown;
  found: Found | null;
}

export function useSending(posting: Posting): SendingState {
  const [, go] = useLocation();
  const client = useQueryClient();
  // The second click of a double click comes before the page knows of the first.
  const isOut = useRef(false);
  const body = JSON.stringify(posting.body);
  const sending = useMutation({
    mutationFn: async (sent: Posting) => {
      const text = JSON.stringify(sent.body);
      const known = getDraft().sending;
      const key = known?.body === text ? known.key : newKey();
      dispatch({ type: "sending", sending: { key, body: text, job: known?.body === text ? known.job : null } });
      // Before anything goes out: whatever happens from here on, the same key is used again.
      keepNow();
      const stored = await ask(
        api.POST("/v1/jobs", { params: { header: { "Idempotency-Key": key } }, body: sent.body }),
      );
      // A list is answered only where a list was sent.
      const job = stored as Job;
      return { job, key, text };
    },
    onSuccess: ({ job, key, text }) => {
      dispatch({ type: "sending", sending: { key, body: text, job: job.id } });
      keepNow();
      client.setQueryData(keys.job(job.id), job);
      void client.invalidateQueries({ queryKey: keys.jobs });
      void client.invalidateQueries({ queryKey: keys.stats });
      go(`/jobs/${job.id}`);
    },
  });
  // What was refused has been changed since.
  const isSame = sending.variables !== undefined && JSON.stringify(sending.variables.body) === body;
  const error = isSame ? sending.error : null;
  const found =
    error instanceof Problem && error.errors.length > 0 && sending.variables
      ? { mistakes: error.errors, clips: sending.variables.clips }
      : null;
  return {
    send: () => {
      if (isOut.current) return;
      isOut.current = true;
      sending.mutate(posting, {
        onSettled: () => {
          isOut.current = false;
        },
      });
    },
    busy: sending.isPending,
    error,
    found,
  };
}
