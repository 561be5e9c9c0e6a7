// The arithmetic of the timeline: what part of a source is seen, and which keyframes are drawn. Pure.

/** The part of a source that is seen, in seconds. */
export interface View {
  from: number;
  to: number;
}

/** Nearer than this nothing can be told apart, in seconds. */
const NEAREST = 0.5;

/** A view within the source, at least half a second wide. */
export function within(view: View, duration: number): View {
  const width = Math.min(duration, Math.max(NEAREST, view.to - view.from));
  const from = Math.min(Math.max(0, view.from), Math.max(0, duration - width));
  return { from, to: from + width };
}

/** The view made narrower (below 1) or wider around a moment, which stays where it is. */
export function zoom(view: View, factor: number, around: number, duration: number): View {
  const width = Math.min(duration, Math.max(NEAREST, (view.to - view.from) * factor));
  const share = view.to > view.from ? (around - view.from) / (view.to - view.from) : 0.5;
  return within({ from: around - share * width, to: around + (1 - share) * width }, duration);
}

/** The view around marks, with room on both sides; around one mark alone, half a minute. */
export function around(start: number | null, end: number | null, at: number, duration: number): View {
  const [first, last] =
    start !== null && end !== null && end > start ? [start, end] : [start ?? end ?? at, start ?? end ?? at];
  const room = Math.max(15, (last - first) * 0.4);
  return within({ from: first - room, to: last + room }, duration);
}

/** The index of the first of ascending times that is not before `at`. */
export function firstFrom(times: number[], at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How near two times are the same, in seconds: half a frame of the fastest video. */
const SAME = 0.004;

/** The keyframe before a moment; null where there is none. */
export function keyBefore(times: number[], at: number): number | null {
  return times[firstFrom(times, at - SAME) - 1] ?? null;
}

/** The keyframe after a moment; null where there is none. */
export function keyAfter(times: number[], at: number): number | null {
  return times[firstFrom(times, at + SAME)] ?? null;
}

/** The keyframe that is nearest to a moment; null where there is none. */
export function keyNear(times: number[], at: number): number | null {
  const next = firstFrom(times, at);
  const [before, after] = [times[next - 1], times[next]];
  if (before === undefined || after === undefined) return before ?? after ?? null;
  return at - before <= after - at ? before : after;
}

/** Keyframes of a view that can be told apart when drawn: at most one for every `gap` of a second. */
export function drawn(times: number[], view: View, gap: number): number[] {
  const shown: number[] = [];
  let at = firstFrom(times, view.from);
  while (at < times.length) {
    const time = times[at] as number;
    if (time > view.to) break;
    shown.push(time);
    at = Math.max(at + 1, firstFrom(times, time + gap));
  }
  return shown;
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];

/** Round times for a ruler with at most `most` marks. */
export function ruler(view: View, most: number): number[] {
  const step = STEPS.find((one) => (view.to - view.from) / one <= most) ?? 36_000;
  const times: number[] = [];
  for (let number = Math.max(0, Math.ceil(view.from / step - 1e-9)); number * step <= view.to + 1e-9; number += 1) {
    times.push(Math.round(number * step * 1000) / 1000);
  }
  return times;
}
