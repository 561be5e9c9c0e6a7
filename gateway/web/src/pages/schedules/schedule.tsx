// One schedule: when it runs, what it makes, how it went; the place to change it; and `/schedules/new`, to make one.
import { useState } from "react";
import { Link, useLocation } from "wouter";
import type { Schedule } from "../../api/types";
import { useUrlState } from "../../lib/url-state";
import { Button, ButtonLink } from "../../ui/button";
import { Confirm } from "../../ui/confirm";
import { CopyButton } from "../../ui/copy";
import { Labels } from "../../ui/labels";
import { PageHead, usePageTitle } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { useMayChange } from "../jobs/queries";
import { State } from "../jobs/state";
import { Rule } from "./cron-field";
import { Editor } from "./editor";
import { useSchedule, useScheduleActions } from "./queries";
import { Runs } from "./runs";
import styles from "./schedule.module.css";
import { OPTIONS, placeName, toForm } from "./template";
import { shownSchedule, sourceWords } from "./words";

export default function ScheduleDetails({ id }: { id: string }) {
  const isNew = id === "new";
  const [state] = useUrlState();
  const mayChange = useMayChange();
  const found = useSchedule(id, !isNew);
  if (isNew) return mayChange ? <NewSchedule /> : <MayNot />;
  if (found.isPending) return <Loading label="Loading the schedule" />;
  if (!found.data) return <NoSchedule error={found.error} again={() => void found.refetch()} />;
  const { schedule } = found.data;
  if (state.has("edit") && mayChange) {
    return (
      <>
        <PageHead title={`Change: ${schedule.name}`} above={<Link href={`/schedules/${id}`}>{schedule.name}</Link>} />
        <Editor known={found.data} />
      </>
    );
  }
  return <Shown schedule={schedule} mayChange={mayChange} />;
}

function NewSchedule() {
  return (
    <>
      <PageHead title="New schedule" above={<Link href="/schedules">Schedules</Link>} />
      <Editor />
    </>
  );
}

function MayNot() {
  usePageTitle("New schedule");
  return (
    <Empty title="Your key may only look" action={<ButtonLink href="/schedules">All schedules</ButtonLink>}>
      <p>To make schedules, sign in with a key that has the scope write.</p>
    </Empty>
  );
}

function NoSchedule({ error, again }: { error: unknown; again: () => void }) {
  usePageTitle("Schedule");
  return (
    <>
      <Failure error={error} again={again} />
      <p className={styles.back}>
        <Link href="/schedules">All schedules</Link>
      </p>
    </>
  );
}

function Shown({ schedule, mayChange }: { schedule: Schedule; mayChange: boolean }) {
  return (
    <>
      <PageHead
        title={schedule.name}
        above={<Link href="/schedules">Schedules</Link>}
        below={
          <div className={styles.about}>
            <State shown={shownSchedule(schedule)} />
            <span>{schedule.time_zone}</span>
          </div>
        }
        actions={mayChange && <Actions schedule={schedule} />}
      />
      <div className={styles.page}>
        <section className={`${styles.section} card`} aria-labelledby="when-title">
          <h2 id="when-title">When it runs</h2>
          {schedule.paused && <p>It is paused: these times are skipped until it is resumed.</p>}
          <Rule cron={schedule.cron} zone={schedule.time_zone} />
        </section>
        <Makes schedule={schedule} />
        <Runs id={schedule.id} zone={schedule.time_zone} className={styles.wide} />
      </div>
    </>
  );
}

function Actions({ schedule }: { schedule: Schedule }) {
  const { run, pause, remove } = useScheduleActions(schedule);
  const [, go] = useLocation();
  const [asked, setAsked] = useState(false);
  const { paused } = schedule;
  return (
    <>
      <Button icon="play" busy={run.isPending} onClick={() => run.mutate()}>
        Run now
      </Button>
      <Button
        look="plain"
        icon={paused ? "resume" : "pause"}
        busy={pause.isPending}
        onClick={() => pause.mutate(!paused)}
      >
        {paused ? "Resume" : "Pause"}
      </Button>
      <ButtonLink look="plain" icon="edit" href={`/schedules/${schedule.id}?edit=1`}>
        Change
      </ButtonLink>
      <Button look="danger" icon="trash" onClick={() => setAsked(true)}>
        Delete
      </Button>
      {asked && (
        <Confirm
          title="Delete this schedule?"
          action="Delete the schedule"
          danger
          close={() => setAsked(false)}
          run={() => remove.mutateAsync().then(() => go("/schedules", { replace: true }))}
        >
          <p>
            “{schedule.name}” and its history go for good. The jobs and montages that it made stay. To stop it for a
            while, pause it instead.
          </p>
        </Confirm>
      )}
    </>
  );
}

/** What it makes, and of what. */
function Makes({ schedule }: { schedule: Schedule }) {
  const form = toForm(schedule.template);
  const json = JSON.stringify(schedule.template, null, 2);
  return (
    <section className={`${styles.section} card`} aria-labelledby="makes-title">
      <h2 id="makes-title">What it makes</h2>
      <dl className={styles.facts}>
        <div>
          <dt>Highlights from</dt>
          <dd>
            <code>{sourceWords(schedule.source)}</code>
          </dd>
        </div>
        <div>
          <dt>Title</dt>
          <dd>{form.title || "that of the first highlight"}</dd>
        </div>
        <div>
          <dt>Priority</dt>
          <dd>{form.priority || 0}</dd>
        </div>
        {OPTIONS.map(({ place, name, values }) => {
          const chosen = form.options[placeName(place)];
          return (
            chosen && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{(values as Record<string, string>)[chosen]}</dd>
              </div>
            )
          );
        })}
      </dl>
      <Labels labels={form.labels} to={(name, value) => `/jobs?label=${encodeURIComponent(`${name}:${value}`)}`} />
      <details>
        <summary>The template as JSON</summary>
        <div className={styles.raw}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has to by keyboard too */}
          <pre tabIndex={0}>{json}</pre>
          <div>
            <CopyButton text={json} small>
              Copy the JSON
            </CopyButton>
          </div>
        </div>
      </details>
    </section>
  );
}
