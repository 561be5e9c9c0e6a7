// Where highlights come from, as fields: one kind of source at a time, and of its fields those that it needs.
//
// Promises: whoever tries another kind or format and comes back finds what was written; what the server would refuse beside the chosen kind
// and format is left out, everything else that was read stays.
import type { components } from "../../api/schema";
import { type Json, takeOut } from "../../lib/json";
import { readTexts, type Spot, type Texts, textSpots, writeTexts } from "./spots";

type Schemas = components["schemas"];
export type Source = Schemas["HighlightSource"];
export type Format = Schemas["ListFormat"];

/** The kinds of sources: where they are. */
export const KINDS = {
  url: "a document on the web",
  path: "a file of a media directory",
  object: "an object of the operator’s store",
  dynamodb: "tables in DynamoDB",
  twitch: "clips on Twitch",
} as const;

export type Kind = keyof typeof KINDS;

/** The formats of lists, the usual one first. */
export const FORMATS: Record<Format, string> = {
  highlights: "a JSON list of highlights",
  json: "other JSON",
  csv: "a table as text (CSV)",
  edl: "an edit decision list (EDL)",
  otio: "a timeline (OpenTimelineIO)",
  chapters: "YouTube chapters",
};

export interface SourceForm {
  kind: Kind;
  /** Of all kinds, so that another kind can be tried. */
  texts: Texts;
  /** What was read. */
  read: Json;
}

/** What a row of a list says, in words; by its name, which is where it is usually said. */
export const SAID = {
  video: "The video",
  start: "Where it starts",
  end: "Where it ends",
  duration: "How long it is",
  title: "Its title",
  streamer: "Who is seen",
  score: "How good it is",
  at: "When it was",
} as const;

/** The attributes of tables, in words; with their usual names. */
export const ATTRIBUTES = {
  "dynamodb/streamers/id": ["Streamers: the channel’s id (key)", "ChannelId"],
  "dynamodb/streamers/name": ["Streamers: the name", "Name"],
  "dynamodb/highlights/streamer": ["Highlights: the channel’s id (key)", "ChannelId"],
  "dynamodb/highlights/date": ["Highlights: the date (sort key)", "Date"],
  "dynamodb/highlights/video": ["Highlights: the video’s id", "VideoId"],
  "dynamodb/highlights/list": ["Highlights: the moments", "TopHighlights"],
  "dynamodb/highlights/timestamp": ["A moment: where it starts", "Timestamp"],
  "dynamodb/highlights/score": ["A moment: how good it is", "Score"],
} as const;

/** How long a highlight of a table is where nobody says. */
export const USUAL_DURATION = "1:00";

const PLACES = textSpots("", { url: undefined, path: undefined, object: undefined });
const FORMAT: Spot = { place: "format", form: "text", usual: "highlights" };
const ROWS: Spot = { place: "mapping/rows", form: "text" };
const MAPPING: Spot[] = Object.keys(SAID).map((name) => ({ place: `mapping/${name}`, form: "text" }));
const PAGING = textSpots("paging/", { next: undefined, parameter: undefined });
const VIDEO: Spot = { place: "video", form: "video" };
const DURATION: Spot = { place: "duration", form: "length" };
const STREAMER: Spot = { place: "streamer", form: "text" };
const FRAME_RATE: Spot = { place: "frame_rate", form: "text" };
const START_TIMECODE: Spot = { place: "start_timecode", form: "text" };
const DYNAMODB: Spot[] = [
  ...textSpots("dynamodb/", { "streamers/table": undefined, "highlights/table": undefined, region: undefined }),
  ...Object.entries(ATTRIBUTES).map(([place, [, usual]]): Spot => ({ place, form: "text", usual })),
  { place: "dynamodb/highlights/date_form", form: "text", usual: "day" },
  { place: "dynamodb/video", form: "video" },
  { place: "dynamodb/duration", form: "length", usual: USUAL_DURATION },
];
const TWITCH: Spot[] = [
  { place: "twitch/channels", form: "names" },
  { place: "twitch/cut_from", form: "text", usual: "clip" },
];
const ALL = [
  ...PLACES,
  ...[FORMAT, ROWS, ...MAPPING, ...PAGING, VIDEO, DURATION, STREAMER, FRAME_RATE, START_TIMECODE],
  ...DYNAMODB,
  ...TWITCH,
];

/** What each format has fields for, beside who is seen. */
const OF_FORMAT: Record<Format, Spot[]> = {
  highlights: [DURATION],
  json: [ROWS, ...MAPPING, VIDEO, DURATION],
  csv: [...MAPPING, VIDEO, DURATION],
  edl: [FRAME_RATE, START_TIMECODE, VIDEO],
  otio: [VIDEO],
  chapters: [VIDEO, DURATION],
};

const isList = (kind: Kind) => kind !== "dynamodb" && kind !== "twitch";

/** The format of a list. */
export const formatOf = (form: SourceForm): Format => (form.texts.format || "highlights") as Format;

/** Whether a list can come in several pages. */
export const hasPages = (form: SourceForm): boolean =>
  form.kind === "url" && (formatOf(form) === "highlights" || formatOf(form) === "json");

/** The spots that have fields now. */
export function shownSpots(form: SourceForm): Spot[] {
  if (form.kind === "dynamodb") return DYNAMODB;
  if (form.kind === "twitch") return TWITCH;
  const place = PLACES.filter((spot) => spot.place === form.kind);
  return [...place, FORMAT, ...OF_FORMAT[formatOf(form)], STREAMER, ...(hasPages(form) ? PAGING : [])];
}

/** What the server refuses beside the chosen kind and format. */
function refused(form: SourceForm): string[] {
  const format = formatOf(form);
  return [
    ...PLACES.map((spot) => spot.place).filter((place) => place !== form.kind),
    ...(format === "json" || format === "csv" ? [] : ["mapping"]),
    ...(format === "csv" ? ["mapping/rows"] : []),
    ...(hasPages(form) ? [] : ["paging"]),
    ...(format === "highlights" ? ["video"] : []),
    ...(format === "edl" ? [] : ["frame_rate", "start_timecode"]),
  ];
}

function kindOf(source: Json): Kind {
  return (Object.keys(KINDS) as Kind[]).find((kind) => kind in source) ?? "url";
}

/** The fields of a source. */
export const toSourceForm = (read: Json): SourceForm => ({ kind: kindOf(read), texts: readTexts(read, ALL), read });

/** The source of a form. */
export function toSource(form: SourceForm): Json {
  const was = kindOf(form.read);
  const same = was === form.kind || (isList(was) && isList(form.kind));
  const before = same ? structuredClone(form.read) : {};
  if (isList(form.kind)) for (const place of refused(form)) takeOut(before, place.split("/"));
  return writeTexts(before, shownSpots(form), form.texts);
}

/** Whether a source can only be asked for some days. */
export function needsWindow(form: SourceForm): boolean {
  return !isList(form.kind) || /\{(from|to)\}/.test(form.texts[form.kind] ?? "");
}
