//! Legacy skins (.osk): which of their files stand for which element.
