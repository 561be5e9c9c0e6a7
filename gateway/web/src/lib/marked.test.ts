import { expect, it } from "vitest";
import { pieces } from "./marked";

it("takes over the marks and nothing else", () => {
  expect(pieces("a &lt;b&gt;x&lt;/b&gt; <b>best &amp; worst</b> &amp;lt; <i>")).toEqual([
    { text: "a <b>x</b> ", marked: false },
    { text: "best & worst", marked: true },
    { text: " &lt; <i>", marked: false },
  ]);
  expect(pieces("")).toEqual([]);
});
