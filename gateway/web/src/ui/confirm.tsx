// A question before something that cannot be taken back.
import { type ReactNode, useRef, useState } from "react";
import { Button } from "./button";
import styles from "./confirm.module.css";
import { Dialog } from "./dialog";

interface ConfirmProps {
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** What the button says that does it. */
  action: string;
  /** It destroys something. */
  danger?: boolean;
  /** Does it; what it throws is shown, and can be tried again. */
  run: () => Promise<unknown>;
  close: () => void;
}

export function Confirm({ title, children, action, danger, run, close }: ConfirmProps) {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [mistake, setMistake] = useState<string>();
  // By the dialog's own end, so that the focus goes back to where it was.
  const end = () => form.current?.closest("dialog")?.close();
  return (
    <Dialog title={title} close={close}>
      <form
        ref={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          setBusy(true);
          setMistake(undefined);
          run().then(end, (error: unknown) => {
            setBusy(false);
            setMistake(error instanceof Error ? error.message : String(error));
          });
        }}
      >
        <div className={styles.words}>{children}</div>
        {mistake && (
          <p role="alert" className={styles.mistake}>
            {mistake}
          </p>
        )}
        <div className={styles.actions}>
          <Button look="plain" onClick={end}>
            Go back
          </Button>
          <Button type="submit" look={danger ? "danger" : "main"} busy={busy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
