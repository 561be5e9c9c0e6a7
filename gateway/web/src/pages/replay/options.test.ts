import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { changesOf, chosenOf, GROUPS, optionsOf } from "./options";

const all = GROUPS.flatMap((group) => group.options);

describe("the options of a replay", () => {
  it("are all options of the API, each with its name there", () => {
    const document = JSON.parse(readFileSync("../openapi.json", "utf8"));
    const { schemas } = document.components;
    const names: string[] = [];
    for (const [part, schema] of Object.entries<{ $ref?: string; allOf?: { $ref: string }[] }>(
      schemas.ReplayOptions.properties,
    )) {
      const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
      if (!reference) names.push(part);
      else {
        const fields = schemas[reference.split("/").at(-1) ?? ""].properties;
        names.push(...Object.keys(fields).map((name) => `${part}.${name}`));
      }
    }
    expect(all.map((option) => option.path).sort()).toEqual(names.sort());
  });

  it("send only what was changed", () => {
    expect(optionsOf({})).toEqual({});
    expect(optionsOf({ "hud.pp": false, "hud.score": true, "video.width": "1920", results_seconds: "0" })).toEqual({
      hud: { pp: false },
      video: { width: 1920, height: 720 },
      results_seconds: 0,
    });
    expect(optionsOf({ "video.start": "12.5", "video.preset": "fast", "sound.music": "loud" })).toEqual({
      video: { start: 12.5, preset: "fast" },
      sound: { music: "loud" },
    });
  });

  it("tell what differs from the default", () => {
    const [picture] = GROUPS;
    if (!picture) throw new Error("there are groups");
    expect(changesOf(picture, {})).toBe(0);
    expect(changesOf(picture, { "video.crf": "18", "video.skip_intro": true })).toBe(1);
    const [width] = picture.options;
    expect(width && chosenOf(width, {})).toBe("1280");
  });
});
