// Which days are asked for, as fields.
import type { Json } from "../../lib/json";
import { readTexts, type Spot, type Texts, writeTexts } from "./spots";

/** All that there is, so many days before the run, or from one day to another. */
export type WindowMode = "all" | "last" | "days";

export interface WindowForm {
  mode: WindowMode;
  texts: Texts;
  /** What was read; null for no window. */
  read: Json | null;
}

const LAST: Spot[] = [{ place: "last_days", form: "number" }];
const DAYS: Spot[] = [
  { place: "from", form: "text" },
  { place: "to", form: "text" },
];
/** So many days are offered at first: a week. */
const USUAL_DAYS = "7";

const modeOf = (read: Json | null): WindowMode => (!read ? "all" : "last_days" in read ? "last" : "days");

export function toWindowForm(read: Json | null): WindowForm {
  const texts = readTexts(read ?? {}, [...LAST, ...DAYS]);
  return { mode: modeOf(read), texts: { ...texts, last_days: texts.last_days || USUAL_DAYS }, read };
}

/** What a form asks for in the end: a source that must be asked for some days is asked for the last ones. */
export const modeFor = (form: WindowForm, needed: boolean): WindowMode =>
  needed && form.mode === "all" ? "last" : form.mode;

/** The spots that have fields now. */
export const windowSpots = (mode: WindowMode): Spot[] => (mode === "last" ? LAST : mode === "days" ? DAYS : []);

/** The window of a form; null for none. */
export function toWindow(form: WindowForm, needed: boolean): Json | null {
  const mode = modeFor(form, needed);
  if (mode === "all") return null;
  return writeTexts(mode === modeOf(form.read) ? (form.read ?? {}) : {}, windowSpots(mode), form.texts);
}
