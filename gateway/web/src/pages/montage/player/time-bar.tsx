// The time bar: a slider for everybody, with the chapters on it, what is loaded, and a small picture of where one points.
//
// Promises: what moves with the time moves without React; screen readers are told of the place once a second, not sixty times.
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import type { Sprites } from "../../../api/types";
import { clock, spokenLength } from "../../../lib/format";
import { tile } from "../../library/sprites";
import { type Chapter, chapterAt, divisions, placeAfter } from "./chapters";
import { type Playback, usePlayback } from "./playback";
import styles from "./time-bar.module.css";

export interface Pictures {
  sprites: Sprites;
  address: string;
}

interface TimeBarProps {
  playback: Playback;
  /** In seconds. */
  duration: number;
  chapters?: readonly Chapter[];
  pictures?: Pictures;
}

export function TimeBar({ playback, duration, chapters = [], pictures }: TimeBarProps) {
  const bar = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const dragged = useRef(false);
  const [width, setWidth] = useState(0);
  const [pointed, setPointed] = useState<number | null>(null);
  const second = usePlayback(playback, (state) => Math.floor(state.time));
  const chapter = usePlayback(playback, (state) => chapterAt(chapters, state.time));
  const buffered = usePlayback(playback, (state) => state.buffered);

  useEffect(() => {
    const show = () => {
      const { time } = playback.state;
      bar.current?.style.setProperty("--at", String(duration > 0 ? Math.min(1, time / duration) : 0));
      if (input.current && !dragged.current) input.current.value = String(time);
    };
    show();
    return playback.subscribe(show);
  }, [playback, duration]);

  useEffect(() => {
    if (!bar.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    observer.observe(bar.current);
    return () => observer.disconnect();
  }, []);

  const share = (seconds: number) => (duration > 0 ? Math.min(1, Math.max(0, seconds / duration)) : 0);
  const here = chapters.length > 1 ? chapters[chapter] : undefined;
  const said = `${spokenLength(second)} of ${spokenLength(Math.floor(duration))}${here ? `, ${here.title}` : ""}`;
  const shown = pointed === null ? undefined : chapters[chapterAt(chapters, pointed)];

  const point = (event: PointerEvent) => {
    const box = bar.current?.getBoundingClientRect();
    if (!box || box.width === 0) return;
    setPointed(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * duration);
  };
  const release = (event: PointerEvent) => {
    dragged.current = false;
    if (event.pointerType !== "mouse") setPointed(null);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = placeAfter(event.key, playback.state.time, duration, chapters);
    if (to === null) return;
    event.preventDefault();
    playback.seek(to);
  };

  return (
    <div
      ref={bar}
      className={styles.bar}
      onPointerMove={point}
      onPointerLeave={() => setPointed(null)}
      onPointerCancel={release}
    >
      <div className={styles.track} aria-hidden="true">
        {buffered.map((span) => (
          <span
            key={span.start}
            className={styles.buffered}
            style={{ left: `${share(span.start) * 100}%`, width: `${share(span.end - span.start) * 100}%` }}
          />
        ))}
        {shown && (
          <span
            className={styles.pointed}
            style={{ left: `${share(shown.start) * 100}%`, width: `${share(shown.duration) * 100}%` }}
          />
        )}
        <span className={styles.played} />
        {divisions(chapters, duration, width).map((at) => (
          <span key={at} className={styles.division} style={{ left: `${at * 100}%` }} />
        ))}
      </div>
      <span className={styles.knob} aria-hidden="true" />
      <input
        ref={input}
        type="range"
        className={styles.input}
        min={0}
        max={duration || 1}
        step="any"
        defaultValue={0}
        aria-label="Position"
        aria-valuetext={said}
        onKeyDown={onKey}
        onPointerDown={() => {
          dragged.current = true;
        }}
        onPointerUp={release}
        onChange={(event) => playback.seek(Number(event.target.value))}
      />
      {pointed !== null && (
        <div
          className={styles.preview}
          aria-hidden="true"
          style={{ left: `clamp(5.75rem, ${share(pointed) * 100}%, 100% - 5.75rem)` }}
        >
          {pictures && <Picture pictures={pictures} second={pointed} />}
          {shown?.title && <span className={styles.title}>{shown.title}</span>}
          <span className="numbers">{clock(pointed)}</span>
        </div>
      )}
    </div>
  );
}

/** The box that pictures are fitted into, in rem. */
const [BOX_WIDTH, BOX_HEIGHT] = [11, 6.2];

function Picture({ pictures: { sprites, address }, second }: { pictures: Pictures; second: number }) {
  const scale = Math.min(BOX_WIDTH / sprites.tile_width, BOX_HEIGHT / sprites.tile_height);
  return (
    <span
      className={styles.picture}
      style={{ ...tile(sprites, second, address), width: `${sprites.tile_width * scale}rem` }}
    />
  );
}
