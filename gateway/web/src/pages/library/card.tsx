// One montage in the grid: its poster, which shows more of it to whoever points at it, and what one wants to know before playing it.
import { type PointerEvent, type RefObject, useRef, useState } from "react";
import { Link } from "wouter";
import type { MontageSummary } from "../../api/types";
import { age, clock, count, moment, spokenLength } from "../../lib/format";
import { Marked } from "../../lib/marked";
import styles from "./card.module.css";
import { tile } from "./sprites";

/** Where a card leads: with a search, to the first place where its words are. */
export function addressOf(montage: MontageSummary, words: string): string {
  const parameters = new URLSearchParams();
  if (words) parameters.set("q", words);
  if (typeof montage.matched_at === "number")
    parameters.set("t", String(Math.max(0, Math.floor(montage.matched_at * 10) / 10)));
  const text = parameters.toString();
  return text ? `/m/${montage.id}?${text}` : `/m/${montage.id}`;
}

export function Card({ montage, words }: { montage: MontageSummary; words: string }) {
  const poster = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<number | null>(null);
  // A pointer that moves over the poster leafs through the montage. The link lies over all of the card, so the card hears of it.
  const leaf = (event: PointerEvent) => {
    if (event.pointerType === "touch" || !poster.current) return;
    const { left, width, bottom } = poster.current.getBoundingClientRect();
    setPlace(event.clientY <= bottom ? Math.min(1, Math.max(0, (event.clientX - left) / width)) : null);
  };
  const facts = [
    montage.streamers.slice(0, 3).join(", ") +
      (montage.streamers.length > 3 ? ` and ${montage.streamers.length - 3} more` : ""),
    count(montage.clip_count, "clip"),
  ].filter(Boolean);
  return (
    // biome-ignore lint/a11y/useSemanticElements: its list has rows in between, see the grid
    <div role="listitem" className={styles.card} onPointerMove={leaf} onPointerLeave={() => setPlace(null)}>
      <Poster montage={montage} place={place} box={poster} />
      <div className={styles.about}>
        <h2 className={styles.title}>
          <Link href={addressOf(montage, words)}>{montage.title}</Link>
        </h2>
        {facts.length > 0 && <p className={styles.facts}>{facts.join(" · ")}</p>}
        <p className={styles.facts}>
          <time dateTime={montage.created_at} title={moment(montage.created_at)}>
            {age(montage.created_at)}
          </time>
          <span className="hidden-text">, {spokenLength(montage.duration)} long</span>
          {montage.transcript_state === "complete" ? "" : " · no captions"}
        </p>
        {montage.matched && (
          <p className={styles.matched}>
            {typeof montage.matched_at === "number" && <span className="numbers">{clock(montage.matched_at)} </span>}
            <Marked html={montage.matched} />
          </p>
        )}
      </div>
    </div>
  );
}

interface PosterProps {
  montage: MontageSummary;
  /** Where a pointer is on it, from 0 to 1; the small pictures are fetched when that begins. */
  place: number | null;
  box: RefObject<HTMLDivElement | null>;
}

function Poster({ montage, place, box }: PosterProps) {
  const [gone, setGone] = useState(false);
  const sprites = montage.sprites;
  const shown = place !== null ? tile(sprites, place * montage.duration, montage.links.sprites ?? "") : null;
  return (
    <div ref={box} className={styles.poster}>
      {!gone && <img src={montage.links.poster} alt="" loading="lazy" decoding="async" onError={() => setGone(true)} />}
      {shown && (
        <span className={styles.sprite} aria-hidden="true">
          <span style={shown} />
        </span>
      )}
      {place !== null && (
        <span className={styles.line} aria-hidden="true">
          <span style={{ width: `${place * 100}%` }} />
        </span>
      )}
      <span className={styles.time} aria-hidden="true">
        {place !== null ? `${clock(place * montage.duration)} / ` : ""}
        {clock(montage.duration)}
      </span>
    </div>
  );
}
