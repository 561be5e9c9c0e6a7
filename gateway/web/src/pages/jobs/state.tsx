// A job's state and progress, as all pages show them: by an icon, a word and a colour.
import type { Job } from "../../api/types";
import { roughly } from "../../lib/format";
import { Icon } from "../../ui/icon";
import styles from "./state.module.css";
import { percent, type Shown, speedWords } from "./words";

export function State({ shown }: { shown: Shown }) {
  return (
    <span className={`${styles.state} ${styles[shown.look]}`}>
      <Icon name={shown.icon} size="1.1em" />
      {shown.word}
    </span>
  );
}

/** How far a job is; moving to and fro while that is not known. */
export function Bar({ job, label = `Progress of ${job.title}` }: { job: Job; label?: string }) {
  const value =
    job.state === "succeeded" ? 1 : job.state === "running" ? job.progress?.fraction : (job.progress?.fraction ?? 0);
  return <progress className={`${styles.bar} ${styles[job.state] ?? ""}`} max={1} value={value} aria-label={label} />;
}

/** How fast it goes and how long it will take, where that is known: `42 % · 2.3x · 40 s left`. */
export function paceWords(job: Job): string {
  const progress = job.state === "running" ? job.progress : undefined;
  if (!progress) return "";
  const parts = [`${percent(progress.fraction)} %`];
  if (progress.speed) parts.push(speedWords(progress.speed));
  if (progress.seconds_left) parts.push(`${roughly(progress.seconds_left)} left`);
  return parts.join(" · ");
}
