// The library page: lists and plays montages, shows the jobs that are under way. No framework, nothing from elsewhere.
// Everything that comes from the API is put into the page as text, never as markup.
"use strict";

const main = document.getElementById("main");
const message = document.getElementById("message");
const jobsBox = document.getElementById("jobs");
const query = document.getElementById("query");
const PAGE = 24;
const POLL_MS = 2000;

/** What is known of the session: whether a key is needed, and what is allowed. */
let session = { keys_needed: false, scopes: [] };
/** Grows with each view, so that a late answer for an old one is dropped. */
let view = 0;
/** The ids of the jobs that were under way at the last look. */
let underWay = null;

/** Makes an element: properties by name, `class`, `data…` and `aria-…` as attributes, children as nodes or text. */
function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (key === "class" || key.includes("-")) element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title || "Something went wrong.");
    this.status = problem.status;
  }
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused({ status: 0, detail: "The gateway does not answer." });
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Refused({ ...problem, status: response.status });
}

function show(error) {
  message.textContent = error ? error.message : "";
  message.hidden = !error;
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (number) => String(number).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

function age(moment) {
  const seconds = (new Date(moment).getTime() - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return "just now";
}

/** The words that matched: the API escapes them as HTML and marks them with <b>. Only the marks are taken over. */
function marked(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html").body;
  return [...parsed.childNodes].map((node) => (node.nodeName === "B" ? el("mark", {}, node.textContent) : node.textContent));
}

function card(montage) {
  const facts = [montage.streamers.join(", "), age(montage.created_at)].filter(Boolean).join(" · ");
  const poster = el("img", { src: montage.links.poster, alt: "", loading: "lazy" });
  poster.addEventListener("error", () => poster.remove());
  return el("li", {},
    el("a", { class: "card", href: `#/m/${montage.id}` },
      el("span", { class: "poster" }, poster, el("span", { class: "time" }, clock(montage.duration))),
      el("span", { class: "about" },
        el("span", { class: "title" }, montage.title),
        el("span", { class: "small" }, facts),
        montage.matched ? el("span", { class: "small" }, ...marked(montage.matched)) : null)));
}

async function showList(words) {
  const mine = ++view;
  query.value = words;
  document.title = words ? `${words} · Stream Montages` : "Stream Montages";
  const grid = el("ul", { class: "grid" });
  const more = el("button", { class: "more", type: "button", hidden: true }, "Show more");
  let cursor = null;
  const load = async () => {
    const parameters = new URLSearchParams({ limit: PAGE });
    if (words) parameters.set("q", words);
    if (cursor) parameters.set("cursor", cursor);
    more.disabled = true;
    const page = await call(`/v1/montages?${parameters}`);
    if (mine !== view) return;
    const cards = page.items.map(card);
    grid.append(...cards);
    const first = cursor === null;
    cursor = page.next_cursor;
    more.disabled = false;
    more.hidden = !cursor;
    if (!first) cards[0]?.querySelector("a").focus();
    if (first) {
      const empty = words ? "Nothing in the library matches." : "The library is empty. Post a job to /v1/jobs to make the first montage.";
      main.replaceChildren(
        el("h1", {}, words ? `Results for “${words}”` : "Library"),
        page.items.length ? grid : el("p", { class: "note" }, empty),
        more);
    }
  };
  more.addEventListener("click", () => guarded(load));
  await load();
}

/** A list of moments that seek when they are chosen, and that show which one is playing. */
function moments(video, list, scrolls) {
  const buttons = list.map((moment) => {
    const button = el("button", { class: "line", type: "button" }, el("span", { class: "time" }, clock(moment.start)), el("span", {}, moment.text));
    button.addEventListener("click", () => {
      video.currentTime = moment.start;
      video.play().catch(() => {});
    });
    return button;
  });
  const lines = el("ol", { class: scrolls ? "lines scroll" : "lines" }, ...buttons.map((button) => el("li", {}, button)));
  let current = -1;
  video.addEventListener("timeupdate", () => {
    const now = video.currentTime + 0.05;
    let found = list.findLastIndex((moment) => moment.start <= now);
    if (found >= 0 && list[found].end !== undefined && list[found].end < now) found = -1;
    if (found === current) return;
    buttons[current]?.removeAttribute("aria-current");
    buttons[found]?.setAttribute("aria-current", "true");
    current = found;
    // Only within its own box: the page itself does not move while somebody reads.
    const button = buttons[found];
    if (scrolls && button) lines.scrollTop = button.offsetTop - lines.offsetTop - lines.clientHeight / 3;
  });
  return lines;
}

async function showMontage(id) {
  const mine = ++view;
  const base = `/v1/montages/${encodeURIComponent(id)}`;
  const montage = await call(base);
  if (mine !== view) return;
  document.title = `${montage.title} · Stream Montages`;
  const video = el("video", { controls: true, preload: "metadata", playsInline: true, poster: montage.links.poster, src: montage.links.media });
  const side = el("div", { class: "side" });
  if (montage.clips.length) {
    const chapters = montage.clips.map((clip) => ({ start: clip.start, text: [clip.title, clip.streamer].filter(Boolean).join(" — ") }));
    side.append(el("h2", {}, "Chapters"), moments(video, chapters, chapters.length > 12));
  }
  side.append(el("h2", {}, "Transcript"));
  if (montage.transcript_state === "complete") {
    const language = montage.transcript.language || "en";
    const track = el("track", { kind: "captions", src: montage.links.captions, srclang: language, label: "Captions", default: true });
    const place = el("p", { class: "soft" }, "Loading…");
    track.addEventListener("load", () => {
      const cues = [...track.track.cues].map((cue) => ({ start: cue.startTime, end: cue.endTime, text: cue.getCueAsHTML().textContent }));
      place.replaceWith(cues.length ? moments(video, cues, true) : el("p", { class: "soft" }, "Nothing is said in it."));
    });
    track.addEventListener("error", () => { place.textContent = "The captions could not be loaded."; });
    video.append(track);
    side.append(place);
  } else {
    side.append(el("p", { class: "soft" }, montage.transcript.reason || "None was asked for."));
  }
  const facts = [montage.streamers.join(", "), clock(montage.duration), `${montage.width}×${montage.height}`, age(montage.created_at)].filter(Boolean).join(" · ");
  const files = [["Video", montage.links.media], ["Captions (.srt)", `${base}/captions.srt`], ["Transcript (.txt)", `${base}/captions.txt`]];
  const links = files.map(([name, href]) => el("li", {}, el("a", { href, download: "" }, name)));
  links.push(el("li", {}, el("a", { href: montage.links.provenance }, "How it was made")));
  main.replaceChildren(
    el("a", { class: "back", href: "#/" }, "← Library"),
    el("div", { class: "watch" },
      el("div", {}, video, el("h1", {}, montage.title), el("p", { class: "soft small" }, facts), el("ul", { class: "links small" }, ...links)),
      side));
}

function askForKey() {
  ++view;
  const input = el("input", { id: "key", type: "password", autocomplete: "current-password", required: true });
  const form = el("form", { class: "sign-in" },
    el("h1", {}, "This library needs a key"),
    el("label", { htmlFor: "key" }, "API key"), input,
    el("p", { class: "soft small" }, "An operator makes keys with POST /v1/keys. The key is traded for a cookie and kept nowhere else."),
    el("button", {}, "Open the library"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    guarded(async () => {
      session = await call("/v1/session", { method: "POST", headers: { Authorization: `Bearer ${input.value.trim()}` } });
      input.value = "";
      await begin();
    });
  });
  main.replaceChildren(form);
  input.focus();
}

const STAGES = { fetching: "fetching", planning: "planning", rendering: "rendering", verifying: "checking", transcribing: "transcribing", publishing: "publishing" };

function jobRow(job) {
  const progress = job.progress;
  let state = job.state === "running" ? "starting" : job.state;
  if (progress && job.state === "running") {
    const left = progress.seconds_left ? `, ${clock(progress.seconds_left)} left` : "";
    state = `${STAGES[progress.stage] || progress.stage}, ${Math.round(progress.fraction * 100)} %${left}`;
  }
  const bar = el("progress", { max: 1, "aria-label": `Progress of ${job.title}` });
  if (progress && job.state === "running") bar.value = progress.fraction;
  else if (job.state !== "running") bar.value = 0;
  return el("div", { class: "job" }, el("span", { class: "title" }, job.title), el("span", { class: "soft small" }, state), bar);
}

async function pollJobs() {
  if (document.hidden || !session.scopes.includes("read")) return;
  let page;
  try {
    page = await call("/v1/jobs?state=running,queued,retrying&limit=10");
  } catch (error) {
    jobsBox.hidden = true;
    if (error.status === 401) start();
    return;
  }
  const rows = page.items.map(jobRow);
  if (page.next_cursor) rows.push(el("p", { class: "soft small" }, "and more"));
  jobsBox.replaceChildren(...rows);
  jobsBox.hidden = page.items.length === 0;
  const now = new Set(page.items.map((job) => job.id));
  const finished = underWay && [...underWay].some((id) => !now.has(id));
  underWay = now;
  // A job that is gone from here may have made a montage. Only the first page is looked at again, and only if nobody is
  // using the keyboard within it.
  if (finished && location.hash.replace(/^#\/?$/, "") === "" && !main.contains(document.activeElement)) guarded(() => showList(""));
}

async function guarded(work) {
  try {
    await work();
    show(null);
  } catch (error) {
    if (error.status === 401 && session.keys_needed && session.scopes.length) {
      session.scopes = [];
      askForKey();
    } else show(error);
  }
}

async function route() {
  const [, kind, rest] = location.hash.match(/^#\/(m|search)\/(.*)$/) || [];
  try {
    if (kind === "m") await showMontage(decodeURIComponent(rest));
    else await showList(kind === "search" ? decodeURIComponent(rest) : "");
  } catch (error) {
    // What was shown before is not what the address says any more.
    main.replaceChildren(el("a", { class: "back", href: "#/" }, "← Library"));
    throw error;
  }
}

async function begin() {
  document.getElementById("sign-out").hidden = !session.keys_needed;
  await route();
  await pollJobs();
}

function start() {
  guarded(async () => {
    session = await call("/v1/session").catch((error) => {
      if (error.status === 401) return { keys_needed: true, scopes: [] };
      throw error;
    });
    if (session.keys_needed && session.scopes.length === 0) askForKey();
    else await begin();
  });
}

document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = query.value.trim();
  location.hash = words ? `#/search/${encodeURIComponent(words)}` : "#/";
});
document.getElementById("sign-out").addEventListener("click", () => guarded(async () => {
  await call("/v1/session", { method: "DELETE" });
  location.hash = "#/";
  location.reload();
}));
window.addEventListener("hashchange", () => {
  if (location.hash !== "" && !location.hash.startsWith("#/")) return;
  if (session.keys_needed && session.scopes.length === 0) return;
  guarded(async () => {
    await route();
    window.scrollTo(0, 0);
    main.focus({ preventScroll: true });
  });
});
setInterval(pollJobs, POLL_MS);
start();
