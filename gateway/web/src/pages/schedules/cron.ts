// Cron expressions of five fields, from choices that people understand and back. What is not one of these choices is left as it was
// written; what an expression means, and whether it is right, the server says.

/** Sunday is 0. */
export const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] as const;
/** As weeks are shown. */
export const WEEK = [1, 2, 3, 4, 5, 6, 0] as const;
export const DAY_NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

export type Rhythm = "hour" | "day" | "week" | "month" | "own";

/** What was chosen. All of it is kept while somebody tries other rhythms. */
export interface Choice {
  rhythm: Rhythm;
  minute: number;
  hour: number;
  /** Days of the week, from Sunday as 0. */
  days: number[];
  /** Day of the month, from 1. */
  day: number;
  /** The expression as somebody wrote it. */
  own: string;
}

export const FIRST_CHOICE: Choice = { rhythm: "week", minute: 0, hour: 18, days: [0], day: 1, own: "" };

/** The expression of a choice; empty while nothing is chosen. */
export function toCron(choice: Choice): string {
  const { rhythm, minute, hour, days, day, own } = choice;
  switch (rhythm) {
    case "hour":
      return `${minute} * * * *`;
    case "day":
      return `${minute} ${hour} * * *`;
    case "week": {
      const chosen = WEEK.filter((number) => days.includes(number)).map((number) => DAYS[number]);
      return chosen.length > 0 ? `${minute} ${hour} * * ${chosen.join(",")}` : "";
    }
    case "month":
      return `${minute} ${hour} ${day} * *`;
    default:
      return own.trim();
  }
}

/** A plain number within bounds; undefined for everything else that a field may be. */
function number(field: string | undefined, from: number, to: number): number | undefined {
  if (!field || !/^\d{1,2}$/.test(field)) return undefined;
  const value = Number(field);
  return value >= from && value <= to ? value : undefined;
}

function dayNumber(name: string): number | undefined {
  const named = DAYS.indexOf(name.toUpperCase() as (typeof DAYS)[number]);
  if (named >= 0) return named;
  const counted = number(name, 0, 7);
  return counted === undefined ? undefined : counted % 7;
}

/** The days of a list such as `MON-FRI,SUN`; undefined for everything that is no such list. */
function dayList(field: string): number[] | undefined {
  const days = new Set<number>();
  for (const part of field.split(",")) {
    const [from, to, ...rest] = part.split("-").map(dayNumber);
    if (from === undefined || rest.length > 0 || (part.includes("-") && to === undefined)) return undefined;
    const last = to ?? from;
    // `FRI-MON` and `0-7` are for those who write expressions themselves.
    if (last < from) return undefined;
    for (let day = from; day <= last; day += 1) days.add(day);
  }
  return [...days];
}

/** The choice that an expression is. */
export function fromCron(text: string): Choice {
  const own: Choice = { ...FIRST_CHOICE, rhythm: "own", own: text };
  const fields = text.trim().split(/\s+/);
  const [minutes, hours, dayOfMonth, month, dayOfWeek] = fields;
  const minute = number(minutes, 0, 59);
  if (fields.length !== 5 || minute === undefined || month !== "*" || dayOfWeek === undefined) return own;
  if (hours === "*") return dayOfMonth === "*" && dayOfWeek === "*" ? { ...own, rhythm: "hour", minute } : own;
  const hour = number(hours, 0, 23);
  if (hour === undefined) return own;
  const at = { ...own, minute, hour };
  if (dayOfMonth === "*" && dayOfWeek === "*") return { ...at, rhythm: "day" };
  if (dayOfMonth === "*") {
    const days = dayList(dayOfWeek);
    return days ? { ...at, rhythm: "week", days } : own;
  }
  const day = number(dayOfMonth, 1, 31);
  return day !== undefined && dayOfWeek === "*" ? { ...at, rhythm: "month", day } : own;
}

/** `18:05`, as fields for times have it. */
export const toTime = (hour: number, minute: number): string =>
  `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;

/** Hour and minute of such a text; undefined while it is not whole. */
export function fromTime(text: string): { hour: number; minute: number } | undefined {
  const [hour, minute] = text.split(":").map((part) => number(part, 0, 59));
  return hour === undefined || minute === undefined || hour > 23 ? undefined : { hour, minute };
}
