// Which jobs are listed, as the address says it.
import type { JobFilter } from "./queries";

/** What can be chosen: a name for people and the states that the API knows. */
export const GROUPS = [
  { name: "All", states: "" },
  { name: "Running", states: "running" },
  { name: "Waiting", states: "queued,retrying" },
  { name: "Succeeded", states: "succeeded" },
  { name: "Failed", states: "failed" },
  { name: "Dead", states: "dead" },
  { name: "Cancelled", states: "cancelled" },
] as const;

export const readFilter = (state: URLSearchParams): JobFilter => ({
  state: state.get("state") || undefined,
  kind: state.get("kind") || undefined,
  label: state.get("label") || undefined,
});

/** The address of the list with other states, everything else as it is. */
export function groupHref(now: URLSearchParams, states: string): string {
  const next = new URLSearchParams(now);
  if (states) next.set("state", states);
  else next.delete("state");
  const text = next.toString();
  return text ? `/jobs?${text}` : "/jobs";
}

/** How many jobs there are in some states; undefined where nobody has counted. */
export function countOf(states: string, counts: Record<string, number> | undefined): number | undefined {
  if (!counts) return undefined;
  const wanted = states ? states.split(",") : Object.keys(counts);
  return wanted.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}

/** What is wrong with a label that was written, if anything. */
export function labelMistake(text: string): string | undefined {
  if (text === "" || /^[a-z0-9_.-]{1,63}[:=]./.test(text)) return undefined;
  return "Write a name and a value, like show:weekly. Names are of lower-case letters, digits, _ - and .";
}
