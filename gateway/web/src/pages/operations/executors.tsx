// The executors: who is there, what each may do, and what it holds.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { api, ask } from "../../api/client";
import { keys } from "../../api/queries";
import type { components } from "../../api/schema";
import { age, moment } from "../../lib/format";
import { useNow } from "../../lib/now";
import { Empty, Failure, Loading } from "../../ui/states";
import { State } from "../jobs/state";
import { kindName, percent, type Shown, stageDoing } from "../jobs/words";
import styles from "./operations.module.css";

type Executor = components["schemas"]["Executor"];
type Held = components["schemas"]["Held"];

const ALIVE: Shown = { word: "There", icon: "check", look: "good" };
const GONE: Shown = { word: "Gone", icon: "ended", look: "off" };

export function Executors() {
  const executors = useQuery({
    queryKey: keys.executors,
    queryFn: ({ signal }) => ask(api.GET("/v1/executors", { signal })),
    refetchInterval: 3000,
  });
  const now = useNow(5000);
  if (executors.isPending) return <Loading label="Looking for executors" />;
  if (!executors.data) return <Failure error={executors.error} again={() => void executors.refetch()} />;
  const { items } = executors.data;
  if (items.length === 0) {
    return (
      <Empty title="No executor was here today">
        <p>Executors do the work. Start one with the gateway’s address and a key that has the scope executor.</p>
      </Empty>
    );
  }
  return (
    <ul className={styles.cards} aria-label="Executors">
      {items.map((executor) => (
        // One that was started anew is another one, even under the same name.
        <ExecutorCard key={`${executor.name} ${executor.first_seen_at}`} executor={executor} now={now} />
      ))}
    </ul>
  );
}

function ExecutorCard({ executor, now }: { executor: Executor; now: number }) {
  return (
    <li className={`${styles.section} card`}>
      <header className={styles.head}>
        <h2>{executor.name}</h2>
        <State shown={executor.alive ? ALIVE : GONE} />
      </header>
      <p className="soft small">
        Heard of{" "}
        <time dateTime={executor.seen_at} title={moment(executor.seen_at)}>
          {age(executor.seen_at, now)}
        </time>
        , here since <time dateTime={executor.first_seen_at}>{moment(executor.first_seen_at)}</time>.
      </p>
      <p className="small">Takes: {executor.kinds.map(kindName).join(", ") || "nothing"}.</p>
      {executor.holds.length === 0 ? (
        <p className="soft">Holds nothing.</p>
      ) : (
        <ul className={styles.holds} aria-label={`What ${executor.name} holds`}>
          {executor.holds.map((held) => (
            <HeldJob key={held.job_id} held={held} now={now} />
          ))}
        </ul>
      )}
    </li>
  );
}

function HeldJob({ held, now }: { held: Held; now: number }) {
  const { progress } = held;
  return (
    <li>
      <Link href={`/jobs/${held.job_id}`} className={styles.title}>
        {held.title}
      </Link>
      <span className="soft small">
        {kindName(held.kind)}, attempt {held.attempt}, began {age(held.started_at, now)}
      </span>
      <progress
        max={1}
        value={progress?.fraction ?? 0}
        aria-label={`Progress of ${held.title}`}
        className={styles.bar}
      />
      <span className="small numbers">
        {progress ? `${stageDoing(progress.stage)}, ${percent(progress.fraction)} %` : "Starting"}
      </span>
    </li>
  );
}
