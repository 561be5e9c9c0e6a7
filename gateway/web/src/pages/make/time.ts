// Times on a source as people write them, in the forms that the API takes.
//
// Promises: what is read here is what the API reads, so that a time that is taken here is not refused there; nothing passes through a
// float on its way to the API, which gets the text as it was written.

/** Ticks in one second, as the API counts. */
export const TICKS = 705_600_000;
/** The longest time that the API takes, in seconds. */
export const LONGEST = 360_000;

/** A time that was read: in seconds, or in frames of its source. */
export type Time = { seconds: number } | { frames: number };

/** What is accepted, in words. */
export const ACCEPTED = "Write seconds (12.5 or 25s), minutes (1:05), hours (1:02:03.500) or frames (1234f).";

/** Reads a time; `null` where it is none that the API takes. */
export function parseTime(text: string): Time | null {
  const trimmed = text.trim();
  const frames = /^(\d{1,12})f$/.exec(trimmed);
  if (frames) {
    const number = Number(frames[1]);
    return number <= LONGEST * 1000 ? { frames: number } : null;
  }
  const seconds = secondsOf(trimmed);
  return seconds === null || seconds > LONGEST ? null : { seconds };
}

function secondsOf(text: string): number | null {
  const plain = /^(\d+(?:\.\d+)?|\.\d+)s?$/.exec(text);
  if (plain) return Number(plain[1]);
  const short = /^(\d+):([0-5]\d(?:\.\d+)?)$/.exec(text);
  if (short) return Number(short[1]) * 60 + Number(short[2]);
  const long = /^(\d+):([0-5]?\d):([0-5]\d(?:\.\d+)?)$/.exec(text);
  if (long) return Number(long[1]) * 3600 + Number(long[2]) * 60 + Number(long[3]);
  return null;
}

/** Frames in a second of a rate such as `30000/1001`, `29.97` or `30`; `null` for anything else. */
export function rateOf(text: string | undefined): number | null {
  const match = /^(\d+(?:\.\d+)?)(?:\/(\d+))?$/.exec(text?.trim() ?? "");
  if (!match) return null;
  const rate = Number(match[1]) / Number(match[2] ?? 1);
  return Number.isFinite(rate) && rate > 0 ? rate : null;
}

/** A time in seconds. Frames need the source's rate. */
export function secondsAt(time: Time, rate: number | null): number | null {
  if ("seconds" in time) return time.seconds;
  return rate ? time.frames / rate : null;
}

/** Seconds as they are put into a field: to the millisecond, no longer than needed. */
export function timeText(seconds: number): string {
  const total = Math.min(LONGEST * 1000, Math.max(0, Math.round(seconds * 1000)));
  const [h, m, s, ms] = [
    Math.floor(total / 3_600_000),
    Math.floor(total / 60_000) % 60,
    Math.floor(total / 1000) % 60,
    total % 1000,
  ];
  const pad = (value: number) => String(value).padStart(2, "0");
  const fraction = ms === 0 ? "" : `.${String(ms).padStart(3, "0").replace(/0+$/, "")}`;
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}${fraction}` : `${m}:${pad(s)}${fraction}`;
}

/** A time that was written somehow, as it is shown: as a clock has it, frames as they are. */
export function shownTime(text: string): string {
  const time = parseTime(text);
  return time && "seconds" in time ? timeText(time.seconds) : text;
}

/** Ticks as text that the API reads as the same ticks again. */
export function ticksText(ticks: number): string {
  const whole = Math.floor(ticks / TICKS);
  const rest = ticks - whole * TICKS;
  if ((rest * 1000) % TICKS === 0) return timeText(ticks / TICKS);
  // Twelve digits are finer than a tick.
  const digits = ((BigInt(rest) * 1_000_000_000_000n) / BigInt(TICKS)).toString().padStart(12, "0");
  return `${whole}.${digits}`;
}

/** From where to where on a source, as it was read. */
export interface Span {
  start: Time | null;
  /** Where it ends; of an end that was written as a length, only where both are counted alike. */
  end: Time | null;
  /** In seconds, where that is known. */
  startSeconds: number | null;
  endSeconds: number | null;
  length: number | null;
  /** What is wrong with it. */
  startMistake?: string;
  endMistake?: string;
}

/** Reads a start and an end. An end that begins with `+` is a length. */
export function readSpan(startText: string, endText: string, rate: number | null): Span {
  const start = parseTime(startText);
  const isLength = endText.trim().startsWith("+");
  const written = parseTime(isLength ? endText.trim().slice(1) : endText);
  const span: Span = { start, end: null, startSeconds: null, endSeconds: null, length: null };
  if (startText.trim() === "") span.startMistake = "Say where the clip starts.";
  else if (!start) span.startMistake = ACCEPTED;
  if (endText.trim() === "") span.endMistake = "Say where the clip ends, or how long it is: +25s.";
  else if (!written) span.endMistake = ACCEPTED;
  span.startSeconds = start && secondsAt(start, rate);
  if (!written) return span;
  const seconds = secondsAt(written, rate);
  if (isLength) {
    if (isNothing(written)) span.endMistake = "The clip has no length.";
    span.length = seconds;
    span.end = start && sum(start, written);
    span.endSeconds = span.startSeconds !== null && seconds !== null ? span.startSeconds + seconds : null;
    return span;
  }
  span.end = written;
  span.endSeconds = seconds;
  if (start && "frames" in start !== "frames" in written) {
    span.endMistake = "Write both as times or both as frames, or the end as a length: +25s or +120f.";
  } else if (start && !isBefore(start, written)) {
    span.endMistake = "The end lies after the start.";
  }
  if (span.startSeconds !== null && seconds !== null && seconds > span.startSeconds) {
    span.length = seconds - span.startSeconds;
  }
  return span;
}

const isNothing = (time: Time) => ("seconds" in time ? time.seconds === 0 : time.frames === 0);

function isBefore(a: Time, b: Time): boolean {
  if ("frames" in a && "frames" in b) return a.frames < b.frames;
  if ("seconds" in a && "seconds" in b) return a.seconds < b.seconds;
  return true;
}

function sum(a: Time, b: Time): Time | null {
  if ("frames" in a && "frames" in b) return { frames: a.frames + b.frames };
  if ("seconds" in a && "seconds" in b) return { seconds: a.seconds + b.seconds };
  return null;
}
