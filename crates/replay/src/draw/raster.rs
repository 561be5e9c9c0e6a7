//! Shapes to images: discs, rings, strokes, with soft edges.
