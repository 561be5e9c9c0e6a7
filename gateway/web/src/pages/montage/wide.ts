// Whether there is room for the transcript beside the video.
import { useSyncExternalStore } from "react";

/** As in `montage.module.css`. */
const query = window.matchMedia("(min-width: 64rem)");

const subscribe = (changed: () => void) => {
  query.addEventListener("change", changed);
  return () => query.removeEventListener("change", changed);
};

export const useWide = (): boolean => useSyncExternalStore(subscribe, () => query.matches);
