//! News of jobs for those who follow them: one task of each process looks for what changed, and tells all who listen.
//!
//! There is no table of events. A look finds the jobs that changed since the one before, by the moment at which the
//! transaction of the change began (`turned_at`; of running jobs, whose heartbeats are to stay cheap, `updated_at`). Each look
//! reaches back [`OVERLAP`] before the one before, and what was told already is known by its version. No transaction is
//! open during work, so that none is committed later than that; if a process is halted in the midst of one for longer, its change
//! is told with the job's next.
//!
//! Promises: nobody looks while nobody listens; who begins to listen hears of everything that is committed after that, within
//! [`LOOK_EVERY`] (written by this process, within [`GATHER`]) and a moment; several changes of one job in that time may be told as
//! one. Fails never: what goes wrong is logged once when it begins, and what was missed is told when it ends.

use chrono::{DateTime, Utc};
use contracts::{
    ids::JobId,
    job::{JobKind, JobState},
};
use serde::Serialize;
use service_kit::paging;
use sqlx::{Connection, PgConnection, PgPool};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Mutex, MutexGuard, Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};
use uuid::Uuid;

use crate::{app::App, config::Streams, parts, rows};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How long to wait after a change of our own before looking, so that many changes are one look.
const GATHER: Duration = Duration::from_millis(50);
/// How far a look reaches back before the one before.
const OVERLAP: Duration = Duration::from_secs(10);
/// Most changes that one look tells one by one: after more, who follows is told to read anew.
const MOST_CHANGES: usize = 500;
/// Most jobs that one look finds, those included that were told before.
const MOST_FOUND: i64 = 50_000;
/// What resuming can go back to: longer than a stream lasts.
const KEPT: Duration = Duration::from_secs(2 * 3600);
/// What the ids of events are bound to, so that no other cursor is taken for one.
const IDS: &str = "events";

/// Tells those who follow jobs what changed.
#[derive(Debug)]
pub struct Watch {
    standing: Mutex<Option<Standing>>,
    posted: broadcast::Sender<Arc<News>>,
    all: broadcast::Sender<Arc<News>>,
    stirred: Notify,
    places: Arc<Semaphore>,
}

/// What the looks so far have come to. There is one while somebody listens.
#[derive(Debug)]
struct Standing {
    /// When the newest look was, by the database's clock: everything that was committed before is known.
    looked_at: DateTime<Utc>,
    /// The version of each job that the newest look found.
    known: HashMap<Uuid, i64>,
    /// Those who follow one job, by its id.
    single: HashMap<Uuid, watch::Sender<Option<Arc<Whole>>>>,
}

/// What one look came to.
#[derive(Debug)]
pub struct News {
    /// From where who saw nothing of this can resume.
    pub id: String,
    /// What changed, the oldest change first; `None` if it was too much.
    pub changes: Option<Vec<Arc<Change>>>,
}

/// A job that changed, as lists show it.
#[derive(Debug)]
pub struct Change {
    /// Which.
    pub id: Uuid,
    /// Its kind.
    pub kind: JobKind,
    /// Where it stands now.
    pub state: JobState,
    /// Grows with every change.
    pub version: i64,
    /// The job as JSON.
    pub data: String,
}

/// A job as it is answered by itself.
#[derive(Debug)]
pub struct Whole {
    /// Its version and that of its parts: grows with every change.
    pub version: (i64, i64),
    /// Names what is shown.
    pub tag: String,
    /// The job as JSON.
    pub data: String,
}

/// Which changes somebody wants to hear of.
#[derive(Debug)]
pub struct Wanted {
    /// Of jobs of one of these kinds.
    pub kinds: Vec<String>,
    /// Of jobs that are in one of these states now.
    pub states: Option<Vec<String>>,
}

impl Wanted {
    /// Whether a change is among them.
    #[must_use]
    pub fn takes(&self, change: &Change) -> bool {
        let among = |names: &[String], name: &str| names.iter().any(|known| known == name);
        among(&self.kinds, change.kind.as_str())
            && self.states.as_ref().is_none_or(|states| among(states, change.state.as_str()))
    }

    fn is_posted_only(&self) -> bool {
        self.kinds.iter().all(|kind| JobKind::POSTED.iter().any(|(name, _)| name == kind))
    }
}

/// The id of an event, as clients send it back: everything that changed later comes after it.
#[must_use]
pub fn id_of(moment: DateTime<Utc>) -> String {
    paging::encode(&moment.timestamp_micros(), &IDS)
}

/// The moment that an id stands for.
///
/// # Errors
/// `invalid_cursor` when it is not of our making.
pub fn moment_of(id: &str) -> service_kit::problem::ApiResult<DateTime<Utc>> {
    let micros: i64 = paging::decode(id, &IDS)?;
    // What lies outside of the calendar is as old as can be.
    Ok(DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH))
}

impl Watch {
    /// With nobody listening.
    #[must_use]
    pub fn new(streams: Streams) -> Self {
        Self {
            standing: Mutex::new(None),
            posted: broadcast::Sender::new(streams.backlog),
            all: broadcast::Sender::new(streams.backlog),
            stirred: Notify::new(),
            places: Arc::new(Semaphore::new(streams.most)),
        }
    }

    /// A job changed: to be called after the transaction.
    pub fn stir(&self) {
        self.stirred.notify_one();
    }

    /// A place for one who listens, given back when it is dropped; `None` if all are taken.
    #[must_use]
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Begins to listen to what changes among jobs, and answers the moment from which on everything is heard.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn listen(
        &self,
        pool: &PgPool,
        wanted: &Wanted,
    ) -> sqlx::Result<(broadcast::Receiver<Arc<News>>, DateTime<Utc>)> {
        let mut guard = self.standing.lock().await;
        let standing = begun(&mut guard, pool).await?;
        let sender = if wanted.is_posted_only() { &self.posted } else { &self.all };
        let listening = (sender.subscribe(), standing.looked_at);
        self.stir();
        Ok(listening)
    }

    /// Begins to listen to one job. Only its newest version is kept for one who reads slowly.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn listen_to(
        &self,
        pool: &PgPool,
        id: JobId,
    ) -> sqlx::Result<watch::Receiver<Option<Arc<Whole>>>> {
        let mut guard = self.standing.lock().await;
        let standing = begun(&mut guard, pool).await?;
        let receiver = standing.single.entry(id.0).or_insert_with(|| watch::Sender::new(None)).subscribe();
        self.stir();
        Ok(receiver)
    }

    fn is_heard(&self) -> bool {
        self.posted.receiver_count() + self.all.receiver_count() > 0
    }
}

/// What there is, or, for the first who listens, the first look: what it finds is no news.
async fn begun<'a>(
    guard: &'a mut MutexGuard<'_, Option<Standing>>,
    pool: &PgPool,
) -> sqlx::Result<&'a mut Standing> {
    let standing = match guard.take() {
        Some(standing) => standing,
        None => {
            // The connection is taken under the lock, like that of a look: otherwise all could be held by those who wait.
            let found = find(&mut *pool.acquire().await?, None).await?;
            Standing { looked_at: found.now, known: found.versions(), single: HashMap::new() }
        }
    };
    Ok(guard.insert(standing))
}

/// Looks, while somebody listens, until the service stops.
pub async fn run(app: Arc<App>) {
    let mut broken = false;
    let mut listened_to = false;
    loop {
        let next = async {
            if listened_to { tokio::time::sleep(LOOK_EVERY).await } else { std::future::pending().await }
        };
        tokio::select! {
            () = app.watch.stirred.notified() => if !app.pause(GATHER).await { return },
            () = next => {}
            () = app.shutdown.cancelled() => return,
        }
        match look(&app).await {
            Ok(standing) => {
                listened_to = standing;
                broken = false;
            }
            Err(error) => {
                if !broken {
                    tracing::warn!(%error, "changes of jobs cannot be read; those who follow them hear of them later");
                }
                broken = true;
                // Whoever began to listen is there still.
                listened_to = true;
            }
        }
    }
}

/// Finds what changed and tells it; answers whether anybody listens. After an error nothing counts as told.
async fn look(app: &App) -> sqlx::Result<bool> {
    let mut guard = app.watch.standing.lock().await;
    let Some(standing) = guard.as_mut() else { return Ok(false) };
    standing.single.retain(|_, sender| sender.receiver_count() > 0);
    if standing.single.is_empty() && !app.watch.is_heard() {
        *guard = None;
        return Ok(false);
    }
    let mut connection = app.pool.acquire().await?;
    let found = find(&mut connection, Some(standing.looked_at)).await?;
    let news: Vec<&Head> =
        found.heads.iter().filter(|head| standing.known.get(&head.id) != Some(&head.version)).collect();
    let is_flooded = found.is_cut();
    if app.watch.is_heard() {
        tell(&app.watch, &mut connection, standing.looked_at, &news, is_flooded).await?;
    }
    let moved: HashSet<Uuid> =
        news.iter().flat_map(|head| std::iter::once(head.id).chain(head.parent_id)).collect();
    for (id, sender) in standing.single.iter().filter(|(id, _)| is_flooded || moved.contains(*id)) {
        if let Some(whole) = read_whole(&mut connection, JobId(*id)).await? {
            sender.send_replace(Some(Arc::new(whole)));
        }
    }
    standing.looked_at = found.now;
    standing.known = found.versions();
    Ok(true)
}

/// Tells those who follow many jobs.
async fn tell(
    watch: &Watch,
    connection: &mut PgConnection,
    since: DateTime<Utc>,
    news: &[&Head],
    is_flooded: bool,
) -> sqlx::Result<()> {
    let is_for_all = watch.all.receiver_count() > 0;
    // Jobs that the services make themselves are many, and hardly ever listened to.
    let shown: Vec<Uuid> =
        news.iter().filter(|head| is_for_all || head.is_posted()).map(|head| head.id).collect();
    if shown.is_empty() && !is_flooded {
        return Ok(());
    }
    let id = id_of(since);
    let changes = if is_flooded || shown.len() > MOST_CHANGES {
        None
    } else {
        Some(read_listed(connection, &shown).await?)
    };
    let posted = changes
        .as_ref()
        .map(|changes| changes.iter().filter(|change| change.kind.is_posted()).cloned().collect::<Vec<_>>());
    // Fails when nobody listens, which is no failure.
    if posted.as_ref().is_none_or(|changes| !changes.is_empty()) {
        let _ = watch.posted.send(Arc::new(News { id: id.clone(), changes: posted }));
    }
    let _ = watch.all.send(Arc::new(News { id, changes }));
    Ok(())
}

/// What is known of a job that changed.
struct Head {
    id: Uuid,
    kind: String,
    version: i64,
    parent_id: Option<Uuid>,
}

impl Head {
    fn is_posted(&self) -> bool {
        JobKind::POSTED.iter().any(|(name, _)| *name == self.kind)
    }
}

/// What a look found.
struct Found {
    /// Before the look: what is committed later is found by the next one.
    now: DateTime<Utc>,
    /// The oldest change first.
    heads: Vec<Head>,
}

impl Found {
    /// Whether there was more.
    fn is_cut(&self) -> bool {
        i64::try_from(self.heads.len()).unwrap_or(i64::MAX) >= MOST_FOUND
    }

    fn versions(&self) -> HashMap<Uuid, i64> {
        self.heads.iter().map(|head| (head.id, head.version)).collect()
    }
}

/// The jobs that changed since a moment, or, for the first look, since just now; and some that did before. Should the
/// database's clock be set back, since then.
async fn find(connection: &mut PgConnection, since: Option<DateTime<Utc>>) -> sqlx::Result<Found> {
    let now = sqlx::query_scalar!(r#"SELECT now() AS "now!""#).fetch_one(&mut *connection).await?;
    let mut heads = sqlx::query_as!(
        Head,
        "SELECT id, kind, version, parent_id FROM jobs.jobs
         WHERE turned_at > LEAST($1, now()) - make_interval(secs => $2)
            OR (state = 'running' AND updated_at > LEAST($1, now()) - make_interval(secs => $2))
         ORDER BY updated_at DESC LIMIT $3",
        since.unwrap_or(now),
        OVERLAP.as_secs_f64(),
        MOST_FOUND,
    )
    .fetch_all(connection)
    .await?;
    heads.reverse();
    Ok(Found { now, heads })
}

/// What changed since a moment, for one who was away until `now`; `None` if it was too much, or too long ago.
///
/// # Errors
/// Those of the database.
pub async fn since(
    connection: &mut PgConnection,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    wanted: &Wanted,
) -> sqlx::Result<Option<Vec<Arc<Change>>>> {
    if now.signed_duration_since(since).to_std().is_ok_and(|away| away > KEPT) {
        return Ok(None);
    }
    let mut ids = sqlx::query_scalar!(
        "SELECT id FROM jobs.jobs
         WHERE (turned_at > LEAST($1, now()) - make_interval(secs => $2)
                OR (state = 'running' AND updated_at > LEAST($1, now()) - make_interval(secs => $2)))
           AND kind = ANY($3) AND ($4::text[] IS NULL OR state = ANY($4))
         ORDER BY updated_at DESC LIMIT $5",
        since,
        OVERLAP.as_secs_f64(),
        &wanted.kinds,
        wanted.states.as_deref(),
        i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX).saturating_add(1),
    )
    .fetch_all(&mut *connection)
    .await?;
    if ids.len() > MOST_CHANGES {
        return Ok(None);
    }
    ids.reverse();
    read_listed(connection, &ids).await.map(Some)
}

async fn read_listed(connection: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<Arc<Change>>> {
    let jobs = rows::listed(connection, ids).await?;
    jobs.into_iter()
        .map(|stored| {
            Ok(Arc::new(Change {
                id: stored.job.id.0,
                kind: stored.job.kind,
                state: stored.job.state,
                version: stored.version,
                data: json(&stored.job)?,
            }))
        })
        .collect()
}

/// A job as it is answered by itself, read as of one moment, so that no two readings contradict each other in their order;
/// `None` if it is gone.
///
/// # Errors
/// Those of the database.
pub async fn read_whole(connection: &mut PgConnection, id: JobId) -> sqlx::Result<Option<Whole>> {
    let mut snapshot = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let stored = parts::whole(&mut snapshot, id).await?;
    snapshot.commit().await?;
    let Some(stored) = stored else { return Ok(None) };
    Ok(Some(Whole {
        version: (stored.version, stored.parts_version),
        tag: stored.tag(),
        data: json(&stored.job)?,
    }))
}

fn json(value: &impl Serialize) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}
