// What most people do not need, folded away under its title.
import { type ReactNode, useState } from "react";
import styles from "./fold.module.css";

interface FoldProps {
  title: ReactNode;
  /** Whether it is open at first. */
  begin?: boolean;
  /** Something in it is wrong: it opens. */
  wrong?: boolean;
  children: ReactNode;
}

export function Fold({ title, begin = false, wrong = false, children }: FoldProps) {
  const [open, setOpen] = useState(begin);
  return (
    <details className={styles.fold} open={open || wrong} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      <div className={styles.inside}>{children}</div>
    </details>
  );
}

/** Opens what is folded around a place, so that it can be gone to. */
export function unfold(place: Element): void {
  for (let fold = place.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null)
    fold.open = true;
}
