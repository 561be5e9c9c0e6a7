// What in the numbers an operator has to look at, in words that say what to do. Pure.
import type { components } from "../../api/schema";
import { count, roughly } from "../../lib/format";

export type Stats = components["schemas"]["Stats"];

/** A wait that is worth a word, in seconds. */
const LONG = 600;

export function concerns(stats: Stats): string[] {
  const found: string[] = [];
  if (stats.executors_alive === 0) {
    found.push(
      stats.depth > 0
        ? `${count(stats.depth, "job")} ${stats.depth === 1 ? "waits" : "wait"}, and no executor is there to take ${stats.depth === 1 ? "it" : "them"}: start one.`
        : "No executor is there: whatever is posted will wait until one is started.",
    );
  } else if ((stats.oldest_seconds ?? 0) > LONG) {
    found.push(
      `A job has waited for ${roughly(stats.oldest_seconds ?? 0)}: more executors, or ones that take its kind, would help.`,
    );
  }
  if (stats.unsent_hints > 0) {
    found.push(
      `${count(stats.unsent_hints, "hint")} ${stats.unsent_hints === 1 ? "is" : "are"} not sent yet. If this stays, look whether the broker is up; executors find jobs without hints too, only later.`,
    );
  }
  return found;
}
