import { describe, expect, it } from "vitest";
import { frameAt, linkTime, rateOf, startOf, stepped, timeIn, timeOf } from "./rate";

const NTSC = { num: 30000, den: 1001 };

describe("frames", () => {
  it("reads rates, and nothing else", () => {
    expect(rateOf("30000/1001")).toEqual(NTSC);
    expect(rateOf("25")).toEqual({ num: 25, den: 1 });
    for (const text of ["0/1", "30/0", "abc", "", undefined, "29.97"]) expect(rateOf(text)).toBeNull();
  });
  it("finds every frame again at the time that shows it, and at its start", () => {
    for (const rate of [NTSC, { num: 24, den: 1 }, { num: 60000, den: 1001 }]) {
      for (let frame = 0; frame < 400_000; frame += 997) {
        expect(frameAt(rate, timeIn(rate, frame))).toBe(frame);
        expect(frameAt(rate, startOf(rate, frame))).toBe(frame);
      }
    }
  });
  it("steps by single frames and stays on the video", () => {
    const rate = { num: 24, den: 1 };
    expect(frameAt(rate, stepped(rate, 0, 1, 48.5))).toBe(1);
    expect(frameAt(rate, stepped(rate, 10, -1, 48.5))).toBe(239);
    expect(frameAt(rate, stepped(rate, 0, -1, 48.5))).toBe(0);
    expect(frameAt(rate, stepped(rate, 48.5, 1, 48.5))).toBe(1163);
    let time = 0;
    for (let step = 1; step <= 200; step += 1) {
      time = stepped(NTSC, time, 1, 100);
      expect(frameAt(NTSC, time)).toBe(step);
    }
  });
});

describe("times of links", () => {
  it("reads what people and other sites write", () => {
    expect(["12.5", "90s", "1:05", "1:02:03.5", "1h2m3s", "2m", "0", " 7 "].map((text) => timeOf(text))).toEqual([
      12.5, 90, 65, 3723.5, 3723, 120, 0, 7,
    ]);
  });
  it("takes nothing else for a time", () => {
    for (const text of ["", " ", "-1", "abc", "1:2:3:4", "NaN", "1e5", null, undefined])
      expect(timeOf(text)).toBeNull();
  });
  it("writes what it reads again, never later than the moment", () => {
    expect([0, 12.5, 12.3456, 3599.999, -3].map(linkTime)).toEqual(["0", "12.5", "12.34", "3599.99", "0"]);
    expect(timeOf(linkTime(7201.239))).toBe(7201.23);
  });
});
