// One job in a list.
import { Link } from "wouter";
import type { Job } from "../../api/types";
import { age, moment, roughly } from "../../lib/format";
import { Icon } from "../../ui/icon";
import { Labels } from "../../ui/labels";
import { JobActions } from "./actions";
import styles from "./row.module.css";
import { Bar, paceWords, State } from "./state";
import { doing, kindName, shownState } from "./words";

interface RowProps {
  job: Job;
  now: number;
  /** Who makes it, where that is known. */
  executor?: string;
  mayChange: boolean;
}

export function JobRow({ job, now, executor, mayChange }: RowProps) {
  const underWay = job.state === "running";
  return (
    <li className={styles.row}>
      <div className={styles.state}>
        <State shown={shownState(job)} />
      </div>
      <div className={styles.what}>
        <Link href={`/jobs/${job.id}`} className={styles.title}>
          {job.title}
        </Link>
        <div className={styles.about}>
          {job.kind !== "montage" && <span className="soft small">{kindName(job.kind)}</span>}
          <Labels labels={job.labels} to={(name, value) => `/jobs?label=${encodeURIComponent(`${name}:${value}`)}`} />
        </div>
      </div>
      <div className={styles.progress}>
        {underWay && <Bar job={job} />}
        <div className={`${styles.doing} small`}>
          <span className={job.state === "failed" || job.state === "dead" ? styles.why : "soft"}>
            {job.state === "succeeded" ? took(job) : doing(job, now)}
          </span>
          {underWay && <span className="numbers">{paceWords(job)}</span>}
        </div>
      </div>
      <div className={`${styles.facts} soft small`}>
        {executor && (
          <span>
            <Icon name="machine" size="1em" /> <span className="hidden-text">on</span> {executor}
          </span>
        )}
        <time dateTime={job.created_at} title={moment(job.created_at)}>
          {age(job.created_at, now)}
        </time>
        {job.priority !== 0 && <span>priority {job.priority}</span>}
      </div>
      {mayChange && (
        <div className={styles.actions}>
          <JobActions job={job} small />
        </div>
      )}
    </li>
  );
}

function took(job: Job): string {
  if (!job.finished_at) return "";
  return `Done in ${roughly((Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1000)}`;
}
