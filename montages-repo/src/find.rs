//! Which montages a list or a search is about: first their places in the library, then what is shown of them.
//!
//! Promises: the newest first; a page takes as long at any depth as the first one. The order is that of one index. Without a filter a
//! page is read off it. With one, a bounded stretch of it is looked through first, which finds what is frequent; only where that does
//! not fill the page are all montages that match looked up by the filter's own index and sorted: those are fewer than one in a hundred
//! then, or all of them are old. The database is not left to choose between the two, because it would have to know how a word or a
//! streamer is spread over time. It does have to know the filters when it plans ([`SETTINGS`]), since most of them are absent most of
//! the time.

use chrono::{DateTime, Utc};
use contracts::{
    montage::{MontageKind, MontageSummary, Sprites},
    transcript::TranscriptState,
};
use serde::Serialize;
use service_kit::problem::ApiResult;
use sqlx::types::Json as Column;
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::{app::App, rows::SummaryRow};

/// How the database plans for us: for the values at hand; and without compiling what runs for a few milliseconds.
pub const SETTINGS: &[(&str, &str)] = &[("plan_cache_mode", "force_custom_plan"), ("jit", "off")];

/// How many montages are looked through, for each that is wanted, before the filters' own indexes are asked.
const STRETCH: i64 = 100;

/// What is wanted of the library. A page's cursor is bound to it.
#[derive(Debug, Default, Serialize)]
pub struct Wanted<'a> {
    /// A search, as a person typed it.
    pub text: Option<&'a str>,
    /// One of these kinds.
    pub kinds: Option<&'a [String]>,
    /// With a label of this name, and of this value where one is named.
    pub label: Option<(&'a str, Option<&'a str>)>,
    /// In which this one is seen.
    pub streamer: Option<&'a str>,
    /// Published at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Published before this moment.
    pub until: Option<DateTime<Utc>>,
}

/// Where a montage stands in the order of the library.
pub type Place = (DateTime<Utc>, Uuid);

/// The places of the newest montages that are wanted, behind one of them; at most so many.
pub async fn newest(
    app: &App,
    wanted: &Wanted<'_>,
    after: Option<Place>,
    most: i64,
) -> ApiResult<Vec<Place>> {
    let Wanted { text, kinds, label, streamer, since, until } = *wanted;
    let pair = label.and_then(|(name, value)| Some(Column(BTreeMap::from([(name, value?)]))));
    let name = label.filter(|(_, value)| value.is_none()).map(|(name, _)| name);
    let (moment, id) = after.unzip();
    let chooses = text.is_some() || kinds.is_some() || label.is_some() || streamer.is_some();
    let stretch = if chooses { most * STRETCH } else { most };
    let found = sqlx::query!(
        "SELECT created_at, id
         FROM (
             SELECT created_at, id, search, kind, labels, streamers FROM montages.montages
             WHERE deleted_at IS NULL
               AND ($6::timestamptz IS NULL OR created_at >= $6)
               AND ($7::timestamptz IS NULL OR created_at < $7)
               AND ($8::timestamptz IS NULL OR (created_at, id) < ($8, $9::uuid))
             ORDER BY created_at DESC, id DESC
             LIMIT $10
         ) AS stretch
         WHERE ($1::text IS NULL OR search @@ montages.query($1))
           AND ($2::text[] IS NULL OR kind = ANY($2))
           AND ($3::jsonb IS NULL OR labels @> $3)
           AND ($4::text IS NULL OR labels ? $4)
           AND ($5::text IS NULL OR streamers @> ARRAY[$5])
         ORDER BY created_at DESC, id DESC
         LIMIT $11",
        text,
        kinds,
        pair.as_ref() as _,
        name,
        streamer,
        since,
        until,
        moment,
        id,
        stretch,
        most
    )
    .map(|row| (row.created_at, row.id))
    .fetch_all(&app.pool)
    .await?;
    if !chooses || i64::try_from(found.len()).is_ok_and(|count| count == most) {
        return Ok(found);
    }
    let found = sqlx::query!(
        "WITH hits AS MATERIALIZED (
             SELECT created_at, id FROM montages.montages
             WHERE deleted_at IS NULL
               AND ($1::text IS NULL OR search @@ montages.query($1))
               AND ($2::text[] IS NULL OR kind = ANY($2))
               AND ($3::jsonb IS NULL OR labels @> $3)
               AND ($4::text IS NULL OR labels ? $4)
               AND ($5::text IS NULL OR streamers @> ARRAY[$5])
               AND ($6::timestamptz IS NULL OR created_at >= $6)
               AND ($7::timestamptz IS NULL OR created_at < $7)
               AND ($8::timestamptz IS NULL OR (created_at, id) < ($8, $9::uuid))
         )
         SELECT created_at, id FROM hits ORDER BY created_at DESC, id DESC LIMIT $10",
        text,
        kinds,
        pair as _,
        name,
        streamer,
        since,
        until,
        moment,
        id,
        most
    )
    .map(|row| (row.created_at, row.id))
    .fetch_all(&app.pool)
    .await?;
    Ok(found)
}

/// What lists show of montages, in the order of the library. One that was deleted meanwhile is left out.
pub async fn summaries(app: &App, ids: &[Uuid], text: Option<&str>) -> ApiResult<Vec<MontageSummary>> {
    let rows = sqlx::query_as!(
        SummaryRow,
        r#"SELECT whole.id, whole.job_id, to_jsonb(whole.kind) AS "kind!: Column<MontageKind>", whole.title,
                  whole.labels AS "labels: Column<BTreeMap<String, String>>", whole.streamers,
                  jsonb_array_length(whole.clips) AS "clip_count!", whole.duration, whole.width, whole.height,
                  whole.transcript -> 'state' AS "transcript_state!: Column<TranscriptState>", whole.created_at,
                  EXISTS (SELECT FROM montages.pieces WHERE montage_id = whole.id AND piece = 'playlist') AS "has_playlist!",
                  whole.sprites AS "sprites: Column<Sprites>", found.excerpt AS "matched?", found.second AS "matched_at?"
           FROM montages.montages AS whole, LATERAL montages.found(whole.id, montages.query($2)) AS found
           WHERE whole.id = ANY($1) AND whole.deleted_at IS NULL
           ORDER BY whole.created_at DESC, whole.id DESC"#,
        ids,
        text
    )
    .fetch_all(&app.pool)
    .await?;
    Ok(rows.into_iter().map(SummaryRow::into_summary).collect())
}
