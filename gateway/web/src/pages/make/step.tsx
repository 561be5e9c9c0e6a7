// One step of making a montage: its number, its name, and what is done in it.
import type { ReactNode } from "react";
import styles from "./make.module.css";

interface StepProps {
  id: string;
  number: number;
  title: string;
  /** What stands beside the title. */
  beside?: ReactNode;
  children: ReactNode;
}

export function Step({ id, number, title, beside, children }: StepProps) {
  return (
    <section id={id} tabIndex={-1} className={`card ${styles.step}`} aria-labelledby={`${id}-title`}>
      <header className={styles.stepHead}>
        <h2 id={`${id}-title`}>
          <span className={styles.number} aria-hidden="true">
            {number}
          </span>
          {title}
        </h2>
        {beside}
      </header>
      {children}
    </section>
  );
}
