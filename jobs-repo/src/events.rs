//! Streams of events (`text/event-stream`): what the watch tells, as clients get it.
//!
//! Promises: a stream begins with what its client needs to know so as to miss nothing, and then carries each change; one whose
//! client reads too slowly is told so and goes on; it ends after its lifetime and when the service stops, and its place is
//! free as soon as its client is gone. Nothing of it fails: what cannot be read comes later.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt as _, stream};
use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use uuid::Uuid;

use crate::{
    app::App,
    watch::{Change, News, Wanted, Whole},
};

/// How often a stream without news shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How a stream of many jobs begins.
#[derive(Debug)]
pub enum Start {
    /// With what comes from now on.
    Now,
    /// With what changed since its client was there; then with what comes from now on.
    Changed(Vec<Arc<Change>>),
    /// Too much changed, or it is too long ago: the client has to read anew.
    TooMuch,
}

/// The stream of one who follows many jobs.
#[derive(Debug)]
pub struct Many {
    wanted: Wanted,
    news: broadcast::Receiver<Arc<News>>,
    ready: VecDeque<(What, String)>,
    /// The versions that the client got when it resumed: older ones may still come, and are no news.
    resumed: HashMap<Uuid, i64>,
    /// The id of the newest event.
    id: String,
}

/// One event.
#[derive(Debug)]
enum What {
    Hello,
    Reset,
    Job(Arc<Change>),
}

impl Many {
    /// A stream that begins so. `since` is the id of what its client saw last, `now` that of the moment from which on everything is
    /// heard. The client's own id stays until it has got everything that it missed, so that it can break off at any event.
    #[must_use]
    pub fn new(
        wanted: Wanted,
        news: broadcast::Receiver<Arc<News>>,
        since: Option<String>,
        now: String,
        start: Start,
    ) -> Self {
        let (mut ready, mut resumed) = (VecDeque::new(), HashMap::new());
        match start {
            Start::Now => ready.push_back((What::Hello, now.clone())),
            Start::TooMuch => ready.extend([(What::Hello, now.clone()), (What::Reset, now.clone())]),
            Start::Changed(changes) => {
                let before = since.unwrap_or_else(|| now.clone());
                resumed.extend(changes.iter().map(|change| (change.id, change.version)));
                ready.push_back((What::Hello, before.clone()));
                ready.extend(changes.into_iter().map(|change| (What::Job(change), before.clone())));
                if let Some(last) = ready.back_mut() {
                    last.1.clone_from(&now);
                }
            }
        }
        Self { wanted, news, ready, resumed, id: now }
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((what, id)) = self.ready.pop_front() {
                let event = Event::default().id(id);
                return Some(match what {
                    What::Hello => event.event("hello").data("{}"),
                    What::Reset => event.event("reset").data("{}"),
                    What::Job(change) => event.event("job").data(&change.data),
                });
            }
            match self.news.recv().await {
                Ok(news) => self.take(&news),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.ready.push_back((What::Reset, self.id.clone()));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    fn take(&mut self, news: &News) {
        self.id.clone_from(&news.id);
        let Some(changes) = &news.changes else {
            self.ready.push_back((What::Reset, news.id.clone()));
            return;
        };
        for change in changes.iter().filter(|change| self.wanted.takes(change)) {
            if self.resumed.get(&change.id).is_none_or(|version| *version < change.version) {
                self.ready.push_back((What::Job(Arc::clone(change)), news.id.clone()));
            }
        }
    }
}

/// The stream of one who follows one job.
#[derive(Debug)]
pub struct One {
    news: watch::Receiver<Option<Arc<Whole>>>,
    /// What the client does not have yet.
    first: Option<Whole>,
    /// The version that the client has.
    version: (i64, i64),
}

impl One {
    /// A stream that begins with the job as it is, unless that is what its client saw last.
    #[must_use]
    pub fn new(news: watch::Receiver<Option<Arc<Whole>>>, present: Whole, seen: Option<&str>) -> Self {
        let version = present.version;
        Self { news, first: Some(present).filter(|present| seen != Some(&present.tag)), version }
    }

    async fn next(&mut self) -> Option<Event> {
        if let Some(first) = self.first.take() {
            return Some(event(&first));
        }
        loop {
            self.news.changed().await.ok()?;
            let whole = self.news.borrow_and_update().clone();
            if let Some(whole) = whole.filter(|whole| whole.version > self.version) {
                self.version = whole.version;
                return Some(event(&whole));
            }
        }
    }
}

fn event(whole: &Whole) -> Event {
    Event::default().event("job").id(&whole.tag).data(&whole.data)
}

/// Answers a stream of many jobs.
#[must_use]
pub fn many(app: &App, place: OwnedSemaphorePermit, many: Many) -> Response {
    let events = stream::unfold(many, async |mut many| many.next().await.map(|event| (event, many)));
    answer(app, place, events)
}

/// Answers a stream of one job.
#[must_use]
pub fn one(app: &App, place: OwnedSemaphorePermit, one: One) -> Response {
    let events = stream::unfold(one, async |mut one| one.next().await.map(|event| (event, one)));
    answer(app, place, events)
}

fn answer(
    app: &App,
    place: OwnedSemaphorePermit,
    events: impl Stream<Item = Event> + Send + 'static,
) -> Response {
    let end = tokio::time::timeout(app.streams.lifetime, app.shutdown.clone().cancelled_owned());
    let events = events.take_until(end).map(move |event| {
        // Held for as long as the stream is.
        let _place = &place;
        Ok::<_, Infallible>(event)
    });
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies in front collect answers otherwise.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))).into_response()
}
