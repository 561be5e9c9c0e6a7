// Why a job failed, where in what was asked for, and what can be done.
import type { Job } from "../../api/types";
import { Icon } from "../../ui/icon";
import styles from "./failure.module.css";
import { placeOf } from "./words";

/** What to do about it, besides what the failure itself says. */
function advice(job: Job): string {
  switch (job.state) {
    case "failed":
      return "Sent again as it is, it will most likely fail again: edit it as new and change what is to blame.";
    case "dead":
      return "Every attempt is used up. When the cause is gone, send it again: it gets a fresh budget of attempts.";
    default:
      return "It will be tried again by itself.";
  }
}

export function WhyFailed({ job }: { job: Job }) {
  const failure = job.failure;
  if (!failure || job.state === "succeeded" || job.state === "cancelled") return null;
  const place = failure.pointer ? placeOf(failure.pointer) : undefined;
  const ended = job.state === "failed" || job.state === "dead";
  return (
    <section className={`${styles.why} ${ended ? styles.bad : styles.warn}`} aria-labelledby="why-title">
      <h2 id="why-title">
        <Icon name="warning" /> {ended ? "Why it failed" : "Why the last attempt failed"}
      </h2>
      <p>{failure.message}</p>
      {place && (
        <p>
          To blame:{" "}
          {place.highlight === undefined ? (
            <strong>{place.words}</strong>
          ) : (
            <a href={`#highlight-${place.highlight}`}>{place.words}</a>
          )}{" "}
          <code className="small">{failure.pointer}</code>
        </p>
      )}
      <p>{advice(job)}</p>
      <p className="small">
        {failure.code.startsWith("replay_") ? (
          <a href={`/docs/errors/${failure.code.replaceAll("_", "-")}`}>
            <code>{failure.code}</code>
          </a>
        ) : (
          <code>{failure.code}</code>
        )}
      </p>
    </section>
  );
}
