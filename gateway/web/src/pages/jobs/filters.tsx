// Narrows the list of jobs; all of it lives in the address.
import { type FormEvent, useEffect, useState } from "react";
import { Link } from "wouter";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { countOf, GROUPS, groupHref, labelMistake } from "./filter-state";
import styles from "./filters.module.css";
import { useStats } from "./queries";
import { kindName } from "./words";

interface FiltersProps {
  state: URLSearchParams;
  change: (changes: Record<string, string | null>) => void;
}

const KINDS = ["montage", "transcript", "plan", "segment", "probe"];

export function Filters({ state, change }: FiltersProps) {
  const stats = useStats();
  const [kind, label, states] = [state.get("kind") ?? "", state.get("label") ?? "", state.get("state") ?? ""];
  const [written, setWritten] = useState(label);
  const [mistake, setMistake] = useState<string>();
  useEffect(() => {
    setWritten(label);
    setMistake(undefined);
  }, [label]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const text = written.trim();
    const wrong = labelMistake(text);
    setMistake(wrong);
    if (!wrong) change({ label: text || null });
  };
  // What is counted are all jobs that somebody posted: with other filters the numbers would be of something else.
  const counts = kind || label ? undefined : stats.data?.states;
  return (
    <div className={styles.filters}>
      <nav aria-label="States">
        <ul className={styles.groups}>
          {GROUPS.map((group) => {
            const number = countOf(group.states, counts);
            return (
              <li key={group.name}>
                <Link
                  href={groupHref(state, group.states)}
                  className={styles.group}
                  aria-current={group.states === states ? "true" : undefined}
                >
                  {group.name}
                  {/* Its place is kept while nobody has counted yet. */}
                  <span className={`${styles.number} numbers`} data-none={number === undefined || undefined}>
                    {number?.toLocaleString("en")}
                  </span>
                </Link>
              </li>
            );
          })}
        </ul>
      </nav>
      <form className={styles.fields} onSubmit={submit}>
        <Field label="Kind">
          {(control) => (
            <select {...control} value={kind} onChange={(event) => change({ kind: event.target.value || null })}>
              <option value="">All that was posted</option>
              {KINDS.map((name) => (
                <option key={name} value={name}>
                  {kindName(name)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Label" mistake={mistake}>
          {(control) => (
            <span className={styles.label}>
              <input
                {...control}
                placeholder="name:value"
                autoCapitalize="none"
                autoComplete="off"
                value={written}
                onChange={(event) => setWritten(event.target.value)}
              />
              {label ? (
                <Button look="quiet" icon="close" label="All labels" onClick={() => change({ label: null })} />
              ) : (
                <Button look="quiet" type="submit" icon="filter" label="Only this label" />
              )}
            </span>
          )}
        </Field>
      </form>
    </div>
  );
}
