// A montage's title, which can be changed in its place.
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { Problem } from "../../api/client";
import { useMay } from "../../api/session";
import { Button } from "../../ui/button";
import { usePageTitle } from "../../ui/page";
import { useToasts } from "../../ui/toast";
import { useChange, wasFaster } from "./data";
import styles from "./title.module.css";

export function Title({ id, title }: { id: string; title: string }) {
  usePageTitle(title);
  const mayWrite = useMay("write");
  const [editing, setEditing] = useState(false);
  const heading = useRef<HTMLDivElement>(null);
  const back = useRef(false);
  // Whoever ends changing it is where it began.
  useEffect(() => {
    if (!editing && back.current) heading.current?.querySelector("button")?.focus();
    back.current = editing;
  }, [editing]);
  if (editing) return <Rename id={id} title={title} done={() => setEditing(false)} />;
  return (
    <div ref={heading} className={styles.title}>
      <h1 dir="auto">{title}</h1>
      {mayWrite && <Button look="quiet" small icon="edit" label="Rename" onClick={() => setEditing(true)} />}
    </div>
  );
}

/** The longest title that is taken, in signs. */
const LONGEST = 200;

function Rename({ id, title, done }: { id: string; title: string; done: () => void }) {
  const field = useId();
  const [words, setWords] = useState(title);
  const change = useChange(id);
  const toasts = useToasts();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  const save = (event: FormEvent) => {
    event.preventDefault();
    const next = words.trim();
    if (next === title) return done();
    change.mutate(
      { title: next },
      {
        onSuccess: () => {
          toasts.say("Renamed");
          done();
        },
      },
    );
  };
  const mistake = mistakeOf(change.error, title);
  return (
    <form
      className={styles.form}
      onSubmit={save}
      onKeyDown={(event) => {
        if (event.key === "Escape") done();
      }}
    >
      <h1 className="hidden-text">{title}</h1>
      <label htmlFor={field}>Title</label>
      <div className={styles.row}>
        <input
          ref={input}
          id={field}
          required
          maxLength={LONGEST}
          value={words}
          dir="auto"
          onChange={(event) => setWords(event.target.value)}
          aria-invalid={mistake ? true : undefined}
          aria-describedby={mistake ? `${field}-mistake` : undefined}
        />
        <Button type="submit" busy={change.isPending}>
          {wasFaster(change.error) ? "Save anyway" : "Save"}
        </Button>
        <Button look="plain" onClick={done}>
          Cancel
        </Button>
      </div>
      {mistake && (
        <p id={`${field}-mistake`} role="alert" className={styles.mistake}>
          {mistake}
        </p>
      )}
    </form>
  );
}

function mistakeOf(error: unknown, title: string): string | undefined {
  if (!error) return undefined;
  if (wasFaster(error)) {
    return `Somebody changed this montage while you wrote. Its title is now “${title}”. Nothing of yours was saved yet.`;
  }
  if (error instanceof Problem) return error.at("/title") ?? error.message;
  return "That did not work. Try again.";
}
