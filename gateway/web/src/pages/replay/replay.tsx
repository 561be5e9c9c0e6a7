// A video of an osu! replay, on one page: its files, how it looks, and the button that makes it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useCallback, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { api, ask, Problem } from "../../api/client";
import { keys } from "../../api/queries";
import type { components } from "../../api/schema";
import { useMay } from "../../api/session";
import type { Job } from "../../api/types";
import { Button, ButtonLink } from "../../ui/button";
import { Field } from "../../ui/field";
import { PageHead } from "../../ui/page";
import { Empty, Failure } from "../../ui/states";
import { newKey } from "../make/draft/model";
import { FileField } from "./file-field";
import { bodyOf, FILES, type FileName, type Given, type GivenFiles, mistakesOf, titleOf } from "./form";
import { OptionFields } from "./option-fields";
import type { Chosen } from "./options";
import styles from "./replay.module.css";

type Body = components["schemas"]["PostedJob"];

export default function ReplayPage() {
  const mayWrite = useMay("write");
  if (!mayWrite) {
    return (
      <>
        <PageHead title="A video of a replay" />
        <Empty
          title="This key may not make videos"
          action={
            <ButtonLink href="/" look="plain">
              To the library
            </ButtonLink>
          }
        >
          Sign out, and come back with a key that has the scope write.
        </Empty>
      </>
    );
  }
  return <Workshop />;
}

function Workshop() {
  const [files, setFiles] = useState<GivenFiles>({});
  const [title, setTitle] = useState("");
  const [chosen, setChosen] = useState<Chosen>({});
  const [onTheWay, setOnTheWay] = useState<Partial<Record<FileName, boolean>>>({});
  const give = useCallback(
    (name: FileName, given: Given | undefined) => setFiles((before) => ({ ...before, [name]: given })),
    [],
  );
  const { send, busy, error, forget } = useSending();
  const problem = error instanceof Problem ? error : undefined;
  const mistakes = problem ? mistakesOf(problem.errors) : {};
  const waits = Object.values(onTheWay).some(Boolean);
  const missing = FILES.filter(({ name, needed }) => needed && !files[name]).map(({ label }) => label.toLowerCase());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!waits && missing.length === 0) send(bodyOf(files, title, chosen));
  };
  return (
    <>
      <PageHead
        title="A video of a replay"
        above={<Link href="/make">Make a montage</Link>}
        below="A replay of osu!, osu!taiko or osu!mania becomes a video, drawn anew from what was played and checked against the replay’s own counts."
      />
      <form className={styles.form} onSubmit={submit}>
        <section className={`card ${styles.part}`} aria-labelledby="files">
          <h2 id="files">Files</h2>
          {FILES.map(({ name, label, help, endings, needed }) => (
            <FileField
              key={name}
              label={label}
              help={help}
              endings={endings}
              needed={needed}
              given={files[name]}
              mistake={mistakes[name]}
              give={(given) => {
                forget();
                give(name, given);
              }}
              chose={name === "replay" ? (file) => setTitle((before) => before || titleOf(file.name)) : undefined}
              sending={(is) => setOnTheWay((before) => ({ ...before, [name]: is }))}
            />
          ))}
        </section>
        <section className={`card ${styles.part}`} aria-labelledby="looks">
          <h2 id="looks">How it looks and sounds</h2>
          <Field label="Title" help="Its name in the library" mistake={mistakes.title}>
            {(control) => (
              <input {...control} maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} />
            )}
          </Field>
          <OptionFields
            chosen={chosen}
            mistakes={mistakes}
            choose={(path, value) => {
              forget();
              setChosen((before) => ({ ...before, [path]: value }));
            }}
          />
          {mistakes.video && <p className={styles.mistake}>{mistakes.video}</p>}
          {error && !problem?.errors.length ? <Failure error={error} /> : null}
          <div className={styles.end}>
            <Button type="submit" icon="send" busy={busy} disabled={waits || missing.length > 0}>
              Make the video
            </Button>
            <span className="soft small" role="status">
              {waits
                ? "Files are on their way."
                : missing.length > 0
                  ? `Still missing: ${missing.join(" and ")}.`
                  : problem?.errors.length
                    ? "Something is wrong with what is marked above."
                    : ""}
            </span>
          </div>
        </section>
      </form>
    </>
  );
}

/** Posts the job: the same one once, however often the button is pressed or a lost answer makes somebody try again. */
function useSending() {
  const [, go] = useLocation();
  const client = useQueryClient();
  const posted = useRef<{ text: string; key: string }>(null);
  const sending = useMutation({
    mutationFn: async (body: unknown) => {
      const text = JSON.stringify(body);
      if (posted.current?.text !== text) posted.current = { text, key: newKey() };
      const header = { "Idempotency-Key": posted.current.key };
      // A list is answered only where a list was sent.
      return (await ask(api.POST("/v1/jobs", { params: { header }, body: body as Body }))) as Job;
    },
    onSuccess: (job) => {
      client.setQueryData(keys.job(job.id), job);
      void client.invalidateQueries({ queryKey: keys.jobs });
      void client.invalidateQueries({ queryKey: keys.stats });
      go(`/jobs/${job.id}`);
    },
  });
  return { send: sending.mutate, busy: sending.isPending, error: sending.error, forget: sending.reset };
}
