// The highlights of a montage: each with its picture, its place here and on its source, and the way to both.
import { memo, useDeferredValue, useEffect, useRef } from "react";
import { Link } from "wouter";
import type { Clip, Montage } from "../../api/types";
import { clock, roughly, spokenLength } from "../../lib/format";
import { Button } from "../../ui/button";
import { tile } from "../library/sprites";
import styles from "./clips.module.css";
import { chapterAt } from "./player/chapters";
import { type Playback, usePlayback } from "./player/playback";
import { originOf, sourceTime } from "./sources";

interface ClipsProps {
  montage: Montage;
  playback: Playback;
  /** Copies a link to a second of the montage. */
  copyLink: (seconds: number) => void;
  /** Copies any text, and says what it was. */
  copy: (text: string, what: string) => void;
}

/** How many are shown before all others. */
const FIRST = 30;

export function Clips({ montage, playback, copyLink, copy }: ClipsProps) {
  const current = usePlayback(playback, (state) => chapterAt(montage.clips, state.time));
  // The first ones at once, hundreds more as soon as there is time.
  const shown = useDeferredValue(montage.clips.length, FIRST);
  const play = useRef((clip: Clip) => {
    playback.seek(clip.start);
    playback.play();
  });
  // The newest functions, under names that stay the same: with hundreds of clips only two are shown again when the video goes on.
  const copies = useRef({ copyLink, copy });
  useEffect(() => {
    copies.current = { copyLink, copy };
  });
  const link = useRef((seconds: number) => copies.current.copyLink(seconds));
  const text = useRef((words: string, what: string) => copies.current.copy(words, what));
  return (
    <ol className={styles.list}>
      {montage.clips.slice(0, shown).map((clip, index) => (
        <ClipRow
          // biome-ignore lint/suspicious/noArrayIndexKey: clips have no names of their own and stand as they stand
          key={index}
          clip={clip}
          index={index}
          montage={montage}
          current={index === current}
          play={play.current}
          copyLink={link.current}
          copy={text.current}
        />
      ))}
    </ol>
  );
}

interface RowProps {
  clip: Clip;
  index: number;
  montage: Montage;
  current: boolean;
  play: (clip: Clip) => void;
  copyLink: (seconds: number) => void;
  copy: (text: string, what: string) => void;
}

const ClipRow = memo(function ClipRow({ clip, index, montage, current, play, copyLink, copy }: RowProps) {
  const title = clip.title || `Highlight ${index + 1}`;
  return (
    <li
      className={current ? `${styles.row} ${styles.current}` : styles.row}
      aria-current={current ? "true" : undefined}
    >
      <ClipPicture clip={clip} montage={montage} />
      <div className={styles.about}>
        <h3 className={styles.title}>
          <button type="button" className={styles.play} onClick={() => play(clip)} dir="auto">
            {title}
          </button>
        </h3>
        <p className={styles.facts}>
          {clip.streamer && (
            <>
              <Link href={`/?${new URLSearchParams({ streamer: clip.streamer })}`} dir="auto">
                {clip.streamer}
              </Link>
              {" · "}
            </>
          )}
          <span className="numbers">at {clock(clip.start)}</span>
          {" · "}
          <span>
            <span aria-hidden="true">{roughly(clip.duration)}</span>
            <span className="hidden-text">{spokenLength(clip.duration)} long</span>
          </span>
          {typeof clip.score === "number" && (
            <> · score {clip.score.toLocaleString("en", { maximumFractionDigits: 2 })}</>
          )}
        </p>
        <Origin clip={clip} copy={copy} />
      </div>
      <Button look="quiet" small icon="link" label={`Copy a link to ${title}`} onClick={() => copyLink(clip.start)} />
    </li>
  );
});

function ClipPicture({ clip, montage }: { clip: Clip; montage: Montage }) {
  const { sprites } = montage;
  // The picture that is taken next after its start; of a very short one that of its middle.
  const next = Math.ceil(clip.start / Math.max(sprites.interval, 0.001) - 0.01) * sprites.interval;
  const second = next < clip.start + clip.duration ? next : clip.start + clip.duration / 2;
  const wide = sprites.tile_width >= sprites.tile_height;
  return (
    <span className={styles.picture} aria-hidden="true">
      <span
        className={styles.tile}
        style={{
          ...tile(sprites, second, montage.links.sprites ?? ""),
          ...(wide ? { width: "100%" } : { height: "100%" }),
        }}
      />
    </span>
  );
}

/** Where a highlight comes from, and the way to its moment there. */
function Origin({ clip, copy }: { clip: Clip; copy: RowProps["copy"] }) {
  const origin = originOf(clip.source, clip.source_start, clip.duration);
  const time = sourceTime(clip.source_start);
  if (origin.kind === "montage") {
    return (
      <p className={styles.facts}>
        From <Link href={origin.href}>another montage, at {time}</Link>
      </p>
    );
  }
  if (origin.kind === "web") {
    return (
      <p className={styles.facts}>
        From{" "}
        <a href={origin.href} rel="noreferrer" target="_blank" title={clip.source}>
          {origin.name}, at {time}
          <span className="hidden-text"> (opens in a new window)</span>
        </a>
      </p>
    );
  }
  return (
    <p className={styles.facts}>
      From {origin.kind === "upload" ? "an uploaded file" : <span title={clip.source}>{origin.name}</span>}, at{" "}
      <button
        type="button"
        className={styles.copy}
        title="Copy the time"
        aria-label={`Copy the time on the source, ${time}`}
        onClick={() => copy(time, "The time on the source")}
      >
        {time}
      </button>
    </p>
  );
}
