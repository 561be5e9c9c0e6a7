//! An HLS recording as the executor hands it to a render worker: the segments that the clips need, as one virtual file.

use std::fs::File;
use std::path::Path;

use cutter::source::{ByteSource, FileSource};
use cutter::time::TICKS_PER_SECOND;
use fetch::hls::{MediaPlaylist, Window, windows};
use url::Url;

use crate::material::Clip;

/// What the executor leaves around a clip.
const MARGIN: i64 = 2 * TICKS_PER_SECOND;
/// What is read of every segment to open it: a page.
const OPENING_BYTES: u64 = 16 << 10;

/// The opened recording.
pub struct Recording {
    /// The virtual file.
    pub joined: Joined,
    /// What was read of it to open it (from, to).
    pub opened: Vec<(u64, u64)>,
}

/// Files one after the other.
pub struct Joined {
    /// Where each begins, and the file.
    files: Vec<(u64, FileSource)>,
    length: u64,
}

impl Recording {
    /// Opens what the clips need of the recording behind a playlist.
    pub fn open(playlist: &Path, clips: &[Clip]) -> Self {
        let base = Url::from_file_path(playlist).unwrap();
        let playlist = MediaPlaylist::parse(&std::fs::read(playlist).unwrap(), &base).unwrap();
        let ticks = |seconds: f64| (seconds * TICKS_PER_SECOND as f64) as i64;
        let wished = clips.iter().map(|clip| {
            Some(Window { start: ticks(clip.start()), end: ticks(clip.start() + clip.seconds()) })
        });
        let cutting = windows(&playlist, &wished.collect::<Vec<_>>(), MARGIN);
        assert_eq!(cutting.composites.len(), 1, "the recording has no discontinuity");
        let init = playlist.groups[0].init.iter().map(|init| (&init.url, init.range));
        let segments = cutting.composites[0].segments.iter().map(|&index| &playlist.segments[index]);
        let places = init.chain(segments.map(|segment| (&segment.url, segment.range)));
        let (mut files, mut opened, mut length) = (Vec::new(), Vec::new(), 0);
        for (url, range) in places {
            assert_eq!(range, None, "every segment is a file of its own");
            let file = FileSource::new(File::open(url.to_file_path().unwrap()).unwrap()).unwrap();
            let bytes = file.len();
            opened.push((length, length + bytes.min(OPENING_BYTES)));
            files.push((length, file));
            length += bytes;
        }
        Self { joined: Joined { files, length }, opened }
    }
}

impl ByteSource for Joined {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let place = self.files.partition_point(|(at, _)| *at <= offset);
        match place.checked_sub(1).and_then(|place| self.files.get(place)) {
            Some((at, file)) => file.read_at(offset - at, buf),
            None => Ok(0),
        }
    }
}
