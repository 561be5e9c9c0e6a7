// Why a video cannot be played, and what to do.
import { useEffect, useState } from "react";
import { Button } from "../../../ui/button";
import { type Failed, type Playback, usePlayback } from "./playback";
import styles from "./player.module.css";

/**
 * What hinders a video, in words.
 *
 * @param failed what the browser told.
 * @param status what the server answers for the file now; 0 where nothing is answered, null while that is not known.
 */
export function words(failed: Failed, status: number | null): string {
  if (status === 0)
    return "The server does not answer, so the video cannot be loaded. Is it running, and are you connected?";
  if (status === 401 || status === 403)
    return "Your session is over. Reload the page, and open the library with a key again.";
  if (status === 404 || status === 410)
    return "The video is not there any more. Its montage was deleted, or its file was lost.";
  if (status === 429) return "Too much was asked for in a short time. Wait a moment and try again.";
  if (status !== null && status >= 500) return "The server cannot read the video at the moment. Try again in a while.";
  switch (failed.code) {
    case 2:
      return "The connection was lost while the video was loading. Try again.";
    case 3:
      return "This browser could not decode the video. Try again, try another browser, or download it.";
    case 4:
      return "This browser cannot play this kind of video. Another browser or a media player may: download it.";
    default:
      return "The video could not be played. Try again.";
  }
}

export function Explained({ playback, src }: { playback: Playback; src: string }) {
  const failed = usePlayback(playback, (state) => state.failed);
  const [status, setStatus] = useState<number | null>(null);
  useEffect(() => {
    if (!failed) return;
    setStatus(null);
    const leaving = new AbortController();
    fetch(src, { method: "HEAD", signal: leaving.signal })
      .then((response) => setStatus(response.status))
      .catch(() => {
        if (!leaving.signal.aborted) setStatus(0);
      });
    return () => leaving.abort();
  }, [failed, src]);
  if (!failed) return null;
  return (
    <div className={styles.failed} role="alert">
      <p>{words(failed, status)}</p>
      {failed.message && <p className={styles.detail}>{failed.message}</p>}
      <div className={styles.ways}>
        <Button icon="again" small onClick={() => playback.again()}>
          Try again
        </Button>
        <a href={`${src}?download=1`} download>
          Download the video
        </a>
      </div>
    </div>
  );
}
