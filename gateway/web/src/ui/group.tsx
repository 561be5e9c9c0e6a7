// Settings that belong together, closed until somebody wants them.
import { type ReactNode, useEffect, useRef } from "react";
import styles from "./group.module.css";
import { Icon } from "./icon";

/** Groups, one below the other. */
export function Groups({ children }: { children: ReactNode }) {
  return <div className={styles.groups}>{children}</div>;
}

interface GroupProps {
  name: string;
  /** What is chosen in it, in a few words. */
  chosen: string;
  mistake: string | undefined;
  children: ReactNode;
}

/** Options that belong together, closed until somebody wants them, or something is wrong with them. */
export function Group({ name, chosen, mistake, children }: GroupProps) {
  const details = useRef<HTMLDetailsElement>(null);
  // Opened where something is wrong; never closed under somebody's hands when that is mended.
  useEffect(() => {
    if (mistake && details.current) details.current.open = true;
  }, [mistake]);
  return (
    <details ref={details} className={styles.group}>
      <summary>
        <span className={styles.groupName}>{name}</span>
        <span className={mistake ? styles.mistake : "soft"}>
          {mistake ? (
            <>
              <Icon name="warning" /> {mistake}
            </>
          ) : (
            chosen
          )}
        </span>
      </summary>
      <div className={styles.inside}>{children}</div>
    </details>
  );
}
