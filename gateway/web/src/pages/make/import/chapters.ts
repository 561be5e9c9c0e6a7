// Chapters as they stand in the description of a video on YouTube: a time and a title on each line.
//
// Each chapter lasts until the next one begins; where the last one ends the text does not say, and is left open. Lines without a time are
// the rest of a description, and left out.
import { parseTime } from "../time";
import { type Imported, linesOf, nothing } from "./entry";

const TIME = String.raw`(?:\d{1,3}:)?\d{1,3}:\d{2}(?:\.\d{1,3})?`;
const FIRST = new RegExp(String.raw`^[-–—*•·▶►\s]*[[(]?(${TIME})[\])]?(?!:?\d)\s*(?:[-–—:|•·.]+\s*)?(.*)$`);
const LAST = new RegExp(String.raw`^(.*?\S)\s*(?:[-–—:|•·]+\s*|\s)[[(]?(${TIME})[\])]?$`);
/** A range, `0:00 - 1:30 Title`, says its own end. */
const UNTIL = new RegExp(String.raw`^(${TIME})(?!:?\d)\s*(?:[-–—:|•·]+\s*)?(.*)$`);

/** Reads chapters. */
export function readChapters(text: string): Imported {
  const read = nothing();
  let others = 0;
  let before = -1;
  linesOf(text).forEach((raw, index) => {
    const line = raw.trim();
    if (line === "") return;
    const at = index + 1;
    const found = chapterOf(line);
    if (!found) {
      others += 1;
      return;
    }
    const start = secondsOf(found.start);
    if (start === null) {
      read.mistakes.push({
        line: at,
        text: `“${found.start}” is not a time: minutes and seconds have two digits below 60.`,
      });
      return;
    }
    if (start <= before) {
      read.mistakes.push({ line: at, text: `“${found.start}” does not come after the chapter above it.` });
      return;
    }
    const end = found.end ? secondsOf(found.end) : null;
    if (found.end && (end === null || end <= start)) {
      read.mistakes.push({ line: at, text: `The chapter's end “${found.end}” does not lie after its start.` });
      return;
    }
    const last = read.entries.at(-1);
    if (last && last.end === "") last.end = found.start;
    before = start;
    const title = found.title.replace(/\s+/g, " ").slice(0, 200).trim();
    read.entries.push({ line: at, start: found.start, end: found.end, title, streamer: "", score: "", source: "" });
  });
  if (read.entries.length === 0 && read.mistakes.length === 0) {
    read.mistakes.push({ line: 1, text: "There is no line with a time and a title, such as “1:05 The comeback”." });
  } else if (others > 0) {
    read.notes.push({ line: 1, text: `Lines without a time are left out (${others}).` });
  }
  return read;
}

function chapterOf(line: string): { start: string; end: string; title: string } | null {
  const first = FIRST.exec(line);
  if (first) {
    const [start = "", rest = ""] = [first[1], first[2]?.trim()];
    const until = UNTIL.exec(rest);
    if (until) return { start, end: until[1] ?? "", title: until[2]?.trim() ?? "" };
    return { start, end: "", title: rest };
  }
  const last = LAST.exec(line);
  return last ? { start: last[2] ?? "", end: "", title: (last[1] ?? "").replace(/[-–—:|•·([\s]+$/, "") } : null;
}

function secondsOf(text: string): number | null {
  const time = parseTime(text);
  return time && "seconds" in time ? time.seconds : null;
}
