import { describe, expect, it } from "vitest";
import { type Cue, cueAt, findWords, lastCue, nearestMatch, plainWords, prepare, stem, wordAt, wordsOf } from "./cues";

const cue = (start: number, text: string): Cue => ({ start, end: start + 2, text, clip: 0 });
const cues = [
  cue(5, "It was the best of times,"),
  cue(10, "it was the worst of times."),
  cue(20, "He walked on, running. Café!"),
  cue(30, "A well-known walk"),
];
const find = (query: string) => findWords(prepare(cues), query).map(({ cue, from, to }) => [cue, from, to]);

describe("moments of a transcript", () => {
  it("knows what is said, and what was said last", () => {
    expect([0, 5, 7.9, 9, 10].map((time) => cueAt(cues, time))).toEqual([-1, 0, 0, -1, 1]);
    expect([4, 9, 99].map((time) => lastCue(cues, time))).toEqual([-1, 0, 3]);
  });
  it("has the times of words only where they are those of the text", () => {
    const timed = {
      ...cue(0, "one two"),
      words: [0, 1].map((at) => ({ start: at, end: at + 1, text: at ? "two" : "one" })),
    };
    expect(wordAt(wordsOf(timed), 1.5)).toBe(1);
    expect(wordsOf({ ...timed, text: "one two three" }).map((word) => word.start)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(wordAt(wordsOf(cue(0, "one two")), 0.5)).toBe(-1);
  });
});

describe("searching a transcript", () => {
  it("finds words without regard to case, accents and signs", () => {
    expect(find("TIMES")).toEqual([
      [0, 5, 5],
      [1, 5, 5],
    ]);
    expect(find("cafe")).toEqual([[2, 4, 4]]);
    expect(plainWords("Don’t — stop, Žižek!")).toEqual(["dont", "stop", "zizek"]);
  });
  it("finds words together where they stand together, and single ones else", () => {
    expect(find("best of")).toEqual([[0, 3, 4]]);
    expect(find("best worst")).toEqual([
      [0, 3, 3],
      [1, 3, 3],
    ]);
  });
  it("finds the beginnings of words and their other forms", () => {
    expect(find("walking")).toEqual([
      [2, 1, 1],
      [3, 2, 2],
    ]);
    expect(find("run")).toEqual([[2, 3, 3]]);
    expect(find("know")).toEqual([[3, 1, 1]]);
    expect(["walks", "walked", "stopping", "making", "make", "this", "glass"].map(stem)).toEqual([
      "walk",
      "walk",
      "stop",
      "mak",
      "mak",
      "thi",
      "glass",
    ]);
  });
  it("reads quotes and minus as the library's search does", () => {
    expect(find('"best of times" -worst')).toEqual([[0, 3, 5]]);
    expect(find("-worst")).toEqual([]);
    expect(find("  ")).toEqual([]);
  });
  it("counts a word once, however many parts of it fit", () => {
    expect(find("w").filter(([at]) => at === 3)).toEqual([
      [3, 1, 1],
      [3, 2, 2],
    ]);
  });
  it("begins with the match that is nearest to the moment", () => {
    const matches = findWords(prepare(cues), "times");
    expect([0, 6, 9, 11, 99].map((time) => nearestMatch(cues, matches, time))).toEqual([0, 0, 1, 1, 1]);
    expect(nearestMatch(cues, [], 3)).toBe(-1);
  });
});
