// How much work waits, for how long, and how it has gone.
import type { ReactNode } from "react";
import { Link } from "wouter";
import { roughly } from "../../lib/format";
import { Icon } from "../../ui/icon";
import { Failure, Loading } from "../../ui/states";
import { useStats } from "../jobs/queries";
import { kindName, shownState } from "../jobs/words";
import { concerns, type Stats } from "./concerns";
import styles from "./operations.module.css";

export function Overview() {
  const stats = useStats();
  if (stats.isPending) return <Loading label="Counting" />;
  if (!stats.data) return <Failure error={stats.error} again={() => void stats.refetch()} />;
  return <Numbers stats={stats.data} />;
}

function Numbers({ stats }: { stats: Stats }) {
  const worries = concerns(stats);
  // While services are upgraded one after the other, these may be missing.
  const kinds = Object.entries(stats.waiting_by_kind ?? {});
  return (
    <div className={styles.page}>
      {worries.length > 0 && (
        <ul className={styles.concerns} aria-label="What needs a look">
          {worries.map((worry) => (
            <li key={worry}>
              <Icon name="warning" />
              {worry}
            </li>
          ))}
        </ul>
      )}
      <dl className={styles.numbers}>
        <Figure
          name="Waiting now"
          value={stats.depth}
          note="could be claimed by an executor"
          href="/jobs?state=queued,retrying"
        />
        <Figure
          name="Longest wait"
          value={stats.oldest_seconds == null ? "–" : roughly(stats.oldest_seconds)}
          note={stats.oldest_seconds == null ? "nothing waits" : "of what could be claimed"}
        />
        <Figure name="Running" value={stats.states.running ?? 0} note="under a lease" href="/jobs?state=running" />
        <Figure
          name="Executors"
          value={stats.executors_alive}
          note="heard of in the last minute"
          href="/operations?tab=executors"
        />
        <Figure name="Unsent hints" value={stats.unsent_hints} note="on their way to the broker" />
      </dl>
      <div className={styles.columns}>
        <section className={`${styles.section} card`} aria-labelledby="hour-title">
          <h2 id="hour-title">Ended in the last hour</h2>
          <dl className={styles.pairs}>
            {Object.entries(stats.last_hour ?? {}).map(([state, number]) => (
              <Pair key={state} state={state} number={number} />
            ))}
          </dl>
        </section>
        <section className={`${styles.section} card`} aria-labelledby="all-title">
          <h2 id="all-title">All jobs by state</h2>
          <dl className={styles.pairs}>
            {Object.entries(stats.states).map(([state, number]) => (
              <Pair key={state} state={state} number={number} />
            ))}
          </dl>
        </section>
        <section className={`${styles.section} card`} aria-labelledby="kinds-title">
          <h2 id="kinds-title">Waiting by kind</h2>
          <dl className={styles.pairs}>
            {kinds.map(([kind, number]) => (
              <div key={kind}>
                <dt>
                  <Link href={`/jobs?kind=${kind}&state=queued,retrying`}>{kindName(kind)}</Link>
                </dt>
                <dd className="numbers">{number.toLocaleString("en")}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </div>
  );
}

function Figure({ name, value, note, href }: { name: string; value: ReactNode; note: string; href?: string }) {
  return (
    <div className={`${styles.figure} card`}>
      <dt>{href ? <Link href={href}>{name}</Link> : name}</dt>
      <dd>
        <strong className="numbers">{typeof value === "number" ? value.toLocaleString("en") : value}</strong>
        <span className="soft small">{note}</span>
      </dd>
    </div>
  );
}

function Pair({ state, number }: { state: string; number: number }) {
  const shown = shownState({ state: state as "queued", cancel_requested: false });
  return (
    <div>
      <dt>
        <Icon name={shown.icon} size="1em" /> <Link href={`/jobs?state=${state}`}>{shown.word}</Link>
      </dt>
      <dd className="numbers">{number.toLocaleString("en")}</dd>
    </div>
  );
}
