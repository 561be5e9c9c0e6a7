// Chapters on the time bar. Pure.

/** What the bar knows of a chapter. In order of time, without gaps. */
export interface Chapter {
  title: string;
  /** In seconds. */
  start: number;
  duration: number;
}

/** Rounding apart, a time that is a chapter's start belongs to it. */
const SLACK = 0.001;

/** The index of the chapter that a time belongs to; -1 before the first, and where there is none. */
export function chapterAt(chapters: readonly Chapter[], seconds: number): number {
  let [low, high] = [0, chapters.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chapters[middle]?.start ?? 0) <= seconds + SLACK) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** How close to its start a chapter counts as not yet begun, in seconds: going back twice leads to the one before. */
const JUST_BEGUN = 2;

/** Where the way to the chapter before (-1) or after (1) leads; null where there is none. */
export function neighbour(chapters: readonly Chapter[], seconds: number, by: 1 | -1): number | null {
  const here = chapterAt(chapters, seconds);
  if (by === 1) return chapters[here + 1]?.start ?? null;
  const current = chapters[here];
  if (!current) return null;
  if (seconds - current.start > JUST_BEGUN) return current.start;
  return chapters[here - 1]?.start ?? current.start;
}

/** The least distance between two marks on the bar, in pixels: nearer ones would be a smear. */
const LEAST = 6;

/** Where the bar is divided, as shares of its length: the starts of chapters, but only as many as can be told apart. */
export function divisions(chapters: readonly Chapter[], duration: number, width: number): number[] {
  if (duration <= 0 || width <= 0) return [];
  const marks: number[] = [];
  let last = 0;
  for (const { start } of chapters) {
    const at = (start / duration) * width;
    if (at - last < LEAST || width - at < LEAST) continue;
    marks.push(start / duration);
    last = at;
  }
  return marks;
}

/** How far the arrows lead on the bar, in seconds, and how far a page does where there are no chapters, as a share. */
const [STEP, PAGE] = [5, 0.1];

/** Where a key leads that is pressed on the bar; null for one that is not the bar's. */
export function placeAfter(
  key: string,
  seconds: number,
  duration: number,
  chapters: readonly Chapter[],
): number | null {
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return seconds - STEP;
    case "ArrowRight":
    case "ArrowUp":
      return seconds + STEP;
    case "Home":
      return 0;
    case "End":
      return duration;
    case "PageDown":
      return neighbour(chapters, seconds, -1) ?? seconds - duration * PAGE;
    case "PageUp":
      return neighbour(chapters, seconds, 1) ?? seconds + duration * PAGE;
    default:
      return null;
  }
}
