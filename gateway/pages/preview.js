// Plays a job's preview: an HLS playlist of fragmented MP4 that grows while the job runs, as the library writes it. Browsers either do not
// play such lists or give up while they grow, so it is fed to a video by Media Source Extensions, in order, at its place in time.
// Promises: holds about a minute of media; follows the list as it grows; begins again when a newer attempt shows another one. What cannot
// be played is told in words, once, and ends the player; nothing is thrown.
"use strict";

/** Seconds of media that are kept before and behind the place that is shown. */
const PREVIEW_SECONDS = 40;
/** How often the list is looked at, and how often what is there is looked at. */
const PREVIEW_LOOK_MS = 2000;
const PREVIEW_STEP_MS = 250;

/** The entries of a playlist, each with its place on the preview, and whether they are all. */
function readPlaylist(text, base) {
  const entries = [];
  let [map, range, seconds, position, group, done] = [null, null, 0, 0, 0, false];
  const address = (path) => new URL(path, base).href;
  for (const line of text.split(/\r?\n/)) {
    const [, tag, value = ""] = line.match(/^#(EXT[A-Z-]*)(?::(.*))?$/) || [];
    if (tag === "EXT-X-MAP") map = address((value.match(/URI="([^"]*)"/) || ["", ""])[1]);
    else if (tag === "EXT-X-DISCONTINUITY") group += 1;
    else if (tag === "EXTINF") seconds = Number.parseFloat(value) || 0;
    else if (tag === "EXT-X-BYTERANGE") range = value.split("@").map(Number);
    else if (tag === "EXT-X-ENDLIST") done = true;
    else if (line !== "" && !line.startsWith("#")) {
      entries.push({ url: address(line), map, range, seconds, position, group });
      position += seconds;
      range = null;
    }
  }
  return { entries, seconds: position, done };
}

/** The MP4 boxes between two places, whose types are asked for. Damaged ones end the list. */
function boxes(view, wanted, start = 0, end = view.byteLength) {
  const found = [];
  while (start + 8 <= end) {
    const size = view.getUint32(start) || end - start;
    // Boxes of 4 GiB and more (size 1) hold media, which is not looked into.
    if (size < 8 || start + size > end) break;
    const type = String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + start + 4, 4));
    if (!wanted || type === wanted) found.push({ type, start: start + 8, end: start + size });
    start += size;
  }
  return found;
}

/** The boxes that a path such as `moov/trak` leads to. */
function inside(view, path, outer) {
  return path.split("/").reduce((places, type) => places.flatMap((box) => boxes(view, type, box.start, box.end)), [outer || { start: 0, end: view.byteLength }]);
}

const hex = (number) => number.toString(16).padStart(2, "0");

/** The name of a track's codec, as RFC 6381 writes it. */
function codecName(view, entry) {
  const part = (type, skip) => boxes(view, type, entry.start + skip, entry.end)[0];
  const byte = (box, index) => view.getUint8(box.start + index);
  if (/^avc[13]$/.test(entry.type)) {
    const box = part("avcC", 78);
    return box && `${entry.type}.${[1, 2, 3].map((index) => hex(byte(box, index))).join("")}`;
  }
  if (/^(hvc1|hev1)$/.test(entry.type)) {
    const box = part("hvcC", 78);
    if (!box) return null;
    let flags = view.getUint32(box.start + 2);
    let compatible = 0;
    for (let bit = 0; bit < 32; bit += 1, flags >>>= 1) compatible = ((compatible << 1) | (flags & 1)) >>> 0;
    const constraints = [6, 7, 8, 9, 10, 11].map((index) => byte(box, index));
    while (constraints.at(-1) === 0) constraints.pop();
    const profile = `${["", "A", "B", "C"][byte(box, 1) >> 6]}${byte(box, 1) & 31}`;
    return [entry.type, profile, compatible.toString(16), `${byte(box, 1) & 32 ? "H" : "L"}${byte(box, 12)}`, ...constraints.map((value) => value.toString(16))].join(".");
  }
  if (entry.type === "mp4a") {
    const box = part("esds", 28);
    if (!box) return null;
    // Descriptors 3, 4 and 5 within each other; their lengths take one to four bytes.
    const body = (at) => {
      while (view.getUint8(at += 1) & 128);
      return at + 1;
    };
    const config = body(box.start + 4) + 3;
    const kind = view.getUint8(body(config));
    return kind === 0x40 ? `mp4a.40.${view.getUint8(body(body(config) + 13)) >> 3}` : `mp4a.${hex(kind)}`;
  }
  return { Opus: "opus", fLaC: "flac", "ac-3": "ac-3", "ec-3": "ec-3" }[entry.type] || null;
}

/** What an init section says: the media type, and the number and clock of the video track. */
function readInit(bytes) {
  const view = new DataView(bytes);
  const codecs = [];
  let video = null;
  for (const track of inside(view, "moov/trak")) {
    const [[handler], [header], [clock], [table]] = ["mdia/hdlr", "tkhd", "mdia/mdhd", "mdia/minf/stbl/stsd"].map((path) => inside(view, path, track));
    const [entry] = boxes(view, null, table.start + 8, table.end);
    codecs.push(codecName(view, entry));
    const late = (box) => box.start + (view.getUint8(box.start) === 1 ? 20 : 12);
    if (view.getUint32(handler.start + 8) === 0x76696465) video = { track: view.getUint32(late(header)), clock: view.getUint32(late(clock)) };
  }
  return { type: `video/mp4; codecs="${codecs.join(",")}"`, video };
}

/** When the first picture of a fragment is shown, in seconds of its own clock. */
function readStart(bytes, video) {
  const view = new DataView(bytes);
  for (const fragment of inside(view, "moof/traf")) {
    const [[header], [time], [run]] = ["tfhd", "tfdt", "trun"].map((type) => boxes(view, type, fragment.start, fragment.end));
    if (view.getUint32(header.start + 4) !== video.track) continue;
    const base = view.getUint8(time.start) === 1 ? Number(view.getBigUint64(time.start + 4)) : view.getUint32(time.start + 4);
    const flags = view.getUint32(run.start) & 0xffffff;
    const before = [0x1, 0x4, 0x100, 0x200, 0x400].filter((flag) => flags & flag).length;
    const shift = flags & 0x800 ? view.getInt32(run.start + 8 + 4 * before) : 0;
    return (base + shift) / video.clock;
  }
  throw new Error("a fragment without a picture");
}

/** Feeds a preview to a video element. `tell` is called with words for a person when it cannot go on. */
class PreviewPlayer {
  constructor(video, address, tell) {
    Object.assign(this, { video, address, tell, stopped: false });
    video.addEventListener("seeking", () => this.sought());
    this.begin();
    this.run();
  }

  stop() {
    this.stopped = true;
  }

  begin() {
    Object.assign(this, { list: { entries: [], seconds: 0, done: false }, next: 0, map: null, buffer: null, looked: -Infinity, inits: new Map(), shifts: new Map() });
    this.source = new MediaSource();
    if (this.video.src) URL.revokeObjectURL(this.video.src);
    this.video.src = URL.createObjectURL(this.source);
  }

  async run() {
    while (!this.stopped) {
      try {
        if (!this.list.done && performance.now() - this.looked > PREVIEW_LOOK_MS) await this.look();
        this.skip();
        if (this.source.readyState !== "closed" && await this.feed()) continue;
      } catch (error) {
        this.stop();
        this.tell(error.message);
      }
      await new Promise((wake) => setTimeout(wake, PREVIEW_STEP_MS));
    }
  }

  /** Reads the list again. A redirect says that the montage is there: what was shown so far can still be watched. */
  async look() {
    this.looked = performance.now();
    const response = await fetch(this.address, { redirect: "manual" }).catch(() => null);
    if (!response?.ok) return;
    const list = readPlaylist(await response.text(), response.url);
    // Under one attempt a list only grows.
    if (this.list.entries.some((entry, index) => list.entries[index]?.url !== entry.url)) this.begin();
    this.list = list;
  }

  /** Appends the next entry if there is room for it; whether it did. */
  async feed() {
    const { video, source, list } = this;
    if (this.next >= list.entries.length) {
      if (list.done && this.buffer && source.readyState === "open") source.endOfStream();
      return false;
    }
    const entry = list.entries[this.next];
    if (entry.position > video.currentTime + PREVIEW_SECONDS) return false;
    this.next += 1;
    await this.append(entry);
    // What is appended lengthens it by itself, and it must not be set to less than that.
    if (source.readyState === "open" && list.seconds > source.duration) source.duration = list.seconds;
    const old = video.currentTime - PREVIEW_SECONDS;
    if (old > PREVIEW_SECONDS && this.buffer.buffered.length && this.buffer.buffered.start(0) < old - PREVIEW_SECONDS) await this.change(() => this.buffer.remove(0, old));
    return true;
  }

  async append(entry) {
    const source = this.source;
    if (!this.inits.has(entry.map)) {
      const bytes = await this.bytes(entry.map);
      this.inits.set(entry.map, { bytes, ...readInit(bytes) });
    }
    const init = this.inits.get(entry.map);
    if (!init.video || !MediaSource.isTypeSupported(init.type)) throw new Error("This browser cannot play a preview of these sources.");
    const bytes = await this.bytes(entry.url, entry.range);
    // Begun again meanwhile.
    if (source !== this.source) return;
    if (!this.buffer) this.buffer = source.addSourceBuffer(init.type);
    if (this.map !== entry.map) {
      this.buffer.changeType(init.type);
      await this.change(() => this.buffer.appendBuffer(init.bytes));
      if (this.map === null) source.duration = this.list.seconds;
      this.map = entry.map;
    }
    if (!this.shifts.has(entry.group)) this.shifts.set(entry.group, entry.position - readStart(bytes, init.video));
    this.buffer.timestampOffset = this.shifts.get(entry.group);
    await this.change(() => this.buffer.appendBuffer(bytes));
  }

  async bytes(url, range) {
    const headers = range ? { Range: `bytes=${range[1]}-${range[1] + range[0] - 1}` } : {};
    const response = await fetch(url, { headers });
    if (!response.ok) throw new Error("The preview is over.");
    return response.arrayBuffer();
  }

  /** Changes the buffer and waits until that is done. */
  change(work) {
    const buffer = this.buffer;
    return new Promise((done, failed) => {
      const end = (event) => {
        buffer.removeEventListener("updateend", end);
        buffer.removeEventListener("error", end);
        if (event.type === "error") failed(new Error("This browser cannot play a preview of these sources."));
        else done();
      };
      buffer.addEventListener("updateend", end);
      buffer.addEventListener("error", end);
      work();
    });
  }

  /** Goes on from a place that somebody chose, unless it is there. */
  sought() {
    const { video, list } = this;
    const [now, ranges] = [video.currentTime, video.buffered];
    for (let index = 0; index < ranges.length; index += 1) if (ranges.start(index) <= now && now < ranges.end(index)) return;
    const found = list.entries.findIndex((entry) => entry.position + entry.seconds > now);
    if (found >= 0) this.next = found;
  }

  /** Steps over a gap of less than a second where it waits: clips that are cut to keyframes do not join to the sample. */
  skip() {
    const { video } = this;
    const [now, ranges] = [video.currentTime, video.buffered];
    if (video.paused || video.seeking || video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) return;
    for (let index = 0; index < ranges.length; index += 1) {
      const start = ranges.start(index);
      if (start > now && start - now < 1) video.currentTime = start + 0.01;
    }
  }
}

/** Whether a preview can be played here at all. */
const canPreview = typeof MediaSource === "function";
