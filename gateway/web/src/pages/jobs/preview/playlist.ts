// A preview's playlist: HLS with fragmented MP4, as the library writes it and no more.

export interface Entry {
  url: string;
  /** The init section that it needs. */
  map: string | null;
  /** Where it lies in its file, as length and offset in bytes; null where it is all of it. */
  range: [length: number, offset: number] | null;
  seconds: number;
  /** Where it begins on the preview, in seconds. */
  position: number;
  /** Entries of one group have timestamps that go on from each other. */
  group: number;
}

export interface Playlist {
  entries: Entry[];
  /** Length of all of them. */
  seconds: number;
  /** Whether no more will come. */
  done: boolean;
}

export const NOTHING: Playlist = { entries: [], seconds: 0, done: false };

/** The entries of a playlist, each with its place on the preview, and whether they are all. */
export function readPlaylist(text: string, base: string): Playlist {
  const entries: Entry[] = [];
  let map: string | null = null;
  let range: Entry["range"] = null;
  let [seconds, position, group, done] = [0, 0, 0, false];
  const address = (path: string) => new URL(path, base).href;
  for (const line of text.split(/\r?\n/)) {
    const [, tag, value = ""] = line.match(/^#(EXT[A-Z-]*)(?::(.*))?$/) ?? [];
    if (tag === "EXT-X-MAP") map = address(value.match(/URI="([^"]*)"/)?.[1] ?? "");
    else if (tag === "EXT-X-DISCONTINUITY") group += 1;
    else if (tag === "EXTINF") seconds = Number.parseFloat(value) || 0;
    else if (tag === "EXT-X-BYTERANGE") {
      const [length = 0, offset = 0] = value.split("@").map(Number);
      range = [length, offset];
    } else if (tag === "EXT-X-ENDLIST") done = true;
    else if (line !== "" && !line.startsWith("#")) {
      entries.push({ url: address(line), map, range, seconds, position, group });
      position += seconds;
      range = null;
    }
  }
  return { entries, seconds: position, done };
}

/** Whether a list is the same one, grown: under one attempt a list only grows, and a newer attempt shows another one. */
export const isGrown = (before: Playlist, now: Playlist): boolean =>
  before.entries.every((entry, index) => now.entries[index]?.url === entry.url);
