//! Plain test videos, made once per test run by ffmpeg.

use std::{
    path::PathBuf,
    process::Command,
    sync::{Mutex, PoisonError},
};

static MAKING: Mutex<()> = Mutex::new(());

/// A directory that cargo keeps for this test program.
fn directory() -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("videos");
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// Makes a file once, by ffmpeg with the given arguments before the output.
pub fn make(name: &str, arguments: &[&str]) -> PathBuf {
    let _guard = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let path = directory().join(name);
    if !path.exists() {
        let unfinished = directory().join(format!("unfinished-{name}"));
        let status =
            Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments).arg(&unfinished).status();
        assert!(status.expect("ffmpeg is installed: `make test` does it").success(), "ffmpeg {arguments:?}");
        std::fs::rename(unfinished, &path).unwrap();
    }
    path
}

/// Three seconds, small, with a tone.
pub fn short() -> PathBuf {
    make(
        "short.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=30:duration=3",
            "-f",
            "lavfi",
            "-i",
            "sine=duration=3",
            "-shortest",
        ],
    )
}

/// Nine seconds of busy full-HD picture: work for a good while.
pub fn large() -> PathBuf {
    let picture = "testsrc2=size=1920x1080:rate=30:duration=9,noise=alls=20:allf=t";
    make(
        "large.mp4",
        &["-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "30"],
    )
}

/// Six seconds that are small to look at and large to read: many requests, little work.
pub fn heavy() -> PathBuf {
    let picture = "testsrc2=size=320x180:rate=30:duration=6,noise=alls=60:allf=t";
    make(
        "heavy.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            picture,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "5",
            "-g",
            "15",
            "-pix_fmt",
            "yuv420p",
        ],
    )
}
