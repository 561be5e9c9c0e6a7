// What a run made, or would make: its jobs, and what of the source could not be used.
import { Link } from "wouter";
import type { ImportedJob, ImportReport } from "../../api/types";
import { Fold } from "../../ui/fold";
import { type Column, Table } from "../../ui/table";
import { State } from "../jobs/state";
import { shownPost } from "./words";

/** The jobs of a run; of a trial nothing became yet. */
export function JobsTable({ jobs, isTrial = false }: { jobs: ImportedJob[]; isTrial?: boolean }) {
  const columns: Column<ImportedJob>[] = [
    {
      name: "Montage",
      heads: true,
      cell: (job) => (job.job_id ? <Link href={`/jobs/${job.job_id}`}>{job.title}</Link> : job.title),
    },
    { name: "Streamer", cell: (job) => job.streamer || <span className="soft">all</span> },
    { name: "Highlights", tight: true, cell: (job) => <Highlights job={job} /> },
    { name: "Outcome", tight: true, cell: (job) => <State shown={shownPost(job)} /> },
    { name: "Reason", cell: (job) => job.reason ?? "" },
  ];
  const has: Record<string, boolean> = {
    Streamer: jobs.some((job) => job.streamer),
    Outcome: !isTrial,
    Reason: jobs.some((job) => job.reason),
  };
  return (
    <Table
      caption={isTrial ? "Jobs that a run would post" : "Jobs of the run"}
      rows={jobs}
      // Titles may be alike; the jobs of a run keep their places.
      keyOf={(job) => String(jobs.indexOf(job))}
      columns={columns.filter(({ name }) => has[name] ?? true)}
    />
  );
}

function Highlights({ job }: { job: ImportedJob }) {
  return (
    <span className="numbers">
      {job.highlights.toLocaleString("en")}
      {job.left_out > 0 && <span className="soft small"> (no room for {job.left_out.toLocaleString("en")} more)</span>}
    </span>
  );
}

/** What of the source could not be used, and why. */
export function Skipped({ report, begin }: { report: ImportReport; begin?: boolean }) {
  const { skipped, skipped_rows: rows } = report;
  if (skipped === 0) return null;
  return (
    <Fold title={`${skipped.toLocaleString("en")} could not be used`} begin={begin}>
      <Table
        caption="Rows that could not be used"
        rows={rows}
        keyOf={(row) => String(rows.indexOf(row))}
        columns={[
          { name: "Row", heads: true, cell: (row) => row.row },
          { name: "Why", cell: (row) => row.reason },
        ]}
      />
      {rows.length < skipped && (
        <p className="soft small">
          The first {rows.length.toLocaleString("en")} of {skipped.toLocaleString("en")}.
        </p>
      )}
    </Fold>
  );
}
