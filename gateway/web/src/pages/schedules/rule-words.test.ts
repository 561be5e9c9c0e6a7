import { describe, expect, it } from "vitest";
import type { Schedule } from "../../api/types";
import { daysWords, jitterWords, ofWords, selectionWords, someOf, sourceFacts, windowWords } from "./rule-words";

const facts = (source: unknown) =>
  sourceFacts(source as Schedule["source"]).map(({ name, words, code }) =>
    [name, words, code].filter(Boolean).join(" | "),
  );

describe("what a schedule does, in words", () => {
  it("says where highlights come from", () => {
    expect(facts({ url: "https://lists.example/best.json", format: "highlights" })).toEqual([
      "Highlights from | a document on the web | https://lists.example/best.json",
      "Written as | a JSON list of highlights",
    ]);
    expect(
      facts({
        object: "lists/week.csv",
        format: "csv",
        mapping: { start: "Begin", at: "Day" },
        video: { path: "library:{id}.mkv" },
        duration: { seconds: 8, ticks: 5_644_800_000 },
      }),
    ).toEqual([
      "Highlights from | an object of the operator’s store | lists/week.csv",
      "Written as | a table as text (CSV)",
      "In a row | Where it starts: Begin; When it was: Day",
      "Videos are at | library:{id}.mkv",
      "Length, if a row says none | 8s",
    ]);
    expect(facts({ twitch: { channels: ["hana", "mio"], cut_from: "recording" } })).toEqual([
      "Highlights from | clips on Twitch of hana, mio",
      "Cut from | the recordings",
    ]);
  });
  it("says which tables", () => {
    const dynamodb = {
      streamers: { table: "streamers" },
      highlights: { table: "highlights" },
      video: { url: "https://v.example/{id}" },
      duration: { seconds: 60, ticks: 42_336_000_000 },
      region: "eu-central-1",
    };
    expect(facts({ dynamodb })).toEqual([
      "Highlights from | tables in DynamoDB, in eu-central-1",
      "Table of streamers | streamers",
      "Table of highlights | highlights",
      "Videos are at | https://v.example/{id}",
      "A highlight lasts | 1:00",
    ]);
  });
  it("says which days", () => {
    expect(windowWords(null)).toBe("all that the source lists");
    expect(windowWords({ last_days: 1 })).toBe("the day before the run");
    expect(windowWords({ last_days: 7 })).toBe("the 7 days before the run");
    expect(windowWords({ from: "2026-11-22", to: "2026-11-22" }, "en-GB")).toBe("22 Nov 2026");
    // With whichever spaces the browser writes.
    expect(daysWords({ from: "2026-11-16", to: "2026-11-22" }, "en-GB").replace(/\s/g, " ")).toMatch(
      /^16 ?– ?22 Nov 2026$/,
    );
    expect(daysWords({ from: "soon", to: "later" })).toBe("soon to later");
  });
  it("says which montages", () => {
    expect(ofWords({})).toBe("One of all streamers");
    expect(ofWords({ of: "each_streamer" })).toBe("One for each streamer");
    const usual = { padding: {}, merge: true, mix: "score", order: "given", seed: 0 };
    expect(selectionWords(usual)).toEqual(["as the source lists them"]);
    expect(selectionWords(undefined)).toEqual(["as the source lists them"]);
    const much = {
      minimum_score: 2.5,
      padding: { before: "2s", after: { seconds: 1, ticks: 705_600_000 } },
      merge: false,
      per_video: 1,
      per_streamer: 2,
      mix: "equal",
      top: 10,
      budget: "10:00",
      order: "shuffle",
    };
    expect(selectionWords(much)).toEqual([
      "with a score of 2.5 or better",
      "2s before and 1s after each",
      "overlapping ones apart",
      "at most 1 of a video",
      "at most 2 of a streamer",
      "every streamer in turn",
      "at most 10 in all",
      "at most 10:00 of time",
      "shuffled",
    ]);
    expect(selectionWords({ padding: { before: "2s" }, mix: "equal" })).toEqual([
      "2s before each",
      "as the source lists them",
    ]);
  });
  it("says how much later runs begin", () => {
    expect([0, 60, 90, 300, 3600].map(jitterWords)).toEqual([
      "at its time",
      "up to 1 minute later",
      "up to 90 seconds later",
      "up to 5 minutes later",
      "up to 1 hour later",
    ]);
  });
  it("does not list a hundred names", () => {
    const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
    expect(someOf(names)).toBe("n0, n1, n2, n3, n4 and 95 more");
    expect(someOf(names.slice(0, 6))).toBe("n0, n1, n2, n3, n4, n5");
  });
});
