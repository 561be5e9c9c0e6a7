// What the list is narrowed to, as it stands in the address and as the API is asked for it.

export interface Filters {
  q: string;
  kind: string;
  label: string;
  streamer: string;
  /** First day, `YYYY-MM-DD`, in the reader's own zone. */
  since: string;
  /** Last day, `YYYY-MM-DD`; it counts whole. */
  until: string;
}

const NAMES = ["q", "kind", "label", "streamer", "since", "until"] as const;

/** The changes of the address that take every filter away. */
export const NO_FILTERS: Record<keyof Filters, null> = {
  q: null,
  kind: null,
  label: null,
  streamer: null,
  since: null,
  until: null,
};

export function filtersOf(state: URLSearchParams): Filters {
  const read = (name: (typeof NAMES)[number]) => state.get(name)?.trim() ?? "";
  const day = (name: "since" | "until") => (dayStart(read(name)) ? read(name) : "");
  return {
    q: read("q"),
    kind: read("kind"),
    label: read("label"),
    streamer: read("streamer"),
    since: day("since"),
    until: day("until"),
  };
}

export const isFiltered = (filters: Filters): boolean => NAMES.some((name) => filters[name] !== "");

/** The first moment of a day, `days` later; null for what is no day. */
export function dayStart(day: string, days = 0): Date | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (!parts) return null;
  const [year, month, date] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const start = new Date(year, month - 1, date);
  if (start.getMonth() !== month - 1 || start.getDate() !== date) return null;
  start.setDate(date + days);
  return start;
}

/** A day `back` days before `now`, as the address writes it. */
export function dayBefore(now: Date, back: number): string {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - back);
  const pad = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`;
}

export interface ListQuery {
  q?: string;
  kind?: string;
  label?: string;
  streamer?: string;
  since?: string;
  until?: string;
}

/** What the API is asked for. */
export function queryOf(filters: Filters): ListQuery {
  const query: ListQuery = {};
  for (const name of ["q", "kind", "label", "streamer"] as const) if (filters[name]) query[name] = filters[name];
  const [since, until] = [dayStart(filters.since), dayStart(filters.until, 1)];
  if (since) query.since = since.toISOString();
  if (until) query.until = until.toISOString();
  return query;
}
