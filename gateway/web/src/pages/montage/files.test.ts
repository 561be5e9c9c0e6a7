import { expect, it } from "vitest";
import type { Montage } from "../../api/types";
import { chaptersWarning, filesOf } from "./files";
import { whyNone } from "./speech";

const clips = (...durations: number[]) => durations.map((duration) => ({ duration })) as Montage["clips"];

it("warns of chapters that YouTube would not show", () => {
  expect(chaptersWarning(clips(10, 10, 10))).toBeNull();
  expect(chaptersWarning(clips(60, 60))).toContain("fewer");
  expect(chaptersWarning(clips(60, 60, 9.9))).toContain("1 of these is shorter");
  expect(chaptersWarning(clips(5, 5, 60))).toContain("2 of these are shorter");
});

it("offers captions only where there are any", () => {
  const montage = {
    id: "x",
    links: { self: "/v1/montages/x", media: "/v1/montages/x/media" },
    media: { bytes: 1 },
    transcript_state: "complete",
  } as unknown as Montage;
  const names = (of: Montage) => filesOf(of).flatMap((group) => group.files.map((file) => file.href));
  expect(names(montage)).toContain("/v1/montages/x/captions.srt?download=1");
  expect(names(montage)).toContain("/v1/montages/x/timeline.otio?download=1");
  expect(names({ ...montage, transcript_state: "failed" })).not.toContain("/v1/montages/x/captions.srt?download=1");
});

it("says why there is no transcript", () => {
  const none = (state: Montage["transcript_state"], reason: string | null) =>
    whyNone({ transcript_state: state, transcript: { engine: "local", state, reason } });
  expect(none("none", null)).toContain("none was asked for");
  expect(none("failed", "The model is missing.")).toBe("There is no transcript. The model is missing.");
  expect(none("failed", null)).toBe("The transcript could not be made.");
});
