// The clip that the marks make: its times, and what is known of it.
import { type FormEvent, useId, useRef, useState } from "react";
import { Button } from "../../../ui/button";
import { Field } from "../../../ui/field";
import { type CutMode, type DraftSource, newKey } from "../draft/model";
import { dispatch, getDraft, useDraft } from "../draft/store";
import { useMistakes } from "../mistakes";
import { CUTS } from "../options/words";
import { type Span, timeText } from "../time";
import styles from "./moments.module.css";
import { keyNear } from "./scale";

interface ClipFormProps {
  source: DraftSource;
  span: Span;
  duration: number | null;
  keyframes: number[];
  seek: (seconds: number) => void;
  setMark: (mark: "start" | "end", seconds: number) => void;
}

export function ClipForm({ source, span, duration, keyframes, seek, setMark }: ClipFormProps) {
  const form = useDraft((draft) => draft.form);
  const before = useDraft((draft) => draft.clips.find((clip) => clip.key === draft.form.editing));
  const box = useRef<HTMLFormElement>(null);
  const cutId = useId();
  const [tried, setTried] = useState(false);
  const [said, setSaid] = useState("");
  const { ofClip } = useMistakes();
  const told = form.editing ? ofClip(form.editing) : undefined;
  const change = (changes: Partial<typeof form>) => dispatch({ type: "form", changes });
  const isScore = form.score.trim() === "" || Number.isFinite(Number(form.score.trim().replace(",", ".")));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (span.startMistake || span.endMistake || !isScore) {
      setTried(true);
      setSaid("");
      requestAnimationFrame(() => box.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
      return;
    }
    const isNew = form.editing === null;
    dispatch({ type: "save-clip", key: newKey() });
    setTried(false);
    setSaid(isNew ? `Added as clip ${getDraft().clips.length}.` : "The clip is changed.");
  };
  const beyond =
    duration !== null && span.endSeconds !== null && span.endSeconds > duration + 0.05
      ? `The source ends at ${timeText(duration)}.`
      : undefined;
  const times = { source, keyframes, seek, setMark, tried };
  return (
    <form ref={box} className={styles.form} onSubmit={submit} noValidate aria-label="Clip">
      {form.editing && (
        <p className={styles.editing}>
          You are changing “{before?.title || "a clip"}”
          {before && before.source !== source.key && `: it will be cut from ${source.name}`}.
        </p>
      )}
      <TimeField {...times} mark="start" at={span.startSeconds} mistake={span.startMistake ?? told?.("start")} />
      <TimeField
        {...times}
        mark="end"
        at={span.endSeconds}
        mistake={span.endMistake ?? told?.("end", "duration")}
        warning={beyond}
      />
      <div className={styles.about}>
        <Field label="Title" help="Names its chapter." mistake={told?.("title")}>
          {(control) => (
            <input
              {...control}
              maxLength={200}
              autoComplete="off"
              value={form.title}
              onChange={(event) => change({ title: event.target.value })}
            />
          )}
        </Field>
        <Field label="Streamer" help="Who is seen." mistake={told?.("streamer")}>
          {(control) => (
            <input
              {...control}
              maxLength={100}
              autoComplete="off"
              value={form.streamer}
              onChange={(event) => change({ streamer: event.target.value })}
            />
          )}
        </Field>
        <Field
          label="Score"
          help="The higher the better."
          mistake={isScore ? told?.("score") : "Write a number, such as 8.5."}
        >
          {(control) => (
            <input
              {...control}
              inputMode="decimal"
              autoComplete="off"
              maxLength={20}
              value={form.score}
              onChange={(event) => change({ score: event.target.value })}
            />
          )}
        </Field>
        <div className={styles.cut}>
          <label htmlFor={cutId}>Cut</label>
          <select
            id={cutId}
            value={form.cut}
            onChange={(event) => change({ cut: event.target.value as CutMode | "", tolerance: "" })}
          >
            <option value="">As the whole montage</option>
            {CUTS.map(({ value, name }) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </div>
      </div>
      <div className={styles.actions}>
        <Button type="submit" icon={form.editing ? "check" : "make"}>
          {form.editing ? "Save the clip" : "Add the clip"}
        </Button>
        {form.editing && (
          <Button
            look="plain"
            onClick={() => {
              dispatch({ type: "stop-editing" });
              setTried(false);
            }}
          >
            Leave it as it was
          </Button>
        )}
        <span className="soft numbers">
          {span.length !== null && !span.endMistake ? `${timeText(span.length)} long` : ""}
        </span>
        <span role="status" className="soft">
          {said}
        </span>
      </div>
    </form>
  );
}

interface TimeFieldProps {
  source: DraftSource;
  mark: "start" | "end";
  /** In seconds, where that is known. */
  at: number | null;
  keyframes: number[];
  seek: (seconds: number) => void;
  setMark: (mark: "start" | "end", seconds: number) => void;
  /** It was tried to add the clip: what is missing is a mistake now. */
  tried: boolean;
  mistake: string | undefined;
  warning?: string;
}

function TimeField({ source, mark, at, keyframes, seek, setMark, tried, mistake, warning }: TimeFieldProps) {
  const [left, setLeft] = useState(false);
  const text = source[mark];
  const name = mark === "start" ? "Start" : "End";
  const near = at === null ? null : keyNear(keyframes, at);
  const shown = tried || (left && text.trim() !== "") ? mistake : undefined;
  return (
    <Field
      label={name}
      help={mark === "start" ? "12.5, 1:05, 1:02:03.5 or 1234f." : "The same, or a length: +25s."}
      mistake={shown ?? warning}
    >
      {(control) => (
        <div className={styles.time}>
          <input
            {...control}
            className="numbers"
            autoComplete="off"
            spellCheck={false}
            maxLength={40}
            value={text}
            onBlur={() => setLeft(true)}
            onChange={(event) => {
              setLeft(false);
              dispatch({ type: "change-source", key: source.key, changes: { [mark]: event.target.value } });
            }}
          />
          <Button look="plain" aria-disabled={at === null} onClick={() => at !== null && seek(at)}>
            <span className="hidden-text">{name}: </span>Go to
          </Button>
          <Button
            look="plain"
            aria-disabled={near === null}
            title="Moves it to the nearest keyframe: then nothing has to be encoded there"
            onClick={() => {
              if (near === null) return;
              setMark(mark, near);
              seek(near);
            }}
          >
            <span className="hidden-text">{name}: </span>Snap<span className="hidden-text"> to keyframe</span>
          </Button>
        </div>
      )}
    </Field>
  );
}
