// Plays a job's preview: an HLS playlist of fragmented MP4 that grows while the job runs, as the library writes it. Browsers either do not
// play such lists or give up while they grow, so it is fed to a video by Media Source Extensions, in order, at its place in time.
//
// Promises: holds about a minute of media; follows the list as it grows; begins again when a newer attempt shows another one; waits for a
// server that does not answer. What cannot be played is told in words, once, and ends the player; nothing is thrown.
import { type Init, readInit, readStart } from "./mp4";
import { type Entry, isGrown, NOTHING, type Playlist, readPlaylist } from "./playlist";

/** Seconds of media that are kept before and behind the place that is shown. */
const KEPT = 40;
/** How often the list is looked at, and how often what is there is looked at, in milliseconds. */
const [LOOK, STEP] = [2000, 250];
const CANNOT = "This browser cannot play a preview of these sources.";

/** What a person may be told. */
class Told extends Error {}
/** Nobody answered: it may be better the next time. */
class Unanswered extends Error {}

/** Whether a preview can be played by this at all. */
export const canPreview = (): boolean => typeof MediaSource === "function";

/** Feeds a preview to a video element until it is stopped. */
export class PreviewPlayer {
  private stopped = false;
  private list: Playlist = NOTHING;
  /** The entry that is appended next. */
  private next = 0;
  /** The init section that the buffer is set to. */
  private map: string | null = null;
  private buffer: SourceBuffer | null = null;
  private source = new MediaSource();
  /** When the list was last looked at. */
  private looked = Number.NEGATIVE_INFINITY;
  private inits = new Map<string, Init & { bytes: ArrayBuffer }>();
  /** By how much the timestamps of each group are moved to come to their place. */
  private shifts = new Map<number, number>();
  private address = "";
  private readonly onSeeking = () => this.sought();

  /** `tell` is called with words for a person when it cannot go on. */
  constructor(
    private readonly video: HTMLVideoElement,
    private readonly playlist: string,
    private readonly tell: (words: string) => void,
  ) {
    video.addEventListener("seeking", this.onSeeking);
    this.begin();
    void this.run();
  }

  stop(): void {
    this.stopped = true;
    this.video.removeEventListener("seeking", this.onSeeking);
  }

  private begin(): void {
    this.list = NOTHING;
    this.next = 0;
    this.map = null;
    this.buffer = null;
    this.looked = Number.NEGATIVE_INFINITY;
    this.inits = new Map();
    this.shifts = new Map();
    this.source = new MediaSource();
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(this.source);
    this.video.src = this.address;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        if (!this.list.done && performance.now() - this.looked > LOOK) await this.look();
        this.skip();
        if (this.source.readyState !== "closed" && (await this.feed())) continue;
      } catch (error) {
        if (error instanceof Unanswered) {
          await sleep(LOOK);
          continue;
        }
        // Whoever has left needs no words any more.
        if (!this.stopped) this.tell(error instanceof Told ? error.message : CANNOT);
        this.stop();
      }
      await sleep(STEP);
    }
    if (this.address) URL.revokeObjectURL(this.address);
  }

  /** Reads the list again. A redirect says that the montage is there: what was shown so far can still be watched. */
  private async look(): Promise<void> {
    this.looked = performance.now();
    const response = await fetch(this.playlist, { redirect: "manual" }).catch(() => null);
    if (!response?.ok) return;
    const list = readPlaylist(await response.text(), response.url);
    if (!isGrown(this.list, list)) this.begin();
    this.list = list;
  }

  /** Appends the next entry if there is room for it; whether it did. */
  private async feed(): Promise<boolean> {
    const { video, source, list } = this;
    const entry = list.entries[this.next];
    if (!entry) {
      if (list.done && this.buffer && source.readyState === "open") source.endOfStream();
      return false;
    }
    if (entry.position > video.currentTime + KEPT) return false;
    const now = this.next;
    this.next += 1;
    try {
      await this.append(entry);
    } catch (error) {
      // Unless somebody chose another place meanwhile.
      if (error instanceof Unanswered && this.next === now + 1) this.next = now;
      throw error;
    }
    // What is appended lengthens it by itself, and it must not be set to less than that.
    if (source.readyState === "open" && list.seconds > source.duration) source.duration = list.seconds;
    const old = video.currentTime - KEPT;
    const buffer = this.buffer;
    if (buffer && old > KEPT && buffer.buffered.length > 0 && buffer.buffered.start(0) < old - KEPT) {
      await change(buffer, () => buffer.remove(0, old));
    }
    return true;
  }

  private async append(entry: Entry): Promise<void> {
    const source = this.source;
    const init = await this.init(entry.map);
    if (!init.video || !MediaSource.isTypeSupported(init.type)) throw new Told(CANNOT);
    const bytes = await load(entry.url, entry.range);
    // Begun again meanwhile, or nobody looks any more.
    if (source !== this.source || this.stopped) return;
    this.buffer ??= source.addSourceBuffer(init.type);
    const buffer = this.buffer;
    if (this.map !== entry.map) {
      buffer.changeType(init.type);
      await change(buffer, () => buffer.appendBuffer(init.bytes));
      if (this.map === null) source.duration = this.list.seconds;
      this.map = entry.map;
    }
    let shift = this.shifts.get(entry.group);
    if (shift === undefined) {
      shift = entry.position - readStart(bytes, init.video);
      this.shifts.set(entry.group, shift);
    }
    buffer.timestampOffset = shift;
    await change(buffer, () => buffer.appendBuffer(bytes));
  }

  private async init(map: string | null): Promise<Init & { bytes: ArrayBuffer }> {
    if (map === null) throw new Told(CANNOT);
    const kept = this.inits.get(map);
    if (kept) return kept;
    const bytes = await load(map, null);
    const init = { bytes, ...readInit(bytes) };
    this.inits.set(map, init);
    return init;
  }

  /** Goes on from a place that somebody chose, unless it is there. */
  private sought(): void {
    const now = this.video.currentTime;
    if (ranges(this.video.buffered).some(([start, end]) => start <= now && now < end)) return;
    const found = this.list.entries.findIndex((entry) => entry.position + entry.seconds > now);
    if (found >= 0) this.next = found;
  }

  /** Steps over a gap of less than a second where it waits: clips that are cut to keyframes do not join to the sample. */
  private skip(): void {
    const { video } = this;
    const now = video.currentTime;
    if (video.paused || video.seeking || video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) return;
    const after = ranges(video.buffered).find(([start]) => start > now && start - now < 1);
    if (after) video.currentTime = after[0] + 0.01;
  }
}

function ranges(buffered: TimeRanges): [start: number, end: number][] {
  return Array.from({ length: buffered.length }, (_, index) => [buffered.start(index), buffered.end(index)]);
}

async function load(url: string, range: Entry["range"]): Promise<ArrayBuffer> {
  const headers: Record<string, string> = range ? { Range: `bytes=${range[1]}-${range[1] + range[0] - 1}` } : {};
  const response = await fetch(url, { headers }).catch(() => null);
  if (!response || response.status >= 500) throw new Unanswered();
  if (!response.ok) throw new Told("The preview is over.");
  return response.arrayBuffer().catch(() => {
    throw new Unanswered();
  });
}

const sleep = (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds));

/** Changes a buffer and waits until that is done. */
function change(buffer: SourceBuffer, work: () => void): Promise<void> {
  return new Promise((done, failed) => {
    const end = (event: Event) => {
      buffer.removeEventListener("updateend", end);
      buffer.removeEventListener("error", end);
      if (event.type === "error") failed(new Told(CANNOT));
      else done();
    };
    buffer.addEventListener("updateend", end);
    buffer.addEventListener("error", end);
    work();
  });
}
