// Asking for another transcript: with another engine, in another language, or after a failure.
import { type FormEvent, useRef, useState } from "react";
import { Problem } from "../../api/client";
import type { Montage } from "../../api/types";
import { Button, ButtonLink } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { type Engine, useTranscribe } from "./data";
import styles from "./dialogs.module.css";

const ENGINES: { engine: Engine; name: string; what: string }[] = [
  { engine: "local", name: "On this server", what: "A model on the executors. Nothing leaves them." },
  {
    engine: "openai",
    name: "By a service",
    what: "The service that the operator has set up: the sound of the montage is sent there.",
  },
];

export function TranscribeDialog({ montage, close }: { montage: Montage; close: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const before = montage.transcript;
  const [engine, setEngine] = useState<Engine>(before.engine === "openai" ? "openai" : "local");
  const [language, setLanguage] = useState(before.language ?? "");
  const transcribe = useTranscribe(montage.id);
  const end = () => form.current?.closest("dialog")?.close();
  const send = (event: FormEvent) => {
    event.preventDefault();
    transcribe.mutate({ engine, language: language.trim() || null });
  };
  const problem = transcribe.error instanceof Problem ? transcribe.error : null;
  const job = transcribe.data;
  return (
    <Dialog title={montage.transcript_state === "none" ? "Transcribe" : "Transcribe again"} close={close}>
      <form ref={form} className={styles.form} onSubmit={send}>
        {job ? (
          <>
            <p role="status">
              {job.state === "succeeded"
                ? "This very transcript was made already: nothing has changed since."
                : "The transcript is being made. It takes the place of the one that is here when it is done; until then nothing changes."}
            </p>
            <div className={styles.actions}>
              <ButtonLink look="plain" href={`/jobs/${job.id}`}>
                Look at the job
              </ButtonLink>
              <Button onClick={end}>Done</Button>
            </div>
          </>
        ) : (
          <>
            <Field
              label="Who listens"
              help={ENGINES.find((choice) => choice.engine === engine)?.what}
              mistake={problem?.at("/engine")}
            >
              {(control) => (
                <select {...control} value={engine} onChange={(event) => setEngine(event.target.value as Engine)}>
                  {ENGINES.map((choice) => (
                    <option key={choice.engine} value={choice.engine}>
                      {choice.name}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            <Field
              label="Language of the speech"
              help="A short code such as en, de or pt-BR. Leave it empty for what is set up."
              mistake={problem?.at("/language")}
            >
              {(control) => (
                <input
                  {...control}
                  value={language}
                  onChange={(event) => setLanguage(event.target.value)}
                  autoCapitalize="none"
                  autoComplete="off"
                  spellCheck={false}
                  maxLength={35}
                />
              )}
            </Field>
            {transcribe.error && !problem?.errors.length && (
              <p role="alert" className={styles.mistake}>
                {transcribe.error.message}
              </p>
            )}
            <div className={styles.actions}>
              <Button look="plain" onClick={end}>
                Cancel
              </Button>
              <Button type="submit" busy={transcribe.isPending}>
                Transcribe
              </Button>
            </div>
          </>
        )}
      </form>
    </Dialog>
  );
}
