// What every kind of import comes to: moments with their times, and what could not be read, each with its line.

/** A moment that was read. Times are in the forms that the API takes. */
export interface Entry {
  /** Where it stands in the file, from 1. */
  line: number;
  start: string;
  /** Where it ends; with a `+` how long it is; empty where the file does not say it. */
  end: string;
  title: string;
  streamer: string;
  score: string;
  /** Its source as the file names it; empty where it names none. */
  source: string;
}

/** Something that could not be read. */
export interface Unread {
  line: number;
  text: string;
}

export interface Imported {
  entries: Entry[];
  /** What is wrong, and not taken. */
  mistakes: Unread[];
  /** What was understood in a way that somebody should know of. */
  notes: Unread[];
}

export const KINDS = ["csv", "edl", "otio", "chapters"] as const;
export type Kind = (typeof KINDS)[number];

/** What the kinds are called. */
export const KIND_NAMES: Record<Kind, string> = {
  csv: "Table (CSV)",
  edl: "Edit list (EDL, CMX 3600)",
  otio: "OpenTimelineIO (OTIO)",
  chapters: "YouTube chapters",
};

export const nothing = (): Imported => ({ entries: [], mistakes: [], notes: [] });

/** The lines of a text, whichever way they end, without the mark that some programs put first. */
export const linesOf = (text: string): string[] => text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
