// What has failed: why, and sending it again, one at a time or all that is shown.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { api, ask } from "../../api/client";
import { take } from "../../api/jobs-live";
import type { Job } from "../../api/types";
import { age, count, moment } from "../../lib/format";
import { useNow } from "../../lib/now";
import { useUrlState } from "../../lib/url-state";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/confirm";
import { Field } from "../../ui/field";
import { More } from "../../ui/more";
import { Empty, Failure, Loading } from "../../ui/states";
import { Table } from "../../ui/table";
import { useToasts } from "../../ui/toast";
import { JobActions } from "../jobs/actions";
import { useJobs, useMayChange } from "../jobs/queries";
import { State } from "../jobs/state";
import { shownState } from "../jobs/words";
import styles from "./operations.module.css";

export function Dead() {
  const [state, change] = useUrlState();
  const chosen = state.get("state");
  const states = chosen === "dead" || chosen === "failed" ? chosen : "dead,failed";
  const jobs = useJobs({ state: states });
  const items = jobs.data?.pages.flatMap((page) => page.items) ?? [];
  const mayChange = useMayChange();
  const now = useNow();
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <Field label="Show">
          {(control) => (
            <select
              {...control}
              value={states}
              onChange={(event) =>
                change({ state: event.target.value.includes(",") ? null : event.target.value }, true)
              }
            >
              <option value="dead,failed">Dead and failed ones</option>
              <option value="dead">Dead: attempts used up</option>
              <option value="failed">Failed: cannot be done as they are</option>
            </select>
          )}
        </Field>
        {mayChange && items.length > 0 && <SendAll jobs={items} />}
      </div>
      {jobs.isPending ? (
        <Loading label="Loading the jobs" />
      ) : jobs.isError && items.length === 0 ? (
        <Failure error={jobs.error} again={() => void jobs.refetch()} />
      ) : items.length === 0 ? (
        <Empty title={states === "dead" ? "No job is dead" : "No job has failed"}>
          <p>
            Jobs that cannot be done, or whose attempts are used up, come here with the reason, and can be sent again.
          </p>
        </Empty>
      ) : (
        <div className={`${styles.section} card`}>
          <Table<Job>
            caption="Jobs that have failed, newest first"
            rows={items}
            keyOf={(job) => job.id}
            columns={[
              {
                name: "Job",
                heads: true,
                cell: (job) => (
                  <Link href={`/jobs/${job.id}`} className={styles.title}>
                    {job.title}
                  </Link>
                ),
              },
              { name: "State", tight: true, cell: (job) => <State shown={shownState(job)} /> },
              { name: "Reason", cell: (job) => <Reason job={job} /> },
              {
                name: "Ended",
                tight: true,
                cell: (job) =>
                  job.finished_at && (
                    <time dateTime={job.finished_at} title={moment(job.finished_at)}>
                      {age(job.finished_at, now)}
                    </time>
                  ),
              },
              { name: "What can be done", quiet: true, cell: (job) => mayChange && <JobActions job={job} small /> },
            ]}
          />
        </div>
      )}
      <More
        has={jobs.hasNextPage}
        busy={jobs.isFetchingNextPage}
        failed={jobs.isFetchNextPageError}
        load={() => void jobs.fetchNextPage()}
      />
    </div>
  );
}

function Reason({ job }: { job: Job }) {
  if (!job.failure) return <span className="soft">–</span>;
  return (
    <>
      {job.failure.message} <code className="soft">{job.failure.code}</code>
    </>
  );
}

/** Sends all jobs that are shown again, one after the other. */
function SendAll({ jobs }: { jobs: Job[] }) {
  const client = useQueryClient();
  const { say } = useToasts();
  const [asked, setAsked] = useState<Job[]>();
  const [done, setDone] = useState(0);
  const run = async (all: Job[]) => {
    let refused = 0;
    setDone(0);
    for (const [index, job] of all.entries()) {
      await ask(api.POST("/v1/jobs/{id}/retry", { params: { path: { id: job.id } } })).then(
        (sent) => take(client, sent),
        () => {
          refused += 1;
        },
      );
      setDone(index + 1);
    }
    const sent = count(all.length - refused, "job");
    say(refused === 0 ? `${sent} sent again.` : `${sent} sent again; ${refused} could not be.`);
  };
  return (
    <>
      <Button look="plain" icon="again" onClick={() => setAsked(jobs)}>
        Send all shown again
      </Button>
      {asked && (
        <Confirm
          title={`Send ${count(asked.length, "job")} again?`}
          action="Send them again"
          close={() => setAsked(undefined)}
          run={() => run(asked)}
        >
          <p>
            Each gets a fresh budget of attempts. What failed because of what was asked for will fail again, unless its
            sources are there now.
          </p>
          {done > 0 && (
            <p role="status">
              {done} of {asked.length} sent.
            </p>
          )}
        </Confirm>
      )}
    </>
  );
}
