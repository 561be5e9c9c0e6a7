// What a <video> does, for everything that shows or steers it: the bar, the transcript, the list of highlights.
//
// Promises: one look at the state is one object that stays the same until something changes; whoever follows a part of it is shown again
// only when that part changes, however often the time does; a place that is asked for before the video can be sought is gone to as soon as
// it can; places that are asked for faster than the video follows (dragging) are left out but for the last; what was asked for is in the state
// at once, not when the browser tells of it, so that two keys in a row do two things.
import { useSyncExternalStore } from "react";
import { type Rate, stepped } from "./rate";

export interface Span {
  start: number;
  end: number;
}

export interface Failed {
  /** As the browser counts: 1 stopped, 2 network, 3 decoding, 4 not playable or not there. */
  code: number;
  /** The browser's own words, for whoever helps. */
  message: string;
}

export interface PlaybackState {
  /** In seconds; where it is going to while it is on its way. */
  time: number;
  /** In seconds; 0 until it is known. */
  duration: number;
  paused: boolean;
  /** It would play, and has nothing to show yet. */
  waiting: boolean;
  /** Whether it has been played. */
  started: boolean;
  volume: number;
  muted: boolean;
  rate: number;
  buffered: readonly Span[];
  failed: Failed | null;
}

const START: PlaybackState = {
  time: 0,
  duration: 0,
  paused: true,
  waiting: false,
  started: false,
  volume: 1,
  muted: false,
  rate: 1,
  buffered: [],
  failed: null,
};

/** Speeds that are offered. */
export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const;

/** The next speed up or down of those that are offered. */
export function nextSpeed(rate: number, by: 1 | -1): number {
  const next = by === 1 ? SPEEDS.find((speed) => speed > rate) : SPEEDS.findLast((speed) => speed < rate);
  return next ?? (by === 1 ? SPEEDS[SPEEDS.length - 1] : SPEEDS[0]) ?? 1;
}

export class Playback {
  state: PlaybackState = START;
  private video: HTMLVideoElement | null = null;
  private readonly listeners = new Set<() => void>();
  private pending: number | null = null;
  private frame = 0;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Follows a video until the returned function is called. */
  attach(video: HTMLVideoElement): () => void {
    this.video = video;
    const events = new AbortController();
    const on = (names: string, listener: () => void) => {
      for (const name of names.split(" ")) video.addEventListener(name, listener, { signal: events.signal });
    };
    on("loadedmetadata durationchange", () => {
      if (this.pending !== null) this.goTo(this.pending);
      this.look();
    });
    on("play pause ended timeupdate seeking volumechange ratechange progress canplay loadeddata", () => this.look());
    on("waiting", () => this.change({ waiting: !video.paused }));
    on("playing", () => {
      this.change({ waiting: false, started: true });
      this.run();
    });
    on("seeked", () => {
      const { pending } = this;
      this.pending = null;
      if (pending !== null && Math.abs(pending - video.currentTime) > 0.001) this.goTo(pending);
      this.look();
    });
    on("emptied", () => this.change({ buffered: [], waiting: false }));
    on("error", () => {
      const { error } = video;
      if (error) this.change({ failed: { code: error.code, message: error.message }, waiting: false });
    });
    this.look();
    return () => {
      events.abort();
      cancelAnimationFrame(this.frame);
      this.video = null;
    };
  }

  play(): void {
    // What hinders it is told by the event `error`; that a browser wants a click first shows by itself.
    this.video?.play().catch(() => {});
    this.look();
  }

  pause(): void {
    this.video?.pause();
    this.look();
  }

  toggle(): void {
    if (this.state.paused) this.play();
    else this.pause();
  }

  /** Goes to a second. */
  seek(seconds: number): void {
    const end = this.state.duration > 0 ? this.state.duration : Number.POSITIVE_INFINITY;
    const time = Math.min(end, Math.max(0, seconds));
    this.change({ time });
    if (!this.video || this.video.readyState < HTMLMediaElement.HAVE_METADATA || this.video.seeking)
      this.pending = time;
    else this.goTo(time);
  }

  skip(seconds: number): void {
    this.seek(this.state.time + seconds);
  }

  /** Stops, and shows the frame that is `frames` further. */
  step(rate: Rate, frames: number): void {
    this.pause();
    this.seek(stepped(rate, this.state.time, frames, this.state.duration));
  }

  setRate(rate: number): void {
    if (!this.video) return;
    this.video.playbackRate = rate;
    this.look();
  }

  /** From 0 to 1. */
  setVolume(volume: number): void {
    if (!this.video) return;
    this.video.volume = Math.min(1, Math.max(0, volume));
    this.video.muted = this.video.volume === 0;
    this.look();
  }

  setMuted(muted: boolean): void {
    if (!this.video) return;
    this.video.muted = muted;
    if (!muted && this.video.volume === 0) this.video.volume = 0.5;
    this.look();
  }

  /** Loads the video again where it was, after it failed. */
  again(): void {
    const { time } = this.state;
    this.change({ failed: null });
    this.video?.load();
    if (time > 0) this.seek(time);
  }

  private goTo(seconds: number): void {
    if (this.video) this.video.currentTime = seconds;
  }

  /** The time as often as the screen shows it, while it plays. */
  private run(): void {
    cancelAnimationFrame(this.frame);
    const next = () => {
      this.look();
      if (this.video && !this.video.paused) this.frame = requestAnimationFrame(next);
    };
    this.frame = requestAnimationFrame(next);
  }

  private look(): void {
    const { video } = this;
    if (!video) return;
    this.change({
      time: this.pending ?? video.currentTime,
      duration: Number.isFinite(video.duration) ? video.duration : 0,
      paused: video.paused,
      waiting: this.state.waiting && !video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA,
      volume: video.volume,
      muted: video.muted,
      rate: video.playbackRate,
      buffered: spans(video.buffered, this.state.buffered),
    });
  }

  private change(part: Partial<PlaybackState>): void {
    const keys = Object.keys(part) as (keyof PlaybackState)[];
    if (keys.every((key) => Object.is(this.state[key], part[key]))) return;
    this.state = { ...this.state, ...part };
    for (const listener of this.listeners) listener();
  }
}

/** What is loaded; the same list as before while nothing has changed. */
function spans(ranges: TimeRanges, before: readonly Span[]): readonly Span[] {
  const same =
    ranges.length === before.length &&
    before.every((span, index) => span.start === ranges.start(index) && span.end === ranges.end(index));
  if (same) return before;
  return Array.from({ length: ranges.length }, (_, index) => ({ start: ranges.start(index), end: ranges.end(index) }));
}

/** A part of the state. What `select` returns is compared as it is: a number, a text, or an object of the state itself. */
export function usePlayback<T>(playback: Playback, select: (state: PlaybackState) => T): T {
  return useSyncExternalStore(playback.subscribe, () => select(playback.state));
}
