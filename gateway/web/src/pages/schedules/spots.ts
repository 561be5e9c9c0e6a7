// Fields over JSON: each field has a spot, the place of its value, and a text, what stands in it.
//
// Promises: what was read stays as it was read, to the last name that no field knows, except where a person changed the text of a field.
// A usual value that the server wrote out is an empty field, which shows it as its placeholder.
import { isObject, type Json, look, putIn, takeOut } from "../../lib/json";
import { TICKS, ticksText } from "../make/time";

/** What stands in the fields, by their spots. */
export type Texts = Record<string, string>;

/** How a value is written in a field. */
type Form =
  | "text"
  | "number"
  /** A length of time, such as `8s` or `1:30`. */
  | "length"
  /** Where videos are: an address, or a path in a media directory. */
  | "video"
  /** Names in a list, with commas or spaces between them. */
  | "names"
  /** `no` for false; true is usual. */
  | "flag";

export interface Spot {
  /** The names that lead to the value, as in a JSON pointer: `padding/before`. */
  place: string;
  form: Form;
  /** The text of what holds where nothing is said. */
  usual?: string;
}

/** Spots below a place that are text, each with its usual text if it has one. */
export const textSpots = (below: string, names: Record<string, string | undefined>): Spot[] =>
  Object.entries(names).map(([name, usual]) => ({ place: below + name, form: "text", usual }));

const parts = (place: string) => place.split("/");

/** A length of time as a field has it: seconds up to a minute, minutes and seconds above. */
export function lengthText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return `${value}s`;
  if (!isObject(value)) return "";
  if (typeof value.frames === "number") return `${value.frames}f`;
  if (typeof value.ticks !== "number") return typeof value.seconds === "number" ? `${value.seconds}s` : "";
  const thousandths = (value.ticks * 1000) / TICKS;
  return Number.isInteger(thousandths) && thousandths < 60_000 ? `${thousandths / 1000}s` : ticksText(value.ticks);
}

function written(value: unknown, form: Form): string {
  switch (form) {
    case "length":
      return lengthText(value);
    case "number":
      return typeof value === "number" ? String(value) : "";
    case "flag":
      return value === false ? "no" : "";
    case "names":
      return Array.isArray(value) ? value.filter((name) => typeof name === "string").join(", ") : "";
    case "video": {
      const place = isObject(value) ? (value.url ?? value.path) : undefined;
      return typeof place === "string" ? place : "";
    }
    default:
      return typeof value === "string" ? value : "";
  }
}

/** The login name that somebody may have copied with its address. */
const login = (name: string) => name.replace(/^(https?:\/\/)?(www\.|m\.)?twitch\.tv\//i, "").replace(/^@|\/.*$/g, "");

function meant(text: string, form: Form): unknown {
  switch (form) {
    case "number": {
      const number = Number(text);
      // The server says what is wrong with the rest.
      return Number.isFinite(number) ? number : text;
    }
    case "flag":
      return text !== "no";
    case "names":
      return text
        .split(/[\s,;]+/)
        .map(login)
        .filter(Boolean);
    case "video":
      return text.includes("://") ? { url: text } : { path: text };
    default:
      return text;
  }
}

function textAt(json: Json, { place, form, usual }: Spot): string {
  const text = written(look(json, parts(place)), form);
  return text === usual ? "" : text;
}

/** What stands in the fields of something that was read. */
export const readTexts = (json: Json, spots: readonly Spot[]): Texts =>
  Object.fromEntries(spots.map((spot) => [spot.place, textAt(json, spot)]));

/** What was read, with the texts that are others now. An emptied field takes its value out. */
export function writeTexts(read: Json, spots: readonly Spot[], texts: Texts): Json {
  const json = structuredClone(read);
  for (const spot of spots) {
    const text = (texts[spot.place] ?? "").trim();
    if (text === textAt(read, spot).trim()) continue;
    if (text === "") takeOut(json, parts(spot.place));
    else putIn(json, parts(spot.place), meant(text, spot.form));
  }
  return json;
}
