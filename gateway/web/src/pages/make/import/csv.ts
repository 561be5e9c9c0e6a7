// Tables: one moment a line, columns by their names, as spreadsheets and loggers write them.
//
// Reads what RFC 4180 describes and what programs make of it: commas, semicolons, tabs or bars, quotes with line breaks inside, a mark at
// the file's start, decimal commas where the comma does not separate. Columns that it does not know are left alone, and named in a note.
import { parseTime, readSpan } from "../time";
import { type Entry, type Imported, nothing } from "./entry";

type Column = "start" | "end" | "duration" | "title" | "streamer" | "score" | "source";

const NAMES: Record<string, Column> = {
  start: "start",
  begin: "start",
  in: "start",
  from: "start",
  "start time": "start",
  end: "end",
  out: "end",
  to: "end",
  stop: "end",
  "end time": "end",
  duration: "duration",
  length: "duration",
  title: "title",
  name: "title",
  chapter: "title",
  description: "title",
  streamer: "streamer",
  channel: "streamer",
  player: "streamer",
  who: "streamer",
  score: "score",
  rating: "score",
  source: "source",
  file: "source",
  url: "source",
  link: "source",
  path: "source",
  video: "source",
};

const DELIMITERS = [",", ";", "\t", "|"];

interface Row {
  line: number;
  cells: string[];
}

/** The rows of a table. `torn` is the line of a quote that never closes. */
export function rowsOf(text: string, delimiter: string): { rows: Row[]; torn: number | null } {
  const rows: Row[] = [];
  const clean = text.replace(/^\uFEFF/, "");
  let [line, at] = [1, 0];
  let row: Row = { line, cells: [] };
  let cell = "";
  let quoted: number | null = null;
  let wasQuoted = false;
  const endCell = () => {
    row.cells.push(wasQuoted ? cell : cell.trim());
    cell = "";
    wasQuoted = false;
  };
  const endRow = () => {
    endCell();
    if (row.cells.some((one) => one !== "")) rows.push(row);
    row = { line: line + 1, cells: [] };
  };
  while (at < clean.length) {
    const sign = clean[at] as string;
    const isBreak = sign === "\n" || sign === "\r";
    const pair = sign === "\r" && clean[at + 1] === "\n";
    if (quoted !== null) {
      if (sign === '"' && clean[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else if (sign === '"') quoted = null;
      else {
        cell += pair ? "\n" : sign;
        if (isBreak) line += 1;
        if (pair) at += 1;
      }
    } else if (sign === '"' && cell.trim() === "" && !wasQuoted) {
      quoted = line;
      wasQuoted = true;
      cell = "";
    } else if (sign === delimiter) endCell();
    else if (isBreak) {
      endRow();
      line += 1;
      if (pair) at += 1;
    } else if (!wasQuoted || sign.trim() !== "") cell += sign;
    at += 1;
  }
  if (cell !== "" || row.cells.length > 0 || wasQuoted) endRow();
  return { rows, torn: quoted };
}

const columnOf = (cell: string): Column | undefined => NAMES[cell.trim().toLowerCase().replaceAll("_", " ")];

/** The delimiter under which most of the first row's names are known; failing that the one that divides it most. */
export function delimiterOf(text: string): string {
  let best = { delimiter: ",", known: -1, cells: -1 };
  for (const delimiter of DELIMITERS) {
    const first = rowsOf(text, delimiter).rows[0]?.cells ?? [];
    const known = first.filter((cell) => columnOf(cell)).length;
    if (known > best.known || (known === best.known && first.length > best.cells)) {
      best = { delimiter, known, cells: first.length };
    }
  }
  return best.delimiter;
}

/** The order of columns in a table without names. */
const UNNAMED: Column[] = ["start", "end", "title", "streamer", "score", "source"];

/** Reads a table of moments. */
export function readCsv(text: string): Imported {
  const read = nothing();
  const delimiter = delimiterOf(text);
  const { rows, torn } = rowsOf(text, delimiter);
  if (torn !== null) {
    read.mistakes.push({ line: torn, text: 'A quote opens here and never closes: put a second " at its end.' });
  }
  const head = rows[0];
  if (!head) return read;
  const places = placesOf(head, read, delimiter);
  if (!places) return read;
  const body = places.named ? rows.slice(1) : rows;
  for (const row of body) {
    if (torn !== null && row.line >= torn) continue;
    const entry = entryOf(row, places.columns, delimiter, read);
    if (entry) read.entries.push(entry);
  }
  if (places.named && body.length === 0) {
    read.mistakes.push({ line: head.line, text: "There are names of columns, but no line below them." });
  }
  return read;
}

function placesOf(
  head: Row,
  read: Imported,
  delimiter: string,
): { columns: Map<Column, number>; named: boolean } | null {
  const columns = new Map<Column, number>();
  const unknown: string[] = [];
  head.cells.forEach((cell, place) => {
    const column = columnOf(cell);
    if (!column) unknown.push(cell.trim());
    else if (columns.has(column)) {
      read.mistakes.push({ line: head.line, text: `Two columns say “${column}”: the first one is taken.` });
    } else columns.set(column, place);
  });
  if (columns.size === 0) {
    if (!parseTime(clockText(head.cells[0] ?? "", delimiter))) {
      read.mistakes.push({
        line: head.line,
        text: "The first line names the columns: start, then end or duration; title, streamer, score and source if you like.",
      });
      return null;
    }
    read.notes.push({ line: head.line, text: `Without names, the columns are taken as ${UNNAMED.join(", ")}.` });
    return { columns: new Map(UNNAMED.map((column, place) => [column, place])), named: false };
  }
  const named = unknown.filter(Boolean);
  if (named.length > 0) {
    read.notes.push({ line: head.line, text: `Not taken: ${named.map((name) => `“${name}”`).join(", ")}.` });
  }
  if (!columns.has("start")) {
    read.mistakes.push({ line: head.line, text: "A column “start” is missing." });
    return null;
  }
  if (!columns.has("end") && !columns.has("duration")) {
    read.mistakes.push({ line: head.line, text: "A column “end” or “duration” is missing." });
    return null;
  }
  return { columns, named: true };
}

function entryOf(row: Row, columns: Map<Column, number>, delimiter: string, read: Imported): Entry | null {
  const cell = (column: Column): string => {
    const place = columns.get(column);
    return place === undefined ? "" : (row.cells[place] ?? "").trim();
  };
  const start = clockText(cell("start"), delimiter);
  const end = clockText(cell("end"), delimiter);
  const duration = clockText(cell("duration"), delimiter);
  const wrong = (text: string) => {
    read.mistakes.push({ line: row.line, text });
    return null;
  };
  if (end && duration) {
    const [byEnd, byLength] = [readSpan(start, end, null).length, readSpan(start, `+${duration}`, null).length];
    if (byEnd === null || byLength === null || Math.abs(byEnd - byLength) > 0.0015) {
      return wrong(`The end (${end}) and the duration (${duration}) do not agree: leave one of them out.`);
    }
  }
  const ends = end || (duration && `+${duration}`);
  const span = readSpan(start, ends, null);
  if (span.startMistake)
    return wrong(start ? `The start “${start}” is not a time. ${span.startMistake}` : "There is no start.");
  if (span.endMistake) {
    if (!ends) return wrong("There is no end and no duration.");
    return wrong(span.end === null ? `The end “${ends}” is not a time. ${span.endMistake}` : span.endMistake);
  }
  const score = delimiter === "," ? cell("score") : cell("score").replace(",", ".");
  if (score && !Number.isFinite(Number(score))) return wrong(`The score “${cell("score")}” is not a number.`);
  return {
    line: row.line,
    start,
    end: ends,
    title: oneLine(cell("title")),
    streamer: oneLine(cell("streamer")),
    score,
    source: cell("source"),
  };
}

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

/** A time with the decimal comma that spreadsheets write in many countries; `01:02:03,500` is one everywhere. */
function clockText(text: string, delimiter: string): string {
  const isDecimal = delimiter === "," ? /^[\d:]+:\d{2},\d+$/.test(text) : /^[\d:]+,\d+s?$/.test(text);
  return isDecimal ? text.replace(",", ".") : text;
}
