// One job, as it happens.
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { isFinal, useFollowedJob } from "../../api/jobs-live";
import type { Job, JobState } from "../../api/types";
import { age, moment, roughly } from "../../lib/format";
import { useNow } from "../../lib/now";
import { ButtonLink } from "../../ui/button";
import { Labels } from "../../ui/labels";
import { PageHead, usePageTitle } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { JobActions } from "./actions";
import { Asked } from "./asked";
import { Attempts } from "./attempts";
import { WhyFailed } from "./failure";
import styles from "./job.module.css";
import { JobMedia } from "./media";
import { Plan } from "./plan";
import { useJob, useMayChange } from "./queries";
import { Progress } from "./stages";
import { State } from "./state";
import { announcement, kindName, shownState, windowTitle } from "./words";

export default function JobDetails({ id }: { id: string }) {
  const live = useFollowedJob(id);
  const job = useJob(id, live);
  if (job.isPending) return <Loading label="Loading the job" />;
  if (!job.data) return <NoJob error={job.error} again={() => void job.refetch()} />;
  return <Shown job={job.data} />;
}

function NoJob({ error, again }: { error: unknown; again: () => void }) {
  usePageTitle("Job");
  return (
    <>
      <Failure error={error} again={again} />
      <p className={styles.back}>
        <Link href="/jobs">All jobs</Link>
      </p>
    </>
  );
}

function Shown({ job }: { job: Job }) {
  const mayChange = useMayChange();
  const ended = isFinal(job);
  const now = useNow(ended ? 30_000 : 1000);
  return (
    <>
      <PageHead
        title={job.title}
        windowTitle={windowTitle(job)}
        above={<Link href="/jobs">Jobs</Link>}
        below={<About job={job} now={now} />}
        actions={
          mayChange && (
            <>
              <JobActions job={job} />
              {job.kind === "montage" && (
                <ButtonLink href={`/make?from=${job.id}`} look="plain" icon="copy">
                  Edit as new
                </ButtonLink>
              )}
            </>
          )
        }
      />
      <Announced job={job} />
      <WhyFailed job={job} />
      <div className={styles.page}>
        {!ended && <Progress job={job} now={now} className={styles.progress} />}
        <JobMedia job={job} className={styles.media} />
        {job.state === "succeeded" && !["montage", "transcript", "replay"].includes(job.kind) && (
          <p className="soft">It was made by the services for themselves; there is nothing to play.</p>
        )}
        <Attempts job={job} now={now} className={styles.attempts} />
        <Asked job={job} />
        {mayChange && job.kind === "montage" && <Plan job={job} />}
      </div>
    </>
  );
}

function About({ job, now }: { job: Job; now: number }) {
  const took = job.finished_at && roughly((Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1000);
  return (
    <div className={styles.about}>
      <State shown={shownState(job)} />
      <span>{kindName(job.kind)}</span>
      <span>
        posted{" "}
        <time dateTime={job.created_at} title={moment(job.created_at)}>
          {age(job.created_at, now)}
        </time>
      </span>
      {took && <span>ended after {took}</span>}
      <span>priority {job.priority}</span>
      <Labels labels={job.labels} to={(name, value) => `/jobs?label=${encodeURIComponent(`${name}:${value}`)}`} />
    </div>
  );
}

/** Says aloud what becomes of the job while somebody looks at it. */
function Announced({ job }: { job: Job }) {
  const before = useRef<JobState>(job.state);
  const [said, setSaid] = useState("");
  useEffect(() => {
    const words = announcement(before.current, job);
    before.current = job.state;
    if (words) setSaid(words);
  }, [job]);
  return (
    <p role="status" className="hidden-text">
      {said}
    </p>
  );
}
