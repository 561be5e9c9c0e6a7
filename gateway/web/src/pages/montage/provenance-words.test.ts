import { describe, expect, it } from "vitest";
import type { Provenance } from "../../api/types";
import { share } from "../../lib/format";
import {
  byClip,
  causeOf,
  causes,
  checksWords,
  costWords,
  headline,
  isSilent,
  lengthWords,
  listed,
  makerWords,
  secondsTaken,
  soundWords,
  speedWords,
} from "./provenance-words";

const EDGES = "14 of 144 frames are encoded: 13 at the start, 1 at the end";
const SIZE = "all of it is encoded: its source differs from the canvas in size, frame rate, colours";

const record = (part: Partial<Provenance> = {}): Provenance => ({
  attempt: 1,
  audio: [{ clip: 0, loudness: { gain_db: 3.5 } }] as never,
  checks: [{ name: "frame_count", passed: true, detail: "" }],
  copied: [{ clip: 1, first_frame: 133, frames: 130, sha256: "" }],
  encoded: [
    { clip: 0, first_frame: 0, frames: 120, reason: SIZE },
    { clip: 1, first_frame: 120, frames: 13, reason: EDGES },
    { clip: 1, first_frame: 263, frames: 1, reason: EDGES },
  ],
  executor: "vm",
  executors: [],
  finished_at: "2026-01-01T00:00:08Z",
  frames_copied: 130,
  frames_encoded: 134,
  plan: {
    clips: [
      { sound_key: "a", reason: SIZE },
      { sound_key: null, reason: EDGES },
    ],
    sound: { encode: { why: "levelling is on" } },
    loudness_lufs: -16,
  } as never,
  plan_hash: "",
  sandbox: [],
  segments_made: 2,
  segments_reused: 1,
  sources: [{ source: "a", identity: "", bytes: 2_000_000, bytes_read: 1000, requests: 2, description: "" }],
  started_at: "2026-01-01T00:00:00Z",
  versions: {},
  ...part,
});

describe("how a montage was made", () => {
  it("says it in one sentence, and never rounds up", () => {
    expect(headline(record())).toBe("264 frames: 130 copied bit for bit (49.2 %), 134 encoded.");
    expect(headline(record({ frames_encoded: 0, frames_copied: 1164 }))).toContain("All 1,164 frames are copied");
    expect(headline(record({ frames_copied: 0 }))).toBe("All 134 frames were encoded.");
    expect([share(9999, 10000), share(3, 3), share(0, 0), share(4, 3), share(225, 1164)]).toEqual([
      "99.9 %",
      "100 %",
      "",
      "",
      "19.3 %",
    ]);
  });
  it("gathers the reasons, the most frequent first", () => {
    expect(causes(record())).toEqual([
      { words: "the source differs from the montage in size, frame rate and colours", frames: 120, clips: 1 },
      { words: "a cut lies between two places at which the source can be cut without encoding", frames: 14, clips: 1 },
    ]);
    expect(causes(record({ encoded: undefined }))).toEqual([]);
  });
  it("keeps reasons that it does not know", () => {
    expect(causeOf("all of it is encoded: copying failed")).toBe("copying failed");
    expect(
      causeOf(
        "its edges were moved to where the source can be copied; 3 of 9 frames are encoded: 3 at the start, 0 at the end",
      ),
    ).toContain("a cut lies");
    expect(causeOf("something new")).toBe("something new");
    expect(
      causeOf("all of it is encoded: its source differs from the canvas in codec (vp9 is not copied, since x)"),
    ).toBe("the source differs from the montage in codec (vp9 is not copied, since x)");
  });
  it("says what was done to each clip", () => {
    expect(byClip(record(), 2)).toEqual([
      { copied: 0, encoded: 120, reasons: [SIZE], gain: 3.5 },
      { copied: 130, encoded: 14, reasons: [EDGES], gain: null },
    ]);
    expect(byClip(record({ copied: undefined, encoded: undefined, plan: {} as never, audio: {} as never }), 1)).toEqual(
      [{ copied: 0, encoded: 0, reasons: [], gain: null }],
    );
  });
  it("says what was done to the sound, and when there is none", () => {
    expect(soundWords(record())).toBe(
      "The sound was encoded once, as a whole. Every clip was brought to the same loudness, −16 LUFS.",
    );
    expect(soundWords(record({ plan: { sound: "copy" } as never }))).toContain("The sound is copied");
    expect(soundWords(record({ plan: {} as never }))).toBeNull();
    expect(isSilent(record())).toBe(false);
    expect(isSilent(record({ plan: { clips: [{ sound_key: null }] } as never }))).toBe(true);
    expect(isSilent(record({ plan: {} as never }))).toBe(false);
  });
  it("compares the time it took with the time it plays, in favour of neither", () => {
    expect(secondsTaken(record())).toBe(8);
    expect(secondsTaken(record({ finished_at: "2025-01-01T00:00:00Z" }))).toBeNull();
    expect([
      speedWords(7, 48.5),
      speedWords(48, 48.5),
      speedWords(100, 48),
      speedWords(1, 2000),
      speedWords(0, 3),
    ]).toEqual([
      "6.9 times as fast as it plays",
      "about as long as it plays",
      "2.0 times as long as it plays",
      "2,000 times as fast as it plays",
      "",
    ]);
    expect([lengthWords(7.38), lengthWords(75), lengthWords(3725)]).toEqual(["7.4 s", "1:15 minutes", "1:02:05 hours"]);
  });
  it("says who made it and what it cost", () => {
    expect(makerWords(record())).toBe("Made by vm");
    expect(makerWords(record({ attempt: 2, executors: ["vm", "b", "c"] }))).toBe(
      "Made by vm, at attempt 2, together with b and c",
    );
    expect(costWords(record())).toEqual([
      "1.0 kB read of the 2.0 MB of its source, in 2 requests",
      "2 segments made, 1 there already",
    ]);
    expect(costWords(record({ sources: [], segments_made: undefined, segments_reused: undefined }))).toEqual([]);
  });
  it("counts checks", () => {
    expect(checksWords(record().checks)).toBe("The check passed.");
    const failed = { name: "x", passed: false, detail: "" };
    expect(checksWords([failed, failed, ...record().checks])).toBe("2 of 3 checks did not hold.");
    expect(checksWords([])).toBe("The record names no checks.");
  });
  it("lists words", () => {
    expect([listed([]), listed(["a"]), listed(["a", "b", "c"])]).toEqual(["", "a", "a, b and c"]);
  });
});
