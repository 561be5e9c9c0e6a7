import { describe, expect, it } from "vitest";
import { chapterAt, divisions, neighbour, placeAfter } from "./chapters";

const chapters = [0, 5, 10.4, 20].map((start, index, all) => ({
  title: `${index}`,
  start,
  duration: (all[index + 1] ?? 30) - start,
}));

describe("chapters", () => {
  it("knows which one a moment belongs to", () => {
    expect([0, 4.99, 5, 10.3999, 19, 99].map((time) => chapterAt(chapters, time))).toEqual([0, 0, 1, 2, 2, 3]);
    expect(chapterAt([], 3)).toBe(-1);
  });
  it("goes to the start of the present one first, then to the one before", () => {
    expect(neighbour(chapters, 9, -1)).toBe(5);
    expect(neighbour(chapters, 6, -1)).toBe(0);
    expect(neighbour(chapters, 1, -1)).toBe(0);
    expect(neighbour(chapters, 6, 1)).toBe(10.4);
    expect(neighbour(chapters, 25, 1)).toBeNull();
    expect(neighbour([], 25, -1)).toBeNull();
  });
  it("divides the bar only where marks can be told apart", () => {
    expect(divisions(chapters, 30, 300)).toEqual([5 / 30, 10.4 / 30, 20 / 30]);
    expect(divisions(chapters, 30, 20)).toEqual([10.4 / 30, 20 / 30]);
    expect(divisions(chapters, 0, 300)).toEqual([]);
    const many = Array.from({ length: 300 }, (_, start) => ({ title: "", start, duration: 1 }));
    const marks = divisions(many, 300, 320);
    expect(marks.length).toBeGreaterThan(10);
    for (const [index, mark] of marks.entries()) {
      if (index > 0) expect((mark - (marks[index - 1] ?? 0)) * 320).toBeGreaterThanOrEqual(6);
    }
  });
  it("moves by keys as a slider does, by pages from chapter to chapter", () => {
    const at = (key: string) => placeAfter(key, 12, 30, chapters);
    expect(["ArrowLeft", "ArrowUp", "Home", "End", "PageUp", "PageDown", "a"].map(at)).toEqual([
      7,
      17,
      0,
      30,
      20,
      5,
      null,
    ]);
    expect(placeAfter("PageUp", 12, 30, [])).toBe(15);
  });
});
