//! A finished video to the library, a montage or a replay: its pieces by signed links, then one request that makes it visible.
//!
//! Promises: what an earlier attempt has published is found and not made again; sizes and hashes are those of the files as they
//! lie there, counted here and not taken from the render worker; the request is sent only under a lease that is held, and from
//! then on only the loss of the lease stops the attempt.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use contracts::{
    ids::MontageId,
    job::Stage,
    montage::{
        Check, Clip, CopiedRange, EncodedRange, MediaInfo, Provenance, PublishRequest, SourceRecord, Sprites,
        StoredPiece,
    },
    object::{Grant, GrantRequest, Piece, WriteWish},
    replay::ReplayReport,
    spec::Source,
    time::ticks_to_seconds,
    transcript::Transcript,
};
use cutter::{
    facts::Probe,
    plan::SegmentKind,
    report::{Report, SegmentReport},
};
use fetch::FetchError;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use tokio::{task::spawn_blocking, time::sleep};

use crate::{
    attempt::Attempt,
    failure::{Failed, machine},
    sources::OpenSource,
    workdir::{Finished, measure},
};

/// The pieces of a video; a replay has no [`Piece::Speech`].
const PIECES: [Piece; 5] = [Piece::Media, Piece::Poster, Piece::Sprites, Piece::Speech, Piece::Playlist];
/// How long pieces may take to be kept when the video is published.
const LAST_PIECES: Duration = Duration::from_secs(30);

/// A video that lies finished in a job's directory.
#[derive(Debug)]
pub struct Made<'a> {
    /// Its title.
    pub title: String,
    /// Its clips, in order.
    pub clips: Vec<Clip>,
    /// What was read: as a person named it, and as it was opened.
    pub sources: &'a [(Source, Arc<OpenSource>)],
    /// What the render worker says of it.
    pub report: &'a Report,
    /// What is said in it.
    pub transcript: Transcript,
    /// Of a replay, what was played.
    pub replay: Option<ReplayReport>,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
}

/// What an earlier attempt at this job has published, taken over as the result of this one.
///
/// # Errors
/// When the gateway does not say, or the attempt has to stop.
pub async fn earlier(attempt: &Attempt<'_>) -> Result<Option<MontageId>, Failed> {
    if attempt.job.attempt <= 1 {
        return Ok(None);
    }
    let published = attempt.heed(attempt.shop.gateway.published(attempt.job.job_id).await)?;
    if let Some(montage) = published {
        tracing::info!(montage_id = %montage, "an earlier attempt has published it already");
        attempt.commit()?;
    }
    Ok(published)
}

/// Makes and publishes something while its finished pieces are kept, and keeps those that are left when it is published.
///
/// # Errors
/// Why it was not published.
pub async fn keeping_pieces(
    attempt: &Attempt<'_>,
    dir: &Path,
    making: impl Future<Output = Result<MontageId, Failed>>,
) -> Result<MontageId, Failed> {
    let montage = attempt.exchange.while_making(attempt, dir, making).await?;
    // It can be seen already; what is left to be kept helps the next one.
    tokio::select! {
        biased;
        () = attempt.lease.leaving() => {}
        () = sleep(LAST_PIECES) => tracing::info!("not all pieces were kept in time"),
        () = attempt.exchange.store_or_say(attempt.shop, attempt.lease, dir) => {}
    }
    Ok(montage)
}

/// Refuses a video that did not pass what the render worker checked.
///
/// # Errors
/// The first check that did not pass.
pub fn passed(report: &Report) -> Result<(), Failed> {
    match report.checks.iter().find(|check| !check.passed) {
        None => Ok(()),
        Some(failed) => Err(Failed::transient(
            "verify_failed",
            format!("The video did not pass a check: {}.", failed.detail),
        )),
    }
}

/// Sends the pieces and publishes the video; answers its id.
///
/// # Errors
/// Why it is not published.
pub async fn publish(attempt: &Attempt<'_>, made: Made<'_>, dir: &Path) -> Result<MontageId, Failed> {
    let files = measure_pieces(dir, made.replay.is_none()).await?;
    let media = files.first().map(|(_, finished)| finished.clone());
    let Some(media) = media
        .filter(|media| media.bytes == made.report.media.bytes && media.sha256 == made.report.media.sha256)
    else {
        return Err(Failed::transient(
            "worker_protocol",
            "The render worker's file is not the one that it reported.",
        ));
    };
    let mut stored = Vec::with_capacity(files.len());
    for (index, (piece, finished)) in files.iter().enumerate() {
        stored.push(store(attempt, *piece, finished, dir).await?);
        attempt.reporter.stage(Stage::Publishing, 0.9 * (index + 1) as f64 / files.len() as f64);
    }
    let provenance = provenance(attempt, &made);
    let request = PublishRequest {
        job_id: attempt.job.job_id,
        fence: attempt.job.fence,
        executor_id: attempt.shop.gateway.executor(),
        title: made.title,
        labels: attempt.job.labels.clone(),
        media: media_info(made.report, media),
        clips: made.clips,
        sprites: sprites(made.report),
        pieces: stored,
        transcript: made.transcript,
        provenance,
        replay: made.replay,
    };
    attempt.commit()?;
    let montage = attempt.heed(attempt.shop.gateway.publish(&request).await)?;
    attempt.reporter.stage(Stage::Publishing, 1.0);
    Ok(montage)
}

/// Sizes and hashes of the pieces in a directory, the media first.
async fn measure_pieces(dir: &Path, with_speech: bool) -> Result<Vec<(Piece, Finished)>, Failed> {
    let dir = dir.to_owned();
    let measured = spawn_blocking(move || {
        PIECES
            .into_iter()
            .filter(|piece| with_speech || *piece != Piece::Speech)
            .map(|piece| Ok((piece, measure(&dir.join(piece.file_name())).map_err(|error| (piece, error))?)))
            .collect::<Result<Vec<_>, (Piece, std::io::Error)>>()
    });
    match measured.await {
        Ok(Ok(files)) => Ok(files),
        Ok(Err((piece, error))) => {
            tracing::warn!(piece = piece.file_name(), %error, "a piece of the result cannot be used");
            Err(Failed::transient(
                "worker_protocol",
                format!("The render worker left no usable {} behind.", piece.file_name()),
            ))
        }
        Err(error) => Err(machine("Reading the result", &std::io::Error::other(error))),
    }
}

/// Sends one piece. A link that has ended meanwhile is asked for once more.
async fn store(
    attempt: &Attempt<'_>,
    piece: Piece,
    finished: &Finished,
    dir: &Path,
) -> Result<StoredPiece, Failed> {
    let path = dir.join(piece.file_name());
    let mut again = true;
    loop {
        let grant = write_grant(attempt, piece, finished.bytes).await?;
        let url = attempt.shop.door.absolute(&grant.url);
        let headers = headers(&grant)?;
        // Sending bounds its own time, by the size.
        let sending = attempt.shop.door.fetcher.0.put_file(&url, &headers, &path);
        match attempt.reporter.while_it_lasts(sending).await {
            Ok(_) => {
                return Ok(StoredPiece {
                    piece,
                    key: grant.key,
                    bytes: finished.bytes,
                    sha256: finished.sha256.clone(),
                });
            }
            Err(FetchError::Forbidden { .. }) if again => again = false,
            Err(error) => {
                tracing::warn!(piece = piece.file_name(), %error, "a piece of the result was not stored");
                // Whatever the store says, it is not the job that is wrong.
                return Err(Failed::transient(
                    "store_unavailable",
                    format!(
                        "The library did not take {}: {}. Its log says more, perhaps that its object store is full; the job is tried again by itself.",
                        piece.file_name(),
                        why(&error)
                    ),
                ));
            }
        }
    }
}

/// Without the link, which is nobody's business.
fn why(error: &FetchError) -> &str {
    match error {
        FetchError::Unreachable { reason, .. } | FetchError::Timeout { reason, .. } => reason,
        other => other.code(),
    }
}

async fn write_grant(attempt: &Attempt<'_>, piece: Piece, bytes: u64) -> Result<Grant, Failed> {
    let request = GrantRequest {
        write: vec![WriteWish { piece, bytes }],
        ..GrantRequest::new(attempt.job.job_id, attempt.job.fence, attempt.shop.gateway.executor())
    };
    let grants = attempt.heed(attempt.shop.gateway.grants(&request).await)?;
    let grant = grants.write.into_iter().next();
    grant.ok_or_else(|| {
        Failed::transient("gateway_unavailable", "The gateway gave no link to store the result.")
    })
}

/// The headers of a link, for sending.
pub(crate) fn headers(grant: &Grant) -> Result<HeaderMap, Failed> {
    let mut headers = HeaderMap::new();
    for (name, value) in &grant.headers {
        let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) else {
            return Err(Failed::transient(
                "gateway_unavailable",
                "The gateway gave a link with headers that cannot be sent.",
            ));
        };
        headers.insert(name, value);
    }
    Ok(headers)
}

fn media_info(report: &Report, media: Finished) -> MediaInfo {
    let facts = &report.media;
    MediaInfo {
        width: facts.width,
        height: facts.height,
        frame_rate: rate(facts.frame_rate),
        frames: facts.frames,
        duration_ticks: facts.duration_ticks,
        duration: ticks_to_seconds(facts.duration_ticks),
        bytes: media.bytes,
        sha256: media.sha256,
    }
}

fn rate(rate: cutter::time::FrameRate) -> String {
    format!("{}/{}", rate.num(), rate.den())
}

fn sprites(report: &Report) -> Sprites {
    let sprites = &report.sprites;
    Sprites {
        tile_width: sprites.tile_width,
        tile_height: sprites.tile_height,
        columns: sprites.columns,
        rows: sprites.rows,
        count: sprites.count,
        interval: ticks_to_seconds(sprites.interval_ticks),
    }
}

fn provenance(attempt: &Attempt<'_>, made: &Made<'_>) -> Provenance {
    let report = made.report;
    let sources = made.sources.iter().enumerate().map(|(index, (named, source))| {
        let cost = source.cost();
        let media = report.sources.get(index).and_then(Option::as_ref).map(describe);
        // Of a playlist it is told which of its segments were read.
        let description: Vec<String> =
            media.into_iter().chain(source.playlist().map(ToString::to_string)).collect();
        SourceRecord {
            source: named.display(),
            identity: source.identity().to_owned(),
            bytes: source.bytes(),
            bytes_read: cost.bytes_fetched,
            requests: cost.requests,
            description: description.join("; "),
        }
    });
    let versions: BTreeMap<String, String> = report
        .libraries
        .iter()
        .map(|library| (library.name.clone(), library.version.clone()))
        .chain([("stream-montages".to_owned(), env!("CARGO_PKG_VERSION").to_owned())])
        .collect();
    let audio: Vec<_> =
        report.clips.iter().map(|clip| json!({ "clip": clip.index, "loudness": clip.loudness })).collect();
    let tally = attempt.exchange.tally(&report.plan, &attempt.shop.config.name);
    Provenance {
        executor: attempt.shop.config.name.clone(),
        attempt: attempt.job.attempt,
        started_at: made.started_at,
        finished_at: Utc::now(),
        sources: sources.collect(),
        plan: serde_json::to_value(&report.plan).unwrap_or_default(),
        plan_hash: report.plan_hash.clone(),
        frames_encoded: report.plan.frames - report.plan.copied_frames(),
        frames_copied: report.plan.copied_frames(),
        copied: copied(report),
        encoded: encoded(report),
        segments_reused: tally.reused,
        segments_made: tally.made,
        executors: tally.executors,
        audio: json!(audio),
        checks: report
            .checks
            .iter()
            .map(|check| Check {
                name: check.name.clone(),
                passed: check.passed,
                detail: check.detail.clone(),
            })
            .collect(),
        versions,
        sandbox: sandbox(attempt, report),
    }
}

/// The frames that are the source's, bit for bit.
fn copied(report: &Report) -> Vec<CopiedRange> {
    let copies = report.segments.iter().filter(|segment| segment.kind == SegmentKind::Copy);
    let range = |segment: &SegmentReport| CopiedRange {
        clip: segment.clip,
        first_frame: segment.first_frame,
        frames: segment.frames,
        sha256: segment.sha256.clone(),
    };
    copies.map(range).collect()
}

/// The frames that were encoded, each with its clip's reason.
fn encoded(report: &Report) -> Vec<EncodedRange> {
    let others = report.segments.iter().filter(|segment| segment.kind != SegmentKind::Copy);
    let reason = |clip: u32| report.plan.clips.get(clip as usize).map(|clip| clip.reason.clone());
    let range = |segment: &SegmentReport| EncodedRange {
        clip: segment.clip,
        first_frame: segment.first_frame,
        frames: segment.frames,
        reason: match segment.kind {
            SegmentKind::Blend => "one clip turns into the next".to_owned(),
            _ => reason(segment.clip).unwrap_or_default(),
        },
    };
    others.map(range).collect()
}

fn describe(probe: &Probe) -> String {
    let video = &probe.video;
    let mut text = format!(
        "{}, {} {}x{} at {} frames a second{}",
        probe.container,
        video.codec,
        video.width,
        video.height,
        rate(video.frame_rate),
        if video.variable_rate { " on average" } else { "" }
    );
    match &probe.audio {
        Some(audio) => {
            text.push_str(&format!(
                ", {} {} Hz with {} channels",
                audio.codec, audio.sample_rate, audio.channels
            ));
        }
        None => text.push_str(", no sound"),
    }
    text
}

fn sandbox(attempt: &Attempt<'_>, report: &Report) -> Vec<String> {
    let (render, sandbox) = (&attempt.shop.config.render, &report.sandbox);
    let mut words = vec![
        "process group of its own, no environment, no inherited files but its socket".to_owned(),
        format!("address space at most {} bytes", render.memory),
        format!("files at most {} bytes", render.output),
        format!("processor time at most {} s", render.cpu.as_secs()),
    ];
    if sandbox.no_new_privileges {
        words.push("no new privileges".to_owned());
    }
    words.push(format!("landlock {}", sandbox.landlock));
    if sandbox.seccomp {
        words.push("seccomp".to_owned());
    }
    words
}
