// As much of MP4 as a player of fragments has to know: which codecs an init section names, and when a fragment begins.

interface Box {
  type: string;
  /** Its content, as offsets into the file. */
  start: number;
  end: number;
}

/** An init section. */
export interface Init {
  /** Its media type with codecs, as `MediaSource` takes it. */
  type: string;
  /** Number and clock (ticks in a second) of the video track. */
  video: { track: number; clock: number } | null;
}

/** The boxes between two places, of one type if it is asked for. Damaged ones end the list. */
export function boxes(view: DataView, wanted: string | null, start = 0, end = view.byteLength): Box[] {
  const found: Box[] = [];
  let at = start;
  while (at + 8 <= end) {
    const size = view.getUint32(at) || end - at;
    // Boxes of 4 GiB and more (size 1) hold media, which is not looked into.
    if (size < 8 || at + size > end) break;
    const type = String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at + 4, 4));
    if (wanted === null || type === wanted) found.push({ type, start: at + 8, end: at + size });
    at += size;
  }
  return found;
}

/** The boxes that a path such as `moov/trak` leads to. */
function inside(view: DataView, path: string, outer?: Box): Box[] {
  const whole: Box = outer ?? { type: "", start: 0, end: view.byteLength };
  return path
    .split("/")
    .reduce((places, type) => places.flatMap((box) => boxes(view, type, box.start, box.end)), [whole]);
}

/** The first of the boxes that a path leads to. */
function first(view: DataView, path: string, outer: Box): Box {
  const [box] = inside(view, path, outer);
  if (!box) throw new Error(`no ${path}`);
  return box;
}

const hex = (number: number) => number.toString(16).padStart(2, "0");

/** The name of a track's codec, as RFC 6381 writes it; null for those that it does not know. */
function codecName(view: DataView, entry: Box): string | null {
  const part = (type: string, skip: number) => boxes(view, type, entry.start + skip, entry.end)[0];
  if (/^avc[13]$/.test(entry.type)) {
    const box = part("avcC", 78);
    return box ? `${entry.type}.${[1, 2, 3].map((index) => hex(view.getUint8(box.start + index))).join("")}` : null;
  }
  if (/^(hvc1|hev1)$/.test(entry.type)) {
    const box = part("hvcC", 78);
    return box ? hevcName(view, entry.type, box) : null;
  }
  if (entry.type === "mp4a") {
    const box = part("esds", 28);
    return box ? soundName(view, box) : null;
  }
  return { Opus: "opus", fLaC: "flac", "ac-3": "ac-3", "ec-3": "ec-3" }[entry.type] ?? null;
}

function hevcName(view: DataView, type: string, box: Box): string {
  const byte = (index: number) => view.getUint8(box.start + index);
  // The flags stand in reverse order in the name.
  let flags = view.getUint32(box.start + 2);
  let compatible = 0;
  for (let bit = 0; bit < 32; bit += 1, flags >>>= 1) compatible = ((compatible << 1) | (flags & 1)) >>> 0;
  const constraints = [6, 7, 8, 9, 10, 11].map(byte);
  while (constraints.at(-1) === 0) constraints.pop();
  const profile = `${["", "A", "B", "C"][byte(1) >> 6]}${byte(1) & 31}`;
  const tier = `${byte(1) & 32 ? "H" : "L"}${byte(12)}`;
  return [type, profile, compatible.toString(16), tier, ...constraints.map((value) => value.toString(16))].join(".");
}

function soundName(view: DataView, box: Box): string {
  // Descriptors 3, 4 and 5 within each other; their lengths take one to four bytes.
  const body = (descriptor: number) => {
    let at = descriptor + 1;
    while (view.getUint8(at) & 128) at += 1;
    return at + 1;
  };
  const config = body(box.start + 4) + 3;
  const kind = view.getUint8(body(config));
  return kind === 0x40 ? `mp4a.40.${view.getUint8(body(body(config) + 13)) >> 3}` : `mp4a.${hex(kind)}`;
}

/**
 * What an init section says.
 *
 * @throws where it is damaged.
 */
export function readInit(bytes: ArrayBuffer): Init {
  const view = new DataView(bytes);
  const codecs: (string | null)[] = [];
  let video: Init["video"] = null;
  for (const track of inside(view, "moov/trak")) {
    const [handler, header, clock, table] = ["mdia/hdlr", "tkhd", "mdia/mdhd", "mdia/minf/stbl/stsd"].map((path) =>
      first(view, path, track),
    ) as [Box, Box, Box, Box];
    const [entry] = boxes(view, null, table.start + 8, table.end);
    codecs.push(entry ? codecName(view, entry) : null);
    const late = (box: Box) => box.start + (view.getUint8(box.start) === 1 ? 20 : 12);
    // `vide`
    if (view.getUint32(handler.start + 8) === 0x76696465) {
      video = { track: view.getUint32(late(header)), clock: view.getUint32(late(clock)) };
    }
  }
  return { type: `video/mp4; codecs="${codecs.join(",")}"`, video };
}

/**
 * When the first picture of a fragment is shown, in seconds of its own clock.
 *
 * @throws where it has none, or is damaged.
 */
export function readStart(bytes: ArrayBuffer, video: { track: number; clock: number }): number {
  const view = new DataView(bytes);
  for (const fragment of inside(view, "moof/traf")) {
    const [header, time, run] = ["tfhd", "tfdt", "trun"].map((type) => first(view, type, fragment)) as [Box, Box, Box];
    if (view.getUint32(header.start + 4) !== video.track) continue;
    const long = view.getUint8(time.start) === 1;
    const base = long ? Number(view.getBigUint64(time.start + 4)) : view.getUint32(time.start + 4);
    const flags = view.getUint32(run.start) & 0xffffff;
    const before = [0x1, 0x4, 0x100, 0x200, 0x400].filter((flag) => flags & flag).length;
    const shift = flags & 0x800 ? view.getInt32(run.start + 8 + 4 * before) : 0;
    return (base + shift) / video.clock;
  }
  throw new Error("a fragment without a picture");
}
