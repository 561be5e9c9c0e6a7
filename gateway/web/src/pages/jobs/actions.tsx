// What can be done with a job: cancel it, send it again, change what it is called and how urgent it is.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { isFinal, take } from "../../api/jobs-live";
import { keys } from "../../api/queries";
import type { Job } from "../../api/types";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/confirm";
import { useToasts } from "../../ui/toast";
import { ChangeJob } from "./change";

/** Whether it can be sent again. */
export const canRetry = (job: Job): boolean => isFinal(job) && job.state !== "succeeded";
/** Whether it can be cancelled. */
export const canCancel = (job: Job): boolean => !isFinal(job) && !job.cancel_requested && job.kind !== "segment";
/** Whether its priority, title and labels can be changed. */
export const canChange = (job: Job): boolean => !isFinal(job) && (job.kind === "montage" || job.kind === "transcript");

export function useJobActions() {
  const client = useQueryClient();
  const { say, complain } = useToasts();
  // A refusal mostly says that the job is not as it is shown here.
  const refused = (error: unknown, id: string) => {
    complain(error);
    void client.invalidateQueries({ queryKey: keys.job(id) });
    void client.invalidateQueries({ queryKey: keys.jobs });
  };
  const cancel = useMutation({
    mutationFn: (id: string) => ask(api.POST("/v1/jobs/{id}/cancel", { params: { path: { id } } })),
    onSuccess: (job) => {
      take(client, job);
      say(job.state === "cancelled" ? `“${job.title}” is cancelled.` : `“${job.title}” is told to stop.`);
    },
    onError: refused,
  });
  const retry = useMutation({
    mutationFn: (id: string) => ask(api.POST("/v1/jobs/{id}/retry", { params: { path: { id } } })),
    onSuccess: (job) => {
      take(client, job);
      say(`“${job.title}” is sent again.`);
    },
    onError: refused,
  });
  return { cancel, retry };
}

/** The buttons for a job; `small` ones for lists show icons only. */
export function JobActions({ job, small }: { job: Job; small?: boolean }) {
  const { cancel, retry } = useJobActions();
  const [asked, setAsked] = useState<"cancel" | "change">();
  const close = () => setAsked(undefined);
  // What is under way is worth a question; what only waits can be sent again without a loss.
  const startCancel = () => (job.state === "running" ? setAsked("cancel") : cancel.mutate(job.id));
  const named = (what: string) => (small ? { label: `${what}: ${job.title}` } : { children: what });
  return (
    <>
      {canRetry(job) && (
        <Button
          look={small ? "quiet" : "main"}
          icon="again"
          busy={retry.isPending}
          onClick={() => retry.mutate(job.id)}
          {...named("Send again")}
        />
      )}
      {canChange(job) && (
        <Button look={small ? "quiet" : "plain"} icon="edit" onClick={() => setAsked("change")} {...named("Change")} />
      )}
      {canCancel(job) && (
        <Button
          look={small ? "quiet" : "danger"}
          icon="stop"
          busy={cancel.isPending}
          onClick={startCancel}
          {...named("Cancel")}
        />
      )}
      {asked === "cancel" && (
        <Confirm
          title="Cancel this job?"
          action="Cancel the job"
          danger
          close={close}
          run={() => cancel.mutateAsync(job.id)}
        >
          <p>
            “{job.title}” is under way. Its executor stops within seconds. It can be sent again; what is made so far is
            mostly used then.
          </p>
        </Confirm>
      )}
      {asked === "change" && <ChangeJob job={job} close={close} />}
    </>
  );
}
