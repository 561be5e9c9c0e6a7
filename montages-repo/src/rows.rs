//! Rows of the library as the contracts' types.

use chrono::{DateTime, Utc};
use contracts::{
    ids::{JobId, MontageId},
    montage::{Clip, MediaInfo, Montage, MontageKind, MontageSummary, Sprites},
    object::Piece,
    replay::ReplayReport,
    transcript::{Cue, Transcript, TranscriptState, Word},
};
use service_kit::problem::{ApiError, ApiResult};
use sqlx::{PgPool, types::Json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A montage with everything but its cues and its provenance.
pub struct MontageRow {
    pub id: Uuid,
    pub job_id: Uuid,
    pub kind: Json<MontageKind>,
    pub title: String,
    pub labels: Json<BTreeMap<String, String>>,
    pub streamers: Vec<String>,
    pub media: Json<MediaInfo>,
    pub clips: Json<Vec<Clip>>,
    pub sprites: Json<Sprites>,
    pub transcript: Json<Transcript>,
    pub duration: f64,
    pub width: i32,
    pub height: i32,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Whether its media can be played as HLS.
    pub has_playlist: bool,
    /// What was played, of a replay.
    pub replay: Option<Json<ReplayReport>>,
}

impl MontageRow {
    /// Reads one that is not in the trash.
    pub async fn find(pool: &PgPool, id: MontageId) -> ApiResult<Self> {
        sqlx::query_as!(
            MontageRow,
            r#"SELECT id, job_id, to_jsonb(kind) AS "kind!: Json<MontageKind>", title, labels AS "labels: Json<BTreeMap<String, String>>", streamers,
                      media AS "media: Json<MediaInfo>", clips AS "clips: Json<Vec<Clip>>",
                      sprites AS "sprites: Json<Sprites>", transcript AS "transcript: Json<Transcript>",
                      duration, width, height, version, created_at, updated_at, replay AS "replay: Json<ReplayReport>",
                      EXISTS (SELECT FROM montages.pieces WHERE montage_id = id AND piece = 'playlist') AS "has_playlist!"
               FROM montages.montages WHERE id = $1 AND deleted_at IS NULL"#,
            id.0
        )
        .fetch_optional(pool)
        .await?
        .ok_or_else(|| ApiError::not_found("montage"))
    }

    /// Its entity tag.
    pub fn etag(&self) -> String {
        etag(self.version)
    }

    /// As lists show it.
    pub fn summary(&self) -> MontageSummary {
        SummaryRow {
            id: self.id,
            job_id: self.job_id,
            kind: self.kind,
            title: self.title.clone(),
            labels: self.labels.clone(),
            streamers: self.streamers.clone(),
            clip_count: i32::try_from(self.clips.len()).unwrap_or(i32::MAX),
            duration: self.duration,
            width: self.width,
            height: self.height,
            transcript_state: Json(self.transcript.state),
            created_at: self.created_at,
            has_playlist: self.has_playlist,
            sprites: self.sprites.clone(),
            matched: None,
            matched_at: None,
        }
        .into_summary()
    }

    /// As it is answered.
    pub fn into_montage(self) -> Montage {
        let missing = match self.transcript.state {
            TranscriptState::Complete => Vec::new(),
            TranscriptState::Failed | TranscriptState::None => vec!["transcript".to_owned()],
        };
        Montage {
            summary: self.summary(),
            updated_at: self.updated_at,
            media: self.media.0,
            clips: self.clips.0,
            transcript: self.transcript.0,
            missing,
            replay: self.replay.map(|replay| replay.0),
        }
    }
}

/// The entity tag of a version: strong, because the answer is a function of the row.
pub fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}

/// A montage as lists show it.
pub struct SummaryRow {
    pub id: Uuid,
    pub job_id: Uuid,
    pub kind: Json<MontageKind>,
    pub title: String,
    pub labels: Json<BTreeMap<String, String>>,
    pub streamers: Vec<String>,
    pub clip_count: i32,
    pub duration: f64,
    pub width: i32,
    pub height: i32,
    pub transcript_state: Json<TranscriptState>,
    pub created_at: DateTime<Utc>,
    pub has_playlist: bool,
    pub sprites: Json<Sprites>,
    /// Marked as `montages.marked` does it.
    pub matched: Option<String>,
    /// In seconds on the montage.
    pub matched_at: Option<f64>,
}

impl SummaryRow {
    pub fn into_summary(self) -> MontageSummary {
        MontageSummary {
            id: MontageId(self.id),
            job_id: JobId(self.job_id),
            kind: self.kind.0,
            title: self.title,
            labels: self.labels.0,
            streamers: self.streamers,
            clip_count: u64::from(self.clip_count.unsigned_abs()),
            duration: self.duration,
            width: self.width.unsigned_abs(),
            height: self.height.unsigned_abs(),
            transcript_state: self.transcript_state.0,
            created_at: self.created_at,
            links: links(self.id, self.has_playlist),
            sprites: self.sprites.0,
            matched: self.matched.map(|marked| crate::marks::to_html(&marked)),
            matched_at: self.matched_at,
        }
    }
}

/// The paths of a montage on the gateway.
fn links(id: Uuid, has_playlist: bool) -> BTreeMap<String, String> {
    let base = format!("/v1/montages/{id}");
    [
        ("self", ""),
        ("media", "/media"),
        ("poster", "/poster"),
        ("sprites", "/sprites"),
        ("captions", "/captions.vtt"),
        ("chapters", "/chapters.txt"),
        ("provenance", "/provenance"),
    ]
    .into_iter()
    .chain(has_playlist.then_some(("playlist", "/media.m3u8")))
    .map(|(name, path)| (name.to_owned(), format!("{base}{path}")))
    .collect()
}

/// The cues of a montage, in order. Empty for one that is not there.
pub async fn cues(pool: &PgPool, id: MontageId) -> ApiResult<Vec<Cue>> {
    let cues = sqlx::query!(
        r#"SELECT start_ms, end_ms, clip, source_start_ms, source_end_ms, text, words AS "words: Json<Vec<Word>>"
           FROM montages.cues WHERE montage_id = $1 ORDER BY position"#,
        id.0
    )
    .map(|row| Cue {
        start: seconds(row.start_ms),
        end: seconds(row.end_ms),
        text: row.text,
        clip: usize::try_from(row.clip).unwrap_or_default(),
        source_start: seconds(row.source_start_ms),
        source_end: seconds(row.source_end_ms),
        words: row.words.0,
    })
    .fetch_all(pool)
    .await?;
    Ok(cues)
}

/// Milliseconds as seconds; exact to the millisecond for any media.
#[allow(clippy::cast_precision_loss)]
pub fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// The name of a piece as it is stored.
pub fn piece_name(piece: Piece) -> &'static str {
    match piece {
        Piece::Media => "media",
        Piece::Poster => "poster",
        Piece::Sprites => "sprites",
        Piece::Speech => "speech",
        Piece::Playlist => "playlist",
    }
}
