// The filters above the grid: what can be chosen comes from the newest montages; anything else can be typed.
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useState } from "react";
import { api, ask } from "../../api/client";
import { keys } from "../../api/queries";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { type Filters as Chosen, dayBefore } from "./filter-state";
import styles from "./filters.module.css";

type Change = (changes: Partial<Record<keyof Chosen, string | null>>) => void;

export function Filters({ filters, change }: { filters: Chosen; change: Change }) {
  const facets = useQuery({
    queryKey: keys.facets,
    queryFn: ({ signal }) => ask(api.GET("/v1/montages/facets", { signal })),
    staleTime: 60_000,
  });
  const [open, setOpen] = useState(false);
  const panel = useId();
  const chips: [keyof Chosen, string][] = (
    [
      ["kind", filters.kind],
      ["streamer", filters.streamer],
      ["label", filters.label],
      ["since", filters.since && `from ${filters.since}`],
      ["until", filters.until && `to ${filters.until}`],
    ] as [keyof Chosen, string][]
  ).filter(([, text]) => text);
  const kinds = facets.data?.kinds ?? [];
  return (
    <section aria-label="Filters" className={styles.filters}>
      <div className={styles.row}>
        <Button
          look="plain"
          small
          icon="filter"
          aria-expanded={open}
          aria-controls={panel}
          onClick={() => setOpen(!open)}
        >
          Filters
        </Button>
        {(facets.data?.streamers ?? []).slice(0, 6).map((streamer) => (
          <button
            key={streamer.name}
            type="button"
            className={styles.chip}
            aria-pressed={filters.streamer === streamer.name}
            onClick={() => change({ streamer: filters.streamer === streamer.name ? null : streamer.name })}
          >
            {streamer.name}
          </button>
        ))}
        {chips.map(([name, text]) => (
          <button key={name} type="button" className={styles.active} onClick={() => change({ [name]: null })}>
            <span className="hidden-text">Remove the filter </span>
            {text}
            <Icon name="close" size="1em" />
          </button>
        ))}
      </div>
      <div id={panel} hidden={!open} className={styles.panel}>
        {(kinds.length > 1 || filters.kind) && (
          <Choice
            label="Kind"
            value={filters.kind}
            options={kinds.map(({ name }) => name)}
            choose={(kind) => change({ kind })}
          />
        )}
        <Choice
          label="Streamer"
          value={filters.streamer}
          options={(facets.data?.streamers ?? []).map(({ name }) => name)}
          choose={(streamer) => change({ streamer })}
        />
        <Choice
          label="Label"
          value={filters.label}
          options={(facets.data?.labels ?? []).map(({ name, value }) => `${name}:${value}`)}
          choose={(label) => change({ label })}
        />
        <Day label="From" value={filters.since} choose={(since) => change({ since })} />
        <Day label="To" value={filters.until} choose={(until) => change({ until })} />
        <div className={styles.presets}>
          {(
            [
              ["Last 7 days", 6],
              ["Last 30 days", 29],
            ] as const
          ).map(([name, back]) => (
            <Button
              key={name}
              look="quiet"
              small
              onClick={() => change({ since: dayBefore(new Date(), back), until: null })}
            >
              {name}
            </Button>
          ))}
        </div>
      </div>
    </section>
  );
}

/** A text with suggestions; it counts when it is entered, left or picked. */
function Choice({
  label,
  value,
  options,
  choose,
}: {
  label: string;
  value: string;
  options: string[];
  choose: (value: string | null) => void;
}) {
  const id = useId();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const commit = (now: string) => {
    if (now.trim() !== value) choose(now.trim() || null);
  };
  return (
    <form
      className={styles.field}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        commit(text);
      }}
    >
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        list={`${id}-options`}
        value={text}
        placeholder="any"
        autoComplete="off"
        maxLength={200}
        onChange={(event) => {
          setText(event.target.value);
          // Picking from the list ends the choice; typing goes on.
          if (options.includes(event.target.value)) commit(event.target.value);
        }}
        onBlur={() => commit(text)}
      />
      <datalist id={`${id}-options`}>
        {options.map((option) => (
          <option key={option} value={option} />
        ))}
      </datalist>
    </form>
  );
}

function Day({ label, value, choose }: { label: string; value: string; choose: (value: string | null) => void }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input id={id} type="date" value={value} onChange={(event) => choose(event.target.value || null)} />
    </div>
  );
}
