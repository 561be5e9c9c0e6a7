// Makes a schedule or changes one. What is written here is kept through every refusal.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { api, ask, askWithHead, Problem } from "../../api/client";
import { keys } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { useDebounced } from "../../lib/debounced";
import { Button, ButtonLink } from "../../ui/button";
import { Field } from "../../ui/field";
import { unfold } from "../../ui/fold";
import { fromRows, type LabelRow, toRows } from "../../ui/labels";
import { useToasts } from "../../ui/toast";
import { toCron } from "./cron";
import { CronField, Rule, ZoneField } from "./cron-field";
import styles from "./editor.module.css";
import { NO_MISTAKES, sortMistakes } from "./mistakes";
import { MontageFields } from "./montage-fields";
import { PolicyFields } from "./policy-fields";
import { useRule } from "./queries";
import { type Form, formOf, toNew, toPatch, toTrial } from "./schedule-form";
import { SourceFields } from "./source-fields";
import { needsWindow } from "./source-form";
import { restMistake } from "./template";
import { TemplateFields } from "./template-fields";
import { Trial } from "./trial";
import { WindowFields } from "./window-fields";
import { modeFor } from "./window-form";
import { refusalWords } from "./words";

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
  // What was read at first is what changes are told from, whatever others make of it meanwhile.
  const [base] = useState(known?.schedule);
  // The version that is changed: what comes meanwhile by itself is somebody else's change.
  const [etag, setEtag] = useState(known?.etag);
  const posted = useRef<{ body: string; key: string }>(undefined);
  const set = (part: Partial<Form>) => setForm((old) => ({ ...old, ...part }));

  const cron = toCron(form.choice);
  const asked = useDebounced(`${form.zone}\n${cron}`);
  const [askedZone = "", askedCron = ""] = asked.split("\n");
  const rule = useRule(askedCron, askedZone);
  const live = rule.error instanceof Problem ? sortMistakes(rule.error, form).fields : {};

  const whole = (): Form => ({ ...form, template: { ...form.template, labels: fromRows(labels) } });
  const save = useMutation({
    mutationFn: async (version: string | undefined) => {
      if (base) {
        return askWithHead(
          api.PATCH("/v1/schedules/{id}", {
            params: { path: { id: base.id }, header: { "If-Match": version } },
            body: toPatch(whole(), base),
          }),
        );
      }
      // The same form sent twice, as after a lost answer, makes one schedule.
      const body = toNew(whole());
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
  const trial = useMutation({
    // What was tried is kept beside what came of it.
    mutationFn: (_: { form: Form; labels: LabelRow[] }) =>
      ask(api.POST("/v1/schedules/try", { body: toTrial(whole()) })),
  });
  // To the first mistake, once it is shown; at every refusal.
  const failed = save.isError ? save : trial;
  const { error, isError, submittedAt } = failed;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same refusal a second time is another one
  useEffect(() => {
    if (isError) box.current?.querySelector<HTMLElement>('[aria-invalid="true"], [role="alert"]')?.focus();
  }, [isError, submittedAt]);
  const problem = error instanceof Problem ? error : undefined;
  const refused = problem ? sortMistakes(problem, form) : NO_MISTAKES;
  const rest = restMistake(form.template.rest);
  const needed = needsWindow(form.source);
  const mistakes: Record<string, string> = { ...refused.fields, ...live, ...(rest && { rest }) };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    trial.reset();
    if (rest || cron === "")
      box.current?.querySelector<HTMLElement>('[aria-invalid="true"], [type="checkbox"]')?.focus();
    else save.mutate(etag);
  };
  const tryOut = () => {
    if (!box.current?.reportValidity()) return;
    save.reset();
    if (rest) box.current.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    else trial.mutate({ form, labels });
  };
  // Not for those whose fields show it.
  const above = error && (refused.others.length > 0 || !problem?.errors.length);
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
            <p>{refusalWords(error)}</p>
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
            if (moved && isError) failed.reset();
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
      {trial.data && (
        <Trial trial={trial.data} isOld={trial.variables?.form !== form || trial.variables.labels !== labels} />
      )}
      <div className={styles.actions}>
        <Button look="plain" icon="search" busy={trial.isPending} onClick={tryOut}>
          Try it out
        </Button>
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
