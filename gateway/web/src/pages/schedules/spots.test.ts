import { describe, expect, it } from "vitest";
import { lengthText, readTexts, type Spot, writeTexts } from "./spots";

const spots: Spot[] = [
  { place: "table", form: "text" },
  { place: "id", form: "text", usual: "ChannelId" },
  { place: "select/top", form: "number" },
  { place: "select/padding/before", form: "length" },
  { place: "select/merge", form: "flag" },
  { place: "video", form: "video" },
  { place: "channels", form: "names" },
];

describe("fields over JSON", () => {
  const read = {
    table: "streamers",
    id: "ChannelId",
    select: { top: 5, padding: { before: { seconds: 2.5, ticks: 1_764_000_000 } }, merge: false, later: [1] },
    video: { path: "library:{id}.mkv" },
    channels: ["hana", "mio"],
    unknown: { to: "this form" },
  };
  const texts = {
    table: "streamers",
    id: "",
    "select/top": "5",
    "select/padding/before": "2.5s",
    "select/merge": "no",
    video: "library:{id}.mkv",
    channels: "hana, mio",
  };

  it("show what was read, and nothing where it is as usual", () => {
    expect(readTexts(read, spots)).toEqual(texts);
    expect(new Set(Object.values(readTexts({}, spots)))).toEqual(new Set([""]));
  });
  it("leave everything as it was read, and what was read alone", () => {
    const before = structuredClone(read);
    expect(writeTexts(read, spots, texts)).toEqual(read);
    expect(read).toEqual(before);
    const odd = { select: "all", table: 7, video: { url: 1 } };
    expect(writeTexts(odd, spots, readTexts(odd, spots))).toEqual(odd);
  });
  it("change only what a person changed", () => {
    const changed = { ...texts, "select/top": " 10 ", "select/padding/before": "", "select/merge": "" };
    expect(writeTexts(read, spots, changed)).toEqual({ ...read, select: { top: 10, later: [1] } });
  });
  it("make what was not there", () => {
    const written = {
      "select/padding/before": "1:30",
      video: "https://media.example/{id}.mp4",
      channels: "https://www.twitch.tv/hana/clips @mio,ren",
      id: "Streamer",
    };
    expect(writeTexts({}, spots, written)).toEqual({
      select: { padding: { before: "1:30" } },
      video: { url: "https://media.example/{id}.mp4" },
      channels: ["hana", "mio", "ren"],
      id: "Streamer",
    });
  });
  it("leave it to the server to say what is no number", () => {
    expect(writeTexts({}, spots, { "select/top": "many" })).toEqual({ select: { top: "many" } });
  });
});

it("writes lengths as people do, to the tick", () => {
  const ticks = (seconds: number) => ({ seconds, ticks: seconds * 705_600_000 });
  expect([ticks(8), ticks(0.5), ticks(60), ticks(600)].map(lengthText)).toEqual(["8s", "0.5s", "1:00", "10:00"]);
  expect(lengthText({ seconds: 0.033, ticks: 23_520_000 })).toBe("0.033333333333");
  expect([12.5, "25s", { frames: 12 }, { seconds: 3 }, null, []].map(lengthText)).toEqual([
    "12.5s",
    "25s",
    "12f",
    "3s",
    "",
    "",
  ]);
});
