import { describe, expect, it } from "vitest";
import { Problem } from "../../api/client";
import { type Shown, sortMistakes } from "./mistakes";
import { toMontageForm } from "./montage-form";
import { toSourceForm } from "./source-form";
import { toWindowForm } from "./window-form";

const at = (pointer: string, detail = "wrong") => ({ pointer, detail });
const shown = (
  source: Record<string, unknown>,
  window: Record<string, unknown> | null = null,
  montages = 0,
): Shown => ({
  source: toSourceForm(source),
  window: toWindowForm(window),
  montages: Array.from({ length: montages }, (_, key) => toMontageForm({}, key)),
});
const sorted = (shownNow: Shown, ...pointers: string[]) => {
  const errors = pointers.map((pointer) => at(pointer));
  const { fields, others } = sortMistakes(new Problem({ code: "invalid_spec", errors }, 422), shownNow);
  return { fields: Object.keys(fields), others: others.map(({ pointer }) => pointer) };
};

describe("mistakes of a schedule", () => {
  it("lead to their fields", () => {
    const errors = [
      at("/cron", "five fields"),
      at("/source/url"),
      at("/template/title"),
      at("/template/labels/Show", "lower case"),
      at("/template/labels/Game", "lower case too"),
      at("/template/spec/cut/mode"),
      at("/template/spec/canvas/width", "too small"),
      at("/template/spec/cut/tolerance", "too long"),
      at("/template/run_at", "unknown field"),
      at("", "not an object"),
    ];
    const { fields, others } = sortMistakes(new Problem({ code: "invalid_spec", errors }, 422), shown({}));
    expect(fields).toEqual({
      cron: "five fields",
      source: "wrong",
      title: "wrong",
      labels: "lower case; lower case too",
      "cut.mode": "wrong",
      rest: "/canvas/width: too small; /cut/tolerance: too long",
    });
    expect(others.map((error) => error.pointer)).toEqual(["/template/run_at", ""]);
  });
  it("of a list lead to what its format has fields for", () => {
    const csv = shown({ path: "a:b.csv", format: "csv" });
    expect(
      sorted(csv, "/source", "/source/path", "/source/video/url", "/source/mapping/at", "/source/streamer"),
    ).toEqual({
      fields: ["source", "source/video", "source/mapping/at", "source/streamer"],
      others: [],
    });
    // No field shows these now.
    const others = ["/source/url", "/source/frame_rate", "/source/paging", "/source/mapping", "/source/twitch"];
    expect(sorted(csv, ...others)).toEqual({ fields: [], others });
    expect(sorted(shown({ url: "https://x", format: "json" }), "/source/paging", "/source/paging/next").fields).toEqual(
      ["source/paging/next"],
    );
  });
  it("of tables and clips lead to their fields", () => {
    const tables = [
      "/source/dynamodb/streamers/table",
      "/source/dynamodb/video",
      "/source/dynamodb/highlights/date_form",
    ];
    expect(sorted(shown({ dynamodb: {} }), ...tables, "/source/dynamodb/highlights", "/source")).toEqual({
      fields: tables.map((pointer) => pointer.slice(1)),
      others: ["/source/dynamodb/highlights", "/source"],
    });
    expect(sorted(shown({ twitch: {} }), "/source/twitch/channels/3").fields).toEqual(["source/twitch/channels"]);
  });
  it("of the window lead to the day, or to the choice of days", () => {
    expect(sorted(shown({}, { from: "", to: "" }), "/window/from", "/window/to").fields).toEqual([
      "window/from",
      "window/to",
    ]);
    expect(sorted(shown({}), "/window", "/window/last_days").fields).toEqual(["window"]);
    // What is asked for without a word has a field, too.
    expect(sorted(shown({ twitch: {} }), "/window/last_days").fields).toEqual(["window/last_days"]);
  });
  it("of montages and policies lead to their fields", () => {
    const pointers = ["/montages/0/select/top", "/montages/1/select/padding/before", "/montages/1/title", "/jitter"];
    expect(sorted(shown({}, null, 2), ...pointers, "/montages", "/catch_up", "/overlap")).toEqual({
      fields: [...pointers, "/montages", "/catch_up", "/overlap"].map((pointer) => pointer.slice(1)),
      others: [],
    });
    const others = ["/montages/2/title", "/montages/0/labels/Show", "/montages/0"];
    expect(sorted(shown({}, null, 2), ...others)).toEqual({ fields: [], others });
  });
});
