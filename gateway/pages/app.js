// The library page: lists and plays montages, shows jobs and what can be played of them already (`preview.js`). No framework, nothing from elsewhere.
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
  const copies = el("p", { class: "soft small", hidden: true });
  main.replaceChildren(
    el("a", { class: "back", href: "#/" }, "← Library"),
    el("div", { class: "watch" },
      el("div", {}, video, el("h1", {}, montage.title), el("p", { class: "soft small" }, facts), copies, el("ul", { class: "links small" }, ...links)),
      side));
  const record = await call(montage.links.provenance);
  // Montages of before frames were copied say nothing of it.
  if (record.frames_copied === undefined) return;
  copies.textContent = `${shareText(record.frames_copied, montage.media.frames)}.`;
  copies.hidden = false;
}

/** The share of frames that are bit-for-bit copies, in words. As `share_text` of the contracts says it: never rounded up. */
function shareText(copied, frames) {
  let share = "";
  if (copied === frames && frames > 0) share = " (100 %)";
  else if (copied < frames) {
    const thousandths = (BigInt(copied) * 1000n) / BigInt(frames);
    share = ` (${thousandths / 10n}.${thousandths % 10n} %)`;
  }
  return `${copied} of ${frames} frames are bit-for-bit copies${share}`;
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

/** Where a job stands, in words. */
function stateOf(job) {
  const progress = job.progress;
  let state = job.state === "running" ? "starting" : job.state;
  if (progress && job.state === "running") {
    const left = progress.seconds_left ? `, ${clock(progress.seconds_left)} left` : "";
    state = `${STAGES[progress.stage] || progress.stage}, ${Math.round(progress.fraction * 100)} %${left}`;
  }
  return state;
}

/** How far a job is. Without a value, which moves to and fro, while it runs and that is not known. */
function showProgress(bar, job) {
  if (job.progress && job.state === "running") bar.value = job.progress.fraction;
  else if (job.state === "running") bar.removeAttribute("value");
  else bar.value = job.state === "succeeded" ? 1 : 0;
}

function jobRow(job) {
  const bar = el("progress", { max: 1, "aria-label": `Progress of ${job.title}` });
  showProgress(bar, job);
  return el("div", { class: "job" }, el("a", { class: "title", href: `#/job/${job.id}` }, job.title), el("span", { class: "soft small" }, stateOf(job)), bar);
}

/** A job while it runs, with what can be played of it, and its montage when that is there. */
async function showJob(id) {
  const mine = ++view;
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const [title, state, why] = [el("h1"), el("p", { class: "soft", role: "status" }), el("p", { class: "note", hidden: true })];
  const bar = el("progress", { max: 1 });
  const place = el("div", { class: "preview" });
  let player = null;

  const showPreview = async () => {
    const address = `${path}/preview.m3u8`;
    const found = await fetch(address, { method: "HEAD", redirect: "manual" }).catch(() => null);
    if (!found?.ok || mine !== view) return;
    const video = el("video", { controls: true, playsInline: true });
    const words = el("p", { class: "soft small" }, "It is cut to keyframes; the montage itself is cut to the frame.");
    const tell = (text) => { words.textContent = text; };
    place.replaceChildren(el("h2", {}, "Preview"), video, words);
    if (canPreview) player = new PreviewPlayer(video, address, tell);
    else {
      video.src = address;
      video.addEventListener("error", () => tell("This browser cannot play a preview."));
      player = { stop() {} };
    }
  };
  const showResult = async (result) => {
    const montage = await call(result.href);
    if (mine !== view) return;
    const old = place.querySelector("video");
    const video = el("video", { controls: true, preload: "metadata", playsInline: true, poster: montage.links.poster, src: montage.links.media });
    // Whoever watches the preview goes on at about the same place.
    if (old && !old.paused) {
      video.currentTime = Math.min(old.currentTime, montage.duration);
      video.play().catch(() => {});
    }
    player?.stop();
    place.replaceChildren(el("h2", {}, "Montage"), video, el("a", { href: `#/m/${montage.id}` }, "Open it in the library"));
  };
  const look = async () => {
    const job = await call(path);
    if (mine !== view) return false;
    document.title = `${job.title} · Stream Montages`;
    title.textContent = job.title;
    state.textContent = stateOf(job);
    bar.setAttribute("aria-label", `Progress of ${job.title}`);
    showProgress(bar, job);
    why.textContent = job.failure?.message || "";
    why.hidden = !job.failure || job.state === "succeeded";
    if (job.state === "succeeded" && job.result) {
      await showResult(job.result);
      return false;
    }
    const ended = ["failed", "dead", "cancelled"].includes(job.state);
    if (!player && !ended && ["rendering", "verifying", "transcribing", "publishing"].includes(job.progress?.stage)) await showPreview();
    return !ended;
  };
  let goOn = await look();
  if (mine !== view) return;
  main.replaceChildren(el("a", { class: "back", href: "#/" }, "← Library"), title, state, bar, why, place);
  // Runs until something else is shown, since the player has to be stopped then. One look at a time.
  const timer = setInterval(() => {
    if (mine !== view) {
      player?.stop();
      clearInterval(timer);
    } else if (goOn && !document.hidden) {
      goOn = false;
      guarded(() => look().then((more) => { goOn = more; }, (error) => {
        goOn = true;
        throw error;
      }));
    }
  }, POLL_MS);
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
  const focused = jobsBox.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  jobsBox.replaceChildren(...rows);
  if (focused) jobsBox.querySelector(`a[href="${focused}"]`)?.focus();
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
  const [, kind, rest] = location.hash.match(/^#\/(m|job|search)\/(.*)$/) || [];
  try {
    if (kind === "m") await showMontage(decodeURIComponent(rest));
    else if (kind === "job") await showJob(decodeURIComponent(rest));
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
