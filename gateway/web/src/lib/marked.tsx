// The words that matched a search. The API answers text escaped as HTML with the matches between <b> and </b>; only these marks are
// taken over, everything else becomes text again.
import type { ReactNode } from "react";

const SIGNS: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'" };

/** Text without its HTML escapes. */
export function plain(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (_, name: string) => SIGNS[name] ?? "");
}

/** The pieces of a marked text, in order. */
export function pieces(html: string): { text: string; marked: boolean }[] {
  return html
    .split(/(<b>.*?<\/b>)/s)
    .filter((part) => part !== "")
    .map((part) =>
      part.startsWith("<b>") ? { text: plain(part.slice(3, -4)), marked: true } : { text: plain(part), marked: false },
    );
}

export function Marked({ html }: { html: string }): ReactNode {
  return pieces(html).map((piece, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no names and never move
    piece.marked ? <mark key={index}>{piece.text}</mark> : <span key={index}>{piece.text}</span>,
  );
}
