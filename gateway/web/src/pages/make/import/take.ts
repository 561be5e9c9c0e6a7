// From what was read to clips: which of it is taken, of which source, and how long. Pure.
import { type DraftClip, type DraftSource, readRef, refText } from "../draft/model";
import { parseTime, timeText } from "../time";
import type { Entry } from "./entry";

/** What happens with the moments of one source of the file: a source's key, a new source, left out, or not said yet. */
export type Fate = { to: string } | "new" | "out" | null;

/** The names of sources in the file, in order, each once; an empty one stands for moments without a source. */
export function namesOf(entries: Entry[]): string[] {
  return [...new Set(entries.map((entry) => entry.source))];
}

const baseName = (text: string): string => {
  const path = text.split(/[?#]/)[0] ?? text;
  const last = path.split(/[/\\]/).filter(Boolean).at(-1) ?? text;
  return last.replace(/^[^:]+:/, "").toLowerCase();
};

/** What a name in the file most likely means. */
export function guess(name: string, sources: DraftSource[], looked: string | null): Fate {
  if (name === "") {
    const only = sources.length === 1 ? sources[0]?.key : looked;
    return only ? { to: only } : null;
  }
  const same =
    sources.find((source) => source.ref && refText(source.ref) === name) ??
    sources.find((source) => source.name === name) ??
    sources.find((source) => baseName(source.name) === baseName(name) || baseName(refOf(source)) === baseName(name));
  if (same) return { to: same.key };
  return typeof readRef(name) === "string" ? null : "new";
}

const refOf = (source: DraftSource): string => (source.ref ? refText(source.ref) : source.name);

export interface Lengths {
  /** Only this many seconds of each; null for all of it. */
  most: number | null;
  /** How long one is whose end nothing says, in seconds. */
  open: number;
}

/** Where a moment ends: as it says, or at its source's end, and no later than is wanted. */
export function endOf(entry: Entry, lengths: Lengths, duration: number | null): string {
  const start = parseTime(entry.start);
  if (!start || !("seconds" in start)) return entry.end || `+${lengths.open}s`;
  const written = entry.end.startsWith("+") ? entry.end.slice(1) : entry.end;
  const read = parseTime(written);
  let length: number | null = null;
  if (read && "seconds" in read) length = entry.end.startsWith("+") ? read.seconds : read.seconds - start.seconds;
  else if (entry.end !== "") return entry.end;
  else if (duration !== null && duration > start.seconds) length = duration - start.seconds;
  const least = Math.min(length ?? lengths.open, lengths.most ?? Number.POSITIVE_INFINITY);
  if (length !== null && least === length && entry.end !== "") return entry.end;
  return timeText(start.seconds + least);
}

/** The clip of a moment. */
export function clipOf(entry: Entry, key: string, source: string, end: string): DraftClip {
  return {
    key,
    source,
    start: entry.start,
    end,
    title: entry.title.slice(0, 200),
    streamer: entry.streamer.slice(0, 100),
    score: entry.score,
    cut: "",
    tolerance: "",
  };
}
