// What every place of the page has: a heading that names it, in the window's title too.
import { type ReactNode, useEffect } from "react";
import styles from "./page.module.css";

/** Names the window after what it shows. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Stream Montages` : "Stream Montages";
  }, [title]);
}

interface HeadProps {
  title: string;
  /** What the window is named, where that is more than the title. */
  windowTitle?: string;
  /** What stands above the title: where this belongs. */
  above?: ReactNode;
  /** What stands below it, in soft words. */
  below?: ReactNode;
  /** What can be done. */
  actions?: ReactNode;
}

export function PageHead({ title, windowTitle, above, below, actions }: HeadProps) {
  usePageTitle(windowTitle ?? title);
  return (
    <header className={styles.head}>
      <div>
        {above && <div className="small">{above}</div>}
        <h1>{title}</h1>
        {below && <div className="soft small">{below}</div>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </header>
  );
}
