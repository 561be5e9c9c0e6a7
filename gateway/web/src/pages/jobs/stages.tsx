// How far a job is, in its stages, its frames and its parts.
import type { Job } from "../../api/types";
import { count, roughly } from "../../lib/format";
import { Icon } from "../../ui/icon";
import styles from "./stages.module.css";
import { Bar } from "./state";
import { doing, percent, type Stage, speedWords, stageName, stagesOf } from "./words";

export function Progress({ job, now, className = "" }: { job: Job; now: number; className?: string }) {
  const progress = job.state === "running" ? job.progress : undefined;
  const stages = stagesOf(job);
  const at = progress ? stages.indexOf(progress.stage) : -1;
  return (
    <section className={`${styles.box} card ${className}`} aria-label="Progress">
      <div className={styles.line}>
        <strong>{doing(job, now)}</strong>
        <span className="numbers">{progress ? `${percent(progress.fraction)} %` : "\u00a0"}</span>
      </div>
      <Bar job={job} />
      <ol className={styles.stages}>
        {stages.map((stage, index) => (
          <StageStep key={stage} stage={stage} state={index < at ? "done" : index === at ? "now" : "later"} />
        ))}
      </ol>
      {/* Every place stays where it is, whether its number is known or not. */}
      <dl className={styles.numbers}>
        <Fact name="Time left">{progress?.seconds_left ? roughly(progress.seconds_left) : undefined}</Fact>
        <Fact name="Speed">{progress?.speed ? speedWords(progress.speed) : undefined}</Fact>
        <Fact name="Frames">
          {progress && progress.frames_total > 0
            ? `${progress.frames_done.toLocaleString("en")} of ${progress.frames_total.toLocaleString("en")}`
            : undefined}
        </Fact>
        <Fact name="Executor">{job.attempts.findLast((attempt) => !attempt.ended_at)?.executor}</Fact>
      </dl>
      {job.parts && job.parts.total > 0 && <Parts parts={job.parts} />}
    </section>
  );
}

function StageStep({ stage, state }: { stage: Stage; state: "done" | "now" | "later" }) {
  return (
    <li className={`${styles.stage} ${styles[state]}`} aria-current={state === "now" ? "step" : undefined}>
      <span className={styles.mark} aria-hidden="true">
        {state === "done" && <Icon name="check" size="0.9em" />}
        {state === "now" && <span className={styles.dot} />}
      </span>
      {stageName(stage)}
      {state === "done" && <span className="hidden-text">, done</span>}
    </li>
  );
}

function Fact({ name, children }: { name: string; children?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="numbers">{children ?? <span className="soft">not known yet</span>}</dd>
    </div>
  );
}

/** The parts that several executors make together. */
function Parts({ parts }: { parts: NonNullable<Job["parts"]> }) {
  const waiting = Math.max(0, parts.total - parts.done - parts.running);
  const says = `${parts.done} of ${count(parts.total, "part")} made, ${parts.running} under way, ${waiting} waiting`;
  return (
    <div className={styles.parts}>
      <h2>Parts, made together</h2>
      <div className={styles.cells} role="img" aria-label={says}>
        <span className={styles.made} style={{ flexGrow: parts.done }} />
        <span className={styles.making} style={{ flexGrow: parts.running }} />
        <span style={{ flexGrow: waiting }} />
      </div>
      <p className="small numbers">{says}.</p>
      {parts.executors.length > 0 && <p className="soft small">By {parts.executors.join(", ")}.</p>}
    </div>
  );
}
