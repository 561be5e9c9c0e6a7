import { describe, expect, it } from "vitest";
import { age, bytes, clock, roughly, shareOfCopies, spokenLength } from "./format";

describe("numbers as people read them", () => {
  it("writes times on media", () => {
    expect([0, 5.99, 65, 3599.9999999, 3725].map((s) => clock(s))).toEqual([
      "0:00",
      "0:05",
      "1:05",
      "1:00:00",
      "1:02:05",
    ]);
    expect(clock(61.0005, true)).toBe("1:01.001");
    expect(clock(-1)).toBe("0:00");
  });
  it("writes lengths in words", () => {
    expect(spokenLength(3665)).toBe("1 hour 1 minute 5 seconds");
    expect([0.2, 40, 200, 4000, 8100].map(roughly)).toEqual(["under 1 s", "40 s", "3 min", "67 min", "2 h 15 min"]);
  });
  it("says how long ago something was", () => {
    const now = Date.parse("2026-01-10T12:00:00Z");
    expect(age("2026-01-10T11:59:30Z", now)).toBe("just now");
    expect(age("2026-01-10T14:00:01Z", now)).toBe("in 2 hours");
    expect(age("2026-01-09T11:00:00Z", now)).toBe("yesterday");
  });
  it("writes sizes", () => {
    expect([0, 999, 1234, 999_600, 12_345_678].map(bytes)).toEqual(["0 B", "999 B", "1.2 kB", "1.0 MB", "12.3 MB"]);
  });
  it("never rounds a share of copies up", () => {
    expect(shareOfCopies(9999, 10000)).toBe("9,999 of 10,000 frames are bit-for-bit copies (99.9 %)");
    expect(shareOfCopies(3, 3)).toContain("(100 %)");
    expect(shareOfCopies(0, 0)).toBe("0 of 0 frames are bit-for-bit copies");
  });
});
