// Reads a draft that was kept in the browser. What is not as it should be takes its default: an earlier version of this page, or somebody
// with the browser's tools, may have written anything.
import {
  type ClipForm,
  type Draft,
  type DraftBookend,
  type DraftClip,
  type DraftSource,
  defaultOptions,
  emptyForm,
  nameOf,
  newKey,
  type Options,
  type Sending,
  type SourceRef,
  type UnfinishedFile,
} from "./model";

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown, otherwise = ""): string => (typeof value === "string" ? value : otherwise);
const size = (value: unknown): number => (typeof value === "number" && value >= 0 ? value : 0);
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isObject) : []);
const choice = <T extends string>(value: unknown, choices: readonly T[], otherwise: T): T =>
  choices.find((one) => one === value) ?? otherwise;

export const CUT_MODES = ["exact", "snap", "copy", "auto"] as const;
export const CODECS = ["auto", "h264", "hevc"] as const;
export const ORDERS = ["given", "score"] as const;
export const TRANSITIONS = ["none", "fade", "dip", "dissolve"] as const;
export const SHOWS = ["none", "title", "streamer", "both"] as const;
export const ENGINES = ["local", "openai", "none"] as const;

/** The draft in a text; `null` where there is none that this page understands. */
export function readDraft(stored: string): Draft | null {
  let value: unknown;
  try {
    value = JSON.parse(stored);
  } catch {
    return null;
  }
  if (!isObject(value) || value.version !== 1) return null;
  const sources = list(value.sources).map(readSource);
  const known = new Set(sources.map((source) => source.key));
  const clips = list(value.clips)
    .map(readClip)
    .filter((clip) => known.has(clip.source));
  const form = readForm(value.form);
  const looked = form.source !== null && known.has(form.source) ? form.source : (sources[0]?.key ?? null);
  const editing = clips.some((clip) => clip.key === form.editing) ? form.editing : null;
  return {
    version: 1,
    sources,
    clips,
    form: { ...form, source: looked, editing },
    options: readOptions(value.options, known),
    sending: readSending(value.sending),
  };
}

function readSource(value: Fields): DraftSource {
  const ref = readSourceRef(value.ref);
  const file = readFile(value.file);
  return {
    key: text(value.key) || newKey(),
    ref,
    name: text(value.name) || (ref ? nameOf(ref) : "A file"),
    file: ref ? null : (file ?? { size: 0, modified: 0, url: null, sent: 0 }),
    start: text(value.start),
    end: text(value.end),
  };
}

function readSourceRef(value: unknown): SourceRef | null {
  if (!isObject(value)) return null;
  if (typeof value.url === "string") return { url: value.url };
  if (typeof value.path === "string") return { path: value.path };
  if (typeof value.upload === "string") return { upload: value.upload };
  return typeof value.montage === "string" ? { montage: value.montage } : null;
}

function readFile(value: unknown): UnfinishedFile | null {
  if (!isObject(value)) return null;
  const url = text(value.url) || null;
  return { size: size(value.size), modified: size(value.modified), url, sent: size(value.sent) };
}

function readClip(value: Fields): DraftClip {
  return {
    key: text(value.key) || newKey(),
    source: text(value.source),
    start: text(value.start),
    end: text(value.end),
    ...readTold(value),
  };
}

const readTold = (value: Fields) => ({
  title: text(value.title),
  streamer: text(value.streamer),
  score: text(value.score),
  cut: choice(value.cut, ["", ...CUT_MODES] as const, ""),
  tolerance: text(value.tolerance),
});

function readForm(value: unknown): ClipForm {
  if (!isObject(value)) return emptyForm();
  return { source: text(value.source) || null, editing: text(value.editing) || null, ...readTold(value) };
}

function readOptions(value: unknown, sources: Set<string>): Options {
  const otherwise = defaultOptions();
  if (!isObject(value)) return otherwise;
  return {
    title: text(value.title),
    labels: list(value.labels).map((label, key) => ({ key, name: text(label.name), value: text(label.value) })),
    cut: choice(value.cut, CUT_MODES, otherwise.cut),
    tolerance: text(value.tolerance),
    codec: choice(value.codec, CODECS, otherwise.codec),
    width: text(value.width),
    height: text(value.height),
    frameRate: text(value.frameRate),
    order: choice(value.order, ORDERS, otherwise.order),
    levelled: value.levelled !== false,
    loudness: text(value.loudness, otherwise.loudness),
    transition: choice(value.transition, TRANSITIONS, otherwise.transition),
    transitionLength: text(value.transitionLength),
    colour: text(value.colour, otherwise.colour),
    show: choice(value.show, SHOWS, otherwise.show),
    showLength: text(value.showLength),
    intro: readBookend(value.intro, sources),
    outro: readBookend(value.outro, sources),
    engine: choice(value.engine, ENGINES, otherwise.engine),
    language: text(value.language),
    priority: text(value.priority, otherwise.priority),
    runAt: text(value.runAt),
  };
}

function readBookend(value: unknown, sources: Set<string>): DraftBookend {
  if (!isObject(value) || !sources.has(text(value.source))) return { source: "", start: "", end: "" };
  return { source: text(value.source), start: text(value.start), end: text(value.end) };
}

function readSending(value: unknown): Sending | null {
  if (!isObject(value) || !text(value.key)) return null;
  return { key: text(value.key), body: text(value.body), job: text(value.job) || null };
}
