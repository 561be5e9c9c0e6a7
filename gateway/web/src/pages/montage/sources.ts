// Where a clip comes from, and the way to its very moment there. Pure.
import { timeText } from "../make/time";

/** A source as a montage names it. */
export type Origin =
  | { kind: "web"; name: string; href: string }
  | { kind: "montage"; id: string; href: string }
  | { kind: "upload"; name: string }
  | { kind: "path"; name: string };

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Reads a clip's `source`; the link leads to `start`, and says where the clip ends where that can be said. */
export function originOf(source: string, start: number, duration: number): Origin {
  const [, scheme, rest] = /^(upload|montage):(.*)$/.exec(source) ?? [];
  if (scheme === "upload" && rest && ID.test(rest)) return { kind: "upload", name: rest };
  if (scheme === "montage" && rest && ID.test(rest)) {
    return { kind: "montage", id: rest, href: `/m/${rest}?t=${short(start)}` };
  }
  const url = webAddress(source);
  if (!url) return { kind: "path", name: source };
  return { kind: "web", name: nameOf(url), href: momentOf(url, start, duration) };
}

function webAddress(text: string): URL | null {
  if (!/^https?:\/\//i.test(text)) return null;
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** Seconds to the millisecond, no longer than needed. */
const short = (seconds: number): string => String(Math.round(Math.max(0, seconds) * 1000) / 1000);

/** Links to files take a media fragment; two well-known sites have ways of their own. */
function momentOf(url: URL, start: number, duration: number): string {
  const whole = Math.floor(start);
  const moment = new URL(url);
  const host = url.hostname.replace(/^(www|m)\./, "");
  if (host === "twitch.tv" && /^\/videos\/\d+/.test(url.pathname)) {
    moment.searchParams.set("t", `${Math.floor(whole / 3600)}h${Math.floor(whole / 60) % 60}m${whole % 60}s`);
  } else if (host === "youtu.be" || host === "youtube.com") {
    moment.searchParams.set("t", `${whole}s`);
  } else {
    moment.hash = `t=${short(start)},${short(start + duration)}`;
  }
  return moment.href;
}

/** A short name of a link: its file, and the host. */
function nameOf(url: URL): string {
  const last = url.pathname.split("/").filter(Boolean).at(-1);
  if (!last) return url.host;
  try {
    return `${decodeURIComponent(last)} (${url.host})`;
  } catch {
    return `${last} (${url.host})`;
  }
}

/** The time on a source, as it can be put into a form or another player. */
export const sourceTime = (seconds: number): string => timeText(seconds);
