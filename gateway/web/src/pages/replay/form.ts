// What is put together for a replay's video, and the job that it is posted as. Pure.
import { type Chosen, optionsOf } from "./options";

/** The files of a job, in the order of the page. */
export const FILES = [
  {
    name: "replay",
    label: "Replay",
    endings: ".osr",
    needed: true,
    help: "The .osr file: in the game, F2 on the results screen exports it.",
  },
  {
    name: "map",
    label: "Map",
    endings: ".osz,.osu",
    needed: true,
    help: "The .osz of the mapset that was played, in the version of that time. A single .osu goes with the song below.",
  },
  {
    name: "audio",
    label: "Song",
    endings: ".mp3,.ogg,.wav,.flac",
    needed: false,
    help: "Only where the map is a single .osu.",
  },
  {
    name: "skin",
    label: "Skin",
    endings: ".osk",
    needed: false,
    help: "An .osk file. Without one the video has its own looks.",
  },
] as const;

export type FileName = (typeof FILES)[number]["name"];

/** A file that was chosen: sent from here, or fetched from a link. */
export interface Given {
  /** What the page calls it. */
  label: string;
  source: { url: string } | { upload: string };
}

export type GivenFiles = Partial<Record<FileName, Given>>;

/** Whether a text is a link that a file can be fetched from. */
export const isLink = (text: string): boolean => /^https?:\/\/\S+$/.test(text.trim());

/** The job, as the API takes it. */
export function bodyOf(files: GivenFiles, title: string, chosen: Chosen) {
  const spec: Record<string, unknown> = {};
  for (const { name } of FILES) {
    const given = files[name];
    if (given) spec[name] = given.source;
  }
  const options = optionsOf(chosen);
  if (Object.keys(options).length > 0) spec.options = options;
  return { kind: "replay", ...(title.trim() && { title: title.trim() }), spec };
}

/** A title for a replay file of that name. */
export const titleOf = (file: string): string => file.replace(/\.osr$/i, "").slice(0, 200);

/** Mistakes of the API by the path of their option or the name of their file; the rest stands under an empty name. */
export function mistakesOf(errors: { pointer: string; detail: string }[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { pointer, detail } of errors) {
    const path = pointer
      .replace(/^\/spec\/options\//, "")
      .replace(/^\/spec\//, "")
      .split("/");
    const isFile = FILES.some(({ name }) => name === path[0]);
    const name = pointer.startsWith("/spec/") ? (isFile ? path[0] : path.slice(0, 2).join(".")) : pointer.slice(1);
    found[name ?? ""] ??= detail;
  }
  return found;
}
