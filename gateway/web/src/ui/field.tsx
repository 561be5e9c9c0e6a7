// A form's field: its label, its help and its mistake, tied to the control for everybody.
import { type ReactElement, type ReactNode, useId } from "react";
import styles from "./field.module.css";

interface ControlProps {
  id: string;
  "aria-invalid"?: true;
  "aria-describedby"?: string;
}

interface FieldProps {
  label: ReactNode;
  help?: ReactNode;
  /** What is wrong with it. */
  mistake?: string;
  /** The control; the properties tie it to its label, help and mistake. */
  children: (control: ControlProps) => ReactElement;
}

export function Field({ label, help, mistake, children }: FieldProps) {
  const id = useId();
  const described = [help && `${id}-help`, mistake && `${id}-mistake`].filter(Boolean).join(" ");
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-invalid": mistake ? true : undefined, "aria-describedby": described || undefined })}
      {help && (
        <p id={`${id}-help`} className="soft small">
          {help}
        </p>
      )}
      {mistake && (
        <p id={`${id}-mistake`} className={styles.mistake}>
          {mistake}
        </p>
      )}
    </div>
  );
}
