//! `GET /v1/search`: places in montages, down to the second.

use axum::extract::State;
use contracts::{
    ids::{JobId, MontageId},
    problem::{Problem, ProblemCode},
    search::{HitKind, SearchHit, SearchResults},
};
use serde::Deserialize;
use service_kit::{
    extract::{Json, Query},
    paging,
    problem::{ApiError, ApiResult},
};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{app::App, list::search_text, marks, rows::seconds};

/// What is searched for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words that stand together in a title, a clip's title or streamer, or a cue; "phrases", `or` and `-without` work.
    q: Option<String>,
    /// 1 to 200 hits; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A hit as the database answers it.
struct HitRow {
    kind: i32,
    id: Uuid,
    job_id: Uuid,
    title: String,
    clip: Option<i32>,
    clip_title: Option<String>,
    streamer: Option<String>,
    start_ms: i64,
    end_ms: i64,
    source: Option<String>,
    source_start_ms: Option<i64>,
    matched: Option<String>,
}

/// Search
///
/// Finds titles, highlights and what is said, each with the second on the montage and on the source. The best first.
#[utoipa::path(
    get,
    operation_id = "search",
    path = "/v1/search", tag = "montages", params(SearchQuery),
    responses((status = 200, body = SearchResults, description = "The hits"),
              (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter cannot be read"))
)]
pub async fn search(
    State(app): State<Arc<App>>,
    Query(query): Query<SearchQuery>,
) -> ApiResult<Json<SearchResults>> {
    let limit = paging::limit(query.limit)?;
    let Some(text) = search_text(query.q.as_deref())? else {
        return Err(ApiError::new(ProblemCode::InvalidQuery, "q is what to search for."));
    };
    // The texts of the hits are marked last, when there are no more of them than are shown.
    let rows = sqlx::query_as!(
        HitRow,
        r#"WITH wanted AS MATERIALIZED (SELECT montages.query($1) AS query),
           hits AS (
               SELECT 0 AS kind, whole.id, NULL::integer AS clip, 0::bigint AS start_ms,
                      round(whole.duration * 1000)::bigint AS end_ms, NULL::bigint AS source_start_ms, whole.title AS text,
                      4 * ts_rank(montages.words(whole.title), query) AS rank
               FROM wanted, montages.montages AS whole
               WHERE whole.deleted_at IS NULL AND whole.search @@ query AND montages.words(whole.title) @@ query
               UNION ALL
               SELECT 1, whole.id, place::integer - 1, round((value ->> 'start')::numeric * 1000)::bigint,
                      round(((value ->> 'start')::numeric + (value ->> 'duration')::numeric) * 1000)::bigint,
                      round((value ->> 'source_start')::numeric * 1000)::bigint,
                      concat_ws(' · ', value ->> 'title', value ->> 'streamer'),
                      2 * ts_rank(montages.words(concat_ws(' · ', value ->> 'title', value ->> 'streamer')), query)
               FROM wanted, montages.montages AS whole,
                    jsonb_array_elements(whole.clips) WITH ORDINALITY AS clips (value, place)
               WHERE whole.deleted_at IS NULL AND whole.search @@ query
                 AND montages.words(concat_ws(' · ', value ->> 'title', value ->> 'streamer')) @@ query
               UNION ALL
               SELECT 2, cues.montage_id, cues.clip, cues.start_ms, cues.end_ms, cues.source_start_ms, cues.text,
                      ts_rank(cues.search, query)
               FROM wanted, montages.cues AS cues
               WHERE cues.search @@ query
           ),
           best AS (
               SELECT hits.*, whole.job_id, whole.title, whole.created_at, whole.clips -> hits.clip AS on_clip
               FROM hits JOIN montages.montages AS whole ON whole.id = hits.id AND whole.deleted_at IS NULL
               ORDER BY hits.rank DESC, whole.created_at DESC, hits.id, hits.start_ms
               LIMIT $2
           )
           SELECT kind AS "kind!", id AS "id!", job_id AS "job_id!", title AS "title!", clip,
                  on_clip ->> 'title' AS clip_title, on_clip ->> 'streamer' AS streamer,
                  start_ms AS "start_ms!", end_ms AS "end_ms!", on_clip ->> 'source' AS source, source_start_ms,
                  montages.marked(text, query) AS matched
           FROM best, wanted
           ORDER BY rank DESC, created_at DESC, id, start_ms"#,
        text,
        limit
    )
    .fetch_all(&app.pool)
    .await?;
    Ok(Json(SearchResults { items: rows.into_iter().map(hit).collect() }))
}

fn hit(row: HitRow) -> SearchHit {
    let base = format!("/v1/montages/{}", row.id);
    let start = seconds(row.start_ms);
    SearchHit {
        kind: match row.kind {
            0 => HitKind::Montage,
            1 => HitKind::Highlight,
            _ => HitKind::Cue,
        },
        montage_id: MontageId(row.id),
        job_id: JobId(row.job_id),
        title: row.title,
        clip: row.clip.and_then(|clip| usize::try_from(clip).ok()),
        clip_title: row.clip_title,
        streamer: row.streamer,
        start,
        end: seconds(row.end_ms),
        source: row.source,
        source_start: row.source_start_ms.map(seconds),
        matched: marks::to_html(&row.matched.unwrap_or_default()),
        // A media fragment (W3C): players start at its second.
        links: BTreeMap::from([
            ("media".to_owned(), format!("{base}/media#t={start}")),
            ("montage".to_owned(), base),
        ]),
    }
}
