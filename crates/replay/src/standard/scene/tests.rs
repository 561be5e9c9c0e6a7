//! The scene as a whole.
