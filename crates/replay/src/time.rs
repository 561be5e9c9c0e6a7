//! Times: whole microseconds of the map's own time, and how video frames count in them.

/// Microseconds on the map: 0 is where its song begins, at any speed of play.
pub type Micros = i64;

/// A time of a map or a replay, in milliseconds, as microseconds. Times beyond a day are brought back to it.
#[must_use]
pub fn micros(milliseconds: f64) -> Micros {
    const DAY: f64 = 86_400_000.0;
    if milliseconds.is_nan() {
        return 0;
    }
    (milliseconds.clamp(-DAY, DAY) * 1000.0).round() as Micros
}

/// How fast the map's time runs, as a fraction: 3/2 with DoubleTime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed {
    /// Milliseconds of the map …
    pub map: u32,
    /// … in so many milliseconds of the video.
    pub video: u32,
}

impl Speed {
    /// As it was written.
    pub const NORMAL: Self = Self { map: 1, video: 1 };

    /// As a number, for rules that are stated with one.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.map) / f64::from(self.video.max(1))
    }

    /// How long something is on the map that is so long in the video.
    #[must_use]
    pub fn on_map(self, video: i64) -> i64 {
        (i128::from(video) * i128::from(self.map) / i128::from(self.video.max(1))) as i64
    }

    /// How long something is in the video that is so long on the map.
    #[must_use]
    pub fn on_video(self, map: i64) -> i64 {
        (i128::from(map) * i128::from(self.video) / i128::from(self.map.max(1))) as i64
    }
}

/// Where the frames of a video stand in the map's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The map's time of frame 0.
    pub first: Micros,
    /// Frames in a second: numerator and denominator.
    pub rate: (u32, u32),
    /// How fast the map's time runs.
    pub speed: Speed,
}

impl Clock {
    /// The map's time at which frame `frame`, counted from 0, is seen first.
    #[must_use]
    pub fn at(&self, frame: u64) -> Micros {
        self.at_sub_frame(frame, 0, 1)
    }

    /// The map's time of part `part` of `parts` of a frame.
    #[must_use]
    pub fn at_sub_frame(&self, frame: u64, part: u32, parts: u32) -> Micros {
        let parts = i128::from(parts.max(1));
        let sub_frames = i128::from(frame) * parts + i128::from(part);
        let over = sub_frames * 1_000_000 * i128::from(self.rate.1) * i128::from(self.speed.map);
        let under = i128::from(self.rate.0.max(1)) * i128::from(self.speed.video.max(1)) * parts;
        self.first.saturating_add((over / under) as i64)
    }

    /// When a time of the map is seen, in microseconds of the video since its first frame.
    #[must_use]
    pub fn shown_at(&self, at: Micros) -> i64 {
        self.speed.on_video(at.saturating_sub(self.first))
    }

    /// The same frames on a clock of the video itself, which begins at 0 and runs as it is played.
    #[must_use]
    pub fn of_video(&self) -> Self {
        Self { first: 0, rate: self.rate, speed: Speed::NORMAL }
    }

    /// The first frame that is seen at or after a time of the map; 0 for what is before the video.
    #[must_use]
    pub fn frame_at(&self, at: Micros) -> u64 {
        let since = i128::from(at.saturating_sub(self.first).max(0));
        let over = since * i128::from(self.rate.0) * i128::from(self.speed.video);
        let under = 1_000_000 * i128::from(self.rate.1.max(1)) * i128::from(self.speed.map.max(1));
        u64::try_from((over + under - 1) / under).unwrap_or(0)
    }
}
