// The player's workings: where it is, and how it is moved, by the picture and without one.
//
// Where there is no picture the position is a mark on the timeline only, moved by the same means. A position is the time of a frame's first
// moment wherever the browser tells it.
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

export interface Player {
  video: RefObject<HTMLVideoElement | null>;
  /** In seconds on the source. */
  position: number;
  /** The length that the browser found; null before, or where there is no picture. */
  length: number | null;
  playing: boolean;
  /** The browser cannot play it. */
  broken: boolean;
  seek: (seconds: number) => void;
  toggle: () => void;
  /** Plays from one moment to another, then stops there and calls `ended`. */
  playSpan: (start: number, end: number, ended?: () => void) => void;
}

/** Into a frame, so that rounding never shows the one before it, in seconds. */
const INTO = 0.001;

export function usePlayer(url: string | null): Player {
  const video = useRef<HTMLVideoElement>(null);
  const [position, setPosition] = useState(0);
  const [length, setLength] = useState<number | null>(null);
  const [playing, setPlaying] = useState(false);
  const [broken, setBroken] = useState(false);
  const span = useRef<{ end: number; ended?: () => void } | null>(null);
  const wanted = useRef<{ at: number; play: boolean } | null>(null);

  const start = useCallback(() => {
    const element = video.current;
    if (!element) return;
    element.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotSupportedError") setBroken(true);
    });
  }, []);

  const seek = useCallback((seconds: number) => {
    span.current = null;
    const at = Math.max(0, seconds);
    setPosition(at);
    const element = video.current;
    if (element && element.readyState > 0) element.currentTime = at + INTO;
    else wanted.current = { at, play: false };
  }, []);

  const toggle = useCallback(() => {
    const element = video.current;
    span.current = null;
    if (!element) return;
    if (element.paused) start();
    else element.pause();
  }, [start]);

  const playSpan = useCallback(
    (from: number, end: number, ended?: () => void) => {
      span.current = { end, ended };
      setPosition(from);
      const element = video.current;
      if (!element || element.readyState === 0) {
        wanted.current = { at: from, play: true };
        return;
      }
      element.currentTime = from + INTO;
      start();
    },
    [start],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another url is another video element's content
  useEffect(() => {
    const element = video.current;
    setLength(null);
    setBroken(false);
    setPlaying(false);
    if (!element) return;
    let frame = 0;
    const stop = () => {
      const { end = 0, ended } = span.current ?? {};
      span.current = null;
      element.pause();
      element.currentTime = end;
      setPosition(end);
      ended?.();
    };
    const look = () => {
      if (span.current && element.currentTime >= span.current.end) stop();
      else setPosition(element.currentTime);
    };
    const follow = () => {
      look();
      if (!element.paused) frame = requestAnimationFrame(follow);
    };
    // What is shown, exactly: known to browsers that tell of frames.
    const settle = () => {
      if (!element.paused) return;
      const at = element.currentTime;
      setPosition((now) => (Math.abs(now - at) < 2 * INTO ? now : at));
      element.requestVideoFrameCallback?.((_, { mediaTime }) => {
        if (element.paused && mediaTime <= at && at - mediaTime < 1) setPosition(mediaTime);
      });
    };
    const handlers: [string, () => void][] = [
      [
        "loadedmetadata",
        () => {
          if (Number.isFinite(element.duration)) setLength(element.duration);
          const first = wanted.current;
          wanted.current = null;
          if (!first) return;
          element.currentTime = first.at + INTO;
          if (first.play) start();
        },
      ],
      [
        "play",
        () => {
          setPlaying(true);
          cancelAnimationFrame(frame);
          frame = requestAnimationFrame(follow);
        },
      ],
      ["pause", () => setPlaying(false)],
      ["seeking", settle],
      ["error", () => setBroken(true)],
      ["ended", () => (span.current ? stop() : undefined)],
    ];
    for (const [name, handler] of handlers) element.addEventListener(name, handler);
    return () => {
      cancelAnimationFrame(frame);
      for (const [name, handler] of handlers) element.removeEventListener(name, handler);
    };
  }, [url, start]);

  return { video, position, length, playing, broken, seek, toggle, playSpan };
}
