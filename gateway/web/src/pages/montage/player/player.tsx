// The player: a <video> with controls of its own below it, or over it when it fills the screen.
//
// Promises: everything works by keyboard, by touch and by name; what a key did is shown and said; its size is known before the video is,
// so that nothing moves; what hinders it is explained, with something to do about it.
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { Icon } from "../../../ui/icon";
import { Captions, type CaptionsSource } from "./captions";
import type { Chapter } from "./chapters";
import { Controls } from "./controls";
import { Explained } from "./explained";
import { useFullScreen, useIdle } from "./full-screen";
import { KeyHelp } from "./help";
import { type Command, useKeys } from "./keys";
import { nextSpeed, type Playback, usePlayback } from "./playback";
import styles from "./player.module.css";
import { frameAt, type Rate, startOf } from "./rate";
import { keep, kept } from "./settings";
import { type Pictures, TimeBar } from "./time-bar";

export interface PlayerProps {
  playback: Playback;
  /** Where the video is. */
  src: string;
  /** What it is called. */
  title: string;
  poster?: string;
  /** In pixels: how the place for it is cut. */
  width: number;
  height: number;
  /** In seconds. */
  duration: number;
  rate: Rate | null;
  chapters?: readonly Chapter[];
  pictures?: Pictures;
  captions?: CaptionsSource;
  /** There is nothing to hear. */
  silent?: boolean;
  /** Copies a link to what is seen. */
  copyLink?: (seconds: number) => void;
}

export function Player(props: PlayerProps) {
  const { playback, src, title, poster, width, height, duration, rate, chapters, pictures, captions } = props;
  const root = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [captionsOn, setCaptionsOn] = useState(() => kept().captions);
  const [help, setHelp] = useState(false);
  const [notice, say] = useNotice();
  const [full, switchFull] = useFullScreen(root, video);
  const paused = usePlayback(playback, (state) => state.paused);
  const idle = useIdle(root, full && !paused);

  useEffect(() => {
    if (!video.current) return;
    const { volume, muted } = kept();
    video.current.volume = volume;
    video.current.muted = muted;
    return playback.attach(video.current);
  }, [playback]);
  useEffect(
    () =>
      playback.subscribe(() => {
        const { volume, muted } = playback.state;
        keep({ volume, muted });
      }),
    [playback],
  );

  const switchCaptions = useCallback(() => {
    if (!captions) return say("There are no captions");
    setCaptionsOn(!captionsOn);
    keep({ captions: !captionsOn });
    say(captionsOn ? "Captions off" : "Captions on");
  }, [captions, captionsOn, say]);

  const run = (command: Command) => {
    switch (command.do) {
      case "toggle":
        return playback.toggle();
      case "skip":
        playback.skip(command.seconds);
        return say(command.seconds > 0 ? `${command.seconds} s on` : `${-command.seconds} s back`);
      case "share":
        return playback.seek(duration * command.share);
      case "step":
        return step(command.frames);
      case "volume":
        playback.setVolume(playback.state.volume + command.by);
        return say(`Volume ${Math.round(playback.state.volume * 100)} %`);
      case "mute":
        playback.setMuted(!playback.state.muted);
        return say(playback.state.muted ? "Sound off" : "Sound on");
      case "captions":
        return switchCaptions();
      case "full":
        return switchFull();
      case "speed": {
        const speed = nextSpeed(playback.state.rate, command.by);
        playback.setRate(speed);
        return say(`Speed ${speed}`);
      }
      case "help":
        return setHelp(true);
    }
  };
  const step = (frames: 1 | -1) => {
    if (!rate) return;
    playback.step(rate, frames);
    const frame = frameAt(rate, playback.state.time);
    say(`Frame ${(frame + 1).toLocaleString("en")}, at ${startOf(rate, frame).toFixed(3)} s`);
  };
  useKeys(() => root.current, run);

  return (
    <section
      ref={root}
      className={[styles.player, full && styles.full, idle && styles.idle].filter(Boolean).join(" ")}
      aria-label="Player"
    >
      <div className={styles.stage} style={full ? undefined : { aspectRatio: `${width} / ${height}` }}>
        {/* biome-ignore lint/a11y/useMediaCaption: the track is there wherever there is a transcript */}
        <video
          ref={video}
          className={styles.video}
          src={src}
          poster={poster}
          preload="metadata"
          playsInline
          title={title}
        >
          {captions && <Captions source={captions} on={captionsOn} lifted={full && !idle} />}
        </video>
        <Surface playback={playback} onDouble={switchFull} />
        <p className={styles.notice} role="status">
          {notice && <span key={notice.number}>{notice.text}</span>}
        </p>
        <Explained playback={playback} src={src} />
      </div>
      <div className={styles.controls}>
        <TimeBar playback={playback} duration={duration} chapters={chapters} pictures={pictures} />
        <Controls
          playback={playback}
          duration={duration}
          chapters={chapters}
          captions={captions ? { on: captionsOn, switch: switchCaptions } : undefined}
          step={rate ? step : undefined}
          silent={props.silent}
          full={full}
          switchFull={switchFull}
          video={video}
          copyLink={props.copyLink}
          help={() => setHelp(true)}
        />
      </div>
      {help && <KeyHelp close={() => setHelp(false)} />}
    </section>
  );
}

/** What lies over the picture: pressing it plays and stops. Keys and the button below do the same, so it is for pointers only. */
function Surface({ playback, onDouble }: { playback: Playback; onDouble: () => void }): ReactNode {
  const paused = usePlayback(playback, (state) => state.paused);
  const started = usePlayback(playback, (state) => state.started);
  const waiting = usePlayback(playback, (state) => state.waiting);
  return (
    <button
      type="button"
      className={styles.surface}
      tabIndex={-1}
      aria-hidden="true"
      onClick={() => playback.toggle()}
      onDoubleClick={onDouble}
    >
      {paused && !started && (
        <span className={styles.start}>
          <Icon name="play" size="2.5rem" />
        </span>
      )}
      {waiting && <span className={styles.waiting} />}
    </button>
  );
}

/** How long a word about what a key did is shown, in milliseconds. */
const SHOWN = 1200;

function useNotice(): [{ text: string; number: number } | null, (text: string) => void] {
  const [notice, setNotice] = useState<{ text: string; number: number } | null>(null);
  const number = useRef(0);
  const say = useCallback((text: string) => {
    number.current += 1;
    setNotice({ text, number: number.current });
  }, []);
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(() => setNotice(null), SHOWN);
    return () => clearTimeout(timer);
  }, [notice]);
  return [notice, say];
}
