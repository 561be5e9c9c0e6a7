//! Clips of a server that answers like Twitch: pages, tokens, limits, what is not there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Form, Json, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::{
    import::{Days, TwitchMedia, TwitchSource},
    spec::Source as Video,
};
use highlights::{
    Gathered, SourceError, When, Window,
    source::{
        Source as _,
        twitch::{Twitch, Ways},
    },
};
use serde_json::{Value, json};
use service_kit::env::Env;
use tokio_util::task::AbortOnDropHandle;

const CLIENT: &str = "the-client";
const SECRET: &str = "the-secret-of-the-client";
/// Where Twitch's cursor stops, a page before the end of what it lists.
const MOST_LISTED: usize = 1000;

/// What the server does besides answering: called with a request's path, and how often that path was asked before.
type Trouble = dyn Fn(&str, usize) -> Option<Response> + Send + Sync;

struct Shared {
    clips: Vec<Value>,
    tokens: Mutex<usize>,
    asked: Mutex<Vec<String>>,
    trouble: Box<Trouble>,
}

struct Server {
    address: String,
    shared: Arc<Shared>,
    _serving: AbortOnDropHandle<()>,
}

impl Server {
    async fn start(
        clips: Vec<Value>,
        trouble: impl Fn(&str, usize) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            clips,
            tokens: Mutex::default(),
            asked: Mutex::default(),
            trouble: Box::new(trouble),
        });
        let router = Router::new()
            .route("/oauth2/token", post(token))
            .route("/helix/users", get(users))
            .route("/helix/clips", get(list))
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, _serving: AbortOnDropHandle::new(serving) }
    }

    fn ways(&self) -> Ways {
        self.ways_with(SECRET)
    }

    fn ways_with(&self, secret: &str) -> Ways {
        let settings = [
            ("SM_TWITCH_CLIENT_ID", CLIENT),
            ("SM_TWITCH_CLIENT_SECRET", secret),
            ("SM_TWITCH_API_URL", &self.address),
            ("SM_TWITCH_AUTH_URL", &self.address),
        ];
        Ways::from_env(&Env::from_pairs(settings).unwrap()).unwrap()
    }

    /// How often a path was asked.
    fn asked(&self, path: &str) -> usize {
        self.shared.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

fn refusal(status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, Json(json!({ "status": status.as_u16(), "message": message }))).into_response()
}

/// Notes a request; what troubles it, if something does.
fn noted(shared: &Shared, path: &str) -> Option<Response> {
    let mut asked = shared.asked.lock().unwrap();
    let before = asked.iter().filter(|asked| *asked == path).count();
    asked.push(path.to_owned());
    (shared.trouble)(path, before)
}

async fn token(State(shared): State<Arc<Shared>>, Form(form): Form<HashMap<String, String>>) -> Response {
    if let Some(trouble) = noted(&shared, "/oauth2/token") {
        return trouble;
    }
    assert_eq!((form["client_id"].as_str(), form["grant_type"].as_str()), (CLIENT, "client_credentials"));
    if form["client_secret"] != SECRET {
        return refusal(403, "invalid client secret");
    }
    let mut tokens = shared.tokens.lock().unwrap();
    *tokens += 1;
    Json(
        json!({ "access_token": format!("token-{tokens}"), "expires_in": 5_011_271, "token_type": "bearer" }),
    )
    .into_response()
}

/// What all questions have in common: the newest token, the client's id, trouble.
fn admitted(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Result<(), Box<Response>> {
    if let Some(trouble) = noted(shared, uri.path()) {
        return Err(Box::new(trouble));
    }
    let newest = format!("Bearer token-{}", shared.tokens.lock().unwrap());
    if headers["authorization"] != newest.as_str() || headers["client-id"] != CLIENT {
        return Err(Box::new(refusal(401, "Invalid OAuth token")));
    }
    Ok(())
}

fn pairs(query: Option<String>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

async fn users(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Err(refused) = admitted(&shared, &uri, &headers) {
        return *refused;
    }
    let known = [("1234", "hana", "Hana"), ("5678", "kenji", "kenji")];
    let asked: Vec<_> =
        pairs(query).into_iter().filter(|(name, _)| name == "login").map(|(_, login)| login).collect();
    // In an order of its own, as Twitch does.
    let data = known.iter().rev().filter(|(_, login, _)| asked.iter().any(|asked| asked == login));
    let data = data
        .map(|(id, login, name)| json!({ "id": id, "login": login, "display_name": name, "view_count": 0 }));
    Json(json!({ "data": data.collect::<Vec<_>>() })).into_response()
}

async fn list(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Err(refused) = admitted(&shared, &uri, &headers) {
        return *refused;
    }
    let query: HashMap<_, _> = pairs(query).into_iter().collect();
    let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let within = moment(&query["started_at"])..=moment(&query["ended_at"]);
    let mut clips: Vec<_> =
        shared.clips.iter().filter(|clip| clip["broadcaster_id"] == query["broadcaster_id"]).collect();
    clips.retain(|clip| clip["created_at"].as_str().is_some_and(|at| within.contains(&moment(at))));
    clips.sort_by_key(|clip| std::cmp::Reverse(clip["view_count"].as_u64()));
    let first: usize = query["first"].parse().unwrap();
    assert!(first <= 100, "Twitch refuses more");
    let start: usize = query.get("after").map_or(0, |after| after.parse().unwrap());
    // There Twitch says the same cursor again and again.
    let next = (start + first).min(MOST_LISTED);
    let pagination = if next < clips.len() { json!({ "cursor": next.to_string() }) } else { json!({}) };
    let data: Vec<_> = clips.into_iter().skip(start).take(first).collect();
    Json(json!({ "data": data, "pagination": pagination })).into_response()
}

fn clip(id: &str, broadcaster: &str, views: u64, at: DateTime<Utc>) -> Value {
    json!({
        "id": id, "url": format!("https://clips.twitch.tv/{id}"), "embed_url": format!("https://clips.twitch.tv/embed?clip={id}"),
        "broadcaster_id": broadcaster, "broadcaster_name": "Hana", "creator_id": "99", "creator_name": "someone", "video_id": "205586603",
        "game_id": "488191", "language": "en", "title": format!("clip {id}"), "view_count": views,
        "created_at": at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), "thumbnail_url": "", "duration": 12.9, "vod_offset": 1957,
        "is_featured": false,
    })
}

fn start() -> DateTime<Utc> {
    "2026-11-16T00:00:00Z".parse().unwrap()
}

fn source(channels: &[&str], cut_from: TwitchMedia) -> TwitchSource {
    TwitchSource { channels: channels.iter().map(|login| (*login).to_owned()).collect(), cut_from }
}

async fn read(source: &TwitchSource, ways: &Ways) -> Result<Gathered, SourceError> {
    let days = Days { from: "2026-11-16".parse().unwrap(), to: "2026-11-22".parse().unwrap() };
    let mut gathered = Gathered::new(Some(Window { days, zone: chrono_tz::Tz::UTC }));
    Twitch::open(source, ways)?.read(&mut gathered).await?;
    Ok(gathered)
}

#[tokio::test]
async fn every_page_of_the_window_is_read_with_one_token() {
    let mut clips: Vec<_> = (0..250)
        .map(|index| {
            clip(&format!("c{index}"), "1234", 1000 - index, start() + TimeDelta::minutes(index as i64))
        })
        .collect();
    // Around both ends of the window.
    clips.push(clip("before", "1234", 5000, start() - TimeDelta::seconds(1)));
    clips.push(clip("after", "1234", 5000, start() + TimeDelta::days(7)));
    clips.push(clip("last", "1234", 1, start() + TimeDelta::days(7) - TimeDelta::seconds(1)));
    clips.push(clip("other", "5678", 7, start()));
    let server = Server::start(clips, |_, _| None).await;
    let ways = server.ways();
    let source = source(&["kenji", "Nobody", "hana", "kenji"], TwitchMedia::Clip);
    let gathered = read(&source, &ways).await.unwrap();
    let ids: Vec<_> = gathered
        .candidates()
        .iter()
        .map(|found| match &*found.source {
            Video::Url(url) => url.strip_prefix("https://clips.twitch.tv/").unwrap().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    let mut expected = vec!["other".to_owned()];
    expected.extend((0..250).map(|index| format!("c{index}")));
    expected.push("last".to_owned());
    assert_eq!(ids, expected);
    let second = &gathered.candidates()[1];
    assert_eq!(second.start.seconds(), Some(0.0));
    assert_eq!(second.duration.seconds(), Some(12.9));
    assert_eq!((second.score, second.title.as_deref()), (Some(1000.0), Some("clip c0")));
    assert_eq!(second.when, Some(When::Moment(start())));
    let streamer = second.streamer.as_ref().unwrap();
    assert_eq!((streamer.id.as_str(), streamer.name.as_str()), ("1234", "Hana"));
    let skipped = &gathered.report().skipped_rows;
    assert_eq!((skipped.len(), skipped[0].row.as_str()), (1, "Nobody"));
    assert_eq!(server.asked("/helix/clips"), 1 + 3);

    // The next import has the token already.
    read(&source, &ways.clone()).await.unwrap();
    assert_eq!((server.asked("/helix/users"), server.asked("/oauth2/token")), (2, 1));
}

#[tokio::test]
async fn a_recording_is_cut_where_the_clip_was_and_clips_without_one_are_reported() {
    let mut clips = vec![
        clip("good", "1234", 9, start()),
        clip("gone", "1234", 8, start()),
        clip("new", "1234", 7, start()),
    ];
    clips[1]["video_id"] = "".into();
    clips[2]["vod_offset"] = Value::Null;
    clips.push(json!({ "id": "odd", "broadcaster_id": "1234", "view_count": 6, "created_at": "2026-11-16T00:00:00Z" }));
    let server = Server::start(clips, |_, _| None).await;
    let gathered = read(&source(&["hana"], TwitchMedia::Recording), &server.ways()).await.unwrap();
    let [found] = gathered.candidates() else { panic!("{:?}", gathered.candidates()) };
    assert_eq!(*found.source, Video::Url("https://www.twitch.tv/videos/205586603".into()));
    assert_eq!((found.start.seconds(), found.duration.seconds()), (Some(1957.0), Some(12.9)));
    let skipped: Vec<_> = gathered.report().skipped_rows.iter().map(|row| row.row.as_str()).collect();
    assert_eq!(skipped, ["Hana, clip gone", "Hana, clip new", "Hana, clip odd"]);
    assert_eq!(gathered.report().rows, 4);
}

#[tokio::test]
async fn more_clips_than_twitch_lists_are_read_in_halves() {
    let clips: Vec<_> = (0..2500)
        .map(|index| {
            clip(&format!("c{index}"), "1234", index, start() + TimeDelta::minutes(4 * index as i64))
        })
        .collect();
    let server = Server::start(clips, |_, _| None).await;
    let gathered = read(&source(&["hana"], TwitchMedia::Clip), &server.ways()).await.unwrap();
    let report = gathered.report();
    assert_eq!((report.rows, report.highlights, report.skipped), (2500, 2500, 0));
    let places: std::collections::HashSet<_> =
        gathered.candidates().iter().map(|found| format!("{:?}", found.source)).collect();
    assert_eq!(places.len(), 2500);
}

#[tokio::test]
async fn what_cannot_be_listed_is_said() {
    // Within one minute nothing can be halved any more.
    let clips: Vec<_> = (0..1200).map(|index| clip(&format!("c{index}"), "1234", index, start())).collect();
    let server = Server::start(clips, |_, _| None).await;
    let gathered = read(&source(&["hana"], TwitchMedia::Clip), &server.ways()).await.unwrap();
    assert_eq!(gathered.report().highlights, 1100);
    let skipped = &gathered.report().skipped_rows;
    assert!(skipped[0].row.starts_with("Hana, 2026-11-16T00:00:00Z"), "{skipped:?}");
    assert!(skipped[0].reason.contains("most viewed"), "{skipped:?}");
}

#[tokio::test]
async fn an_expired_token_is_renewed_once() {
    let server = Server::start(vec![clip("a", "1234", 1, start())], |path, before| {
        (path == "/helix/clips" && before == 0).then(|| refusal(401, "Invalid OAuth token"))
    })
    .await;
    let gathered = read(&source(&["hana"], TwitchMedia::Clip), &server.ways()).await.unwrap();
    assert_eq!(gathered.report().highlights, 1);
    assert_eq!((server.asked("/oauth2/token"), server.asked("/helix/clips")), (2, 2));

    let server =
        Server::start(Vec::new(), |path, _| path.starts_with("/helix").then(|| refusal(401, "token-1")))
            .await;
    let refused = read(&source(&["hana"], TwitchMedia::Clip), &server.ways()).await.unwrap_err();
    assert!(refused.is_permanent() && refused.to_string().contains("SM_TWITCH_CLIENT_ID"), "{refused}");
    assert!(!refused.to_string().contains("token-1"), "{refused}");
    assert_eq!((server.asked("/oauth2/token"), server.asked("/helix/users")), (2, 2));
}

#[tokio::test]
async fn limits_and_passing_failures_are_waited_out() {
    let server = Server::start(vec![clip("a", "1234", 1, start())], |path, before| match (path, before) {
        ("/helix/users", 0) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let mut limited = refusal(429, "Too Many Requests");
            limited.headers_mut().insert("ratelimit-reset", (now + 1).into());
            Some(limited)
        }
        ("/helix/clips" | "/oauth2/token", 0) => Some(refusal(503, "Service Unavailable")),
        _ => None,
    })
    .await;
    let gathered = read(&source(&["hana"], TwitchMedia::Clip), &server.ways()).await.unwrap();
    assert_eq!(gathered.report().highlights, 1);
    let asked = ["/oauth2/token", "/helix/users", "/helix/clips"].map(|path| server.asked(path));
    assert_eq!(asked, [2, 2, 2]);
}

#[tokio::test]
async fn a_failure_that_stays_is_unavailable_after_bounded_tries() {
    let server =
        Server::start(Vec::new(), |path, _| (path == "/helix/users").then(|| refusal(500, "oh"))).await;
    let failed = read(&source(&["hana"], TwitchMedia::Clip), &server.ways()).await.unwrap_err();
    assert!(!failed.is_permanent() && failed.to_string().contains("status 500"), "{failed}");
    assert_eq!(server.asked("/helix/users"), 5);
}

#[tokio::test]
async fn what_is_refused_says_what_to_do_and_no_secret() {
    let server = Server::start(Vec::new(), |_, _| None).await;
    let source = source(&["hana"], TwitchMedia::Clip);
    let refused = read(&source, &server.ways_with("a-wrong-secret")).await.unwrap_err();
    assert!(refused.is_permanent() && refused.to_string().contains("SM_TWITCH_CLIENT_SECRET"), "{refused}");
    assert!(!refused.to_string().contains("a-wrong-secret"), "{refused}");
    assert_eq!(server.asked("/oauth2/token"), 1);

    let nothing = Ways::from_env(&Env::from_pairs::<&str, &str>([]).unwrap()).unwrap();
    let refused = read(&source, &nothing).await.unwrap_err();
    assert!(refused.is_permanent() && refused.to_string().contains("SM_TWITCH_CLIENT_ID"), "{refused}");

    let settings = [("SM_TWITCH_CLIENT_ID", CLIENT)];
    assert!(Ways::from_env(&Env::from_pairs(settings).unwrap()).is_err(), "an id without its secret");
}
