import { describe, expect, it } from "vitest";
import type { Job } from "../../../api/types";
import { draftOf } from "./from-job";
import { type Draft, emptyDraft, nameOf, newSource, readRef } from "./model";
import { readDraft } from "./read";
import { type Action, reduce } from "./reduce";
import { planText, postingOf } from "./spec";

const run = (draft: Draft, ...actions: Action[]): Draft => actions.reduce(reduce, draft);
const a = { ...newSource({ url: "https://m.example/a.mp4" }, "a.mp4"), key: "a" };
const b = { ...newSource({ path: "library:b.mkv" }, "b.mkv"), key: "b" };
const clip = (key: string, source = "a", start = "1", end = "2") => ({
  key,
  source,
  start,
  end,
  title: key,
  streamer: "",
  score: "",
  cut: "" as const,
  tolerance: "",
});
const filled = (): Draft =>
  run(
    emptyDraft(),
    { type: "add-source", source: a },
    { type: "add-source", source: b },
    { type: "add-clips", clips: [clip("1"), clip("2", "b"), clip("3")] },
  );
const order = (draft: Draft) => draft.clips.map((one) => one.key).join("");

describe("a draft", () => {
  it("looks at the first source, and does not take the same one twice", () => {
    const draft = run(filled(), { type: "add-source", source: newSource({ path: "library:b.mkv" }, "again") });
    expect(draft.sources).toHaveLength(2);
    expect(draft.form.source).toBe("b");
    expect(filled().form.source).toBe("a");
  });
  it("makes a clip of the marks, and changes one", () => {
    let draft = run(
      filled(),
      { type: "change-source", key: "a", changes: { start: "0:05", end: "0:09" } },
      { type: "form", changes: { title: "New", streamer: "hana", score: "3" } },
      { type: "save-clip", key: "4" },
    );
    expect(draft.clips[3]).toMatchObject({ key: "4", source: "a", start: "0:05", end: "0:09", title: "New" });
    expect(draft.sources[0]).toMatchObject({ start: "", end: "" });
    expect(draft.form).toMatchObject({ title: "", streamer: "hana", score: "", source: "a" });
    draft = run(
      draft,
      { type: "edit-clip", key: "2" },
      { type: "change-source", key: "b", changes: { end: "7" } },
      { type: "form", changes: { title: "Changed" } },
      { type: "save-clip", key: "unused" },
    );
    expect(order(draft)).toBe("1234");
    expect(draft.clips[1]).toMatchObject({ key: "2", source: "b", start: "1", end: "7", title: "Changed" });
    expect(draft.form.editing).toBeNull();
  });
  it("leaves a clip as it is when another source is looked at, and takes it there when that is meant", () => {
    const editing = run(filled(), { type: "edit-clip", key: "1" });
    const looked = run(editing, { type: "look-at", source: "b" });
    expect(looked.form).toMatchObject({ source: "b", editing: null });
    expect(looked.clips).toEqual(editing.clips);
    const moved = run(editing, { type: "cut-from", source: "b" }, { type: "save-clip", key: "unused" });
    expect(moved.clips[0]).toMatchObject({ key: "1", source: "b", start: "1", end: "2" });
    expect(moved.sources.map((source) => source.start)).toEqual(["", ""]);
    expect(run(filled(), { type: "cut-from", source: "b" }).form).toMatchObject({ source: "b", editing: null });
  });
  it("moves clips within bounds", () => {
    const move = (from: number, to: number) => order(run(filled(), { type: "move-clip", from, to }));
    expect([move(0, 2), move(2, 0), move(0, 1), move(1, 1), move(0, -1), move(2, 3), move(9, 0)]).toEqual([
      "231",
      "312",
      "213",
      "123",
      "123",
      "123",
      "123",
    ]);
  });
  it("copies a clip behind itself", () => {
    expect(order(run(filled(), { type: "copy-clip", key: "1", as: "c" }))).toBe("1c23");
  });
  it("takes a source's clips out with it, and puts all back where they were", () => {
    const gone = run(filled(), { type: "remove-source", key: "a" });
    expect([order(gone), gone.form.source]).toEqual(["2", "b"]);
    const back = run(gone, {
      type: "put-back",
      sources: [{ at: 0, item: a }],
      clips: [
        { at: 0, item: clip("1") },
        { at: 2, item: clip("3") },
      ],
    });
    expect([order(back), back.sources.map((one) => one.key).join("")]).toEqual(["123", "ab"]);
    expect(order(run(back, { type: "put-back", sources: [], clips: [{ at: 0, item: clip("1") }] }))).toBe("123");
  });
  it("comes back from the browser's store as it was", () => {
    const draft = run(filled(), {
      type: "options",
      changes: { title: "Best", cut: "auto", runAt: "2026-11-27T10:00" },
    });
    expect(readDraft(JSON.stringify(draft))).toEqual(draft);
  });
  it("survives whatever stands in the browser's store", () => {
    for (const text of ["", "x", "null", "[]", "{}", '{"version":2}', '"1"']) expect(readDraft(text)).toBeNull();
    const odd = readDraft(
      '{"version":1,"sources":[{"key":"a","ref":{"url":1}},5,{"key":"b","ref":{"url":"https://x.example/"}}],"clips":[{"source":"gone"},{"source":"b","cut":"sideways"}],"options":{"cut":7,"labels":{}},"form":{"source":"gone","editing":"gone"}}',
    );
    expect(odd?.sources).toMatchObject([{ ref: null, file: { size: 0 } }, { name: "x.example" }]);
    expect(odd?.clips).toMatchObject([{ source: "b", cut: "", start: "" }]);
    expect(odd?.options.cut).toBe("exact");
    expect(odd?.form).toMatchObject({ source: "a", editing: null });
  });
});

describe("what is posted", () => {
  it("sends no more than what was chosen", () => {
    const { body, clips, mistakes } = postingOf(filled());
    expect(mistakes).toEqual([]);
    expect(clips).toEqual(["1", "2", "3"]);
    expect(body).toEqual({
      kind: "montage",
      priority: 0,
      spec: {
        highlights: [
          { source: { url: "https://m.example/a.mp4" }, start: "1", end: "2", title: "1" },
          { source: { path: "library:b.mkv" }, start: "1", end: "2", title: "2" },
          { source: { url: "https://m.example/a.mp4" }, start: "1", end: "2", title: "3" },
        ],
      },
    });
  });
  it("sends every option where it belongs", () => {
    const draft = run(filled(), {
      type: "options",
      changes: {
        title: " Best ",
        labels: [
          { key: 1, name: "show", value: "weekly" },
          { key: 1, name: "", value: "" },
        ],
        cut: "snap",
        tolerance: "0.25",
        codec: "hevc",
        width: "1920",
        height: "1080",
        frameRate: "60",
        order: "score",
        levelled: false,
        transition: "dip",
        transitionLength: "1",
        show: "both",
        intro: { source: "b", start: "", end: "+3s" },
        outro: { source: "a", start: "5", end: "" },
        engine: "openai",
        language: "ja",
        priority: "5",
        runAt: "2026-11-27T10:00",
      },
    });
    const { body, mistakes } = postingOf(draft);
    expect(mistakes).toEqual([]);
    expect(body).toMatchObject({
      title: "Best",
      labels: { show: "weekly" },
      priority: 5,
      run_at: new Date("2026-11-27T10:00").toISOString(),
    });
    expect(body.spec).toMatchObject({
      cut: { mode: "snap", tolerance: "0.25" },
      canvas: { codec: "hevc", width: 1920, height: 1080, frame_rate: "60" },
      order: "score",
      audio: { loudness_lufs: null },
      transition: { kind: "dip", duration: "1", colour: "#ffffff" },
      titles: { show: "both" },
      intro: { source: { path: "library:b.mkv" }, duration: "3s" },
      outro: { source: { url: "https://m.example/a.mp4" }, start: "5" },
      transcribe: { engine: "openai", language: "ja" },
    });
  });
  it("leaves out what would do nothing, which the API refuses", () => {
    const draft = run(filled(), {
      type: "options",
      changes: { cut: "copy", tolerance: "1", transitionLength: "2", showLength: "3", engine: "none", language: "en" },
    });
    const { spec } = postingOf(draft).body;
    expect(spec.cut).toEqual({ mode: "copy" });
    expect([spec.transition, spec.titles]).toEqual([undefined, undefined]);
    expect(spec.transcribe).toEqual({ engine: "none" });
  });
  it("says what is missing, where", () => {
    const waiting = { ...newSource(null, "big.mkv"), key: "u" };
    const draft = run(
      filled(),
      { type: "add-source", source: waiting },
      { type: "add-clips", clips: [clip("4", "u"), clip("5", "a", "9", "8")] },
      { type: "options", changes: { width: "1920", priority: "high", labels: [{ key: 1, name: "", value: "v" }] } },
    );
    const pointers = postingOf(draft).mistakes.map((mistake) => mistake.pointer);
    expect(pointers.sort()).toEqual([
      "/labels",
      "/priority",
      "/spec/canvas/height",
      "/spec/highlights/3/source",
      "/spec/highlights/4/end",
    ]);
  });
  it("has the same plan for what only names it differently", () => {
    const named = run(filled(), { type: "options", changes: { title: "Best", priority: "9" } });
    expect(planText(postingOf(named))).toBe(planText(postingOf(filled())));
    const cut = run(filled(), { type: "options", changes: { cut: "auto" } });
    expect(planText(postingOf(cut))).not.toBe(planText(postingOf(filled())));
  });
});

describe("a job as a draft", () => {
  const ticks = (seconds: number) => ({ seconds, ticks: seconds * 705_600_000 });
  const job = {
    kind: "montage",
    title: "Best",
    labels: { show: "weekly" },
    priority: 3,
    spec: {
      highlights: [
        {
          source: { url: "https://m.example/a.mp4" },
          start: ticks(65.5),
          duration: ticks(5),
          title: "One",
          score: 8.4,
        },
        { source: { url: "https://m.example/a.mp4" }, start: { frames: 576 }, duration: { frames: 144 } },
        {
          source: { upload: "01a2" },
          start: ticks(1),
          duration: { frames: 30 },
          cut: { mode: "snap", tolerance: ticks(0.5) },
        },
      ],
      cut: { mode: "exact", tolerance: null },
      canvas: { codec: "auto", width: 1280, height: 720, frame_rate: null },
      order: "given",
      audio: { loudness_lufs: null },
      transition: { kind: "fade", duration: ticks(0.5), colour: null },
      titles: { show: "none", seconds: null },
      intro: { source: { montage: "01b3" }, start: ticks(0), duration: null },
      outro: null,
      transcribe: { engine: "local", language: "en" },
    },
  } as unknown as Job;

  it("posts the same montage again", () => {
    const draft = draftOf(job);
    expect(draft?.sources.map((source) => source.name)).toEqual(["a.mp4", "Upload 01a2", "Montage 01b3"]);
    const posting = postingOf(draft ?? emptyDraft());
    expect(posting.mistakes).toEqual([]);
    expect(posting.body).toEqual({
      kind: "montage",
      title: "Best",
      labels: { show: "weekly" },
      priority: 3,
      spec: {
        highlights: [
          { source: { url: "https://m.example/a.mp4" }, start: "1:05.5", end: "1:10.5", title: "One", score: 8.4 },
          { source: { url: "https://m.example/a.mp4" }, start: "576f", end: "720f" },
          { source: { upload: "01a2" }, start: "0:01", duration: "30f", cut: { mode: "snap", tolerance: "0.5" } },
        ],
        canvas: { width: 1280, height: 720 },
        audio: { loudness_lufs: null },
        transition: { kind: "fade", duration: "0.5" },
        intro: { source: { montage: "01b3" } },
        transcribe: { engine: "local", language: "en" },
      },
    });
  });
  it("is none where the job makes no montage", () => {
    expect(draftOf({ ...job, spec: { montage: "01", transcribe: {} } } as unknown as Job)).toBeNull();
  });
});

describe("what somebody types as a source", () => {
  it("is a link or a path", () => {
    expect(readRef(" https://m.example/a%20b.mp4?x=1 ")).toEqual({ url: "https://m.example/a%20b.mp4?x=1" });
    expect(readRef("library:clips/a.mkv")).toEqual({ path: "library:clips/a.mkv" });
    expect(nameOf({ url: "https://m.example/v/a%20b.mp4?x=1" })).toBe("a b.mp4");
    expect(nameOf({ url: "https://m.example/" })).toBe("m.example");
    expect(nameOf({ path: "library:clips/a.mkv" })).toBe("a.mkv");
  });
  it("is told what is wrong otherwise", () => {
    for (const text of [
      "",
      "vod.mp4",
      "ftp://m.example/a",
      "https://",
      "https://u:p@m.example/",
      "library:../x",
      "library:/x",
      "file:///x",
    ]) {
      expect(typeof readRef(text)).toBe("string");
    }
  });
});
