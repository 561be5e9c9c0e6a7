// A play in words. Pure.
import type { components } from "../../api/schema";

type ReplayReport = components["schemas"]["ReplayReport"];
type Verification = components["schemas"]["Verification"];
type Difference = components["schemas"]["Difference"];

const number = new Intl.NumberFormat("en");
const two = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Who played what. */
export const playName = (report: ReplayReport): string =>
  `${report.player} plays ${report.artist} – ${report.title} [${report.difficulty}]`;

/** Whether the video shows what the replay counts. */
export const verdictOf = ({ verified, differences }: Verification): string =>
  !verified
    ? "The video differs from what the replay counts"
    : differences.length > 0
      ? "Verified: all results are those of the replay; smaller numbers differ"
      : "Verified: everything is as the replay counts it";

const NAMES: Record<string, string> = {
  score: "Score",
  max_combo: "Highest combo",
  count_miss: "Misses",
  count_geki: "Geki",
  count_katu: "Katu",
};

/** A number that differs. */
export const differenceWords = ({ name, header, judged }: Difference): string =>
  `${NAMES[name] ?? name.replace(/^count_/, "").replaceAll("_", " ")}: ${number.format(header)} in the replay, ${number.format(judged)} in the video`;

/** What a play came to. */
export function factsOf(report: ReplayReport): [string, string][] {
  const facts: [string, string][] = [
    ["Score", number.format(report.score)],
    ["Accuracy", `${two.format(report.accuracy * 100)} %`],
    ["Highest combo", `${number.format(report.max_combo)}x`],
    ["pp", two.format(report.pp)],
    ["Stars", two.format(report.stars)],
    ["Unstable rate", two.format(report.unstable_rate)],
  ];
  if (report.mode === "osu") facts.push(["Slider breaks", number.format(report.slider_breaks)]);
  return facts;
}

/** Counts in the order in which players read them. */
const ORDER = ["max", "300", "200", "100", "50", "miss"];

export function countsOf(report: ReplayReport): [string, string][] {
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  const named = (name: string) => (name === "max" ? "MAX" : name === "miss" ? "Misses" : name.replaceAll("_", " "));
  return Object.entries(report.counts)
    .sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b))
    .map(([name, count]) => [named(name), number.format(count)]);
}
