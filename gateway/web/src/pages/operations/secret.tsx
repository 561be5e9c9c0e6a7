// A secret on its one way to a person: shown once, to be copied now.
import { useRef } from "react";
import { Button } from "../../ui/button";
import { CopyButton } from "../../ui/copy";
import { Dialog } from "../../ui/dialog";
import { Icon } from "../../ui/icon";
import styles from "./operations.module.css";

interface SecretProps {
  title: string;
  secret: string;
  /** What it is for, and where it goes. */
  children: string;
  close: () => void;
}

export function Secret({ title, secret, children, close }: SecretProps) {
  const box = useRef<HTMLDivElement>(null);
  return (
    <Dialog title={title} close={close}>
      <div ref={box} className={styles.form}>
        <p className={styles.warning}>
          <Icon name="warning" />
          <strong>This is shown once. Copy it now: nobody can show it again, and whoever has it may use it.</strong>
        </p>
        <p>{children}</p>
        <input
          readOnly
          className={styles.secret}
          aria-label="The secret"
          value={secret}
          onFocus={(event) => event.target.select()}
        />
        <div className={styles.actions}>
          <CopyButton text={secret} look="main">
            Copy the secret
          </CopyButton>
          <Button look="plain" onClick={() => box.current?.closest("dialog")?.close()}>
            I have it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
