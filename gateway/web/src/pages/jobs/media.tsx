// What can be watched of a job: its preview while it is under way, its montage when that is there, from the same place on.
import { useQuery } from "@tanstack/react-query";
import { type RefObject, useEffect, useRef } from "react";
import { api, ask, Problem } from "../../api/client";
import { isFinal } from "../../api/jobs-live";
import { keys } from "../../api/queries";
import type { Job } from "../../api/types";
import { ButtonLink } from "../../ui/button";
import { Failure } from "../../ui/states";
import styles from "./media.module.css";
import { type Place, Preview, useHasPreview } from "./preview/preview";

/** From these stages on there may be a preview. */
const SHOWN = new Set(["rendering", "verifying", "transcribing", "publishing"]);

export function JobMedia({ job, className = "" }: { job: Job; className?: string }) {
  const place = useRef<Place | null>(null);
  const made = job.state === "succeeded" ? job.result?.montage_id : undefined;
  const may = job.kind === "montage" && !isFinal(job) && SHOWN.has(job.progress?.stage ?? "");
  const hasPreview = useHasPreview(job.id, may);
  if (made) return <Made id={made} title={job.title} place={place} className={className} />;
  if (job.kind !== "montage" || (isFinal(job) && !hasPreview)) return null;
  // Its place is kept from the start, so that nothing moves when it comes.
  return (
    <section aria-labelledby="preview-title" className={`${styles.media} ${className}`}>
      <h2 id="preview-title">Preview</h2>
      {hasPreview ? (
        <Preview id={job.id} title={job.title} place={place} className={styles.video} />
      ) : (
        <>
          <div className={styles.video} />
          <p className="soft small">What can be played already is shown here while the montage is rendered.</p>
        </>
      )}
    </section>
  );
}

interface MadeProps {
  id: string;
  title: string;
  place: RefObject<Place | null>;
  className: string;
}

function Made({ id, title, place, className }: MadeProps) {
  const montage = useQuery({
    queryKey: keys.montage(id),
    queryFn: ({ signal }) => ask(api.GET("/v1/montages/{id}", { params: { path: { id } }, signal })),
  });
  const video = useRef<HTMLVideoElement>(null);
  const length = montage.data?.duration;
  useEffect(() => {
    const element = video.current;
    const before = place.current;
    if (!element || length === undefined || !before) return;
    place.current = null;
    if (before.seconds > 0) element.currentTime = Math.min(before.seconds, length);
    // A browser that does not let pages begin to play leaves it at that place.
    if (before.plays) element.play().catch(() => {});
  }, [length, place]);
  return (
    <section aria-labelledby="montage-title" className={`${styles.media} ${className}`}>
      <header className={styles.head}>
        <h2 id="montage-title">Montage</h2>
        <ButtonLink href={`/m/${id}`} icon="library" small>
          Open in the library
        </ButtonLink>
      </header>
      {montage.isError && !montage.data ? (
        <Failure
          error={montage.error}
          title={
            montage.error instanceof Problem && montage.error.status === 404
              ? "The montage is no longer in the library"
              : undefined
          }
          again={() => void montage.refetch()}
        />
      ) : montage.data ? (
        // biome-ignore lint/a11y/useMediaCaption: it has them wherever somebody speaks
        <video
          ref={video}
          className={styles.video}
          controls
          playsInline
          preload="metadata"
          aria-label={title}
          poster={montage.data.links.poster}
          src={montage.data.links.media}
        >
          {montage.data.transcript_state === "complete" && montage.data.links.captions && (
            <track
              kind="captions"
              label="Captions"
              srcLang={montage.data.transcript.language ?? undefined}
              src={montage.data.links.captions}
            />
          )}
        </video>
      ) : (
        <div className={styles.video} />
      )}
    </section>
  );
}
