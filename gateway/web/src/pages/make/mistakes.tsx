// The mistakes of the draft, wherever they come from, and how a field finds its own.
//
// A mistake's place is a JSON pointer into what was posted. Clips may have moved since: their mistakes go with the clip, not with its number.
import { createContext, useContext } from "react";
import type { Mistake } from "./draft/spec";

/** What was found wrong with a posting. */
export interface Found {
  mistakes: Mistake[];
  /** The keys of its clips, in order. */
  clips: string[];
}

export interface Mistakes {
  /** The first mistake at a pointer or below it. */
  at: (pointer: string) => string | undefined;
  /** The first mistake of a clip at one of these fields. Without fields: any of it. */
  ofClip: (key: string) => (...fields: string[]) => string | undefined;
}

const CLIP = /^\/spec\/highlights\/(\d+)(?:\/(\w+))?/;

/** Joins what was found. What comes first goes first. */
export function joined(all: Found[]): Mistakes {
  const clips = new Map<string, { field: string; detail: string }[]>();
  const others: Mistake[] = [];
  for (const found of all) {
    for (const mistake of found.mistakes) {
      const match = CLIP.exec(mistake.pointer);
      const key = match && found.clips[Number(match[1])];
      if (!key) others.push(mistake);
      else clips.set(key, [...(clips.get(key) ?? []), { field: match[2] ?? "", detail: mistake.detail }]);
    }
  }
  return {
    at: (pointer) =>
      others.find((mistake) => mistake.pointer === pointer || mistake.pointer.startsWith(`${pointer}/`))?.detail,
    ofClip:
      (key) =>
      (...fields) =>
        clips.get(key)?.find(({ field }) => fields.length === 0 || fields.includes(field))?.detail,
  };
}

const Context = createContext<Mistakes>(joined([]));

export const MistakesProvider = Context.Provider;

export const useMistakes = (): Mistakes => useContext(Context);
