// Jobs in words. All of it is pure: `now` comes in where it matters.
import type { components } from "../../api/schema";
import type { Job, JobState } from "../../api/types";
import { clock, moment, roughly } from "../../lib/format";
import type { IconName } from "../../ui/icon";

type Schemas = components["schemas"];
export type Stage = Schemas["Stage"];
export type Progress = Schemas["Progress"];
export type Attempt = Schemas["Attempt"];

/** How a state is shown; never by its colour alone. */
export interface Shown {
  word: string;
  icon: IconName;
  look: "wait" | "run" | "good" | "warn" | "bad" | "off";
}

const STATES: Record<JobState, Shown> = {
  queued: { word: "Waiting", icon: "schedules", look: "wait" },
  running: { word: "Running", icon: "play", look: "run" },
  retrying: { word: "Will be tried again", icon: "again", look: "warn" },
  succeeded: { word: "Succeeded", icon: "check", look: "good" },
  failed: { word: "Failed", icon: "warning", look: "bad" },
  dead: { word: "Dead", icon: "ended", look: "bad" },
  cancelled: { word: "Cancelled", icon: "stop", look: "off" },
};

/** A job's state. */
export function shownState(job: Pick<Job, "state" | "cancel_requested">): Shown {
  if (job.state === "running" && job.cancel_requested) return { word: "Being cancelled", icon: "stop", look: "warn" };
  return STATES[job.state] ?? { word: job.state, icon: "more", look: "off" };
}

const STAGES: Record<Stage, { doing: string; name: string }> = {
  fetching: { doing: "Reading the sources", name: "Fetch" },
  planning: { doing: "Planning the cuts", name: "Plan" },
  rendering: { doing: "Rendering", name: "Render" },
  verifying: { doing: "Checking the result", name: "Verify" },
  transcribing: { doing: "Writing down what is said", name: "Transcribe" },
  publishing: { doing: "Publishing", name: "Publish" },
};

export const stageName = (stage: Stage): string => STAGES[stage]?.name ?? stage;
export const stageDoing = (stage: Stage): string => STAGES[stage]?.doing ?? stage;

/** The stages that a job goes through, in order. */
export function stagesOf(job: Pick<Job, "kind" | "spec">): Stage[] {
  if (job.kind === "transcript") return ["fetching", "transcribing", "publishing"];
  if (job.kind === "montage") {
    const silent = "transcribe" in job.spec && job.spec.transcribe.engine === "none";
    return silent
      ? ["fetching", "planning", "rendering", "verifying", "publishing"]
      : ["fetching", "planning", "rendering", "verifying", "transcribing", "publishing"];
  }
  if (job.kind === "replay") return ["fetching", "planning", "rendering", "verifying", "publishing"];
  if (job.kind === "segment") return ["fetching", "rendering"];
  return ["fetching", "planning"];
}

const KINDS: Record<string, string> = {
  montage: "Montage",
  transcript: "Transcript",
  replay: "Replay",
  plan: "Plan",
  segment: "Part of a montage",
  probe: "Look at a source",
};

export const kindName = (kind: string): string => KINDS[kind] ?? kind;

/** Share of the whole in percent. Never 100 before it is done. */
export const percent = (fraction: number): number => Math.min(99, Math.floor(fraction * 100 + 1e-9));

/** Seconds of montage made in a second: `2.3x`. */
export const speedWords = (speed: number): string =>
  `${speed >= 99.5 ? Math.round(speed) : speed.toFixed(speed < 0.995 ? 2 : 1)}x`;

/** What happens to a job now, in a few words. */
export function doing(job: Job, now: number): string {
  const later = Date.parse(job.run_at) - now;
  switch (job.state) {
    case "queued":
      return later > 1000 ? `Not before ${moment(job.run_at)}` : "Waits for an executor";
    case "retrying":
      return later > 1000 ? `Tried again in ${roughly(later / 1000)}` : "About to be tried again";
    case "running":
      if (job.cancel_requested) return "Its executor is told to stop";
      return job.progress ? stageDoing(job.progress.stage) : "Starting";
    default:
      return job.failure?.message ?? "";
  }
}

/** The window's title while a job is shown. */
export function windowTitle(job: Job): string {
  if (job.state === "running" && job.progress) return `${percent(job.progress.fraction)} % · ${job.title}`;
  return `${shownState(job).word} · ${job.title}`;
}

/** What is said aloud when a job changes its state while somebody looks at it; nothing for the rest. */
export function announcement(before: JobState, job: Job): string {
  if (before === job.state) return "";
  switch (job.state) {
    case "succeeded":
      return `${job.title} is done. The montage can be played.`;
    case "failed":
    case "dead":
      return `${job.title} has failed: ${job.failure?.message ?? "no reason is known."}`;
    case "cancelled":
      return `${job.title} is cancelled.`;
    case "retrying":
      return `An attempt at ${job.title} has failed. It will be tried again.`;
    case "running":
      return `${job.title} is running.`;
    default:
      return `${job.title} is waiting.`;
  }
}

const OUTCOMES: Record<Schemas["AttemptOutcome"], Shown> = {
  succeeded: { word: "Succeeded", icon: "check", look: "good" },
  error: { word: "Failed", icon: "warning", look: "bad" },
  lease_lost: { word: "Lost its executor", icon: "ended", look: "warn" },
  deadline: { word: "Took too long", icon: "schedules", look: "bad" },
  cancelled: { word: "Cancelled", icon: "stop", look: "off" },
  released: { word: "Given back", icon: "again", look: "off" },
};

export function shownOutcome(attempt: Attempt): Shown {
  if (!attempt.outcome) return { word: "Running", icon: "play", look: "run" };
  return OUTCOMES[attempt.outcome] ?? { word: attempt.outcome, icon: "more", look: "off" };
}

/** Why an attempt ended as it did, where its failure does not say it. */
export function outcomeReason(attempt: Attempt): string {
  if (attempt.failure) return attempt.failure.message;
  if (attempt.outcome === "lease_lost") return "The executor was not heard of any more.";
  if (attempt.outcome === "released")
    return "The executor was shut down and gave the job back; this does not count as a try.";
  return "";
}

/** How long an attempt took, or has taken so far. */
export function attemptLength(attempt: Attempt, now: number): string {
  const end = attempt.ended_at ? Date.parse(attempt.ended_at) : now;
  return roughly(Math.max(0, (end - Date.parse(attempt.started_at)) / 1000));
}

/** A place in what was asked for: in words, and the highlight's number from 0 where it is in one. */
export function placeOf(pointer: string): { words: string; highlight?: number } {
  const parts = pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (parts[0] === "spec") parts.shift();
  const number = Number(parts[1]);
  if (parts[0] === "highlights" && Number.isInteger(number)) {
    const rest = parts.slice(2).join(" ");
    return { words: `Highlight ${number + 1}${rest ? `, ${rest}` : ""}`, highlight: number };
  }
  return { words: parts.join(" ").replaceAll("_", " ") || "The whole job" };
}

/** A source as people name it, without what is secret about a link. */
export function sourceWords(source: Schemas["Source"]): string {
  if ("url" in source) {
    try {
      const url = new URL(source.url);
      return decodeURIComponent(`${url.host}${url.pathname}`);
    } catch {
      return source.url.replace(/[?#].*$/s, "");
    }
  }
  if ("path" in source) return source.path;
  if ("upload" in source) return `Upload ${source.upload}`;
  return `Montage ${source.montage}`;
}

/** A place on a source. */
export function timeWords(time: Schemas["MediaTime"]): string {
  if (typeof time === "number") return clock(time, true);
  if (typeof time === "string") return time;
  return time.seconds === undefined
    ? `frame ${time.frames ?? 0}`
    : clock(time.seconds, !Number.isInteger(time.seconds));
}

/** A length on a source. */
export function lengthWords(time: Schemas["MediaTime"]): string {
  if (typeof time === "number") return `${time} s`;
  if (typeof time === "string") return time;
  return time.seconds === undefined ? `${time.frames ?? 0} frames` : `${Math.round(time.seconds * 1000) / 1000} s`;
}
