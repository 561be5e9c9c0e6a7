import { describe, expect, it } from "vitest";
import { guessRate, readEdl } from "./edl";
import { canDrop, frameOf, nominal, RATES, type Rate, rateNamed, rateNear, readTimecode } from "./timecode";

const rate = (name: string): Rate => rateNamed(name) as Rate;
const at = (name: string, begins = "00:00:00:00") => ({ rate: rate(name), begins });
const frame = (code: string, name: string): number | string => {
  const read = readTimecode(code);
  return read ? frameOf(read, rate(name), read.drops) : "unread";
};

describe("timecode", () => {
  it("counts frames", () => {
    expect(frame("00:00:01:00", "25")).toBe(25);
    expect(frame("01:00:00:00", "29.97")).toBe(108_000);
    expect(frame("00:00:00:59", "60")).toBe(59);
  });
  it("counts drop-frame as the clock goes", () => {
    expect(frame("00:00:59;29", "29.97")).toBe(1799);
    expect(frame("00:01:00;02", "29.97")).toBe(1800);
    expect(frame("00:10:00;00", "29.97")).toBe(17_982);
    expect(frame("01:00:00;00", "29.97")).toBe(107_892);
    expect(frame("00:01:00;04", "59.94")).toBe(3600);
    expect(frame("01:00:00;00", "59.94")).toBe(215_784);
  });
  it("numbers every frame exactly once, drop-frame or not", () => {
    for (const one of RATES) {
      for (const drops of canDrop(one) ? [false, true] : [false]) {
        let expected = 0;
        for (let second = 0; second < 21 * 60; second += 1) {
          for (let number = 0; number < nominal(one); number += 1) {
            const code = { hours: 0, minutes: Math.floor(second / 60), seconds: second % 60, frames: number, drops };
            const counted = frameOf(code, one, drops);
            if (typeof counted === "string") continue;
            if (counted !== expected)
              throw new Error(`${one.name} ${JSON.stringify(code)}: ${counted}, not ${expected}`);
            expected += 1;
          }
        }
        const real = (21 * 60 * one.num) / one.den;
        expect(Math.abs(expected - real)).toBeLessThan(drops ? 4 : one.den === 1 ? 1e-6 : 100);
      }
    }
  });
  it("refuses what no frame has", () => {
    expect(frame("00:01:00;00", "29.97")).toContain("leaves out");
    expect(frame("00:00:00:30", "30")).toContain("does not exist");
    for (const text of ["", "1:2:3:4", "00:60:00:00", "00:00:60:00", "00:00:00", "aa:00:00:00"]) {
      expect(readTimecode(text)).toBeNull();
    }
  });
  it("knows rates by what they are near to", () => {
    expect([23.98, 24_000 / 1001, 59.94, 25, 12.5].map((number) => rateNear(number)?.name)).toEqual([
      "23.976",
      "23.976",
      "59.94",
      "25",
      undefined,
    ]);
  });
});

const LIST = `TITLE: Best of
FCM: NON-DROP FRAME

001  AX       V     C        00:00:10:00 00:00:12:12 01:00:00:00 01:00:02:12
* FROM CLIP NAME: friday.mp4
002  AX       AA/V  C        00:01:00:00 00:01:05:00 01:00:02:12 01:00:07:12
* FROM CLIP NAME: The comeback
* SOURCE FILE: https://media.example/vod-1.mp4
* LOC: 01:00:03:00 RED marker
003  TAPE2    V     C        00:00:01:00 00:00:02:00 01:00:07:12 01:00:08:12
`;

describe("edit lists", () => {
  it("reads events with their sources", () => {
    const read = readEdl(LIST, at("25"));
    expect(read.mistakes).toEqual([]);
    expect(read.entries).toEqual([
      { line: 4, start: "10", end: "12.48", title: "", streamer: "", score: "", source: "friday.mp4" },
      {
        line: 6,
        start: "60",
        end: "65",
        title: "The comeback",
        streamer: "",
        score: "",
        source: "https://media.example/vod-1.mp4",
      },
      { line: 10, start: "1", end: "2", title: "", streamer: "", score: "", source: "TAPE2" },
    ]);
  });
  it("takes off the timecode that the sources begin with", () => {
    const list =
      "1 AX V C 01:00:10:00 01:00:12:00 00:00:00:00 00:00:02:00\n2 AX V C 00:59:00:00 01:00:00:00 00:00:02:00 00:01:02:00";
    const read = readEdl(list, at("25", "01:00:00:00"));
    expect(read.entries).toMatchObject([{ start: "10", end: "12" }]);
    expect(read.mistakes).toEqual([{ line: 2, text: expect.stringContaining("before the sources' first timecode") }]);
    expect(readEdl(list, at("25", "1h")).mistakes[0]?.text).toContain("01:00:00:00");
  });
  it("reads drop-frame by the sign and by the list's word", () => {
    const events = (sign: string) =>
      `001 AX V C 00:01:00${sign}02 00:02:00${sign}02 00:00:00${sign}00 00:00:59${sign}28`;
    for (const list of [events(";"), `FCM: DROP FRAME\n${events(":")}`]) {
      const [entry] = readEdl(list, at("29.97")).entries;
      expect(Number(entry?.start)).toBeCloseTo((1800 * 1001) / 30_000, 5);
      expect(Number(entry?.end)).toBeCloseTo((3598 * 1001) / 30_000, 5);
    }
    expect(readEdl(events(";"), at("25")).mistakes[0]?.text).toContain("drop-frame");
    expect(
      readEdl("FCM: DROP FRAME\n001 AX V C 00:01:00:00 00:01:01:00 00:00:00:00 00:00:01:00", at("29.97")).mistakes,
    ).toEqual([{ line: 2, text: expect.stringContaining("leaves out frame 0") }]);
  });
  it("reads a transition's two lines as one clip", () => {
    const list = `001  AX  V  C        00:00:00:00 00:00:05:00 00:00:00:00 00:00:05:00
* FROM CLIP NAME: one.mp4
002  AX  V  C        00:00:05:00 00:00:05:00 00:00:05:00 00:00:05:00
002  AX  V  D    025 00:00:20:00 00:00:25:00 00:00:05:00 00:00:10:00
* FROM CLIP NAME: one.mp4
* TO CLIP NAME: two.mp4
003  BL  V  C        00:00:00:00 00:00:01:00 00:00:10:00 00:00:11:00`;
    const read = readEdl(list, at("25"));
    expect(read.entries.map(({ start, source }) => [start, source])).toEqual([
      ["0", "one.mp4"],
      ["20", "two.mp4"],
    ]);
    expect(read.notes).toEqual([{ line: 7, text: "Black is left out." }]);
    expect(read.mistakes).toEqual([]);
  });
  it("reads what the library writes, streamers and a dissolve's one file too", () => {
    const list = `TITLE: The demo
FCM: NON-DROP FRAME
001  BUNNY    AA/V  C        00:00:15:12 00:00:20:12 01:00:00:00 01:00:05:00
* FROM CLIP NAME: Good morning
* SOURCE FILE: https://media.example/bunny.mp4
* STREAMER: Big Buck Bunny
* SOURCE TIMECODES COUNT FROM EACH SOURCE'S FIRST PICTURE AT 24 FRAMES A SECOND, THE RATE OF THE MONTAGE
002  BUNNY    AA/V  C        00:00:20:12 00:00:20:12 01:00:05:00 01:00:05:00
002  COMMONS  AA/V  D    012 00:00:16:06 00:00:21:00 01:00:05:00 01:00:09:18
* FROM CLIP NAME: Good morning
* TO CLIP NAME: The teacher
* SOURCE FILE: library:commons.mkv
`;
    const { rate: said } = guessRate(list);
    const read = readEdl(list, { rate: said, begins: "00:00:00:00" });
    expect(read.mistakes).toEqual([]);
    expect(read.entries.map(({ line: _, ...told }) => told)).toEqual([
      {
        start: "15.5",
        end: "20.5",
        title: "Good morning",
        streamer: "Big Buck Bunny",
        score: "",
        source: "https://media.example/bunny.mp4",
      },
      { start: "16.25", end: "21", title: "The teacher", streamer: "", score: "", source: "library:commons.mkv" },
    ]);
  });
  it("leaves out sound that has a picture beside it, and keeps it where there is none", () => {
    const line = (track: string, second: number) =>
      `00${second} AX ${track} C 00:00:0${second}:00 00:00:0${second + 1}:00 00:00:0${second}:00 00:00:0${second + 1}:00`;
    const both = readEdl([line("V", 1), line("A", 2), line("B", 3), line("A2", 4)].join("\n"), at("25"));
    expect(both.entries.map((entry) => entry.start)).toEqual(["1", "3"]);
    expect(both.notes[0]).toEqual({ line: 2, text: expect.stringContaining("(2)") });
    expect(readEdl(line("A", 1), at("25")).entries).toHaveLength(1);
  });
  it("puts events in the order of the timeline", () => {
    const list =
      "001 AX V C 00:00:01:00 00:00:02:00 00:00:09:00 00:00:10:00\n002 AX V C 00:00:05:00 00:00:06:00 00:00:00:00 00:00:01:00";
    expect(readEdl(list, at("25")).entries.map((entry) => entry.line)).toEqual([2, 1]);
  });
  it("says which line is wrong", () => {
    const list = `TITLE: x
001 AX V C 00:00:05:00 00:00:04:00 00:00:00:00 00:00:01:00
002 AX V C 00:00:05:30 00:00:06:00 00:00:00:00 00:00:01:00
003 AX V C 00:00:05:00
M2 AX 050.0 00:00:00:00
something else`;
    const read = readEdl(list, at("30"));
    expect(read.entries).toEqual([]);
    // Line by line as they stand, then event by event.
    expect(read.mistakes.map((mistake) => mistake.line).sort()).toEqual([2, 3, 4]);
    expect(read.notes.map((note) => note.line)).toEqual([5, 6]);
    expect(readEdl("TITLE: empty", at("30")).mistakes[0]?.text).toContain("no event");
  });
  it("notes a speed change that it does not take over", () => {
    const list =
      "001 AX V C 00:00:00:00 00:00:10:00 00:00:00:00 00:00:05:00\nM2 AX 050.0 00:00:00:00\n002 AX V C 00:00:00:00 00:00:10:00 00:00:05:00 00:00:06:00";
    expect(readEdl(list, at("25")).notes.map((note) => note.line)).toEqual([2, 3]);
  });
  it("guesses the rate, and knows whether the list said it", () => {
    expect(guessRate("* FPS: 59.94")).toMatchObject({ rate: { name: "59.94" }, isSaid: true });
    expect(guessRate("* FRAME RATE: 30000/1001")).toMatchObject({ rate: { name: "29.97" }, isSaid: true });
    expect(guessRate("FCM: DROP FRAME\n001 AX V C 00:00:00:00")).toMatchObject({
      rate: { name: "29.97" },
      isSaid: true,
    });
    expect(guessRate("00:00:00;58 00:00:01;00")).toMatchObject({ rate: { name: "59.94" }, isSaid: true });
    expect(guessRate("FCM: NON-DROP FRAME\n00:00:00:24")).toMatchObject({ rate: { name: "25" }, isSaid: false });
    expect(guessRate("00:00:00:55")).toMatchObject({ rate: { name: "60" }, isSaid: false });
    expect(guessRate("* TIMECODES COUNT AT 24 FRAMES A SECOND")).toMatchObject({ rate: { name: "24" }, isSaid: true });
    expect(guessRate("* 30000/1001 frames a second")).toMatchObject({ rate: { name: "29.97" }, isSaid: true });
    expect(guessRate("* FPS: 15")).toMatchObject({ rate: { name: "15", num: 15_000, den: 1000 }, isSaid: true });
    expect(guessRate("TITLE: My 60 fps\n* FROM CLIP NAME: game 60 fps.mp4")).toMatchObject({ isSaid: false });
    expect(guessRate("* FPS: 0")).toMatchObject({ isSaid: false });
    expect(guessRate("")).toMatchObject({ rate: { name: "30" }, isSaid: false });
  });
});
