// The options' choices, each with what it means.
import type { CanvasCodec, CutMode, Engine, Options, TitleShow, TransitionKind } from "../draft/model";

interface Choice<T extends string> {
  value: T;
  name: string;
  means: string;
}

export const CUTS: Choice<CutMode>[] = [
  {
    value: "exact",
    name: "Exact",
    means: "To the frame, as marked. The few frames at a clip's ends that cannot be copied are encoded.",
  },
  {
    value: "snap",
    name: "Snap",
    means: "Start and end move a little to where nothing has to be encoded.",
  },
  {
    value: "copy",
    name: "Copy",
    means: "Each clip starts at the keyframe before its mark: nothing is encoded for the cut, and clips get longer.",
  },
  {
    value: "auto",
    name: "Weigh it",
    means: "Exact or snapped, clip by clip, whichever the cost speaks for.",
  },
];

export const CODECS: Choice<CanvasCodec>[] = [
  { value: "auto", name: "What costs least", means: "The one that most frames can be copied in." },
  { value: "h264", name: "H.264", means: "Plays everywhere." },
  { value: "hevc", name: "H.265", means: "Smaller files; does not play in every browser." },
];

export const TRANSITIONS: Choice<TransitionKind>[] = [
  { value: "none", name: "Hard cut", means: "One clip follows the other." },
  { value: "fade", name: "Fade", means: "Through black." },
  { value: "dip", name: "Dip", means: "Through a colour." },
  { value: "dissolve", name: "Dissolve", means: "One clip turns into the next; they overlap." },
];

export const SHOWS: Choice<TitleShow>[] = [
  { value: "none", name: "Nothing", means: "The picture stays as it is." },
  { value: "title", name: "Its title", means: "The clip's title, over the lower third." },
  { value: "streamer", name: "Who is seen", means: "The streamer's name, over the lower third." },
  { value: "both", name: "Both", means: "Title and streamer, in two lines." },
];

export const ENGINES: Choice<Engine>[] = [
  { value: "local", name: "On this installation", means: "English speech; nothing leaves the machine." },
  { value: "openai", name: "The operator's service", means: "Other languages, where the operator has set one up." },
  { value: "none", name: "No captions", means: "What is said cannot be searched then." },
];

export const SIZES = [
  { width: "3840", height: "2160", name: "3840 × 2160 (4K)" },
  { width: "2560", height: "1440", name: "2560 × 1440" },
  { width: "1920", height: "1080", name: "1920 × 1080 (Full HD)" },
  { width: "1280", height: "720", name: "1280 × 720 (HD)" },
  { width: "1080", height: "1920", name: "1080 × 1920 (upright)" },
  { width: "1080", height: "1080", name: "1080 × 1080 (square)" },
];

const nameIn = <T extends string>(choices: Choice<T>[], value: T): string =>
  choices.find((choice) => choice.value === value)?.name ?? value;

/** What is chosen in each group, in a few words. */
export const summaries = {
  cut: (o: Options) => nameIn(CUTS, o.cut),
  picture: (o: Options) => {
    const size = o.width && o.height ? `${o.width} × ${o.height}` : "As the sources";
    return [size, o.frameRate && `${o.frameRate} fps`, o.codec !== "auto" && nameIn(CODECS, o.codec)]
      .filter(Boolean)
      .join(", ");
  },
  sound: (o: Options) => (o.levelled ? `Levelled to ${o.loudness.replace("-", "−") || "−16"} LUFS` : "As it is"),
  between: (o: Options) =>
    `${nameIn(TRANSITIONS, o.transition)}${o.show === "none" ? "" : `, ${nameIn(SHOWS, o.show).toLowerCase()} shown`}`,
  ends: (o: Options) =>
    [o.intro.source && "Intro", o.outro.source && "Outro"].filter(Boolean).join(" and ") || "Neither intro nor outro",
  captions: (o: Options) =>
    o.engine === "none" ? "None" : `${nameIn(ENGINES, o.engine)}${o.language ? `, ${o.language}` : ""}`,
  order: (o: Options) => (o.order === "score" ? "The best first" : "As in the list"),
  when: (o: Options) => {
    const labels = o.labels.filter((label) => label.name.trim()).length;
    const priority = o.priority.trim();
    return [
      o.runAt ? `From ${o.runAt.replace("T", ", ")}` : "At once",
      priority !== "" && priority !== "0" && `priority ${priority}`,
      labels > 0 && `${labels} ${labels === 1 ? "label" : "labels"}`,
    ]
      .filter(Boolean)
      .join(", ");
  },
};
