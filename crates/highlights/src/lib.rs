//! From what sources list to jobs: reads highlights from wherever they are, selects those that are wanted, and makes the jobs of
//! montages. The scheduler, the command line and the Lambda handler do the same by it.
//!
//! The path of one import: [`definition`] decodes what a person wrote; [`window`] says which days are meant; [`source`] opens the
//! source, which gives every row that it reads to a [`Gathered`]; [`select`] takes what is wanted; [`template`] names it; [`import`]
//! makes the jobs, each with the key under which it is posted; [`post`] posts them. [`run`] does all of it for those that keep no record.
//!
//! Promises: the same rows make the same jobs under the same keys, in whatever order they come. A row that cannot be used is reported with
//! its place and skipped; it never fails the import and is never passed over in silence. Reading is bounded in time, tries, pages and rows.
//! Addresses that users gave are fetched under the guard of `fetch`. Fails with [`source::SourceError`] where a source as a whole cannot be
//! read, which says whether trying again may help.

pub mod candidate;
pub mod definition;
pub mod import;
pub mod post;
pub mod run;
pub mod select;
pub mod source;
pub mod template;
#[cfg(feature = "testing")]
pub mod testing;
pub mod window;

pub use candidate::{Candidate, Gathered, Streamer, When};
pub use import::{Planned, plan};
pub use source::{SourceError, Ways};
pub use window::Window;
