// What was said: which cue a moment belongs to, and where words stand. Pure.
//
// Promises: a search answers in time that grows with the transcript, not with its square; words are found as people mean them: without
// regard to case, accents and punctuation, at their beginning while they are being typed, and in their other forms in English.

export interface Word {
  text: string;
  /** In seconds; absent where the engine times no words. */
  start?: number;
  end?: number;
}

export interface Cue {
  start: number;
  end: number;
  text: string;
  clip: number;
  words?: { start: number; end: number; text: string }[];
}

/** The index of the cue that is said, or was said last; -1 before the first. */
export function lastCue(cues: readonly Cue[], seconds: number): number {
  let [low, high] = [0, cues.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cues[middle]?.start ?? 0) <= seconds + 0.001) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** How long after its end a cue still counts as said, in seconds. */
const LINGER = 1;

/** The index of the cue that is said at a moment; -1 in silence. */
export function cueAt(cues: readonly Cue[], seconds: number): number {
  const index = lastCue(cues, seconds);
  const cue = cues[index];
  return cue && seconds <= cue.end + LINGER ? index : -1;
}

/** The index of the word that is said at a moment; -1 between words. */
export function wordAt(words: readonly Word[], seconds: number): number {
  return words.findIndex(
    ({ start, end }) => start !== undefined && end !== undefined && start <= seconds && seconds < end,
  );
}

/** A cue's words, with their times where they are known for exactly these words. */
export function wordsOf(cue: Cue): Word[] {
  const texts = cue.text.split(/\s+/).filter(Boolean);
  const timed = cue.words ?? [];
  return timed.length === texts.length ? timed : texts.map((text) => ({ text }));
}

/** Text that has neither accents nor letters of other scripts: most words, which need no closer look. */
const PLAIN = /^[a-z0-9]+$/;

/** Words as they are compared. */
export function plainWords(text: string): string[] {
  const lower = text.toLowerCase();
  if (PLAIN.test(lower)) return [lower];
  return lower
    .normalize("NFKD")
    .replace(/[\p{M}'’]/gu, "")
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
}

/** What is left of an English word without its commonest endings: `walks`, `walked` and `walking` have the same. */
export function stem(word: string): string {
  const cut = /^(.{3,}?)(?:ing|ed|es|(?<!s)s)$/.exec(word)?.[1];
  if (!cut) return word.replace(/(.{3,})e$/, "$1");
  return cut.replace(/([^aeiouls])\1$/, "$1").replace(/(.{3,})e$/, "$1");
}

/** Where something was found: from a word to a word of one cue, both included. */
export interface Match {
  cue: number;
  from: number;
  to: number;
}

/** Words of one cue, ready to be compared. One word as it is shown may be several: `well-known`. */
type Prepared = { at: number; plain: string; stem: string }[];

/** A transcript, made ready to be searched. */
export function prepare(cues: readonly Cue[]): Prepared[] {
  // People repeat themselves: an hour of speech has some thousand different words.
  const known = new Map<string, { plain: string; stem: string }[]>();
  const look = (text: string) => {
    const found = known.get(text) ?? plainWords(text).map((plain) => ({ plain, stem: stem(plain) }));
    known.set(text, found);
    return found;
  };
  return cues.map((cue) => wordsOf(cue).flatMap((word, at) => look(word.text).map((found) => ({ at, ...found }))));
}

/** The wanted words. Quotes, `or` and words that are to be missing are the library search's: here they are left out. */
function wanted(query: string): string[] {
  return query
    .split(/\s+/)
    .filter((part) => !part.startsWith("-") && part.toLowerCase() !== "or")
    .flatMap(plainWords);
}

/** Where a query's words stand: together where they stand together anywhere, else each by itself. */
export function findWords(prepared: readonly Prepared[], query: string): Match[] {
  const terms = wanted(query).map((plain) => ({ plain, stem: stem(plain) }));
  if (terms.length === 0) return [];
  const fits = (word: Prepared[number] | undefined, term: (typeof terms)[number]) =>
    word !== undefined && (word.plain.startsWith(term.plain) || word.stem === term.stem);
  const matches: Match[] = [];
  const find = (length: number, isHit: (words: Prepared, at: number) => boolean) => {
    for (const [cue, words] of prepared.entries()) {
      for (let at = 0; at + length <= words.length; at += 1) {
        const [first, last] = [words[at], words[at + length - 1]];
        if (!first || !last || !isHit(words, at)) continue;
        const before = matches.at(-1);
        // Both halves of one word.
        if (before?.cue === cue && before.to >= first.at) continue;
        matches.push({ cue, from: first.at, to: last.at });
        at += length - 1;
      }
    }
  };
  find(terms.length, (words, at) => terms.every((term, index) => fits(words[at + index], term)));
  if (matches.length === 0 && terms.length > 1) find(1, (words, at) => terms.some((term) => fits(words[at], term)));
  return matches;
}

/** The match that is nearest to a moment, so that a link to a found moment shows that very place. */
export function nearestMatch(cues: readonly Cue[], matches: readonly Match[], seconds: number): number {
  let [best, distance] = [-1, Number.POSITIVE_INFINITY];
  for (const [index, match] of matches.entries()) {
    const cue = cues[match.cue];
    if (!cue) continue;
    const away = seconds < cue.start ? cue.start - seconds : Math.max(0, seconds - cue.end);
    if (away < distance) [best, distance] = [index, away];
  }
  return best;
}
