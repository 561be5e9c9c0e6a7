// What all uploads in pieces (tus) have in common: where to, how large the pieces are, and what a failed one says.
import { DetailedError } from "tus-js-client";

export const ENDPOINT = "/v1/uploads";
/** Bytes of one piece: what is lost at most when a connection breaks. */
export const PIECE = 8 * 1024 * 1024;

/** Why an upload failed, and what to do. */
export function mistakeOf(error: Error): string {
  const answer = error instanceof DetailedError ? error.originalResponse : null;
  if (!answer) return "The server does not answer. What was sent is kept there for a day: try again to go on.";
  try {
    const problem = JSON.parse(answer.getBody()) as { detail?: string; title?: string };
    const words = problem.detail || problem.title;
    if (words) return words;
  } catch {
    // Not a problem of ours: a proxy in between answered.
  }
  return `The server did not take it (${answer.getStatus()}). Try again; if that does not help, tell the operator.`;
}
