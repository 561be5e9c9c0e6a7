// The buttons below the time bar.
import { type RefObject, useEffect, useState } from "react";
import { clock, spokenLength } from "../../../lib/format";
import { Icon, type IconName } from "../../../ui/icon";
import { type Chapter, neighbour } from "./chapters";
import styles from "./controls.module.css";
import { type Playback, SPEEDS, usePlayback } from "./playback";

interface ControlsProps {
  playback: Playback;
  duration: number;
  chapters?: readonly Chapter[];
  captions?: { on: boolean; switch: () => void };
  step?: (frames: 1 | -1) => void;
  silent?: boolean;
  full: boolean;
  switchFull: () => void;
  video: RefObject<HTMLVideoElement | null>;
  copyLink?: (seconds: number) => void;
  help: () => void;
}

export function Controls(props: ControlsProps) {
  const { playback, duration, chapters = [], captions, step, full, copyLink } = props;
  const paused = usePlayback(playback, (state) => state.paused);
  const jump = (by: 1 | -1) => {
    const to = neighbour(chapters, playback.state.time, by);
    if (to !== null) playback.seek(to);
  };
  return (
    <div className={styles.row}>
      <div className={styles.group}>
        <Press
          icon={paused ? "play" : "pause"}
          label={paused ? "Play" : "Pause"}
          keys="k"
          onClick={() => playback.toggle()}
          big
        />
        {chapters.length > 1 && (
          <>
            <Press icon="previous" label="Previous highlight" onClick={() => jump(-1)} />
            <Press icon="next" label="Next highlight" onClick={() => jump(1)} />
          </>
        )}
        <Time playback={playback} duration={duration} />
        <Sound playback={playback} silent={props.silent} />
      </div>
      <div className={`${styles.group} ${styles.end}`}>
        {step && (
          <span className={styles.pair}>
            <Press icon="frame-back" label="One frame back" keys="," onClick={() => step(-1)} />
            <Press icon="frame-on" label="One frame on" keys="." onClick={() => step(1)} />
          </span>
        )}
        <Speed playback={playback} />
        {captions && (
          <Press icon="captions" label="Captions" keys="c" pressed={captions.on} onClick={captions.switch} />
        )}
        {copyLink && (
          <Press icon="link" label="Copy a link to this moment" onClick={() => copyLink(playback.state.time)} />
        )}
        <Inset video={props.video} />
        <Press icon="help" label="Keys" keys="?" keyboard onClick={props.help} />
        <Press
          icon={full ? "shrink" : "full"}
          label={full ? "Leave full screen" : "Full screen"}
          keys="f"
          onClick={props.switchFull}
        />
      </div>
    </div>
  );
}

interface PressProps {
  icon: IconName;
  label: string;
  /** The key that does the same. */
  keys?: string;
  pressed?: boolean;
  big?: boolean;
  /** Of no use where there is no keyboard. */
  keyboard?: boolean;
  onClick: () => void;
}

function Press({ icon, label, keys, pressed, big, keyboard, onClick }: PressProps) {
  return (
    <button
      type="button"
      className={[styles.press, big && styles.big, keyboard && styles.keyboard].filter(Boolean).join(" ")}
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={keys}
      title={keys ? `${label} (${keys})` : label}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

function Time({ playback, duration }: { playback: Playback; duration: number }) {
  const second = usePlayback(playback, (state) => Math.floor(state.time + 1e-6));
  const whole = clock(duration);
  return (
    <span className={styles.time}>
      <span className="hidden-text">
        {spokenLength(second)} of {spokenLength(Math.floor(duration))}
      </span>
      <span aria-hidden="true">
        {/* As wide as it gets: the buttons beside it stay where they are. */}
        <span className={styles.now} style={{ minWidth: `${whole.length}ch` }}>
          {clock(second)}
        </span>{" "}
        / {whole}
      </span>
    </span>
  );
}

function Sound({ playback, silent }: { playback: Playback; silent?: boolean }) {
  const volume = usePlayback(playback, (state) => state.volume);
  const muted = usePlayback(playback, (state) => state.muted);
  if (silent) {
    return (
      <span className={styles.silent}>
        <Icon name="muted" /> No sound
      </span>
    );
  }
  return (
    <span className={styles.sound}>
      <Press
        icon={muted ? "muted" : "volume"}
        label={muted ? "Sound on" : "Mute"}
        keys="m"
        onClick={() => playback.setMuted(!muted)}
      />
      <input
        type="range"
        className={styles.volume}
        aria-label="Volume"
        aria-valuetext={muted ? "muted" : `${Math.round(volume * 100)} %`}
        min={0}
        max={1}
        step={0.05}
        value={muted ? 0 : volume}
        onChange={(event) => playback.setVolume(Number(event.target.value))}
      />
    </span>
  );
}

function Speed({ playback }: { playback: Playback }) {
  const rate = usePlayback(playback, (state) => state.rate);
  const speeds = (SPEEDS as readonly number[]).includes(rate) ? SPEEDS : [...SPEEDS, rate].sort((a, b) => a - b);
  return (
    <select
      className={styles.speed}
      aria-label="Speed"
      title="Speed (< and >)"
      value={rate}
      onChange={(event) => playback.setRate(Number(event.target.value))}
    >
      {speeds.map((speed) => (
        <option key={speed} value={speed}>
          {speed}×
        </option>
      ))}
    </select>
  );
}

/** Picture in picture, where the browser has it. */
function Inset({ video }: { video: RefObject<HTMLVideoElement | null> }) {
  const [on, setOn] = useState(false);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    const look = () => setOn(document.pictureInPictureElement === element);
    element.addEventListener("enterpictureinpicture", look);
    element.addEventListener("leavepictureinpicture", look);
    return () => {
      element.removeEventListener("enterpictureinpicture", look);
      element.removeEventListener("leavepictureinpicture", look);
    };
  }, [video]);
  if (!document.pictureInPictureEnabled) return null;
  const change = () => {
    const done = on ? document.exitPictureInPicture() : video.current?.requestPictureInPicture();
    // Refused before the video is known: it can be asked for again.
    done?.catch(() => {});
  };
  return <Press icon="inset" label="Picture in picture" pressed={on} onClick={change} />;
}
