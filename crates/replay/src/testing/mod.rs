//! For tests: writes replays, plays maps by itself.
