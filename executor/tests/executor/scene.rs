//! An executor with everything around it: a gateway, media, and a render worker that is a shell script.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use contracts::{
    ids::JobId,
    job::JobKind,
    lease::ClaimedJob,
    spec::{
        Audio, Canvas, Cut, Highlight, JobSpec, MontageSpec, Order, Source, Titles, Transcribe, Transition,
    },
    time::{MediaTime, TICKS_PER_SECOND},
    transcript::Engine,
};
use cutter::{
    facts::Colour,
    order::{self, CutMode, EncoderSettings, SourceInfo},
    plan::{
        Canvas as PlannedCanvas, Effects, PLAN_VERSION, Plan, PlannedClip, Segment, SegmentKind, SoundPlan,
        VideoCodec,
    },
    protocol::{FromWorker, encode_header},
    report::{Check, ClipReport, HlsLayout, MediaFacts, Outcome, PlanReport, Report, SandboxReport, Sprites},
    time::FrameRate,
};
use executor::{
    Config,
    config::{Hints, Pace, RenderConfig, TranscribeConfig},
};
use fetch::{FetchConfig, MediaDir};
use service_kit::Running;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use transcribe::{LocalConfig, OpenAiConfig};

use crate::gateway::{Gateway, PATIENCE};

/// A worker that writes its number and that of its child, and hangs.
pub const HANGS: &str = "sleep 600 & echo $! > $OUT/grandchild; echo $$ > $OUT/leader; wait";

/// A directory for the media, the worker and the executor's work, and a gateway.
pub struct Scene {
    pub dir: tempfile::TempDir,
    pub gateway: Gateway,
    pub config: Config,
    pub shutdown: CancellationToken,
}

/// What is in the one source of most jobs.
pub const SOURCE: &[u8] = b"the bytes of a source that no decoder sees";

impl Scene {
    /// With a render worker that is the shell script `worker`.
    pub async fn new(worker: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let media = dir.path().join("media");
        fs::create_dir(&media).unwrap();
        fs::write(media.join("a.mp4"), SOURCE).unwrap();
        let gateway = Gateway::start().await;
        let config = Config {
            gateway_url: format!("http://{}", gateway.address),
            token: None,
            name: "test".to_owned(),
            slots: 1,
            plan_slots: 1,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            internal_token: None,
            work_dir: dir.path().join("work"),
            render: RenderConfig {
                worker: dir.path().join("render-worker"),
                threads: 1,
                memory: 4 << 30,
                output: 64 << 20,
                cpu: Duration::from_secs(60),
            },
            hints: Hints::LongPoll,
            fetch: FetchConfig {
                media_dirs: vec![MediaDir { name: "media".to_owned(), path: media }],
                ..FetchConfig::default()
            },
            pages: None,
            transcribe: TranscribeConfig {
                local: LocalConfig { models_dir: dir.path().join("no-models"), threads: 1 },
                openai: OpenAiConfig::new("http://127.0.0.1:9", "none"),
            },
            pace: Pace {
                slow_poll: (Duration::from_millis(50), Duration::from_millis(100)),
                ..Pace::default()
            },
        };
        let scene = Self { dir, gateway, config, shutdown: CancellationToken::new() };
        scene.worker(worker);
        scene.message("planned", &planned(plan(None)));
        scene
    }

    /// A file or directory of the scene, outside of the executor's work.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn worker(&self, body: &str) {
        let path = &self.config.render.worker;
        let out = self.dir.path().display();
        fs::write(path, format!("#!/bin/sh\nOUT='{out}'\n{body}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Writes a message to a file that a script can `cat` to its socket.
    pub fn message(&self, name: &str, message: &FromWorker) {
        fs::write(self.path(name), encode_header(message, 0).unwrap()).unwrap();
    }

    pub async fn start(&self) -> Running {
        executor::start(self.config.clone(), self.shutdown.clone()).await.unwrap()
    }

    /// Queues `job` and starts.
    pub async fn start_with(&self, job: ClaimedJob) -> Running {
        self.gateway.set(|script| script.jobs.push_back(job));
        self.start().await
    }

    /// Stops; nothing of any job is left on the disk.
    pub async fn stop(&self, running: Running) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, running.done).await.unwrap().unwrap().unwrap();
        let left: Vec<_> = files_below(&self.config.work_dir);
        assert!(left.iter().all(|path| path.ends_with("lock")), "left behind: {left:?}");
    }

    /// The process id that the worker wrote into a file.
    pub async fn pid(&self, name: &str) -> i32 {
        let path = self.path(name);
        for _ in 0..PATIENCE.as_millis() / 10 {
            if let Ok(text) = fs::read_to_string(&path)
                && let Ok(pid) = text.trim().parse()
                && text.ends_with('\n')
            {
                return pid;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the worker never wrote {name}");
    }
}

pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() { files_below(&path) } else { vec![path] }
        })
        .collect()
}

/// Whether a process runs: it is there and no zombie.
pub fn runs(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit(')').next().unwrap_or_default().trim().chars().next();
    !matches!(state, Some('Z' | 'X') | None)
}

pub async fn until_gone(pids: &[i32]) {
    for _ in 0..PATIENCE.as_millis() / 5 {
        if !pids.iter().any(|pid| runs(*pid)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("still running: {pids:?}");
}

/// A job with one highlight of `source`.
pub fn job_of(source: Source) -> ClaimedJob {
    let spec = MontageSpec {
        highlights: vec![Highlight {
            source,
            start: MediaTime::Ticks(0),
            duration: MediaTime::Ticks(TICKS_PER_SECOND),
            title: Some("The comeback".to_owned()),
            streamer: Some("hana".to_owned()),
            score: Some(9.0),
            cut: None,
        }],
        cut: Cut::default(),
        canvas: Canvas::default(),
        order: Order::default(),
        audio: Audio::default(),
        transition: Transition::default(),
        titles: Titles::default(),
        intro: None,
        outro: None,
        transcribe: Transcribe { engine: Engine::None, language: None },
    };
    ClaimedJob {
        job_id: JobId::generate(),
        fence: 7,
        attempt: 1,
        kind: JobKind::Montage,
        title: "Best of the week".to_owned(),
        labels: BTreeMap::from([("show".to_owned(), "weekly".to_owned())]),
        spec: JobSpec::Montage(spec),
        lease_milliseconds: 30_000,
        heartbeat_milliseconds: 100,
        deadline_milliseconds: 600_000,
        stall_milliseconds: 600_000,
    }
}

/// A job on the scene's own source.
pub fn job() -> ClaimedJob {
    job_of(Source::Path("media:a.mp4".to_owned()))
}

/// A plan of one clip of one encoded segment, out of the one source, whose very bytes may have a name.
pub fn plan(identity: Option<&str>) -> Plan {
    let rate = FrameRate::new(30, 1).unwrap();
    Plan {
        version: PLAN_VERSION,
        title: "Best of the week".to_owned(),
        canvas: PlannedCanvas {
            codec: VideoCodec::H264,
            width: 320,
            height: 180,
            sar_num: 1,
            sar_den: 1,
            frame_rate: rate,
            bit_depth: 8,
            colour: Colour::bt709(),
        },
        encoder: EncoderSettings::default(),
        loudness_lufs: Some(-16.0),
        speech: true,
        sound: SoundPlan::Encode { why: "it is levelled".to_owned() },
        transition: order::Transition::default(),
        frames: 30,
        samples: 48_000,
        sources: vec![SourceInfo { bytes: SOURCE.len() as u64, identity: identity.map(str::to_owned) }],
        clips: vec![PlannedClip {
            index: 0,
            source: 0,
            title: "what the worker made up".to_owned(),
            continues: false,
            start_ticks: 0,
            asked_ticks: 0,
            asked_duration_ticks: TICKS_PER_SECOND,
            start_frame: 0,
            first_frame: 0,
            frames: 30,
            first_sample: 0,
            samples: 48_000,
            mode: CutMode::Exact,
            copied_frames: 0,
            differences: Vec::new(),
            reason: "it is encoded".to_owned(),
            effects: Effects::default(),
            sound_key: Some(SOUND_KEY.to_owned()),
            speech_key: None,
            spans: Vec::new(),
        }],
        segments: vec![Segment {
            index: 0,
            clip: 0,
            first_frame: 0,
            frames: 30,
            at_ticks: 0,
            kind: SegmentKind::Encode,
            key: PICTURE_KEY.to_owned(),
        }],
        poster_frame: None,
    }
}

/// Names the picture of [`plan`].
pub const PICTURE_KEY: &str = "1111111111111111111111111111111111111111111111111111111111111111";
/// Names its sound.
pub const SOUND_KEY: &str = "2222222222222222222222222222222222222222222222222222222222222222";

/// What a worker says that made `plan`.
pub fn planned(plan: Plan) -> FromWorker {
    let report = PlanReport { plan_hash: plan.hash(), plan, sources: vec![None], warnings: Vec::new() };
    FromWorker::Done { outcome: Outcome::Plan(Box::new(report)) }
}

/// The last word of a worker that made a montage.
pub fn done(report: Report) -> FromWorker {
    FromWorker::Done { outcome: Outcome::Montage(Box::new(report)) }
}

/// What a worker says that made `media`.
pub fn report(media: &[u8]) -> Report {
    let rate = FrameRate::new(30, 1).unwrap();
    Report {
        media: MediaFacts {
            width: 320,
            height: 180,
            frame_rate: rate,
            frames: 30,
            duration_ticks: TICKS_PER_SECOND,
            bytes: media.len() as u64,
            sha256: hex::encode(Sha256::digest(media)),
            video_codec: "h264".to_owned(),
            audio_codec: "aac".to_owned(),
            content_type: "video/mp4".to_owned(),
        },
        hls: HlsLayout::default(),
        clips: vec![ClipReport {
            index: 0,
            source: 0,
            title: "what the worker made up".to_owned(),
            montage_start_ticks: 0,
            montage_end_ticks: TICKS_PER_SECOND,
            source_start_ticks: 0,
            source_end_ticks: TICKS_PER_SECOND,
            source_start_frame: 0,
            frames: 30,
            encoded_frames: 30,
            copied_frames: 0,
            sound_offset_ticks: 0,
            loudness: None,
        }],
        segments: Vec::new(),
        sound: "it is levelled".to_owned(),
        pieces_kept: 0,
        pieces_made: 2,
        fallbacks: Vec::new(),
        sprites: Sprites {
            tile_width: 160,
            tile_height: 90,
            columns: 1,
            rows: 1,
            count: 1,
            interval_frames: 30,
            interval_ticks: TICKS_PER_SECOND,
        },
        sources: vec![None],
        plan: plan(None),
        plan_hash: "00".repeat(32),
        checks: vec![Check { name: "frame_count".to_owned(), passed: true, detail: "30 of 30".to_owned() }],
        libraries: Vec::new(),
        sandbox: SandboxReport::default(),
    }
}

/// What a worker does first: it says `$OUT/planned` and ends, once in each job's directory.
pub const PLANS: &str = "if [ ! -e was-planned ]; then touch was-planned; cat $OUT/planned >&3; exit 0; fi";

/// The render worker of this build, where it is built (`cargo build -p cutter`).
pub fn built_worker() -> Option<PathBuf> {
    let worker = std::env::current_exe().unwrap().parent()?.parent()?.join("render-worker");
    worker.is_file().then_some(worker)
}

/// A worker that plans, and then leaves five files and says that it is done, with `before` done first.
pub fn diligent(before: &str) -> String {
    format!(
        "{PLANS}
        {before}
        printf 'the media' > media.mp4
        printf 'a poster' > poster.jpg
        printf 'sprites' > sprites.jpg
        if [ -f $OUT/speech.wav ]; then cat $OUT/speech.wav > speech.wav; else printf 'speech' > speech.wav; fi
        printf 'a playlist' > media.m3u8
        cat $OUT/done >&3"
    )
}
