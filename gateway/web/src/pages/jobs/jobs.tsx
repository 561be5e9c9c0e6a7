// The jobs: what waits, runs and has ended, as it happens.
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { useLiveState } from "../../api/jobs-live";
import { keys } from "../../api/queries";
import { useNow } from "../../lib/now";
import { useUrlState } from "../../lib/url-state";
import { ButtonLink } from "../../ui/button";
import { More } from "../../ui/more";
import { PageHead } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { readFilter } from "./filter-state";
import { Filters } from "./filters";
import styles from "./jobs.module.css";
import { useJobs, useMayChange } from "./queries";
import { JobRow } from "./row";

export default function Jobs() {
  const [state, change] = useUrlState();
  const filter = readFilter(state);
  const jobs = useJobs(filter);
  const items = jobs.data?.pages.flatMap((page) => page.items) ?? [];
  const running = items.some((job) => job.state === "running");
  const executors = useExecutorsOfJobs(running);
  const mayChange = useMayChange();
  const live = useLiveState();
  // Waits for retries are counted down.
  const now = useNow(items.some((job) => job.state === "retrying") ? 1000 : 15_000);
  return (
    <>
      <PageHead
        title="Jobs"
        below={live === "open" ? "As it happens." : "Looked at every few seconds."}
        actions={
          mayChange && (
            <ButtonLink href="/make" icon="make">
              Make a montage
            </ButtonLink>
          )
        }
      />
      <Filters state={state} change={change} />
      {jobs.isPending ? (
        <Loading label="Loading the jobs" />
      ) : jobs.isError && items.length === 0 ? (
        <Failure error={jobs.error} again={() => void jobs.refetch()} />
      ) : items.length === 0 ? (
        <NoJobs filtered={Object.values(filter).some(Boolean)} mayChange={mayChange} />
      ) : (
        <div className={`${styles.room} card`} aria-busy={jobs.isPlaceholderData}>
          <ul className={styles.list} aria-label="Jobs">
            {items.map((job) => (
              <JobRow key={job.id} job={job} now={now} executor={executors.get(job.id)} mayChange={mayChange} />
            ))}
          </ul>
        </div>
      )}
      <More
        has={jobs.hasNextPage}
        busy={jobs.isFetchingNextPage}
        failed={jobs.isFetchNextPageError}
        load={() => void jobs.fetchNextPage()}
      />
    </>
  );
}

function NoJobs({ filtered, mayChange }: { filtered: boolean; mayChange: boolean }) {
  if (filtered) {
    return (
      <Empty
        title="No job is like that"
        action={
          <ButtonLink href="/jobs" look="plain">
            Show all jobs
          </ButtonLink>
        }
      >
        <p>Other filters may show what you look for.</p>
      </Empty>
    );
  }
  return (
    <Empty
      title="There are no jobs yet"
      action={
        mayChange && (
          <ButtonLink href="/make" icon="make">
            Make a montage
          </ButtonLink>
        )
      }
    >
      <p>A job makes one montage. Make one here, let a schedule do it, or post one to the API.</p>
    </Empty>
  );
}

/** Which executor has which job: lists of jobs leave attempts out, and with them who makes them. */
function useExecutorsOfJobs(wanted: boolean): Map<string, string> {
  const executors = useQuery({
    queryKey: keys.executors,
    queryFn: ({ signal }) => ask(api.GET("/v1/executors", { signal })),
    enabled: wanted,
    refetchInterval: 5000,
    retry: false,
  });
  return new Map(
    executors.data?.items.flatMap((executor) => executor.holds.map((held) => [held.job_id, executor.name] as const)) ??
      [],
  );
}
