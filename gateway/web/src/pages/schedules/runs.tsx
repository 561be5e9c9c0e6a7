// The history of a schedule: every run, what became of it, and the job that it made.
import { Link } from "wouter";
import type { ScheduleRun } from "../../api/types";
import { More } from "../../ui/more";
import { Failure, Loading } from "../../ui/states";
import { Table } from "../../ui/table";
import { State } from "../jobs/state";
import { useRuns } from "./queries";
import styles from "./schedule.module.css";
import { bothClocks, localZone, runLength, runReason, shownRun } from "./words";

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
        <p className="soft">It has not run yet. Run it now to see whether its list can be read.</p>
      ) : (
        <Table<ScheduleRun>
          caption="Runs, newest first"
          rows={items}
          keyOf={(run) => run.id}
          columns={[
            { name: "Time", heads: true, cell: (run) => <Tick run={run} zone={zone} /> },
            { name: "Outcome", tight: true, cell: (run) => <State shown={shownRun(run)} /> },
            {
              name: "Job",
              tight: true,
              cell: (run) =>
                run.job_id ? <Link href={`/jobs/${run.job_id}`}>Show the job</Link> : <span className="soft">–</span>,
            },
            { name: "Reason", cell: (run) => runReason(run) || <span className="soft">–</span> },
            { name: "Took", tight: true, cell: (run) => <span className="numbers">{runLength(run)}</span> },
          ]}
        />
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

function Tick({ run, zone }: { run: ScheduleRun; zone: string }) {
  const { here, there } = bothClocks(run.tick_at, zone, localZone());
  return (
    <>
      <time dateTime={run.tick_at} className="numbers">
        {here}
      </time>
      {run.by_hand && <span className="soft"> by hand</span>}
      {there && <span className={`${styles.there} soft small`}>{there}</span>}
    </>
  );
}
