import { expect, it } from "vitest";
import { countOf, groupHref, labelMistake, readFilter } from "./filter-state";

it("keeps the other filters when the states change", () => {
  const now = new URLSearchParams("kind=plan&state=dead&label=show:weekly");
  expect(readFilter(now)).toEqual({ state: "dead", kind: "plan", label: "show:weekly" });
  expect(groupHref(now, "queued,retrying")).toBe("/jobs?kind=plan&state=queued%2Cretrying&label=show%3Aweekly");
  expect(groupHref(new URLSearchParams("state=dead"), "")).toBe("/jobs");
});

it("counts states together, and says nothing where nothing is counted", () => {
  const counts = { queued: 2, retrying: 1, dead: 4 };
  expect(["", "queued,retrying", "failed"].map((states) => countOf(states, counts))).toEqual([7, 3, 0]);
  expect(countOf("dead", undefined)).toBeUndefined();
});

it("explains what a label is", () => {
  expect(["", "show:weekly", "a=b", "a=b:c"].map(labelMistake)).toEqual([undefined, undefined, undefined, undefined]);
  expect(["weekly", ":x", "Show:x", "show:"].map((text) => labelMistake(text) !== undefined)).toEqual([
    true,
    true,
    true,
    true,
  ]);
});
