// What a schedule reads, for which days, and what it makes of it, in words. Pure.
import type { Schedule } from "../../api/types";
import { count } from "../../lib/format";
import { isObject, type Json, look } from "../../lib/json";
import { MIXES, ORDERS } from "./montage-form";
import type { Policies } from "./schedule-form";
import { FORMATS, type Format, KINDS, SAID } from "./source-form";
import { lengthText } from "./spots";

/** Something that is said of a schedule, under its name; `code` for what is no word of people. */
export interface Fact {
  name: string;
  words: string;
  code?: string;
}

const textAt = (json: Json, place: string): string | undefined => {
  const value = look(json, place.split("/"));
  return typeof value === "string" && value !== "" ? value : undefined;
};
const numberAt = (json: Json, place: string): number | undefined => {
  const value = look(json, place.split("/"));
  return typeof value === "number" ? value : undefined;
};
/** A length, where there is one. */
const lengthAt = (json: Json, place: string): string | undefined => {
  const text = lengthText(look(json, place.split("/")));
  return text === "" || text === "0s" ? undefined : text;
};

function videoFact(json: Json, place: string): Fact[] {
  const code = textAt(json, `${place}/url`) ?? textAt(json, `${place}/path`);
  return code ? [{ name: "Videos are at", words: "", code }] : [];
}

/** Names in a sentence: the first few, and how many more. */
export function someOf(names: readonly string[], most = 5): string {
  if (names.length <= most + 1) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

/** Where highlights come from. */
export function sourceFacts(from: Schedule["source"]): Fact[] {
  const source = from as Json;
  const name = "Highlights from";
  if (isObject(source.dynamodb)) {
    const region = textAt(source, "dynamodb/region");
    const duration = lengthAt(source, "dynamodb/duration");
    return [
      { name, words: region ? `${KINDS.dynamodb}, in ${region}` : KINDS.dynamodb },
      { name: "Table of streamers", words: "", code: textAt(source, "dynamodb/streamers/table") },
      { name: "Table of highlights", words: "", code: textAt(source, "dynamodb/highlights/table") },
      ...videoFact(source, "dynamodb/video"),
      ...(duration ? [{ name: "A highlight lasts", words: duration }] : []),
    ];
  }
  if (isObject(source.twitch)) {
    const channels = Array.isArray(source.twitch.channels) ? source.twitch.channels.map(String) : [];
    return [
      { name, words: `${KINDS.twitch} of ${someOf(channels)}` },
      { name: "Cut from", words: source.twitch.cut_from === "recording" ? "the recordings" : "the clips" },
    ];
  }
  return listFacts(source, name);
}

function listFacts(source: Json, name: string): Fact[] {
  const kind = (["url", "path", "object"] as const).find((place) => place in source);
  const format = (textAt(source, "format") ?? "highlights") as Format;
  const mapping = Object.entries(SAID).flatMap(([said, words]) => {
    const place = textAt(source, `mapping/${said}`);
    return place ? [`${words}: ${place}`] : [];
  });
  const next = textAt(source, "paging/next");
  const parameter = textAt(source, "paging/parameter");
  const duration = lengthAt(source, "duration");
  const [rows, rate, streamer] = ["mapping/rows", "frame_rate", "streamer"].map((place) => textAt(source, place));
  return [
    { name, words: kind ? KINDS[kind] : "", code: kind && textAt(source, kind) },
    { name: "Written as", words: FORMATS[format] ?? format },
    ...(rows ? [{ name: "Rows", words: "", code: rows }] : []),
    ...(mapping.length > 0 ? [{ name: "In a row", words: mapping.join("; ") }] : []),
    ...(rate ? [{ name: "Frames a second", words: rate }] : []),
    ...videoFact(source, "video"),
    ...(next ? [{ name: "Next page", words: parameter ? `sent as ${parameter}` : "", code: next }] : []),
    ...(duration ? [{ name: "Length, if a row says none", words: duration }] : []),
    ...(streamer ? [{ name: "Streamer, if a row says none", words: streamer }] : []),
  ];
}

/** Days as people write them: `16 – 22 Nov 2026`. */
export function daysWords({ from, to }: { from: string; to: string }, locale?: string): string {
  const day = (text: string) => new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(day(from).getTime()) || Number.isNaN(day(to).getTime())) return `${from} to ${to}`;
  const form = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
  return form.formatRange(day(from), day(to));
}

/** Which days are asked for. */
export function windowWords(window: Schedule["window"], locale?: string): string {
  if (!window) return "all that the source lists";
  if ("last_days" in window) {
    return window.last_days === 1 ? "the day before the run" : `the ${window.last_days} days before the run`;
  }
  return daysWords(window, locale);
}

/** Of whom a montage is. */
export const ofWords = (montage: { of?: string }): string =>
  montage.of === "each_streamer" ? "One for each streamer" : "One of all streamers";

/** Which highlights a montage takes and how they stand, in a few words each. */
export function selectionWords(select: unknown): string[] {
  const rules = isObject(select) ? select : {};
  const [before, after] = [lengthAt(rules, "padding/before"), lengthAt(rules, "padding/after")];
  const minimum = numberAt(rules, "minimum_score");
  const [ofVideo, ofStreamer, top] = ["per_video", "per_streamer", "top"].map((name) => numberAt(rules, name));
  const budget = lengthAt(rules, "budget");
  const order = (textAt(rules, "order") ?? "given") as keyof typeof ORDERS;
  const bounded = top !== undefined || budget !== undefined;
  const words = [
    minimum !== undefined && `with a score of ${minimum} or better`,
    before && after && `${before} before and ${after} after each`,
    before && !after && `${before} before each`,
    after && !before && `${after} after each`,
    rules.merge === false && "overlapping ones apart",
    ofVideo !== undefined && `at most ${ofVideo} of a video`,
    ofStreamer !== undefined && `at most ${ofStreamer} of a streamer`,
    bounded && rules.mix === "equal" && MIXES.equal,
    top !== undefined && `at most ${top} in all`,
    budget && `at most ${budget} of time`,
    ORDERS[order] ?? order,
  ];
  return words.filter((word) => typeof word === "string");
}

/** What is done about missed runs, by the policy. */
export const CATCH_UPS: Record<Policies["catch_up"], string> = {
  once: "one run makes up for all of them",
  each: "each is made up for, with its own days",
  skip: "they are left out",
};

/** What is done while jobs of the run before are not done, by the policy. */
export const OVERLAPS: Record<Policies["overlap"], string> = {
  allow: "the run begins all the same",
  wait: "the run waits until they are done",
  skip: "the run is left out",
};

/** How much later than its time a run may begin. */
export const jitterWords = (seconds: number): string =>
  seconds === 0
    ? "at its time"
    : `up to ${seconds % 3600 === 0 ? count(seconds / 3600, "hour") : seconds % 60 === 0 ? count(seconds / 60, "minute") : count(seconds, "second")} later`;
