// How a montage was made, in words that somebody who streams understands. Pure.
//
// Promises: nothing is rounded up: "all" is said only where it is all; what an older record does not have is left out, not guessed.
import type { Provenance } from "../../api/types";
import { bytes, clock, count, share } from "../../lib/format";

/** What the page reads of the plan. Old records may lack any of it. */
interface PlanRecord {
  clips?: { sound_key?: string | null; continues?: boolean; mode?: string; reason?: string }[];
  sound?: "copy" | { copy?: unknown; encode?: { why?: string } };
  loudness_lufs?: number | null;
  canvas?: { codec?: string; width?: number; height?: number; bit_depth?: number };
}

const planOf = (record: Provenance): PlanRecord => record.plan as PlanRecord;

const number = (value: number) => value.toLocaleString("en");

/** `size, frame rate and colours`. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** The one sentence that says it all. */
export function headline(record: Provenance): string {
  const copied = record.frames_copied ?? 0;
  const all = copied + record.frames_encoded;
  if (record.frames_encoded === 0)
    return `All ${count(all, "frame")} are copied bit for bit: nothing of the picture was encoded anew.`;
  if (copied === 0) return `All ${count(all, "frame")} were encoded.`;
  return `${count(all, "frame")}: ${number(copied)} copied bit for bit (${share(copied, all)}), ${number(record.frames_encoded)} encoded.`;
}

export interface Cause {
  /** Completes "encoded because …". */
  words: string;
  frames: number;
  /** How many clips have such frames. */
  clips: number;
}

const EDGES = /^(?:.*; )?\d+ of \d+ frames are encoded: \d+ at the start, \d+ at the end$/;
const DIFFERS = /^all of it is encoded: its source differs from the canvas in ([^(]+?)( \(.*\))?$/;
const WHOLE = /^all of it is encoded: (.+)$/;

/** The cause that a reason of the record tells, in words of its own. */
export function causeOf(reason: string): string {
  if (reason === "one clip turns into the next") return "one clip turns into the next there";
  if (EDGES.test(reason)) return "a cut lies between two places at which the source can be cut without encoding";
  const differs = DIFFERS.exec(reason);
  if (differs) {
    const what = (differs[1] ?? "").split(", ");
    return `the source differs from the montage in ${listed(what)}${differs[2] ?? ""}`;
  }
  return WHOLE.exec(reason)?.[1] ?? (reason || "the record does not say why");
}

/** Why frames were encoded, the most frequent cause first. */
export function causes(record: Provenance): Cause[] {
  const found = new Map<string, { frames: number; clips: Set<number> }>();
  for (const range of record.encoded ?? []) {
    const words = causeOf(range.reason);
    const cause = found.get(words) ?? { frames: 0, clips: new Set() };
    cause.frames += range.frames;
    cause.clips.add(range.clip);
    found.set(words, cause);
  }
  return [...found]
    .map(([words, { frames, clips }]) => ({ words, frames, clips: clips.size }))
    .sort((a, b) => b.frames - a.frames);
}

export interface ClipFrames {
  copied: number;
  encoded: number;
  /** Why it is as it is; the record's own sentences. */
  reasons: string[];
  /** In dB; null for silence, and where the sound was left as it is. */
  gain: number | null;
}

/** What was done to each of `clips` clips. */
export function byClip(record: Provenance, clips: number): ClipFrames[] {
  const plan = planOf(record);
  const rows: ClipFrames[] = Array.from({ length: clips }, (_, index) => ({
    copied: 0,
    encoded: 0,
    reasons: [plan.clips?.[index]?.reason].filter((reason) => reason !== undefined),
    gain: null,
  }));
  for (const range of record.copied ?? []) {
    const row = rows[range.clip];
    if (row) row.copied += range.frames;
  }
  for (const range of record.encoded ?? []) {
    const row = rows[range.clip];
    if (!row) continue;
    row.encoded += range.frames;
    if (!row.reasons.includes(range.reason)) row.reasons.push(range.reason);
  }
  for (const { clip, loudness } of loudnesses(record)) {
    const row = rows[clip];
    if (row && plan.loudness_lufs != null) row.gain = loudness?.gain_db ?? null;
  }
  return rows;
}

function loudnesses(record: Provenance): { clip: number; loudness?: { gain_db?: number } | null }[] {
  const audio: unknown = record.audio;
  return Array.isArray(audio) ? audio : [];
}

/** Whether there is nothing to hear: no source had sound. False where the record does not say. */
export function isSilent(record: Provenance): boolean {
  const { clips } = planOf(record);
  return clips !== undefined && clips.length > 0 && clips.every((clip) => clip.sound_key === null);
}

/** What was done to the sound. */
export function soundWords(record: Provenance): string | null {
  const { sound, loudness_lufs } = planOf(record);
  if (isSilent(record)) return "No source has sound: the montage is silent.";
  if (sound === undefined) return null;
  const level =
    typeof loudness_lufs === "number"
      ? ` Every clip was brought to the same loudness, ${String(loudness_lufs).replace("-", "−")} LUFS.`
      : "";
  if (typeof sound === "object" && sound.encode) {
    const why = sound.encode.why;
    if (why === "levelling is on" && level) return `The sound was encoded once, as a whole.${level}`;
    return `The sound was encoded once, as a whole${why ? `, because ${why}` : ""}.${level}`;
  }
  return `The sound is copied; only what lies around the cuts was made anew.${level}`;
}

/** How long it took, in seconds; null where the record's clock makes no sense. */
export function secondsTaken(record: Provenance): number | null {
  const seconds = (Date.parse(record.finished_at) - Date.parse(record.started_at)) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

/** How fast it was, against how long the montage plays. */
export function speedWords(taken: number, duration: number): string {
  if (taken <= 0 || duration <= 0) return "";
  const times = duration / taken;
  const said = (value: number) => (value >= 10 ? number(Math.floor(value)) : (Math.floor(value * 10) / 10).toFixed(1));
  if (times >= 1.05) return `${said(times)} times as fast as it plays`;
  if (times > 0.95) return "about as long as it plays";
  return `${said(1 / times)} times as long as it plays`;
}

/** Seconds to the tenth below a minute, else as a clock. */
export const lengthWords = (seconds: number): string =>
  seconds < 60 ? `${seconds.toFixed(1)} s` : `${clock(seconds)} minutes`.replace(/^(\d+:\d+:\d+) minutes$/, "$1 hours");

/** Who made it. */
export function makerWords(record: Provenance): string {
  const others = (record.executors ?? []).filter((name) => name !== record.executor);
  const attempt = record.attempt > 1 ? `, at attempt ${record.attempt}` : "";
  return others.length > 0
    ? `Made by ${record.executor}${attempt}, together with ${listed(others)}`
    : `Made by ${record.executor}${attempt}`;
}

/** What was read, and how many pieces were there already. */
export function costWords(record: Provenance): string[] {
  const said: string[] = [];
  const all = record.sources.reduce((sum, source) => sum + source.bytes, 0);
  const read = record.sources.reduce((sum, source) => sum + source.bytes_read, 0);
  const requests = record.sources.reduce((sum, source) => sum + source.requests, 0);
  if (record.sources.length > 0) {
    const of = record.sources.length === 1 ? "its source" : `its ${record.sources.length} sources`;
    said.push(`${bytes(read)} read of the ${bytes(all)} of ${of}, in ${count(requests, "request")}`);
  }
  const [made, reused] = [record.segments_made ?? 0, record.segments_reused ?? 0];
  if (made + reused > 0) {
    if (made === 0)
      said.push(`all ${count(reused, "segment")} were there already, from an earlier attempt or another montage`);
    else if (reused === 0) said.push(`${count(made, "segment")} made`);
    else said.push(`${count(made, "segment")} made, ${number(reused)} there already`);
  }
  return said;
}

const CHECKS: Record<string, string> = {
  frame_count: "Every frame is there",
  even_timestamps: "Frames follow each other evenly",
  key_pictures: "Players can jump to where they should",
  coded_pictures: "Copied frames are the source's, bit for bit",
  duration: "It is as long as planned",
  sound_and_picture_end_together: "Sound and picture end together",
  sound_and_picture_together_at_seams: "Sound and picture are together at every cut",
  chapters: "Every chapter is there",
  decodes_without_complaint: "It decodes without a complaint",
  opens: "The file opens",
};

/** A check's name for people. */
export const checkWords = (name: string): string => CHECKS[name] ?? name.replaceAll("_", " ");

/** All checks in one sentence. */
export function checksWords(checks: Provenance["checks"]): string {
  const failed = checks.filter((check) => !check.passed).length;
  if (checks.length === 0) return "The record names no checks.";
  if (failed > 0) return `${number(failed)} of ${count(checks.length, "check")} did not hold.`;
  return checks.length === 1
    ? "The check passed."
    : `All ${number(checks.length)} checks passed before it was published.`;
}

/** How a clip was cut. */
export function modeWords(mode: string | null | undefined): string {
  switch (mode) {
    case "exact":
      return "to the frame";
    case "snap":
      return "moved to near keyframes";
    case "copy":
      return "moved to keyframes";
    default:
      return "";
  }
}

/** The picture that all clips were put on: `H.264, 1280 × 720, 8 bit`. */
export function canvasWords(record: Provenance): string | null {
  const { canvas } = planOf(record);
  if (!canvas?.codec) return null;
  const codec = { h264: "H.264", hevc: "HEVC (H.265)" }[canvas.codec] ?? canvas.codec;
  return [
    codec,
    canvas.width && canvas.height && `${canvas.width} × ${canvas.height}`,
    canvas.bit_depth && `${canvas.bit_depth} bit`,
  ]
    .filter(Boolean)
    .join(", ");
}
