//! The store of segments: looked up and read by any executor at work, written by one, kept as long as they are of use.
//!
//! Promises: a segment that is there is whole and has the size that its row says; of several writers of one key the first
//! stands, whoever comes later changes nothing; a link to a segment that is removed works until it would have ended anyway.
//! What was sent and never taken in goes by itself. Whoever holds a lease on any job may read all of them and is believed in
//! what it writes: executors are one domain of trust, set apart from everybody else by their scope at the gateway.

use axum::extract::State;
use contracts::{
    decode::Mistakes,
    ids::JobId,
    object::Grant,
    problem::{Problem, ProblemCode},
    segment::{
        MOST_SEGMENTS, SegmentGrant, SegmentWish, SegmentsStored, StoreSegments, StoredSegment,
        is_segment_key,
    },
};
use fetch::{FetchError, Method, ObjectKey};
use futures::{StreamExt, TryStreamExt, stream};
use service_kit::{
    extract::Json,
    problem::{ApiError, ApiResult},
};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

use crate::{
    app::{App, key, store_error},
    grants::sign,
};

/// Questions to the object store at once, for one request.
const AT_ONCE: usize = 16;

/// What the object of a segment is called within its place.
const CONTENT: &str = "content";

/// What the places of one writer begin with.
fn writer(key: &str, job: JobId, fence: i64) -> String {
    format!("segments/{key}.{job}-{fence}-")
}

/// The place of an object that was granted to a writer; `None` where it was not.
fn place(segment: &StoredSegment, job: JobId, fence: i64) -> Option<&str> {
    let (place, name) = segment.object_key.rsplit_once('/')?;
    let own = place.strip_prefix(&writer(&segment.key, job, fence))?;
    (name == CONTENT && own.parse::<Uuid>().is_ok()).then_some(place)
}

/// Says what is wrong with the wishes for segments.
pub fn check_wishes(read: &[String], write: &[SegmentWish], mistakes: &mut Mistakes) {
    const RULE: &str = "expected 64 hexadecimal digits in lower case";
    for (index, key) in read.iter().enumerate() {
        if !is_segment_key(key) {
            mistakes.add(format!("/segments/{index}"), RULE);
        }
    }
    for (index, wish) in write.iter().enumerate() {
        if !is_segment_key(&wish.key) {
            mistakes.add(format!("/write_segments/{index}/key"), RULE);
        }
        if wish.bytes == 0 || i64::try_from(wish.bytes).is_err() {
            mistakes.add(format!("/write_segments/{index}/bytes"), "expected at least 1");
        }
    }
}

/// Looks segments up, in the order of the keys. What is found counts as used now.
pub async fn find(app: &App, keys: &[String]) -> ApiResult<Vec<Option<SegmentGrant>>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    touch(app, keys).await?;
    let rows = sqlx::query!(
        "SELECT key, object_key, bytes, sha256 FROM montages.segments WHERE key = ANY($1)",
        keys
    )
    .fetch_all(&app.pool)
    .await?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
    let mut found = Vec::with_capacity(keys.len());
    for wanted in keys {
        found.push(match rows.get(wanted) {
            None => None,
            Some(row) => Some(SegmentGrant {
                grant: sign(app, Method::Get, key(&row.object_key)?, None).await?,
                bytes: row.bytes.unsigned_abs(),
                sha256: row.sha256.clone(),
            }),
        });
    }
    let hits = found.iter().flatten().count();
    metrics::counter!("montages_segments_found").increment(hits as u64);
    metrics::counter!("montages_segments_missed").increment((found.len() - hits) as u64);
    Ok(found)
}

/// Counts segments as used now. To within a minute, so that executors that look up the same ones at the same time hardly ever
/// write; and a row that somebody else is just writing is passed over, so that they never wait for each other in a circle.
async fn touch(app: &App, keys: &[String]) -> ApiResult<()> {
    sqlx::query!(
        "UPDATE montages.segments SET used_at = now()
         WHERE key IN (SELECT key FROM montages.segments
                       WHERE key = ANY($1) AND used_at < now() - interval '1 minute' FOR UPDATE SKIP LOCKED)",
        keys
    )
    .execute(&app.pool)
    .await?;
    Ok(())
}

/// Opens a place of its own for each segment that is to be written. All of them are listed for deletion first: what is not
/// taken in within a day goes.
pub async fn open(app: &App, job: JobId, fence: i64, wishes: &[SegmentWish]) -> ApiResult<Vec<Grant>> {
    if wishes.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = wishes
        .iter()
        .map(|wish| format!("{}{}", writer(&wish.key, job, fence), Uuid::new_v4().simple()))
        .collect();
    sqlx::query!(
        "INSERT INTO montages.deletions (prefix, due_at)
         SELECT prefix, now() + interval '1 day' FROM unnest($1::text[]) AS place (prefix)",
        &places
    )
    .execute(&app.pool)
    .await?;
    let mut grants = Vec::with_capacity(wishes.len());
    for (wish, place) in wishes.iter().zip(&places) {
        let object = key(&format!("{place}/{CONTENT}"))?;
        grants.push(sign(app, Method::Put, object, Some(wish.bytes)).await?);
    }
    Ok(grants)
}

/// Take in segments
///
/// By the holder of the job's lease, after it has sent them by the links of its grants. All of them are taken in, or none where
/// one is wrong. Of several writers of one key the first stands; sending the same again is answered the same.
#[utoipa::path(
    post,
    operation_id = "store_segments",
    path = "/v1/segments", tag = "executors", request_body = StoreSegments,
    responses((status = 200, body = SegmentsStored, description = "They are there, as sent or as somebody else sent them before"),
              (status = 409, body = Problem, content_type = "application/problem+json", description = "The lease has passed on (`stale_fence`), or an object is not there any more (`conflict`)"),
              (status = 422, body = Problem, content_type = "application/problem+json", description = "A segment is not in the store, or not as it is said to be"))
)]
pub async fn store(
    State(app): State<Arc<App>>,
    Json(request): Json<StoreSegments>,
) -> ApiResult<Json<SegmentsStored>> {
    check(&request)?;
    app.check_lease(request.job_id, request.executor_id, request.fence).await?;
    check_stored(&app, &request.segments).await?;
    // In the order of their keys, so that two writers of the same ones wait for each other and never in a circle.
    let mut segments: Vec<&StoredSegment> = request.segments.iter().collect();
    segments.sort_by(|a, b| a.key.cmp(&b.key));
    let column = |of: fn(&StoredSegment) -> &str| -> Vec<String> {
        segments.iter().map(|segment| of(segment).to_owned()).collect()
    };
    let keys = column(|segment| &segment.key);
    let mut tx = app.pool.begin().await?;
    let inserted = sqlx::query_scalar!(
        "INSERT INTO montages.segments (key, object_key, bytes, sha256)
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) ON CONFLICT (key) DO NOTHING RETURNING key",
        &keys,
        &column(|segment| &segment.object_key),
        &segments.iter().map(|segment| i64::try_from(segment.bytes).unwrap_or(i64::MAX)).collect::<Vec<_>>(),
        &column(|segment| &segment.sha256),
    )
    .fetch_all(&mut *tx)
    .await?;
    let owned: Vec<String> = segments
        .iter()
        .filter(|segment| inserted.contains(&segment.key))
        .filter_map(|segment| place(segment, request.job_id, request.fence).map(str::to_owned))
        .collect();
    let taken = sqlx::query!("DELETE FROM montages.deletions WHERE prefix = ANY($1) AND NOT started", &owned)
        .execute(&mut *tx)
        .await?;
    if taken.rows_affected() != inserted.len() as u64 {
        let detail =
            "A segment was not granted to this attempt, or was deleted since. Send them again by new links.";
        return Err(ApiError::new(ProblemCode::Conflict, detail));
    }
    let standing = sqlx::query!("SELECT key, object_key FROM montages.segments WHERE key = ANY($1)", &keys)
        .fetch_all(&mut *tx)
        .await?;
    tx.commit().await?;
    let mut answer = SegmentsStored { stored: Vec::new(), present: Vec::new() };
    for segment in segments {
        let is_ours =
            standing.iter().any(|row| row.key == segment.key && row.object_key == segment.object_key);
        let list = if is_ours { &mut answer.stored } else { &mut answer.present };
        list.push(segment.key.clone());
    }
    touch(&app, &answer.present).await?;
    metrics::counter!("montages_segments_stored").increment(inserted.len() as u64);
    Ok(Json(answer))
}

fn check(request: &StoreSegments) -> ApiResult<()> {
    let mut mistakes = Mistakes::default();
    if request.fence < 1 {
        mistakes.add("/fence", "fences begin at 1");
    }
    if !(1..=MOST_SEGMENTS).contains(&request.segments.len()) {
        mistakes.add("/segments", format!("expected 1 to {MOST_SEGMENTS}"));
    }
    let mut seen = HashMap::new();
    for (index, segment) in request.segments.iter().enumerate() {
        let at = |part: &str| format!("/segments/{index}/{part}");
        let hex = "expected 64 hexadecimal digits in lower case";
        if !is_segment_key(&segment.key) {
            mistakes.add(at("key"), hex);
        } else if place(segment, request.job_id, request.fence).is_none() {
            mistakes.add(at("object_key"), "not a key that was granted to this job and fence");
        }
        if seen.insert(&segment.key, index).is_some() {
            mistakes.add(at("key"), "named twice");
        }
        if segment.bytes == 0 || i64::try_from(segment.bytes).is_err() {
            mistakes.add(at("bytes"), "expected at least 1");
        }
        // Both are the hexadecimal form of SHA-256.
        if !is_segment_key(&segment.sha256) {
            mistakes.add(at("sha256"), hex);
        }
    }
    mistakes.finish(Some(())).map_err(ApiError::invalid)
}

/// Whether the store has every segment with its size.
async fn check_stored(app: &App, segments: &[StoredSegment]) -> ApiResult<()> {
    let keys = segments.iter().map(|segment| key(&segment.object_key)).collect::<ApiResult<Vec<_>>>()?;
    let mut mistakes = Mistakes::default();
    for (index, (segment, size)) in segments.iter().zip(sizes(app, keys).await?).enumerate() {
        match size {
            Some(size) if size == segment.bytes => {}
            Some(size) => {
                mistakes.add(format!("/segments/{index}/bytes"), format!("the store has {size} bytes"))
            }
            None => mistakes.add(
                format!("/segments/{index}/object_key"),
                "not in the store: send it first, by the link of its grant",
            ),
        }
    }
    mistakes.finish(Some(())).map_err(ApiError::invalid)
}

/// The sizes of objects, in order; `None` for one that is not in the store.
pub async fn sizes(app: &App, keys: Vec<ObjectKey>) -> ApiResult<Vec<Option<u64>>> {
    let heads = keys.into_iter().map(|key| async move {
        match app.store.head(&key).await {
            Ok(info) => Ok(Some(info.size)),
            Err(FetchError::ObjectNotFound { .. }) => Ok(None),
            Err(error) => Err(store_error(error)),
        }
    });
    stream::iter(heads).buffered(AT_ONCE).try_collect().await
}

/// Removes segments that nobody used for long, and the least recently used of those that are too many. Answers how many went.
/// Their objects follow when the links to them have ended.
pub async fn retire(app: &App) -> ApiResult<u64> {
    let gone = sqlx::query!(
        "WITH ranked AS (
             SELECT key, sum(bytes) OVER (ORDER BY used_at DESC, key) > $2::bigint AS is_too_much FROM montages.segments
         ),
         gone AS (
             DELETE FROM montages.segments
             WHERE key IN (SELECT segments.key FROM montages.segments AS segments JOIN ranked ON ranked.key = segments.key
                           WHERE segments.used_at < now() - $1::bigint * interval '1 second' OR ranked.is_too_much
                           LIMIT 1000 FOR UPDATE OF segments SKIP LOCKED)
             RETURNING object_key
         )
         INSERT INTO montages.deletions AS place (prefix, due_at, started)
         SELECT regexp_replace(object_key, '/[^/]*$', ''), now() + $3::bigint * interval '1 second', true FROM gone
         ON CONFLICT (prefix) DO UPDATE SET due_at = excluded.due_at, started = true",
        number(app.segment_keep.as_secs()),
        number(app.segment_bytes),
        number(app.link_ttl.as_secs())
    )
    .execute(&app.pool)
    .await?;
    metrics::counter!("montages_segments_retired").increment(gone.rows_affected());
    Ok(gone.rows_affected())
}

fn number(setting: u64) -> i64 {
    i64::try_from(setting).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_granted_to_the_writer_is_its_own() {
        let job = JobId::generate();
        let key = "a".repeat(64);
        let own = format!("{}{}/{CONTENT}", writer(&key, job, 3), Uuid::new_v4().simple());
        let segment = |object_key: &str| StoredSegment {
            key: key.clone(),
            object_key: object_key.to_owned(),
            bytes: 1,
            sha256: key.clone(),
        };
        assert_eq!(place(&segment(&own), job, 3), own.strip_suffix("/content"));
        for (object_key, job, fence) in [
            (own.clone(), job, 30),
            (own.clone(), JobId::generate(), 3),
            (own.replace("aaaa", "bbbb"), job, 3),
            (own.replace("/content", "/other"), job, 3),
            (own.replace("/content", ""), job, 3),
            (format!("{}/content", writer(&key, job, 3)), job, 3),
            (format!("{}x/../../y/content", writer(&key, job, 3)), job, 3),
        ] {
            assert_eq!(place(&segment(&object_key), job, fence), None, "{object_key}");
        }
    }
}
