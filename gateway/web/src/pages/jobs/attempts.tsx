// Every try at a job: by whom, how it ended, and why.
import type { Job } from "../../api/types";
import { count, moment } from "../../lib/format";
import { Table } from "../../ui/table";
import styles from "./job.module.css";
import { State } from "./state";
import { type Attempt, attemptLength, outcomeReason, shownOutcome } from "./words";

export function Attempts({ job, now, className = "" }: { job: Job; now: number; className?: string }) {
  const rows = [...job.attempts].reverse();
  return (
    <section className={`${styles.section} card ${className}`} aria-labelledby="attempts-title">
      <h2 id="attempts-title">Attempts</h2>
      {rows.length === 0 ? (
        <p className="soft">None yet. There may be {count(job.max_attempts, "attempt")}.</p>
      ) : (
        <>
          <Table<Attempt>
            caption="Attempts, newest first"
            rows={rows}
            keyOf={(attempt) => String(attempt.number)}
            columns={[
              { name: "Attempt", heads: true, tight: true, cell: (attempt) => `No. ${attempt.number}` },
              { name: "Outcome", tight: true, cell: (attempt) => <State shown={shownOutcome(attempt)} /> },
              { name: "Reason", cell: (attempt) => <Reason attempt={attempt} /> },
              { name: "Executor", cell: (attempt) => attempt.executor },
              {
                name: "Began",
                tight: true,
                cell: (attempt) => <time dateTime={attempt.started_at}>{moment(attempt.started_at)}</time>,
              },
              {
                name: "Took",
                tight: true,
                cell: (attempt) => <span className="numbers">{attemptLength(attempt, now)}</span>,
              },
            ]}
          />
          <p className="soft small">There may be {count(job.max_attempts, "attempt")}.</p>
        </>
      )}
    </section>
  );
}

function Reason({ attempt }: { attempt: Attempt }) {
  const words = outcomeReason(attempt);
  if (!words) return <span className="soft">–</span>;
  return (
    <>
      {words}
      {attempt.failure && (
        <>
          {" "}
          <code className="soft">{attempt.failure.code}</code>
        </>
      )}
    </>
  );
}
