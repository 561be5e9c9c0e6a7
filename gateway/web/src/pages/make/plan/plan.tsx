// The last step: what it will take, and the button that makes it.
import { Link } from "wouter";
import { Problem } from "../../../api/client";
import type { PlanView } from "../../../api/types";
import { bytes, clock, count, roughly, shareOfCopies } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { Icon } from "../../../ui/icon";
import { type Column, Table } from "../../../ui/table";
import { refText } from "../draft/model";
import type { Posting } from "../draft/spec";
import { useDraft } from "../draft/store";
import type { Found } from "../mistakes";
import { codecName, rateName } from "../sources/words";
import { Step } from "../step";
import styles from "./plan.module.css";
import type { Plan, Planned } from "./use-plan";
import type { SendingState } from "./use-sending";

interface PlanStepProps {
  posting: Posting;
  planned: Planned;
  sending: SendingState;
}

export function PlanStep({ posting, planned, sending }: PlanStepProps) {
  const { plan, busy, error } = planned;
  const isReady = posting.clips.length > 0 && posting.mistakes.length === 0;
  return (
    <Step id="plan" number={5} title="See what it takes, and make it">
      {posting.clips.length === 0 ? (
        <p className="soft">
          As soon as there is a clip, you see here what the montage takes: how much is fetched, how many frames are
          encoded, and how long it will be about.
        </p>
      ) : (
        posting.mistakes.length > 0 && (
          <div className={styles.missing}>
            <p>Before it can be planned and made:</p>
            <Listed found={posting} />
          </div>
        )
      )}
      <div role="status" className={styles.state}>
        {isReady && busy && (plan ? "The plan is brought up to date…" : "The plan is being made…")}
      </div>
      {error !== null && !busy && <Refused planned={planned} />}
      {plan && <Shown plan={plan} />}
      <Send isReady={isReady} sending={sending} />
      {plan && <ClipByClip plan={plan} />}
    </Step>
  );
}

/** How many mistakes are listed: whoever has mended these sees the next ones. */
const LISTED = 6;

/** Where options stand in what is posted, and what they are called here. */
const OPTIONS: [pointer: string, name: string][] = [
  ["/title", "Title"],
  ["/labels", "Labels"],
  ["/priority", "Priority"],
  ["/run_at", "Not before"],
  ["/spec/cut", "Cut"],
  ["/spec/canvas", "Picture"],
  ["/spec/audio", "Sound"],
  ["/spec/transition", "Between clips"],
  ["/spec/titles", "Written over each clip"],
  ["/spec/intro", "Before the first clip"],
  ["/spec/outro", "After the last clip"],
  ["/spec/transcribe", "Captions"],
];

/** Mistakes, each with the clip or the option that it is about. */
function Listed({ found }: { found: Found }) {
  const clips = useDraft((draft) => draft.clips);
  const where = (pointer: string) => {
    const match = /^\/spec\/highlights\/(\d+)/.exec(pointer);
    const key = match && found.clips[Number(match[1])];
    const index = clips.findIndex((clip) => clip.key === key);
    if (index >= 0) return `${clips[index]?.title || `Clip ${index + 1}`}: `;
    const option = OPTIONS.find(([begins]) => pointer.startsWith(begins));
    return option ? `${option[1]}: ` : "";
  };
  const rest = found.mistakes.length - LISTED;
  return (
    <ul>
      {found.mistakes.slice(0, LISTED).map((mistake) => (
        <li key={`${mistake.pointer} ${mistake.detail}`}>
          {where(mistake.pointer)}
          {mistake.detail}
        </li>
      ))}
      {rest > 0 && <li>and {count(rest, "more mistake")}</li>}
    </ul>
  );
}

/** Why there is no plan. */
function Refused({ planned }: { planned: Planned }) {
  const { error, found } = planned;
  return (
    <div role="alert" className={styles.refused}>
      <p>
        <Icon name="warning" />{" "}
        {found
          ? "It cannot be made like this. What is wrong is marked at its place:"
          : error instanceof Problem
            ? error.message
            : "The plan could not be made."}
      </p>
      {found && <Listed found={found} />}
      <Button look="plain" small icon="again" onClick={planned.again}>
        Plan again
      </Button>
    </div>
  );
}

function Shown({ plan }: { plan: Plan }) {
  const unlike = plan.clips.filter((clip) => clip.differences.length > 0);
  const { canvas } = plan;
  const seconds = plan.seconds_estimated;
  return (
    <>
      <dl className={styles.facts}>
        <div>
          <dt>Length</dt>
          <dd>{clock(plan.duration)}</dd>
        </div>
        <div>
          <dt>To fetch</dt>
          <dd>{bytes(plan.bytes_to_fetch)}</dd>
        </div>
        <div>
          <dt>To encode</dt>
          <dd>{count(plan.frames_encoded, "frame")}</dd>
        </div>
        {seconds !== undefined && seconds !== null && (
          <div>
            <dt>Ready in about</dt>
            <dd>{roughly(seconds)}</dd>
          </div>
        )}
        <div>
          <dt>Picture</dt>
          <dd>
            {canvas.width} × {canvas.height}, {rateName(canvas.frame_rate)} fps, {codecName(canvas.codec)}
          </dd>
        </div>
      </dl>
      <p>{shareOfCopies(plan.frames - plan.frames_encoded, plan.frames)}.</p>
      {unlike.length > 0 && (
        <p className={styles.unlike}>
          <Icon name="help" />
          {unlike.length === plan.clips.length
            ? "All clips have to be encoded whole, because of what you chose or how they are."
            : `${count(unlike.length, "clip")} ${unlike.length === 1 ? "is" : "are"} unlike the picture of the montage and encoded whole.`}
        </p>
      )}
      {(plan.warnings ?? []).map((warning) => (
        <p key={warning} className={styles.warning}>
          <Icon name="warning" />
          {warning}
        </p>
      ))}
    </>
  );
}

/** What each clip takes, and why. */
function ClipByClip({ plan }: { plan: Plan }) {
  const sources = useDraft((draft) => draft.sources);
  // Plans name sources as they were sent, links without their query.
  const names = new Map(
    sources.flatMap(({ ref, name }) => (ref ? [[refText(ref).split(/[?#]/)[0] ?? "", name] as const] : [])),
  );
  return (
    <details className={styles.details}>
      <summary>Clip by clip</summary>
      <Table
        caption="What each clip takes"
        columns={COLUMNS}
        rows={plan.clips.map((clip, index) => ({ ...clip, index, name: names.get(clip.source) ?? clip.source }))}
        keyOf={(clip) => String(clip.index)}
      />
    </details>
  );
}

type Row = PlanView["clips"][number] & {
  index: number;
  /** What its source is called here. */
  name: string;
};

const MODES: Record<Row["mode"], string> = {
  exact: "cut to the frame",
  snap: "snapped",
  copy: "copied from the keyframe before",
  auto: "weighed",
};

const COLUMNS: Column<Row>[] = [
  {
    name: "Clip",
    heads: true,
    cell: (clip) => (
      <>
        {clip.title}
        <span className={`${styles.below} soft small`}>{clip.name}</span>
      </>
    ),
  },
  {
    name: "Frames",
    tight: true,
    cell: (clip) => (
      <span className="numbers">
        {clip.frames_copied.toLocaleString("en")} copied
        <br />
        {clip.frames_encoded.toLocaleString("en")} encoded
      </span>
    ),
  },
  {
    name: "Why",
    cell: (clip) => (
      <>
        {clip.reason.charAt(0).toUpperCase() + clip.reason.slice(1)}
        <span className={`${styles.below} soft small`}>
          {MODES[clip.mode]}
          {moved(clip)}
        </span>
        {clip.differences.length > 0 && (
          <span className={`${styles.below} small`}>Unlike: {clip.differences.join("; ")}</span>
        )}
      </>
    ),
  },
  { name: "To fetch", tight: true, cell: (clip) => <span className="numbers">{bytes(clip.bytes)}</span> },
];

/** How far a clip's start and end are from what was asked for. */
function moved(clip: Row): string {
  const start = clip.actual.start - clip.asked.start;
  const end = start + clip.actual.duration - clip.asked.duration;
  const say = (name: string, by: number) =>
    Math.abs(by) < 0.01 ? "" : `, ${name} ${Math.abs(by).toFixed(2)} s ${by < 0 ? "earlier" : "later"}`;
  return say("starts", start) + say("ends", end);
}

function Send({ isReady, sending }: { isReady: boolean; sending: SendingState }) {
  const sent = useDraft((draft) => draft.sending);
  return (
    <div className={styles.send}>
      <Button
        icon="send"
        busy={sending.busy}
        aria-disabled={!isReady || undefined}
        onClick={isReady ? sending.send : undefined}
      >
        Make the montage
      </Button>
      {sending.error !== null && (
        <p role="alert" className={styles.mistake}>
          {sending.error instanceof Error ? sending.error.message : String(sending.error)}
        </p>
      )}
      <p className="soft small">
        {sent?.job ? (
          <>
            Last sent as <Link href={`/jobs/${sent.job}`}>this job</Link>. Sent unchanged, it stays one job; changed, it
            becomes another.
          </>
        ) : (
          "Then you watch it being made; parts of it can be played before the rest is done."
        )}
      </p>
    </div>
  );
}
