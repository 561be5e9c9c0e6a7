// Frames and times. Pure.

/** Frames in a second, as a fraction: 30000/1001 has no other exact form. */
export interface Rate {
  num: number;
  den: number;
}

/** Reads `30/1`, `30000/1001` or `25`; null where it is no rate. */
export function rateOf(text: string | undefined): Rate | null {
  const match = /^(\d{1,9})(?:\/(\d{1,9}))?$/.exec(text ?? "");
  if (!match) return null;
  const rate = { num: Number(match[1]), den: Number(match[2] ?? 1) };
  return rate.num > 0 && rate.den > 0 ? rate : null;
}

/** How far a time may lie before a frame's start and still mean that frame, in frames: players round. */
const SLACK = 0.02;
/** How far into a frame to seek, in frames: at its very start some players show the one before it. */
const INTO = 0.25;

/** The number of the frame that is seen at a time, from 0. */
export function frameAt(rate: Rate, seconds: number): number {
  return Math.max(0, Math.floor((seconds * rate.num) / rate.den + SLACK));
}

/** A time at which a frame is seen. */
export function timeIn(rate: Rate, frame: number): number {
  return ((frame + INTO) * rate.den) / rate.num;
}

/** When a frame starts. */
export function startOf(rate: Rate, frame: number): number {
  return (frame * rate.den) / rate.num;
}

/** The time that is `frames` further. */
export function stepped(rate: Rate, seconds: number, frames: number, duration: number): number {
  const last = Math.max(0, Math.ceil((duration * rate.num) / rate.den - SLACK) - 1);
  return timeIn(rate, Math.min(last, Math.max(0, frameAt(rate, seconds) + frames)));
}

/**
 * Reads the time of a link: `12.5`, `90s`, `1:05`, `1:02:03.5`, `1h2m3s`. Null where it is no time.
 */
export function timeOf(text: string | null | undefined): number | null {
  const trimmed = text?.trim() ?? "";
  const clock = /^(?:(\d{1,4}):)?(\d{1,6}):(\d{1,2}(?:\.\d+)?)$/.exec(trimmed);
  if (clock) return Number(clock[1] ?? 0) * 3600 + Number(clock[2]) * 60 + Number(clock[3]);
  const units = /^(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d+)?)s?)?$/.exec(trimmed);
  if (units && trimmed !== "") return Number(units[1] ?? 0) * 3600 + Number(units[2] ?? 0) * 60 + Number(units[3] ?? 0);
  return null;
}

/** A time as links carry it: to the hundredth of a second, never past the moment that is seen. */
export function linkTime(seconds: number): string {
  return String(Math.floor(Math.max(0, seconds) * 100 + 1e-6) / 100);
}
