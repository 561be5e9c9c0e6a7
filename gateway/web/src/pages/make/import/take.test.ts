import { describe, expect, it } from "vitest";
import { newSource } from "../draft/model";
import type { Entry } from "./entry";
import { clipOf, endOf, guess, namesOf } from "./take";

const entry = (changes: Partial<Entry>): Entry => ({
  line: 1,
  start: "0:10",
  end: "0:20",
  title: "",
  streamer: "",
  score: "",
  source: "",
  ...changes,
});
const a = { ...newSource({ url: "https://m.example/v/Friday%20night.mp4?sig=1" }, "Friday night.mp4"), key: "a" };
const b = { ...newSource({ path: "library:clips/b.mkv" }, "b.mkv"), key: "b" };
const c = { ...newSource({ upload: "01a2" }, "raw.MOV"), key: "c" };

describe("taking moments over", () => {
  it("knows a source by its link, its path, its name or its file's name", () => {
    const all = [a, b, c];
    expect(guess("https://m.example/v/Friday%20night.mp4?sig=1", all, null)).toEqual({ to: "a" });
    expect(guess("library:clips/b.mkv", all, null)).toEqual({ to: "b" });
    expect(guess("/Volumes/media/b.mkv", all, null)).toEqual({ to: "b" });
    expect(guess("D:\\media\\raw.mov", all, null)).toEqual({ to: "c" });
    expect(guess("upload:01a2", all, null)).toEqual({ to: "c" });
    expect(guess("Friday night.mp4", all, null)).toEqual({ to: "a" });
  });
  it("takes a link or a path that is not in the list as a new source, and asks about everything else", () => {
    expect(guess("https://m.example/other.mp4", [a], null)).toBe("new");
    expect(guess("library:other.mkv", [a], null)).toBe("new");
    expect(guess("TAPE7", [a], null)).toBeNull();
    expect(guess("", [a, b], null)).toBeNull();
    expect(guess("", [a, b], "b")).toEqual({ to: "b" });
    expect(guess("", [a], null)).toEqual({ to: "a" });
    expect(namesOf([entry({ source: "x" }), entry({}), entry({ source: "x" })])).toEqual(["x", ""]);
  });
  it("ends a moment where it says, unless less is wanted", () => {
    const all = { most: null, open: 30 };
    expect(endOf(entry({}), all, null)).toBe("0:20");
    expect(endOf(entry({ end: "+5s" }), all, null)).toBe("+5s");
    expect(endOf(entry({ start: "300f", end: "450f" }), all, 100)).toBe("450f");
    expect(endOf(entry({}), { ...all, most: 4 }, null)).toBe("0:14");
    expect(endOf(entry({}), { ...all, most: 60 }, null)).toBe("0:20");
    expect(endOf(entry({ end: "+20s" }), { ...all, most: 4 }, null)).toBe("0:14");
  });
  it("ends an open one with its source, or after what was said", () => {
    expect(endOf(entry({ end: "" }), { most: null, open: 30 }, 95.5)).toBe("1:35.5");
    expect(endOf(entry({ end: "" }), { most: null, open: 30 }, null)).toBe("0:40");
    expect(endOf(entry({ end: "" }), { most: 12, open: 30 }, 95.5)).toBe("0:22");
    expect(endOf(entry({ end: "" }), { most: null, open: 30 }, 5)).toBe("0:40");
  });
  it("keeps within the lengths that the API takes", () => {
    const clip = clipOf(entry({ title: "x".repeat(300), streamer: "y".repeat(300) }), "k", "a", "0:20");
    expect([clip.title.length, clip.streamer.length]).toEqual([200, 100]);
  });
});
