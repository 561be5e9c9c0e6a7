// What a schedule would read and make now, as it was tried out.
import { useEffect, useRef } from "react";
import type { components } from "../../api/schema";
import { count } from "../../lib/format";
import { Table } from "../../ui/table";
import { lengthWords, sourceWords, timeWords } from "../jobs/words";
import styles from "./editor.module.css";
import { JobsTable, Skipped } from "./made";
import { daysWords } from "./rule-words";
import { reportWords } from "./words";

interface TrialProps {
  trial: components["schemas"]["ScheduleTrial"];
  /** Something was changed since. */
  isOld: boolean;
}

export function Trial({ trial, isOld }: TrialProps) {
  const { window, report, job_count, jobs, highlights } = trial;
  const heading = useRef<HTMLHeadingElement>(null);
  // To what came of it, every time.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another trial is shown at the same place
  useEffect(() => heading.current?.focus(), [trial]);
  return (
    <section className={`${styles.part} ${styles.whole} card`} aria-labelledby="part-trial">
      <h2 ref={heading} id="part-trial" tabIndex={-1}>
        What a run would make now
      </h2>
      {isOld && <p role="status">Something was changed since: try it out again to see what it makes now.</p>}
      <p>
        {reportWords(report)}
        {window && `, for ${daysWords(window)}`}.{" "}
        {job_count === 0 ? "There would be nothing to make." : `It would post ${count(job_count, "job")}.`}
      </p>
      {jobs.length > 0 && <JobsTable jobs={jobs} isTrial />}
      {jobs.length < job_count && (
        <p className="soft small">
          The first {jobs.length} of {job_count.toLocaleString("en")}.
        </p>
      )}
      {highlights.length > 0 && (
        <>
          <h3>How the first one begins</h3>
          <Table
            caption="The first highlights of the first job"
            rows={highlights}
            keyOf={(highlight) => String(highlights.indexOf(highlight))}
            columns={[
              { name: "Highlight", heads: true, cell: ({ title }) => title || <span className="soft">no title</span> },
              { name: "Streamer", cell: ({ streamer }) => streamer ?? "" },
              { name: "Score", tight: true, cell: ({ score }) => score ?? "" },
              { name: "Source", long: true, cell: ({ source }) => sourceWords(source) },
              { name: "Start", tight: true, cell: ({ start }) => timeWords(start) },
              { name: "Length", tight: true, cell: ({ duration }) => lengthWords(duration) },
            ]}
          />
        </>
      )}
      <Skipped report={report} begin={job_count === 0} />
    </section>
  );
}
