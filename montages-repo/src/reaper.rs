//! The reaper: deletes objects that are listed to go, empties the trash, and lists segments that nobody uses.
//!
//! Promises: what a row owns is never deleted; what is listed is deleted in the end, whatever fails in between, with a
//! back-off per place; any number of reapers may run. No transaction is open while the store works.

use service_kit::problem::ApiResult;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, key},
    previews, resumable, segments, trash,
};

/// Runs until the token is cancelled: at once, when woken, and every so often.
pub async fn run(app: Arc<App>, every: Duration, shutdown: CancellationToken) {
    loop {
        match round(&app).await {
            // There may be more.
            Ok(reaped) if reaped > 0 && !shutdown.is_cancelled() => continue,
            // A failure has been logged where it was found; the next round tries again.
            Ok(_) | Err(_) => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = app.reap.notified() => {}
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// One round; answers how many places it deleted.
async fn round(app: &App) -> ApiResult<usize> {
    trash::empty(app).await?;
    app.opened.forget(Instant::now());
    segments::retire(app).await?;
    // A grant that came while its attempt was being published listed what a row owns by now.
    sqlx::query!(
        "DELETE FROM montages.deletions AS place
         WHERE place.due_at <= now() AND NOT place.started
           AND (EXISTS (SELECT FROM montages.pieces WHERE starts_with(object_key, place.prefix || '/'))
             OR EXISTS (SELECT FROM montages.segments WHERE object_key = place.prefix || '/content')
             OR EXISTS (SELECT FROM montages.uploads WHERE starts_with(object_key, place.prefix || '/')))"
    )
    .execute(&app.pool)
    .await?;
    // Claimed by moving them into the future: a reaper that dies leaves them for the next one.
    let places = sqlx::query_scalar!(
        "UPDATE montages.deletions
         SET started = true, tries = tries + 1, due_at = now() + least(interval '1 hour', interval '30 seconds' * 2 ^ least(tries, 8))
         WHERE prefix IN (SELECT prefix FROM montages.deletions WHERE due_at <= now()
                          ORDER BY due_at LIMIT 20 FOR UPDATE SKIP LOCKED)
         RETURNING prefix"
    )
    .fetch_all(&app.pool)
    .await?;
    previews::forget(app, &places).await?;
    resumable::forget(app, &places).await?;
    let mut reaped = 0;
    for prefix in places {
        match app.store.delete_prefix(&key(&prefix)?).await {
            Ok(()) => {
                sqlx::query!("DELETE FROM montages.deletions WHERE prefix = $1", prefix)
                    .execute(&app.pool)
                    .await?;
                reaped += 1;
            }
            Err(error) => {
                tracing::warn!(prefix, %error, "objects could not be deleted; it is tried again later")
            }
        }
    }
    metrics::counter!("montages_places_deleted").increment(reaped as u64);
    Ok(reaped)
}
