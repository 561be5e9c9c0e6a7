//! The media behind the address of a page, found by a program that the operator provides (`SM_YT_DLP`).
//!
//! The program reads pages that strangers wrote. It gets no secrets and no settings of ours, an empty home directory, and one way
//! out: a proxy on loopback that obeys the fetch guard and bounds its bytes. Its time and its words are bounded, and it dies with
//! its whole process group when it is done, when its time is over or when nobody waits any more. What it says is not trusted: the
//! address that it finds is opened like one that a user gave.

use std::{
    io::{self, Read},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use fetch::{FetchError, Fetcher, GuardedProxy, ProxyLimits};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde::Deserialize;
use tokio::{sync::oneshot, time::timeout};

use crate::config::PagesConfig;

/// Bytes that one page may cost, both ways together.
const MOST_TRAFFIC: u64 = 128 << 20;
/// Connections at the same time.
const MOST_CONNECTIONS: usize = 16;
/// The most that it may say on standard output.
const MOST_OUTPUT: u64 = 32 << 20;
/// How much of what it says on standard error is looked at.
const MOST_ERRORS: u64 = 64 << 10;
/// How much of its reason is told.
const MOST_REASON: usize = 240;
/// The formats that are looked at.
const MOST_FORMATS: usize = 2000;

/// The media behind a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its address, which ends after a while.
    pub url: String,
    /// Which of the page's formats it is.
    pub format: String,
}

/// Runs the program for one page and chooses a format of at most `max_pixels`.
///
/// # Errors
/// [`FetchError::Timeout`], [`FetchError::Unusable`] with the program's reason, [`FetchError::Local`] if it cannot be started.
pub async fn find(
    config: &PagesConfig,
    fetcher: &Fetcher,
    page: &str,
    max_pixels: u64,
) -> Result<Found, FetchError> {
    let shown = fetch::parse_url(page).map(|url| fetch::RedactedUrl::new(&url).to_string())?;
    let limits = ProxyLimits { bytes: MOST_TRAFFIC, connections: MOST_CONNECTIONS };
    let proxy = fetcher.proxy(limits).await?;
    let failed = |error: io::Error| FetchError::Local {
        action: "running yt-dlp (SM_YT_DLP)".to_owned(),
        reason: error.kind().to_string(),
    };
    let home = tempfile::tempdir().map_err(failed)?;
    let running = Running::start(command(config, &proxy, home.path(), page)).map_err(failed)?;
    let said = match timeout(config.time, running.said()).await {
        Ok(said) => said.map_err(failed)?,
        Err(_) => {
            let reason =
                format!("yt-dlp was not done with it within {} s (SM_YT_DLP_TIME)", config.time.as_secs());
            return Err(FetchError::Timeout { source_name: shown, reason });
        }
    };
    let unusable = |reason: String| FetchError::Unusable { source_name: shown.clone(), reason };
    if said.output.len() as u64 > MOST_OUTPUT {
        return Err(unusable("yt-dlp says too much about it".to_owned()));
    }
    if !said.status.success() {
        return Err(unusable(format!("yt-dlp finds no media in it{}", reason(&said.errors))));
    }
    let info: Info = serde_json::from_slice(&said.output)
        .map_err(|_| unusable("yt-dlp's answer about it cannot be read".to_owned()))?;
    choose(info, max_pixels).map_err(|reason| unusable(reason.to_owned()))
}

/// The page's address is an argument of its own after the end of the options; no shell sees it.
fn command(config: &PagesConfig, proxy: &GuardedProxy, home: &Path, page: &str) -> Command {
    let mut command = Command::new(&config.program);
    command
        .args([
            "--no-config",
            "--no-cache-dir",
            "--no-playlist",
            "--dump-single-json",
            "--proxy",
            &proxy.url(),
        ])
        .args(["--", page])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("LANG", "C.UTF-8")
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    command
}

/// What a child left behind.
struct Said {
    status: ExitStatus,
    output: Vec<u8>,
    errors: Vec<u8>,
}

/// A started child. Its whole group is killed when this is dropped.
struct Running {
    group: Arc<Group>,
    end: oneshot::Receiver<io::Result<Said>>,
}

/// The group's number for as long as it is surely the child's: until the child is reaped.
struct Group(Mutex<Option<Pid>>);

impl Group {
    fn kill(&self) {
        if let Some(leader) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // One that is gone already is what was wanted.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Running {
    fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let leader = Pid::from_child(&child);
        let group = Arc::new(Group(Mutex::new(Some(leader))));
        let (ended, end) = oneshot::channel();
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let held = Arc::clone(&group);
        // Threads of their own: the child may hold them for as long as it runs.
        let errors = std::thread::Builder::new().name("page-errors".to_owned()).spawn(move || {
            let mut kept = Vec::new();
            if let Some(mut errors) = errors {
                let _ = errors.by_ref().take(MOST_ERRORS).read_to_end(&mut kept);
                // Read on, so that it is not held up.
                let _ = io::copy(&mut errors, &mut io::sink());
            }
            kept
        });
        let watch = std::thread::Builder::new().name("page-output".to_owned()).spawn(move || {
            let mut kept = Vec::new();
            if let Some(output) = output {
                let _ = output.take(MOST_OUTPUT + 1).read_to_end(&mut kept);
                if kept.len() as u64 > MOST_OUTPUT {
                    held.kill();
                }
            }
            // Waits without reaping, so that the number stays taken until the rest of the group is dead.
            while let Err(rustix::io::Errno::INTR) =
                waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            {}
            held.kill();
            let status = {
                let mut number = held.0.lock().unwrap_or_else(PoisonError::into_inner);
                *number = None;
                child.wait()
            };
            let errors = errors.map(|thread| thread.join().unwrap_or_default()).unwrap_or_default();
            // Nobody may wait any more.
            let _ = ended.send(status.map(|status| Said { status, output: kept, errors }));
        });
        let running = Self { group, end };
        // Dropped, and with it the child killed, where the thread could not be made.
        watch?;
        Ok(running)
    }

    async fn said(mut self) -> io::Result<Said> {
        (&mut self.end).await.map_err(|_| io::Error::other("its thread ended"))?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.group.kill();
    }
}

/// Its last error line, without addresses, which may hold secrets, and without what a terminal would obey.
fn reason(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let Some(line) = text.lines().rev().find_map(|line| line.trim().strip_prefix("ERROR:")) else {
        return String::new();
    };
    let words: Vec<&str> =
        line.split_whitespace().map(|word| if word.contains("://") { "…" } else { word }).collect();
    let kept: String =
        words.join(" ").chars().filter(|letter| !letter.is_control()).take(MOST_REASON).collect();
    format!(": {kept}")
}

/// What the program says of a page, as far as it matters.
#[derive(Debug, Default, Deserialize)]
struct Info {
    #[serde(rename = "_type")]
    kind: Option<String>,
    is_live: Option<bool>,
    formats: Option<Vec<Format>>,
    /// Pages with one format have it here.
    #[serde(flatten)]
    only: Format,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Format {
    url: Option<String>,
    format_id: Option<String>,
    protocol: Option<String>,
    ext: Option<String>,
    vcodec: Option<String>,
    acodec: Option<String>,
    width: Option<f64>,
    height: Option<f64>,
    tbr: Option<f64>,
    has_drm: Option<serde_json::Value>,
}

/// How the bytes of a format come; the better, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Playlist,
    File,
}

impl Format {
    fn way(&self) -> Option<Way> {
        match self.protocol.as_deref() {
            Some("https" | "http") => Some(Way::File),
            Some("m3u8" | "m3u8_native") => Some(Way::Playlist),
            _ => None,
        }
    }

    fn pixels(&self) -> f64 {
        let known = |side: Option<f64>| side.filter(|side| side.is_finite() && *side > 0.0);
        match (known(self.width), known(self.height)) {
            (Some(width), Some(height)) => width * height,
            (None, Some(height)) => height * height * 16.0 / 9.0,
            _ => 0.0,
        }
    }

    /// Picture and sound together, without a lock, in a way that can be fetched.
    fn is_usable(&self) -> bool {
        let absent = |codec: &Option<String>| codec.as_deref() == Some("none");
        let locked = self.has_drm.as_ref().is_some_and(|drm| *drm != false && !drm.is_null());
        self.url.is_some()
            && self.way().is_some()
            && !absent(&self.vcodec)
            && !absent(&self.acodec)
            && !locked
    }

    /// H.264 and HEVC; what is not told is mostly the first.
    fn is_common(&self) -> bool {
        self.vcodec.as_deref().is_none_or(|codec| {
            ["avc", "h264", "hev", "hvc", "h265"].iter().any(|name| codec.starts_with(name))
        })
    }
}

/// The format with picture and sound together that shows most within the limit; a file rather than a playlist.
fn choose(info: Info, max_pixels: u64) -> Result<Found, &'static str> {
    if info.kind.as_deref().is_some_and(|kind| kind != "video") {
        return Err("it holds several videos. Give the page of one of them");
    }
    if info.is_live == Some(true) {
        return Err("it is a live stream. Give the recording's page, when it is finished");
    }
    let formats = info.formats.filter(|formats| !formats.is_empty()).unwrap_or_else(|| vec![info.only]);
    let limit = max_pixels as f64;
    let rank = |format: &Format| {
        let pixels = format.pixels();
        let fits = pixels <= limit;
        (
            format.is_common(),
            fits,
            if fits { pixels } else { -pixels },
            format.way(),
            format.ext.as_deref() == Some("mp4"),
        )
    };
    let bits = |format: &Format| format.tbr.filter(|bits| bits.is_finite()).unwrap_or(0.0);
    formats
        .into_iter()
        .take(MOST_FORMATS)
        .filter(Format::is_usable)
        .max_by(|a, b| {
            rank(a)
                .partial_cmp(&rank(b))
                .unwrap_or(std::cmp::Ordering::Equal)
                .then_with(|| bits(a).total_cmp(&bits(b)))
        })
        .and_then(|format| Some(Found { url: format.url?, format: format.format_id.unwrap_or_default() }))
        .ok_or("it has no format with picture and sound together that could be fetched")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const HD: u64 = 1920 * 1080;

    fn chosen(info: serde_json::Value) -> Result<String, &'static str> {
        choose(serde_json::from_value(info).unwrap(), HD).map(|found| found.format)
    }

    #[test]
    fn picture_and_sound_together_within_the_limit() {
        let format = |id: &str, height: u32, protocol: &str, vcodec: &str, acodec: &str| {
            json!({ "format_id": id, "height": height, "protocol": protocol, "vcodec": vcodec, "acodec": acodec,
                    "url": "https://a.example/x", "ext": "mp4" })
        };
        let formats = json!({ "formats": [
            format("sound", 0, "https", "none", "mp4a"),
            format("silent", 1080, "https", "avc1", "none"),
            format("dash", 1080, "http_dash_segments", "avc1", "mp4a"),
            format("hls", 720, "m3u8_native", "avc1", "mp4a"),
            format("file", 720, "https", "avc1", "mp4a"),
            format("huge", 2160, "https", "avc1", "mp4a"),
            format("rare", 1080, "https", "av01", "mp4a"),
            { "format_id": "locked", "height": 1080, "protocol": "https", "url": "https://a.example/", "has_drm": true },
        ]});
        assert_eq!(chosen(formats), Ok("file".to_owned()));
        assert_eq!(
            chosen(json!({ "url": "https://a.example/x.mp4", "protocol": "https" })),
            Ok(String::new())
        );
        assert!(chosen(json!({ "_type": "playlist", "entries": [] })).is_err());
        assert!(
            chosen(json!({ "is_live": true, "url": "https://a.example/", "protocol": "https" })).is_err()
        );
        assert!(chosen(json!({ "formats": [] })).is_err());
    }

    #[test]
    fn its_reason_is_told_without_addresses() {
        let errors =
            b"WARNING: x\nERROR: [site] 1: Unable to open https://a.example/?key=SECRET \x1b[31m(403)\n";
        let told = reason(errors);
        assert!(
            told.contains("Unable to open … ") && !told.contains("SECRET") && !told.contains('\x1b'),
            "{told}"
        );
        assert_eq!(reason(b"nothing"), "");
    }

    proptest! {
        #[test]
        fn any_answer_is_judged_without_panic(text in "\\{(\"(url|formats|protocol|height|tbr|is_live)\":(1|null|\"https\"|\\[\\{\\}\\]|1e999|true),?){0,6}\\}") {
            if let Ok(info) = serde_json::from_str::<Info>(&text) {
                let _ = choose(info, HD);
            }
        }

        #[test]
        fn the_limit_is_kept_where_it_can_be(heights in prop::collection::vec(1_u32..5000, 1..20)) {
            let formats: Vec<_> = heights.iter().map(|height| json!({
                "format_id": height.to_string(), "url": "https://a.example/", "protocol": "https", "height": height, "width": height
            })).collect();
            let best: f64 = chosen(json!({ "formats": formats })).unwrap().parse().unwrap();
            let fitting = heights.iter().copied().filter(|height| u64::from(height * height) <= HD).max();
            let wanted = fitting.unwrap_or_else(|| heights.iter().copied().min().unwrap());
            prop_assert!((best - f64::from(wanted)).abs() < 0.5);
        }
    }
}
