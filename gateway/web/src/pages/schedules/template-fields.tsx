// The fields of a schedule's template: what each montage is called, how urgent it is, how it is made.
import { Field } from "../../ui/field";
import { type LabelRow, LabelsField } from "../../ui/labels";
import styles from "./editor.module.css";
import type { MontageForm } from "./montage-form";
import { OPTIONS, placeName, type TemplateForm } from "./template";

interface TemplateFieldsProps {
  form: TemplateForm;
  change: (part: Partial<TemplateForm>) => void;
  labels: LabelRow[];
  changeLabels: (rows: LabelRow[]) => void;
  /** The montages that it is the template of; none for one of everything. */
  montages: MontageForm[];
  /** What is wrong, by field. */
  mistakes: Record<string, string>;
}

export function TemplateFields({ form, change, labels, changeLabels, montages, mistakes }: TemplateFieldsProps) {
  const titled = montages.length > 0 && montages.every(({ texts }) => texts.title);
  return (
    <>
      <Field
        label="Title"
        help={
          titled
            ? "Each montage has a title of its own: this one is not used."
            : "{date} becomes the day on which it runs, in the schedule’s time zone; {from}, {to}, {streamer}, {count} and {name} can stand in it too. Without a title, the schedule’s name, and the streamer’s where it is one’s."
        }
        mistake={mistakes.title}
      >
        {(control) => (
          <input
            {...control}
            maxLength={200}
            placeholder="Best of the week, {date}"
            value={form.title}
            onChange={(event) => change({ title: event.target.value })}
          />
        )}
      </Field>
      <LabelsField
        rows={labels}
        change={changeLabels}
        help="Names of lower-case letters, digits, _ - and . with any values, in which {date} and its like can stand too. Lists can be narrowed to them."
        mistake={mistakes.labels}
      />
      <div className={styles.columns}>
        <Field label="Priority" help="From -100 to 100; higher goes first. 0 if empty." mistake={mistakes.priority}>
          {(control) => (
            <input
              {...control}
              type="number"
              min={-100}
              max={100}
              step={1}
              value={form.priority}
              onChange={(event) => change({ priority: event.target.value })}
            />
          )}
        </Field>
        {OPTIONS.map(({ place, name, values }) => {
          const key = placeName(place);
          return (
            <Field
              key={key}
              label={name}
              mistake={mistakes[key]}
              help={
                key === "order" && montages.length > 0 ? "For montages that keep the order of their source." : undefined
              }
            >
              {(control) => (
                <select
                  {...control}
                  value={form.options[key] ?? ""}
                  onChange={(event) => change({ options: { ...form.options, [key]: event.target.value } })}
                >
                  <option value="">As usual ({Object.values(values)[0]})</option>
                  {Object.entries(values).map(([value, words]) => (
                    <option key={value} value={value}>
                      {words}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          );
        })}
      </div>
      <Field
        label="Everything else, as JSON"
        help={
          <>
            The options of a montage as <a href="/docs">the API</a> takes them in <code>spec</code>, without highlights.
            Such as <code>{'{ "canvas": { "width": 1920, "height": 1080 } }'}</code>
          </>
        }
        mistake={mistakes.rest}
      >
        {(control) => (
          <textarea
            {...control}
            className={styles.json}
            rows={Math.min(16, Math.max(3, form.rest.split("\n").length))}
            spellCheck={false}
            autoCapitalize="none"
            value={form.rest}
            onChange={(event) => change({ rest: event.target.value })}
          />
        )}
      </Field>
    </>
  );
}
