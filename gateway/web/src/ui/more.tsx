// The rest of a list: comes by itself when the reader gets there, and by a button for everybody.
import { useEffect, useRef } from "react";
import { Button } from "./button";
import styles from "./more.module.css";

interface MoreProps {
  /** Whether there is more. */
  has: boolean;
  busy: boolean;
  load: () => void;
  /** The last try to load more failed: it is not tried again by itself. */
  failed?: boolean;
}

export function More({ has, busy, load, failed }: MoreProps) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    if (!has || busy || failed || !place.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) latest.current();
      },
      { rootMargin: "400px" },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [has, busy, failed]);
  if (!has) return null;
  return (
    <div ref={place} className={styles.more}>
      {failed && <p role="alert">More could not be loaded.</p>}
      <Button look="plain" busy={busy} onClick={load}>
        Show more
      </Button>
    </div>
  );
}
