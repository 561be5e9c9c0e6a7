// The history of a schedule: every run, what became of it, the jobs that it made, and what it could not use.
import { useState } from "react";
import type { ScheduleRun } from "../../api/types";
import { Button } from "../../ui/button";
import { Fold } from "../../ui/fold";
import { More } from "../../ui/more";
import { Failure, Loading } from "../../ui/states";
import { State } from "../jobs/state";
import { JobsTable, Skipped } from "./made";
import { useRuns, useWholeRun } from "./queries";
import { daysWords } from "./rule-words";
import styles from "./runs.module.css";
import { bothClocks, jobsWords, localZone, reportWords, runLength, runReason, shownRun } from "./words";

/** So many jobs stand open; more are folded away, except those of the newest run. */
const FEW = 3;

export function Runs({ id, zone, className }: { id: string; zone: string; className?: string }) {
  const runs = useRuns(id, 25);
  const items = runs.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section className={`${styles.section} ${className} card`} aria-labelledby="runs-title">
      <h2 id="runs-title">History</h2>
      {runs.isPending ? (
        <Loading label="Loading the history" />
      ) : runs.isError && items.length === 0 ? (
        <Failure error={runs.error} again={() => void runs.refetch()} />
      ) : items.length === 0 ? (
        <p className="soft">It has not run yet. Run it now to see whether its source can be read.</p>
      ) : (
        <ol className={styles.runs} aria-label="Runs, newest first">
          {items.map((run, index) => (
            <Run key={run.id} id={id} run={run} zone={zone} newest={index === 0} />
          ))}
        </ol>
      )}
      <More
        has={runs.hasNextPage}
        busy={runs.isFetchingNextPage}
        failed={runs.isFetchNextPageError}
        load={() => void runs.fetchNextPage()}
      />
    </section>
  );
}

interface RunProps {
  /** The schedule. */
  id: string;
  run: ScheduleRun;
  zone: string;
  newest: boolean;
}

function Run({ id, run, zone, newest }: RunProps) {
  const reason = runReason(run);
  const length = runLength(run);
  return (
    <li className={styles.run}>
      <div className={styles.head}>
        <Tick run={run} zone={zone} />
        <State shown={shownRun(run)} />
      </div>
      <p className="soft small">
        {[
          run.by_hand && "by hand",
          run.window && `for ${daysWords(run.window)}`,
          run.report && reportWords(run.report),
          length && `took ${length}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {reason && <p>{reason}</p>}
      {run.job_count > 0 && <Jobs id={id} run={run} begin={newest || run.job_count <= FEW} />}
      {run.report && <Skipped report={run.report} />}
    </li>
  );
}

function Tick({ run, zone }: { run: ScheduleRun; zone: string }) {
  const { here, there } = bothClocks(run.tick_at, zone, localZone());
  return (
    <h3>
      <time dateTime={run.tick_at} className="numbers">
        {here}
      </time>
      {there && <span className={`${styles.there} soft small`}>{there}</span>}
    </h3>
  );
}

function Jobs({ id, run, begin }: { id: string; run: ScheduleRun; begin: boolean }) {
  const [all, setAll] = useState(false);
  const cut = run.jobs.length < run.job_count;
  const whole = useWholeRun(id, run, all && cut);
  const { jobs } = whole.data ?? run;
  const missing = run.job_count - jobs.length;
  return (
    <Fold title={jobsWords(whole.data ?? run)} begin={begin}>
      <JobsTable jobs={jobs} />
      {missing > 0 && (
        <div className={styles.rest}>
          <span className="soft small">
            The first {jobs.length.toLocaleString("en")} of {run.job_count.toLocaleString("en")}.
          </span>
          <Button
            look="plain"
            small
            busy={whole.isFetching}
            onClick={() => (all ? void whole.refetch() : setAll(true))}
          >
            Show all jobs
          </Button>
          {whole.isError && <span role="alert">They could not be loaded: {whole.error.message}</span>}
        </div>
      )}
    </Fold>
  );
}
