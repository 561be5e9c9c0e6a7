//! `GET /v1/montages/facets`: what a filter of the list can offer.
//!
//! Promises: a bounded number of montages is looked at, however many there are, so that the answer always takes about the same
//! time; what is offered finds something.

use axum::extract::State;
use contracts::montage::{FacetCount, LabelCount, MontageFacets};
use service_kit::{extract::Json, problem::ApiResult};
use std::sync::Arc;

use crate::app::App;

/// How many montages are looked at.
const NEWEST: i64 = 5000;
/// Most streamers, and most labels, that are answered.
const MOST: i64 = 100;

/// What filters can offer
///
/// The kinds, streamers and labels of the newest 5,000 montages, each with how many of these montages have it.
#[utoipa::path(
    get,
    operation_id = "montage_facets",
    path = "/v1/montages/facets", tag = "montages",
    responses((status = 200, body = MontageFacets, description = "The most frequent first, at most 100 of each"))
)]
pub async fn facets(State(app): State<Arc<App>>) -> ApiResult<Json<MontageFacets>> {
    let rows = sqlx::query!(
        r#"WITH newest AS MATERIALIZED (
               SELECT kind, streamers, labels FROM montages.montages
               WHERE deleted_at IS NULL
               ORDER BY created_at DESC, id DESC
               LIMIT $1
           ),
           -- Many montages are labelled alike: taken apart once, that takes half the time.
           alike AS (SELECT labels, count(*) AS count FROM newest GROUP BY labels),
           counted AS (
               SELECT 'of' AS facet, '' AS name, '' AS value, count(*) AS count FROM newest
               UNION ALL
               SELECT 'kind', kind, '', count(*) FROM newest GROUP BY kind
               UNION ALL
               SELECT 'streamer', streamer, '', count(*) FROM newest, unnest(streamers) AS streamer GROUP BY streamer
               UNION ALL
               SELECT 'label', label.key, label.value, sum(count)::bigint FROM alike, jsonb_each_text(labels) AS label
               GROUP BY label.key, label.value
           ),
           ranked AS (
               SELECT *, row_number() OVER (PARTITION BY facet ORDER BY count DESC, name, value) AS place FROM counted
           )
           SELECT facet AS "facet!", name AS "name!", value AS "value!", count AS "count!"
           FROM ranked WHERE place <= $2 ORDER BY facet, place"#,
        NEWEST,
        MOST
    )
    .fetch_all(&app.pool)
    .await?;
    let mut facets = MontageFacets { of: 0, kinds: Vec::new(), streamers: Vec::new(), labels: Vec::new() };
    for row in rows {
        let (name, count) = (row.name, row.count.unsigned_abs());
        match row.facet.as_str() {
            "kind" => facets.kinds.push(FacetCount { name, count }),
            "streamer" => facets.streamers.push(FacetCount { name, count }),
            "label" => facets.labels.push(LabelCount { name, value: row.value, count }),
            _ => facets.of = count,
        }
    }
    Ok(Json(facets))
}
