// Short names for what the API document calls its things.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Job = Schemas["Job"];
export type JobPage = Schemas["JobPage"];
export type JobState = Schemas["JobState"];
export type Montage = Schemas["Montage"];
export type MontageSummary = Schemas["MontageSummary"];
export type MontagePage = Schemas["MontagePage"];
export type Clip = Schemas["Clip"];
export type Sprites = Schemas["Sprites"];
export type Provenance = Schemas["Provenance"];
export type SearchHit = Schemas["SearchHit"];
export type PlanView = Schemas["PlanView"];
export type Schedule = Schemas["Schedule"];
export type ScheduleRun = Schemas["ScheduleRun"];
export type ImportedJob = Schemas["ImportedJob"];
export type ImportReport = Schemas["ImportReport"];
export type SessionInfo = Schemas["SessionInfo"];
export type Scope = Schemas["Scope"];
