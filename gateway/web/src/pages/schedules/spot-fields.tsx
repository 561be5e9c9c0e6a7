// A form's fields for spots: what each has in common is how it finds its text and its mistake.
import type { InputHTMLAttributes, ReactNode } from "react";
import { Field } from "../../ui/field";
import type { Texts } from "./spots";

/** The spots of one thing in a form. */
export interface Spots {
  /** Where the thing is in the schedule: `source`, `montages/0`. */
  at: string;
  texts: Texts;
  change: (texts: Texts) => void;
  /** What is wrong, by field. */
  mistakes: Record<string, string>;
}

/** Whether something is wrong at one of the spots, or below it. */
export const isWrong = ({ at, mistakes }: Spots, ...places: string[]): boolean =>
  Object.keys(mistakes).some((field) =>
    places.some((place) => field === `${at}/${place}` || field.startsWith(`${at}/${place}/`)),
  );

interface SpotProps {
  of: Spots;
  spot: string;
  label: ReactNode;
  help?: ReactNode;
}

const mistakeAt = ({ at, mistakes }: Spots, spot: string) => mistakes[`${at}/${spot}`];
const setter =
  ({ texts, change }: Spots, spot: string) =>
  (event: { target: { value: string } }) =>
    change({ ...texts, [spot]: event.target.value });

type Input = Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange" | "id">;

export function TextSpot({ of, spot, label, help, ...input }: SpotProps & Input) {
  return (
    <Field label={label} help={help} mistake={mistakeAt(of, spot)}>
      {(control) => (
        <input
          {...control}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          {...input}
          value={of.texts[spot] ?? ""}
          onChange={setter(of, spot)}
        />
      )}
    </Field>
  );
}

interface ChoiceProps extends SpotProps {
  /** What can be chosen, the usual one first. */
  values: Readonly<Record<string, string>>;
}

export function ChoiceSpot({ of, spot, label, help, values }: ChoiceProps) {
  const [usual = "", ...others] = Object.keys(values);
  return (
    <Field label={label} help={help} mistake={mistakeAt(of, spot)}>
      {(control) => (
        <select {...control} value={of.texts[spot] ?? ""} onChange={setter(of, spot)}>
          <option value="">{values[usual]}</option>
          {others.map((value) => (
            <option key={value} value={value}>
              {values[value]}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
