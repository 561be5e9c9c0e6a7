// Makes a schedule or changes one. What is written here is kept through every refusal.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { api, askWithHead, Problem } from "../../api/client";
import { keys } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { useDebounced } from "../../lib/debounced";
import { Button, ButtonLink } from "../../ui/button";
import { Field } from "../../ui/field";
import { unfold } from "../../ui/fold";
import { fromRows, toRows } from "../../ui/labels";
import { useToasts } from "../../ui/toast";
import { toCron } from "./cron";
import { CronField, Rule, ZoneField } from "./cron-field";
import styles from "./editor.module.css";
import { NO_MISTAKES, sortMistakes } from "./mistakes";
import { MontageFields } from "./montage-fields";
import { PolicyFields } from "./policy-fields";
import { useRule } from "./queries";
import { type Form, formOf, toNew, toPatch } from "./schedule-form";
import { SourceFields } from "./source-fields";
import { needsWindow } from "./source-form";
import { restMistake } from "./template";
import { TemplateFields } from "./template-fields";
import { WindowFields } from "./window-fields";
import { modeFor } from "./window-form";

interface Known {
  schedule: Schedule;
  /** Its version when it was read. */
  etag: string | undefined;
}

export default function Editor({ known }: { known?: Known }) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const { say } = useToasts();
  const box = useRef<HTMLFormElement>(null);
  const [form, setForm] = useState(() => formOf(known?.schedule));
  const [labels, setLabels] = useState(() => toRows(form.template.labels));
  // The version that is changed: what comes meanwhile by itself is somebody else's change.
  const [etag, setEtag] = useState(known?.etag);
  const posted = useRef<{ body: string; key: string }>(undefined);
  const set = (part: Partial<Form>) => setForm((old) => ({ ...old, ...part }));

  const cron = toCron(form.choice);
  const asked = useDebounced(`${form.zone}\n${cron}`);
  const [askedZone = "", askedCron = ""] = asked.split("\n");
  const rule = useRule(askedCron, askedZone);
  const live = rule.error instanceof Problem ? sortMistakes(rule.error, form).fields : {};

  const save = useMutation({
    mutationFn: async (version: string | undefined) => {
      const asked: Form = { ...form, template: { ...form.template, labels: fromRows(labels) } };
      if (known) {
        return askWithHead(
          api.PATCH("/v1/schedules/{id}", {
            params: { path: { id: known.schedule.id }, header: { "If-Match": version } },
            body: toPatch(asked, known.schedule),
          }),
        );
      }
      // The same form sent twice, as after a lost answer, makes one schedule.
      const body = toNew(asked);
      const text = JSON.stringify(body);
      if (posted.current?.body !== text) posted.current = { body: text, key: newKey() };
      return askWithHead(
        api.POST("/v1/schedules", { params: { header: { "Idempotency-Key": posted.current.key } }, body }),
      );
    },
    onSuccess: ({ data, etag: version }) => {
      client.setQueryData(keys.schedule(data.id), { schedule: data, etag: version });
      void client.invalidateQueries({ queryKey: keys.schedules });
      say(known ? `“${data.name}” is changed.` : `“${data.name}” is made.`);
      go(`/schedules/${data.id}`, { replace: known !== undefined });
    },
  });
  // To the first mistake, once it is shown; at every refusal.
  const { isError, submittedAt } = save;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same refusal a second time is another one
  useEffect(() => {
    if (isError) box.current?.querySelector<HTMLElement>('[aria-invalid="true"], [role="alert"]')?.focus();
  }, [isError, submittedAt]);
  const problem = save.error instanceof Problem ? save.error : undefined;
  const refused = problem ? sortMistakes(problem, form) : NO_MISTAKES;
  const rest = restMistake(form.template.rest);
  const needed = needsWindow(form.source);
  const mistakes: Record<string, string> = { ...refused.fields, ...live, ...(rest && { rest }) };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (rest || cron === "")
      box.current?.querySelector<HTMLElement>('[aria-invalid="true"], [type="checkbox"]')?.focus();
    else save.mutate(etag);
  };
  // Not for those whose fields show it.
  const above = save.error && (refused.others.length > 0 || !problem?.errors.length);
  return (
    <form
      ref={box}
      className={styles.form}
      onSubmit={submit}
      // What the browser complains about has to be seen.
      onInvalidCapture={({ target }) => target instanceof Element && unfold(target)}
    >
      {above && problem?.status === 412 ? (
        <Changed
          id={known?.schedule.id ?? ""}
          overwrite={(version) => {
            setEtag(version);
            save.mutate(version);
          }}
        />
      ) : (
        above && (
          <div role="alert" tabIndex={-1} className={styles.alert}>
            <p>{save.error.message}</p>
            <ul>
              {refused.others.map((error) => (
                <li key={error.pointer}>
                  <code>{error.pointer || "/"}</code>: {error.detail}
                </li>
              ))}
            </ul>
          </div>
        )
      )}
      <section className={`${styles.part} card`} aria-labelledby="part-what">
        <h2 id="part-what">What it is</h2>
        <Field label="Name" mistake={mistakes.name}>
          {(control) => (
            <input
              {...control}
              required
              maxLength={100}
              placeholder="Best of the week"
              value={form.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Field>
        <SourceFields form={form.source} change={(source) => set({ source })} mistakes={mistakes} />
        <WindowFields
          form={form.window}
          mode={modeFor(form.window, needed)}
          change={(window) => set({ window })}
          all={needed ? undefined : "all that the source lists"}
          mistakes={mistakes}
        />
      </section>
      <section className={`${styles.part} card`} aria-labelledby="part-when">
        <h2 id="part-when">When it runs</h2>
        <CronField choice={form.choice} change={(choice) => set({ choice })} mistake={mistakes.cron} />
        <ZoneField zone={form.zone} change={(zone) => set({ zone })} mistake={mistakes.time_zone} />
        <Rule cron={askedCron} zone={askedZone} />
        <PolicyFields policies={form.policies} change={(policies) => set({ policies })} mistakes={mistakes} />
      </section>
      <section className={`${styles.part} ${styles.whole} card`} aria-labelledby="part-which">
        <h2 id="part-which">Which montages</h2>
        <MontageFields
          montages={form.montages}
          change={(montages, moved) => {
            set({ montages });
            // What was said of one must not be shown at another.
            if (moved && save.isError) save.reset();
          }}
          mistakes={mistakes}
        />
      </section>
      <section className={`${styles.part} ${styles.whole} card`} aria-labelledby="part-how">
        <h2 id="part-how">How they are made</h2>
        <TemplateFields
          form={form.template}
          change={(part) => set({ template: { ...form.template, ...part } })}
          labels={labels}
          changeLabels={setLabels}
          montages={form.montages}
          mistakes={mistakes}
        />
      </section>
      <div className={styles.actions}>
        <ButtonLink look="plain" href={known ? `/schedules/${known.schedule.id}` : "/schedules"}>
          Cancel
        </ButtonLink>
        <Button type="submit" busy={save.isPending}>
          {known ? "Save the schedule" : "Make the schedule"}
        </Button>
      </div>
    </form>
  );
}

/** Somebody else changed it meanwhile. */
function Changed({ id, overwrite }: { id: string; overwrite: (etag: string | undefined) => void }) {
  const client = useQueryClient();
  const { complain } = useToasts();
  const take = () =>
    askWithHead(api.GET("/v1/schedules/{id}", { params: { path: { id } } })).then(
      ({ etag }) => overwrite(etag),
      complain,
    );
  return (
    <div role="alert" tabIndex={-1} className={styles.alert}>
      <p>
        Somebody else changed this schedule while you did. Nothing of yours is saved yet, and nothing of it is lost
        here.
      </p>
      <div className={styles.actions}>
        <ButtonLink
          look="plain"
          small
          href={`/schedules/${id}`}
          onClick={() => void client.invalidateQueries({ queryKey: keys.schedule(id) })}
        >
          Give mine up, see theirs
        </ButtonLink>
        <Button look="plain" small onClick={() => void take()}>
          Save mine over theirs
        </Button>
      </div>
    </div>
  );
}

/** A name that no other request has. `randomUUID` is there over HTTPS only. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
