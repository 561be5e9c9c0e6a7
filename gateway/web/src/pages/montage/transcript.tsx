// What is said, beside the video: follows it, leads to any moment of it, and can be searched.
//
// Promises: hours of speech are as quick as a minute of it, for only what is seen is on the page; the list is one stop for the Tab key, with
// arrows inside; it follows the video until somebody scrolls, and says how to follow it again; text can be selected.
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type CSSProperties,
  type KeyboardEvent,
  type MouseEvent,
  memo,
  type ReactNode,
  useCallback,
  useDeferredValue,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Clip } from "../../api/types";
import { clock } from "../../lib/format";
import { Button } from "../../ui/button";
import { type Cue, cueAt, findWords, type Match, nearestMatch, prepare, wordAt, wordsOf } from "./cues";
import { type Playback, usePlayback } from "./player/playback";
import styles from "./transcript.module.css";

interface TranscriptProps {
  cues: readonly Cue[];
  clips: readonly Clip[];
  playback: Playback;
  /** BCP 47, where it is known. */
  language?: string | null;
  /** What is searched for at first. */
  words: string;
}

/** A line of the list: where a highlight begins, or what is said. */
type Line = { kind: "clip"; clip: Clip } | { kind: "cue"; cue: Cue; index: number };

function linesOf(cues: readonly Cue[], clips: readonly Clip[]): Line[] {
  const lines: Line[] = [];
  let last = -1;
  for (const [index, cue] of cues.entries()) {
    const clip = clips[cue.clip];
    if (clip && cue.clip !== last && clips.length > 1) lines.push({ kind: "clip", clip });
    last = cue.clip;
    lines.push({ kind: "cue", cue, index });
  }
  return lines;
}

/** A guess at a line's height, until it is measured: signs in a row, and the heights of rows, in pixels. */
const [SIGNS, ROW, AROUND, HEAD] = [42, 24, 16, 44];

export function Transcript({ cues, clips, playback, language, words }: TranscriptProps) {
  const box = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState(words);
  const searched = useDeferredValue(query);
  const lines = useMemo(() => linesOf(cues, clips), [cues, clips]);
  const lineOf = useMemo(() => {
    const places = new Map<number, number>();
    for (const [place, line] of lines.entries()) if (line.kind === "cue") places.set(line.index, place);
    return places;
  }, [lines]);
  const searches = searched.trim() !== "";
  const prepared = useMemo(() => (searches ? prepare(cues) : []), [cues, searches]);
  const matches = useMemo(() => findWords(prepared, searched), [prepared, searched]);
  const [match, setMatch] = useState(-1);
  const [follows, setFollows] = useState(true);
  /** The cue that the Tab key leads to; -1: the one that is said. */
  const [focused, setFocused] = useState(-1);
  const current = usePlayback(playback, (state) => cueAt(cues, state.time));
  /** Signs of the longest time: all stand in one column. */
  const widest = clock(cues.at(-1)?.start ?? 0).length;
  const stop = focused >= 0 ? focused : Math.max(0, current);

  const list = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => {
      const line = lines[index];
      return line?.kind === "cue" ? Math.ceil(line.cue.text.length / SIGNS) * ROW + AROUND : HEAD;
    },
    getItemKey: (index) => index,
    overscan: 8,
    // What has the focus stays on the page, wherever it is scrolled to.
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const shown = new Set([lineOf.get(stop) ?? 0]);
      for (let at = Math.max(0, startIndex - overscan); at <= Math.min(count - 1, endIndex + overscan); at += 1)
        shown.add(at);
      return [...shown].sort((a, b) => a - b);
    },
  });

  const show = useCallback(
    (cue: number) => {
      const place = lineOf.get(cue);
      const height = box.current?.clientHeight ?? 0;
      if (place === undefined || height === 0) return;
      const item = list.getVirtualItems().find(({ index }) => index === place);
      const top = item ? item.start - (box.current?.scrollTop ?? 0) : -1;
      // Only what leaves the middle is moved: a text that moves with each sentence cannot be read.
      if (!item || top < height * 0.1 || top + item.size > height * 0.75)
        list.scrollToIndex(place, { align: "center" });
    },
    [lineOf, list],
  );

  // Following.
  useEffect(() => {
    if (follows && current >= 0) show(current);
  }, [follows, current, show]);

  // Searching: while words are typed the video stays where it is; the match that is nearest to it is shown.
  useEffect(() => {
    const nearest = nearestMatch(cues, matches, playback.state.time);
    setMatch(nearest);
    const found = matches[nearest];
    if (!found || found.cue === cueAt(cues, playback.state.time)) return;
    setFollows(false);
    show(found.cue);
  }, [cues, matches, playback, show]);

  const go = (by: 1 | -1) => {
    if (matches.length === 0) return;
    const next = (match + by + matches.length) % matches.length;
    const found = matches[next];
    const cue = found && cues[found.cue];
    if (!cue) return;
    setMatch(next);
    setFollows(true);
    playback.seek(wordsOf(cue)[found.from]?.start ?? cue.start);
    show(found.cue);
  };

  const inCue = useMemo(() => {
    const places = new Map<number, { match: Match; number: number }[]>();
    for (const [number, found] of matches.entries()) {
      const here = places.get(found.cue);
      if (here) here.push({ match: found, number });
      else places.set(found.cue, [{ match: found, number }]);
    }
    return places;
  }, [matches]);

  const seek = useCallback(
    (seconds: number) => {
      setFollows(true);
      playback.seek(seconds);
    },
    [playback],
  );
  const onClick = (event: MouseEvent) => {
    // Who selects text does not want to go there.
    if (!(event.target instanceof Element) || window.getSelection()?.isCollapsed === false) return;
    const place = event.target.closest<HTMLElement>("[data-seek]")?.dataset.seek;
    if (place !== undefined) seek(Number(place));
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = { ArrowDown: stop + 1, ArrowUp: stop - 1, Home: 0, End: cues.length - 1 }[event.key];
    if (to === undefined || !cues[to]) return;
    event.preventDefault();
    setFollows(false);
    setFocused(to);
    list.scrollToIndex(lineOf.get(to) ?? 0, { align: "auto" });
    // It may have to be put on the page first.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-cue="${to}"]`)?.focus()),
    );
  };
  const leave = () => setFollows(false);

  return (
    <div className={styles.transcript}>
      <search className={styles.search}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            go(1);
          }}
        >
          <input
            type="search"
            className={styles.field}
            aria-label="Search the transcript"
            placeholder="Search the transcript"
            autoComplete="off"
            maxLength={500}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || !event.shiftKey) return;
              event.preventDefault();
              go(-1);
            }}
          />
          <Button
            look="quiet"
            icon="up"
            label="Previous match"
            small
            disabled={matches.length === 0}
            onClick={() => go(-1)}
          />
          <Button
            look="quiet"
            icon="down"
            label="Next match"
            small
            disabled={matches.length === 0}
            onClick={() => go(1)}
          />
        </form>
        <p className={styles.count} role="status">
          {searched.trim() &&
            (matches.length === 0
              ? "Not said in these words"
              : `${match + 1} of ${matches.length.toLocaleString("en")}`)}
        </p>
      </search>
      <div className={styles.room}>
        <div
          ref={box}
          className={styles.scroll}
          onWheel={leave}
          onTouchMove={leave}
          onPointerDown={(event) => {
            // On the scroll bar.
            if (event.target === event.currentTarget) leave();
          }}
        >
          <ol
            className={styles.lines}
            aria-label="Transcript"
            data-arrows
            lang={language ?? undefined}
            style={{ height: `${list.getTotalSize()}px`, "--clock": widest } as CSSProperties}
            onClick={onClick}
            onKeyDown={onKey}
          >
            {list.getVirtualItems().map((item) => {
              const line = lines[item.index];
              if (!line) return null;
              return (
                <li
                  key={item.key}
                  ref={list.measureElement}
                  data-index={item.index}
                  className={styles.line}
                  aria-setsize={lines.length}
                  aria-posinset={item.index + 1}
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  {line.kind === "clip" ? (
                    <h3 className={styles.head} dir="auto">
                      {line.clip.title}
                    </h3>
                  ) : (
                    <CueLine
                      cue={line.cue}
                      index={line.index}
                      said={line.index === current}
                      reached={line.index === stop}
                      matches={inCue.get(line.index)}
                      chosen={match}
                      playback={playback}
                    />
                  )}
                </li>
              );
            })}
          </ol>
        </div>
        {!follows && current >= 0 && (
          <div className={styles.follow}>
            <Button
              look="plain"
              small
              icon="down"
              onClick={() => {
                setFocused(-1);
                setFollows(true);
              }}
            >
              Follow the video
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

interface CueLineProps {
  cue: Cue;
  index: number;
  /** It is being said. */
  said: boolean;
  /** The Tab key leads to it. */
  reached: boolean;
  matches: { match: Match; number: number }[] | undefined;
  /** The match that was gone to. */
  chosen: number;
  playback: Playback;
}

const CueLine = memo(function CueLine({ cue, index, said, reached, matches, chosen, playback }: CueLineProps) {
  const words = useMemo(() => wordsOf(cue), [cue]);
  return (
    <div className={said ? `${styles.cue} ${styles.said}` : styles.cue} aria-current={said ? "true" : undefined}>
      <button
        type="button"
        className={styles.time}
        data-cue={index}
        data-seek={cue.start}
        tabIndex={reached ? 0 : -1}
        aria-label={`${clock(cue.start)}: ${cue.text}`}
      >
        {clock(cue.start)}
      </button>
      <p className={styles.text} data-seek={cue.start} dir="auto">
        {said ? (
          <SaidWords words={words} matches={matches} chosen={chosen} playback={playback} />
        ) : (
          <Words words={words} matches={matches} chosen={chosen} now={-1} />
        )}
      </p>
    </div>
  );
});

type WordsProps = { words: ReturnType<typeof wordsOf> } & Pick<CueLineProps, "matches" | "chosen">;

/** The words of what is being said, the one of the moment among them. */
function SaidWords({ playback, ...rest }: WordsProps & { playback: Playback }) {
  const now = usePlayback(playback, (state) => wordAt(rest.words, state.time));
  return <Words {...rest} now={now} />;
}

function Words({ words, matches = [], chosen, now }: WordsProps & { now: number }): ReactNode {
  const shown = (from: number, to: number) =>
    words.slice(from, to).map((word, offset) => {
      const at = from + offset;
      return (
        <span key={at} className={at === now ? styles.now : undefined} data-seek={word.start}>
          {word.text}
          {at + 1 < to && " "}
        </span>
      );
    });
  // What was found is one thing, of however many words it is.
  const parts: ReactNode[] = [];
  let done = 0;
  for (const { match, number } of matches) {
    parts.push(shown(done, match.from), done > 0 || match.from > 0 ? " " : "");
    parts.push(
      <mark key={`match ${match.from}`} className={number === chosen ? styles.chosen : undefined}>
        {shown(match.from, match.to + 1)}
      </mark>,
    );
    done = match.to + 1;
  }
  if (done > 0 && done < words.length) parts.push(" ");
  parts.push(shown(done, words.length));
  return <>{parts}</>;
}
