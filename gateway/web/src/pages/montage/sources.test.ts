import { describe, expect, it } from "vitest";
import { originOf } from "./sources";

const ID = "01a21914-6b04-77c4-81de-00db9465988c";

describe("where a highlight comes from", () => {
  it("leads to the moment of a file on the web", () => {
    expect(originOf("https://example.org/a%20b/film.mp4", 15.5, 5)).toEqual({
      kind: "web",
      name: "film.mp4 (example.org)",
      href: "https://example.org/a%20b/film.mp4#t=15.5,20.5",
    });
    expect(originOf("http://127.0.0.1:8000/%E0%A4%A", 0, 1)).toMatchObject({
      kind: "web",
      name: "%E0%A4%A (127.0.0.1:8000)",
    });
  });
  it("knows the ways of the sites that have no media fragments", () => {
    expect(originOf("https://www.twitch.tv/videos/123", 3725.9, 5)).toMatchObject({
      href: "https://www.twitch.tv/videos/123?t=1h2m5s",
    });
    expect(originOf("https://youtu.be/abc", 65, 5)).toMatchObject({ href: "https://youtu.be/abc?t=65s" });
  });
  it("leads to other montages, and to nothing for files", () => {
    expect(originOf(`montage:${ID}`, 12.3456, 5)).toEqual({ kind: "montage", id: ID, href: `/m/${ID}?t=12.346` });
    expect(originOf(`upload:${ID}`, 1, 5)).toEqual({ kind: "upload", name: ID });
    expect(originOf("raids:2026/a.mkv", 1, 5)).toEqual({ kind: "path", name: "raids:2026/a.mkv" });
  });
  it("makes no link of what is none", () => {
    for (const source of ["javascript:alert(1)", "montage:../x", "data:text/html,x", "http://", "file:///etc/passwd"]) {
      expect(originOf(source, 0, 1).kind).toBe("path");
    }
  });
});
