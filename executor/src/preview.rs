//! The preview of a montage: its clips, copied from their sources, shown one after the other while the montage itself is made.
//!
//! Only clips that are like the canvas are shown, and of each its first minute at most: what is copied is there after seconds,
//! and what would have to be encoded is not made twice. Each clip is a small montage of its own, by a render worker of its own
//! in a directory of its own, with its sound as it is.
//!
//! Promises: nothing that goes wrong here costs the montage anything but processor time, only a lease that has passed to
//! somebody else ends the attempt; one clip is made at a time, and all of it ends when the future is dropped. What the worker
//! says of its file is believed only as far as the file reaches.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use contracts::{
    object::Grant,
    preview::{LONGEST_ENTRY, PreviewEntry, PreviewWish},
    problem::ProblemCode,
    time::ticks_to_seconds,
};
use cutter::{
    order::{
        AudioOptions, CanvasOptions, Cut, CutMode, Extent, MediaLimits, Moment, Order, Transition,
        TransitionKind,
    },
    plan::{Plan, PlannedClip},
    protocol::Task,
    report::{HlsLayout, MEDIA_FILE, Outcome},
    time::TICKS_PER_SECOND,
};
use tokio::task::spawn_blocking;

use crate::{
    api::ApiError,
    attempt::Attempt,
    config::RenderConfig,
    failure::{Failed, machine},
    montage::{Work, explain},
    publish::headers,
    workdir::{open_finished, previews_of},
    worker,
};

/// A montage of which at least so many frames are encoded is worth a preview.
const MANY_FRAMES: u64 = 300;
/// So is one for which at least so many bytes travel.
const MANY_BYTES: u64 = 64 << 20;
/// What is shown of a clip at most, in ticks.
const LONGEST: i64 = 60 * TICKS_PER_SECOND;
/// Most bytes of a clip's files.
const LARGEST: u64 = 1 << 30;
/// Longest initialisation segment that is believed, in bytes.
const LARGEST_INIT: u64 = 1 << 20;

/// Why no more is shown.
enum End {
    /// The preview is over, as the library says.
    Over,
    /// Something failed.
    Failed(Failed),
}

impl From<Failed> for End {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// A clip's preview as it lies finished: the file, its size, the initialisation segment, and where the rest lies.
struct Made {
    path: PathBuf,
    bytes: u64,
    init: Bytes,
    hls: HlsLayout,
}

/// Does some work, and shows a preview as long as it lasts.
pub async fn beside<T>(show: impl Future<Output = ()>, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = show => {}
    }
    work.await
}

/// Makes and shows the preview of a montage whose making takes a while. Ends when everything is shown that can be.
pub async fn show(attempt: &Attempt<'_>, work: &Work<'_>, plan: &Plan) {
    if !is_worth_it(plan) {
        return;
    }
    match show_clips(attempt, work, plan).await {
        Ok(clips) => tracing::debug!(clips, "the preview is complete"),
        Err(End::Over) => tracing::debug!("the preview is over"),
        Err(End::Failed(failed)) => {
            tracing::info!(code = failed.failure.code, message = failed.failure.message, "the preview ends");
        }
    }
}

/// Whether making a montage takes long enough for somebody to look at a preview. Pure.
fn is_worth_it(plan: &Plan) -> bool {
    let bytes = plan
        .clips
        .iter()
        .flat_map(|clip| &clip.spans)
        .fold(0_u64, |sum, (_, length)| sum.saturating_add(*length));
    plan.frames.saturating_sub(plan.copied_frames()) > MANY_FRAMES || bytes > MANY_BYTES
}

/// Shows one clip after the other; answers how many.
async fn show_clips(attempt: &Attempt<'_>, work: &Work<'_>, plan: &Plan) -> Result<usize, End> {
    let (job, fence) = (attempt.job.job_id, attempt.job.fence);
    let order = work.order(attempt)?;
    let (mut entries, mut shown) = (Vec::new(), 0);
    for clip in &plan.clips {
        let Some(order) = order_of(&order, plan, clip) else { continue };
        let dir = previews_of(work.dir).join(clip.index.to_string());
        make_dir(&dir).await?;
        let made = make(attempt, work, clip, order, &dir).await;
        if let Some(made) = made? {
            let name = format!("clip-{}", clip.index);
            send(attempt, &name, &made).await?;
            entries.extend(entries_of(&name, &made.hls));
            shown += 1;
            heed(attempt, attempt.shop.gateway.show_preview(job, fence, &entries, false).await)?;
            tracing::debug!(clip = clip.index, "a clip can be watched already");
        }
        remove_dir(&dir).await;
    }
    if shown > 0 {
        heed(attempt, attempt.shop.gateway.show_preview(job, fence, &entries, true).await)?;
    }
    Ok(shown)
}

/// The order for a clip alone, copied; none where it has to be encoded. Pure.
fn order_of(order: &Order, plan: &Plan, clip: &PlannedClip) -> Option<Order> {
    let asked = order.clips.get(clip.index as usize).filter(|_| clip.differences.is_empty())?;
    let rate = plan.canvas.frame_rate;
    let mut one = asked.clone();
    one.source = 0;
    one.start = Moment::Ticks(clip.start_ticks);
    one.extent = Extent::Duration(Moment::Ticks(rate.frame_to_ticks(clip.frames).min(LONGEST)));
    one.cut = Some(Cut { mode: CutMode::Copy, ..Cut::default() });
    (one.overlay, one.title, one.continues, one.shift_ticks) = (None, None, false, 0);
    Some(Order {
        title: String::new(),
        sources: vec![order.sources.get(clip.source as usize)?.clone()],
        clips: vec![one],
        transition: Transition { kind: TransitionKind::None, ..Transition::default() },
        canvas: CanvasOptions {
            codec: Some(plan.canvas.codec),
            width: Some(plan.canvas.width),
            height: Some(plan.canvas.height),
            frame_rate: Some(rate),
        },
        audio: AudioOptions { loudness_lufs: None, speech: false },
        limits: MediaLimits { threads: 1, ..order.limits },
        ..order.clone()
    })
}

/// Makes a clip's preview in a directory; `None` where not all of it can be copied.
async fn make(
    attempt: &Attempt<'_>,
    work: &Work<'_>,
    clip: &PlannedClip,
    order: Order,
    dir: &Path,
) -> Result<Option<Made>, Failed> {
    let config = &attempt.shop.config.render;
    let config = RenderConfig { output: config.output.min(LARGEST), ..config.clone() };
    let source: Vec<_> = work.sources.readers().into_iter().skip(clip.source as usize).take(1).collect();
    let run = async |task: Task| {
        let done = worker::run(&config, attempt.lease, dir, (order.clone(), task), &source, |_| {}).await;
        done.map_err(|error| explain(error, work.spec, work.clips, work.sources))
    };
    // Planned first: what cannot be copied is found out before anything is encoded.
    let Outcome::Plan(planned) = run(Task::Plan).await? else { return Ok(None) };
    if planned.plan.copied_frames() != planned.plan.frames {
        return Ok(None);
    }
    let task = Task::Montage { plan: Some(Box::new(planned.plan)), keep_pieces: false };
    let Outcome::Montage(report) = run(task).await? else { return Ok(None) };
    let path = dir.join(MEDIA_FILE);
    let read = spawn_blocking(move || read(path, report.hls)).await;
    read.unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map(Some)
        .map_err(|error| machine("Reading a clip's preview", &error))
}

/// Looks at what a worker made. Blocks.
fn read(path: PathBuf, hls: HlsLayout) -> std::io::Result<Made> {
    let mut file = open_finished(&path)?;
    let bytes = file.metadata()?.len();
    if !lies_within(&hls, bytes) {
        return Err(std::io::Error::other("its parts do not lie within it"));
    }
    let (offset, length) = hls.init;
    let mut init = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut init)?;
    Ok(Made { path, bytes, init: init.into(), hls })
}

/// Whether a layout can be that of a file of so many bytes, and be shown. Pure.
fn lies_within(hls: &HlsLayout, bytes: u64) -> bool {
    let within =
        |offset: u64, length: u64| length > 0 && offset.checked_add(length).is_some_and(|end| end <= bytes);
    let plays = |ticks: i64| ticks > 0 && ticks_to_seconds(ticks) <= LONGEST_ENTRY;
    let (offset, length) = hls.init;
    // A fragment is seconds long: more of them than seconds are none of ours.
    let few = !hls.fragments.is_empty() && hls.fragments.len() <= 1000;
    let fragments = hls.fragments.iter().all(|part| within(part.offset, part.bytes) && plays(part.ticks));
    within(offset, length) && length <= LARGEST_INIT && few && fragments
}

fn init_name(name: &str) -> String {
    format!("{name}-init.mp4")
}

/// A clip's entries in the preview. Pure.
fn entries_of(name: &str, hls: &HlsLayout) -> Vec<PreviewEntry> {
    let entry = |(index, part): (usize, &cutter::report::HlsFragment)| PreviewEntry {
        name: format!("{name}.mp4"),
        seconds: ticks_to_seconds(part.ticks),
        discontinuity: index == 0,
        map: (index == 0).then(|| init_name(name)),
        byterange: Some((part.offset, part.bytes)),
    };
    hls.fragments.iter().enumerate().map(entry).collect()
}

/// Sends a clip's objects.
async fn send(attempt: &Attempt<'_>, name: &str, made: &Made) -> Result<(), End> {
    let wishes = [
        PreviewWish { name: init_name(name), bytes: made.init.len() as u64 },
        PreviewWish { name: format!("{name}.mp4"), bytes: made.bytes },
    ];
    let links = attempt.shop.gateway.preview_links(attempt.job.job_id, attempt.job.fence, &wishes).await;
    let links: [Grant; 2] = heed(attempt, links)?.try_into().map_err(|_| {
        Failed::transient("gateway_unavailable", "The gateway gave no links for the preview.")
    })?;
    let [init, media] = &links;
    let (fetcher, door) = (&attempt.shop.door.fetcher.0, &attempt.shop.door);
    let sent = fetcher.put_bytes(&door.absolute(&init.url), &headers(init)?, made.init.clone()).await;
    sent.map_err(Failed::from)?;
    let sent = fetcher.put_file(&door.absolute(&media.url), &headers(media)?, &made.path).await;
    sent.map_err(Failed::from)?;
    Ok(())
}

/// Takes over what a call said: the preview may be over, and the lease may be somebody else's.
fn heed<T>(attempt: &Attempt<'_>, answer: Result<T, ApiError>) -> Result<T, End> {
    if let Err(ApiError::Refused(problem)) = &answer
        && problem.code == ProblemCode::Conflict.as_str()
    {
        return Err(End::Over);
    }
    Ok(attempt.heed(answer)?)
}

async fn make_dir(dir: &Path) -> Result<(), Failed> {
    let made = tokio::fs::create_dir_all(dir).await;
    made.map_err(|error| machine("Making a directory for the preview", &error))
}

/// Removes it early; what is left goes with the job's directory.
async fn remove_dir(dir: &Path) {
    if let Err(error) = tokio::fs::remove_dir_all(dir).await {
        tracing::debug!(%error, "a clip's preview is removed with its job");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutter::{
        facts::Colour,
        order::{ClipOrder, Overlay, SourceInfo},
        plan::{Canvas, Difference, Effects, PLAN_VERSION, SoundPlan, VideoCodec},
        report::HlsFragment,
        time::FrameRate,
    };
    use proptest::prelude::*;

    fn rate() -> FrameRate {
        FrameRate::new(30, 1).unwrap()
    }

    /// A clip of the second source, from its second second on.
    fn clip(seconds: u64, differences: Vec<Difference>) -> PlannedClip {
        PlannedClip {
            index: 0,
            source: 1,
            title: "Clip".to_owned(),
            continues: false,
            start_ticks: TICKS_PER_SECOND,
            asked_ticks: TICKS_PER_SECOND,
            asked_duration_ticks: 0,
            start_frame: 30,
            first_frame: 0,
            frames: 30 * seconds,
            first_sample: 0,
            samples: 48_000 * seconds,
            mode: CutMode::Exact,
            copied_frames: 0,
            differences,
            reason: String::new(),
            effects: Effects::default(),
            sound_key: None,
            speech_key: None,
            spans: vec![(0, 1 << 20)],
        }
    }

    fn plan(clips: Vec<PlannedClip>) -> Plan {
        Plan {
            version: PLAN_VERSION,
            title: "Montage".to_owned(),
            canvas: Canvas {
                codec: VideoCodec::H264,
                width: 320,
                height: 180,
                sar_num: 1,
                sar_den: 1,
                frame_rate: rate(),
                bit_depth: 8,
                colour: Colour::bt709(),
            },
            encoder: Default::default(),
            loudness_lufs: Some(-16.0),
            speech: true,
            sound: SoundPlan::Encode { why: String::new() },
            transition: Transition::default(),
            frames: clips.iter().map(|clip| clip.frames).sum(),
            samples: 0,
            sources: Vec::new(),
            clips,
            segments: Vec::new(),
            poster_frame: None,
        }
    }

    fn order() -> Order {
        let source = |bytes| SourceInfo { bytes, identity: None };
        Order {
            title: "Montage".to_owned(),
            sources: vec![source(1), source(2)],
            clips: vec![ClipOrder {
                source: 1,
                start: Moment::Frames(30),
                extent: Extent::Rest,
                title: Some("Clip".to_owned()),
                cut: None,
                overlay: Some(Overlay { text: "Name".to_owned(), subtitle: None, ticks: TICKS_PER_SECOND }),
                continues: true,
                shift_ticks: 0,
            }],
            cut: Cut::default(),
            transition: Transition { kind: TransitionKind::Dissolve, ..Transition::default() },
            canvas: CanvasOptions::default(),
            audio: AudioOptions::default(),
            limits: MediaLimits::default(),
            encoder: Default::default(),
        }
    }

    #[test]
    fn a_clip_alone_is_copied_for_a_minute_at_most_with_nothing_done_to_it() {
        for (seconds, shown) in [(5, 5), (3600, 60)] {
            let plan = plan(vec![clip(seconds, Vec::new())]);
            let one = order_of(&order(), &plan, &plan.clips[0]).unwrap();
            assert_eq!(one.sources, [SourceInfo { bytes: 2, identity: None }]);
            let clip = &one.clips[0];
            assert_eq!((clip.source, clip.start), (0, Moment::Ticks(TICKS_PER_SECOND)));
            assert_eq!(clip.extent, Extent::Duration(Moment::Ticks(shown * TICKS_PER_SECOND)));
            assert_eq!(clip.cut.unwrap().mode, CutMode::Copy);
            assert!(clip.overlay.is_none() && !clip.continues);
            assert_eq!(one.transition.kind, TransitionKind::None);
            assert_eq!((one.audio.loudness_lufs, one.audio.speech), (None, false));
            assert_eq!((one.canvas.width, one.canvas.frame_rate), (Some(320), Some(rate())));
            assert!(one.problems().is_empty());
        }
        let unlike = plan(vec![clip(5, vec![Difference::Size])]);
        assert!(order_of(&order(), &unlike, &unlike.clips[0]).is_none());
    }

    #[test]
    fn only_what_takes_a_while_is_worth_it() {
        assert!(!is_worth_it(&plan(vec![clip(10, Vec::new())])));
        assert!(is_worth_it(&plan(vec![clip(11, Vec::new())])));
        let mut large = clip(1, Vec::new());
        large.spans = vec![(0, MANY_BYTES), (u64::MAX, u64::MAX)];
        assert!(is_worth_it(&plan(vec![large])));
    }

    #[tokio::test]
    async fn it_ends_with_the_work_and_the_work_does_not_end_with_it() {
        assert_eq!(beside(std::future::pending(), async { 1 }).await, 1);
        let (shown, mut seen) = tokio::sync::oneshot::channel();
        let show = async move {
            let _ = shown.send(());
        };
        let work = async {
            // Only done once the preview was.
            while seen.try_recv().is_err() {
                tokio::task::yield_now().await;
            }
            2
        };
        assert_eq!(beside(show, work).await, 2);
    }

    proptest! {
        /// Whatever a worker says: what passes can be read and shown.
        #[test]
        fn what_is_believed_lies_within_the_file(
            bytes in 0_u64..100,
            init in (0_u64..100, prop_oneof![0_u64..100, Just(u64::MAX)]),
            parts in prop::collection::vec((0_u64..100, prop_oneof![0_u64..100, Just(u64::MAX)], -1..3_i64), 0..4),
        ) {
            let fragments: Vec<_> = parts
                .iter()
                .map(|&(offset, bytes, seconds)| HlsFragment { offset, bytes, ticks: seconds * TICKS_PER_SECOND })
                .collect();
            let hls = HlsLayout { init, fragments };
            let ends = |(offset, length): (u64, u64)| u128::from(offset) + u128::from(length);
            let right = |range: (u64, u64)| range.1 > 0 && ends(range) <= u128::from(bytes);
            let good = right(init)
                && !parts.is_empty()
                && parts.iter().all(|&(offset, length, seconds)| right((offset, length)) && seconds > 0);
            prop_assert_eq!(lies_within(&hls, bytes), good);
            if good {
                let entries = entries_of("clip-0", &hls);
                prop_assert!(entries[0].map.is_some() && entries[0].discontinuity);
                prop_assert!(entries[1..].iter().all(|entry| entry.map.is_none() && !entry.discontinuity));
            }
        }
    }
}
