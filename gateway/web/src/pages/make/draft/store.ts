// The one draft, kept in the browser: it survives a reload, another place of the page, and a browser that was closed.
//
// It lives outside of the page's components because uploads that go on while somebody looks at the library end up in it too. Where another
// window of the same browser changes it, this one shows the change: the last one to write wins.
import { useSyncExternalStore } from "react";
import { type Draft, emptyDraft } from "./model";
import { readDraft } from "./read";
import { type Action, reduce } from "./reduce";

/** Where it is kept. */
export const PLACE = "stream-montages.make";
/** Where something is put aside that this page does not understand: nothing is thrown away. */
const ASIDE = "stream-montages.make.aside";
/** How long changes are collected before they are written, in milliseconds. */
const PAUSE = 200;

let draft: Draft | null = null;
let written: string | null = null;
let isKept = true;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function load(): Draft {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(PLACE);
    if (stored === null) return emptyDraft();
    const read = readDraft(stored);
    if (read) {
      written = stored;
      return read;
    }
    localStorage.setItem(ASIDE, stored);
  } catch {
    isKept = false;
  }
  return emptyDraft();
}

/** The draft as it is now. */
export function getDraft(): Draft {
  draft ??= load();
  return draft;
}

/** Writes what was changed at once. */
export function keepNow(): void {
  clearTimeout(timer);
  timer = undefined;
  const text = JSON.stringify(getDraft());
  if (text === written) return;
  const was = isKept;
  try {
    localStorage.setItem(PLACE, text);
    written = text;
    isKept = true;
  } catch {
    // The browser's store is full or closed: the page goes on, and says so.
    isKept = false;
  }
  if (was !== isKept) tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

export function dispatch(action: Action): void {
  const next = reduce(getDraft(), action);
  if (next === draft) return;
  draft = next;
  timer ??= setTimeout(keepNow, PAUSE);
  tell();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A part of the draft. `select` gives back the very same thing as long as that has not changed. */
export function useDraft<T>(select: (draft: Draft) => T): T {
  return useSyncExternalStore(subscribe, () => select(getDraft()));
}

/** Whether the browser keeps the draft. */
export function useIsKept(): boolean {
  return useSyncExternalStore(subscribe, () => isKept);
}

window.addEventListener("pagehide", keepNow);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) keepNow();
});
window.addEventListener("storage", (event) => {
  if (event.key !== PLACE || event.newValue === null || event.newValue === written) return;
  const other = readDraft(event.newValue);
  if (!other) return;
  clearTimeout(timer);
  timer = undefined;
  written = event.newValue;
  draft = other;
  tell();
});
