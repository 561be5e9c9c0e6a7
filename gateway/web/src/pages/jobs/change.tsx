// Changes a job that has not ended: how urgent it is, what it is called, its labels.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, ask, Problem } from "../../api/client";
import { take } from "../../api/jobs-live";
import type { components } from "../../api/schema";
import type { Job } from "../../api/types";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { fromRows, LabelsField, labelChanges, toRows } from "../../ui/labels";
import { useToasts } from "../../ui/toast";
import styles from "./change.module.css";

export function ChangeJob({ job, close }: { job: Job; close: () => void }) {
  const client = useQueryClient();
  const { say } = useToasts();
  const form = useRef<HTMLFormElement>(null);
  // What it was when the dialog opened: progress that comes meanwhile changes nothing here.
  const [before] = useState(job);
  const [priority, setPriority] = useState(String(job.priority));
  const [title, setTitle] = useState(job.title);
  const [labels, setLabels] = useState(() => toRows(job.labels));
  const end = () => form.current?.closest("dialog")?.close();
  const change = useMutation({
    mutationFn: () => {
      const changes = labelChanges(before.labels, fromRows(labels));
      const body: components["schemas"]["JobPatch"] = {
        ...(Number(priority) !== before.priority && { priority: Number(priority) }),
        ...(title !== before.title && { title }),
        ...(Object.keys(changes).length > 0 && { labels: changes }),
      };
      return ask(api.PATCH("/v1/jobs/{id}", { params: { path: { id: job.id } }, body }));
    },
    onSuccess: (changed) => {
      take(client, changed);
      say(`“${changed.title}” is changed.`);
      end();
    },
  });
  const problem = change.error instanceof Problem ? change.error : undefined;
  const elsewhere = change.error && !problem?.errors.length ? change.error.message : undefined;
  return (
    <Dialog title="Change the job" close={close}>
      <form
        ref={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <Field
          label="Priority"
          help="From -100 to 100; higher goes first. It decides among jobs that wait: one that runs is not interrupted."
          mistake={problem?.at("/priority")}
        >
          {(control) => (
            <input
              {...control}
              type="number"
              min={-100}
              max={100}
              step={1}
              required
              value={priority}
              onChange={(event) => setPriority(event.target.value)}
            />
          )}
        </Field>
        <Field label="Title" help="The montage gets it, too." mistake={problem?.at("/title")}>
          {(control) => (
            <input
              {...control}
              required
              maxLength={200}
              value={title}
              onChange={(event) => setTitle(event.target.value)}
            />
          )}
        </Field>
        <LabelsField
          rows={labels}
          change={setLabels}
          help="Names of lower-case letters, digits, _ - and . with any values."
          mistake={problem?.at("/labels")}
        />
        {elsewhere && (
          <p role="alert" className={styles.mistake}>
            {elsewhere}
          </p>
        )}
        <div className={styles.actions}>
          <Button look="plain" onClick={end}>
            Leave it
          </Button>
          <Button type="submit" busy={change.isPending}>
            Change
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
