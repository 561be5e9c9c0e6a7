import { describe, expect, it } from "vitest";
import { commandOf, HELP, takes } from "./keys";

const outside = { taken: false, inside: false };
const inside = { taken: false, inside: true };
const KEYS: Record<string, string> = {
  Space: " ",
  "←": "ArrowLeft",
  "→": "ArrowRight",
  "↑": "ArrowUp",
  "↓": "ArrowDown",
};

describe("keys of the player", () => {
  it("does something for every key that the help tells of", () => {
    for (const { keys } of HELP) {
      for (const key of keys) expect(commandOf(KEYS[key] ?? key, inside, true), key).not.toBeNull();
    }
  });
  it("goes to tenths, skips, steps", () => {
    expect(commandOf("7", outside, true)).toEqual({ do: "share", share: 0.7 });
    expect(commandOf("j", outside, true)).toEqual({ do: "skip", seconds: -10 });
    expect(commandOf(".", outside, true)).toEqual({ do: "step", frames: 1 });
    expect(commandOf("x", outside, true)).toBeNull();
    expect(commandOf("K", outside, true)).toBeNull();
  });
  it("leaves the page its arrows up and down", () => {
    expect(commandOf("ArrowDown", outside, true)).toBeNull();
    expect(commandOf("ArrowDown", inside, true)).toEqual({ do: "volume", by: -0.05 });
  });
  it("knows no single signs once they are switched off", () => {
    for (const key of ["k", "m", "0", ",", "?", " "]) expect(commandOf(key, outside, false)).toBeNull();
    expect(commandOf("ArrowRight", outside, false)).toEqual({ do: "skip", seconds: 5 });
  });
  it("stays away where something takes the key itself", () => {
    document.body.innerHTML = `
      <input id="text" type="search"><textarea id="area"></textarea><select id="select"></select>
      <button id="button"></button><input id="range" type="range"><input id="check" type="checkbox">
      <div role="tablist"><button id="tab" role="tab"></button></div><ol data-arrows><li><button id="cue"></button></li></ol>
      <p id="plain"></p>`;
    const at = (id: string, key: string) => takes(document.getElementById(id), key);
    for (const id of ["text", "area", "select"])
      for (const key of ["k", " ", "ArrowLeft"]) expect(at(id, key)).toBe(true);
    expect([at("button", " "), at("button", "k"), at("check", " ")]).toEqual([true, false, true]);
    expect([at("range", "ArrowLeft"), at("range", " "), at("range", "k")]).toEqual([true, false, false]);
    expect([at("tab", "ArrowRight"), at("cue", "ArrowDown"), at("cue", "j")]).toEqual([true, true, false]);
    expect([at("plain", " "), at("plain", "ArrowLeft"), takes(window, "k")]).toEqual([false, false, false]);
  });
});
