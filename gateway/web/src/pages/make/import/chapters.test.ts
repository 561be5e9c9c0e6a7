import { describe, expect, it } from "vitest";
import { readChapters } from "./chapters";
import { readAs, recognise } from "./recognise";
import { RATES } from "./timecode";

describe("chapters", () => {
  it("lasts each until the next one", () => {
    const read = readChapters("The best of the week!\n\n0:00 Intro\n1:05 - The comeback\n1:02:03 Thanks\n");
    expect(read.mistakes).toEqual([]);
    expect(read.entries.map(({ line, start, end, title }) => [line, start, end, title])).toEqual([
      [3, "0:00", "1:05", "Intro"],
      [4, "1:05", "1:02:03", "The comeback"],
      [5, "1:02:03", "", "Thanks"],
    ]);
    expect(read.notes).toEqual([{ line: 1, text: "Lines without a time are left out (1)." }]);
  });
  it.each([
    ["0:10 Title", "0:10", "", "Title"],
    ["00:10 – Title", "0:10", "", "Title"],
    ["[0:10] Title", "0:10", "", "Title"],
    ["(00:00:10) | Title", "0:10", "", "Title"],
    ["- 0:10: Title", "0:10", "", "Title"],
    ["▶ 0:10 3:1 for us", "0:10", "", "3:1 for us"],
    ["0:10 - 0:20 Title", "0:10", "0:20", "Title"],
    ["Title 0:10", "0:10", "", "Title"],
    ["Title - (0:10)", "0:10", "", "Title"],
    ["0:10", "0:10", "", ""],
    ["0:10.5 Title", "0:10.5", "", "Title"],
  ])("reads %s", (line, start, end, title) => {
    const [entry] = readChapters(line).entries;
    const seconds = (text: string) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    expect(seconds(entry?.start ?? "")).toBe(seconds(start));
    expect([entry?.end, entry?.title]).toEqual([end, title]);
  });
  it("says which line is wrong", () => {
    const read = readChapters("0:00 a\n0:30 b\n0:30 again\n0:20 back\n1:75 odd\n2:00 - 1:30 turned\n3:00 c");
    expect(read.mistakes.map((mistake) => mistake.line)).toEqual([3, 4, 5, 6]);
    expect(read.entries.map((entry) => entry.title)).toEqual(["a", "b", "c"]);
    expect(read.entries[1]?.end).toBe("3:00");
    expect(readChapters("no times here").mistakes[0]?.text).toContain("no line with a time");
  });
  it("reads back what it wrote, whatever the times", () => {
    let seed = 11;
    let clock = 0;
    const starts: number[] = [];
    for (let turn = 0; turn < 200; turn += 1) {
      seed = (seed * 48_271) % 2_147_483_647;
      starts.push(clock);
      clock += 1 + (seed % 400);
    }
    const pad = (value: number) => String(value).padStart(2, "0");
    const text = starts
      .map((s) => `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)} Chapter`)
      .join("\r\n");
    const read = readChapters(text);
    expect(read.mistakes).toEqual([]);
    expect(read.entries).toHaveLength(200);
    read.entries.slice(0, -1).forEach((entry, index) => {
      expect(entry.end).toBe(read.entries[index + 1]?.start);
    });
  });
});

describe("which kind it is", () => {
  it.each([
    ["start,end,title\n1,2,x", "", "csv"],
    ["start;duration\n1;2", "", "csv"],
    ["0:10,0:20,x\n0:30,0:40,y", "", "csv"],
    ["TITLE: x\nFCM: NON-DROP FRAME", "", "edl"],
    ["001  AX  V  C  00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00", "", "edl"],
    ['{\n "OTIO_SCHEMA": "Timeline.1" }', "", "otio"],
    ["0:00 Intro\n1:05 The comeback", "", "chapters"],
    ["My video\nThanks for watching\n0:00 Intro\n1:05 Go, go, go", "", "chapters"],
    ["anything", "list.EDL", "edl"],
    ["anything", "list.otio", "otio"],
    ["anything", "list.csv", "csv"],
    ["just words", "", null],
    ["", "", null],
  ])("%j %s is %s", (text, name, kind) => {
    expect(recognise(text, name)).toBe(kind);
  });
  it("reads any text as any kind without falling over", () => {
    const texts = [
      "",
      "\uFEFF",
      "\n\n",
      '"',
      "{}",
      "0:00",
      "001",
      "* FROM CLIP NAME: x",
      ",,,",
      "start",
      "\0\0",
      "M2",
      "1 2 V C",
    ];
    const rate = RATES[0];
    if (!rate) throw new Error("there are rates");
    for (const text of texts) {
      for (const kind of ["csv", "edl", "otio", "chapters"] as const) {
        const read = readAs(kind, text, { rate, begins: "00:00:00:00" });
        for (const mistake of [...read.mistakes, ...read.notes]) {
          expect(mistake.line).toBeGreaterThan(0);
          expect(mistake.text).toMatch(/[.?]$/);
        }
      }
    }
  });
});
