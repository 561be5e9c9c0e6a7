//! Orders, renders and readings that the tests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use counter_video::{Mark, read_marks};
use cutter::error::RenderError;
use cutter::order::{ClipOrder, Moment, Order};
use cutter::render::render;
use cutter::report::{MEDIA_FILE, Report};
use cutter::source::{ByteSource, FileSource};
use cutter::time::TICKS_PER_SECOND;
use serde_json::json;
use tempfile::TempDir;

/// A directory for sources and one for the job.
pub struct Bench {
    pub directory: TempDir,
}

/// A rendered montage.
pub struct Montage {
    pub report: Report,
    pub path: PathBuf,
    // Deleted with this.
    _directory: TempDir,
}

/// Ticks of some milliseconds.
pub fn ms(milliseconds: i64) -> Moment {
    Moment::Ticks(TICKS_PER_SECOND / 1000 * milliseconds)
}

/// A clip of `duration` from `start`.
pub fn clip(source: u32, start: Moment, duration: Moment) -> ClipOrder {
    let clip = json!({ "source": source, "start": start, "extent": { "duration": duration } });
    serde_json::from_value(clip).unwrap()
}

/// A clip of whole source frames.
pub fn frames(source: u32, first: u64, count: u64) -> ClipOrder {
    clip(source, Moment::Frames(first), Moment::Frames(count))
}

/// An order for these files; sizes are read from them.
pub fn order(paths: &[PathBuf], clips: Vec<ClipOrder>) -> (Order, Vec<Arc<dyn ByteSource>>) {
    let sources: Vec<Arc<dyn ByteSource>> = paths.iter().map(|path| open(path)).collect();
    let infos: Vec<_> = sources.iter().map(|source| json!({ "bytes": source.len() })).collect();
    let order = json!({ "title": "A test", "sources": infos, "clips": clips });
    let order = serde_json::from_value(order).unwrap();
    (order, sources)
}

/// A file as a source.
pub fn open(path: &Path) -> Arc<dyn ByteSource> {
    Arc::new(FileSource::new(std::fs::File::open(path).unwrap()).unwrap())
}

/// Renders within this process.
pub fn try_render(order: &Order, sources: &[Arc<dyn ByteSource>]) -> Result<Montage, RenderError> {
    let directory = tempfile::tempdir().unwrap();
    let report = render(order, sources, directory.path(), &|_| {})?;
    let path = directory.path().join(MEDIA_FILE);
    Ok(Montage { report, path, _directory: directory })
}

/// Renders clips of these files, which must work.
pub fn montage(paths: &[PathBuf], clips: Vec<ClipOrder>) -> Montage {
    let (order, sources) = order(paths, clips);
    try_render(&order, &sources).unwrap_or_else(|error| panic!("{}: {error}", error.code()))
}

impl Bench {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// Makes a counter video.
    pub fn video(&self, name: &str, video: &counter_video::CounterVideo) -> PathBuf {
        let path = self.directory.path().join(name);
        video.write(&path).unwrap();
        path
    }

    /// Copies a file's streams into another container.
    pub fn remux(&self, from: &Path, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.directory.path().join(name);
        let mut command = std::process::Command::new("ffmpeg");
        command
            .args(["-nostdin", "-loglevel", "error", "-y", "-i"])
            .arg(from)
            .args(["-c", "copy"])
            .args(arguments);
        assert!(command.arg(&path).status().unwrap().success());
        path
    }
}

impl Montage {
    /// Numbers of the source frames that are shown, all of them from `source`.
    pub fn shown(&self, source: u8) -> Vec<u16> {
        let marks = self.marks();
        marks
            .iter()
            .map(|mark| {
                mark.filter(|mark| mark.source == source).unwrap_or_else(|| panic!("{marks:?}")).frame
            })
            .collect()
    }

    pub fn marks(&self) -> Vec<Option<Mark>> {
        read_marks(&self.path, None).unwrap()
    }
}

/// The folder of sample media, if it is there.
pub fn sample(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SM_TEST_MEDIA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata/media"),
        PathBuf::from,
    );
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: the sample {name} is not there (set SM_TEST_MEDIA)");
    None
}
