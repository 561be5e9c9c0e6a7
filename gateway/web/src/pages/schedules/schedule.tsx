// One schedule: when it runs, what it makes, how it went; the place to change it; and `/schedules/new`, to make one.
import { lazy, Suspense, useState } from "react";
import { Link, useLocation } from "wouter";
import type { Schedule } from "../../api/types";
import { useUrlState } from "../../lib/url-state";
import { Button, ButtonLink } from "../../ui/button";
import { Confirm } from "../../ui/confirm";
import { CopyButton } from "../../ui/copy";
import { Fold } from "../../ui/fold";
import { Labels } from "../../ui/labels";
import { PageHead, usePageTitle } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { useMayChange } from "../jobs/queries";
import { State } from "../jobs/state";
import { Rule } from "./cron-field";
import { useSchedule, useScheduleActions } from "./queries";
import {
  CATCH_UPS,
  type Fact,
  jitterWords,
  OVERLAPS,
  ofWords,
  selectionWords,
  sourceFacts,
  windowWords,
} from "./rule-words";
import { RunDialog } from "./run-dialog";
import { Runs } from "./runs";
import styles from "./schedule.module.css";
import { OPTIONS, placeName, toForm } from "./template";
import { shownSchedule } from "./words";

// Who only looks does not need it.
const Editor = lazy(() => import("./editor"));

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
        <Suspense fallback={<Loading />}>
          <Editor known={found.data} />
        </Suspense>
      </>
    );
  }
  return <Shown schedule={schedule} mayChange={mayChange} />;
}

function NewSchedule() {
  return (
    <>
      <PageHead title="New schedule" above={<Link href="/schedules">Schedules</Link>} />
      <Suspense fallback={<Loading />}>
        <Editor />
      </Suspense>
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
          <Facts facts={policyFacts(schedule)} />
        </section>
        <Reads schedule={schedule} />
        <Makes schedule={schedule} />
        <Runs id={schedule.id} zone={schedule.time_zone} className={styles.wide} />
      </div>
    </>
  );
}

function Actions({ schedule }: { schedule: Schedule }) {
  const { run, pause, remove } = useScheduleActions(schedule);
  const [, go] = useLocation();
  const [asked, setAsked] = useState<"delete" | "run">();
  const { paused } = schedule;
  return (
    <>
      <Button icon="play" busy={run.isPending} onClick={() => run.mutate({})}>
        Run now
      </Button>
      <Button look="plain" icon="schedules" onClick={() => setAsked("run")}>
        Run for other days
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
      <Button look="danger" icon="trash" onClick={() => setAsked("delete")}>
        Delete
      </Button>
      {asked === "run" && <RunDialog schedule={schedule} close={() => setAsked(undefined)} />}
      {asked === "delete" && (
        <Confirm
          title="Delete this schedule?"
          action="Delete the schedule"
          danger
          close={() => setAsked(undefined)}
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

function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(({ name, words, code }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {words} {code && <code>{code}</code>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const policyFacts = ({ jitter_seconds, catch_up, overlap }: Schedule): Fact[] => [
  ...(jitter_seconds > 0 ? [{ name: "A run begins", words: jitterWords(jitter_seconds) }] : []),
  { name: "If runs were missed", words: CATCH_UPS[catch_up] ?? catch_up },
  { name: "If jobs of the run before are not done", words: OVERLAPS[overlap] ?? overlap },
];

/** What it reads. */
function Reads({ schedule }: { schedule: Schedule }) {
  return (
    <section className={`${styles.section} card`} aria-labelledby="reads-title">
      <h2 id="reads-title">What it reads</h2>
      <Facts facts={[...sourceFacts(schedule.source), { name: "Which days", words: windowWords(schedule.window) }]} />
    </section>
  );
}

/** Which montages it makes, and how. */
function Makes({ schedule }: { schedule: Schedule }) {
  const form = toForm(schedule.template);
  const { montages } = schedule;
  const titled = montages.length > 0 && montages.every((montage) => montage.title);
  const json = JSON.stringify({ montages, template: schedule.template }, null, 2);
  const options = OPTIONS.flatMap(({ place, name, values }): Fact[] => {
    const chosen = form.options[placeName(place)];
    return chosen ? [{ name, words: (values as Record<string, string>)[chosen] ?? chosen }] : [];
  });
  return (
    <section className={`${styles.section} ${styles.wide} card`} aria-labelledby="makes-title">
      <h2 id="makes-title">What it makes</h2>
      {montages.length === 0 ? (
        <p>One montage of everything.</p>
      ) : (
        <ol className={styles.montages}>
          {montages.map((montage, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the places of the rules are what tells them apart
            <li key={index}>
              {ofWords(montage)}
              {montage.title && <>: “{montage.title}”</>}
              <span className="soft"> – {selectionWords(montage.select).join(", ")}</span>
              <Labels labels={montage.labels ?? {}} />
            </li>
          ))}
        </ol>
      )}
      <Facts
        facts={[
          ...(titled ? [] : [{ name: "Title", words: form.title || "the schedule’s name" }]),
          { name: "Priority", words: form.priority || "0" },
          ...options,
        ]}
      />
      <Labels labels={form.labels} to={(name, value) => `/jobs?label=${encodeURIComponent(`${name}:${value}`)}`} />
      <Fold title="Montages and template as JSON">
        <div className={styles.raw}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has to by keyboard too */}
          <pre tabIndex={0}>{json}</pre>
          <div>
            <CopyButton text={json} small>
              Copy the JSON
            </CopyButton>
          </div>
        </div>
      </Fold>
    </section>
  );
}
