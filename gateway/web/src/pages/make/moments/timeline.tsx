// The timeline: the source or a part of it, with its keyframes, the clips that were made of it, the marks and the place of the player.
//
// Marks and place are sliders: dragged, or moved by arrows (a frame; with Shift a second), Page keys (a keyframe), Home and End.
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { clock, spokenLength } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { timeText } from "../time";
import { around, drawn, keyAfter, keyBefore, ruler, type View, within, zoom } from "./scale";
import styles from "./timeline.module.css";

interface TimelineProps {
  /** Length of the source, in seconds. */
  duration: number;
  keyframes: number[];
  /** Frames in a second. */
  rate: number | null;
  position: number;
  start: number | null;
  end: number | null;
  /** Clips of this source. */
  clips: { key: string; start: number; end: number; title: string }[];
  seek: (seconds: number) => void;
  setStart: (seconds: number) => void;
  setEnd: (seconds: number) => void;
}

/** Pixels between two keyframes that are drawn, and between two times of the ruler. */
const [KEY_GAP, RULER_GAP] = [3, 72];
/** Where nothing says the rate, a step is this long, in seconds. */
const STEP = 1 / 30;

export function Timeline(props: TimelineProps) {
  const { duration, keyframes, position, start, end } = props;
  const track = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  const [view, setView] = useState<View>({ from: 0, to: duration });
  const known = useRef(duration);
  if (known.current !== duration) {
    known.current = duration;
    setView({ from: 0, to: duration });
  }
  useEffect(() => {
    const element = track.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(100, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const length = view.to - view.from;
  const isWhole = length >= duration - 1e-6;
  // A part that is seen goes along with the player.
  useEffect(() => {
    setView((now) => {
      const wide = now.to - now.from;
      if (wide >= duration - 1e-6 || (position >= now.from && position <= now.to)) return now;
      return within({ from: position - wide * 0.1, to: position + wide * 0.9 }, duration);
    });
  }, [position, duration]);
  const at = (seconds: number) => `${((seconds - view.from) / length) * 100}%`;
  // What lies outside of the view stands at its edge, so that it can still be reached.
  const edge = (seconds: number) => at(Math.min(view.to, Math.max(view.from, seconds)));
  const timeAt = (clientX: number) => {
    const box = track.current?.getBoundingClientRect();
    if (!box || box.width === 0) return position;
    return Math.min(duration, Math.max(0, view.from + ((clientX - box.left) / box.width) * length));
  };
  const shown = (seconds: number | null): seconds is number =>
    seconds !== null && seconds >= view.from - 1e-6 && seconds <= view.to + 1e-6;
  const bar = (from: number, to: number) => {
    const [left, right] = [Math.max(from, view.from), Math.min(to, view.to)];
    return { left: at(left), width: `${((right - left) / length) * 100}%` };
  };
  const isSeen = (from: number, to: number) => to > view.from && from < view.to;
  const ticks = useMemo(() => {
    const wide = view.to - view.from;
    return drawn(keyframes, view, (KEY_GAP / width) * wide)
      .map((time) => `M${(((time - view.from) / wide) * width).toFixed(1)} 0v10`)
      .join("");
  }, [keyframes, view, width]);
  const scrub = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    props.seek(timeAt(event.clientX));
  };
  return (
    <div className={styles.timeline}>
      <div className={styles.tools}>
        <Button look="plain" small aria-pressed={isWhole} onClick={() => setView({ from: 0, to: duration })}>
          Whole source
        </Button>
        <Button look="plain" small onClick={() => setView(around(start, end, position, duration))}>
          Around the marks
        </Button>
        <Button
          look="plain"
          small
          label="Show less, larger"
          onClick={() => setView(zoom(view, 0.5, shown(position) ? position : (view.from + view.to) / 2, duration))}
        >
          +
        </Button>
        <Button
          look="plain"
          small
          label="Show more, smaller"
          aria-disabled={isWhole}
          onClick={() => setView(zoom(view, 2, shown(position) ? position : (view.from + view.to) / 2, duration))}
        >
          −
        </Button>
        <span className="soft small numbers">
          {clock(view.from)} – {clock(view.to)}
        </span>
      </div>
      {/* For the pointer only: the slider of the place does the same by keyboard. */}
      <div
        ref={track}
        className={styles.track}
        onPointerDown={scrub}
        onPointerMove={(event) =>
          event.currentTarget.hasPointerCapture(event.pointerId) && props.seek(timeAt(event.clientX))
        }
      >
        <div className={styles.ruler} aria-hidden="true">
          {ruler(view, width / RULER_GAP).map((time) => (
            <span key={time} style={{ left: at(time) }}>
              {timeText(time)}
            </span>
          ))}
        </div>
        <svg className={styles.keys} viewBox={`0 0 ${width} 10`} preserveAspectRatio="none" aria-hidden="true">
          <path d={ticks} />
        </svg>
        <div className={styles.clips} aria-hidden="true">
          {props.clips
            .filter((clip) => isSeen(clip.start, clip.end))
            .map((clip) => (
              <span key={clip.key} title={clip.title} style={bar(clip.start, clip.end)} />
            ))}
        </div>
        {start !== null && end !== null && end > start && isSeen(start, end) && (
          <div className={styles.span} style={bar(start, end)} />
        )}
        <Slider
          {...props}
          name="Place of the player"
          className={styles.place}
          value={position}
          left={edge(position)}
          isAway={!shown(position)}
          set={props.seek}
          timeAt={timeAt}
        />
        <Slider
          {...props}
          name="Start of the clip"
          className={styles.start}
          value={start}
          left={edge(start ?? 0)}
          isAway={!shown(start)}
          set={props.setStart}
          timeAt={timeAt}
        />
        <Slider
          {...props}
          name="End of the clip"
          className={styles.end}
          value={end}
          left={edge(end ?? 0)}
          isAway={!shown(end)}
          set={props.setEnd}
          timeAt={timeAt}
        />
      </div>
      <p className="soft small">
        {keyframes.length > 0
          ? "The fine lines are keyframes: a clip that starts and ends on them is copied, nothing of it is encoded."
          : "Where this source has its keyframes is not known: clips are cut exactly all the same."}
      </p>
    </div>
  );
}

interface SliderProps {
  name: string;
  className: string | undefined;
  /** Null where there is none. */
  value: number | null;
  left: string;
  /** It lies outside of what is seen. */
  isAway: boolean;
  duration: number;
  keyframes: number[];
  rate: number | null;
  set: (seconds: number) => void;
  timeAt: (clientX: number) => number;
}

function Slider({ name, className, value, left, isAway, duration, keyframes, rate, set, timeAt }: SliderProps) {
  if (value === null) return null;
  const onKey = (event: KeyboardEvent) => {
    const step = event.shiftKey ? 1 : 1 / (rate ?? 1 / STEP);
    const to = {
      ArrowLeft: value - step,
      ArrowDown: value - step,
      ArrowRight: value + step,
      ArrowUp: value + step,
      PageDown: keyBefore(keyframes, value) ?? value - 10,
      PageUp: keyAfter(keyframes, value) ?? value + 10,
      Home: 0,
      End: duration,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(Math.min(duration, Math.max(0, to)));
  };
  return (
    <div
      className={`${styles.handle} ${className ?? ""} ${isAway ? styles.away : ""}`}
      style={{ left }}
      role="slider"
      tabIndex={0}
      aria-label={name}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={Math.round(duration * 1000) / 1000}
      aria-valuenow={Math.round(value * 1000) / 1000}
      aria-valuetext={`${clock(value, true)}, ${spokenLength(value)}`}
      onKeyDown={onKey}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        event.stopPropagation();
        if (event.currentTarget.hasPointerCapture(event.pointerId)) set(timeAt(event.clientX));
      }}
    />
  );
}
