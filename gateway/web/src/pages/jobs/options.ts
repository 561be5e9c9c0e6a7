// The options of a job in words, as pairs of a name and what was chosen.
import type { Job } from "../../api/types";
import { lengthWords, sourceWords, timeWords } from "./words";

const CUTS: Record<string, string> = {
  exact: "to the frame",
  snap: "to a keyframe nearby",
  copy: "at keyframes, nothing encoded",
  auto: "as it costs least",
};
const TITLES: Record<string, string> = {
  none: "none",
  title: "the highlight’s title",
  streamer: "the streamer",
  both: "title and streamer",
};
const ENGINES: Record<string, string> = {
  none: "no transcript",
  local: "by the local model",
  openai: "by an OpenAI-compatible service",
};

export function optionsOf(spec: Job["spec"]): [name: string, value: string][] {
  if ("montage" in spec) return [["Transcript", transcript(spec.transcribe)]];
  if ("replay" in spec) {
    const { video, background } = spec.options ?? {};
    if (!video || !background) return [];
    return [
      ["Picture", `${video.width} × ${video.height}, ${video.frame_rate} frames a second`],
      ["Background", `darkened by ${background.dim} percent`],
    ];
  }
  const montage = "plan" in spec ? spec.plan : "part" in spec || "probe" in spec ? undefined : spec;
  if (!montage) return [];
  const { cut, canvas, audio, transition, titles, intro, outro } = montage;
  const tolerance = cut.tolerance ? `, by up to ${lengthWords(cut.tolerance)}` : "";
  const picture = [
    canvas.width && canvas.height ? `${canvas.width} × ${canvas.height}` : "size of the sources",
    canvas.frame_rate ? `${canvas.frame_rate} frames a second` : "",
    canvas.codec && canvas.codec !== "auto" ? canvas.codec.toUpperCase() : "",
  ];
  const options: [string, string][] = [
    ["Cut", `${CUTS[cut.mode] ?? cut.mode}${tolerance}`],
    ["Picture", picture.filter(Boolean).join(", ")],
    ["Order", montage.order === "score" ? "by score, best first" : "as given"],
    ["Sound", audio.loudness_lufs == null ? "as it is" : `levelled to ${audio.loudness_lufs} LUFS`],
    [
      "Between clips",
      transition.kind === "none"
        ? "a hard cut"
        : [transition.kind, transition.duration && lengthWords(transition.duration), transition.colour]
            .filter(Boolean)
            .join(", "),
    ],
    ["Titles", TITLES[titles?.show ?? "none"] ?? String(titles?.show)],
    ["Transcript", transcript(montage.transcribe)],
  ];
  for (const [name, clip] of [
    ["Intro", intro],
    ["Outro", outro],
  ] as const) {
    if (clip) options.push([name, `${sourceWords(clip.source)}, from ${timeWords(clip.start)}`]);
  }
  return options;
}

function transcript(asked: { engine: string; language?: string | null }): string {
  const engine = ENGINES[asked.engine] ?? asked.engine;
  return asked.language && asked.engine !== "none" ? `${engine}, language ${asked.language}` : engine;
}
