// Numbers as people read them. All of it is pure: `now` comes in where it matters.

/** Seconds as `M:SS` or `H:MM:SS`; with `precise`, to the millisecond. */
export function clock(seconds: number, precise = false): string {
  const total = precise ? Math.round(Math.max(0, seconds) * 1000) : Math.floor(Math.max(0, seconds) + 1e-6) * 1000;
  const whole = Math.floor(total / 1000);
  const pad = (value: number, length = 2) => String(value).padStart(length, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const text = h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
  return precise ? `${text}.${pad(total % 1000, 3)}` : text;
}

/** A length in words for screen readers: `1 minute 5 seconds`. */
export function spokenLength(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const said = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`);
  return said.length > 0 ? said.join(" ") : "0 seconds";
}

/** A rough length: `40 s`, `3 min`, `1 h 5 min`. */
export function roughly(seconds: number): string {
  if (seconds < 1) return "under 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** How far a moment is from `now`: `3 days ago`, `in 2 hours`, `just now`. */
export function age(moment: string, now: number = Date.now()): string {
  const seconds = (new Date(moment).getTime() - now) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return seconds > 5 ? "in a moment" : "just now";
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A moment in the reader's own zone. */
export function moment(text: string): string {
  return moments.format(new Date(text));
}

/** Bytes in decimal units: `1.2 MB`. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [count, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1 clip`, `2 clips`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** A share in percent, as the server's `share_text` says it: cut off after one decimal, so that 100 only ever means all. */
export function share(part: number, whole: number): string {
  if (whole <= 0 || part < 0 || part > whole) return "";
  const thousandths = Math.floor((part * 1000) / whole);
  return part === whole ? "100 %" : `${Math.floor(thousandths / 10)}.${thousandths % 10} %`;
}

/** The share of frames that are bit-for-bit copies, in words. */
export function shareOfCopies(copied: number, frames: number): string {
  const percent = share(copied, frames);
  const said = `${copied.toLocaleString("en")} of ${frames.toLocaleString("en")} frames are bit-for-bit copies`;
  return percent ? `${said} (${percent})` : said;
}
