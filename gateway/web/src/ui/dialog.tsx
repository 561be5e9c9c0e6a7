// A dialog over the page: the browser's own, so that focus stays inside, Escape closes it, and what is behind cannot be reached.
import { type ReactNode, useEffect, useId, useRef } from "react";
import { Button } from "./button";
import styles from "./dialog.module.css";

interface DialogProps {
  title: string;
  close: () => void;
  /** For what needs room, such as tables. */
  wide?: boolean;
  children: ReactNode;
}

export function Dialog({ title, close, wide, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
  }, []);
  return (
    <dialog
      ref={ref}
      className={wide ? `${styles.dialog} ${styles.wide}` : styles.dialog}
      aria-labelledby={id}
      onClose={close}
    >
      <header className={styles.head}>
        <h2 id={id}>{title}</h2>
        <Button look="quiet" icon="close" label="Close" onClick={() => ref.current?.close()} />
      </header>
      {children}
    </dialog>
  );
}
