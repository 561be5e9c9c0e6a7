import { describe, expect, it } from "vitest";
import { type Choice, FIRST_CHOICE, fromCron, fromTime, toCron, toTime } from "./cron";

const choice = (rest: Partial<Choice>): Choice => ({ ...FIRST_CHOICE, ...rest });

describe("cron expressions", () => {
  it("writes each rhythm", () => {
    expect(toCron(choice({ rhythm: "hour", minute: 5 }))).toBe("5 * * * *");
    expect(toCron(choice({ rhythm: "day", hour: 7, minute: 30 }))).toBe("30 7 * * *");
    expect(toCron(choice({ rhythm: "week", days: [0, 5, 1] }))).toBe("0 18 * * MON,FRI,SUN");
    expect(toCron(choice({ rhythm: "month", day: 31 }))).toBe("0 18 31 * *");
    expect(toCron(choice({ rhythm: "own", own: "  */5 * * * * " }))).toBe("*/5 * * * *");
    expect(toCron(choice({ rhythm: "week", days: [] }))).toBe("");
  });
  it("knows its own expressions again", () => {
    const all = [
      choice({ rhythm: "hour", minute: 59 }),
      choice({ rhythm: "day", hour: 0, minute: 0 }),
      choice({ rhythm: "week", days: [1, 3, 0], hour: 23 }),
      choice({ rhythm: "month", day: 15 }),
    ];
    for (const one of all) expect(toCron(fromCron(toCron(one)))).toBe(toCron(one));
    for (const one of all) expect(fromCron(toCron(one)).rhythm).toBe(one.rhythm);
  });
  it("reads days as people write them", () => {
    expect(fromCron("30 18 * * mon-fri")).toMatchObject({
      rhythm: "week",
      days: [1, 2, 3, 4, 5],
      hour: 18,
      minute: 30,
    });
    expect(fromCron("0 0 * * 7")).toMatchObject({ rhythm: "week", days: [0] });
    expect(fromCron("0 0 * * 6,0")).toMatchObject({ rhythm: "week", days: [6, 0] });
  });
  it("leaves everything else as it was written", () => {
    const others = [
      "*/15 * * * *",
      "0 18 * * FRI-MON",
      "0 18 * * SUN#1",
      "0 18 L * *",
      "0 18 1 1 *",
      "0 18 1 * SUN",
      "60 18 * * *",
      "0 24 * * *",
      "0 18 32 * *",
      "5 * 1 * *",
      "@daily",
      "",
      "0 18 * *",
    ];
    for (const text of others) expect(fromCron(text)).toMatchObject({ rhythm: "own", own: text });
    expect(toCron(fromCron("0 18 * * SUN#1"))).toBe("0 18 * * SUN#1");
  });
  it("reads and writes times of day", () => {
    expect(toTime(7, 5)).toBe("07:05");
    expect(fromTime("18:30")).toEqual({ hour: 18, minute: 30 });
    expect(["", "24:00", "7", "x:y", "12:60"].map(fromTime)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
