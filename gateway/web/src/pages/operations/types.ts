// What the API says of executors and work; here until its document has it.
import type { components } from "../../api/schema";

type Schemas = components["schemas"];

export interface Held {
  job_id: string;
  kind: string;
  title: string;
  attempt: number;
  started_at: string;
  lease_expires_at: string;
  progress?: Schemas["Progress"];
}

export interface Executor {
  name: string;
  kinds: string[];
  first_seen_at: string;
  seen_at: string;
  alive: boolean;
  holds: Held[];
}

export type Stats = Schemas["Stats"] & {
  waiting_by_kind?: Record<string, number>;
  last_hour?: { succeeded: number; failed: number; dead: number; cancelled: number };
  executors_alive?: number;
};
