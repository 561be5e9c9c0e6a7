// Edit lists in the form CMX 3600, as editing programs export them.
//
// What is taken is each event's place on its source; where it stands on the edit list's own timeline only orders them. Speed changes and
// wipes are not taken over, and said so. The list itself does not say its frame rate: it comes in, guessed by `guessRate`.
import { type Entry, type Imported, linesOf, nothing } from "./entry";
import {
  canDrop,
  frameOf,
  type Rate,
  rateNamed,
  rateWritten,
  readTimecode,
  secondsOfFrame,
  type Timecode,
} from "./timecode";

const TIMECODE = String.raw`(\d{1,2}[:;]\d{2}[:;]\d{2}[:;.,]\d{2,3})`;
const EVENT = new RegExp(
  String.raw`^(\d{1,6})\s+(\S+)\s+(\S+)\s+(C|D|W\d{1,3}|K\s*[BO]?)\s*(?:\d{1,4}(?:\.\d+)?\s+)?${TIMECODE}\s+${TIMECODE}\s+${TIMECODE}\s+${TIMECODE}`,
  "i",
);
/** Comments that say something of their event. */
const COMMENT = /^\*\s*(FROM CLIP NAME|TO CLIP NAME|CLIP NAME|SOURCE FILE|STREAMER|COMMENT)\s*:\s*(.*)$/i;
/** Lines that say nothing about where a clip is. */
const KNOWN = /^(TITLE|FCM|SPLIT|AUD|REEL|EFFECTS?|FINAL CUT PRO REEL|DLEDL|BPNG|EPNG|GPI|>>>|\[)/i;

interface Event {
  line: number;
  number: string;
  reel: string;
  isVideo: boolean;
  isTransition: boolean;
  codes: [string, string, string, string];
  drops: boolean;
  clip: string;
  file: string;
  comment: string;
  streamer: string;
  hasSpeed: boolean;
}

export interface EdlOptions {
  rate: Rate;
  /** The timecode of the sources' first frame. */
  begins: string;
}

/** The frame rate, and whether the list says it: in a comment, or by being drop-frame. */
export function guessRate(text: string): { rate: Rate; isSaid: boolean } {
  // Names of clips and files may hold anything.
  const comments = linesOf(text)
    .filter((line) => /^\s*\*/.test(line) && !COMMENT.test(line.trim()))
    .join("\n");
  const said =
    /(?:\bFPS|FRAME[ _-]?RATE)\s*[:=]?\s*(\d+(?:\.\d+)?(?:\/\d+)?)/i.exec(comments) ??
    /(\d+(?:\.\d+)?(?:\/\d+)?)\s*(?:FPS\b|FRAMES A SECOND)/i.exec(comments);
  const stated = said?.[1] ? rateWritten(said[1]) : null;
  if (stated) return { rate: stated, isSaid: true };
  const frames = [...text.matchAll(/\b\d{2}[:;]\d{2}[:;]\d{2}[:;.,](\d{2})\b/g)].map((match) => Number(match[1]));
  const most = Math.max(0, ...frames);
  const drops = /^\s*FCM:\s*DROP/im.test(text) || /\d{2};\d{2}\b/.test(text);
  if (drops) return { rate: named(most > 29 ? "59.94" : "29.97"), isSaid: true };
  return { rate: named(most > 49 ? "60" : most > 29 ? "50" : most === 24 ? "25" : "30"), isSaid: false };
}

const named = (name: string): Rate => rateNamed(name) ?? { name, num: Number(name), den: 1 };

/** Reads an edit list. */
export function readEdl(text: string, options: EdlOptions): Imported {
  const read = nothing();
  const events = eventsOf(text, read);
  const begin = beginOf(options, read);
  const withPicture = events.some((event) => event.isVideo);
  const silent = withPicture ? events.filter((event) => !event.isVideo) : [];
  if (silent[0]) {
    read.notes.push({ line: silent[0].line, text: `Events of sound only are left out (${silent.length}).` });
  }
  const placed = events
    .filter((event) => !silent.includes(event))
    .map((event) => place(event, options.rate, begin, read))
    .filter((one) => one !== null);
  read.entries = placed.sort((a, b) => a.at - b.at).map(({ entry }) => entry);
  return read;
}

function beginOf(options: EdlOptions, read: Imported): number {
  const code = readTimecode(options.begins);
  const frame = code && frameOf(code, options.rate, code.drops);
  if (typeof frame === "number") return frame;
  read.mistakes.push({ line: 1, text: "The sources' first timecode is written like 00:00:00:00 or 01:00:00:00." });
  return 0;
}

function eventsOf(text: string, read: Imported): Event[] {
  const events: Event[] = [];
  let drops = false;
  linesOf(text).forEach((raw, index) => {
    const line = raw.trim();
    const at = index + 1;
    const match = EVENT.exec(line);
    if (line === "") return;
    if (match) events.push(eventOf(match, at, drops));
    else if (/^FCM:/i.test(line)) drops = /^FCM:\s*DROP/i.test(line);
    else if (/^\*/.test(line)) comment(line, at, events, read);
    else if (/^M2\b/i.test(line)) speed(at, events, read);
    else if (/^\d/.test(line)) {
      read.mistakes.push({
        line: at,
        text: `This is not an event: expected its number, reel, track, edit and four timecodes, and found “${line.slice(0, 60)}”.`,
      });
    } else if (!KNOWN.test(line)) {
      read.notes.push({ line: at, text: `Not understood, and left out: “${line.slice(0, 60)}”.` });
    }
  });
  if (events.length === 0 && read.mistakes.length === 0) {
    read.mistakes.push({ line: 1, text: "There is no event in it." });
  }
  return events;
}

function eventOf(match: RegExpExecArray, line: number, drops: boolean): Event {
  const [, number = "", reel = "", track = "", edit = "", ...codes] = match;
  return {
    line,
    number,
    reel,
    isVideo: /V|^B$/i.test(track),
    isTransition: !/^C$/i.test(edit),
    codes: codes as Event["codes"],
    drops,
    clip: "",
    file: "",
    comment: "",
    streamer: "",
    hasSpeed: false,
  };
}

/** A comment belongs to the event above it; of a transition's two lines the first is where it comes from, the second where it goes to. */
function comment(line: string, at: number, events: Event[], read: Imported): void {
  const last = events.at(-1);
  const match = COMMENT.exec(line);
  if (!match) return;
  const [what, value] = [(match[1] ?? "").toUpperCase(), (match[2] ?? "").trim()];
  if (!last) {
    read.notes.push({ line: at, text: `“${what}” stands before the first event, and is left out.` });
    return;
  }
  const group = lastGroup(events);
  const first = group[0] ?? last;
  if (what === "COMMENT") last.comment ||= value;
  else if (what === "STREAMER") last.streamer = value;
  else if (what === "SOURCE FILE") {
    // One file is that of where it goes to; where both are named, where it comes from stands first.
    if (first !== last && last.file !== "") first.file = last.file;
    last.file = value;
  } else if (what === "TO CLIP NAME") last.clip = value;
  else if (group.length > 1) first.clip = value;
  else if (!last.isTransition || last.clip === "") last.clip = value;
}

/** The last events that share a number: one, or the two lines of a transition. */
function lastGroup(events: Event[]): Event[] {
  let from = events.length - 1;
  while (from > 0 && events[from - 1]?.number === events[from]?.number) from -= 1;
  return events.slice(from);
}

function speed(line: number, events: Event[], read: Imported): void {
  const last = events.at(-1);
  if (last) last.hasSpeed = true;
  read.notes.push({ line, text: "A change of speed is not taken over: the clip plays as it was recorded." });
}

/** An event's place on its source, and on the edit list's timeline. */
function place(event: Event, rate: Rate, begin: number, read: Imported): { at: number; entry: Entry } | null {
  const frames: number[] = [];
  for (const text of event.codes) {
    const code = readTimecode(text);
    const frame = code === null ? "a timecode is written like 00:01:02:03" : countOf(code, event, rate);
    if (typeof frame === "string") {
      read.mistakes.push({ line: event.line, text: `${text}: ${frame}.` });
      return null;
    }
    frames.push(frame);
  }
  const [from, to, at, until] = frames as [number, number, number, number];
  if (/^BL(ACK)?$/i.test(event.reel)) {
    if (from !== to) read.notes.push({ line: event.line, text: "Black is left out." });
    return null;
  }
  if (to === from && at === until) {
    // The first of a transition's two lines: where it comes from, already shown by the event before.
    return null;
  }
  if (to <= from) {
    read.mistakes.push({
      line: event.line,
      text: `The clip ends (${event.codes[1]}) before it starts (${event.codes[0]}).`,
    });
    return null;
  }
  if (from < begin) {
    read.mistakes.push({
      line: event.line,
      text: `${event.codes[0]} lies before the sources' first timecode.`,
    });
    return null;
  }
  if (!event.hasSpeed && Math.abs(to - from - (until - at)) > 1) {
    read.notes.push({
      line: event.line,
      text: "It has another length on the timeline than on its source: that of the source is taken.",
    });
  }
  const seconds = (frame: number) => secondsText(secondsOfFrame(frame - begin, rate));
  const reel = /^A+X$/i.test(event.reel) ? "" : event.reel;
  const title = event.file ? event.clip : event.comment;
  const source = event.file || event.clip || reel;
  return {
    at,
    entry: {
      line: event.line,
      start: seconds(from),
      end: seconds(to),
      title,
      streamer: event.streamer,
      score: "",
      source,
    },
  };
}

function countOf(code: Timecode, event: Event, rate: Rate): number | string {
  const drops = code.drops || event.drops;
  if (drops && !canDrop(rate)) return `it is drop-frame, which exists at 29.97 and 59.94 frames a second only`;
  return frameOf(code, rate, drops);
}

/** Seconds to a microsecond: nearer than any two frames. */
export const secondsText = (seconds: number): string => String(Math.round(seconds * 1e6) / 1e6);
