// Where the mistakes of a refused schedule are shown: at the field that has them, the rest above the form.
import type { FieldError, Problem } from "../../api/client";
import { MONTAGE } from "./montage-form";
import type { Form } from "./schedule-form";
import { needsWindow, shownSpots } from "./source-form";
import type { Spot } from "./spots";
import { OPTIONS, placeName } from "./template";
import { modeFor, windowSpots } from "./window-form";

export interface Mistakes {
  /**
   * By field: `name`, `cron`, `time_zone`, `jitter`, `catch_up`, `overlap`, `source` for the place of a list, `window`, `montages`, and of
   * these three whatever has a field of its own by its place, such as `source/mapping/start`; `title`, `labels`, `priority`, `rest`, and the
   * options of the template by their place.
   */
  fields: Record<string, string>;
  /** What belongs to no field. */
  others: FieldError[];
}

export const NO_MISTAKES: Mistakes = { fields: {}, others: [] };

/** What decides which fields there are. */
export type Shown = Pick<Form, "source" | "window" | "montages">;

/** The spot that a place belongs to. */
function spotOf(spots: Spot[], place: string): string | undefined {
  return spots.find((spot) => place === spot.place || place.startsWith(`${spot.place}/`))?.place;
}

function ofSource({ source }: Shown, place: string): string | undefined {
  const isList = source.kind !== "dynamodb" && source.kind !== "twitch";
  if (isList && (place === "" || place === source.kind)) return "source";
  // What is wrong with all of the paging is wrong with what begins it.
  const spot = spotOf(shownSpots(source), place === "paging" ? "paging/next" : place);
  return spot && `source/${spot}`;
}

function ofWindow({ source, window }: Shown, place: string): string {
  const spot = spotOf(windowSpots(modeFor(window, needsWindow(source))), place);
  return spot ? `window/${spot}` : "window";
}

function ofMontages({ montages }: Shown, place: string): string | undefined {
  if (place === "") return "montages";
  const [index = "", ...rest] = place.split("/");
  const spot = Number(index) < montages.length ? spotOf(MONTAGE, rest.join("/")) : undefined;
  return spot && `montages/${index}/${spot}`;
}

function ofTemplate(place: string): string | undefined {
  const [first = "", ...rest] = place.split("/");
  if (first === "title" || first === "labels" || first === "priority") return first;
  if (first !== "spec") return undefined;
  const option = OPTIONS.find((known) => known.place.join("/") === rest.join("/"));
  return option ? placeName(option.place) : "rest";
}

/** What a pointer's field is called, if there is one. */
function fieldOf(pointer: string, shown: Shown): string | undefined {
  const [, first = "", ...rest] = pointer.split("/");
  const place = rest.join("/");
  switch (first) {
    case "name":
    case "cron":
    case "time_zone":
    case "jitter":
    case "catch_up":
    case "overlap":
      return first;
    case "source":
      return ofSource(shown, place);
    case "window":
      return ofWindow(shown, place);
    case "montages":
      return ofMontages(shown, place);
    case "template":
      return ofTemplate(place);
    default:
      return undefined;
  }
}

export function sortMistakes(problem: Problem, shown: Shown): Mistakes {
  const mistakes: Mistakes = { fields: {}, others: [] };
  for (const error of problem.errors) {
    const field = fieldOf(error.pointer, shown);
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
