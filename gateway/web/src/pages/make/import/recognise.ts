// Which kind of list a text is, by the file's name and by what stands in it; and the one way to read any of them.
import { readChapters } from "./chapters";
import { delimiterOf, readCsv, rowsOf } from "./csv";
import { type EdlOptions, readEdl } from "./edl";
import { type Imported, type Kind, linesOf } from "./entry";
import { readOtio } from "./otio";

/** The kind of a text; `null` where it looks like none. */
export function recognise(text: string, fileName = ""): Kind | null {
  const ending = fileName.toLowerCase().split(".").at(-1);
  if (ending === "edl") return "edl";
  if (ending === "otio") return "otio";
  if (ending === "csv" || ending === "tsv") return "csv";
  const lines = linesOf(text)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const first = lines[0];
  if (first === undefined) return null;
  if (first.startsWith("{") && text.includes("OTIO_SCHEMA")) return "otio";
  if (
    lines.some(
      (line) => /^(TITLE:|FCM:)/i.test(line) || /^\d{1,6}\s+\S+\s+\S+\s+(C|D|W\d+|K)\b.*\d{2}[:;]\d{2}[:;]/i.test(line),
    )
  ) {
    return "edl";
  }
  const cells = rowsOf(first, delimiterOf(text)).rows[0]?.cells ?? [];
  if (cells.some((cell) => /^(start|begin|in|from|start[ _]time)$/i.test(cell))) return "csv";
  const timed = lines.filter((line) => /(^|[\s([])\d{1,3}:\d{2}/.test(line) && !/\d,\d{1,2}:\d{2}/.test(line)).length;
  if (timed > 0 && timed * 3 >= lines.length && cells.length < 3) return "chapters";
  if (cells.length > 1 && /^[\d:.,]+[sf]?$/.test(cells[0] ?? "")) return "csv";
  if (timed > 0) return "chapters";
  return first.startsWith("{") ? "otio" : null;
}

/** Reads a text as a kind. */
export function readAs(kind: Kind, text: string, edl: EdlOptions): Imported {
  switch (kind) {
    case "csv":
      return readCsv(text);
    case "edl":
      return readEdl(text, edl);
    case "otio":
      return readOtio(text);
    case "chapters":
      return readChapters(text);
  }
}
