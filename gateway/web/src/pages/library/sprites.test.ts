import { expect, it } from "vitest";
import { placeOf, tile } from "./sprites";

const sprites = { tile_width: 160, tile_height: 90, columns: 5, rows: 2, count: 8, interval: 2 };

it("finds the picture of a second", () => {
  expect([0, 1.9, 2, 9.9, 10, 15, 99, -1].map((second) => Object.values(placeOf(sprites, second)))).toEqual([
    [0, 0],
    [0, 0],
    [1, 0],
    [4, 0],
    [0, 1],
    [2, 1],
    [2, 1],
    [0, 0],
  ]);
});

it("places it in its box", () => {
  const shown = tile(sprites, 10, "/v1/montages/1/sprites");
  expect(shown.backgroundSize).toBe("500% 200%");
  expect(shown.backgroundPosition).toBe("0% 100%");
  expect(tile({ ...sprites, columns: 1, rows: 1, count: 1 }, 3, "/x").backgroundPosition).toBe("0% 0%");
});
