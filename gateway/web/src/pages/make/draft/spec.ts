// From a draft to what is posted, and back from the place of a mistake in that to the place on the page.
//
// Only what differs from the API's own defaults is sent. What can be seen to be wrong or missing here is said here, in the API's pointers,
// so that the page shows one kind of mistake only.
import type { components } from "../../../api/schema";
import { parseTime, readSpan } from "../time";
import type { Draft, DraftBookend, DraftClip, DraftSource, Options } from "./model";

type Schemas = components["schemas"];
type PostedMontage = Schemas["PostedMontage"];
type PostedHighlight = Schemas["PostedHighlight"];
type PostedBookend = Schemas["PostedBookend"];
/** What is posted to make a job. */
export type PostedJob = Schemas["PostedJob"] & { kind: "montage"; spec: PostedMontage };

/** Most clips of one montage. */
export const MOST_CLIPS = 500;

export interface Mistake {
  /** JSON pointer to its place in what is posted. */
  pointer: string;
  detail: string;
}

export interface Posting {
  body: PostedJob;
  /** The keys of the clips, in the order in which they are posted. */
  clips: string[];
  mistakes: Mistake[];
}

/** What would be posted of this draft. It is only to be posted where there are no mistakes. */
export function postingOf(draft: Draft): Posting {
  const sources = new Map(draft.sources.map((source) => [source.key, source]));
  const mistakes: Mistake[] = [];
  const highlights = draft.clips.map((clip, index) =>
    highlight(clip, sources.get(clip.source), `/spec/highlights/${index}`, mistakes),
  );
  if (highlights.length > MOST_CLIPS) {
    mistakes.push({ pointer: "/spec/highlights", detail: `A montage has at most ${MOST_CLIPS} clips.` });
  }
  const spec: PostedMontage = { highlights, ...settings(draft.options, mistakes) };
  for (const name of ["intro", "outro"] as const) {
    const at = draft.options[name];
    const posted = bookend(at, sources.get(at.source), `/spec/${name}`, mistakes);
    if (posted) spec[name] = posted;
  }
  const body: PostedJob = { kind: "montage", ...about(draft.options, mistakes), spec };
  return { body, clips: draft.clips.map((clip) => clip.key), mistakes };
}

function highlight(
  clip: DraftClip,
  source: DraftSource | undefined,
  pointer: string,
  mistakes: Mistake[],
): PostedHighlight {
  if (!source?.ref) mistakes.push({ pointer: `${pointer}/source`, detail: notThere(source) });
  const span = readSpan(clip.start, clip.end, null);
  if (span.startMistake) mistakes.push({ pointer: `${pointer}/start`, detail: span.startMistake });
  if (span.endMistake) mistakes.push({ pointer: `${pointer}/end`, detail: span.endMistake });
  const posted: PostedHighlight = { source: source?.ref ?? { upload: "" }, start: clip.start.trim() };
  put(posted, clip.end);
  if (clip.title.trim()) posted.title = clip.title.trim();
  if (clip.streamer.trim()) posted.streamer = clip.streamer.trim();
  const score = numberOf(clip.score, `${pointer}/score`, mistakes);
  if (score !== null) posted.score = score;
  if (clip.cut) posted.cut = cutOf(clip.cut, clip.tolerance, `${pointer}/cut`, mistakes);
  return posted;
}

const notThere = (source: DraftSource | undefined) =>
  source ? `“${source.name}” is not uploaded yet.` : "Its source is not in the list any more.";

/** An end, or a length that is written with a plus. */
function put(posted: { end?: unknown; duration?: unknown }, end: string): void {
  const text = end.trim();
  if (text.startsWith("+")) posted.duration = text.slice(1).trim();
  else if (text) posted.end = text;
}

function bookend(
  at: DraftBookend,
  source: DraftSource | undefined,
  pointer: string,
  mistakes: Mistake[],
): PostedBookend | null {
  if (!source) return null;
  if (!source.ref) mistakes.push({ pointer: `${pointer}/source`, detail: notThere(source) });
  // Both may be left out here: then it is all of the source.
  const span = readSpan(at.start.trim() || "0", at.end.trim() || "+1s", null);
  if (span.startMistake) mistakes.push({ pointer: `${pointer}/start`, detail: span.startMistake });
  if (span.endMistake) mistakes.push({ pointer: `${pointer}/end`, detail: span.endMistake });
  const posted: PostedBookend = { source: source.ref ?? { upload: "" } };
  if (at.start.trim()) posted.start = at.start.trim();
  put(posted, at.end);
  return posted;
}

function cutOf(
  mode: Schemas["CutMode"],
  tolerance: string,
  pointer: string,
  mistakes: Mistake[],
): Schemas["PostedCut"] {
  const moves = mode === "snap" || mode === "auto";
  const text = moves ? lengthOf(tolerance, `${pointer}/tolerance`, mistakes) : null;
  return text ? { mode, tolerance: text } : { mode };
}

/** How it is made: what of the options belongs into the spec. */
function settings(options: Options, mistakes: Mistake[]): Partial<PostedMontage> {
  const spec: Partial<PostedMontage> = {};
  const cut = cutOf(options.cut, options.tolerance, "/spec/cut", mistakes);
  if (options.cut !== "exact") spec.cut = cut;
  const canvas = canvasOf(options, mistakes);
  if (Object.keys(canvas).length > 0) spec.canvas = canvas;
  if (options.order !== "given") spec.order = options.order;
  if (!options.levelled) {
    spec.audio = { loudness_lufs: null };
  } else {
    const loudness = numberOf(options.loudness, "/spec/audio/loudness_lufs", mistakes);
    if (loudness !== null && loudness !== -16) spec.audio = { loudness_lufs: loudness };
  }
  if (options.transition !== "none") {
    spec.transition = { kind: options.transition };
    const length = lengthOf(options.transitionLength, "/spec/transition/duration", mistakes);
    if (length) spec.transition.duration = length;
    if (options.transition === "dip") spec.transition.colour = options.colour;
  }
  if (options.show !== "none") {
    const seconds = lengthOf(options.showLength, "/spec/titles/seconds", mistakes);
    spec.titles = seconds ? { show: options.show, seconds } : { show: options.show };
  }
  const language = options.engine === "none" ? "" : options.language.trim();
  if (options.engine !== "local" || language) {
    spec.transcribe = { engine: options.engine };
    if (language) spec.transcribe.language = language;
  }
  return spec;
}

function canvasOf(options: Options, mistakes: Mistake[]): Schemas["PostedCanvas"] {
  const canvas: Schemas["PostedCanvas"] = {};
  if (options.codec !== "auto") canvas.codec = options.codec;
  const width = numberOf(options.width, "/spec/canvas/width", mistakes);
  const height = numberOf(options.height, "/spec/canvas/height", mistakes);
  if (width !== null) canvas.width = width;
  if (height !== null) canvas.height = height;
  if ((width === null) !== (height === null)) {
    const name = width === null ? "width" : "height";
    mistakes.push({ pointer: `/spec/canvas/${name}`, detail: "Width and height go together." });
  }
  if (options.frameRate.trim()) canvas.frame_rate = options.frameRate.trim();
  return canvas;
}

/** What it is called and when it is made. */
function about(options: Options, mistakes: Mistake[]): Omit<Schemas["PostedJob"], "kind" | "spec"> {
  const job: Omit<Schemas["PostedJob"], "kind" | "spec"> = {
    priority: numberOf(options.priority, "/priority", mistakes) ?? 0,
  };
  if (options.title.trim()) job.title = options.title.trim();
  const labels: Record<string, string> = {};
  for (const label of options.labels) {
    const name = label.name.trim();
    if (name === "" && label.value.trim() === "") continue;
    if (name === "") mistakes.push({ pointer: "/labels", detail: `The label “${label.value.trim()}” has no name.` });
    else if (name in labels) mistakes.push({ pointer: `/labels/${name}`, detail: `There are two labels “${name}”.` });
    else labels[name] = label.value.trim();
  }
  if (Object.keys(labels).length > 0) job.labels = labels;
  if (options.runAt) {
    const moment = new Date(options.runAt);
    if (Number.isNaN(moment.getTime())) {
      mistakes.push({ pointer: "/run_at", detail: "This is not a moment; leave it empty to begin at once." });
    } else job.run_at = moment.toISOString();
  }
  return job;
}

function numberOf(text: string, pointer: string, mistakes: Mistake[]): number | null {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const number = Number(trimmed.replace("−", "-").replace(",", "."));
  if (Number.isFinite(number)) return number;
  mistakes.push({ pointer, detail: "Write a number." });
  return null;
}

function lengthOf(text: string, pointer: string, mistakes: Mistake[]): string | null {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (parseTime(trimmed)) return trimmed;
  mistakes.push({ pointer, detail: "Write seconds, such as 0.5." });
  return null;
}

/** The part of what is posted that decides about the plan, as one text: the same text has the same plan. */
export const planText = (posting: Posting): string => JSON.stringify({ spec: posting.body.spec });
