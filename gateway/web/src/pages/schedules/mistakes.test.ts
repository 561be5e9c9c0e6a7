import { expect, it } from "vitest";
import { Problem } from "../../api/client";
import { sortMistakes } from "./mistakes";

it("leads each mistake to its field", () => {
  const at = (pointer: string, detail = "wrong") => ({ pointer, detail });
  const errors = [
    at("/cron", "five fields"),
    at("/source/url"),
    at("/template/title"),
    at("/template/labels/Show", "lower case"),
    at("/template/labels/Game", "lower case too"),
    at("/template/spec/cut/mode"),
    at("/template/spec/canvas/width", "too small"),
    at("/template/spec/cut/tolerance", "too long"),
    at("/template/run_at", "unknown field"),
    at("", "not an object"),
  ];
  const { fields, others } = sortMistakes(new Problem({ code: "invalid_spec", errors }, 422));
  expect(fields).toEqual({
    cron: "five fields",
    source: "wrong",
    title: "wrong",
    labels: "lower case; lower case too",
    "cut.mode": "wrong",
    rest: "/canvas/width: too small; /cut/tolerance: too long",
  });
  expect(others.map((error) => error.pointer)).toEqual(["/template/run_at", ""]);
});
