// A source in words, and where it can be played from.
import { bytes, clock } from "../../../lib/format";
import type { DraftSource } from "../draft/model";
import { rateOf } from "../time";
import type { Fact } from "./facts";
import type { ProbeView } from "./probe";

const CODECS: Record<string, string> = {
  h264: "H.264",
  hevc: "H.265",
  vp8: "VP8",
  vp9: "VP9",
  av1: "AV1",
  mpeg2video: "MPEG-2",
  mpeg4: "MPEG-4",
  prores: "ProRes",
  aac: "AAC",
  mp3: "MP3",
  opus: "Opus",
  vorbis: "Vorbis",
  flac: "FLAC",
  ac3: "Dolby Digital",
  eac3: "Dolby Digital Plus",
};
const CONTAINERS: Record<string, string> = {
  mp4: "MP4",
  matroska: "Matroska",
  webm: "WebM",
  mpegts: "MPEG-TS",
  mpegps: "MPEG-PS",
  hls: "an HLS playlist",
};

export const codecName = (codec: string): string => CODECS[codec.toLowerCase()] ?? codec;
const containerName = (container: string): string => CONTAINERS[container.toLowerCase()] ?? container;

/** Frames in a second as people say them: `30`, `29.97`. */
export function rateName(text: string): string {
  const rate = rateOf(text);
  return rate === null ? text : String(Math.round(rate * 1000) / 1000);
}

const channels = (count: number): string =>
  ({ 1: "mono", 2: "stereo", 6: "5.1", 8: "7.1" })[count] ?? `${count} channels`;

/** What is in it, piece by piece. */
export function factsInWords(view: ProbeView): string[] {
  const { video, audio } = view;
  return [
    view.duration > 0 ? clock(view.duration) : "",
    `${video.width}×${video.height}`,
    `${rateName(video.frame_rate)} fps`,
    `${codecName(video.codec)} ${audio ? `and ${codecName(audio.codec)} ${channels(audio.channels)}` : "without sound"}`,
    containerName(view.container),
    view.bytes > 0 ? bytes(view.bytes) : "",
  ].filter(Boolean);
}

/** Where a source's picture comes from for the player, or why there is none. */
export interface Media {
  url: string | null;
  why: string | null;
}

const TYPED = "Times can be typed and set on the timeline all the same.";

export function mediaOf(source: DraftSource, fact: Fact, local: string | undefined): Media {
  const { ref } = source;
  // What lies on this very machine plays at once, while it is still on its way to the server.
  if (local) return { url: local, why: null };
  if (!ref) return { url: null, why: "It can be played once its file is chosen again and uploaded." };
  if ("path" in ref) {
    return { url: null, why: `Files of the operator's directories are not sent to browsers. ${TYPED}` };
  }
  if (fact.probe && !fact.probe.playable) {
    return {
      url: null,
      why: `Browsers cannot play ${containerName(fact.probe.container)} with this picture. ${TYPED}`,
    };
  }
  if ("upload" in ref) return { url: `/v1/uploads/${ref.upload}/media`, why: null };
  if ("montage" in ref) return { url: `/v1/montages/${ref.montage}/media`, why: null };
  if (fact.id) return { url: `/v1/probes/${fact.id}/media`, why: null };
  const why = fact.state === "failed" ? `It could not be looked into. ${TYPED}` : "It is being looked into…";
  return { url: null, why };
}
