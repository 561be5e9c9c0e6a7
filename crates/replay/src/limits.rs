//! What a replay, a map, a skin and a video may be at most.

/// Bounds for one production. All are checked before the memory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a .osr file.
    pub replay_bytes: u64,
    /// Bytes of what is unpacked from a replay's block of frames.
    pub replay_unpacked_bytes: u64,
    /// Frames of a replay.
    pub replay_frames: usize,
    /// Files of an archive.
    pub archive_files: usize,
    /// Bytes of one unpacked file of an archive.
    pub archive_file_bytes: u64,
    /// Bytes of all files of an archive that are unpacked.
    pub archive_bytes: u64,
    /// Bytes of a map's file, its storyboard among them.
    pub map_bytes: u64,
    /// Objects of a map.
    pub objects: usize,
    /// Pixels of one image.
    pub image_pixels: u64,
    /// Pixels of all images of a skin, or of a storyboard.
    pub images_pixels: u64,
    /// Seconds of the finished video.
    pub video_seconds: u32,
    /// Seconds of a song.
    pub song_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            replay_bytes: 32 << 20,
            replay_unpacked_bytes: 128 << 20,
            replay_frames: 2_000_000,
            archive_files: 20_000,
            archive_file_bytes: 512 << 20,
            archive_bytes: 1 << 30,
            map_bytes: 32 << 20,
            objects: 50_000,
            image_pixels: 32 << 20,
            images_pixels: 128 << 20,
            video_seconds: 3600,
            song_seconds: 3600,
        }
    }
}
