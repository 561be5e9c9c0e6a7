import { describe, expect, it } from "vitest";
import { countsOf, differenceWords, factsOf, playName, verdictOf } from "./play-words";

const report = {
  mode: "mania",
  player: "P",
  artist: "A",
  title: "T",
  difficulty: "D",
  creator: "C",
  map_md5: "",
  mods: ["DT"],
  lazer: false,
  stars: 5.5,
  pp: 1234.5,
  accuracy: 0.98765,
  score: 1234567,
  max_combo: 1204,
  unstable_rate: 84.5,
  counts: { "100": 3, "300": 200, max: 100, miss: 1, "50": 0, "200": 7 },
  slider_breaks: 0,
  verification: { verified: true, differences: [] },
};

describe("a play in words", () => {
  it("says who played what and what it came to", () => {
    expect(playName(report)).toBe("P plays A – T [D]");
    expect(factsOf(report)).toContainEqual(["Accuracy", "98.77 %"]);
    expect(factsOf(report)).toContainEqual(["Highest combo", "1,204x"]);
    expect(factsOf(report).map(([name]) => name)).not.toContain("Slider breaks");
    expect(countsOf(report).map(([name]) => name)).toEqual(["MAX", "300", "200", "100", "50", "Misses"]);
  });

  it("never calls verified what is not", () => {
    const difference = { name: "count_100", header: 1200, judged: 1199 };
    expect(verdictOf({ verified: false, differences: [difference] })).toBe(
      "The video differs from what the replay counts",
    );
    expect(verdictOf({ verified: true, differences: [] })).toMatch(/^Verified: everything/);
    expect(verdictOf({ verified: true, differences: [{ ...difference, name: "score" }] })).toMatch(/smaller numbers/);
    expect(differenceWords(difference)).toBe("100: 1,200 in the replay, 1,199 in the video");
  });
});
