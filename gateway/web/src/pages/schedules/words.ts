// Schedules in words. Pure: zones and moments come in.
import { Problem } from "../../api/client";
import type { ImportedJob, ImportReport, Schedule, ScheduleRun } from "../../api/types";
import { count, roughly } from "../../lib/format";
import type { Shown } from "../jobs/words";

const RUNS: Record<ScheduleRun["outcome"], Shown> = {
  running: { word: "Running", icon: "play", look: "run" },
  submitted: { word: "Jobs posted", icon: "check", look: "good" },
  empty: { word: "No highlights", icon: "more", look: "off" },
  skipped: { word: "Left out", icon: "next", look: "off" },
  failed: { word: "Failed", icon: "warning", look: "bad" },
};

export function shownRun(run: ScheduleRun): Shown {
  const { outcome, jobs, job_count } = run;
  // It waits for its source or for the jobs of the run before.
  if (outcome === "running" && run.reason) return { word: "Waiting", icon: "schedules", look: "wait" };
  if (outcome === "submitted" && jobs.length > 0 && jobs.length === job_count) {
    if (jobs.every((job) => job.outcome === "known")) return { word: "Made before", icon: "check", look: "off" };
    if (jobs.some((job) => job.outcome === "refused")) return { word: "Some refused", icon: "warning", look: "warn" };
    if (job_count === 1) return { word: "Job posted", icon: "check", look: "good" };
  }
  return RUNS[outcome] ?? { word: outcome, icon: "more", look: "off" };
}

const POSTS: Record<ImportedJob["outcome"], Shown> = {
  waiting: { word: "To be posted", icon: "schedules", look: "wait" },
  submitted: { word: "Posted", icon: "check", look: "good" },
  known: { word: "Made before", icon: "check", look: "off" },
  refused: { word: "Refused", icon: "warning", look: "bad" },
};

/** What became of a job of a run. */
export const shownPost = (job: Pick<ImportedJob, "outcome">): Shown =>
  POSTS[job.outcome] ?? { word: job.outcome, icon: "more", look: "off" };

/** How many jobs a run has and, where all of them are known, what became of them: `3 jobs: 2 posted, 1 refused`. */
export function jobsWords(run: Pick<ScheduleRun, "jobs" | "job_count">): string {
  const all = count(run.job_count, "job");
  if (run.jobs.length < run.job_count) return all;
  const parts = (Object.keys(POSTS) as ImportedJob["outcome"][]).flatMap((outcome) => {
    const number = run.jobs.filter((job) => job.outcome === outcome).length;
    return number > 0 ? [`${number.toLocaleString("en")} ${POSTS[outcome].word.toLowerCase()}`] : [];
  });
  return parts.length > 0 ? `${all}: ${parts.join(", ")}` : all;
}

/** What was read. */
export const reportWords = (report: ImportReport): string =>
  `${count(report.rows, "row")} read, with ${count(report.highlights, "highlight")}`;

export const shownSchedule = (schedule: Pick<Schedule, "paused">): Shown =>
  schedule.paused
    ? { word: "Paused", icon: "pause", look: "off" }
    : { word: "Active", icon: "schedules", look: "good" };

/** Why a run ended as it did. */
export function runReason(run: ScheduleRun): string {
  if (run.reason) return run.reason;
  if (run.outcome !== "empty") return "";
  return run.report?.highlights
    ? "None of the highlights was wanted: there was nothing to make."
    : "There were no highlights: there was nothing to make.";
}

/** Why a run by hand was refused, and when it may be tried again. */
export function refusalWords(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  const wait = error instanceof Problem ? error.retryAfter : undefined;
  return wait ? `${words} Try again in ${count(wait, "second")}.` : words;
}

/** How long a run took; nothing while it goes on, and of one that never began. */
export function runLength(run: ScheduleRun): string {
  if (!run.ended_at || run.outcome === "skipped") return "";
  return roughly(Math.max(0, (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000));
}

/** The zone that the reader's clock shows. */
export const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** All zones that can be chosen. */
export function allZones(): string[] {
  const known = Intl.supportedValuesOf?.("timeZone") ?? [];
  return known.includes("UTC") ? known : ["UTC", ...known];
}

/** A moment with its day of the week, by the clock of a zone; by UTC where nobody here knows the zone. */
export function inZone(moment: string, zone: string, locale?: string): string {
  const form = (timeZone: string) =>
    new Intl.DateTimeFormat(locale, {
      weekday: "short",
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      timeZone,
    }).format(new Date(moment));
  try {
    return form(zone);
  } catch {
    return `${form("UTC")} UTC`;
  }
}

/** A moment by the reader's clock and, where that shows something else, by the schedule's: its day only where that differs, too. */
export function bothClocks(
  moment: string,
  zone: string,
  local: string,
  locale?: string,
): { here: string; there?: string } {
  const [here, there] = [inZone(moment, local, locale), inZone(moment, zone, locale)];
  if (here === there) return { here };
  const part = (timeZone: string, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone }).format(new Date(moment));
  try {
    const day =
      part(zone, { dateStyle: "short" }) === part(local, { dateStyle: "short" })
        ? ""
        : `${part(zone, { weekday: "short" })} `;
    return { here, there: `${day}${part(zone, { hour: "2-digit", minute: "2-digit" })} in ${zone}` };
  } catch {
    return { here, there };
  }
}
