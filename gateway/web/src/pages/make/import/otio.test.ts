import { describe, expect, it } from "vitest";
import { readOtio } from "./otio";

const time = (value: number, rate = 25) => ({ OTIO_SCHEMA: "RationalTime.1", value, rate });
const range = (start: number, length: number, rate = 25) => ({
  OTIO_SCHEMA: "TimeRange.1",
  start_time: time(start, rate),
  duration: time(length, rate),
});
const media = (url: string, available: unknown = null) => ({
  OTIO_SCHEMA: "ExternalReference.1",
  target_url: url,
  available_range: available,
});
const clip1 = (name: string, source_range: unknown, media_reference: unknown) => ({
  OTIO_SCHEMA: "Clip.1",
  name,
  source_range,
  media_reference,
});
const track = (children: unknown[], kind = "Video") => ({ OTIO_SCHEMA: "Track.1", kind, children });
const timeline = (tracks: unknown[]) => ({
  OTIO_SCHEMA: "Timeline.1",
  name: "Best of",
  tracks: { OTIO_SCHEMA: "Stack.1", children: tracks },
});
const read = (value: unknown) => readOtio(JSON.stringify(value, null, 2));

describe("OpenTimelineIO", () => {
  it("reads clips of both versions, past gaps and transitions", () => {
    const clip2 = {
      OTIO_SCHEMA: "Clip.2",
      name: "Two",
      source_range: range(50, 25),
      media_references: { DEFAULT_MEDIA: media("library:b.mkv"), proxy: media("library:proxy.mkv") },
      active_media_reference_key: "DEFAULT_MEDIA",
    };
    const gap = { OTIO_SCHEMA: "Gap.1", source_range: range(0, 10) };
    const dissolve = { OTIO_SCHEMA: "Transition.1", in_offset: time(5), out_offset: time(5) };
    const got = read(
      timeline([track([clip1("One", range(250, 62), media("https://m.example/a.mp4")), gap, dissolve, clip2])]),
    );
    expect(got.mistakes).toEqual([]);
    expect(got.entries).toMatchObject([
      { start: "10", end: "12.48", title: "One", source: "https://m.example/a.mp4" },
      { start: "2", end: "3", title: "Two", source: "library:b.mkv" },
    ]);
  });
  it("reads what the library adds to its own", () => {
    const clip = {
      ...clip1("One", range(250, 25), media("a.mp4")),
      metadata: { stream_montages: { streamer: "hana", score: 8.4 } },
    };
    expect(read(timeline([track([clip])])).entries).toMatchObject([{ streamer: "hana", score: "8.4" }]);
    expect(read(timeline([track([{ ...clip, metadata: { stream_montages: [1] } }])])).entries).toMatchObject([
      { streamer: "", score: "" },
    ]);
  });
  it("counts from the first moment of the media that is available", () => {
    const available = range(90_000, 5000);
    const got = read(
      timeline([
        track([
          clip1("a", range(90_250, 25), media("a.mp4", available)),
          clip1("b", null, media("b.mp4", available)),
          clip1("c", range(100, 25), media("c.mp4", available)),
        ]),
      ]),
    );
    expect(got.entries).toMatchObject([
      { start: "10", end: "11" },
      { start: "0", end: "200" },
    ]);
    expect(got.mistakes[0]?.text).toContain("before its media");
  });
  it("takes rounded rates for what they mean", () => {
    const got = read(timeline([track([clip1("a", range(30_000, 30_000, 29.97), media("a"))])]));
    expect(got.entries).toMatchObject([{ start: "1001", end: "2002" }]);
  });
  it("says on which line a clip is wrong", () => {
    const value = timeline([
      track([
        clip1("fine", range(0, 25), media("a")),
        clip1("none", range(0, 0), media("a")),
        clip1("lost", null, { OTIO_SCHEMA: "MissingReference.1" }),
        clip1("odd", { start_time: 1 }, media("a")),
      ]),
    ]);
    const source = JSON.stringify(value, null, 2);
    const got = readOtio(source);
    expect(got.entries).toHaveLength(1);
    const lines = source.split("\n");
    const lineOf = (name: string) => lines.findIndex((line) => line.includes(`"name": "${name}"`));
    expect(got.mistakes.map((mistake) => mistake.line)).toEqual([lineOf("none"), lineOf("lost"), lineOf("odd")]);
  });
  it("finds the lines past clips that stand in metadata", () => {
    const inner = clip1("inner", range(0, 1), media("x"));
    const outer = { ...clip1("outer", range(0, 0), media("a")), metadata: { kept: inner } };
    const source = JSON.stringify(
      timeline([track([{ ...clip1("first", range(0, 25), media("a")), metadata: { kept: inner } }, outer])]),
      null,
      1,
    );
    const line = source.split("\n").findIndex((text) => text.includes('"name": "outer"'));
    expect(readOtio(source).mistakes.map((mistake) => mistake.line)).toEqual([line]);
  });
  it("leaves out sound, clips that are off, and names several tracks", () => {
    const on = clip1("on", range(0, 25), media("a"));
    const got = read(
      timeline([track([on, { ...on, name: "off", enabled: false }]), track([on]), track([on], "Audio")]),
    );
    expect(got.entries).toHaveLength(2);
    expect(got.notes.map((note) => note.text).join()).toContain("switched off");
    expect(got.notes.map((note) => note.text).join()).toContain("several tracks");
    expect(read(timeline([track([on], "Audio")])).entries).toHaveLength(1);
  });
  it("walks nested stacks, collections, and tracks on their own", () => {
    const on = clip1("on", range(0, 25), media("file:///media/my%20clip.mp4"));
    const nested = { OTIO_SCHEMA: "Stack.1", name: "inner", source_range: range(0, 5), children: [track([on])] };
    const got = read(timeline([track([nested])]));
    expect(got.entries).toMatchObject([{ source: "/media/my clip.mp4" }]);
    expect(got.notes[0]?.text).toContain("inner");
    expect(read({ OTIO_SCHEMA: "SerializableCollection.1", children: [timeline([track([on])])] }).entries).toHaveLength(
      1,
    );
    expect(read(track([on])).entries).toHaveLength(1);
  });
  it("does not fall over anything", () => {
    for (const text of [
      "",
      "{",
      "[]",
      "1",
      "null",
      '{"a":1}',
      '{"OTIO_SCHEMA":"Timeline.1"}',
      '{"OTIO_SCHEMA":"Track.1","children":[1,null,{}]}',
    ]) {
      const got = readOtio(text);
      expect(got.entries).toEqual([]);
      expect(got.mistakes).toHaveLength(1);
    }
    const deep = `${'{"OTIO_SCHEMA":"Stack.1","children":['.repeat(3000)}${"]}".repeat(3000)}`;
    expect(readOtio(deep).entries).toEqual([]);
  });
  it("says on which line JSON is torn", () => {
    const source = JSON.stringify(timeline([track([])]), null, 2);
    const torn = source.slice(0, source.indexOf('"children"'));
    expect(readOtio(torn).mistakes).toEqual([
      { line: torn.trimEnd().split("\n").length, text: expect.stringContaining("cut off") },
    ]);
  });
});
