// What the forms of keys and webhooks have in common: several choices of which one is needed, and how a form ends.
import { Button } from "../../ui/button";
import styles from "./operations.module.css";

interface ChoicesProps<T extends string> {
  legend: string;
  /** What can be chosen, each with what it means. */
  options: readonly (readonly [T, string])[];
  chosen: T[];
  choose: (chosen: T[]) => void;
  mistake?: string;
}

export function Choices<T extends string>({ legend, options, chosen, choose, mistake }: ChoicesProps<T>) {
  return (
    <fieldset className={styles.choices}>
      <legend>{legend}</legend>
      {options.map(([option, words]) => (
        <label key={option} className={styles.choice}>
          <input
            type="checkbox"
            checked={chosen.includes(option)}
            onChange={(event) =>
              choose(event.target.checked ? [...chosen, option] : chosen.filter((other) => other !== option))
            }
          />
          <span>
            <strong>{option}</strong>
            <span className="soft small">{words}</span>
          </span>
        </label>
      ))}
      {(chosen.length === 0 || mistake) && <p className={styles.mistake}>{mistake ?? "Choose at least one."}</p>}
    </fieldset>
  );
}

interface FormEndProps {
  /** What went wrong and belongs to no field. */
  elsewhere?: string;
  cancel: () => void;
  busy: boolean;
  /** What sending the form does. */
  action: string;
}

export function FormEnd({ elsewhere, cancel, busy, action }: FormEndProps) {
  return (
    <>
      {elsewhere && (
        <p role="alert" className={styles.mistake}>
          {elsewhere}
        </p>
      )}
      <div className={styles.actions}>
        <Button look="plain" onClick={cancel}>
          Cancel
        </Button>
        <Button type="submit" busy={busy}>
          {action}
        </Button>
      </div>
    </>
  );
}
