import { describe, expect, it } from "vitest";
import { boxes, readInit, readStart } from "./mp4";

const u16 = (number: number) => [number >> 8, number & 255];
const u32 = (number: number) => [...u16(number >>> 16), ...u16(number & 0xffff)];
const zeros = (length: number) => new Array<number>(length).fill(0);
const text = (name: string) => [...name].map((letter) => letter.charCodeAt(0));

function box(type: string, ...content: number[][]): number[] {
  const bytes = content.flat();
  return [...u32(bytes.length + 8), ...text(type), ...bytes];
}
const file = (...content: number[][]) => new Uint8Array(content.flat()).buffer;

/** A track; `long` writes its times with 64 bits. */
function track(number: number, clock: number, handler: string, entry: number[], long = false): number[] {
  const late = long ? [1, 0, 0, 0, ...zeros(16)] : zeros(12);
  return box(
    "trak",
    box("tkhd", late, u32(number), zeros(60)),
    box(
      "mdia",
      box("mdhd", late, u32(clock), zeros(8)),
      box("hdlr", zeros(8), text(handler), zeros(13)),
      box("minf", box("stbl", box("stsd", zeros(4), u32(1), entry))),
    ),
  );
}
const avc = box("avc1", zeros(78), box("avcC", [1, 0x64, 0x00, 0x1f, 0xff]));
const aac = box(
  "mp4a",
  zeros(28),
  box("esds", zeros(4), [3, 0x80, 0x80, 0x80, 30, 0, 1, 0, 4, 20, 0x40, ...zeros(12), 5, 2, 0x12, 0x10]),
);

function fragment(number: number, flags: number, base: number[], run: number[]): number[] {
  const version = base.length === 8 ? 1 : 0;
  return box(
    "traf",
    box("tfhd", zeros(4), u32(number)),
    box("tfdt", [version, 0, 0, 0], base),
    box("trun", [1, ...u32(flags).slice(1)], u32(1), run),
  );
}

describe("an init section", () => {
  it("names its codecs and the clock of its picture", () => {
    const init = file(
      box("ftyp", text("iso6")),
      box("moov", track(1, 12800, "vide", avc), track(2, 48000, "soun", aac)),
    );
    expect(readInit(init)).toEqual({
      type: 'video/mp4; codecs="avc1.64001f,mp4a.40.2"',
      video: { track: 1, clock: 12800 },
    });
  });
  it("reads long times, and HEVC with its flags in reverse", () => {
    const hevc = box("hvc1", zeros(78), box("hvcC", [1, 0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0]));
    const init = readInit(file(box("moov", track(3, 90000, "vide", hevc, true))));
    expect(init).toEqual({ type: 'video/mp4; codecs="hvc1.1.6.L93.90"', video: { track: 3, clock: 90000 } });
  });
  it("has no picture where there is only sound, and fails where it is damaged", () => {
    expect(readInit(file(box("moov", track(1, 48000, "soun", aac)))).video).toBeNull();
    expect(() => readInit(file(box("moov", box("trak", box("tkhd", zeros(80))))))).toThrow();
  });
});

describe("a fragment", () => {
  it("begins where its first picture is shown", () => {
    const moof = (...parts: number[][]) => file(box("moof", box("mfhd", zeros(8)), ...parts));
    const video = { track: 1, clock: 1000 };
    // Sound first, then a picture with a data offset, a duration and a shift.
    const both = moof(fragment(2, 0, u32(7), []), fragment(1, 0x901, u32(2000), [...u32(0), ...u32(40), ...u32(80)]));
    expect(readStart(both, video)).toBe(2.08);
    // A time of 64 bits, and a picture that is shown earlier than it is decoded.
    const early = moof(fragment(1, 0x800, [...u32(1), ...u32(0)], u32(-500 >>> 0)));
    expect(readStart(early, video)).toBe((2 ** 32 - 500) / 1000);
    expect(() => readStart(moof(fragment(2, 0, u32(7), [])), video)).toThrow();
  });
});

it("stops at a damaged box", () => {
  const view = new DataView(file(box("free", [1]), u32(4000), text("mdat")));
  expect(boxes(view, null).map((found) => found.type)).toEqual(["free"]);
});
