import { describe, expect, it } from "vitest";
import { parseTime, rateOf, readSpan, shownTime, TICKS, ticksText, timeText } from "./time";

describe("times as the API reads them", () => {
  it("reads every form that is accepted", () => {
    const read = (text: string) => parseTime(text);
    expect(read("25s")).toEqual({ seconds: 25 });
    expect(read("0.5s")).toEqual({ seconds: 0.5 });
    expect(read(" 12.5 ")).toEqual({ seconds: 12.5 });
    expect(read(".5")).toEqual({ seconds: 0.5 });
    expect(read("1:05")).toEqual({ seconds: 65 });
    expect(read("90:00")).toEqual({ seconds: 5400 });
    expect(read("1:02:03.500")).toEqual({ seconds: 3723.5 });
    expect(read("1:2:03")).toEqual({ seconds: 3723 });
    expect(read("1234f")).toEqual({ frames: 1234 });
  });
  it("refuses what the API refuses", () => {
    const texts = ["", "x", "-1", "1:5", "1:60", "1:61:00", "1:2:3:4", "12f5", "f", "1.", "1.2.3", "400000s", "1e3"];
    expect(texts.filter((text) => parseTime(text) !== null)).toEqual([]);
  });
  it("writes seconds so that they are read the same", () => {
    for (const seconds of [0, 0.001, 1.5, 59.999, 60, 3599.9, 3600, 3723.04, 359_999.999]) {
      const time = parseTime(timeText(seconds));
      expect(time && "seconds" in time ? time.seconds : null).toBeCloseTo(seconds, 6);
    }
    expect([timeText(65), timeText(3723.5), timeText(0.05), timeText(-3)]).toEqual([
      "1:05",
      "1:02:03.5",
      "0:00.05",
      "0:00",
    ]);
  });
  it("writes ticks so that the API counts the same", () => {
    // As the API does it: twelve digits, rounded to the nearest tick.
    const back = (text: string): bigint => {
      const [whole = "0", fraction = ""] = text.includes(":") ? clockParts(text) : text.split(".");
      const digits = BigInt(fraction.padEnd(12, "0").slice(0, 12));
      return BigInt(whole) * BigInt(TICKS) + (digits * BigInt(TICKS) + 500_000_000_000n) / 1_000_000_000_000n;
    };
    const clockParts = (text: string): [string, string] => {
      const [clock = "", fraction = ""] = text.split(".");
      return [String(clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0)), fraction];
    };
    let seed = 7;
    for (let turn = 0; turn < 500; turn += 1) {
      seed = (seed * 48_271) % 2_147_483_647;
      const ticks = turn % 2 === 0 ? seed * 100_003 : Math.round((seed % 100_000) * 23_543_520);
      expect(back(ticksText(ticks))).toBe(BigInt(ticks));
    }
    expect(ticksText(TICKS * 65.5)).toBe("1:05.5");
  });
  it("shows what was written as a clock has it", () => {
    expect(["16.208333", "90s", "300f", "x", ""].map(shownTime)).toEqual(["0:16.208", "1:30", "300f", "x", ""]);
  });
  it("reads frame rates", () => {
    expect(["30", "29.97", "60/1"].map(rateOf)).toEqual([30, 29.97, 60]);
    expect(rateOf("30000/1001")).toBeCloseTo(29.97003, 4);
    expect(["", "x", "0", "30/0", undefined].map(rateOf)).toEqual([null, null, null, null, null]);
  });
});

describe("a start and an end", () => {
  it("gives the length", () => {
    expect(readSpan("1:00", "1:10.5", null)).toMatchObject({ startSeconds: 60, endSeconds: 70.5, length: 10.5 });
    expect(readSpan("300f", "450f", 30)).toMatchObject({ startSeconds: 10, endSeconds: 15, length: 5 });
  });
  it("takes a length in place of the end", () => {
    expect(readSpan("10", "+25s", null)).toMatchObject({ end: { seconds: 35 }, length: 25, endSeconds: 35 });
    expect(readSpan("30f", "+2s", 30)).toMatchObject({ end: null, length: 2, endSeconds: 3 });
    expect(readSpan("30f", "+2s", 30).endMistake).toBeUndefined();
    expect(readSpan("10", "+0", null).endMistake).toContain("no length");
  });
  it("says what is wrong", () => {
    expect(readSpan("", "", null)).toMatchObject({
      startMistake: "Say where the clip starts.",
      endMistake: expect.stringContaining("+25s"),
    });
    expect(readSpan("10", "10", null).endMistake).toBe("The end lies after the start.");
    expect(readSpan("10f", "9f", null).endMistake).toBe("The end lies after the start.");
    expect(readSpan("10f", "12s", 30).endMistake).toContain("both as frames");
    expect(readSpan("1:5", "x", null)).toMatchObject({ startMistake: expect.stringContaining("1:05") });
  });
  it("knows no length where frames have no rate", () => {
    const span = readSpan("10f", "20f", null);
    expect([span.length, span.endMistake]).toEqual([null, undefined]);
  });
});
