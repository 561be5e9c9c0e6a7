//! The writer against what reads its files: a small parser, and FFmpeg's programs.

mod layout;
mod parse;
mod real;
