// The fields of the options, all of one make.
import { Field } from "../../../ui/field";
import type { Options } from "../draft/model";
import { dispatch } from "../draft/store";
import styles from "./options.module.css";

export const change = (changes: Partial<Options>) => dispatch({ type: "options", changes });

interface ChoicesProps<T extends string> {
  name: string;
  legend: string;
  choices: { value: T; name: string; means: string }[];
  value: T;
  set: (value: T) => void;
}

export function Choices<T extends string>({ name, legend, choices, value, set }: ChoicesProps<T>) {
  return (
    <fieldset className={styles.choices}>
      <legend>{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value} className={styles.choice}>
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={choice.value === value}
            onChange={() => set(choice.value)}
          />
          <span>
            {choice.name}
            <span className="soft small"> {choice.means}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface TextProps {
  label: string;
  help: string;
  mistake: string | undefined;
  value: string;
  set: (value: string) => void;
  isNumber?: boolean;
}

export function Text({ label, help, mistake, value, set, isNumber }: TextProps) {
  return (
    <Field label={label} help={help} mistake={mistake}>
      {(control) => (
        <input
          {...control}
          inputMode={isNumber ? "decimal" : "text"}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={40}
          value={value}
          onChange={(event) => set(event.target.value)}
        />
      )}
    </Field>
  );
}
