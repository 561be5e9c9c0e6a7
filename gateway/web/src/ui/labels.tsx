// Labels: names and values of a person's own, as chips and as fields.
import { type ReactNode, useId, useRef } from "react";
import { Link } from "wouter";
import { Button } from "./button";
import styles from "./labels.module.css";

/** Labels as chips; with `to`, each leads to what else has it. */
export function Labels({
  labels,
  to,
}: {
  labels: Record<string, string>;
  to?: (name: string, value: string) => string;
}) {
  const all = Object.entries(labels);
  if (all.length === 0) return null;
  return (
    <ul className={styles.chips} aria-label="Labels">
      {all.map(([name, value]) => (
        <li key={name}>
          {to ? (
            <Link href={to(name, value)} className={styles.chip}>
              {name}: {value}
            </Link>
          ) : (
            <span className={styles.chip}>
              {name}: {value}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** A label in a form. `key` stays while it is written. */
export interface LabelRow {
  key: number;
  name: string;
  value: string;
}

export const toRows = (labels: Record<string, string>): LabelRow[] =>
  Object.entries(labels).map(([name, value], key) => ({ key, name, value }));

/** The labels of a form's rows; rows without a name do not count. */
export const fromRows = (rows: LabelRow[]): Record<string, string> =>
  Object.fromEntries(rows.filter((row) => row.name.trim()).map((row) => [row.name.trim(), row.value.trim()]));

/** What to send for a change of labels: new and changed values, `null` for what is gone. */
export function labelChanges(before: Record<string, string>, after: Record<string, string>) {
  const changes: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(after)) if (before[name] !== value) changes[name] = value;
  for (const name of Object.keys(before)) if (!(name in after)) changes[name] = null;
  return changes;
}

interface LabelsFieldProps {
  rows: LabelRow[];
  change: (rows: LabelRow[]) => void;
  help?: ReactNode;
  mistake?: string;
}

export function LabelsField({ rows, change, help, mistake }: LabelsFieldProps) {
  const id = useId();
  const box = useRef<HTMLFieldSetElement>(null);
  const add = () => {
    const key = Math.max(-1, ...rows.map((row) => row.key)) + 1;
    change([...rows, { key, name: "", value: "" }]);
    // Where the new one will be.
    setTimeout(() => box.current?.querySelector<HTMLElement>(`[data-label="${key}"]`)?.focus());
  };
  const set = (row: LabelRow) => change(rows.map((old) => (old.key === row.key ? row : old)));
  return (
    <fieldset ref={box} className={styles.field} aria-describedby={`${id}-help`}>
      <legend>Labels</legend>
      {rows.map((row, index) => (
        <div key={row.key} className={styles.row}>
          <input
            data-label={row.key}
            aria-label={`Name of label ${index + 1}`}
            placeholder="name"
            autoCapitalize="none"
            maxLength={63}
            value={row.name}
            onChange={(event) => set({ ...row, name: event.target.value })}
          />
          <input
            aria-label={`Value of label ${index + 1}`}
            placeholder="value"
            maxLength={200}
            value={row.value}
            onChange={(event) => set({ ...row, value: event.target.value })}
          />
          <Button
            look="quiet"
            icon="close"
            label={`Remove label ${row.name || index + 1}`}
            onClick={() => {
              change(rows.filter((old) => old.key !== row.key));
              box.current?.querySelector<HTMLElement>("[data-add]")?.focus();
            }}
          />
        </div>
      ))}
      <div>
        <Button look="plain" small icon="make" data-add onClick={add}>
          Add a label
        </Button>
      </div>
      <p id={`${id}-help`} className={mistake ? styles.mistake : "soft small"}>
        {mistake ?? help}
      </p>
    </fieldset>
  );
}
