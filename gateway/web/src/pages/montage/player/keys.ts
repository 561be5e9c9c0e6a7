// Which keys steer a player. Only plain keys: what is pressed together with Ctrl, Alt or the like belongs to the browser.
import { useEffect, useRef } from "react";

export type Command =
  | { do: "toggle" }
  | { do: "skip"; seconds: number }
  | { do: "share"; share: number }
  | { do: "step"; frames: 1 | -1 }
  | { do: "volume"; by: number }
  | { do: "mute" }
  | { do: "captions" }
  | { do: "full" }
  | { do: "speed"; by: 1 | -1 }
  | { do: "help" };

/** What is told about the keys, in order. */
export const HELP: readonly { keys: readonly string[]; what: string }[] = [
  { keys: ["Space", "k"], what: "Play or pause" },
  { keys: ["←", "→"], what: "5 seconds back or on" },
  { keys: ["j", "l"], what: "10 seconds back or on" },
  { keys: [",", "."], what: "One frame back or on" },
  { keys: ["0", "9"], what: "To the start, to 90 %, and all tenths between" },
  { keys: ["<", ">"], what: "Slower or faster" },
  { keys: ["m"], what: "Mute" },
  { keys: ["↑", "↓"], what: "Louder or quieter, while the focus is in the player" },
  { keys: ["c"], what: "Captions on or off" },
  { keys: ["f"], what: "Full screen" },
  { keys: ["?"], what: "This list" },
];

/** Where a key was pressed. */
export interface Place {
  /** In something that takes text, or takes this key itself. */
  taken: boolean;
  /** In the player. */
  inside: boolean;
}

/** What a key does. Single signs can be switched off, for whoever's speech input types them by mistake. */
export function commandOf(key: string, place: Place, signs: boolean): Command | null {
  if (place.taken) return null;
  switch (key) {
    case "ArrowLeft":
      return { do: "skip", seconds: -5 };
    case "ArrowRight":
      return { do: "skip", seconds: 5 };
    case "ArrowUp":
      return place.inside ? { do: "volume", by: 0.05 } : null;
    case "ArrowDown":
      return place.inside ? { do: "volume", by: -0.05 } : null;
    default:
      return signs || (key === " " && place.inside) ? signCommand(key) : null;
  }
}

function signCommand(key: string): Command | null {
  if (/^[0-9]$/.test(key)) return { do: "share", share: Number(key) / 10 };
  switch (key) {
    case " ":
    case "k":
      return { do: "toggle" };
    case "j":
      return { do: "skip", seconds: -10 };
    case "l":
      return { do: "skip", seconds: 10 };
    case ",":
      return { do: "step", frames: -1 };
    case ".":
      return { do: "step", frames: 1 };
    case "m":
      return { do: "mute" };
    case "c":
      return { do: "captions" };
    case "f":
      return { do: "full" };
    case "<":
      return { do: "speed", by: -1 };
    case ">":
      return { do: "speed", by: 1 };
    case "?":
      return { do: "help" };
    default:
      return null;
  }
}

/** What takes every key while it has the focus: it is typed in, or chosen from. */
const TYPED =
  'textarea, select, [contenteditable=""], [contenteditable="true"], [role="textbox"], [role="combobox"], [role="menu"], [role="listbox"], dialog, [role="dialog"], input:not([type="range"], [type="checkbox"], [type="radio"], [type="button"])';
/** What takes the arrows. */
const ARROWED = 'input[type="range"], input[type="radio"], [role="tablist"], [role="slider"], [data-arrows]';
/** What the space bar presses. */
const PRESSED = 'button, a[href], summary, [role="button"], [role="tab"], input[type="checkbox"], input[type="radio"]';

/** Whether what has the focus needs this key itself. */
export function takes(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest(TYPED)) return true;
  if (key.startsWith("Arrow")) return target.closest(ARROWED) !== null;
  return key === " " && target.closest(PRESSED) !== null;
}

const SIGNS = "player.signs";

/** Whether single signs steer the player, as it was chosen on this device. */
export function signsOn(): boolean {
  try {
    return localStorage.getItem(SIGNS) !== "off";
  } catch {
    return true;
  }
}

export function switchSigns(on: boolean): void {
  try {
    localStorage.setItem(SIGNS, on ? "on" : "off");
  } catch {
    // A browser that keeps nothing: it is as it was at the next visit.
  }
}

/** Steers by keys, wherever on the page they are pressed. `run` says whether it did something with the command. */
export function useKeys(root: () => Element | null, run: (command: Command) => void): void {
  const newest = useRef({ root, run });
  newest.current = { root, run };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
      // A dialog is a page of its own.
      if (document.querySelector("dialog[open]")) return;
      const { target } = event;
      const inside = target instanceof Node && (newest.current.root()?.contains(target) ?? false);
      const command = commandOf(event.key, { taken: takes(target, event.key), inside }, signsOn());
      if (!command) return;
      // Held down, a switch would flicker.
      if (event.repeat && ["toggle", "mute", "captions", "full", "help"].includes(command.do)) return;
      event.preventDefault();
      newest.current.run(command);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
