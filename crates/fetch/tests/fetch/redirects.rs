//! Redirects: followed a little, judged each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::lab::{BLOCK, config, content, fetcher, ranged, raw_at, serve};
use fetch::{AllowList, FetchConfig, Fetcher};

/// `/n` redirects `n` times before it serves; `/loop` for ever; `/to` to the given target.
fn router() -> Router {
    async fn hops(Path(left): Path<u32>, request: Request) -> Response {
        match left {
            0 => ranged(&request, &content(BLOCK * 3), Some("\"v\"")),
            _ => Redirect::temporary(&format!("/hops/{}", left - 1)).into_response(),
        }
    }
    async fn to(request: Request) -> Response {
        let target = request.uri().query().unwrap().to_owned();
        (StatusCode::FOUND, [("location", target)]).into_response()
    }
    Router::new()
        .route("/hops/{left}", get(hops))
        .route("/loop", get(|| async { Redirect::permanent("/loop") }))
        .route("/nowhere", get(|| async { StatusCode::FOUND }))
        .route("/to", get(to))
}

#[tokio::test]
async fn three_redirects_are_followed_and_no_more() {
    let url = serve(router()).await;
    let source = fetcher().open_url(&format!("{url}/hops/3")).await.unwrap();
    assert_eq!(source.read_at(0, 10).await.unwrap(), content(BLOCK * 3)[..10]);
    for path in ["hops/4", "loop"] {
        let error = fetcher().open_url(&format!("{url}/{path}")).await.unwrap_err();
        assert_eq!(error.code(), "source_redirects");
        assert!(error.is_permanent());
    }
    assert_eq!(fetcher().open_url(&format!("{url}/nowhere")).await.unwrap_err().code(), "source_unusable");
}

#[tokio::test]
async fn a_redirect_to_a_refused_address_is_not_followed() {
    let url = serve(router()).await;
    // A real server on an address that is not opened: it must not see a connection.
    let (_, inside, connections) =
        raw_at("127.0.0.2:0", |_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx".to_vec()).await;
    let by_number = u32::from(std::net::Ipv4Addr::new(127, 0, 0, 2));
    for target in [
        format!("http://{inside}/"),
        format!("http://{by_number}:{}/", inside.port()),
        format!("http://[::ffff:127.0.0.2]:{}/", inside.port()),
        format!("//{inside}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "https://[::1]/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://127.0.0.1/x".to_owned(),
        "http://user:pw@127.0.0.1/".to_owned(),
        "http://127.0.0.3.:22/".to_owned(),
    ] {
        for opened in [
            fetcher().open_url(&format!("{url}/to?{target}")).await.map(drop),
            fetcher().fetch_document(&format!("{url}/to?{target}"), 100).await.map(drop),
        ] {
            let error = opened.unwrap_err();
            assert_eq!(error.code(), "source_not_allowed", "{target}: {error}");
            assert!(error.is_permanent());
            assert!(error.to_string().contains("redirects"), "{error}");
            assert!(!error.to_string().contains("meta-data"), "the target is not told: {error}");
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_link_of_ours_does_not_redirect() {
    let url = serve(router()).await;
    assert_eq!(fetcher().open_signed(&format!("{url}/hops/1")).await.unwrap_err().code(), "source_unusable");
}

#[tokio::test]
async fn a_redirect_target_that_ends_is_asked_for_again() {
    // Each redirect leads to a link that is good for two requests.
    let made = Arc::new(AtomicU64::new(0));
    let used = Arc::new(AtomicU64::new(0));
    let (making, using) = (Arc::clone(&made), Arc::clone(&used));
    let router = Router::new()
        .route(
            "/file",
            get(move || async move {
                using.store(0, Ordering::SeqCst);
                Redirect::temporary(&format!("/signed/{}", making.fetch_add(1, Ordering::SeqCst) + 1))
            }),
        )
        .route(
            "/signed/{number}",
            get(move |Path(number): Path<u64>, request: Request| async move {
                if number != made.load(Ordering::SeqCst) || used.fetch_add(1, Ordering::SeqCst) >= 2 {
                    return StatusCode::FORBIDDEN.into_response();
                }
                ranged(&request, &content(BLOCK * 8), Some("\"v\""))
            }),
        );
    let url = serve(router).await;
    let source = Fetcher::new(FetchConfig { parallel: 1, ..config() })
        .unwrap()
        .open_url(&format!("{url}/file"))
        .await
        .unwrap();
    assert_eq!(source.read_at(0, BLOCK * 8).await.unwrap(), content(BLOCK * 8));
}

#[tokio::test]
async fn names_are_judged_where_they_are_connected() {
    let (_, inside, connections) =
        raw_at("127.0.0.1:0", |_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx".to_vec()).await;
    let named = format!("http://localhost:{}/x", inside.port());
    // Nothing opened: the port alone is refused. Another network opened: the resolver refuses. The web's port: likewise.
    for (allow, url) in
        [("", named.as_str()), ("10.0.0.0/8", named.as_str()), ("10.0.0.0/8", "http://localhost/x")]
    {
        let fetcher =
            Fetcher::new(FetchConfig { allow: AllowList::parse(allow).unwrap(), ..config() }).unwrap();
        let error = fetcher.open_url(url).await.unwrap_err();
        assert_eq!(error.code(), "source_not_allowed", "{allow} {url}: {error}");
        assert!(
            error.to_string().contains("SM_FETCH_ALLOW") && !error.to_string().contains("127.0"),
            "{error}"
        );
        assert_eq!(fetcher.check_url(url).await.unwrap_err(), error);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    // Opened by network, by name, and by name and port.
    for allow in ["127.0.0.0/8", "localhost", &format!("localhost:{}", inside.port())] {
        let fetcher =
            Fetcher::new(FetchConfig { allow: AllowList::parse(allow).unwrap(), ..config() }).unwrap();
        fetcher.check_url(&named).await.unwrap();
        assert_eq!(fetcher.open_url(&named).await.unwrap().len(), 1, "{allow}");
    }
}
