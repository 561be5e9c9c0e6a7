// A job's spec as a draft: to make another one like it.
import type { components } from "../../../api/schema";
import type { Job } from "../../../api/types";
import { toRows } from "../../../ui/labels";
import { parseTime, ticksText } from "../time";
import {
  type Draft,
  type DraftBookend,
  type DraftClip,
  type DraftSource,
  defaultOptions,
  emptyDraft,
  nameOf,
  newKey,
  newSource,
  refText,
  type SourceRef,
} from "./model";

type Schemas = components["schemas"];
type MediaTime = Schemas["MediaTime"];

/** The draft that gives such a job; `null` where the job is not a montage. */
export function draftOf(job: Job): Draft | null {
  const spec = montageOf(job.spec);
  if (!spec) return null;
  const sources = new Map<string, DraftSource>();
  const keyOf = (ref: SourceRef): string => {
    const known = sources.get(refText(ref)) ?? newSource(ref, nameOf(ref));
    sources.set(refText(ref), known);
    return known.key;
  };
  const clips = spec.highlights.map(
    (highlight): DraftClip => ({
      key: newKey(),
      source: keyOf(highlight.source),
      start: timeOf(highlight.start),
      end: endOf(highlight.start, highlight.duration),
      title: highlight.title ?? "",
      streamer: highlight.streamer ?? "",
      score: highlight.score === null || highlight.score === undefined ? "" : String(highlight.score),
      cut: highlight.cut?.mode ?? "",
      tolerance: lengthOf(highlight.cut?.tolerance),
    }),
  );
  const bookend = (at: Schemas["Bookend"] | null | undefined): DraftBookend => {
    if (!at) return { source: "", start: "", end: "" };
    const end = at.duration ? endOf(at.start, at.duration) : "";
    return { source: keyOf(at.source), start: isZero(at.start) ? "" : timeOf(at.start), end };
  };
  const [intro, outro] = [bookend(spec.intro), bookend(spec.outro)];
  const empty = emptyDraft();
  const all = [...sources.values()];
  return {
    ...empty,
    sources: all,
    clips,
    form: { ...empty.form, source: all[0]?.key ?? null },
    options: {
      ...defaultOptions(),
      ...settingsOf(spec),
      intro,
      outro,
      title: job.title,
      labels: toRows(job.labels),
      priority: String(job.priority),
    },
  };
}

function montageOf(spec: Schemas["JobSpec"]): Schemas["MontageSpec"] | null {
  if ("highlights" in spec) return spec;
  return "plan" in spec && spec.plan && "highlights" in (spec.plan as object)
    ? (spec.plan as Schemas["MontageSpec"])
    : null;
}

function settingsOf(spec: Schemas["MontageSpec"]) {
  const loudness = spec.audio.loudness_lufs;
  return {
    cut: spec.cut.mode,
    tolerance: lengthOf(spec.cut.tolerance),
    codec: spec.canvas.codec ?? "auto",
    width: spec.canvas.width ? String(spec.canvas.width) : "",
    height: spec.canvas.height ? String(spec.canvas.height) : "",
    frameRate: spec.canvas.frame_rate ?? "",
    order: spec.order,
    levelled: loudness !== null && loudness !== undefined,
    loudness: String(loudness ?? -16),
    transition: spec.transition.kind,
    transitionLength: lengthOf(spec.transition.duration),
    colour: spec.transition.colour ?? "#ffffff",
    show: spec.titles?.show ?? "none",
    showLength: lengthOf(spec.titles?.seconds),
    engine: spec.transcribe.engine,
    language: spec.transcribe.language ?? "",
  };
}

/** A time as text that means the very same. */
export function timeOf(time: MediaTime): string {
  if (typeof time === "number") return String(time);
  if (typeof time === "string") return time;
  if (time.frames !== undefined && time.frames !== null) return `${time.frames}f`;
  if (time.ticks !== undefined && time.ticks !== null) return ticksText(time.ticks);
  return String(time.seconds ?? 0);
}

/** A length as people write it: plain seconds. */
function lengthOf(time: MediaTime | null | undefined): string {
  if (!time) return "";
  const text = timeOf(time);
  const read = parseTime(text);
  return read && "seconds" in read && text.includes(":") ? String(read.seconds) : text;
}

const isZero = (time: MediaTime): boolean => {
  const read = parseTime(timeOf(time));
  return read !== null && ("seconds" in read ? read.seconds === 0 : read.frames === 0);
};

/** Where it ends; where start and length are counted differently, the length. */
function endOf(start: MediaTime, duration: MediaTime): string {
  if (typeof start === "object" && typeof duration === "object") {
    if (start.ticks !== undefined && duration.ticks !== undefined) return ticksText(start.ticks + duration.ticks);
    if (start.frames !== undefined && duration.frames !== undefined) return `${start.frames + duration.frames}f`;
  }
  return `+${timeOf(duration)}`;
}
