import { describe, expect, it } from "vitest";
import type { Json } from "../../lib/json";
import { formatOf, hasPages, needsWindow, type SourceForm, toSource, toSourceForm } from "./source-form";

const minute = { seconds: 60, ticks: 42_336_000_000 };
/** Sources as the server answers them, with what it writes out and with something that no field knows. */
const ANSWERED: Record<string, Json> = {
  url: { url: "https://lists.example/best.json", format: "highlights", duration: { seconds: 8, ticks: 5_644_800_000 } },
  path: {
    path: "lists:week.csv",
    format: "csv",
    mapping: { video: "Video", at: "Day" },
    video: { path: "library:{id}.mkv" },
    later: 1,
  },
  object: {
    object: "lists/{from}.edl",
    format: "edl",
    frame_rate: "30000/1001",
    start_timecode: "01:00:00;00",
    video: { url: "https://v.example/{id}" },
  },
  json: {
    url: "https://api.example/clips?since={from}",
    format: "json",
    mapping: { rows: "$.data[*]", start: "$.offset" },
    paging: { next: "$.cursor", parameter: "after", later: true },
    streamer: "hana",
  },
  otio: { path: "lists:week.otio", format: "otio", duration: "3s" },
  chapters: {
    url: "https://lists.example/chapters.txt",
    format: "chapters",
    video: { url: "https://v.example/1.mp4" },
  },
  dynamodb: {
    dynamodb: {
      streamers: { table: "streamers", id: "ChannelId", name: "Name" },
      highlights: {
        table: "highlights",
        streamer: "Channel",
        date: "Date",
        date_form: "day",
        video: "VideoId",
        list: "TopHighlights",
        timestamp: "Timestamp",
        score: "Score",
        later: "x",
      },
      video: { url: "https://media.example/{id}.mp4" },
      duration: minute,
    },
  },
  twitch: { twitch: { channels: ["hana", "mio"], cut_from: "recording" } },
};

const change = (form: SourceForm, texts: Record<string, string>): SourceForm => ({
  ...form,
  texts: { ...form.texts, ...texts },
});

describe("a source", () => {
  it.each(Object.entries(ANSWERED))("of the kind %s is the same when nothing was changed", (_, source) => {
    const before = structuredClone(source);
    expect(toSource(toSourceForm(source))).toEqual(before);
    expect(source).toEqual(before);
  });
  it("begins as a list at an address, of which nothing else is said", () => {
    const form = toSourceForm({});
    expect([form.kind, formatOf(form)]).toEqual(["url", "highlights"]);
    expect(toSource(change(form, { url: " https://lists.example/best.json " }))).toEqual({
      url: "https://lists.example/best.json",
    });
  });
  it("shows usual names as empty fields", () => {
    const { texts } = toSourceForm(ANSWERED.dynamodb ?? {});
    expect(texts).toMatchObject({
      "dynamodb/streamers/id": "",
      "dynamodb/highlights/streamer": "Channel",
      "dynamodb/highlights/date_form": "",
      "dynamodb/duration": "",
    });
  });
  it("keeps what no field knows when something else is changed", () => {
    const table = (source: Json) => toSource(change(toSourceForm(source), { "dynamodb/highlights/table": "moments" }));
    const changed = structuredClone(ANSWERED.dynamodb) as { dynamodb: { highlights: { table: string } } };
    changed.dynamodb.highlights.table = "moments";
    expect(table(ANSWERED.dynamodb ?? {})).toEqual(changed);
    expect(toSource(change(toSourceForm(ANSWERED.path ?? {}), { "mapping/at": "" }))).toEqual({
      ...ANSWERED.path,
      mapping: { video: "Video" },
    });
  });
  it("leaves out what another format does not take", () => {
    const of = (name: string, format: string) => toSource(change(toSourceForm(ANSWERED[name] ?? {}), { format }));
    expect(of("json", "csv")).toEqual({
      url: "https://api.example/clips?since={from}",
      format: "csv",
      mapping: { start: "$.offset" },
      streamer: "hana",
    });
    // `highlights` is the usual one: it is not said.
    expect(of("json", "")).toMatchObject({ paging: { next: "$.cursor" }, streamer: "hana" });
    expect(Object.keys(of("json", ""))).not.toContain("mapping");
    expect(of("object", "otio")).toEqual({
      object: "lists/{from}.edl",
      format: "otio",
      video: { url: "https://v.example/{id}" },
    });
    expect(Object.keys(of("path", ""))).not.toContain("video");
  });
  it("goes over to another kind and back without a loss", () => {
    const read = toSourceForm(ANSWERED.json ?? {});
    const twitch = toSource(change({ ...read, kind: "twitch" }, { "twitch/channels": "hana" }));
    expect(twitch).toEqual({ twitch: { channels: ["hana"] } });
    const file = toSource(change({ ...read, kind: "path" }, { path: "lists:a.json" }));
    // A file has no pages.
    expect(file).toEqual({ path: "lists:a.json", format: "json", mapping: ANSWERED.json?.mapping, streamer: "hana" });
    expect(toSource({ ...read, kind: "url" })).toEqual(ANSWERED.json);
  });
  it("says whether it needs to be asked for some days, and whether it has pages", () => {
    const forms = Object.values(ANSWERED).map(toSourceForm);
    expect(forms.filter(needsWindow).map((form) => form.kind)).toEqual(["object", "url", "dynamodb", "twitch"]);
    expect(forms.filter(hasPages).map(formatOf)).toEqual(["highlights", "json"]);
  });
});
