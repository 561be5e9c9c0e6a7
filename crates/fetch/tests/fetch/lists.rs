//! Lists of the operator's: those that need a token, and those of a store that is only read.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use fetch::{AllowList, FetchConfig, Fetcher, ReadStore, StoreConfig};
use secrecy::SecretString;

use crate::lab::{Log, config, fetcher, serve};

/// A list at `/list`; `/to` redirects to the given target. What is asked is noted.
async fn server() -> (String, Log) {
    async fn list(State(log): State<Log>, request: Request) -> &'static str {
        log.note(&request);
        "[1]"
    }
    async fn to(State(log): State<Log>, request: Request) -> Response {
        log.note(&request);
        Redirect::temporary(request.uri().query().unwrap()).into_response()
    }
    async fn closed(State(log): State<Log>, request: Request) -> StatusCode {
        log.note(&request);
        StatusCode::UNAUTHORIZED
    }
    let log = Log::default();
    let router = Router::new()
        .route("/list", get(list))
        .route("/to", get(to))
        .route("/closed", get(closed))
        .with_state(log.clone());
    (serve(router).await, log)
}

fn token() -> SecretString {
    "the-token-of-the-test".into()
}

const SENT: &str = "Bearer the-token-of-the-test";

#[tokio::test]
async fn a_token_goes_to_its_origin_and_no_further() {
    let ((here, log), (there, other)) = (server().await, server().await);
    let fetch = async |url: String| fetcher().fetch_document_with_token(&url, 100, &token()).await;
    let document = fetch(format!("{here}/to?/list")).await.unwrap();
    assert_eq!((&document.bytes[..], document.url.as_str()), (&b"[1]"[..], &*format!("{here}/list")));
    assert_eq!(log.header("authorization"), [SENT, SENT]);
    let document = fetch(format!("{here}/to?{there}/list")).await.unwrap();
    assert_eq!(document.url.as_str(), format!("{there}/list"));
    // Whoever it was redirected to does not choose what is read with it.
    fetch(format!("{here}/to?{there}/to?{here}/list")).await.unwrap();
    assert_eq!(log.header("authorization")[2..], [SENT, SENT, ""]);
    assert_eq!(other.header("authorization"), ["", ""]);
    let error = fetch(format!("{here}/closed")).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("the-token"), "{error:?}");
}

#[tokio::test]
async fn a_token_is_not_sent_in_the_clear_to_a_host_that_is_not_opened() {
    let fetcher = Fetcher::new(FetchConfig { allow: AllowList::default(), ..config() }).unwrap();
    let error = fetcher.fetch_document_with_token("http://lists.example/a", 9, &token()).await.unwrap_err();
    assert_eq!(error.code(), "source_not_allowed", "{error}");
    assert!(error.to_string().contains("token") && error.to_string().contains("SM_FETCH_ALLOW"), "{error}");
    let odd = SecretString::from("two\nlines");
    let error = self::fetcher().fetch_document_with_token("http://127.0.0.1:1/a", 9, &odd).await.unwrap_err();
    assert!(error.is_permanent() && !error.to_string().contains("two"), "{error}");
}

#[tokio::test]
async fn a_store_of_lists_is_read_below_its_directory_only() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("lists");
    std::fs::create_dir_all(root.join("Week 47")).unwrap();
    std::fs::write(root.join("Week 47/Best of.csv"), "video,start\n").unwrap();
    std::fs::write(root.join(".hidden"), "x").unwrap();
    std::fs::write(dir.path().join("secret"), "x").unwrap();
    let store = ReadStore::open(&StoreConfig::local(&root)).unwrap();
    assert_eq!(store.read("Week 47/Best of.csv", 12).await.unwrap(), "video,start\n");
    assert_eq!(store.read("Week 47/Best of.csv", 11).await.unwrap_err().code(), "source_too_large");
    assert_eq!(store.read("Week 48/Best of.csv", 9).await.unwrap_err().code(), "object_not_found");
    for name in ["../secret", "Week 47/../../secret", ".hidden", "/secret", "", "a//b", "a\nb", "Week 47/"] {
        let error = store.read(name, 9).await.unwrap_err();
        assert_eq!(error.code(), "source_unusable", "{name}: {error}");
        assert!(ReadStore::check_name(name).is_err(), "{name}");
    }
    // Nothing was written, and a directory is not made.
    assert_eq!(std::fs::read_dir(&root).unwrap().count(), 2);
    assert!(ReadStore::open(&StoreConfig::local(root.join("none"))).is_err());
    assert!(!root.join("none").exists());
}
