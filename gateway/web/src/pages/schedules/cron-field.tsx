// When a schedule runs: chosen in people's words or written as cron, said in words, with its next five times.
import { type ChangeEvent, useId } from "react";
import { Problem } from "../../api/client";
import { age } from "../../lib/format";
import { useNow } from "../../lib/now";
import { Field } from "../../ui/field";
import { type Choice, DAY_NAMES, fromTime, type Rhythm, toCron, toTime, WEEK } from "./cron";
import styles from "./cron-field.module.css";
import { useRule } from "./queries";
import { allZones, bothClocks, localZone } from "./words";

const RHYTHMS: [Rhythm, string][] = [
  ["hour", "Every hour"],
  ["day", "Every day"],
  ["week", "On days of the week"],
  ["month", "Every month"],
  ["own", "My own cron expression"],
];

interface CronFieldProps {
  choice: Choice;
  change: (choice: Choice) => void;
  /** What is wrong with the expression. */
  mistake?: string;
}

export function CronField({ choice, change, mistake }: CronFieldProps) {
  const set = (part: Partial<Choice>) => change({ ...choice, ...part });
  const onRhythm = (event: ChangeEvent<HTMLSelectElement>) => {
    const rhythm = event.target.value as Rhythm;
    // Whoever goes over to an own expression begins with what was chosen.
    set(rhythm === "own" && choice.rhythm !== "own" ? { rhythm, own: toCron(choice) } : { rhythm });
  };
  const { rhythm } = choice;
  return (
    <div className={styles.fields}>
      <Field label="It runs" mistake={rhythm === "own" ? undefined : mistake}>
        {(control) => (
          <select {...control} value={rhythm} onChange={onRhythm}>
            {RHYTHMS.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        )}
      </Field>
      {rhythm === "hour" && (
        <NumberField label="At minute" value={choice.minute} least={0} most={59} change={(minute) => set({ minute })} />
      )}
      {rhythm === "month" && (
        <NumberField
          label="On day of the month"
          value={choice.day}
          least={1}
          most={31}
          change={(day) => set({ day })}
          help={choice.day > 28 ? "Months that do not have this day are left out." : undefined}
        />
      )}
      {(rhythm === "day" || rhythm === "week" || rhythm === "month") && (
        <Field label="At">
          {(control) => (
            <input
              {...control}
              type="time"
              required
              defaultValue={toTime(choice.hour, choice.minute)}
              onChange={(event) => {
                const time = fromTime(event.target.value);
                if (time) set(time);
              }}
            />
          )}
        </Field>
      )}
      {rhythm === "week" && <Days days={choice.days} change={(days) => set({ days })} />}
      {rhythm === "own" && (
        <Field
          label="Cron expression"
          mistake={mistake}
          help="Minute, hour, day of the month, month, day of the week; such as 30 18 * * MON-FRI."
        >
          {(control) => (
            <input
              {...control}
              required
              className={styles.own}
              autoCapitalize="none"
              autoComplete="off"
              spellCheck={false}
              maxLength={200}
              value={choice.own}
              onChange={(event) => set({ own: event.target.value })}
            />
          )}
        </Field>
      )}
    </div>
  );
}

interface NumberFieldProps {
  label: string;
  value: number;
  least: number;
  most: number;
  change: (value: number) => void;
  help?: string;
}

function NumberField({ label, value, least, most, change, help }: NumberFieldProps) {
  return (
    <Field label={label} help={help}>
      {(control) => (
        <input
          {...control}
          type="number"
          min={least}
          max={most}
          step={1}
          required
          defaultValue={value}
          onChange={(event) => {
            const written = event.target.valueAsNumber;
            if (Number.isInteger(written) && written >= least && written <= most) change(written);
          }}
        />
      )}
    </Field>
  );
}

function Days({ days, change }: { days: number[]; change: (days: number[]) => void }) {
  return (
    <fieldset className={styles.days}>
      <legend>On</legend>
      {WEEK.map((day) => (
        <label key={day} className={styles.day}>
          <input
            type="checkbox"
            checked={days.includes(day)}
            onChange={(event) =>
              change(event.target.checked ? [...days, day] : days.filter((chosen) => chosen !== day))
            }
          />
          <span aria-hidden="true">{DAY_NAMES[day]?.slice(0, 3)}</span>
          <span className="hidden-text">{DAY_NAMES[day]}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function ZoneField({
  zone,
  change,
  mistake,
}: {
  zone: string;
  change: (zone: string) => void;
  mistake?: string;
}) {
  const id = useId();
  const zones = allZones();
  return (
    <Field
      label="Time zone"
      mistake={mistake}
      help={zone === localZone() ? "The one of your clock." : `Your clock shows ${localZone()}.`}
    >
      {(control) => (
        <>
          <input
            {...control}
            list={id}
            required
            autoComplete="off"
            spellCheck={false}
            value={zone}
            onChange={(event) => change(event.target.value)}
          />
          <datalist id={id}>
            {zones.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** What an expression means, and its next five times; what is wrong with it is shown at its field. */
export function Rule({ cron, zone }: { cron: string; zone: string }) {
  const rule = useRule(cron, zone);
  const now = useNow();
  const problem = rule.error instanceof Problem ? rule.error : undefined;
  const wrong = problem !== undefined && problem.errors.length > 0;
  return (
    <div className={styles.rule} aria-busy={rule.isFetching}>
      <p role="status" className={styles.words}>
        {cron === ""
          ? "Choose when it runs."
          : rule.data
            ? rule.data.description
            : wrong
              ? "It never runs like this."
              : "\u00a0"}
      </p>
      {rule.isError && !wrong && (
        <p className="soft">
          What this means cannot be shown now: {rule.error.message} It can be saved all the same; mistakes are said
          then.
        </p>
      )}
      <p className="small soft">
        <code>{cron || "\u00a0"}</code>
      </p>
      <h3 className="small">The next times</h3>
      <ol className={styles.times}>
        {rule.data ? (
          rule.data.next.map((time) => <Time key={time} time={time} zone={zone} now={now} />)
        ) : (
          <li>{"\u00a0"}</li>
        )}
      </ol>
    </div>
  );
}

function Time({ time, zone, now }: { time: string; zone: string; now: number }) {
  const { here, there } = bothClocks(time, zone, localZone());
  return (
    <li>
      <time dateTime={time} className="numbers">
        {here}
      </time>{" "}
      <span className="soft small">
        {age(time, now)}
        {there && ` · ${there}`}
      </span>
    </li>
  );
}
