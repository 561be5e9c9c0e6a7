// The preview of a job that is under way: what can be played of the montage already.
import { useQuery } from "@tanstack/react-query";
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { canPreview, PreviewPlayer } from "./player";

/** How often is looked for a preview that is not there yet, in milliseconds. */
const LOOK = 2000;
const addressOf = (id: string) => `/v1/jobs/${encodeURIComponent(id)}/preview.m3u8`;

/** Where somebody is in a video, so that another one can go on from there. */
export interface Place {
  seconds: number;
  plays: boolean;
}

/** Whether there is a preview by now. Looked for while that is wanted; once there, it stays. */
export function useHasPreview(id: string, wanted: boolean): boolean {
  const found = useQuery({
    queryKey: ["preview", id],
    queryFn: async ({ signal }) => {
      // A redirect says that the montage is there, which is better.
      const answer = await fetch(addressOf(id), { method: "HEAD", redirect: "manual", signal }).catch(() => null);
      return answer?.ok ?? false;
    },
    enabled: (query) => wanted && query.state.data !== true,
    refetchInterval: LOOK,
    staleTime: 0,
    gcTime: 0,
  });
  return found.data === true;
}

interface PreviewProps {
  id: string;
  title: string;
  /** Where the reader was, when this goes away. */
  place: RefObject<Place | null>;
  className?: string;
}

export function Preview({ id, title, place, className }: PreviewProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [told, setTold] = useState("");
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    if (canPreview()) {
      const player = new PreviewPlayer(element, addressOf(id), setTold);
      return () => player.stop();
    }
    // What has no Media Source Extensions plays such lists by itself.
    element.src = addressOf(id);
    const onError = () => setTold("This browser cannot play a preview.");
    element.addEventListener("error", onError);
    return () => element.removeEventListener("error", onError);
  }, [id]);
  useLayoutEffect(() => {
    const element = video.current;
    // While it is still on the page: what is taken off stops.
    return () => {
      if (element) place.current = { seconds: element.currentTime, plays: !element.paused };
    };
  }, [place]);
  return (
    <>
      {/* biome-ignore lint/a11y/useMediaCaption: what is said is written down only when the montage is made */}
      <video ref={video} className={className} controls playsInline aria-label={`Preview of ${title}`} />
      <p className="soft small" role={told ? "alert" : undefined}>
        {told || "It is cut to keyframes; the montage itself is cut to the frame."}
      </p>
    </>
  );
}
