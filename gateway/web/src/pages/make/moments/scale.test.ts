import { describe, expect, it } from "vitest";
import { around, drawn, firstFrom, keyAfter, keyBefore, keyNear, ruler, within, zoom } from "./scale";

const keys = [0, 2, 4, 6.006, 8, 10];

describe("the timeline's arithmetic", () => {
  it("stays within the source", () => {
    expect(within({ from: -5, to: 5 }, 100)).toEqual({ from: 0, to: 10 });
    expect(within({ from: 95, to: 105 }, 100)).toEqual({ from: 90, to: 100 });
    expect(within({ from: 3, to: 3 }, 100)).toEqual({ from: 3, to: 3.5 });
    expect(within({ from: 0, to: 10 }, 0.2)).toEqual({ from: 0, to: 0.2 });
  });
  it("zooms around a moment that stays where it is", () => {
    const view = zoom({ from: 0, to: 100 }, 0.5, 20, 100);
    expect(view).toEqual({ from: 10, to: 60 });
    expect((20 - view.from) / (view.to - view.from)).toBeCloseTo(0.2);
    expect(zoom(view, 100, 20, 100)).toEqual({ from: 0, to: 100 });
  });
  it("shows the marks with room around them", () => {
    expect(around(100, 200, 0, 1000)).toEqual({ from: 60, to: 240 });
    expect(around(100, null, 0, 1000)).toEqual({ from: 85, to: 115 });
    expect(around(null, null, 500, 1000)).toEqual({ from: 485, to: 515 });
    expect(around(200, 100, 0, 1000)).toEqual({ from: 185, to: 215 });
  });
  it("finds keyframes before, after and near a moment", () => {
    expect([firstFrom(keys, -1), firstFrom(keys, 2), firstFrom(keys, 2.1), firstFrom(keys, 11)]).toEqual([0, 1, 2, 6]);
    expect([keyBefore(keys, 4), keyBefore(keys, 4.5), keyBefore(keys, 0)]).toEqual([2, 4, null]);
    expect([keyAfter(keys, 4), keyAfter(keys, 6), keyAfter(keys, 10)]).toEqual([6.006, 6.006, null]);
    expect([keyNear(keys, 4.9), keyNear(keys, 99), keyNear([], 3)]).toEqual([4, 10, null]);
    // What stands on a keyframe to the millisecond goes on to the next one.
    expect([keyAfter(keys, 6.005), keyBefore(keys, 6.007)]).toEqual([8, 4]);
  });
  it("draws no more keyframes than can be told apart", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => index * 0.5);
    const shown = drawn(many, { from: 0, to: 10_000 }, 10);
    expect(shown.length).toBe(1000);
    expect(drawn(many, { from: 10, to: 12 }, 0.001)).toEqual([10, 10.5, 11, 11.5, 12]);
    expect(drawn([], { from: 0, to: 1 }, 1)).toEqual([]);
  });
  it("puts round times on the ruler", () => {
    expect(ruler({ from: 0, to: 60 }, 6)).toEqual([0, 10, 20, 30, 40, 50, 60]);
    expect(ruler({ from: 61, to: 64 }, 10)).toEqual([61, 61.5, 62, 62.5, 63, 63.5, 64]);
    expect(ruler({ from: 0, to: 300_000 }, 10)).toHaveLength(9);
  });
});
