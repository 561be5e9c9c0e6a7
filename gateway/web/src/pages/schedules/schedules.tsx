// The schedules: what is made by itself, when it comes next, and how it went.
import { Link } from "wouter";
import type { Schedule, ScheduleRun } from "../../api/types";
import { age, count } from "../../lib/format";
import { useNow } from "../../lib/now";
import { Button, ButtonLink } from "../../ui/button";
import { More } from "../../ui/more";
import { PageHead } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { useMayChange } from "../jobs/queries";
import { State } from "../jobs/state";
import { useRule, useRuns, useScheduleActions, useSchedules } from "./queries";
import styles from "./schedules.module.css";
import { bothClocks, localZone, shownRun, shownSchedule } from "./words";

export default function Schedules() {
  const schedules = useSchedules();
  const items = schedules.data?.pages.flatMap((page) => page.items) ?? [];
  const mayChange = useMayChange();
  const now = useNow();
  const make = mayChange && (
    <ButtonLink href="/schedules/new" icon="make">
      New schedule
    </ButtonLink>
  );
  return (
    <>
      <PageHead title="Schedules" below="Montages that are made by themselves, again and again." actions={make} />
      {schedules.isPending ? (
        <Loading label="Loading the schedules" />
      ) : schedules.isError && items.length === 0 ? (
        <Failure error={schedules.error} again={() => void schedules.refetch()} />
      ) : items.length === 0 ? (
        <Empty title="There are no schedules yet" action={make}>
          <p>
            A schedule reads a list of highlights at times that you choose, such as every Sunday at 18:00, and makes a
            montage of them.
          </p>
        </Empty>
      ) : (
        <div className={`${styles.room} card`}>
          <ul className={styles.list} aria-label="Schedules">
            {items.map((schedule) => (
              <Row key={schedule.id} schedule={schedule} now={now} mayChange={mayChange} />
            ))}
          </ul>
        </div>
      )}
      <More
        has={schedules.hasNextPage}
        busy={schedules.isFetchingNextPage}
        failed={schedules.isFetchNextPageError}
        load={() => void schedules.fetchNextPage()}
      />
    </>
  );
}

function Row({ schedule, now, mayChange }: { schedule: Schedule; now: number; mayChange: boolean }) {
  const rule = useRule(schedule.cron, schedule.time_zone);
  const { run, pause } = useScheduleActions(schedule);
  const { name, paused } = schedule;
  return (
    <li className={styles.row}>
      <div className={styles.state}>
        <State shown={shownSchedule(schedule)} />
      </div>
      <div className={styles.what}>
        <Link href={`/schedules/${schedule.id}`} className={styles.name}>
          {name}
        </Link>
        <span className="small">
          {rule.data ? rule.data.description : <code>{schedule.cron}</code>}{" "}
          <span className="soft">({schedule.time_zone})</span>
        </span>
      </div>
      <Next schedule={schedule} now={now} />
      <LastRun id={schedule.id} now={now} />
      {mayChange && (
        <div className={styles.actions}>
          <Button
            look="quiet"
            icon="play"
            label={`Run now: ${name}`}
            busy={run.isPending}
            onClick={() => run.mutate({})}
          />
          <Button
            look="quiet"
            icon={paused ? "resume" : "pause"}
            label={paused ? `Resume: ${name}` : `Pause: ${name}`}
            busy={pause.isPending}
            onClick={() => pause.mutate(!paused)}
          />
          <ButtonLink
            look="quiet"
            icon="edit"
            href={`/schedules/${schedule.id}?edit=1`}
            aria-label={`Change: ${name}`}
            title={`Change: ${name}`}
          />
        </div>
      )}
    </li>
  );
}

function Next({ schedule, now }: { schedule: Schedule; now: number }) {
  if (!schedule.next_at) {
    return (
      <p className={`${styles.next} soft small`}>
        {schedule.paused ? "Does not run while it is paused" : "Runs no more"}
      </p>
    );
  }
  const { here, there } = bothClocks(schedule.next_at, schedule.time_zone, localZone());
  return (
    <div className={styles.next}>
      <span>
        {Date.parse(schedule.next_at) > now ? "Next " : "Due "}
        <time dateTime={schedule.next_at}>{age(schedule.next_at, now)}</time>
      </span>
      <span className="soft small">{here}</span>
      {there && <span className="soft small">{there}</span>}
    </div>
  );
}

function LastRun({ id, now }: { id: string; now: number }) {
  const runs = useRuns(id, 1);
  const last = runs.data?.pages[0]?.items[0];
  return (
    <div className={styles.last}>
      {last ? (
        <>
          <State shown={shownRun(last)} />
          <span className="soft small">
            <time dateTime={last.started_at}>{age(last.started_at, now)}</time>
            <Made id={id} run={last} />
          </span>
        </>
      ) : (
        <span className="soft small">{runs.isSuccess ? "Has not run yet" : "\u00a0"}</span>
      )}
    </div>
  );
}

/** What a run made: its job, or how many there are. */
function Made({ id, run }: { id: string; run: ScheduleRun }) {
  if (run.job_count === 0) return null;
  const only = run.job_count === 1 ? run.jobs[0]?.job_id : undefined;
  return (
    <>
      {" · "}
      {only ? (
        <Link href={`/jobs/${only}`}>its job</Link>
      ) : (
        <Link href={`/schedules/${id}`}>{count(run.job_count, "job")}</Link>
      )}
      {run.report && run.report.skipped > 0 && ` · ${run.report.skipped.toLocaleString("en")} skipped`}
    </>
  );
}
