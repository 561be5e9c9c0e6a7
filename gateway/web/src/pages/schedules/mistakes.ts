// Where the mistakes of a refused schedule are shown: at the field that has them, the rest above the form.
import type { FieldError, Problem } from "../../api/client";
import { OPTIONS, placeName } from "./template";

export interface Mistakes {
  /** By field: `name`, `cron`, `time_zone`, `source`, `title`, `labels`, `priority`, `rest`, and the options by their place. */
  fields: Record<string, string>;
  /** What belongs to no field. */
  others: FieldError[];
}

export const NO_MISTAKES: Mistakes = { fields: {}, others: [] };

/** What a pointer's field is called, if there is one. */
function fieldOf(pointer: string): string | undefined {
  const [, first = "", second = "", ...rest] = pointer.split("/");
  if (first === "name" || first === "cron" || first === "time_zone" || first === "source") return first;
  if (first !== "template") return undefined;
  if (second === "title" || second === "labels" || second === "priority") return second;
  if (second !== "spec") return undefined;
  const option = OPTIONS.find(({ place }) => place.join("/") === rest.join("/"));
  return option ? placeName(option.place) : "rest";
}

export function sortMistakes(problem: Problem): Mistakes {
  const mistakes: Mistakes = { fields: {}, others: [] };
  for (const error of problem.errors) {
    const field = fieldOf(error.pointer);
    if (!field) mistakes.others.push(error);
    else {
      // Within the JSON the place is worth a word.
      const place = error.pointer.replace("/template/spec", "");
      const words = field === "rest" ? `${place}: ${error.detail}` : error.detail;
      mistakes.fields[field] = mistakes.fields[field] ? `${mistakes.fields[field]}; ${words}` : words;
    }
  }
  return mistakes;
}
