import { describe, expect, it } from "vitest";
import { bodyOf, isLink, mistakesOf, titleOf } from "./form";

describe("a replay's form", () => {
  it("becomes a job", () => {
    const files = {
      replay: { label: "a.osr", source: { upload: "u1" } },
      map: { label: "b.osz", source: { url: "https://a.example/b.osz" } },
    };
    expect(bodyOf(files, "", {})).toEqual({
      kind: "replay",
      spec: { replay: { upload: "u1" }, map: { url: "https://a.example/b.osz" } },
    });
    expect(bodyOf(files, " A ", { "hud.pp": false })).toMatchObject({
      title: "A",
      spec: { options: { hud: { pp: false } } },
    });
  });

  it("has titles after files, and knows links", () => {
    expect(titleOf("Somebody - Song [Hard] (2026-01-01) Osu.osr")).toBe("Somebody - Song [Hard] (2026-01-01) Osu");
    expect([isLink("https://a.example/x.osr"), isLink("ftp://a/x"), isLink("C:\\x.osr")]).toEqual([true, false, false]);
  });

  it("puts mistakes where they belong", () => {
    expect(
      mistakesOf([
        { pointer: "/spec/options/video/crf", detail: "a" },
        { pointer: "/spec/map/url", detail: "b" },
        { pointer: "/spec/options/results_seconds", detail: "c" },
        { pointer: "/spec/options/video", detail: "d" },
        { pointer: "/title", detail: "e" },
      ]),
    ).toEqual({ "video.crf": "a", map: "b", results_seconds: "c", video: "d", title: "e" });
  });
});
