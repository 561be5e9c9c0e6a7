import { expect, it } from "vitest";
import { fromRows, labelChanges, toRows } from "./labels";

it("reads the labels of a form", () => {
  const labels = { show: "weekly", game: "osu" };
  expect(fromRows(toRows(labels))).toEqual(labels);
  const rows = [...toRows(labels), { key: 2, name: " ", value: "x" }, { key: 3, name: " team ", value: " red " }];
  expect(fromRows(rows)).toEqual({ ...labels, team: "red" });
});

it("sends only what has changed, and null for what is gone", () => {
  expect(labelChanges({ a: "1", b: "2", c: "3" }, { a: "1", b: "4", d: "5" })).toEqual({ b: "4", c: null, d: "5" });
  expect(labelChanges({ a: "1" }, { a: "1" })).toEqual({});
});
