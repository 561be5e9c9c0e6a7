// The captions over the picture: the browser draws them, as whoever watches has set it up.
import { useEffect, useRef } from "react";

export interface CaptionsSource {
  /** A WebVTT file. */
  src: string;
  /** BCP 47, where it is known. */
  language?: string;
  /** Another text each time the file changes: it is loaded again then. */
  version: string;
}

/** Lines that the controls cover at the bottom of a screen that the player fills. */
const COVERED = -5;

interface CaptionsProps {
  source: CaptionsSource;
  on: boolean;
  /** They make room for the controls. */
  lifted: boolean;
}

export function Captions({ source, on, lifted }: CaptionsProps) {
  const ref = useRef<HTMLTrackElement>(null);
  const { version } = source;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another version is another element
  useEffect(() => {
    const track = ref.current?.track;
    if (track) track.mode = on ? "showing" : "disabled";
  }, [on, version]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another version is another element
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const place = () => {
      for (const cue of element.track.cues ?? []) {
        if (cue instanceof VTTCue) cue.line = lifted ? COVERED : "auto";
      }
    };
    place();
    element.addEventListener("load", place);
    return () => element.removeEventListener("load", place);
  }, [lifted, version]);
  return (
    <track
      key={version}
      ref={ref}
      kind="captions"
      src={source.src}
      srcLang={source.language ?? "und"}
      label="Captions"
    />
  );
}
