import { describe, expect, it } from "vitest";
import { words } from "./explained";
import { nextSpeed } from "./playback";
import { read } from "./settings";

describe("the player", () => {
  it("goes through the speeds and stops at their ends", () => {
    expect([nextSpeed(1, 1), nextSpeed(1, -1), nextSpeed(2, 1), nextSpeed(0.25, -1), nextSpeed(1.1, 1)]).toEqual([
      1.25, 0.75, 2, 0.25, 1.25,
    ]);
  });
  it("takes over settings only where they are ones", () => {
    expect(read('{"volume":0.4,"muted":true,"captions":false}')).toEqual({ volume: 0.4, muted: true, captions: false });
    const first = { volume: 1, muted: false, captions: true };
    for (const text of [null, "", "{", "[]", "7", '{"volume":7,"muted":"no"}']) expect(read(text)).toEqual(first);
  });
  it("explains what hinders a video by what the server says first", () => {
    expect(words({ code: 4, message: "" }, 404)).toContain("not there any more");
    expect(words({ code: 4, message: "" }, 0)).toContain("does not answer");
    expect(words({ code: 4, message: "" }, 200)).toContain("cannot play this kind");
    expect(words({ code: 3, message: "" }, null)).toContain("could not decode");
  });
});
