//! Clips that viewers made on Twitch, by Twitch's API (Helix).
//!
//! Login names are turned into ids, then each channel's clips of the window are read, page by page, the most viewed first. Twitch lists
//! about a thousand clips of one question, whatever their number, and then begins to repeat itself; so where that many come, the window is
//! asked again in halves. A clip's views are its score, its broadcaster is the streamer.
//!
//! A clip's address and that of a recording are pages: executors need `SM_YT_DLP` to find what is behind them.
//!
//! Promises: a channel that does not exist and a clip that cannot be used are reported and skipped. Pages, tries and waits are bounded;
//! Twitch's rate limit is kept by waiting as long as it says. Fails with advice without credentials or with wrong ones; neither the secret
//! nor a token is in any message.

mod client;

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use contracts::{
    import::{TwitchMedia, TwitchSource},
    spec::Source as Video,
    time::MediaTime,
};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Number, Value, json};

use self::client::Api;
pub use self::client::Ways;
use super::{Source, SourceError};
use crate::candidate::{Found, Gathered, Streamer, When};

/// Clips of one page; Twitch's own most.
const PAGE: &str = "100";
/// Pages of one question. Twitch lists about a thousand clips, which are ten.
const MOST_PAGES: usize = 20;
/// Clips of one question from which on there may be more than Twitch lists.
const ALL_LISTED_BELOW: usize = 900;
/// What is not halved any more.
const SHORTEST: TimeDelta = TimeDelta::minutes(30);
/// Asked for beyond both ends, since Twitch does not look at seconds and rounds to some minutes.
const MARGIN: TimeDelta = TimeDelta::minutes(10);

/// Channels whose clips are read.
pub struct Twitch {
    source: TwitchSource,
    api: Api,
}

/// A channel, as Twitch tells of it.
#[derive(Deserialize)]
struct User {
    id: String,
    login: String,
    #[serde(default)]
    display_name: String,
}

/// A clip, as Twitch tells of it.
#[derive(Deserialize)]
struct Clip {
    url: String,
    /// Empty where the recording is gone or not there yet.
    #[serde(default)]
    video_id: String,
    #[serde(default)]
    title: String,
    view_count: f64,
    created_at: DateTime<Utc>,
    /// In seconds.
    duration: Number,
    /// Where it starts in the recording, in seconds.
    vod_offset: Option<Number>,
}

/// One page of an answer.
#[derive(Deserialize)]
struct Page {
    data: Vec<Value>,
    #[serde(default)]
    pagination: Pagination,
}

#[derive(Deserialize, Default)]
struct Pagination {
    cursor: Option<String>,
}

impl Twitch {
    /// Opens a source; nothing is asked for yet.
    ///
    /// # Errors
    /// Where the operator has not set Twitch up.
    pub fn open(source: &TwitchSource, ways: &Ways) -> Result<Self, SourceError> {
        Ok(Self { source: source.clone(), api: ways.api()? })
    }

    /// Who the channels are, in the order in which the source names them.
    async fn channels(&self, into: &mut Gathered) -> Result<Vec<Arc<Streamer>>, SourceError> {
        let mut logins: Vec<&str> = Vec::new();
        for login in self.source.channels.iter().map(String::as_str) {
            if !logins.contains(&login) {
                logins.push(login);
            }
        }
        let query: Vec<_> = logins.iter().map(|login| ("login", *login)).collect();
        let page: Page = self.api.get("/helix/users", &query).await?;
        let users = page.data.into_iter().map(serde_json::from_value).collect::<Result<Vec<User>, _>>();
        let users = users.map_err(|_| {
            SourceError::Unavailable("Twitch tells of channels in a way that is not known".to_owned())
        })?;
        let mut channels = Vec::with_capacity(logins.len());
        for login in logins {
            match users.iter().find(|user| user.login.eq_ignore_ascii_case(login)) {
                Some(user) => {
                    let name = if user.display_name.is_empty() { login } else { &user.display_name };
                    channels.push(Arc::new(Streamer { id: user.id.clone(), name: name.to_owned() }));
                }
                None => into.skip(login, "Twitch knows no channel of this login name"),
            }
        }
        Ok(channels)
    }

    /// Reads the clips of a channel between two moments.
    async fn clips(
        &self,
        streamer: &Arc<Streamer>,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
        into: &mut Gathered,
    ) -> Result<(), SourceError> {
        let mut seen = HashSet::new();
        let mut ranges = vec![(start, end)];
        while let Some((from, to)) = ranges.pop() {
            if self.all_listed(streamer, (from, to), &mut seen, into).await? {
                continue;
            }
            if to - from > SHORTEST {
                let middle = from + (to - from) / 2;
                ranges.extend([(middle, to), (from, middle)]);
            } else {
                into.skip(
                    format!("{}, {}", streamer.name, written(from)),
                    "Twitch lists no more than the most viewed of the clips of these minutes",
                );
            }
        }
        Ok(())
    }

    /// Reads the clips that Twitch lists; whether they are all that there are.
    async fn all_listed(
        &self,
        streamer: &Arc<Streamer>,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        seen: &mut HashSet<String>,
        into: &mut Gathered,
    ) -> Result<bool, SourceError> {
        let (started_at, ended_at) = (written(from - MARGIN), written(to + MARGIN));
        let mut listed = 0;
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = vec![
                ("broadcaster_id", streamer.id.as_str()),
                ("started_at", &started_at),
                ("ended_at", &ended_at),
                ("first", PAGE),
            ];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page: Page = self.api.get("/helix/clips", &query).await?;
            listed += page.data.len();
            for clip in page.data {
                let id = clip.get("id").and_then(Value::as_str).map(str::to_owned);
                // The margins, the halves, and Twitch itself list some more than once.
                if let Some(id) = &id
                    && !seen.insert(id.clone())
                {
                    continue;
                }
                into.row()?;
                let place =
                    || format!("{}, clip {}", streamer.name, id.as_deref().unwrap_or("without an id"));
                match self.found(clip, streamer) {
                    Ok(found) => into.found(found, place),
                    Err(reason) => into.skip(place(), reason),
                }
            }
            let next = page.pagination.cursor.filter(|cursor| !cursor.is_empty());
            if next.is_none() {
                return Ok(listed < ALL_LISTED_BELOW);
            }
            if next == after {
                return Ok(false);
            }
            after = next;
        }
        Ok(false)
    }

    fn found(&self, clip: Value, streamer: &Arc<Streamer>) -> Result<Found, String> {
        let clip: Clip = serde_json::from_value(clip)
            .map_err(|error| format!("Twitch tells of it in a way that is not known: {error}"))?;
        let (url, start) = match self.source.cut_from {
            TwitchMedia::Clip => (clip.url, MediaTime::Ticks(0)),
            TwitchMedia::Recording => {
                let recording = clip.vod_offset.filter(|_| is_number(&clip.video_id));
                let start = recording.ok_or("its recording is gone, or not there yet")?;
                let url = format!("https://www.twitch.tv/videos/{}", clip.video_id);
                (url, MediaTime::from_json(&Value::Number(start))?)
            }
        };
        let video = Video::decode(&json!({ "url": url }))
            .map_err(|_| "Twitch's address of it is not one that can be opened".to_owned())?;
        Ok(Found {
            source: Arc::new(video),
            start,
            duration: Some(MediaTime::from_json(&Value::Number(clip.duration))?),
            end: None,
            title: Some(clip.title),
            streamer: Some(streamer.clone()),
            score: Some(clip.view_count),
            cut: None,
            when: Some(When::Moment(clip.created_at)),
        })
    }
}

impl Source for Twitch {
    fn read<'a>(&'a self, into: &'a mut Gathered) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async move {
            let window = into.window();
            let window = window
                .ok_or_else(|| SourceError::Refused("clips are asked for some days: say which".to_owned()))?;
            for channel in self.channels(into).await? {
                self.clips(&channel, (window.start(), window.end()), into).await?;
            }
            Ok(())
        })
    }
}

/// A moment as Twitch reads it.
fn written(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
