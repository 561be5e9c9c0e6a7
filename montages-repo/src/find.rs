//! Which montages a list or a search is about: first their places in the library, then what is shown of them.
//!
//! Promises: the newest first; a page takes as long at any depth as the first one, and in a library of any size, but for some searches.
//! Without a filter, or with kinds only, a page is read off the index of each kind. With streamers and labels, it is read off
//! `montages.tags`, which has each of them in the order of the lists. Words have no such order. So the newest montages are looked
//! through, a bounded number of them, which finds words that are frequent; only where that does not fill the page are all montages
//! looked up that have the words, and sorted: those are fewer than one in 400 then, or most of them are old. The database is not
//! left to choose between the two, because it would have to know how a word is spread over time. It does have to know the filters
//! when it plans ([`SETTINGS`]), since most of them are absent most of the time.

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

/// How many montages are looked through for each that is wanted: at first; and where that found one in four of them, then.
const STRETCHES: [i64; 2] = [100, 400];

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
    if let Some(text) = wanted.text {
        for stretch in STRETCHES {
            let found = look_through(app, text, wanted, after, most * stretch, most).await?;
            let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
            if count == most {
                return Ok(found);
            }
            if count * 4 < most {
                break;
            }
        }
        return look_up(app, text, wanted, after, most).await;
    }
    let tags = [
        wanted.streamer.map(|name| ("streamer", name.to_owned())),
        wanted.label.map(|(name, value)| {
            ("label", value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}")))
        }),
    ];
    let mut tags = tags.into_iter().flatten();
    match (tags.next(), tags.next()) {
        (Some(one), other) => tagged(app, &one, other.as_ref(), wanted, after, most).await,
        (None, _) => all(app, wanted, after, most).await,
    }
}

/// Without a filter, or of some kinds.
async fn all(app: &App, wanted: &Wanted<'_>, after: Option<Place>, most: i64) -> ApiResult<Vec<Place>> {
    let (moment, id) = after.unzip();
    let every: Vec<String> = MontageKind::NAMES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found = sqlx::query!(
        r#"SELECT newest.created_at AS "created_at!", newest.id AS "id!"
           FROM unnest($1::text[]) AS wanted (kind), LATERAL (
               SELECT created_at, id FROM montages.montages
               WHERE kind = wanted.kind AND deleted_at IS NULL
                 AND ($2::timestamptz IS NULL OR created_at >= $2)
                 AND ($3::timestamptz IS NULL OR created_at < $3)
                 AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5::uuid))
               ORDER BY created_at DESC, id DESC
               LIMIT $6
           ) AS newest
           ORDER BY newest.created_at DESC, newest.id DESC
           LIMIT $6"#,
        wanted.kinds.unwrap_or(&every),
        wanted.since,
        wanted.until,
        moment,
        id,
        most
    )
    .map(|row| (row.created_at, row.id))
    .fetch_all(&app.pool)
    .await?;
    Ok(found)
}

/// With one tag or two.
async fn tagged(
    app: &App,
    one: &(&str, String),
    other: Option<&(&str, String)>,
    wanted: &Wanted<'_>,
    after: Option<Place>,
    most: i64,
) -> ApiResult<Vec<Place>> {
    let (moment, id) = after.unzip();
    let found = sqlx::query!(
        "SELECT created_at, montage_id FROM montages.tags AS one
         WHERE tag = montages.tag($1, $2)
           AND ($3::text IS NULL OR EXISTS (
               SELECT FROM montages.tags AS other
               WHERE other.tag = montages.tag($3, $4) AND other.created_at = one.created_at AND other.montage_id = one.montage_id))
           AND ($5::text[] IS NULL OR kind = ANY($5))
           AND ($6::timestamptz IS NULL OR created_at >= $6)
           AND ($7::timestamptz IS NULL OR created_at < $7)
           AND ($8::timestamptz IS NULL OR (created_at, montage_id) < ($8, $9::uuid))
         ORDER BY created_at DESC, montage_id DESC
         LIMIT $10",
        one.0,
        one.1,
        other.map(|other| other.0),
        other.map(|other| other.1.as_str()),
        wanted.kinds,
        wanted.since,
        wanted.until,
        moment,
        id,
        most
    )
    .map(|row| (row.created_at, row.montage_id))
    .fetch_all(&app.pool)
    .await?;
    Ok(found)
}

/// A label with its value.
fn pair<'a>(wanted: &Wanted<'a>) -> Option<Column<BTreeMap<&'a str, &'a str>>> {
    wanted.label.and_then(|(name, value)| Some(Column(BTreeMap::from([(name, value?)]))))
}

/// The name of a label of which no value is wanted.
fn name<'a>(wanted: &Wanted<'a>) -> Option<&'a str> {
    wanted.label.filter(|(_, value)| value.is_none()).map(|(name, _)| name)
}

/// With words, among so many of the newest.
async fn look_through(
    app: &App,
    text: &str,
    wanted: &Wanted<'_>,
    after: Option<Place>,
    stretch: i64,
    most: i64,
) -> ApiResult<Vec<Place>> {
    let (moment, id) = after.unzip();
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
         WHERE search @@ montages.query($1)
           AND ($2::text[] IS NULL OR kind = ANY($2))
           AND ($3::jsonb IS NULL OR labels @> $3)
           AND ($4::text IS NULL OR labels ? $4)
           AND ($5::text IS NULL OR streamers @> ARRAY[$5])
         ORDER BY created_at DESC, id DESC
         LIMIT $11",
        text,
        wanted.kinds,
        pair(wanted) as _,
        name(wanted),
        wanted.streamer,
        wanted.since,
        wanted.until,
        moment,
        id,
        stretch,
        most
    )
    .map(|row| (row.created_at, row.id))
    .fetch_all(&app.pool)
    .await?;
    Ok(found)
}

/// With words, among all. Not for words that are frequent.
async fn look_up(
    app: &App,
    text: &str,
    wanted: &Wanted<'_>,
    after: Option<Place>,
    most: i64,
) -> ApiResult<Vec<Place>> {
    let (moment, id) = after.unzip();
    let found = sqlx::query!(
        "WITH hits AS MATERIALIZED (
             SELECT created_at, id FROM montages.montages
             WHERE deleted_at IS NULL
               AND search @@ montages.query($1)
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
        wanted.kinds,
        pair(wanted) as _,
        name(wanted),
        wanted.streamer,
        wanted.since,
        wanted.until,
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
