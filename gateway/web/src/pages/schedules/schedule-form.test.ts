import { describe, expect, it } from "vitest";
import type { Schedule } from "../../api/types";
import { PATTERNS, toMontage, toMontageForm } from "./montage-form";
import { type Form, formOf, toNew, toPatch, toTrial } from "./schedule-form";
import { modeFor, toWindow, toWindowForm } from "./window-form";

const schedule = {
  id: "0199",
  name: "Weekly",
  cron: "0 18 * * SUN",
  time_zone: "Europe/Berlin",
  source: { twitch: { channels: ["hana"], cut_from: "clip" } },
  window: { last_days: 7 },
  montages: [
    { of: "all_streamers", labels: { show: "weekly" }, select: { padding: {}, merge: true, mix: "score", seed: 0 } },
    { of: "each_streamer", title: "Best of {streamer}", select: { order: "shuffle", seed: 3, later: "x" }, later: 1 },
  ],
  template: { title: "Best of {date}", spec: { order: "score" } },
  jitter_seconds: 90,
  catch_up: "each",
  overlap: "wait",
  paused: false,
  created_at: "2026-11-01T00:00:00Z",
  updated_at: "2026-11-01T00:00:00Z",
} as unknown as Schedule;

const changed = (part: Partial<Form>) => toPatch({ ...formOf(schedule), ...part }, schedule);

describe("a schedule's form", () => {
  it("makes the simplest schedule of the fewest words", () => {
    const form = formOf();
    const source = { ...form.source, texts: { ...form.source.texts, url: "https://lists.example/best.json" } };
    expect(toNew({ ...form, name: " Weekly ", zone: "UTC", source })).toEqual({
      name: "Weekly",
      cron: expect.any(String),
      time_zone: "UTC",
      source: { url: "https://lists.example/best.json" },
      template: {},
    });
  });
  it("makes everything that was chosen", () => {
    expect(toNew(formOf(schedule))).toMatchObject({
      source: schedule.source,
      window: { last_days: 7 },
      montages: schedule.montages,
      jitter: "90s",
      catch_up: "each",
      overlap: "wait",
      template: schedule.template,
    });
  });
  it("can be tried out without a word about when it runs", () => {
    expect(toTrial(formOf(schedule))).toEqual({
      name: "Weekly",
      time_zone: "Europe/Berlin",
      source: schedule.source,
      window: { last_days: 7 },
      montages: schedule.montages,
      template: schedule.template,
    });
  });
  it("changes nothing of a schedule in which nothing was changed", () => {
    expect(changed({})).toEqual({});
  });
  it("sends only what was changed, and nothing for nothing", () => {
    expect(changed({ name: "Daily" })).toEqual({ name: "Daily" });
    expect(changed({ policies: { jitter: "0", catch_up: "each", overlap: "skip" } })).toEqual({
      jitter: null,
      overlap: "skip",
    });
    expect(changed({ montages: [] })).toEqual({ montages: [] });
  });
  it("keeps what no field knows of a montage when another thing of it is changed", () => {
    const montages = formOf(schedule).montages.map((montage, index) =>
      index === 1 ? { ...montage, texts: { ...montage.texts, "select/top": "5", title: "" } } : montage,
    );
    expect(changed({ montages })).toEqual({
      montages: [
        schedule.montages[0],
        { of: "each_streamer", select: { order: "shuffle", seed: 3, later: "x", top: 5 }, later: 1 },
      ],
    });
  });
});

describe("a window", () => {
  it.each([null, { last_days: 3 }, { from: "2026-11-16", to: "2026-11-22" }])("is the same again: %j", (window) => {
    expect(toWindow(toWindowForm(window), false)).toEqual(window);
  });
  it("is a week where a source has to be asked for some days", () => {
    const form = toWindowForm(null);
    expect(modeFor(form, true)).toBe("last");
    expect(toWindow(form, true)).toEqual({ last_days: 7 });
    expect(toWindow(form, false)).toBeNull();
  });
  it("goes over to other ways of saying it", () => {
    const days = toWindowForm({ from: "2026-11-16", to: "2026-11-22" });
    expect(toWindow({ ...days, mode: "last" }, false)).toEqual({ last_days: 7 });
    const last = toWindowForm({ last_days: 7 });
    const texts = { ...last.texts, from: "2026-11-01", to: "2026-11-02" };
    expect(toWindow({ ...last, mode: "days", texts }, false)).toEqual({ from: "2026-11-01", to: "2026-11-02" });
    expect(toWindow({ ...last, mode: "all" }, false)).toBeNull();
  });
});

it("offers patterns that come through their fields unchanged", () => {
  for (const { montages } of PATTERNS) {
    for (const montage of montages) expect(toMontage(toMontageForm(montage, 0))).toEqual(montage);
  }
});
