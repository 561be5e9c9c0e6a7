// Filling the screen, and hiding what is in the way while nobody moves.
import { type RefObject, useCallback, useEffect, useState } from "react";

interface AppleVideo extends HTMLVideoElement {
  /** Small Apple devices fill the screen with a video only, in a player of their own. */
  webkitEnterFullscreen?: () => void;
}

/** Whether the player fills the screen, and how to change that. */
export function useFullScreen(
  root: RefObject<HTMLElement | null>,
  video: RefObject<HTMLVideoElement | null>,
): [boolean, () => void] {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const look = () => setFull(root.current !== null && document.fullscreenElement === root.current);
    document.addEventListener("fullscreenchange", look);
    return () => document.removeEventListener("fullscreenchange", look);
  }, [root]);
  const change = useCallback(() => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (root.current?.requestFullscreen) root.current.requestFullscreen().catch(() => {});
    else (video.current as AppleVideo | null)?.webkitEnterFullscreen?.();
  }, [root, video]);
  return [full, change];
}

/** How long nobody has to move, in milliseconds. */
const STILL = 3000;

/** Whether nobody has moved or pressed anything for a while. Only while `on`. */
export function useIdle(root: RefObject<HTMLElement | null>, on: boolean): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    const element = root.current;
    if (!on || !element) {
      setIdle(false);
      return;
    }
    let timer: ReturnType<typeof setTimeout>;
    const stir = () => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), STILL);
    };
    stir();
    const events = ["pointermove", "pointerdown", "keydown", "focusin"];
    for (const name of events) element.addEventListener(name, stir);
    return () => {
      clearTimeout(timer);
      for (const name of events) element.removeEventListener(name, stir);
    };
  }, [root, on]);
  return idle;
}
