import { describe, expect, it } from "vitest";
import { delimiterOf, readCsv, rowsOf } from "./csv";

describe("tables", () => {
  it("reads columns by their names, in any order", () => {
    const read = readCsv(
      "Title,start,END,Streamer,score,source\nThe comeback,1:02:03.5,1:02:28.5,hana,9.5,https://media.example/a.mp4\n,12,13.5,,,\n",
    );
    expect(read.mistakes).toEqual([]);
    expect(read.entries).toEqual([
      {
        line: 2,
        start: "1:02:03.5",
        end: "1:02:28.5",
        title: "The comeback",
        streamer: "hana",
        score: "9.5",
        source: "https://media.example/a.mp4",
      },
      { line: 3, start: "12", end: "13.5", title: "", streamer: "", score: "", source: "" },
    ]);
  });
  it("takes a duration in place of the end", () => {
    expect(readCsv("start,duration\n10,25s\n300f,150f").entries.map((entry) => entry.end)).toEqual(["+25s", "+150f"]);
    expect(readCsv("start,end,duration\n10,35,25").entries[0]?.end).toBe("35");
    expect(readCsv("start,end,duration\n10,35,20").mistakes).toEqual([
      { line: 2, text: expect.stringContaining("do not agree") },
    ]);
  });
  it.each([
    [";", "start;end;title\n12,5;13,75;a, b"],
    ["\t", "start\tend\ttitle\n12.5\t13.75\ta, b"],
    ["|", "start|end|title\n12.5|13.75|a, b"],
    [",", 'start,end,title\n12.5,"13.75","a, b"'],
  ])("finds the delimiter %j", (delimiter, text) => {
    expect(delimiterOf(text)).toBe(delimiter);
    expect(readCsv(text).entries).toMatchObject([{ start: "12.5", end: "13.75", title: "a, b" }]);
  });
  it("reads quotes, doubled quotes and line breaks inside of them, whichever way lines end", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const text = `\uFEFFstart,end,title${end}1,2,"say ""hi""${end}twice"${end}${end}3,4,last`;
      const read = readCsv(text);
      expect(read.mistakes).toEqual([]);
      expect(read.entries.map((entry) => [entry.line, entry.title])).toEqual([
        [2, 'say "hi" twice'],
        [5, "last"],
      ]);
    }
  });
  it("gives back whatever was written with quotes around it", () => {
    const cells = ["", "a", 'a"b', '""', "x,y;z\t|", "line\nbreak", " kept ", "ümlaut 🎮"];
    for (const delimiter of [",", ";", "\t", "|"]) {
      for (const one of cells) {
        for (const two of cells) {
          const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
          const { rows, torn } = rowsOf(`${quote(one)}${delimiter}${quote(two)}\nx`, delimiter);
          expect(torn).toBeNull();
          const first = one === "" && two === "" ? ["x"] : [one, two];
          expect(rows[0]?.cells).toEqual(first);
        }
      }
    }
  });
  it("says what is wrong on which line, and takes the rest", () => {
    const read = readCsv("start,end,score\n1,2,3\nx,2,\n5,4,\n,4,\n7,,\n1,2,good\n9,10,");
    expect(read.entries.map((entry) => entry.line)).toEqual([2, 8]);
    expect(read.mistakes.map((mistake) => mistake.line)).toEqual([3, 4, 5, 6, 7]);
    const said = read.mistakes.map((mistake) => mistake.text).join("\n");
    expect(said).toContain("“x” is not a time");
    expect(said).toContain("after the start");
    expect(said).toContain("no start");
    expect(said).toContain("no end and no duration");
    expect(said).toContain("“good” is not a number");
  });
  it("says where a quote never closes", () => {
    const read = readCsv('start,end,title\n1,2,fine\n3,4,"never\n5,6,closed');
    expect(read.entries.map((entry) => entry.line)).toEqual([2]);
    expect(read.mistakes).toEqual([{ line: 3, text: expect.stringContaining("never closes") }]);
  });
  it("asks for the names of columns that it needs", () => {
    expect(readCsv("title,end\na,2").mistakes[0]?.text).toContain("“start”");
    expect(readCsv("start,title\n1,a").mistakes[0]?.text).toContain("“end” or “duration”");
    expect(readCsv("nothing,known\n1,2").mistakes[0]?.text).toContain("names the columns");
    expect(readCsv("start,end").mistakes[0]?.text).toContain("no line");
    expect(readCsv("")).toEqual({ entries: [], mistakes: [], notes: [] });
    expect(readCsv("start,start,end\n1,9,2")).toMatchObject({
      entries: [{ start: "1" }],
      mistakes: [{ line: 1, text: expect.stringContaining("Two columns") }],
    });
  });
  it("takes columns by their places where they have no names", () => {
    const read = readCsv("0:10,0:20,The comeback\n0:30,0:40");
    expect(read.entries).toMatchObject([
      { line: 1, title: "The comeback" },
      { line: 2, title: "" },
    ]);
    expect(read.notes).toHaveLength(1);
  });
  it("names columns that it does not take", () => {
    expect(readCsv("start,end,colour\n1,2,red").notes[0]?.text).toContain("“colour”");
  });
});
