import { describe, expect, it } from "vitest";
import type { Job } from "../../api/types";
import {
  announcement,
  attemptLength,
  doing,
  lengthWords,
  percent,
  placeOf,
  shownState,
  sourceWords,
  speedWords,
  stagesOf,
  timeWords,
  windowTitle,
} from "./words";

const NOW = Date.parse("2026-01-10T12:00:00Z");
const job = (rest: Partial<Job>): Job => ({
  id: "j",
  kind: "montage",
  title: "Best of",
  labels: {},
  priority: 0,
  state: "running",
  run_at: "2026-01-10T11:59:00Z",
  max_attempts: 5,
  cancel_requested: false,
  spec: { montage: "m", transcribe: { engine: "local" } },
  attempts: [],
  created_at: "2026-01-10T11:59:00Z",
  updated_at: "2026-01-10T11:59:00Z",
  links: {},
  ...rest,
});
const progress = { stage: "rendering", fraction: 0.429, frames_done: 1, frames_total: 2 } as const;

describe("jobs in words", () => {
  it("says what happens now", () => {
    expect(doing(job({}), NOW)).toBe("Starting");
    expect(doing(job({ progress }), NOW)).toBe("Rendering");
    expect(doing(job({ progress, cancel_requested: true }), NOW)).toBe("Its executor is told to stop");
    expect(doing(job({ state: "queued" }), NOW)).toBe("Waits for an executor");
    expect(doing(job({ state: "retrying", run_at: "2026-01-10T12:00:20Z" }), NOW)).toBe("Tried again in 20 s");
    expect(doing(job({ state: "dead", failure: { code: "x", message: "Gone." } }), NOW)).toBe("Gone.");
  });
  it("never says that it is done before it is", () => {
    expect([0, 0.29, 0.429, 0.999, 1].map(percent)).toEqual([0, 29, 42, 99, 99]);
    expect(windowTitle(job({ progress }))).toBe("42 % · Best of");
    expect(windowTitle(job({ state: "succeeded" }))).toBe("Succeeded · Best of");
  });
  it("tells a job that is being cancelled from one that runs", () => {
    expect(shownState(job({ cancel_requested: true })).word).toBe("Being cancelled");
    expect(shownState(job({ state: "cancelled", cancel_requested: true })).word).toBe("Cancelled");
  });
  it("announces changes only", () => {
    expect(announcement("running", job({ progress }))).toBe("");
    expect(announcement("running", job({ state: "succeeded" }))).toContain("is done");
    expect(announcement("running", job({ state: "failed", failure: { code: "x", message: "No such file." } }))).toBe(
      "Best of has failed: No such file.",
    );
  });
  it("knows the stages of a kind", () => {
    const spec = { highlights: [], transcribe: { engine: "none" } } as unknown as Job["spec"];
    expect(stagesOf(job({ spec }))).not.toContain("transcribing");
    expect(stagesOf(job({ kind: "transcript" }))).toEqual(["fetching", "transcribing", "publishing"]);
  });
  it("leads from a pointer to its place", () => {
    expect(placeOf("/spec/highlights/2/source")).toEqual({ words: "Highlight 3, source", highlight: 2 });
    expect(placeOf("/spec/intro/source")).toEqual({ words: "intro source" });
    expect(placeOf("/spec/highlights")).toEqual({ words: "highlights" });
    expect(placeOf("")).toEqual({ words: "The whole job" });
  });
  it("leaves secrets of links away", () => {
    expect(sourceWords({ url: "https://a.example/b%20c.mp4?token=secret" })).toBe("a.example/b c.mp4");
    expect(sourceWords({ url: "https://a.example/%ff?token=secret" })).toBe("https://a.example/%ff");
    expect(sourceWords({ path: "media:x.mkv" })).toBe("media:x.mkv");
  });
  it("writes times, lengths and speeds", () => {
    expect([{ seconds: 15.5 }, { seconds: 60 }, { frames: 576 }, "25s"].map(timeWords)).toEqual([
      "0:15.500",
      "1:00",
      "frame 576",
      "25s",
    ]);
    expect([{ seconds: 5.4 }, { frames: 144 }, 3].map(lengthWords)).toEqual(["5.4 s", "144 frames", "3 s"]);
    expect([0.5, 1, 2.345, 120.4].map(speedWords)).toEqual(["0.50x", "1.0x", "2.3x", "120x"]);
    expect(attemptLength({ number: 1, executor: "e", started_at: "2026-01-10T11:59:20Z" }, NOW)).toBe("40 s");
  });
});
