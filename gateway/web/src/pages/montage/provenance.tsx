// How a montage was made: what was copied, what was encoded and why, what was checked, by whom, how long it took and what it cost.
import type { Montage, Provenance } from "../../api/types";
import { bytes, clock, count, moment, share } from "../../lib/format";
import { Icon } from "../../ui/icon";
import { type Column, Table } from "../../ui/table";
import styles from "./provenance.module.css";
import {
  byClip,
  type ClipFrames,
  canvasWords,
  causes,
  checksWords,
  checkWords,
  costWords,
  headline,
  lengthWords,
  makerWords,
  modeWords,
  secondsTaken,
  soundWords,
  speedWords,
} from "./provenance-words";

export function Made({ montage, record }: { montage: Montage; record: Provenance }) {
  const taken = secondsTaken(record);
  const speed = taken === null ? "" : speedWords(taken, montage.duration);
  const sound = soundWords(record);
  const canvas = canvasWords(record);
  return (
    <div className={styles.made}>
      <section>
        <h3>Picture and sound</h3>
        <p className={styles.headline}>{headline(record)}</p>
        <Share record={record} />
        <Causes record={record} />
        {sound && <p>{sound}</p>}
      </section>
      <section>
        <h3>Checks</h3>
        <p>{checksWords(record.checks)}</p>
        <ul className={styles.checks}>
          {record.checks.map((check) => (
            <li key={check.name} className={check.passed ? undefined : styles.failed}>
              <Icon name={check.passed ? "check" : "warning"} />
              <span>
                {!check.passed && "Did not hold: "}
                {checkWords(check.name)}
                <span className={styles.detail}>{check.detail}</span>
              </span>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h3>Time and cost</h3>
        <ul className={styles.plain}>
          <li>
            {makerWords(record)}, on {moment(record.started_at)}.
          </li>
          {taken !== null && (
            <li>
              It took {lengthWords(taken)} for {lengthWords(montage.duration)} of video
              {speed ? `: ${speed}` : ""}.
            </li>
          )}
          {costWords(record).map((words) => (
            <li key={words}>{words.charAt(0).toUpperCase() + words.slice(1)}.</li>
          ))}
        </ul>
      </section>
      <details className={styles.more}>
        <summary>Clip by clip</summary>
        <ClipTable montage={montage} record={record} />
      </details>
      <details className={styles.more}>
        <summary>Sources as they were read</summary>
        <Sources record={record} />
      </details>
      <details className={styles.more}>
        <summary>Versions, confinement and fingerprints</summary>
        <dl className={styles.facts}>
          {canvas && (
            <>
              <dt>Picture</dt>
              <dd>{canvas}</dd>
            </>
          )}
          <dt>Versions</dt>
          <dd>
            {Object.entries(record.versions)
              .map(([name, version]) => `${name} ${version}`)
              .join(", ")}
          </dd>
          <dt>The render worker was confined by</dt>
          <dd>
            <ul className={styles.plain}>
              {record.sandbox.map((bound) => (
                <li key={bound}>{bound}</li>
              ))}
            </ul>
          </dd>
          <dt>SHA-256 of the video</dt>
          <dd>
            <code>{montage.media.sha256}</code>
          </dd>
          <dt>SHA-256 of the plan</dt>
          <dd>
            <code>{record.plan_hash}</code>
          </dd>
        </dl>
      </details>
      <p>
        <a href={montage.links.provenance ?? `/v1/montages/${montage.id}/provenance`}>The whole record, as JSON</a>
      </p>
    </div>
  );
}

/** The share of copies as a bar: the words above it say the same. */
function Share({ record }: { record: Provenance }) {
  const copied = record.frames_copied ?? 0;
  const all = copied + record.frames_encoded;
  if (all === 0) return null;
  return (
    <div className={styles.share} aria-hidden="true">
      <span style={{ width: `${(copied / all) * 100}%` }} />
    </div>
  );
}

function Causes({ record }: { record: Provenance }) {
  const all = causes(record);
  if (all.length === 0) return null;
  return (
    <>
      <p>Frames were encoded because</p>
      <ul>
        {all.map((cause) => (
          <li key={cause.words}>
            {cause.words}: {count(cause.frames, "frame")} in {count(cause.clips, "clip")}
          </li>
        ))}
      </ul>
    </>
  );
}

interface ClipLine extends ClipFrames {
  number: number;
  title: string;
  start: number;
  mode: string;
}

const CLIP_COLUMNS: Column<ClipLine>[] = [
  {
    name: "Clip",
    heads: true,
    cell: (line) => (
      <>
        {line.number}. {line.title} <span className="soft">at {clock(line.start)}</span>
      </>
    ),
  },
  {
    name: "Copied",
    cell: ({ copied, encoded }) =>
      copied === 0
        ? `none of ${count(encoded, "frame")}`
        : `${copied.toLocaleString("en")} of ${count(copied + encoded, "frame")} (${share(copied, copied + encoded)})`,
  },
  { name: "Cut", cell: (line) => line.mode },
  {
    name: "Sound",
    tight: true,
    cell: ({ gain }) => (gain === null ? "" : `${gain < 0 ? "−" : "+"}${Math.abs(gain).toFixed(1)} dB`),
  },
  { name: "Why", cell: (line) => line.reasons.join("; ") },
];

function ClipTable({ montage, record }: { montage: Montage; record: Provenance }) {
  const frames = byClip(record, montage.clips.length);
  const lines = montage.clips.map((clip, index) => ({
    copied: 0,
    encoded: 0,
    reasons: [],
    gain: null,
    ...frames[index],
    number: index + 1,
    title: clip.title,
    start: clip.start,
    mode: modeWords(clip.mode),
  }));
  return (
    <Table
      caption="What was done to each clip"
      columns={CLIP_COLUMNS}
      rows={lines}
      keyOf={(line) => String(line.number)}
    />
  );
}

const SOURCE_COLUMNS: Column<Provenance["sources"][number]>[] = [
  {
    name: "Source",
    heads: true,
    cell: (source) => (
      <>
        {source.source}
        <span className={styles.detail}>{source.description}</span>
      </>
    ),
  },
  { name: "Size", tight: true, cell: (source) => bytes(source.bytes) },
  {
    name: "Read",
    tight: true,
    cell: (source) => `${bytes(source.bytes_read)} in ${count(source.requests, "request")}`,
  },
  { name: "Known by", cell: (source) => source.identity },
];

function Sources({ record }: { record: Provenance }) {
  return (
    <Table
      caption="Sources"
      columns={SOURCE_COLUMNS}
      rows={record.sources}
      keyOf={(source) => `${source.source} ${source.identity}`}
    />
  );
}
