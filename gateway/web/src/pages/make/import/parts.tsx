// Parts of the dialog that imports lists: a choice, what could not be read, and which source is meant.
import { count } from "../../../lib/format";
import { Field } from "../../../ui/field";
import { type DraftSource, readRef } from "../draft/model";
import type { Entry, Unread as UnreadLine } from "./entry";
import styles from "./import.module.css";
import type { Fate } from "./take";

interface ChoiceProps {
  label: string;
  help?: string;
  value: string;
  set: (value: string) => void;
  options: [value: string, name: string][];
}

export function Choice({ label, help, value, set, options }: ChoiceProps) {
  return (
    <Field label={label} help={help}>
      {(control) => (
        <select {...control} value={value} onChange={(event) => set(event.target.value)}>
          {options.map(([one, name]) => (
            <option key={one} value={one}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Lines that are listed at once; whoever mends these sees the next ones. */
const LISTED = 50;

interface UnreadProps {
  title: string;
  unread: UnreadLine[];
  isWrong?: boolean;
}

export function Unread({ title, unread, isWrong }: UnreadProps) {
  if (unread.length === 0) return null;
  return (
    <div className={isWrong ? `${styles.unread} ${styles.wrong}` : styles.unread} role="status">
      <h3>{title}</h3>
      <ul>
        {unread.slice(0, LISTED).map((one, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same may be wrong twice on one line, and they never move
          <li key={index}>
            <strong className="numbers">Line {one.line}:</strong> {one.text}
          </li>
        ))}
        {unread.length > LISTED && <li>and {count(unread.length - LISTED, "more line")}</li>}
      </ul>
    </div>
  );
}

interface MappingProps {
  names: string[];
  entries: Entry[];
  sources: DraftSource[];
  fateOf: (name: string) => Fate;
  set: (name: string, fate: Fate) => void;
}

/** Which source each name of the file means. */
export function Mapping({ names, entries, sources, fateOf, set }: MappingProps) {
  if (names.length === 0) return null;
  return (
    <div className={styles.mapping}>
      <h3>Which source is meant</h3>
      {sources.length === 0 && !names.some((name) => typeof readRef(name) !== "string") && (
        <p className={styles.mistake}>
          There is no source in the list yet. Close this, add the video first, and import the list again.
        </p>
      )}
      {names.map((name) => {
        const fate = fateOf(name);
        const value = fate === null ? "" : typeof fate === "object" ? `to:${fate.to}` : fate;
        const moments = count(entries.filter((entry) => entry.source === name).length, "moment");
        const isPlace = name !== "" && typeof readRef(name) !== "string";
        return (
          <Choice
            key={name}
            label={name === "" ? `Without a source: ${moments}` : `${name}: ${moments}`}
            value={value}
            set={(chosen) => {
              if (chosen.startsWith("to:")) set(name, { to: chosen.slice(3) });
              else set(name, chosen === "new" || chosen === "out" ? chosen : null);
            }}
            options={[
              ["", "Choose a source"],
              ...(isPlace ? ([["new", "Add it as a new source"]] as [string, string][]) : []),
              ...sources.map((source): [string, string] => [`to:${source.key}`, source.name]),
              ["out", "Leave these out"],
            ]}
          />
        );
      })}
    </div>
  );
}
