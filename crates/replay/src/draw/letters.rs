//! Letters drawn by code: capital letters, digits and signs as strokes, for what needs no other script.
