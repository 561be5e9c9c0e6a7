// Schedules in words. Pure: zones and moments come in.
import type { Schedule, ScheduleRun } from "../../api/types";
import { roughly } from "../../lib/format";
import type { Shown } from "../jobs/words";

const RUNS: Record<ScheduleRun["outcome"], Shown> = {
  running: { word: "Running", icon: "play", look: "run" },
  submitted: { word: "Job posted", icon: "check", look: "good" },
  empty: { word: "No highlights", icon: "more", look: "off" },
  failed: { word: "Failed", icon: "warning", look: "bad" },
};

export const shownRun = (run: ScheduleRun): Shown =>
  RUNS[run.outcome] ?? { word: run.outcome, icon: "more", look: "off" };

export const shownSchedule = (schedule: Pick<Schedule, "paused">): Shown =>
  schedule.paused
    ? { word: "Paused", icon: "pause", look: "off" }
    : { word: "Active", icon: "schedules", look: "good" };

/** Why a run ended as it did. */
export function runReason(run: ScheduleRun): string {
  if (run.reason) return run.reason;
  return run.outcome === "empty" ? "The list of highlights was empty: there was nothing to make." : "";
}

/** How long a run took; nothing while it goes on. */
export function runLength(run: ScheduleRun): string {
  if (!run.ended_at) return "";
  return roughly(Math.max(0, (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000));
}

export const sourceWords = (source: Schedule["source"]): string => ("url" in source ? source.url : source.path);

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
