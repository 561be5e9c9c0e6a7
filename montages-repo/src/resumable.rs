//! Uploads that come piece by piece: what has come is kept in parts, and at the end the parts become one object.
//!
//! Promises: what was said to be received is stored; one request adds to an upload at a time, and one that broke off holds up
//! the next for seconds at most; of a connection that breaks the rest that came is kept, of a process that dies everything but
//! the part in flight; an upload is complete when its row says so, and until then it can be gone on with, whatever failed.
//! What nobody goes on with for a day goes by the list of deletions.

use axum::body::Body;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use contracts::{ids::UploadId, problem::ProblemCode};
use fetch::{FetchError, ObjectKey, Size, Store, Stored};
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use service_kit::problem::{ApiError, ApiResult};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, interval_at};
use uuid::Uuid;

use crate::{
    app::{App, key, store_error},
    incoming::Incoming,
    publish::{discard, own},
    uploads::{content_key, prefix},
};

/// Bytes of a part: what one request holds in memory, and most of what dies with the process.
const PART_BYTES: u64 = 8 << 20;
/// Most parts of an upload; only senders of many tiny pieces have more.
const MOST_PARTS: i64 = 50_000;
/// How long others leave an upload to a request that shows no sign of life.
const LOCK_SECONDS: f64 = 8.0;
/// How often such a sign is given.
const BEAT: Duration = Duration::from_secs(2);
/// How long somebody who asks how far an upload is waits for a request that adds to it: one that broke off is still storing what
/// came of it, and whoever goes on with less would be sent away.
const SETTLE: Duration = Duration::from_secs(3);
/// How often is looked meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// An upload of which not everything has come.
#[derive(Debug, Clone)]
pub struct Unfinished {
    pub id: UploadId,
    pub name: Option<String>,
    pub metadata: Option<String>,
    pub bytes: u64,
    pub received: u64,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// How far an upload is after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that have come.
    pub received: u64,
    /// When it goes, unless it is complete.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Begins an upload.
pub async fn begin(
    app: &App,
    id: UploadId,
    name: Option<&str>,
    metadata: Option<&str>,
    bytes: i64,
) -> ApiResult<Unfinished> {
    let mut tx = app.pool.begin().await?;
    let expires_at = sqlx::query_scalar!(
        "INSERT INTO montages.deletions (prefix, due_at) VALUES ($1, now() + interval '1 day') RETURNING due_at",
        prefix(id)
    )
    .fetch_one(&mut *tx)
    .await?;
    let created_at = sqlx::query_scalar!(
        "INSERT INTO montages.unfinished_uploads (id, name, metadata, bytes) VALUES ($1, $2, $3, $4) RETURNING created_at",
        id.0,
        name,
        metadata,
        bytes
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    let (name, metadata) = (name.map(str::to_owned), metadata.map(str::to_owned));
    Ok(Unfinished { id, name, metadata, bytes: bytes.unsigned_abs(), received: 0, created_at, expires_at })
}

/// An unfinished upload; `None` where it is complete, gone, or was never there.
pub async fn find(app: &App, id: UploadId) -> ApiResult<Option<Unfinished>> {
    let row = sqlx::query!(
        "SELECT part.name, part.metadata, part.bytes, part.received, part.created_at, place.due_at
         FROM montages.unfinished_uploads AS part
         JOIN montages.deletions AS place ON place.prefix = $2 AND NOT place.started
         WHERE part.id = $1",
        id.0,
        prefix(id)
    )
    .fetch_optional(&app.pool)
    .await?;
    Ok(row.map(|row| Unfinished {
        id,
        name: row.name,
        metadata: row.metadata,
        bytes: row.bytes.unsigned_abs(),
        received: row.received.unsigned_abs(),
        created_at: row.created_at,
        expires_at: row.due_at,
    }))
}

/// The same, when nobody adds to it any more, or after a while.
pub async fn find_settled(app: &App, id: UploadId) -> ApiResult<Option<Unfinished>> {
    let until = Instant::now() + SETTLE;
    loop {
        let is_written = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM montages.unfinished_uploads WHERE id = $1 AND writer_until > now()) AS "is!""#,
            id.0
        );
        if !is_written.fetch_one(&app.pool).await? || Instant::now() >= until {
            return find(app, id).await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Adds what a body brings to an upload, from an offset on, and completes it if that was the rest. `announced` is the body's
/// length, where it says one.
pub async fn append(
    app: Arc<App>,
    id: UploadId,
    offset: u64,
    announced: Option<u64>,
    body: Body,
) -> ApiResult<Progress> {
    let writer = Writer::take(app, id).await?;
    let Unfinished { bytes, received, .. } = writer.upload;
    let refused = if received != offset {
        let detail = format!("{received} bytes have come, not {offset}. Go on from there.");
        Some(ApiError::new(ProblemCode::Conflict, detail))
    } else {
        announced.filter(|announced| *announced > bytes - received).map(|_| too_much(bytes - received))
    };
    match refused {
        Some(error) => {
            writer.release().await;
            Err(error)
        }
        None => writer.work(Work::Add(body)).await,
    }
}

/// Completes an upload of which everything has come; leaves every other one as it is.
pub async fn complete(app: Arc<App>, id: UploadId) -> ApiResult<()> {
    let writer = Writer::take(app, id).await?;
    if writer.upload.received < writer.upload.bytes {
        writer.release().await;
        return Ok(());
    }
    writer.work(Work::Complete).await.map(drop)
}

/// Gives an unfinished upload up; answers whether there was one. Where somebody is adding to it, that one stops by itself, and
/// what it was about to store goes a little later.
pub async fn give_up(app: &App, id: UploadId) -> ApiResult<bool> {
    let mut tx = app.pool.begin().await?;
    let given_up = sqlx::query_scalar!(
        r#"DELETE FROM montages.unfinished_uploads WHERE id = $1 RETURNING writer IS NOT NULL AS "is_written!""#,
        id.0
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(is_written) = given_up else { return Ok(false) };
    discard(&mut tx, &prefix(id)).await?;
    if is_written {
        sqlx::query!(
            "UPDATE montages.deletions SET due_at = now() + interval '2 minutes' WHERE prefix = $1",
            prefix(id)
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    app.reap.notify_one();
    Ok(true)
}

/// Forgets the unfinished uploads whose places are about to be deleted.
pub async fn forget(app: &App, places: &[String]) -> ApiResult<()> {
    let ids: Vec<Uuid> =
        places.iter().filter_map(|place| place.strip_prefix("uploads/")?.parse().ok()).collect();
    sqlx::query!("DELETE FROM montages.unfinished_uploads WHERE id = ANY($1)", &ids)
        .execute(&app.pool)
        .await?;
    Ok(())
}

fn too_much(left: u64) -> ApiError {
    ApiError::new(ProblemCode::TooLarge, format!("The upload has {left} bytes left, and the body is longer."))
}

fn gone() -> ApiError {
    ApiError::not_found("unfinished upload, or not any more")
}

/// What is done with the right to add to an upload.
enum Work {
    /// Add what comes, and complete it if that was the rest.
    Add(Body),
    /// Complete it.
    Complete,
}

/// The right to add to an upload.
struct Writer {
    app: Arc<App>,
    token: Uuid,
    upload: Unfinished,
    /// Bytes that came by this writer.
    moved: AtomicU64,
    /// It works on what is there and waits for nobody.
    is_busy: AtomicBool,
}

impl Writer {
    /// Takes the right, unless somebody has it: `locked`.
    async fn take(app: Arc<App>, id: UploadId) -> ApiResult<Self> {
        let token = Uuid::new_v4();
        let taken = sqlx::query!(
            "WITH kept AS (
                 UPDATE montages.deletions SET due_at = now() + interval '1 day'
                 WHERE prefix = $3 AND NOT started RETURNING due_at)
             UPDATE montages.unfinished_uploads SET writer = $2, writer_until = now() + make_interval(secs => $4)
             FROM kept
             WHERE id = $1 AND (writer IS NULL OR writer_until < now())
             RETURNING name, metadata, bytes, received, created_at, due_at",
            id.0,
            token,
            prefix(id),
            LOCK_SECONDS
        )
        .fetch_optional(&app.pool)
        .await?;
        let Some(row) = taken else {
            return Err(match find(&app, id).await? {
                None => gone(),
                Some(_) => ApiError::new(
                    ProblemCode::Locked,
                    "Another request is adding to this upload. Ask again when it has ended.",
                ),
            });
        };
        let upload = Unfinished {
            id,
            name: row.name,
            metadata: row.metadata,
            bytes: row.bytes.unsigned_abs(),
            received: row.received.unsigned_abs(),
            created_at: row.created_at,
            expires_at: row.due_at,
        };
        Ok(Self { app, token, upload, moved: AtomicU64::new(0), is_busy: AtomicBool::new(false) })
    }

    /// Gives the right back, so that the next one need not wait.
    async fn release(&self) {
        let released = sqlx::query!(
            "UPDATE montages.unfinished_uploads SET writer = NULL, writer_until = NULL WHERE id = $1 AND writer = $2",
            self.upload.id.0,
            self.token
        );
        if let Err(error) = released.execute(&self.app.pool).await {
            tracing::debug!(%error, "the right to write an upload ends by itself");
        }
    }

    /// Works with the right and gives it back. A task of its own, so that a client that goes away leaves work that ends in
    /// order.
    async fn work(self, work: Work) -> ApiResult<Progress> {
        let working = tokio::spawn(async move {
            let result = tokio::select! {
                result = self.carry_out(work) => result,
                lost = self.beat() => Err(lost),
            };
            self.release().await;
            result
        });
        working.await.map_err(ApiError::internal)?
    }

    async fn carry_out(&self, work: Work) -> ApiResult<Progress> {
        let received = match work {
            Work::Add(body) => self.receive(body).await?,
            Work::Complete => self.upload.received,
        };
        if received == self.upload.bytes {
            self.is_busy.store(true, Ordering::Relaxed);
            self.join().await?;
            return Ok(Progress { received, expires_at: None });
        }
        let upload = find(&self.app, self.upload.id).await?.ok_or_else(gone)?;
        Ok(Progress { received, expires_at: Some(upload.expires_at) })
    }

    /// Keeps the right for as long as there is a sign of life; ends when somebody else has it, or the upload is gone.
    async fn beat(&self) -> ApiError {
        let mut ticks = interval_at(Instant::now() + BEAT, BEAT);
        let mut seen = 0;
        loop {
            ticks.tick().await;
            let moved = self.moved.load(Ordering::Relaxed);
            if moved == seen && !self.is_busy.load(Ordering::Relaxed) {
                continue;
            }
            seen = moved;
            let kept = sqlx::query!(
                "UPDATE montages.unfinished_uploads SET writer_until = now() + make_interval(secs => $3)
                 WHERE id = $1 AND writer = $2",
                self.upload.id.0,
                self.token,
                LOCK_SECONDS
            );
            match kept.execute(&self.app.pool).await {
                Ok(kept) if kept.rows_affected() == 0 => return lost(),
                // A right that ran out and that nobody took is as good as ever.
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "the right to write an upload was not prolonged"),
            }
        }
    }

    /// Takes what a body brings, part by part; answers how much has come in all.
    async fn receive(&self, body: Body) -> ApiResult<u64> {
        let mut incoming = Incoming::new(body);
        let mut received = self.upload.received;
        while received < self.upload.bytes && incoming.has_more().await {
            let left = self.upload.bytes - received;
            received += self.part(&mut incoming, received, left).await?;
        }
        match incoming.broken {
            Some(reason) if received < self.upload.bytes => Err(ApiError::new(
                ProblemCode::Timeout,
                format!("The body did not come to its end: {reason}. {received} bytes are kept."),
            )),
            _ => Ok(received),
        }
    }

    /// Stores one part and writes it down; answers its length.
    async fn part(&self, incoming: &mut Incoming, start: u64, left: u64) -> ApiResult<u64> {
        let key = key(&format!("{}/{start}-{}", parts(self.upload.id), self.token))?;
        let most = left.min(PART_BYTES);
        // The last byte of an upload is the last of its body, too.
        let stored = {
            let coming = incoming.part(most, most == left, &self.moved);
            self.app.store.put(&key, coming, Size::AtMost(most)).await
        };
        let Stored { size, .. } = stored.map_err(|error| match error {
            FetchError::UploadInterrupted { .. } => too_much(left),
            error => store_error(error),
        })?;
        if let Err(error) = self.note(start, size, key.as_str()).await {
            // Nobody knows of it: it goes now rather than with its place.
            if let Err(error) = self.app.store.delete(&key).await {
                tracing::debug!(%key, %error, "a part that came too late goes with its place");
            }
            return Err(error);
        }
        Ok(size)
    }

    /// Writes a part down, if the right still holds and the upload is not given up.
    async fn note(&self, start: u64, size: u64, key: &str) -> ApiResult<()> {
        let (start, size) = (signed(start), signed(size));
        let mut tx = self.app.pool.begin().await?;
        let noted = sqlx::query!(
            "WITH kept AS (
                 UPDATE montages.deletions SET due_at = now() + interval '1 day'
                 WHERE prefix = $6 AND NOT started RETURNING 1),
             added AS (
                 UPDATE montages.unfinished_uploads
                 SET received = received + $4, writer_until = now() + make_interval(secs => $7)
                 WHERE id = $1 AND writer = $2 AND received = $3 AND EXISTS (SELECT FROM kept)
                 RETURNING id)
             INSERT INTO montages.upload_parts (upload_id, start, bytes, object_key)
             SELECT id, $3, $4, $5 FROM added
             WHERE (SELECT count(*) FROM montages.upload_parts WHERE upload_id = $1) < $8",
            self.upload.id.0,
            self.token,
            start,
            size,
            key,
            prefix(self.upload.id),
            LOCK_SECONDS,
            MOST_PARTS
        )
        .execute(&mut *tx)
        .await?;
        if noted.rows_affected() == 1 {
            tx.commit().await?;
            return Ok(());
        }
        drop(tx);
        let count = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM montages.upload_parts WHERE upload_id = $1"#,
            self.upload.id.0
        );
        if count.fetch_one(&self.app.pool).await? >= MOST_PARTS {
            let detail = format!(
                "The upload came in {MOST_PARTS} pieces, which is the most. Begin again with larger ones."
            );
            return Err(ApiError::new(ProblemCode::Conflict, detail));
        }
        Err(lost())
    }

    /// Makes one object of all parts and a whole upload of the row.
    async fn join(&self) -> ApiResult<()> {
        let (app, id) = (&self.app, self.upload.id);
        let parts: Vec<String> = sqlx::query_scalar!(
            "SELECT object_key FROM montages.upload_parts WHERE upload_id = $1 ORDER BY start",
            id.0
        )
        .fetch_all(&app.pool)
        .await?;
        let keys = parts.iter().map(|part| key(part)).collect::<ApiResult<Vec<_>>>()?;
        let content = key(&content_key(id))?;
        let put =
            app.store.put(&content, joined(app.store.clone(), keys), Size::Exactly(self.upload.bytes)).await;
        let Stored { size, sha256 } = put.map_err(|error| match error {
            // It is what reading a part said, which has been logged.
            FetchError::UploadInterrupted { reason } => store_error(FetchError::StoreUnavailable { reason }),
            error => store_error(error),
        })?;
        let mut tx = app.pool.begin().await?;
        let mine = sqlx::query!(
            "DELETE FROM montages.unfinished_uploads WHERE id = $1 AND writer = $2",
            id.0,
            self.token
        );
        if mine.execute(&mut *tx).await?.rows_affected() == 0 {
            return Err(lost());
        }
        own(&mut tx, &prefix(id)).await?;
        sqlx::query!(
            "INSERT INTO montages.uploads (id, name, metadata, object_key, bytes, sha256) VALUES ($1, $2, $3, $4, $5, $6)",
            id.0,
            self.upload.name,
            self.upload.metadata,
            content.as_str(),
            signed(size),
            sha256
        )
        .execute(&mut *tx)
        .await?;
        discard(&mut tx, &self::parts(id)).await?;
        tx.commit().await?;
        app.reap.notify_one();
        Ok(())
    }
}

/// The bytes of objects, one after the other.
fn joined(store: Store, keys: Vec<ObjectKey>) -> BoxStream<'static, Result<Bytes, FetchError>> {
    let opened = stream::iter(keys).then(move |key| {
        let store = store.clone();
        async move { store.get(&key, None).await.map(|body| body.stream) }
    });
    opened.try_flatten().boxed()
}

/// Where the parts of an upload are.
fn parts(id: UploadId) -> String {
    format!("{}/parts", prefix(id))
}

fn lost() -> ApiError {
    ApiError::new(
        ProblemCode::Conflict,
        "Another request goes on with this upload, or it was deleted. Ask how far it is.",
    )
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
