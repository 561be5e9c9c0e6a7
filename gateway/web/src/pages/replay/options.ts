// The options of a replay's video, as a form shows them: one table, in the order of the page. Pure.
import type { components } from "../../api/schema";

export type ReplayOptions = components["schemas"]["ReplayOptions"];

interface Common {
  /** Its place in the options: `hud.score`, or `results_seconds`. */
  path: string;
  label: string;
  help?: string;
}

export type Option =
  | (Common & { kind: "switch"; value: boolean })
  | (Common & { kind: "number"; value: number; least: number; most: number; unit: string })
  | (Common & { kind: "time"; value: null })
  | (Common & { kind: "choice"; value: string; choices: string[] });

export interface OptionGroup {
  name: string;
  options: Option[];
}

const flag = (path: string, label: string, value = true, help?: string): Option => ({
  kind: "switch",
  path,
  label,
  value,
  help,
});
const number = (
  path: string,
  label: string,
  value: number,
  [least, most]: [number, number],
  unit: string,
  help?: string,
): Option => ({ kind: "number", path, label, value, least, most, unit, help });

/** Every option with its default. */
export const GROUPS: OptionGroup[] = [
  {
    name: "Picture",
    options: [
      number("video.width", "Width", 1280, [256, 3840], "pixels"),
      number("video.height", "Height", 720, [144, 3840], "pixels"),
      number("video.frame_rate", "Frame rate", 60, [30, 240], "frames a second"),
      number("video.blur_pictures", "Motion blur", 1, [1, 16], "pictures a frame", "1 is none; 8 is soft"),
      {
        kind: "choice",
        path: "video.preset",
        label: "Encoder’s effort",
        value: "veryfast",
        choices: ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"],
        help: "Slower ones make smaller files",
      },
      number("video.crf", "Quality", 20, [10, 40], "CRF", "Lower is better, and larger"),
      flag("video.skip_intro", "Skip what is before the first object"),
      {
        kind: "time",
        path: "video.start",
        label: "From",
        value: null,
        help: "Seconds of the song; empty: its beginning",
      },
      { kind: "time", path: "video.end", label: "To", value: null, help: "Seconds of the song; empty: its end" },
      number("warning_seconds", "Seizure warning", 3, [0, 10], "seconds", "Where the map asks for one"),
      number("results_seconds", "Results at the end", 5, [0, 30], "seconds"),
    ],
  },
  {
    name: "Background",
    options: [
      number("background.dim", "Darkened in play", 80, [0, 100], "percent"),
      number("background.dim_breaks", "Darkened in breaks", 50, [0, 100], "percent"),
      number("background.dim_intro", "Darkened before", 40, [0, 100], "percent"),
      number("background.blur", "Blurred", 0, [0, 100], "percent"),
      flag("background.image", "The map’s image"),
      flag("background.video", "The map’s video"),
      flag("background.storyboard", "The map’s storyboard"),
    ],
  },
  {
    name: "Objects and cursor",
    options: [
      flag("play.snaking_in", "Sliders grow"),
      flag("play.snaking_out", "Sliders shrink behind the ball"),
      flag("play.follow_points", "Follow points"),
      flag("play.map_colours", "The map’s colours"),
      flag("play.map_skin", "The map’s own elements"),
      flag("play.hit_results", "100, 50 and misses at their objects"),
      flag("play.hit_great", "300 at its objects too", false),
      number("play.cursor_size", "Cursor", 100, [20, 300], "percent"),
      flag("play.cursor_trail", "The cursor’s trail"),
      flag("play.smoke", "Smoke"),
      number("play.mania_scroll_speed", "Scroll speed in mania", 24, [1, 40], ""),
    ],
  },
  {
    name: "Over the play",
    options: [
      number("hud.scale", "Size", 100, [50, 200], "percent"),
      number("hud.opacity", "Opacity", 100, [0, 100], "percent"),
      flag("hud.score", "Score"),
      flag("hud.combo", "Combo"),
      flag("hud.accuracy", "Accuracy"),
      flag("hud.life", "Life"),
      flag("hud.keys", "Keys"),
      flag("hud.hit_errors", "Hit errors and unstable rate"),
      flag("hud.aim_errors", "Aim errors", false),
      flag("hud.pp", "pp"),
      flag("hud.counts", "Counts of results"),
      flag("hud.strains", "Graph of the strain"),
      flag("hud.mods", "Mods"),
      flag("hud.progress", "Progress"),
      flag("hud.names", "Player and map"),
    ],
  },
  {
    name: "Sound and captions",
    options: [
      number("sound.music", "Song", 70, [0, 100], "percent"),
      number("sound.effects", "Hit sounds", 60, [0, 100], "percent"),
      number("sound.offset", "Hit sounds later by", 0, [-500, 500], "milliseconds"),
      flag("sound.map_samples", "The map’s own samples"),
      flag("sound.panning", "Sounds come from where objects are"),
      flag("sound.nightcore_beats", "NightCore’s drums"),
      flag("captions.misses", "Captions tell misses"),
      flag("captions.breaks", "Captions tell breaks and the result"),
    ],
  },
];

/** What somebody chose, by the option's path; what is absent is the default. Texts are as they were typed. */
export type Chosen = Record<string, boolean | string>;

/** What an option says now. */
export const chosenOf = (option: Option, chosen: Chosen): boolean | string =>
  chosen[option.path] ?? (option.kind === "switch" ? option.value : option.value === null ? "" : String(option.value));

/** How many options of a group are not at their default. */
export const changesOf = (group: OptionGroup, chosen: Chosen): number =>
  group.options.filter((option) => chosenOf(option, chosen) !== chosenOf(option, {})).length;

/** The options that were changed, as the API takes them. What is no number is passed on for the API to say so. */
export function optionsOf(chosen: Chosen): Record<string, unknown> {
  const options: Record<string, Record<string, unknown> | unknown> = {};
  for (const option of GROUPS.flatMap((group) => group.options)) {
    const value = chosenOf(option, chosen);
    if (value === chosenOf(option, {})) continue;
    const [part = "", name] = option.path.split(".");
    const said = typeof value === "string" && option.kind !== "choice" ? numberOf(value) : value;
    if (name === undefined) options[part] = said;
    else options[part] = { ...(options[part] as Record<string, unknown> | undefined), [name]: said };
  }
  // The API takes both or neither.
  const video = options.video as Record<string, unknown> | undefined;
  if (video && ("width" in video || "height" in video)) {
    options.video = { width: 1280, height: 720, ...video };
  }
  return options;
}

function numberOf(text: string): number | string {
  const number = Number(text.trim());
  return text.trim() !== "" && Number.isFinite(number) ? number : text;
}
