// Which montages are made, as fields: a list of rules, each with what it takes and in which order.
import type { Json } from "../../lib/json";
import { readTexts, type Spot, type Texts, textSpots, writeTexts } from "./spots";

/** Most montages of a schedule. */
export const MOST_MONTAGES = 10;

export interface MontageForm {
  /** Stays while it is written. */
  key: number;
  texts: Texts;
  /** What was read, or what a pattern says. */
  read: Json;
}

/** Of whom a montage is, the usual one first. */
export const OF = { all_streamers: "One of all streamers", each_streamer: "One for each streamer" } as const;
/** Who comes first where not all can be taken. */
export const MIXES = {
  score: "the best, whoever it is",
  equal: "every streamer in turn",
} as const;
/** In which order highlights stand. */
export const ORDERS = {
  given: "as the source lists them",
  score: "the best first",
  time: "as they happened",
  shuffle: "shuffled",
} as const;

const numbers = (...names: string[]): Spot[] => names.map((name) => ({ place: `select/${name}`, form: "number" }));
const lengths = (...names: string[]): Spot[] => names.map((name) => ({ place: `select/${name}`, form: "length" }));

/** What decides which highlights are taken, and how they stand. */
export const SELECTION: Spot[] = [
  ...numbers("minimum_score", "per_video", "per_streamer", "top"),
  ...lengths("padding/before", "padding/after", "budget"),
  { place: "select/merge", form: "flag" },
  ...textSpots("select/", { mix: "score", order: "given" }),
  { place: "select/seed", form: "number", usual: "0" },
];

export const MONTAGE: Spot[] = [
  ...textSpots("", { of: "all_streamers", title: undefined, highlight_title: undefined }),
  ...SELECTION,
];

export const toMontageForm = (read: Json, key: number): MontageForm => ({ key, texts: readTexts(read, MONTAGE), read });

export const toMontage = ({ read, texts }: MontageForm): Json => writeTexts(read, MONTAGE, texts);

/** A key that no other of the list has. */
export const newKey = (montages: MontageForm[]): number => Math.max(-1, ...montages.map(({ key }) => key)) + 1;

/** What is often wanted, to begin with. */
export const PATTERNS: { name: string; montages: Json[] }[] = [
  {
    name: "One for each streamer",
    montages: [{ of: "each_streamer", title: "Best of {streamer}, {date}", select: { order: "time" } }],
  },
  {
    name: "One for each streamer and one of all",
    montages: [
      { of: "each_streamer", title: "Best of {streamer}, {date}", select: { per_video: 1, order: "time" } },
      { of: "all_streamers", title: "Best of all, {date}", select: { per_streamer: 1, order: "shuffle" } },
    ],
  },
  {
    name: "The best ten minutes of all",
    montages: [{ title: "The best ten minutes, {date}", select: { mix: "equal", budget: "10:00", order: "time" } }],
  },
];
