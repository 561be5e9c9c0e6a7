// A schedule's template, taken apart for a form and put together again: what the form knows has fields, everything else of the spec stays
// JSON, so that nothing is lost that was made by other means.
import { isObject, type Json, look, putIn, takeOut } from "../../lib/json";

export type Template = Record<string, unknown>;

/** The options that have fields, by their place in the spec, with the values that can be chosen, the usual one first. */
export const OPTIONS = [
  {
    place: ["order"],
    name: "Order of the clips",
    values: { given: "as the list gives them", score: "by score, best first" },
  },
  {
    place: ["cut", "mode"],
    name: "How clips are cut",
    values: {
      exact: "to the frame",
      snap: "to a keyframe nearby",
      copy: "at keyframes, nothing encoded",
      auto: "as it costs least",
    },
  },
  {
    place: ["transition", "kind"],
    name: "Between clips",
    values: { none: "a hard cut", fade: "fade", dip: "dip through a colour", dissolve: "dissolve" },
  },
  {
    place: ["titles", "show"],
    name: "Titles over the clips",
    values: { none: "none", title: "the highlight’s title", streamer: "the streamer", both: "title and streamer" },
  },
  {
    place: ["transcribe", "engine"],
    name: "Transcript",
    values: { local: "by the local model", openai: "by an OpenAI-compatible service", none: "none" },
  },
] as const satisfies readonly { place: readonly string[]; name: string; values: Record<string, string> }[];

/** A place as one text, such as `cut.mode`. */
export const placeName = (place: readonly string[]): string => place.join(".");

export interface TemplateForm {
  title: string;
  labels: Record<string, string>;
  /** As it is written in the field. */
  priority: string;
  /** What was chosen, by place; nothing for the server's own choice. */
  options: Record<string, string>;
  /** Everything else of the spec, as JSON. */
  rest: string;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The fields of a template. */
export function toForm(template: Template): TemplateForm {
  const whole = structuredClone(template) as Json;
  const spec = isObject(whole.spec) ? whole.spec : {};
  const options: Record<string, string> = {};
  for (const { place, values } of OPTIONS) {
    const value = look(spec, place);
    if (typeof value === "string" && value in values) options[placeName(place)] = textOf(takeOut(spec, place));
  }
  const labels = isObject(whole.labels) ? whole.labels : {};
  return {
    title: textOf(whole.title),
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)])),
    priority: typeof whole.priority === "number" ? String(whole.priority) : "",
    options,
    rest: Object.keys(spec).length > 0 ? JSON.stringify(spec, null, 2) : "",
  };
}

/** What is wrong with the JSON of a form, if anything. */
export function restMistake(rest: string): string | undefined {
  if (rest.trim() === "") return undefined;
  try {
    const value: unknown = JSON.parse(rest);
    if (!isObject(value)) return "Expected an object: { … }";
    if ("highlights" in value) return "The highlights come from the source of the schedule: leave them out here.";
    return undefined;
  } catch (error) {
    return `This is not JSON: ${error instanceof Error ? error.message : "it cannot be read"}`;
  }
}

/**
 * The template of a form. What is left empty is left out.
 *
 * @throws where the JSON has a mistake: ask {@link restMistake} before.
 */
export function toTemplate(form: TemplateForm): Template {
  const spec: Json = form.rest.trim() === "" ? {} : JSON.parse(form.rest);
  for (const { place } of OPTIONS) {
    const value = form.options[placeName(place)];
    if (value) putIn(spec, place, value);
  }
  return {
    ...(form.title.trim() !== "" && { title: form.title.trim() }),
    ...(Object.keys(form.labels).length > 0 && { labels: form.labels }),
    ...(form.priority !== "" && { priority: Number(form.priority) }),
    ...(Object.keys(spec).length > 0 && { spec }),
  };
}
