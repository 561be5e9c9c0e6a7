// SMPTE timecodes: hours, minutes, seconds and frames, as edit lists write them.
//
// Drop-frame timecode leaves out the first two numbers of every minute but each tenth (four at 59.94), so that it keeps up with the clock at
// 30000/1001 frames a second; no frame is dropped, only numbers are. A number that is left out is a mistake.

/** A frame rate: what is counted in a second of timecode, and how long a frame really is. */
export interface Rate {
  /** As it is shown. */
  name: string;
  num: number;
  den: number;
}

/** The rates that edit lists have. */
export const RATES: Rate[] = [
  { name: "23.976", num: 24_000, den: 1001 },
  { name: "24", num: 24, den: 1 },
  { name: "25", num: 25, den: 1 },
  { name: "29.97", num: 30_000, den: 1001 },
  { name: "30", num: 30, den: 1 },
  { name: "50", num: 50, den: 1 },
  { name: "59.94", num: 60_000, den: 1001 },
  { name: "60", num: 60, den: 1 },
];

export const rateNamed = (name: string): Rate | undefined => RATES.find((rate) => rate.name === name);

/** The rate of the list that a number of frames a second means: `23.98`, `24000/1001` and `23.976` are one. */
export function rateNear(frames: number): Rate | undefined {
  return RATES.find((rate) => Math.abs(rate.num / rate.den - frames) < 0.01);
}

/** A rate as lists write it: `25`, `29.97`, `30000/1001`; null for anything that is none. */
export function rateWritten(text: string): Rate | null {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)(?:\/(\d{1,4}))?$/.exec(text);
  if (!match) return null;
  const den = Number(match[2] ?? 1);
  const frames = Number(match[1]) / den;
  if (!(frames >= 1 && frames <= 120)) return null;
  return rateNear(frames) ?? { name: text, num: Math.round(Number(match[1]) * 1000), den: den * 1000 };
}

/** How many frames a second of timecode counts. */
export const nominal = (rate: Rate): number => Math.round(rate.num / rate.den);

/** Whether timecode of this rate can leave out numbers. */
export const canDrop = (rate: Rate): boolean => rate.den === 1001 && nominal(rate) % 30 === 0;

export interface Timecode {
  hours: number;
  minutes: number;
  seconds: number;
  frames: number;
  /** Whether it is written as drop-frame: with a `;` or a `,` or a `.` before the frames. */
  drops: boolean;
}

/** Reads `HH:MM:SS:FF`, or `HH:MM:SS;FF` for drop-frame; `null` for anything else. */
export function readTimecode(text: string): Timecode | null {
  const match = /^(\d{1,2})[:;](\d{2})[:;](\d{2})([:;.,])(\d{2,3})$/.exec(text.trim());
  if (!match) return null;
  const [hours, minutes, seconds, frames] = [match[1], match[2], match[3], match[5]].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  if (minutes > 59 || seconds > 59) return null;
  return { hours, minutes, seconds, frames, drops: match[4] !== ":" };
}

/** The number of the frame that a timecode names, from 0; a sentence where there is no such frame. */
export function frameOf(code: Timecode, rate: Rate, drops: boolean): number | string {
  const base = nominal(rate);
  if (code.frames >= base) return `frame ${code.frames} does not exist at ${rate.name} frames a second`;
  const minutes = code.hours * 60 + code.minutes;
  const counted = (minutes * 60 + code.seconds) * base + code.frames;
  if (!drops || !canDrop(rate)) return counted;
  const left = base / 15;
  if (code.seconds === 0 && code.frames < left && code.minutes % 10 !== 0) {
    return `drop-frame timecode leaves out frame ${code.frames} of this minute`;
  }
  return counted - left * (minutes - Math.floor(minutes / 10));
}

/** When a frame is shown, in seconds. */
export const secondsOfFrame = (frame: number, rate: Rate): number => (frame * rate.den) / rate.num;
