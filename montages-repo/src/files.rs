//! The files of a montage: media, poster, sprites, captions, chapters, timelines, provenance.

use axum::{
    extract::State,
    http::{HeaderMap, Method},
    response::Response,
};
use contracts::{
    captions::CaptionFormat, ids::MontageId, montage::Provenance, object::Piece, problem::Problem,
};
use serde::Deserialize;
use service_kit::{
    extract::{Path, Query},
    problem::{ApiError, ApiResult},
};
use std::sync::Arc;
use utoipa::IntoParams;

use crate::{
    app::{App, key},
    chapters, names,
    rows::{MontageRow, cues, piece_name},
    serve::{self, Entity},
    timeline::{self, Timeline},
};

type Shared = State<Arc<App>>;

/// How a file is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// `1` to be offered as a download under the montage's title.
    download: Option<String>,
}

impl FileQuery {
    fn wanted(&self) -> bool {
        self.download.as_deref().is_some_and(|value| !matches!(value, "0" | "false" | "no"))
    }
}

/// Serves a stored piece.
pub async fn piece(
    app: &App,
    id: MontageId,
    piece: Piece,
    query: &FileQuery,
    method: &Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let row = sqlx::query!(
        r#"SELECT pieces.object_key, pieces.bytes, pieces.sha256, whole.title, whole.published_at
           FROM montages.pieces AS pieces JOIN montages.montages AS whole ON whole.id = pieces.montage_id
           WHERE pieces.montage_id = $1 AND pieces.piece = $2 AND whole.deleted_at IS NULL"#,
        id.0,
        piece_name(piece)
    )
    .fetch_optional(&app.pool)
    .await?
    .ok_or_else(|| ApiError::not_found(missing(piece)))?;
    let extension = piece.file_name().rsplit('.').next().unwrap_or_default();
    let entity = Entity {
        etag: format!("\"{}\"", row.sha256),
        last_modified: Some(row.published_at),
        length: row.bytes.unsigned_abs(),
        content_type: piece.content_type(),
        disposition: query.wanted().then(|| names::attachment(&names::file_name(&row.title, extension))),
    };
    serve::object(&app.store, &key(&row.object_key)?, &entity, method, headers).await
}

fn missing(piece: Piece) -> &'static str {
    match piece {
        Piece::Playlist => "montage, or it was made without a playlist",
        Piece::Media | Piece::Poster | Piece::Sprites | Piece::Speech => "montage",
    }
}

/// The video of a montage, as MP4. Supports `Range`, `If-Range` and conditional requests.
#[utoipa::path(
    get, path = "/v1/montages/{id}/media", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage"), FileQuery,
           ("Range" = Option<String>, Header, description = "One byte range; of several the whole is served")),
    responses((status = 200, content_type = "video/mp4", description = "The whole file"),
              (status = 206, content_type = "video/mp4", description = "The asked part"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such montage", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It is not what If-Match names", body = Problem, content_type = "application/problem+json"),
              (status = 416, description = "The range lies outside the file", body = Problem, content_type = "application/problem+json"))
)]
pub async fn media(
    State(app): Shared,
    method: Method,
    Path(id): Path<MontageId>,
    Query(query): Query<FileQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    piece(&app, id, Piece::Media, &query, &method, &headers).await
}

/// The same video under a name that ends like one, for players that go by it: FFmpeg and mpv, where they play the playlist.
#[utoipa::path(
    get, path = "/v1/montages/{id}/media.mp4", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage"), FileQuery,
           ("Range" = Option<String>, Header, description = "One byte range; of several the whole is served")),
    responses((status = 200, content_type = "video/mp4", description = "The whole file"),
              (status = 206, content_type = "video/mp4", description = "The asked part"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such montage", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It is not what If-Match names", body = Problem, content_type = "application/problem+json"),
              (status = 416, description = "The range lies outside the file", body = Problem, content_type = "application/problem+json"))
)]
pub async fn media_mp4(
    state: Shared,
    method: Method,
    id: Path<MontageId>,
    query: Query<FileQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    media(state, method, id, query, headers).await
}

/// The video of a montage as an HLS playlist: byte ranges of the very file that `media.mp4` serves.
#[utoipa::path(
    get, path = "/v1/montages/{id}/media.m3u8", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage"), FileQuery),
    responses((status = 200, content_type = "application/vnd.apple.mpegurl", description = "The playlist"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such montage, or it was made without a playlist", body = Problem, content_type = "application/problem+json"))
)]
pub async fn playlist(
    State(app): Shared,
    method: Method,
    Path(id): Path<MontageId>,
    Query(query): Query<FileQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    piece(&app, id, Piece::Playlist, &query, &method, &headers).await
}

/// A picture that stands for the montage, as JPEG.
#[utoipa::path(
    get, path = "/v1/montages/{id}/poster", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage"), FileQuery),
    responses((status = 200, content_type = "image/jpeg", description = "The picture"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such montage", body = Problem, content_type = "application/problem+json"))
)]
pub async fn poster(
    State(app): Shared,
    method: Method,
    Path(id): Path<MontageId>,
    Query(query): Query<FileQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    piece(&app, id, Piece::Poster, &query, &method, &headers).await
}

/// The grid of preview pictures, as JPEG; the montage's `sprites` say how it is divided.
#[utoipa::path(
    get, path = "/v1/montages/{id}/sprites", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage"), FileQuery),
    responses((status = 200, content_type = "image/jpeg", description = "The grid"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such montage", body = Problem, content_type = "application/problem+json"))
)]
pub async fn sprites(
    State(app): Shared,
    method: Method,
    Path(id): Path<MontageId>,
    Query(query): Query<FileQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    piece(&app, id, Piece::Sprites, &query, &method, &headers).await
}

async fn captions(
    app: &App,
    id: MontageId,
    extension: &str,
    query: &FileQuery,
    method: &Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let format = CaptionFormat::from_extension(extension).ok_or_else(|| ApiError::not_found("format"))?;
    let row = MontageRow::find(&app.pool, id).await?;
    let text = format.write(&cues(&app.pool, id).await?);
    let disposition = query.wanted().then(|| names::attachment(&names::file_name(&row.title, extension)));
    serve::bytes(text, format.media_type(), disposition, method, headers)
}

macro_rules! captions_routes {
    ($($(#[$doc:meta])* $name:ident $path:literal $extension:literal $kind:literal;)*) => { $(
        $(#[$doc])*
        #[utoipa::path(
            get, path = $path, tag = "montages",
            params(("id" = MontageId, Path, description = "The montage"), FileQuery),
            responses((status = 200, content_type = $kind, description = "The captions; without any cue where there is no transcript"),
                      (status = 304, description = "It is what If-None-Match names"),
                      (status = 404, description = "No such montage", body = Problem, content_type = "application/problem+json"))
        )]
        pub async fn $name(State(app): Shared, method: Method, Path(id): Path<MontageId>, Query(query): Query<FileQuery>, headers: HeaderMap) -> ApiResult<Response> {
            captions(&app, id, $extension, &query, &method, &headers).await
        }
    )* };
}

captions_routes! {
    /// The captions as WebVTT, which browsers play.
    captions_vtt "/v1/montages/{id}/captions.vtt" "vtt" "text/vtt";
    /// The captions as SubRip.
    captions_srt "/v1/montages/{id}/captions.srt" "srt" "application/x-subrip";
    /// What is said, as plain text.
    captions_txt "/v1/montages/{id}/captions.txt" "txt" "text/plain";
    /// The cues with their words and their times on the sources.
    captions_json "/v1/montages/{id}/captions.json" "json" "application/json";
}

/// The chapters, a line each, as YouTube reads them in a description.
#[utoipa::path(
    get, path = "/v1/montages/{id}/chapters.txt", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage"), FileQuery),
    responses((status = 200, content_type = "text/plain", description = "The chapters"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such montage", body = Problem, content_type = "application/problem+json"))
)]
pub async fn chapters(
    State(app): Shared,
    method: Method,
    Path(id): Path<MontageId>,
    Query(query): Query<FileQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let row = MontageRow::find(&app.pool, id).await?;
    let disposition =
        query.wanted().then(|| names::attachment(&names::file_name(&row.title, "chapters.txt")));
    serve::bytes(chapters::text(&row.clips), "text/plain; charset=utf-8", disposition, &method, &headers)
}

/// The cuts of a montage for editing programs, as an EDL (CMX 3600).
///
/// Record timecodes begin at 01:00:00:00. Source timecodes count from the source's first picture, in the montage's frame rate. At 29.97
/// and 59.94 frames a second they are drop-frame.
#[utoipa::path(
    get, path = "/v1/montages/{id}/timeline.edl", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage"), FileQuery),
    responses((status = 200, content_type = "text/plain", description = "The list"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such montage", body = Problem, content_type = "application/problem+json"),
              (status = 409, description = "No timecode counts its frames (`conflict`)", body = Problem, content_type = "application/problem+json"))
)]
pub async fn timeline_edl(
    State(app): Shared,
    method: Method,
    Path(id): Path<MontageId>,
    Query(query): Query<FileQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let row = MontageRow::find(&app.pool, id).await?;
    let text = timeline::edl(&Timeline::of(&row.title, &row.media, &row.clips)?)?;
    let disposition = query.wanted().then(|| names::attachment(&names::file_name(&row.title, "edl")));
    serve::bytes(text, "text/plain; charset=utf-8", disposition, &method, &headers)
}

/// The cuts of a montage for editing programs, as OpenTimelineIO.
///
/// Each clip refers to its source as it was written in the job, by frames of the montage's rate from the source's first picture on.
#[utoipa::path(
    get, path = "/v1/montages/{id}/timeline.otio", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage"), FileQuery),
    responses((status = 200, content_type = "application/json", description = "The timeline"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such montage", body = Problem, content_type = "application/problem+json"),
              (status = 409, description = "Its frame rate is not known (`conflict`)", body = Problem, content_type = "application/problem+json"))
)]
pub async fn timeline_otio(
    State(app): Shared,
    method: Method,
    Path(id): Path<MontageId>,
    Query(query): Query<FileQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let row = MontageRow::find(&app.pool, id).await?;
    let written = timeline::otio(&Timeline::of(&row.title, &row.media, &row.clips)?, id);
    let text = serde_json::to_vec(&written).map_err(ApiError::internal)?;
    let disposition = query.wanted().then(|| names::attachment(&names::file_name(&row.title, "otio")));
    serve::bytes(text, "application/json", disposition, &method, &headers)
}

/// How a montage was made: sources, plan, attempts, versions, checks.
#[utoipa::path(
    get, path = "/v1/montages/{id}/provenance", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage")),
    responses((status = 200, body = Provenance, description = "The record"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such montage", body = Problem, content_type = "application/problem+json"))
)]
pub async fn provenance(
    State(app): Shared,
    method: Method,
    Path(id): Path<MontageId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let record = sqlx::query_scalar!(
        r#"SELECT provenance AS "provenance: serde_json::Value" FROM montages.montages WHERE id = $1 AND deleted_at IS NULL"#,
        id.0
    )
    .fetch_optional(&app.pool)
    .await?
    .ok_or_else(|| ApiError::not_found("montage"))?;
    let text = serde_json::to_vec(&record).map_err(ApiError::internal)?;
    serve::bytes(text, "application/json", None, &method, &headers)
}
