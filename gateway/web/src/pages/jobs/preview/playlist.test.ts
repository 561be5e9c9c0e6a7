import { describe, expect, it } from "vitest";
import { isGrown, readPlaylist } from "./playlist";

const BASE = "http://library.example/v1/jobs/7/preview.m3u8";
const TEXT = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:3
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MAP:URI="preview/init-0.mp4"
#EXTINF:2.5,
preview/a.m4s
#EXTINF:1.25,
#EXT-X-BYTERANGE:1000@200
preview/b.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="/elsewhere/init-1.mp4"
#EXTINF:3,
preview/c.m4s
`;

describe("a preview's playlist", () => {
  it("places each entry in time, with its init section, bytes and group", () => {
    const list = readPlaylist(TEXT, BASE);
    const [one, two] = [
      "http://library.example/v1/jobs/7/preview/init-0.mp4",
      "http://library.example/elsewhere/init-1.mp4",
    ];
    const at = (name: string) => `http://library.example/v1/jobs/7/preview/${name}`;
    expect(list.entries).toEqual([
      { url: at("a.m4s"), map: one, range: null, seconds: 2.5, position: 0, group: 0 },
      { url: at("b.m4s"), map: one, range: [1000, 200], seconds: 1.25, position: 2.5, group: 0 },
      { url: at("c.m4s"), map: two, range: null, seconds: 3, position: 3.75, group: 1 },
    ]);
    expect(list.seconds).toBe(6.75);
    expect(list.done).toBe(false);
  });
  it("sees its end, and lines that end as on Windows", () => {
    const list = readPlaylist(`${TEXT}#EXT-X-ENDLIST\n`.replaceAll("\n", "\r\n"), BASE);
    expect(list.done).toBe(true);
    expect(list.entries).toHaveLength(3);
  });
  it("bears what it does not understand", () => {
    expect(readPlaylist("", BASE)).toEqual({ entries: [], seconds: 0, done: false });
    expect(readPlaylist("#EXTINF:soon,\n#something\nx.m4s", BASE).entries).toMatchObject([{ seconds: 0, map: null }]);
  });
  it("tells a list that grew from another one", () => {
    const [whole, shorter] = [readPlaylist(TEXT, BASE), readPlaylist(TEXT.split("#EXT-X-DISC")[0] ?? "", BASE)];
    expect(isGrown(shorter, whole)).toBe(true);
    expect(isGrown(whole, whole)).toBe(true);
    expect(isGrown(whole, shorter)).toBe(false);
    expect(isGrown(shorter, readPlaylist(TEXT.replace("a.m4s", "z.m4s"), BASE))).toBe(false);
  });
});
