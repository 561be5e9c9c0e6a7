//! The default skin: what is drawn by code where a skin brings nothing.
