// Timelines in OpenTimelineIO's JSON.
//
// Walks stacks, tracks and clips in the order in which they stand; of each clip its place on its media is taken. Transitions, gaps, effects
// and markers are not. JSON that is torn is told with its line; everything else with the line on which its clip begins.
import { secondsText } from "./edl";
import { type Imported, nothing } from "./entry";

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const schemaOf = (value: Fields): string => text(value.OTIO_SCHEMA).split(".")[0] ?? "";

/** Deeper than any editing program nests. */
const DEEPEST = 40;

/** Reads a timeline. */
export function readOtio(source: string): Imported {
  const read = nothing();
  const clean = source.replace(/^\uFEFF/, "");
  let value: unknown;
  try {
    value = JSON.parse(clean);
  } catch (error) {
    read.mistakes.push({
      line: lineOfJsonMistake(clean, error),
      text: "Here it is not JSON any more: was the file cut off?",
    });
    return read;
  }
  if (!isObject(value) || !schemaOf(value)) {
    read.mistakes.push({ line: 1, text: "This is JSON, but not a timeline of OpenTimelineIO: it has no OTIO_SCHEMA." });
    return read;
  }
  const lines = linesOfClips(clean, value);
  const top = schemaOf(value) === "Timeline" ? value.tracks : value;
  if (!isObject(top)) {
    read.mistakes.push({ line: 1, text: "The timeline has no tracks." });
    return read;
  }
  walk(top, lines, read, 0);
  if (read.entries.length === 0 && read.mistakes.length === 0) {
    read.mistakes.push({ line: 1, text: "There is no clip in it." });
  }
  return read;
}

function walk(item: Fields, lines: Map<Fields, number>, read: Imported, depth: number): void {
  if (depth > DEEPEST) return;
  const kind = schemaOf(item);
  if (kind === "Clip") {
    clip(item, lines.get(item) ?? 1, read);
    return;
  }
  const children = Array.isArray(item.children) ? item.children.filter(isObject) : [];
  if (kind === "SerializableCollection") {
    for (const child of children)
      walk(schemaOf(child) === "Timeline" && isObject(child.tracks) ? child.tracks : child, lines, read, depth + 1);
    return;
  }
  if (kind !== "Stack" && kind !== "Track") return;
  const sound = children.filter((child) => schemaOf(child) === "Track" && text(child.kind) === "Audio");
  const shown = sound.length < children.length ? children.filter((child) => !sound.includes(child)) : children;
  if (kind === "Stack" && shown.filter((child) => schemaOf(child) === "Track").length > 1) {
    read.notes.push({
      line: 1,
      text: "There are several tracks of pictures: their clips follow each other, track by track.",
    });
  }
  if (item.source_range && depth > 0 && kind === "Stack") {
    read.notes.push({
      line: 1,
      text: `“${text(item.name) || "A nested timeline"}” is taken as a whole, not cut to its range.`,
    });
  }
  for (const child of shown) walk(child, lines, read, depth + 1);
}

function clip(item: Fields, line: number, read: Imported): void {
  const name = text(item.name);
  const called = name ? `“${name}”` : "The clip";
  const media = mediaOf(item);
  const available = media && rangeOf(media.available_range);
  const range = rangeOf(item.source_range) ?? available;
  if (!range) {
    const is = item.source_range ? "cannot be read" : "is missing, and so is the length of its media";
    read.mistakes.push({ line, text: `${called}: its source_range ${is}.` });
    return;
  }
  // A range is told on the media's own clock, whose first moment is the start of what is available.
  const start = range.start - (available?.start ?? 0);
  if (range.length <= 0) {
    read.mistakes.push({ line, text: `${called} has no length.` });
    return;
  }
  if (start < -1e-3) {
    read.mistakes.push({ line, text: `${called} starts before its media does.` });
    return;
  }
  if (item.enabled === false) {
    read.notes.push({ line, text: `${called} is switched off, and left out.` });
    return;
  }
  if (Array.isArray(item.effects) && item.effects.length > 0) {
    read.notes.push({ line, text: `${called}: its effects are not taken over.` });
  }
  // What this library writes into its own timelines.
  const metadata = isObject(item.metadata) ? item.metadata.stream_montages : null;
  const own = isObject(metadata) ? metadata : {};
  const isMissing = !media || schemaOf(media) === "MissingReference";
  const from = Math.max(0, start);
  read.entries.push({
    line,
    start: secondsText(from),
    end: secondsText(from + range.length),
    title: name.replace(/\s+/g, " ").trim(),
    streamer: text(own.streamer).replace(/\s+/g, " ").trim(),
    score: typeof own.score === "number" ? String(own.score) : "",
    source: isMissing ? "" : sourceOf(media),
  });
}

function mediaOf(item: Fields): Fields | null {
  if (isObject(item.media_reference)) return item.media_reference;
  if (!isObject(item.media_references)) return null;
  const active = item.media_references[text(item.active_media_reference_key) || "DEFAULT_MEDIA"];
  if (isObject(active)) return active;
  return Object.values(item.media_references).find(isObject) ?? null;
}

function sourceOf(media: Fields): string {
  const url = text(media.target_url) || text(media.name);
  if (!/^file:/i.test(url)) return url;
  try {
    return decodeURIComponent(new URL(url).pathname);
  } catch {
    return url;
  }
}

/** A TimeRange in seconds. */
function rangeOf(value: unknown): { start: number; length: number } | null {
  if (!isObject(value)) return null;
  const [start, length] = [secondsOf(value.start_time), secondsOf(value.duration)];
  return start === null || length === null ? null : { start, length };
}

function secondsOf(value: unknown): number | null {
  if (!isObject(value) || typeof value.value !== "number") return null;
  const rate = typeof value.rate === "number" ? value.rate : 0;
  return rate > 0 && Number.isFinite(value.value) ? value.value / exact(rate) : null;
}

/** Rates are written rounded: 29.97 means 30000/1001. */
function exact(rate: number): number {
  const whole = Math.round((rate * 1001) / 1000);
  return Math.abs((whole * 1000) / 1001 - rate) < 0.005 && Math.abs(rate - Math.round(rate)) > 0.005
    ? (whole * 1000) / 1001
    : rate;
}

/** On which line each clip begins: clips are found in the parsed value and in its text in the same order. */
function linesOfClips(source: string, value: Fields): Map<Fields, number> {
  const lines: number[] = [];
  let [line, from] = [1, 0];
  for (const match of source.matchAll(/"OTIO_SCHEMA"\s*:\s*"Clip\.\d+"/g)) {
    for (let at = from; at < match.index; at += 1) if (source[at] === "\n") line += 1;
    from = match.index;
    lines.push(line);
  }
  const found = new Map<Fields, number>();
  const visit = (one: unknown, depth: number) => {
    if (depth > DEEPEST * 4) return;
    if (Array.isArray(one)) for (const item of one) visit(item, depth + 1);
    else if (isObject(one)) {
      if (schemaOf(one) === "Clip") found.set(one, lines[found.size] ?? 1);
      for (const item of Object.values(one)) visit(item, depth + 1);
    }
  };
  visit(value, 0);
  return found;
}

/** Browsers say where JSON is torn in different ways, or not at all: then it is at its end. */
function lineOfJsonMistake(source: string, error: unknown): number {
  const message = error instanceof Error ? error.message : "";
  const line = /line (\d+)/.exec(message);
  if (line) return Number(line[1]);
  const position = /position (\d+)/.exec(message);
  const upTo = position ? source.slice(0, Number(position[1])) : source;
  return upTo.trimEnd().split("\n").length;
}
