// Takes a list of moments from elsewhere: a file or a pasted text is read at once, then shown with all that is wrong with it, and nothing is
// taken before somebody says so.
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { count } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { Field } from "../../../ui/field";
import { useToasts } from "../../../ui/toast";
import { newKey, newSource, readRef } from "../draft/model";
import { dispatch, getDraft, useDraft } from "../draft/store";
import { useFacts } from "../sources/facts";
import { shownTime } from "../time";
import { guessRate } from "./edl";
import { type Entry, type Imported, KIND_NAMES, KINDS, type Kind, nothing } from "./entry";
import styles from "./import.module.css";
import { Choice, Mapping, Unread } from "./parts";
import { readAs, recognise } from "./recognise";
import { clipOf, endOf, type Fate, guess, namesOf } from "./take";
import { RATES, rateNamed } from "./timecode";

/** Larger lists than this are no lists of moments. In bytes. */
const LARGEST = 20 * 1024 * 1024;

export default function ImportDialog({ file, close }: { file: File | null; close: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [text, setText] = useState("");
  const [fileName, setFileName] = useState("");
  const [fileMistake, setFileMistake] = useState<string>();
  const [kind, setKind] = useState<Kind | "">("");
  const [rateName, setRateName] = useState("");
  const [begins, setBegins] = useState("00:00:00:00");
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set());
  const [fates, setFates] = useState<ReadonlyMap<string, Fate>>(new Map());
  const [most, setMost] = useState("");
  const [open, setOpen] = useState("30");
  const sources = useDraft((draft) => draft.sources);
  const looked = useDraft((draft) => draft.form.source);
  const facts = useFacts();
  const { say } = useToasts();

  const load = async (chosen: File) => {
    setFileMistake(undefined);
    if (chosen.size > LARGEST) {
      setFileMistake(`${chosen.name} is too large for a list of moments. Is it a video? Then upload it as a source.`);
      return;
    }
    setText(await chosen.text());
    setFileName(chosen.name);
    setKind("");
    setLeft(new Set());
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, for the file that was dropped on the page
  useEffect(() => {
    if (file) void load(file);
  }, [file]);

  const shown = useDeferredValue(text);
  const found = useMemo(() => recognise(shown, fileName), [shown, fileName]);
  const guessed = useMemo(() => guessRate(shown), [shown]);
  const used = kind || found;
  const rate = rateNamed(rateName) ?? guessed.rate;
  const read: Imported = useMemo(
    () => (used && shown.trim() ? readAs(used, shown, { rate, begins }) : nothing()),
    [used, shown, rate, begins],
  );
  const names = useMemo(() => namesOf(read.entries), [read]);
  const fateOf = (name: string): Fate => (fates.has(name) ? (fates.get(name) ?? null) : guess(name, sources, looked));
  const durationOf = (fate: Fate) =>
    fate !== null && typeof fate === "object" ? (facts.get(fate.to)?.duration ?? null) : null;
  const lengths = { most: positive(most), open: positive(open) ?? 30 };
  const end = (entry: Entry) => endOf(entry, lengths, durationOf(fateOf(entry.source)));
  const taken = read.entries.filter((entry, index) => !left.has(index) && fateOf(entry.source) !== "out");
  const unsaid = names.filter((name) => fateOf(name) === null && taken.some((entry) => entry.source === name));
  const isOpen = read.entries.some((entry) => entry.end === "" && durationOf(fateOf(entry.source)) === null);

  const take = () => {
    if (taken.length === 0 || unsaid.length > 0) return;
    const keys = new Map<string, string>();
    for (const name of names) {
      const fate = fateOf(name);
      if (fate === null || fate === "out") continue;
      if (typeof fate === "object") keys.set(name, fate.to);
      else {
        const ref = readRef(name);
        if (typeof ref === "string") continue;
        const source = newSource(ref, name.split("/").at(-1) || name);
        dispatch({ type: "add-source", source });
        keys.set(name, source.key);
      }
    }
    const clips = taken.map((entry) => clipOf(entry, newKey(), keys.get(entry.source) ?? "", end(entry)));
    dispatch({ type: "add-clips", clips });
    say(`${count(clips.length, "clip")} added; there are ${getDraft().clips.length} now.`, {
      label: "Undo",
      run: () => {
        for (const clip of clips) dispatch({ type: "remove-clip", key: clip.key });
      },
    });
    box.current?.closest("dialog")?.close();
  };

  return (
    <Dialog title="Import a list of moments" close={close} wide>
      <div ref={box} className={styles.dialog}>
        <p className="soft">
          A table (CSV) with columns named start, end or duration, title, streamer, score, source; an edit list (EDL);
          an OpenTimelineIO file; or the chapters of a video. Nothing is taken before you say so.
        </p>
        <Field label="File" mistake={fileMistake}>
          {(control) => (
            <input
              {...control}
              type="file"
              accept=".csv,.tsv,.edl,.otio,.txt,.json,text/*"
              onChange={(event) => {
                const chosen = event.target.files?.[0];
                if (chosen) void load(chosen);
              }}
            />
          )}
        </Field>
        <Field label="Or paste it here">
          {(control) => (
            <textarea
              {...control}
              className={styles.text}
              rows={6}
              spellCheck={false}
              placeholder={"0:00 Intro\n1:05 The comeback"}
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setFileName("");
                setLeft(new Set());
              }}
            />
          )}
        </Field>
        {shown.trim() !== "" && (
          <>
            <div className={styles.settings}>
              <Choice
                label="What it is"
                value={kind}
                set={(value) => setKind(value as Kind | "")}
                options={[
                  ["", found ? `${KIND_NAMES[found]}, as it seems` : "Not recognised: choose"],
                  ...KINDS.map((one): [string, string] => [one, KIND_NAMES[one]]),
                ]}
              />
              {used === "edl" && (
                <>
                  <Choice
                    label="Frames a second"
                    help={guessed.isSaid ? "As the list says." : "The list does not say it: check it."}
                    value={rateName}
                    set={setRateName}
                    options={[
                      ["", `${guessed.rate.name}${guessed.isSaid ? "" : ", a guess"}`],
                      ...RATES.map((one): [string, string] => [one.name, one.name]),
                    ]}
                  />
                  <Field label="Timecode of the sources' first frame" help="Often 01:00:00:00 for tapes and cameras.">
                    {(control) => (
                      <input
                        {...control}
                        className="numbers"
                        autoComplete="off"
                        value={begins}
                        onChange={(event) => setBegins(event.target.value)}
                      />
                    )}
                  </Field>
                </>
              )}
              {used === "chapters" && (
                <Field
                  label="At most so many seconds of each"
                  help="All of it, up to the next one, if you leave it empty."
                >
                  {(control) => (
                    <input
                      {...control}
                      inputMode="decimal"
                      autoComplete="off"
                      value={most}
                      onChange={(event) => setMost(event.target.value)}
                    />
                  )}
                </Field>
              )}
              {isOpen && (
                <Field label="Seconds of the last one" help="Nothing says where it ends.">
                  {(control) => (
                    <input
                      {...control}
                      inputMode="decimal"
                      autoComplete="off"
                      value={open}
                      onChange={(event) => setOpen(event.target.value)}
                    />
                  )}
                </Field>
              )}
            </div>
            {!used && <p className={styles.mistake}>This looks like none of these lists. Choose what it is.</p>}
            <Unread title="What is wrong, and not taken" unread={read.mistakes} isWrong />
            <Unread title="What you should know" unread={read.notes} />
            <Mapping
              names={names}
              entries={read.entries}
              sources={sources}
              fateOf={fateOf}
              set={(name, fate) => setFates(new Map(fates).set(name, fate))}
            />
            <Moments
              entries={read.entries}
              left={left}
              setLeft={setLeft}
              isOut={(e) => fateOf(e.source) === "out"}
              end={end}
            />
          </>
        )}
        <div className={styles.actions}>
          <Button icon="make" aria-disabled={taken.length === 0 || unsaid.length > 0} onClick={take}>
            {taken.length === 0 ? "Add clips" : `Add ${count(taken.length, "clip")}`}
          </Button>
          {unsaid.length > 0 && <p className="soft">First say which source is meant, above.</p>}
        </div>
      </div>
    </Dialog>
  );
}

function positive(text: string): number | null {
  const number = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(number) && number > 0 ? number : null;
}

interface MomentsProps {
  entries: Entry[];
  /** The numbers of those that are not wanted. */
  left: ReadonlySet<number>;
  setLeft: (left: ReadonlySet<number>) => void;
  isOut: (entry: Entry) => boolean;
  end: (entry: Entry) => string;
}

function Moments({ entries, left, setLeft, isOut, end }: MomentsProps) {
  if (entries.length === 0) return null;
  const wanted = entries.filter((_, index) => !left.has(index)).length;
  return (
    <fieldset className={styles.moments}>
      <legend>
        {wanted} of {count(entries.length, "moment")}
      </legend>
      <div className={styles.all}>
        <Button look="plain" small onClick={() => setLeft(new Set())}>
          All
        </Button>
        <Button look="plain" small onClick={() => setLeft(new Set(entries.keys()))}>
          None
        </Button>
      </div>
      <ul className={styles.entries}>
        {entries.map((entry, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a file may have all of them on one line, and they never move
          <li key={index}>
            <label className={isOut(entry) ? `${styles.entry} ${styles.out}` : styles.entry}>
              <input
                type="checkbox"
                checked={!left.has(index) && !isOut(entry)}
                disabled={isOut(entry)}
                onChange={(event) => {
                  const next = new Set(left);
                  if (event.target.checked) next.delete(index);
                  else next.add(index);
                  setLeft(next);
                }}
              />
              <span className="numbers">
                {shownTime(entry.start)} – {shownTime(end(entry))}
              </span>
              <span>
                {entry.title || <span className="soft">Untitled</span>}
                <span className="soft small">
                  {[entry.streamer, entry.source, `line ${entry.line}`].filter(Boolean).map((part) => ` · ${part}`)}
                </span>
              </span>
            </label>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
