import { describe, expect, it } from "vitest";
import { allZones, bothClocks, inZone, runLength, runReason } from "./words";

const run = { id: "r", tick_at: "2026-01-10T12:00:00Z", by_hand: false, started_at: "2026-01-10T12:00:00Z" } as const;

describe("schedules in words", () => {
  it("shows a moment by both clocks where they differ", () => {
    const moment = "2026-07-05T16:00:00Z";
    expect(bothClocks(moment, "Europe/Berlin", "UTC", "en-GB")).toEqual({
      here: "Sun, 5 Jul 2026, 16:00",
      there: "18:00 in Europe/Berlin",
    });
    expect(bothClocks(moment, "Asia/Tokyo", "UTC", "en-GB").there).toBe("Mon 01:00 in Asia/Tokyo");
    // Other names of the same clock are not worth a word.
    expect(bothClocks(moment, "Europe/Paris", "Europe/Berlin", "en-GB")).toEqual({ here: "Sun, 5 Jul 2026, 18:00" });
  });
  it("bears a zone that this browser does not know", () => {
    expect(inZone("2026-07-05T16:00:00Z", "Moon/Tranquility", "en-GB")).toBe("Sun, 5 Jul 2026, 16:00 UTC");
  });
  it("offers UTC too", () => {
    expect(allZones()).toContain("UTC");
  });
  it("explains what became of a run", () => {
    expect(runReason({ ...run, outcome: "empty" })).toContain("empty");
    expect(runReason({ ...run, outcome: "failed", reason: "It answered 404." })).toBe("It answered 404.");
    expect(runLength({ ...run, outcome: "running" })).toBe("");
    expect(runLength({ ...run, outcome: "submitted", ended_at: "2026-01-10T12:00:03Z" })).toBe("3 s");
  });
});
