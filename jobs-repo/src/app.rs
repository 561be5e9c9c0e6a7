//! What the routes and the background tasks share.
//!
//! Promises: ringing a bell never blocks and never fails; a bell that is not heard costs a second, not a job.

use contracts::hint::POSTGRES_CHANNEL;
use rand::RngExt;
use sqlx::{PgPool, postgres::PgListener};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Policy, Streams},
    deliver::Sender,
    watch::Watch,
};

/// What the routes and the background tasks share.
#[derive(Debug)]
pub struct App {
    /// The database.
    pub pool: PgPool,
    /// The rules.
    pub policy: Policy,
    /// Wakes claims that wait for work.
    pub work: Notify,
    /// Wakes those who wait for a plan or a probe: an attempt has ended.
    pub ended: Notify,
    /// Wakes the relay.
    pub outbox: Notify,
    /// Tells receivers of webhooks.
    pub sender: Sender,
    /// How long streams of events last, and how many there may be.
    pub streams: Streams,
    /// Tells those who follow jobs what changed.
    pub watch: Watch,
    /// Cancelled when the service stops.
    pub shutdown: CancellationToken,
}

impl App {
    /// Something became claimable: to be called after the transaction.
    pub fn ring(&self) {
        self.work.notify_waiters();
        self.outbox.notify_one();
        self.watch.stir();
    }

    /// An attempt or a job has ended: to be called after the transaction.
    pub fn end(&self) {
        self.ended.notify_waiters();
        self.watch.stir();
    }

    /// About a second, different each time, so that those who wait do not come all at once.
    #[must_use]
    pub fn about_a_second() -> Duration {
        Duration::from_millis(rand::rng().random_range(750..1250))
    }

    /// Waits, unless the service stops: then `false`.
    pub async fn pause(&self, duration: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(duration) => true,
            () = self.shutdown.cancelled() => false,
        }
    }
}

/// Wakes waiting claims on hints that come through the database, until the service stops.
pub async fn listen(app: std::sync::Arc<App>) {
    loop {
        let result = tokio::select! {
            result = listen_once(&app) => result,
            () = app.shutdown.cancelled() => return,
        };
        if let Err(error) = result {
            tracing::warn!(%error, "listening for hints broke off; claims go on by polling");
        }
        if !app.pause(App::about_a_second()).await {
            return;
        }
    }
}

async fn listen_once(app: &App) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(&app.pool).await?;
    listener.listen(POSTGRES_CHANNEL).await?;
    loop {
        // `None` after a break that the listener has mended: what came meanwhile is unknown.
        listener.try_recv().await?;
        app.work.notify_waiters();
    }
}
