// What was asked for: the highlights and options in words, and all of it as it was stored.
import { useEffect, useState } from "react";
import { Link } from "wouter";
import type { components } from "../../api/schema";
import type { Job } from "../../api/types";
import { count } from "../../lib/format";
import { Button } from "../../ui/button";
import { CopyButton } from "../../ui/copy";
import styles from "./asked.module.css";
import shared from "./job.module.css";
import { optionsOf } from "./options";
import { lengthWords, placeOf, sourceWords, timeWords } from "./words";

type MontageSpec = components["schemas"]["MontageSpec"];
type ReplaySpec = components["schemas"]["ReplaySpec"];
type Highlight = components["schemas"]["Highlight"];

/** Highlights that are shown before somebody asks for all. */
const FIRST = 25;

/** The montage that a job is about, in whichever kind it is asked for. */
function montageOf(job: Job): MontageSpec | undefined {
  if ("highlights" in job.spec) return job.spec;
  if ("plan" in job.spec) return job.spec.plan;
  return undefined;
}

export function Asked({ job }: { job: Job }) {
  const montage = montageOf(job);
  const blamed = job.failure?.pointer ? placeOf(job.failure.pointer).highlight : undefined;
  const json = JSON.stringify(
    { kind: job.kind, title: job.title, labels: job.labels, priority: job.priority, spec: job.spec },
    null,
    2,
  );
  return (
    <section className={`${shared.section} card`} aria-labelledby="asked-title">
      <h2 id="asked-title">What was asked for</h2>
      {montage && <Highlights montage={montage} blamed={blamed} />}
      {"montage" in job.spec && (
        <p>
          A new transcript for <Link href={`/m/${job.spec.montage}`}>a montage of the library</Link>.
        </p>
      )}
      {"replay" in job.spec && <Files spec={job.spec} />}
      {"part" in job.spec && (
        <p>
          {count(job.spec.part.segments.length, "segment")} of{" "}
          <Link href={`/jobs/${job.spec.part.job_id}`}>a montage</Link> that several executors make together.
        </p>
      )}
      {"probe" in job.spec && <p>A look at {sourceWords(job.spec.probe.source)}, to show what can be cut out of it.</p>}
      <dl className={styles.options}>
        {optionsOf(job.spec).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <details className={styles.raw}>
        <summary>As JSON, the way the API takes it</summary>
        <div className={styles.copy}>
          <CopyButton text={json} small>
            Copy the JSON
          </CopyButton>
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has to by keyboard too */}
        <pre tabIndex={0}>{json}</pre>
      </details>
    </section>
  );
}

const FILES = { replay: "Replay", map: "Map", audio: "Song", skin: "Skin" } as const;

function Files({ spec }: { spec: ReplaySpec }) {
  return (
    <dl className={styles.options}>
      {Object.entries(FILES).map(([name, label]) => {
        const source = spec[name as keyof typeof FILES];
        return (
          source && (
            <div key={name}>
              <dt>{label}</dt>
              <dd>{sourceWords(source)}</dd>
            </div>
          )
        );
      })}
    </dl>
  );
}

function Highlights({ montage, blamed }: { montage: MontageSpec; blamed?: number }) {
  const [all, setAll] = useState(false);
  const { highlights } = montage;
  // What a failure points at has to be there to be led to.
  useEffect(() => {
    if (blamed !== undefined && blamed >= FIRST) setAll(true);
  }, [blamed]);
  const shown = all ? highlights : highlights.slice(0, FIRST);
  return (
    <>
      <ol className={styles.highlights}>
        {shown.map((highlight, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: what was asked for never changes its order
          <HighlightItem key={index} highlight={highlight} number={index} blamed={index === blamed} />
        ))}
      </ol>
      {shown.length < highlights.length && (
        <div>
          <Button look="plain" small onClick={() => setAll(true)}>
            Show all {highlights.length} highlights
          </Button>
        </div>
      )}
    </>
  );
}

function HighlightItem({ highlight, number, blamed }: { highlight: Highlight; number: number; blamed: boolean }) {
  const { source } = highlight;
  return (
    <li id={`highlight-${number}`} tabIndex={-1} className={blamed ? styles.blamed : undefined}>
      <span className={`${styles.number} numbers soft`} aria-hidden="true">
        {number + 1}
      </span>
      <span className={styles.what}>
        <strong>{highlight.title || `Highlight ${number + 1}`}</strong>
        {highlight.streamer && <span> · {highlight.streamer}</span>}
        {blamed && <strong className={styles.blame}> · to blame for the failure</strong>}
        <span className={`${styles.source} soft small`}>
          {"montage" in source ? (
            <Link href={`/m/${source.montage}`}>A montage of the library</Link>
          ) : (
            sourceWords(source)
          )}
        </span>
      </span>
      <span className={`${styles.when} numbers small`}>
        from {timeWords(highlight.start)}, {lengthWords(highlight.duration)}
        {highlight.score != null && <span className="soft"> · score {highlight.score}</span>}
      </span>
    </li>
  );
}
