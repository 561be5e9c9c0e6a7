// The grid itself. Only the rows near the window stand in the page, so that a library of any length scrolls alike.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { MontageSummary } from "../../api/types";
import { Button } from "../../ui/button";
import { Failure, Skeleton } from "../../ui/states";
import { Card } from "./card";
import styles from "./grid.module.css";

/** Narrowest card, in rem. */
const NARROWEST = 17;
/** Rows before the end at which the next page is asked for. */
const AHEAD = 4;

interface GridProps {
  items: MontageSummary[];
  words: string;
  more: boolean;
  loading: boolean;
  error: unknown;
  load: () => void;
}

export function Grid({ items, words, more, loading, error, load }: GridProps) {
  const box = useRef<HTMLDivElement>(null);
  const { columns, width, top } = useMeasure(box);
  const rows = Math.ceil(items.length / columns);
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const virtual = useWindowVirtualizer({
    count: rows,
    // Picture of 16:9, and words below it.
    estimateSize: () => ((width / columns) * 9) / 16 + (words ? 10 : 7) * rem,
    overscan: 3,
    scrollMargin: top,
  });
  // Another width: what was measured of the rows is not true any more.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only these two change the rows' heights
  useLayoutEffect(() => virtual.measure(), [columns, width]);
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && !error && last >= rows - AHEAD) load();
  }, [more, loading, error, last, rows, load]);
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: the rows between list and items have no element of lists */}
      <div ref={box} role="list" className={styles.grid} style={{ height: virtual.getTotalSize() }}>
        {shown.map((row) => (
          <div
            key={row.key}
            ref={virtual.measureElement}
            data-index={row.index}
            role="presentation"
            className={styles.row}
            style={{
              transform: `translateY(${row.start - top}px)`,
              gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
            }}
          >
            {items.slice(row.index * columns, (row.index + 1) * columns).map((montage) => (
              <Card key={montage.id} montage={montage} words={words} />
            ))}
          </div>
        ))}
      </div>
      {error ? (
        <Failure error={error} again={load} title="The next montages could not be loaded" />
      ) : (
        more && (
          <div className={styles.more}>
            <Button look="plain" busy={loading} onClick={load}>
              Show more
            </Button>
          </div>
        )
      )}
    </>
  );
}

/** How many columns there is room for, how wide the grid is, and how far below the page's top it begins; in pixels. */
function useMeasure(box: React.RefObject<HTMLDivElement | null>) {
  const [measure, setMeasure] = useState({ columns: 1, width: 320, top: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      const style = getComputedStyle(document.documentElement);
      const rem = Number.parseFloat(style.fontSize);
      const gap = 1.25 * rem;
      const width = element.clientWidth;
      const columns = Math.max(1, Math.floor((width + gap) / (NARROWEST * rem + gap)));
      const top = Math.round(element.getBoundingClientRect().top + window.scrollY);
      setMeasure((known) =>
        known.columns === columns && known.width === width && known.top === top ? known : { columns, width, top },
      );
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    // What stands above the grid moves it.
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [box]);
  return measure;
}

export function GridSkeleton() {
  return (
    <div className={styles.skeleton} role="status">
      <span className="hidden-text">Loading the library…</span>
      {Array.from({ length: 8 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all alike, and never moved
        <div key={index} className={styles.blank}>
          <span />
          <Skeleton lines={2} />
        </div>
      ))}
    </div>
  );
}
