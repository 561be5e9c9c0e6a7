import { describe, expect, it } from "vitest";
import { Problem } from "../../api/client";
import type { ImportedJob, ScheduleRun } from "../../api/types";
import {
  allZones,
  bothClocks,
  inZone,
  jobsWords,
  refusalWords,
  reportWords,
  runLength,
  runReason,
  shownPost,
  shownRun,
} from "./words";

const run = {
  id: "r",
  tick_at: "2026-01-10T12:00:00Z",
  by_hand: false,
  job_count: 0,
  jobs: [] as ImportedJob[],
  started_at: "2026-01-10T12:00:00Z",
} as const;
const job = (outcome: ImportedJob["outcome"]): ImportedJob => ({ title: "Best", highlights: 3, left_out: 0, outcome });
const made = (job_count: number, ...outcomes: ImportedJob["outcome"][]): ScheduleRun => ({
  ...run,
  outcome: "submitted",
  job_count,
  jobs: outcomes.map(job),
});

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
    expect(runReason({ ...run, outcome: "empty" })).toContain("no highlights");
    const report = { rows: 4, highlights: 4, skipped: 0, skipped_rows: [] };
    expect(runReason({ ...run, outcome: "empty", report })).toContain("wanted");
    expect(runReason({ ...run, outcome: "failed", reason: "It answered 404." })).toBe("It answered 404.");
    expect(runLength({ ...run, outcome: "running" })).toBe("");
    expect(runLength({ ...run, outcome: "submitted", ended_at: "2026-01-10T12:00:03Z" })).toBe("3 s");
  });
  it("shows how a run went", () => {
    const words = (...runs: ScheduleRun[]) => runs.map((one) => shownRun(one).word);
    expect(words(made(1, "submitted"), made(2, "submitted", "known"))).toEqual(["Job posted", "Jobs posted"]);
    expect(words(made(2, "known", "known"), made(2, "submitted", "refused"))).toEqual(["Made before", "Some refused"]);
    // Of those that are not in the list nothing is known.
    expect(words(made(30, "known"), made(0))).toEqual(["Jobs posted", "Jobs posted"]);
    expect(words({ ...run, outcome: "skipped" }, { ...run, outcome: "running" })).toEqual(["Left out", "Running"]);
    expect(shownRun({ ...run, outcome: "running", reason: "job 7 is not done" }).word).toBe("Waiting");
    expect(shownPost(job("waiting")).word).toBe("To be posted");
  });
  it("counts jobs and rows", () => {
    expect(jobsWords(made(3, "submitted", "submitted", "refused"))).toBe("3 jobs: 2 posted, 1 refused");
    expect(jobsWords(made(31, "submitted"))).toBe("31 jobs");
    expect(reportWords({ rows: 3000, highlights: 1, skipped: 2, skipped_rows: [] })).toBe(
      "3,000 rows read, with 1 highlight",
    );
  });
  it("says when a run by hand may be tried again", () => {
    const problem = new Problem({ detail: "It was run by hand less than 10 seconds ago." }, 429, 7);
    expect(refusalWords(problem)).toBe("It was run by hand less than 10 seconds ago. Try again in 7 seconds.");
    expect(refusalWords(new Error("The server does not answer."))).toBe("The server does not answer.");
  });
});
