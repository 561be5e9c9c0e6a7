// The second step: one source in the player, marks on it, and the clip that they make.
import { type KeyboardEvent, useEffect, useId, useRef } from "react";
import { Button } from "../../../ui/button";
import { Icon } from "../../../ui/icon";
import type { DraftSource } from "../draft/model";
import { dispatch, useDraft } from "../draft/store";
import { useFact } from "../sources/facts";
import { useLocalMedia } from "../sources/uploads";
import { mediaOf } from "../sources/words";
import { Step } from "../step";
import { readSpan, timeText } from "../time";
import { ClipForm } from "./clip-form";
import styles from "./moments.module.css";
import { usePlayer } from "./player";
import { keyAfter, keyBefore } from "./scale";
import { Timeline } from "./timeline";

/** A clip that is to be played, and whether those after it follow. */
export interface Playing {
  clip: string;
  all: boolean;
}

interface MomentsProps {
  playing: Playing | null;
  /** The clip that was played is over. */
  ended: () => void;
}

export function Moments({ playing, ended }: MomentsProps) {
  const id = useId();
  const sources = useDraft((draft) => draft.sources);
  const looked = useDraft((draft) => draft.form.source);
  const source = sources.find((one) => one.key === looked);
  return (
    <Step id="moments" number={2} title="Choose the moments">
      {!source ? (
        <p className="soft">
          Add a source first. Then you find its moments here: play it, mark where each begins and ends, and add it as a
          clip.
        </p>
      ) : (
        <>
          {sources.length > 1 && (
            <div className={styles.which}>
              <label htmlFor={id}>Source</label>
              <select
                id={id}
                value={source.key}
                onChange={(event) => dispatch({ type: "cut-from", source: event.target.value })}
              >
                {sources.map((one) => (
                  <option key={one.key} value={one.key}>
                    {one.name}
                  </option>
                ))}
              </select>
            </div>
          )}
          <MomentsOf key={source.key} source={source} playing={playing} ended={ended} />
        </>
      )}
    </Step>
  );
}

/** Where keys are text, they are not commands. */
const isWriting = (target: EventTarget): boolean =>
  target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;

const NO_KEYS: number[] = [];

function MomentsOf({ source, playing, ended }: { source: DraftSource } & MomentsProps) {
  const fact = useFact(source.key);
  const local = useLocalMedia(source.key);
  const allClips = useDraft((draft) => draft.clips);
  const media = mediaOf(source, fact, local);
  const player = usePlayer(media.url);
  const rate = fact.rate;
  const duration = fact.duration ?? player.length;
  const keyframes = fact.probe?.keyframes ?? NO_KEYS;
  const span = readSpan(source.start, source.end, rate);
  const { position } = player;
  const frame = 1 / (rate ?? 30);

  const setMark = (mark: "start" | "end", seconds: number) =>
    dispatch({ type: "change-source", key: source.key, changes: { [mark]: timeText(seconds) } });
  const step = (frames: number) =>
    player.seek(Math.min(duration ?? Number.POSITIVE_INFINITY, position + frames * frame));
  const jump = (to: number | null) => to !== null && player.seek(to);
  const playMarks = () => {
    if (span.startSeconds !== null && span.endSeconds !== null && span.endSeconds > span.startSeconds) {
      player.playSpan(span.startSeconds, span.endSeconds);
    }
  };

  // What is asked for from the list of clips.
  const latest = useRef({ ended, allClips, rate });
  latest.current = { ended, allClips, rate };
  const { playSpan } = player;
  useEffect(() => {
    const clip = latest.current.allClips.find((one) => one.key === playing?.clip);
    if (!playing || clip?.source !== source.key) return;
    const { startSeconds, endSeconds } = readSpan(clip.start, clip.end, latest.current.rate);
    if (startSeconds !== null && endSeconds !== null) playSpan(startSeconds, endSeconds, () => latest.current.ended());
    else latest.current.ended();
  }, [playing, source.key, playSpan]);

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const commands: Record<string, () => void> = {
      i: () => setMark("start", position),
      o: () => setMark("end", position),
      ",": () => step(-1),
      ".": () => step(1),
      "<": () => jump(keyBefore(keyframes, position)),
      ">": () => jump(keyAfter(keyframes, position)),
      p: playMarks,
      k: player.toggle,
    };
    const command = commands[event.key.toLowerCase()];
    if (!command) return;
    event.preventDefault();
    command();
  };

  const clips = allClips
    .filter((clip) => clip.source === source.key)
    .map((clip) => ({ clip, at: readSpan(clip.start, clip.end, rate) }))
    .flatMap(({ clip, at: { startSeconds, endSeconds } }) =>
      startSeconds !== null && endSeconds !== null && endSeconds > startSeconds
        ? [{ key: clip.key, title: clip.title, start: startSeconds, end: endSeconds }]
        : [],
    );
  const why = player.broken
    ? "This browser cannot play it. Times can be typed and set on the timeline all the same."
    : media.why;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys for what the buttons do too, only while the focus is inside
    <div className={styles.moments} onKeyDown={onKey} tabIndex={-1}>
      <div className={styles.screen}>
        {media.url && (
          // biome-ignore lint/a11y/useMediaCaption: a recording has no captions before it is transcribed
          <video
            ref={player.video}
            className={styles.video}
            src={media.url}
            controls
            playsInline
            preload="metadata"
            hidden={player.broken}
            aria-label={`Player of ${source.name}`}
          />
        )}
        {why && (
          <p className={styles.why}>
            <Icon name={player.broken || fact.state === "failed" ? "warning" : "help"} size="1.75em" />
            {why}
          </p>
        )}
      </div>
      <div className={styles.transport}>
        <output className={`${styles.position} numbers`} aria-label="Place of the player">
          {timeText(position)}
        </output>
        <Button
          look="plain"
          icon="previous"
          label="Previous keyframe (<)"
          aria-disabled={keyframes.length === 0}
          onClick={() => jump(keyBefore(keyframes, position))}
        />
        <Button look="plain" icon="frame-back" label="One frame back (,)" onClick={() => step(-1)} />
        {media.url && !player.broken && (
          <Button
            look="plain"
            icon={player.playing ? "pause" : "play"}
            label={player.playing ? "Pause (K)" : "Play (K)"}
            onClick={player.toggle}
          />
        )}
        <Button look="plain" icon="frame-on" label="One frame on (.)" onClick={() => step(1)} />
        <Button
          look="plain"
          icon="next"
          label="Next keyframe (>)"
          aria-disabled={keyframes.length === 0}
          onClick={() => jump(keyAfter(keyframes, position))}
        />
        <Button look="plain" onClick={() => setMark("start", position)}>
          Start here <kbd>I</kbd>
        </Button>
        <Button look="plain" onClick={() => setMark("end", position)}>
          End here <kbd>O</kbd>
        </Button>
        {media.url && !player.broken && (
          <Button look="plain" icon="play" aria-disabled={span.length === null} onClick={playMarks}>
            Play the clip <kbd>P</kbd>
          </Button>
        )}
      </div>
      {duration !== null && duration > 0 && (
        <Timeline
          duration={duration}
          keyframes={keyframes}
          rate={rate}
          position={Math.min(position, duration)}
          start={span.startSeconds}
          end={span.endSeconds}
          clips={clips}
          seek={player.seek}
          setStart={(seconds) => setMark("start", seconds)}
          setEnd={(seconds) => setMark("end", seconds)}
        />
      )}
      <ClipForm
        source={source}
        span={span}
        duration={duration}
        keyframes={keyframes}
        seek={player.seek}
        setMark={setMark}
      />
    </div>
  );
}
