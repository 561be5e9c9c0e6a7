// A schedule as fields, and what is sent of them: all that was chosen for a new one, only what is another now for one that is changed.
import type { components } from "../../api/schema";
import type { Schedule } from "../../api/types";
import type { Json } from "../../lib/json";
import { type Choice, FIRST_CHOICE, fromCron, toCron } from "./cron";
import { type MontageForm, toMontage, toMontageForm } from "./montage-form";
import { needsWindow, type SourceForm, toSource, toSourceForm } from "./source-form";
import { type TemplateForm, toForm, toTemplate } from "./template";
import { toWindow, toWindowForm, type WindowForm } from "./window-form";
import { localZone } from "./words";

type Schemas = components["schemas"];
export type NewSchedule = Schemas["NewSchedule"];
export type SchedulePatch = Schemas["SchedulePatch"];
export type TrialRequest = Schemas["TrialRequest"];

/** What is done about runs that are late, missed, or begin before the one before is done. */
export interface Policies {
  /** In seconds, as a text. */
  jitter: string;
  catch_up: Schemas["CatchUp"];
  overlap: Schemas["Overlap"];
}

export interface Form {
  name: string;
  choice: Choice;
  zone: string;
  source: SourceForm;
  window: WindowForm;
  montages: MontageForm[];
  policies: Policies;
  template: TemplateForm;
}

/** The fields of a schedule; of a new one if there is none. */
export function formOf(schedule?: Schedule): Form {
  return {
    name: schedule?.name ?? "",
    choice: schedule ? fromCron(schedule.cron) : FIRST_CHOICE,
    zone: schedule?.time_zone ?? localZone(),
    source: toSourceForm((schedule?.source ?? {}) as Json),
    window: toWindowForm((schedule?.window ?? null) as Json | null),
    montages: (schedule?.montages ?? []).map((montage, key) => toMontageForm(montage as Json, key)),
    policies: {
      jitter: String(schedule?.jitter_seconds ?? 0),
      catch_up: schedule?.catch_up ?? "once",
      overlap: schedule?.overlap ?? "allow",
    },
    template: toForm(schedule?.template ?? {}),
  };
}

/** Everything that a form says. Of the template's JSON ask `restMistake` before. */
function whole(form: Form): Json {
  const { jitter, catch_up, overlap } = form.policies;
  return {
    name: form.name.trim(),
    cron: toCron(form.choice),
    time_zone: form.zone,
    source: toSource(form.source),
    window: toWindow(form.window, needsWindow(form.source)),
    montages: form.montages.map(toMontage),
    jitter: jitter === "0" ? null : `${jitter}s`,
    catch_up,
    overlap,
    template: toTemplate(form.template),
  };
}

/** A new schedule. What is as usual is left out. */
export function toNew(form: Form): NewSchedule {
  const { window, montages, jitter, catch_up, overlap, ...rest } = whole(form);
  return {
    ...rest,
    ...(window !== null && { window }),
    ...(form.montages.length > 0 && { montages }),
    ...(jitter !== null && { jitter }),
    ...(catch_up !== "once" && { catch_up }),
    ...(overlap !== "allow" && { overlap }),
  } as unknown as NewSchedule;
}

/** What of a form can be tried out. */
export function toTrial(form: Form): TrialRequest {
  const { name, time_zone, source, window, montages, template } = whole(form);
  return { name, time_zone, source, window, montages, template } as unknown as TrialRequest;
}

/** What a form changes about a schedule. */
export function toPatch(form: Form, schedule: Schedule): SchedulePatch {
  const before = whole(formOf(schedule));
  return Object.fromEntries(
    Object.entries(whole(form)).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  ) as SchedulePatch;
}
