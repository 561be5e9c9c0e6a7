// The draft of a montage: everything that somebody has put together so far, as it is kept in the browser.
//
// Times and numbers stay the text that was typed, so that a reload gives back even what is half written.
import type { components } from "../../../api/schema";
import type { LabelRow } from "../../../ui/labels";

type Schemas = components["schemas"];

export type SourceRef = Schemas["Source"];
export type CutMode = Schemas["CutMode"];
export type CanvasCodec = Schemas["CanvasCodec"];
export type Order = Schemas["Order"];
export type TransitionKind = Schemas["TransitionKind"];
export type TitleShow = Schemas["TitleShow"];
export type Engine = Schemas["Engine"];

/** Where clips are cut from. */
export interface DraftSource {
  key: string;
  /** As the API names it; null while its file is on its way. */
  ref: SourceRef | null;
  /** What it is called on the page. */
  name: string;
  /** The file that it comes from, so that an upload that broke off can go on. */
  file: UnfinishedFile | null;
  /** The marks that are set on it. */
  start: string;
  end: string;
}

export interface UnfinishedFile {
  size: number;
  /** When it was changed last, in milliseconds: with name and size it tells a file from another. */
  modified: number;
  /** Where it is being sent to; null before the server has said it. */
  url: string | null;
  /** Bytes that the server has. */
  sent: number;
}

/** A moment, as it will be sent. */
export interface DraftClip {
  key: string;
  /** The key of its source. */
  source: string;
  start: string;
  /** Where it ends, or with a `+` how long it is. */
  end: string;
  title: string;
  streamer: string;
  score: string;
  /** How it is cut where it differs from the whole; empty where it does not. */
  cut: CutMode | "";
  tolerance: string;
}

/** The clip that is being made or changed beside the player: its times are the marks of its source. */
export interface ClipForm {
  /** The key of the source that is looked at. */
  source: string | null;
  /** The key of the clip that is changed; null for a new one. */
  editing: string | null;
  title: string;
  streamer: string;
  score: string;
  cut: CutMode | "";
  tolerance: string;
}

/** What stands before or after all clips; without a source nothing does. */
export interface DraftBookend {
  source: string;
  start: string;
  end: string;
}

export interface Options {
  title: string;
  labels: LabelRow[];
  cut: CutMode;
  tolerance: string;
  codec: CanvasCodec;
  width: string;
  height: string;
  frameRate: string;
  order: Order;
  levelled: boolean;
  loudness: string;
  transition: TransitionKind;
  transitionLength: string;
  colour: string;
  show: TitleShow;
  showLength: string;
  intro: DraftBookend;
  outro: DraftBookend;
  engine: Engine;
  language: string;
  priority: string;
  /** As a field of date and time has it, in the reader's zone. */
  runAt: string;
}

/** What was posted last, so that posting it again makes no second job. */
export interface Sending {
  /** The `Idempotency-Key`. */
  key: string;
  body: string;
  /** The job that it became; null until that was answered. */
  job: string | null;
}

export interface Draft {
  version: 1;
  sources: DraftSource[];
  clips: DraftClip[];
  form: ClipForm;
  options: Options;
  sending: Sending | null;
}

/** A name for something of the draft, never used twice. Works on plain http too, where `randomUUID` does not exist. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const emptyForm = (): ClipForm => ({
  source: null,
  editing: null,
  title: "",
  streamer: "",
  score: "",
  cut: "",
  tolerance: "",
});

const noBookend = (): DraftBookend => ({ source: "", start: "", end: "" });

export const defaultOptions = (): Options => ({
  title: "",
  labels: [],
  cut: "exact",
  tolerance: "",
  codec: "auto",
  width: "",
  height: "",
  frameRate: "",
  order: "given",
  levelled: true,
  loudness: "-16",
  transition: "none",
  transitionLength: "",
  colour: "#ffffff",
  show: "none",
  showLength: "",
  intro: noBookend(),
  outro: noBookend(),
  engine: "local",
  language: "",
  priority: "0",
  runAt: "",
});

export const emptyDraft = (): Draft => ({
  version: 1,
  sources: [],
  clips: [],
  form: emptyForm(),
  options: defaultOptions(),
  sending: null,
});

/** Whether nothing was put together yet. */
export const isEmpty = (draft: Draft): boolean => draft.sources.length === 0 && draft.clips.length === 0;

/** Whether two sources are the same place. */
export function sameRef(a: SourceRef | null, b: SourceRef | null): boolean {
  return a !== null && b !== null && refText(a) === refText(b);
}

/** A source as one text, unlike every other source's. */
export function refText(ref: SourceRef): string {
  if ("url" in ref) return ref.url;
  if ("path" in ref) return ref.path;
  return "upload" in ref ? `upload:${ref.upload}` : `montage:${ref.montage}`;
}

/** What a source is called where nobody named it: the file's name, where it has one. */
export function nameOf(ref: SourceRef): string {
  if ("path" in ref) return ref.path.split("/").at(-1) || ref.path;
  if ("upload" in ref) return `Upload ${ref.upload.slice(-6)}`;
  if ("montage" in ref) return `Montage ${ref.montage.slice(-6)}`;
  try {
    const url = new URL(ref.url);
    const last = url.pathname.split("/").filter(Boolean).at(-1);
    return last ? decodeURIComponent(last) : url.host;
  } catch {
    return ref.url;
  }
}

export function newSource(ref: SourceRef | null, name: string, file: UnfinishedFile | null = null): DraftSource {
  return { key: newKey(), ref, name, file, start: "", end: "" };
}

/** Reads a link, or a path below one of the operator's directories; text where it is neither: what is wrong. */
export function readRef(text: string): SourceRef | string {
  const trimmed = text.trim();
  if (trimmed === "") return "Paste a link, such as https://media.example/vod.mp4.";
  if (/^https?:\/\//i.test(trimmed)) {
    let url: URL;
    try {
      url = new URL(trimmed);
    } catch {
      return "This is not a whole link. Copy it once more, such as https://media.example/vod.mp4.";
    }
    if (url.username || url.password) return "Links with a user name or a password are not accepted.";
    return { url: trimmed };
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)) return "Links begin with https:// or http://.";
  const path = /^([^:/\s]+):(.+)$/.exec(trimmed);
  if (path?.[2]) {
    if (path[2].split("/").some((part) => part === "" || part === "." || part === "..")) {
      return "A path lies below its directory, without .. and without a leading slash, such as library:clips/a.mkv.";
    }
    return { path: trimmed };
  }
  return "Write a link that begins with https://, or a path such as library:clips/a.mkv.";
}
