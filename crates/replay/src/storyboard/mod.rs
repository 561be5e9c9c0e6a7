//! Storyboards: their grammar, and what they show at a moment.
