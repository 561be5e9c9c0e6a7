//! `GET /v1/search`: places in montages, down to the second.
//!
//! Promises: the best first, among a bounded number of the newest, so that a word that is everywhere takes no longer than others in
//! a library of any size.

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

use crate::{
    app::App,
    find::{self, Wanted},
    list::search_text,
    marks,
    rows::seconds,
};

/// How many montages are looked into: the newest that match.
const MOST_MONTAGES: i64 = 100;
/// How many cues are compared: the newest that match.
const MOST_CUES: i64 = 10_000;

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
/// Finds titles, highlights and what is said, each with the second on the montage and on the source. The best first; of a word that
/// stands in more than 100 montages, the best of the newest 100.
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
    let wanted = Wanted { text: Some(text), ..Wanted::default() };
    let newest = find::newest(&app, &wanted, None, MOST_MONTAGES).await?;
    let frequent = i64::try_from(newest.len()).is_ok_and(|count| count == MOST_MONTAGES);
    let newest: Vec<Uuid> = newest.into_iter().map(|(_, id)| id).collect();
    // Where all montages are known, single cues are looked for everywhere: of a very long transcript a montage's own words are the
    // beginning only. What is shown of the hits is read and marked last, when there are no more of them than are shown.
    let rows = sqlx::query_as!(
        HitRow,
        r#"WITH places AS (
               SELECT 0 AS kind, whole.id, NULL::integer AS clip, 0::bigint AS start_ms,
                      round(whole.duration * 1000)::bigint AS end_ms, NULL::bigint AS source_start_ms, whole.title AS text, 4 AS weight
               FROM montages.montages AS whole
               WHERE whole.id = ANY($2) AND whole.deleted_at IS NULL
               UNION ALL
               SELECT 1, whole.id, place::integer - 1, round((value ->> 'start')::numeric * 1000)::bigint,
                      round(((value ->> 'start')::numeric + (value ->> 'duration')::numeric) * 1000)::bigint,
                      round((value ->> 'source_start')::numeric * 1000)::bigint,
                      concat_ws(' · ', value ->> 'title', value ->> 'streamer'), 2
               FROM montages.montages AS whole, jsonb_array_elements(whole.clips) WITH ORDINALITY AS clips (value, place)
               WHERE whole.id = ANY($2) AND whole.deleted_at IS NULL
           ),
           said AS (
               SELECT 2 AS kind, cues.montage_id AS id, cues.clip, cues.start_ms, cues.end_ms, cues.source_start_ms, cues.text, cues.search
               FROM montages.cues AS cues
               WHERE cues.search @@ montages.query($1)
                 AND (NOT $3::boolean OR cues.montage_id = ANY($2))
                 AND EXISTS (SELECT FROM montages.montages AS whole WHERE whole.id = cues.montage_id AND whole.deleted_at IS NULL)
               ORDER BY cues.montage_id DESC, cues.position DESC
               LIMIT $4
           ),
           hits AS (
               SELECT kind, id, clip, start_ms, end_ms, source_start_ms, text, weight * ts_rank(words, montages.query($1)) AS rank
               FROM places, LATERAL montages.words(text) AS words
               WHERE words @@ montages.query($1)
               UNION ALL
               SELECT kind, id, clip, start_ms, end_ms, source_start_ms, text, ts_rank(search, montages.query($1))
               FROM said
           ),
           best AS MATERIALIZED (
               -- Ids grow with time.
               SELECT * FROM hits ORDER BY rank DESC, id DESC, start_ms, kind LIMIT $5
           )
           SELECT best.kind AS "kind!", best.id AS "id!", whole.job_id, whole.title, best.clip,
                  on_clip ->> 'title' AS clip_title, on_clip ->> 'streamer' AS streamer,
                  best.start_ms AS "start_ms!", best.end_ms AS "end_ms!", on_clip ->> 'source' AS source, best.source_start_ms,
                  montages.marked(best.text, montages.query($1)) AS matched
           FROM best JOIN montages.montages AS whole USING (id), LATERAL (VALUES (whole.clips -> best.clip)) AS clips (on_clip)
           ORDER BY best.rank DESC, best.id DESC, best.start_ms, best.kind"#,
        text,
        &newest,
        frequent,
        MOST_CUES,
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
