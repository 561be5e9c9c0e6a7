//! Lists behind addresses, in media directories and in the store of lists.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use contracts::import::{Days, HighlightSource};
use fetch::{AllowList, FetchConfig, Fetcher, MediaDir};
use highlights::{Gathered, SourceError, Ways, Window, definition, source};
use serde_json::{Value, json};
use service_kit::env::Env;

/// A server on loopback: what it answers to the request of a number, and what it was asked, with the token that came along.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<(String, Option<String>)>>>,
}

impl Server {
    async fn start(answer: impl Fn(usize, &str) -> Response + Clone + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let router = Router::new().fallback(move |request: Request| async move {
            let place = request.uri().to_string();
            let token =
                request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
            let number = {
                let mut noted = noted.lock().unwrap();
                noted.push((place.clone(), token));
                noted.len()
            };
            answer(number, &place)
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(place, _)| place.clone()).collect()
    }

    fn tokens(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().iter().map(|(_, token)| token.clone()).collect()
    }

    fn host(&self) -> &str {
        self.address.trim_start_matches("http://")
    }
}

/// The ways of a process with these settings, to loopback and into a media directory `library`.
fn ways(settings: &[(&str, String)], library: &Path) -> Ways {
    let config = FetchConfig {
        allow: AllowList::parse("127.0.0.1/32").unwrap(),
        media_dirs: vec![MediaDir { name: "library".to_owned(), path: library.to_owned() }],
        retry_base: Duration::from_millis(1),
        attempts: 3,
        ..FetchConfig::default()
    };
    let env = Env::from_pairs(settings.iter().cloned()).unwrap();
    Ways::from_env(&env, Fetcher::new(config).unwrap()).unwrap()
}

fn week() -> Window {
    let day = |text: &str| text.parse().unwrap();
    Window { days: Days { from: day("2026-11-16"), to: day("2026-11-22") }, zone: chrono_tz::Tz::UTC }
}

async fn read_by(ways: &Ways, source: Value) -> Result<Gathered, SourceError> {
    let source: HighlightSource = serde_json::from_value(source).unwrap();
    source::read(&source, ways, Some(week())).await
}

async fn read(source: Value) -> Result<Gathered, SourceError> {
    read_by(&ways(&[], Path::new("/")), source).await
}

fn starts(gathered: &Gathered) -> Vec<f64> {
    gathered.candidates().iter().map(|one| one.start.seconds().unwrap()).collect()
}

fn skipped(gathered: &Gathered) -> Vec<&str> {
    gathered.report().skipped_rows.iter().map(|row| row.row.as_str()).collect()
}

fn clip(start: i64) -> Value {
    json!({ "source": { "url": "https://media.example/a.mp4" }, "start": start, "duration": 5 })
}

fn json_by_pages(url: String, paging: Value) -> Value {
    json!({ "url": url, "format": "json", "video": { "url": "https://media.example/{id}.mp4" }, "duration": 5, "paging": paging,
            "mapping": { "rows": "$.data[*]", "video": "$.id" } })
}

#[tokio::test]
async fn pages_are_followed_by_their_cursors() {
    let server = Server::start(|_, place| {
        let page = match place.rsplit_once("after=").map(|(_, cursor)| cursor) {
            None => json!({ "data": [{ "id": "a", "start": 1 }, { "id": "b", "start": "2:00" }], "page": { "next": "c+1/=" } }),
            Some("c%2B1%2F%3D") => json!({ "data": [{ "id": "c" }, { "id": "d", "start": 3 }], "page": { "next": 17 } }),
            Some("17") => json!({ "data": [], "page": { "next": "end" } }),
            Some("end") => json!({ "data": [{ "id": "e", "start": 5 }], "page": { "next": null } }),
            Some(_) => return StatusCode::BAD_REQUEST.into_response(),
        };
        Json(page).into_response()
    })
    .await;
    let url = format!("{}/clips?since={{from}}&until={{to}}", server.address);
    let gathered =
        read(json_by_pages(url, json!({ "next": "$.page.next", "parameter": "after" }))).await.unwrap();
    assert_eq!((starts(&gathered), gathered.report().rows), (vec![1.0, 120.0, 3.0, 5.0], 5));
    assert_eq!(skipped(&gathered), ["page 2, row 1"]);
    let first = "/clips?since=2026-11-16&until=2026-11-22";
    let after = |cursor: &str| format!("{first}&after={cursor}");
    assert_eq!(server.asked(), [first.to_owned(), after("c%2B1%2F%3D"), after("17"), after("end")]);
}

#[tokio::test]
async fn pages_are_followed_by_their_links() {
    let server = Server::start(|_, place| {
        let page = match place {
            "/old" => return Redirect::temporary("/lists/best?page=1").into_response(),
            "/lists/best?page=1" => json!({ "highlights": [clip(1)], "next": "more?page=2" }),
            "/lists/more?page=2" => json!({ "highlights": [clip(2), "odd"], "next": "/lists/last" }),
            _ => json!({ "highlights": [clip(3)] }),
        };
        Json(page).into_response()
    })
    .await;
    let source =
        |path: &str| json!({ "url": format!("{}{path}", server.address), "paging": { "next": "$.next" } });
    let gathered = read(source("/old")).await.unwrap();
    assert_eq!((starts(&gathered), skipped(&gathered)), (vec![1.0, 2.0, 3.0], vec!["page 2, row 2"]));
    assert_eq!(server.asked(), ["/old", "/lists/best?page=1", "/lists/more?page=2", "/lists/last"]);
}

#[tokio::test]
async fn pages_in_a_circle_and_on_other_hosts_are_refused() {
    let other = Server::start(|_, _| Json(json!({ "data": [] })).into_response()).await;
    let elsewhere = format!("{}/", other.address);
    let server = Server::start(move |_, place| {
        let next = match place {
            "/a" => json!("/b"),
            "/b" => json!("/a"),
            "/same" => json!("again"),
            "/away" => json!(elsewhere),
            "/odd" => json!({ "cursor": 1 }),
            "/torn" => return "{\"data\": [".into_response(),
            _ => json!("again"),
        };
        Json(json!({ "data": [], "next": next })).into_response()
    })
    .await;
    let by_link = json!({ "next": "$.next" });
    let by_cursor = json!({ "next": "$.next", "parameter": "after" });
    for (path, paging, part) in [
        ("/a", &by_link, "circle: page 2"),
        ("/same", &by_cursor, "circle: page 2"),
        ("/away", &by_link, "another host"),
        ("/odd", &by_cursor, "neither text nor a number"),
        ("/torn", &by_link, "page 1"),
    ] {
        let error =
            read(json_by_pages(format!("{}{path}", server.address), paging.clone())).await.unwrap_err();
        assert!(error.is_permanent() && error.to_string().contains(part), "{path}: {error}");
    }
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_does_not_is_told() {
    let server = Server::start(|number, place| match (place, number) {
        ("/soon", 1 | 2) | ("/never", _) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        ("/soon", _) => Json(json!([clip(1)])).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    })
    .await;
    let gathered = read(json!({ "url": format!("{}/soon", server.address) })).await.unwrap();
    assert_eq!((starts(&gathered), server.asked().len()), (vec![1.0], 3));
    let error = read(json!({ "url": format!("{}/never", server.address) })).await.unwrap_err();
    assert!(matches!(&error, SourceError::Unavailable(reason) if reason.contains("503")), "{error}");
    assert_eq!(server.asked().len(), 6);
    let error = read(json!({ "url": format!("{}/none", server.address) })).await.unwrap_err();
    assert!(error.is_permanent() && server.asked().len() == 7, "{error}");
    let error = read(json!({ "url": "http://10.1.2.3/list.json" })).await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("SM_FETCH_ALLOW"), "{error}");
}

#[tokio::test]
async fn a_token_is_sent_to_its_host_only() {
    let other = Server::start(|_, _| Json(json!([clip(2)])).into_response()).await;
    let elsewhere = format!("{}/list", other.address);
    let server = Server::start(move |_, place| match place {
        "/away" => Redirect::temporary(&elsewhere).into_response(),
        "/closed" => StatusCode::FORBIDDEN.into_response(),
        "/pages" => Json(json!({ "highlights": [], "next": "/list" })).into_response(),
        _ => Json(json!([clip(1)])).into_response(),
    })
    .await;
    let settings =
        [("SM_SOURCE_TOKENS", format!("lists.example=x, {}=the-token-of-the-test", server.host()))];
    let ways = ways(&settings, Path::new("/"));
    let source = |server: &Server, path: &str| json!({ "url": format!("{}{path}", server.address) });
    read_by(&ways, source(&server, "/list")).await.unwrap();
    let mut paged = source(&server, "/pages");
    paged["paging"] = json!({ "next": "$.next" });
    read_by(&ways, paged).await.unwrap();
    assert_eq!(starts(&read_by(&ways, source(&server, "/away")).await.unwrap()), [2.0]);
    read_by(&ways, source(&other, "/list")).await.unwrap();
    let error = read_by(&ways, source(&server, "/closed")).await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("SM_SOURCE_TOKENS"), "{error}");
    assert!(!error.to_string().contains("the-token"), "{error}");
    let sent = Some("Bearer the-token-of-the-test".to_owned());
    assert_eq!(server.tokens(), [(); 5].map(|()| sent.clone()));
    assert_eq!(other.tokens(), [None, None]);
}

#[tokio::test]
async fn a_list_is_a_file_of_a_media_directory() {
    let library = tempfile::tempdir().unwrap();
    std::fs::create_dir(library.path().join("lists")).unwrap();
    let table = "video,start,at\na,1,2026-11-16\nb,2,2026-11-15\nc,3,2026-11-22\nd,,2026-11-20\n";
    std::fs::write(library.path().join("lists/2026-11-22.csv"), table).unwrap();
    let large = std::fs::File::create(library.path().join("large.csv")).unwrap();
    large.set_len((16 << 20) + 1).unwrap();
    let ways = ways(&[], library.path());
    let source = |path: &str| json!({ "path": path, "format": "csv", "video": { "path": "library:vods/{id}.mkv" }, "duration": "10s" });
    let gathered = read_by(&ways, source("library:lists/{to}.csv")).await.unwrap();
    assert_eq!((starts(&gathered), skipped(&gathered)), (vec![1.0, 3.0], vec!["line 5"]));
    for (path, part) in [
        ("library:lists/{from}.csv", "was not found"),
        ("library:large.csv", "larger than the 16777216 bytes"),
        ("other:a.csv", "SM_MEDIA_DIRS"),
    ] {
        let error = read_by(&ways, source(path)).await.unwrap_err();
        assert!(error.is_permanent() && error.to_string().contains(part), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_list_is_an_object_of_the_store_of_lists() {
    let store = tempfile::tempdir().unwrap();
    std::fs::create_dir(store.path().join("Week 47")).unwrap();
    std::fs::write(store.path().join("Week 47/2026-11-16.txt"), "0:00 One\n0:30 Two\n").unwrap();
    std::fs::File::create(store.path().join("large")).unwrap().set_len((16 << 20) + 1).unwrap();
    let source = |object: &str| json!({ "object": object, "format": "chapters", "video": { "url": "https://media.example/a.mp4" }, "duration": 60 });
    let there = ways(&[("SM_LISTS_STORE", format!("file:{}", store.path().display()))], Path::new("/"));
    let gathered = read_by(&there, source("Week 47/{from}.txt")).await.unwrap();
    assert_eq!(starts(&gathered), [0.0, 30.0]);
    for (object, part) in
        [("none", "no object none"), ("large", "larger than the 16777216"), ("../secret", "cannot be used")]
    {
        let error = read_by(&there, source(object)).await.unwrap_err();
        assert!(error.is_permanent() && error.to_string().contains(part), "{object}: {error}");
    }
    let error = read(source("a.txt")).await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("SM_LISTS_STORE"), "{error}");
}

#[test]
fn settings_that_cannot_be_read_are_named_without_their_secrets() {
    for (name, value) in [
        ("SM_LISTS_STORE", "lists"),
        ("SM_LISTS_STORE", "file:/no/such/place"),
        ("SM_SOURCE_TOKENS", "the-token"),
    ] {
        let env = Env::from_pairs([(name, value)]).unwrap();
        let error =
            Ways::from_env(&env, Fetcher::new(FetchConfig::default()).unwrap()).map(drop).unwrap_err();
        let told = format!("{error:#}");
        assert!(told.starts_with(name) && !told.contains("the-token"), "{told}");
    }
}

#[test]
fn what_could_not_be_read_is_refused_when_it_is_written() {
    let source = |source: Value| {
        let import = json!({ "name": "weekly", "source": source, "template": { "title": "Weekly" },
                             "window": { "last_days": 7 } });
        let told = |error: &contracts::problem::FieldError| error.pointer.clone();
        definition::decode(&import).map(drop).map_err(|errors| errors.iter().map(told).collect::<Vec<_>>())
    };
    let video = json!({ "url": "https://media.example/{id}" });
    assert_eq!(source(json!({ "object": "Week 47/{to}.csv", "format": "csv", "video": video })), Ok(()));
    for (bad, pointer) in [
        (json!({ "object": ".signing-secret" }), "/source/object"),
        (json!({ "object": "a/../b" }), "/source/object"),
        (json!({ "object": "a", "format": "chapters", "video": video }), "/source/video"),
        (
            json!({ "object": "a", "format": "json", "mapping": { "rows": "$..a..b" } }),
            "/source/mapping/rows",
        ),
        (json!({ "url": "https://a.example/", "paging": { "next": "$[?$.a]" } }), "/source/paging/next"),
    ] {
        assert_eq!(source(bad), Err(vec![pointer.to_owned()]));
    }
}
