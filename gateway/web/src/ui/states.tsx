// What is shown while something loads, where nothing is, and when it went wrong: each says what to do next.
import type { ReactNode } from "react";
import { Problem } from "../api/client";
import { Button } from "./button";
import styles from "./states.module.css";

/** Something loads. Said to screen readers; shown only when it takes a moment. */
export function Loading({ label = "Loading" }: { label?: string }) {
  return (
    <div className={styles.loading} role="status">
      <span className={styles.dots} aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span>{label}…</span>
    </div>
  );
}

/** A grey place where something will stand. */
export function Skeleton({ lines = 1 }: { lines?: number }) {
  return (
    <span className={styles.skeleton} aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike and never move
        <i key={line} />
      ))}
    </span>
  );
}

/** Nothing is there, and what to do about it. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={styles.note}>
      <h2>{title}</h2>
      {children && <div className="soft">{children}</div>}
      {action && <div className={styles.actions}>{action}</div>}
    </div>
  );
}

/** It went wrong: what, why, what to do, and the number for the operator's logs. */
export function Failure({ error, again, title }: { error: unknown; again?: () => void; title?: string }) {
  const problem = error instanceof Problem ? error : null;
  return (
    <div className={styles.note} role="alert">
      <h2>
        {title ??
          (problem?.status === 404
            ? "There is nothing here"
            : problem?.status === 0
              ? "The server does not answer"
              : "That did not work")}
      </h2>
      <p>
        {problem
          ? problem.message
          : "The page made a mistake of its own. Reload it; if that does not help, tell the operator."}
      </p>
      {problem && problem.errors.length > 1 && (
        <ul>
          {problem.errors.map((mistake) => (
            <li key={`${mistake.pointer} ${mistake.detail}`}>
              <code>{mistake.pointer || "/"}</code>: {mistake.detail}
            </li>
          ))}
        </ul>
      )}
      <p className="soft small">
        {problem?.page && <a href={problem.page}>What this means</a>}
        {problem?.requestId && (
          <>
            {" "}
            · request <code>{problem.requestId}</code>
          </>
        )}
      </p>
      {again && (
        <div className={styles.actions}>
          <Button look="plain" icon="again" onClick={again}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}
