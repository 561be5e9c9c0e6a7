// The small pictures of a montage: one file with a grid of them, of which one is shown at a time.
import type { CSSProperties } from "react";
import type { Sprites } from "../../api/types";

/** Which picture stands for a second of the montage, as column and row. */
export function placeOf(sprites: Sprites, second: number): { column: number; row: number } {
  const index = Math.max(0, Math.min(sprites.count - 1, Math.floor(second / Math.max(sprites.interval, 0.001))));
  return { column: index % sprites.columns, row: Math.floor(index / sprites.columns) };
}

/** The picture of a second as the background of an element as wide as its box. */
export function tile(sprites: Sprites, second: number, address: string): CSSProperties {
  const { column, row } = placeOf(sprites, second);
  const share = (index: number, all: number) => (all > 1 ? (index / (all - 1)) * 100 : 0);
  return {
    aspectRatio: `${sprites.tile_width} / ${sprites.tile_height}`,
    maxHeight: "100%",
    backgroundImage: `url("${encodeURI(address)}")`,
    backgroundSize: `${sprites.columns * 100}% ${sprites.rows * 100}%`,
    backgroundPosition: `${share(column, sprites.columns)}% ${share(row, sprites.rows)}%`,
  };
}
