//! Publishing a result: the checks, the decision and the one transaction.
//!
//! Promises: one row per job, written only by the newest fence that came; the same publish again is answered the same and
//! changes nothing; a replaced attempt's objects go. Every piece is in the store with its size before the row says so.

use contracts::{
    decode::Mistakes,
    ids::{JobId, MontageId},
    montage::{Provenance, PublishRequest, StoredPiece},
    object::Piece,
    problem::ProblemCode,
    spec::{LABEL_RULE, LONGEST_TITLE, MOST_HIGHLIGHTS, MOST_LABELS, is_label},
    transcript::{Cue, Transcript},
};
use fetch::FetchError;
use futures::TryStreamExt;
use service_kit::problem::{ApiError, ApiResult};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    app::{App, key, store_error},
    playlists, previews,
    rows::piece_name,
};

/// Most cues of a transcript.
const MOST_CUES: usize = 200_000;

/// Where the objects of one attempt are. Nothing else is ever written there.
pub fn attempt_prefix(job: JobId, fence: i64) -> String {
    format!("montages/{job}/{fence}")
}

/// What a publish meets: the fence and content of the row that is there, and whether it is in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub id: Uuid,
    pub fence: i64,
    pub content_sha256: String,
    pub deleted: bool,
}

/// What a publish does.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// The job's first result.
    Insert,
    /// A newer attempt's result takes the place of an older one's.
    Replace,
    /// It is there already.
    Replay,
    /// An older attempt comes late.
    Stale,
    /// The same attempt says two different things.
    Contradiction,
    /// Somebody deleted the job's montage.
    Deleted,
}

/// Decides about a publish. Pure.
pub fn decide(present: Option<&Published>, fence: i64, content_sha256: &str) -> Decision {
    match present {
        None => Decision::Insert,
        Some(present) if present.deleted => Decision::Deleted,
        Some(present) if present.fence > fence => Decision::Stale,
        Some(present) if present.fence < fence => Decision::Replace,
        Some(present) if present.content_sha256 == content_sha256 => Decision::Replay,
        Some(_) => Decision::Contradiction,
    }
}

/// What happened to a publish.
pub enum Outcome {
    Created(MontageId),
    Replaced(MontageId),
    Replayed(MontageId),
}

/// Checks what an executor sent: all mistakes at once.
pub fn check(request: &PublishRequest) -> ApiResult<()> {
    let mut mistakes = Mistakes::default();
    if request.fence < 1 {
        mistakes.add("/fence", "fences begin at 1");
    }
    check_title(&request.title, "/title", &mut mistakes);
    if request.labels.len() > MOST_LABELS || !request.labels.iter().all(|(name, value)| is_label(name, value))
    {
        mistakes.add("/labels", format!("at most {MOST_LABELS}; {LABEL_RULE}"));
    }
    let media = &request.media;
    if !(media.duration.is_finite() && media.duration > 0.0) {
        mistakes.add("/media/duration", "expected more than 0 seconds");
    }
    for (name, pixels) in [("width", media.width), ("height", media.height)] {
        if !(1..=65_535).contains(&pixels) {
            mistakes.add(format!("/media/{name}"), "expected 1 to 65535 pixels");
        }
    }
    if request.clips.is_empty() || request.clips.len() > MOST_HIGHLIGHTS {
        mistakes.add("/clips", format!("expected 1 to {MOST_HIGHLIGHTS}"));
    }
    check_pieces(request, &mut mistakes);
    check_transcript(&request.transcript, request.clips.len(), &mut mistakes);
    check_copies(&request.provenance, media.frames, &mut mistakes);
    // PostgreSQL stores no NUL, and no name has one.
    match serde_json::to_string(request) {
        Ok(text) if !text.contains("\\u0000") => {}
        _ => mistakes.add("", "a text holds a NUL character or a number is not finite"),
    }
    mistakes.finish(Some(())).map_err(ApiError::invalid)
}

/// Checks a title.
pub fn check_title(title: &str, pointer: &str, mistakes: &mut Mistakes) {
    let length = title.chars().count();
    if title.trim().is_empty() || length > LONGEST_TITLE || title.chars().any(char::is_control) {
        mistakes.add(
            pointer,
            format!("expected 1 to {LONGEST_TITLE} characters, none of them a control character"),
        );
    }
}

fn check_pieces(request: &PublishRequest, mistakes: &mut Mistakes) {
    for wanted in [Piece::Media, Piece::Poster, Piece::Sprites] {
        if !request.pieces.iter().any(|piece| piece.piece == wanted) {
            mistakes.add("/pieces", format!("`{}` is missing", piece_name(wanted)));
        }
    }
    for (index, piece) in request.pieces.iter().enumerate() {
        let StoredPiece { piece: kind, key, bytes, sha256 } = piece;
        if request.pieces.iter().filter(|other| other.piece == *kind).count() > 1 {
            mistakes.add(format!("/pieces/{index}/piece"), "named twice");
        }
        let own = format!("{}/{}", attempt_prefix(request.job_id, request.fence), kind.file_name());
        if *key != own {
            mistakes.add(format!("/pieces/{index}/key"), "not a key that was granted to this job and fence");
        }
        if !is_sha256(sha256) {
            mistakes.add(format!("/pieces/{index}/sha256"), "expected 64 hexadecimal digits in lower case");
        }
        let media = &request.media;
        if *kind == Piece::Media && (*bytes != media.bytes || *sha256 != media.sha256) {
            mistakes.add(format!("/pieces/{index}"), "size or hash differ from those of `media`");
        }
        if *bytes == 0 || i64::try_from(*bytes).is_err() {
            mistakes.add(format!("/pieces/{index}/bytes"), "expected at least 1");
        }
        if *kind == Piece::Playlist && *bytes > playlists::LARGEST {
            mistakes.add(format!("/pieces/{index}/bytes"), format!("at most {}", playlists::LARGEST));
        }
    }
}

/// What is said to be copied is shown to people as a share: it adds up, and is not more than there is.
fn check_copies(provenance: &Provenance, frames: u64, mistakes: &mut Mistakes) {
    if provenance.frames_copied > frames {
        mistakes.add("/provenance/frames_copied", format!("the media has {frames} frames"));
    }
    let listed = provenance
        .copied
        .iter()
        .try_fold(0_u64, |sum, range| sum.checked_add(range.frames))
        .unwrap_or(u64::MAX);
    if listed != provenance.frames_copied {
        mistakes.add("/provenance/copied", format!("lists {listed} of {} frames", provenance.frames_copied));
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Checks a transcript for a montage of so many clips.
pub fn check_transcript(transcript: &Transcript, clips: usize, mistakes: &mut Mistakes) {
    if transcript.cues.len() > MOST_CUES {
        mistakes.add("/transcript/cues", format!("at most {MOST_CUES}"));
        return;
    }
    for (index, cue) in transcript.cues.iter().enumerate() {
        let in_order = cue.start >= 0.0 && cue.start <= cue.end && cue.end < 1e9;
        let on_source = cue.source_start.abs() < 1e9 && cue.source_end.abs() < 1e9;
        if !in_order || !on_source {
            mistakes.add(format!("/transcript/cues/{index}"), "expected 0 <= start <= end, in seconds");
        }
        if cue.clip >= clips {
            mistakes.add(format!("/transcript/cues/{index}/clip"), format!("there are {clips} clips"));
        }
    }
}

/// SHA-256 of what is published: equal for the same publish sent again.
pub fn content_hash(request: &PublishRequest) -> ApiResult<String> {
    let text = serde_json::to_vec(request).map_err(ApiError::internal)?;
    Ok(hex::encode(Sha256::digest(text)))
}

/// Publishes what has been checked, under a lease that has been checked.
pub async fn publish(app: &App, request: &PublishRequest) -> ApiResult<Outcome> {
    let content = content_hash(request)?;
    let present = sqlx::query_as!(
        Published,
        r#"SELECT id, fence, content_sha256, deleted_at IS NOT NULL AS "deleted!" FROM montages.montages WHERE job_id = $1"#,
        request.job_id.0
    )
    .fetch_optional(&app.pool)
    .await?;
    // Looked at before the transaction, so that none is open while the store is asked.
    if matches!(decide(present.as_ref(), request.fence, &content), Decision::Insert | Decision::Replace) {
        check_stored(app, request).await?;
    }
    // An insert can lose against another one; then there is a row to meet, which takes one more turn.
    for _ in 0..3 {
        if let Some(outcome) = attempt(app, request, &content).await? {
            if matches!(outcome, Outcome::Replaced(_)) {
                app.reap.notify_one();
            }
            return Ok(outcome);
        }
    }
    Err(ApiError::internal(anyhow::anyhow!("job {} changes too often to be published", request.job_id)))
}

/// Whether the store has every piece with its size.
async fn check_stored(app: &App, request: &PublishRequest) -> ApiResult<()> {
    let mut mistakes = Mistakes::default();
    for (index, piece) in request.pieces.iter().enumerate() {
        match app.store.head(&key(&piece.key)?).await {
            Ok(info) if info.size == piece.bytes => {
                if piece.piece == Piece::Playlist
                    && let Err(reason) = check_playlist(app, piece, request.media.bytes).await?
                {
                    mistakes.add(format!("/pieces/{index}"), reason);
                }
            }
            Ok(info) => {
                mistakes.add(format!("/pieces/{index}/bytes"), format!("the store has {} bytes", info.size))
            }
            Err(FetchError::ObjectNotFound { .. }) => {
                mistakes.add(
                    format!("/pieces/{index}/key"),
                    "not in the store: send it first, by the link of its grant",
                );
            }
            Err(error) => return Err(store_error(error)),
        }
    }
    mistakes.finish(Some(())).map_err(ApiError::invalid)
}

/// Whether a stored playlist, whose size has been checked, leads to the montage's own media only.
async fn check_playlist(app: &App, piece: &StoredPiece, media_bytes: u64) -> ApiResult<Result<(), String>> {
    let body = app.store.get(&key(&piece.key)?, None).await.map_err(store_error)?;
    let bytes: Vec<u8> = body
        .stream
        .try_fold(Vec::new(), |mut all, bytes| async move {
            all.extend_from_slice(&bytes);
            Ok(all)
        })
        .await
        .map_err(store_error)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => playlists::check(&text, media_bytes),
        Err(_) => Err("it is not UTF-8".to_owned()),
    })
}

fn deleted() -> ApiError {
    ApiError::new(
        ProblemCode::Conflict,
        "The montage of this job was deleted; a publish does not bring it back.",
    )
}

/// One turn. `None` when another publish of the job came first.
async fn attempt(app: &App, request: &PublishRequest, content: &str) -> ApiResult<Option<Outcome>> {
    let mut tx = app.pool.begin().await?;
    let present = sqlx::query_as!(
        Published,
        r#"SELECT id, fence, content_sha256, deleted_at IS NOT NULL AS "deleted!" FROM montages.montages WHERE job_id = $1 FOR UPDATE"#,
        request.job_id.0
    )
    .fetch_optional(&mut *tx)
    .await?;
    let decision = decide(present.as_ref(), request.fence, content);
    let id = present.as_ref().map_or_else(|| MontageId::generate().0, |present| present.id);
    match decision {
        Decision::Replay => return Ok(Some(Outcome::Replayed(id.into()))),
        Decision::Stale => {
            return Err(ApiError::new(
                ProblemCode::StaleFence,
                "A newer attempt has published. Nothing was changed.",
            ));
        }
        Decision::Contradiction => {
            let detail = "This attempt has already published something else. Nothing was changed.";
            return Err(ApiError::new(ProblemCode::Conflict, detail));
        }
        Decision::Deleted => return Err(deleted()),
        Decision::Insert => {
            let gone = sqlx::query_scalar!(
                r#"SELECT EXISTS (SELECT FROM montages.deleted WHERE job_id = $1) AS "is!""#,
                request.job_id.0
            );
            if gone.fetch_one(&mut *tx).await? {
                return Err(deleted());
            }
            if !insert(&mut tx, id, request, content).await? {
                return Ok(None);
            }
        }
        Decision::Replace => {
            let old = present.as_ref().map_or(0, |present| present.fence);
            replace(&mut tx, id, old, request, content).await?;
        }
    }
    own(&mut tx, &attempt_prefix(request.job_id, request.fence)).await?;
    insert_pieces(&mut tx, id, &request.pieces).await?;
    replace_cues(&mut tx, id, &request.transcript.cues).await?;
    previews::retire(&mut tx, request.job_id).await?;
    tx.commit().await?;
    Ok(Some(match decision {
        Decision::Insert => Outcome::Created(id.into()),
        _ => Outcome::Replaced(id.into()),
    }))
}

/// Takes a place out of the list of what is to go, which makes it ours for good. Refused once its deletion began, or where
/// nothing was ever granted there.
pub async fn own(tx: &mut PgConnection, prefix: &str) -> ApiResult<()> {
    let taken = sqlx::query!("DELETE FROM montages.deletions WHERE prefix = $1 AND NOT started", prefix)
        .execute(tx)
        .await?;
    if taken.rows_affected() == 1 {
        return Ok(());
    }
    let detail =
        "The objects were not granted to this attempt, or were deleted since. Send them again by new links.";
    Err(ApiError::new(ProblemCode::Conflict, detail))
}

/// What a request says of streamers: each once, in order of appearance.
fn streamers(request: &PublishRequest) -> Vec<String> {
    let mut seen = Vec::new();
    for streamer in request.clips.iter().filter_map(|clip| clip.streamer.as_ref()) {
        if !seen.contains(streamer) {
            seen.push(streamer.clone());
        }
    }
    seen
}

/// The transcript without its cues, which have rows of their own.
pub fn without_cues(transcript: &Transcript) -> Transcript {
    Transcript {
        state: transcript.state,
        engine: transcript.engine,
        model: transcript.model.clone(),
        language: transcript.language.clone(),
        reason: transcript.reason.clone(),
        cues: Vec::new(),
    }
}

async fn insert(tx: &mut PgConnection, id: Uuid, request: &PublishRequest, content: &str) -> ApiResult<bool> {
    let done = sqlx::query!(
        "INSERT INTO montages.montages (id, job_id, fence, content_sha256, title, labels, streamers, media, clips, sprites,
                                        transcript, provenance, duration, width, height, kind, replay)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         ON CONFLICT (job_id) DO NOTHING",
        id,
        request.job_id.0,
        request.fence,
        content,
        request.title,
        Json(&request.labels) as _,
        &streamers(request),
        Json(&request.media) as _,
        Json(&request.clips) as _,
        Json(&request.sprites) as _,
        Json(without_cues(&request.transcript)) as _,
        Json(&request.provenance) as _,
        request.media.duration,
        i32::try_from(request.media.width).unwrap_or(i32::MAX),
        i32::try_from(request.media.height).unwrap_or(i32::MAX),
        request.kind().as_str(),
        request.replay.as_ref().map(Json) as _,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a newer attempt's result in the place of an older one's. What a person changed stays.
async fn replace(
    tx: &mut PgConnection,
    id: Uuid,
    old_fence: i64,
    request: &PublishRequest,
    content: &str,
) -> ApiResult<()> {
    sqlx::query!(
        "UPDATE montages.montages
         SET fence = $2, content_sha256 = $3,
             title = CASE WHEN edited THEN title ELSE $4 END, labels = CASE WHEN edited THEN labels ELSE $5 END,
             streamers = $6, media = $7, clips = $8, sprites = $9, transcript = $10, provenance = $11,
             duration = $12, width = $13, height = $14, kind = $15, replay = $16, transcript_job_id = NULL, transcript_fence = NULL,
             version = version + 1, updated_at = now(), published_at = now()
         WHERE id = $1",
        id,
        request.fence,
        content,
        request.title,
        Json(&request.labels) as _,
        &streamers(request),
        Json(&request.media) as _,
        Json(&request.clips) as _,
        Json(&request.sprites) as _,
        Json(without_cues(&request.transcript)) as _,
        Json(&request.provenance) as _,
        request.media.duration,
        i32::try_from(request.media.width).unwrap_or(i32::MAX),
        i32::try_from(request.media.height).unwrap_or(i32::MAX),
        request.kind().as_str(),
        request.replay.as_ref().map(Json) as _,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("DELETE FROM montages.pieces WHERE montage_id = $1", id).execute(&mut *tx).await?;
    discard(tx, &attempt_prefix(request.job_id, old_fence)).await
}

/// Marks a place for deletion now.
pub async fn discard(tx: &mut PgConnection, prefix: &str) -> ApiResult<()> {
    sqlx::query!(
        "INSERT INTO montages.deletions (prefix, due_at, started) VALUES ($1, now(), true)
         ON CONFLICT (prefix) DO UPDATE SET due_at = now(), started = true",
        prefix
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_pieces(tx: &mut PgConnection, id: Uuid, pieces: &[StoredPiece]) -> ApiResult<()> {
    for piece in pieces {
        sqlx::query!(
            "INSERT INTO montages.pieces (montage_id, piece, object_key, bytes, sha256) VALUES ($1, $2, $3, $4, $5)",
            id,
            piece_name(piece.piece),
            piece.key,
            i64::try_from(piece.bytes).unwrap_or(i64::MAX),
            piece.sha256
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Replaces the cues of a montage and brings its search words up to date.
pub async fn replace_cues(tx: &mut PgConnection, id: Uuid, cues: &[Cue]) -> ApiResult<()> {
    sqlx::query!("DELETE FROM montages.cues WHERE montage_id = $1", id).execute(&mut *tx).await?;
    let milliseconds = |seconds: f64| (seconds * 1000.0).round() as i64;
    let words = cues.iter().map(|cue| serde_json::to_value(&cue.words)).collect::<Result<Vec<_>, _>>();
    sqlx::query!(
        "INSERT INTO montages.cues (montage_id, position, start_ms, end_ms, clip, source_start_ms, source_end_ms, text, words)
         SELECT $1, cue.ordinality::integer - 1, cue.start_ms, cue.end_ms, cue.clip, cue.source_start_ms, cue.source_end_ms,
                cue.text, cue.words
         FROM unnest($2::bigint[], $3::bigint[], $4::integer[], $5::bigint[], $6::bigint[], $7::text[], $8::jsonb[])
              WITH ORDINALITY AS cue (start_ms, end_ms, clip, source_start_ms, source_end_ms, text, words, ordinality)",
        id,
        &cues.iter().map(|cue| milliseconds(cue.start)).collect::<Vec<_>>(),
        &cues.iter().map(|cue| milliseconds(cue.end)).collect::<Vec<_>>(),
        &cues.iter().map(|cue| i32::try_from(cue.clip).unwrap_or(i32::MAX)).collect::<Vec<_>>(),
        &cues.iter().map(|cue| milliseconds(cue.source_start)).collect::<Vec<_>>(),
        &cues.iter().map(|cue| milliseconds(cue.source_end)).collect::<Vec<_>>(),
        &cues.iter().map(|cue| cue.text.clone()).collect::<Vec<_>>(),
        &words.map_err(ApiError::internal)?,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query_scalar!(r#"SELECT montages.refresh_search($1)::text"#, id).fetch_one(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn present(fence: i64, content: &str) -> Published {
        Published { id: Uuid::nil(), fence, content_sha256: content.to_owned(), deleted: false }
    }

    #[test]
    fn decisions() {
        assert_eq!(decide(None, 1, "a"), Decision::Insert);
        assert_eq!(decide(Some(&present(2, "a")), 2, "a"), Decision::Replay);
        assert_eq!(decide(Some(&present(2, "a")), 2, "b"), Decision::Contradiction);
        assert_eq!(decide(Some(&present(2, "a")), 3, "a"), Decision::Replace);
        assert_eq!(decide(Some(&present(2, "a")), 1, "a"), Decision::Stale);
        let trash = Published { deleted: true, ..present(2, "a") };
        for (fence, content) in [(1, "a"), (2, "a"), (2, "b"), (3, "a")] {
            assert_eq!(decide(Some(&trash), fence, content), Decision::Deleted);
        }
    }

    proptest! {
        /// In whatever order the publishes of a job come and however often, the newest fence's stands in the end.
        #[test]
        fn the_newest_fence_wins(publishes in prop::collection::vec(1_i64..6, 1..20)) {
            let mut row: Option<Published> = None;
            for fence in &publishes {
                match decide(row.as_ref(), *fence, &fence.to_string()) {
                    Decision::Insert | Decision::Replace => row = Some(present(*fence, &fence.to_string())),
                    Decision::Replay => prop_assert_eq!(row.as_ref().map(|row| row.fence), Some(*fence)),
                    Decision::Stale => prop_assert!(row.as_ref().is_some_and(|row| row.fence > *fence)),
                    Decision::Contradiction | Decision::Deleted => prop_assert!(false),
                }
            }
            prop_assert_eq!(row.map(|row| row.fence), publishes.iter().max().copied());
        }
    }
}
