import { describe, expect, it } from "vitest";
import { restMistake, type TemplateForm, toForm, toTemplate } from "./template";

describe("a schedule's template", () => {
  const whole = {
    title: "Best of {date}",
    labels: { show: "weekly" },
    priority: -5,
    spec: {
      order: "score",
      cut: { mode: "snap", tolerance: "1s" },
      canvas: { width: 1280, height: 720 },
      transition: { kind: "fade" },
      transcribe: { engine: "none" },
      intro: { source: { path: "media:intro.mp4" } },
    },
  };

  it("comes apart into fields and the rest", () => {
    const form = toForm(whole);
    expect(form).toMatchObject({ title: "Best of {date}", labels: { show: "weekly" }, priority: "-5" });
    expect(form.options).toEqual({
      order: "score",
      "cut.mode": "snap",
      "transition.kind": "fade",
      "transcribe.engine": "none",
    });
    expect(JSON.parse(form.rest)).toEqual({
      cut: { tolerance: "1s" },
      canvas: { width: 1280, height: 720 },
      intro: { source: { path: "media:intro.mp4" } },
    });
  });
  it("is the same when it is put together again, and is not changed by that", () => {
    const before = structuredClone(whole);
    expect(toTemplate(toForm(whole))).toEqual(whole);
    expect(whole).toEqual(before);
    expect(toTemplate(toForm({}))).toEqual({});
  });
  it("keeps what the form does not know where it is", () => {
    const odd = { spec: { order: "random", cut: "exact", titles: { show: 3 } } };
    expect(toForm(odd).options).toEqual({});
    expect(toTemplate(toForm(odd))).toEqual(odd);
  });
  it("lets fields win over the rest", () => {
    const form: TemplateForm = {
      title: " ",
      labels: {},
      priority: "0",
      options: { "cut.mode": "copy" },
      rest: '{"cut":{"mode":"exact"}}',
    };
    expect(toTemplate(form)).toEqual({ priority: 0, spec: { cut: { mode: "copy" } } });
  });
  it("says what is wrong with the rest", () => {
    expect(restMistake("")).toBeUndefined();
    expect(restMistake('{"canvas": {}}')).toBeUndefined();
    expect(restMistake("[1]")).toBe("Expected an object: { … }");
    expect(restMistake('{"highlights": []}')).toContain("come from the source");
    expect(restMistake("{oops")).toContain("not JSON");
  });
});
