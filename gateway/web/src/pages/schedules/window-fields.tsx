// Which days are asked for: of a schedule, and of one run of it.

import { Field } from "../../ui/field";
import styles from "./editor.module.css";
import { isWrong, type Spots, TextSpot } from "./spot-fields";
import type { WindowForm, WindowMode } from "./window-form";

interface WindowFieldsProps {
  form: WindowForm;
  /** What is chosen in the end. */
  mode: WindowMode;
  change: (form: WindowForm) => void;
  /** What it means to ask for no days; it cannot be chosen if it is not said. */
  all?: string;
  mistakes: Record<string, string>;
}

export function WindowFields({ form, mode, change, all, mistakes }: WindowFieldsProps) {
  const of: Spots = { at: "window", texts: form.texts, change: (texts) => change({ ...form, texts }), mistakes };
  return (
    <div className={styles.columns}>
      <Field
        label="Which days"
        mistake={mistakes.window}
        help={
          mode === "last" ? "Whole days before that of the run: runs neither share a day nor leave one out." : undefined
        }
      >
        {(control) => (
          <select
            {...control}
            value={mode}
            onChange={(event) => change({ ...form, mode: event.target.value as WindowMode })}
          >
            {all !== undefined && <option value="all">{all}</option>}
            <option value="last">the last days</option>
            <option value="days">from one day to another</option>
          </select>
        )}
      </Field>
      {mode === "last" && (
        <TextSpot of={of} spot="last_days" label="How many days" type="number" min={1} max={366} step={1} required />
      )}
      {mode === "days" && (
        <>
          <TextSpot of={of} spot="from" label="From" type="date" required />
          <TextSpot
            of={of}
            spot="to"
            label="To"
            type="date"
            required
            min={of.texts.from || undefined}
            help={isWrong(of, "to") ? undefined : "This day is included."}
          />
        </>
      )}
    </div>
  );
}
