//! Addresses that are refused before anything is sent, and links of ours that are exempt.

use axum::Router;
use axum::extract::Request;

use crate::lab::{config, content, ranged, serve};
use fetch::{AllowList, FetchConfig, Fetcher};

fn closed() -> Fetcher {
    Fetcher::new(FetchConfig { allow: AllowList::default(), ..config() }).unwrap()
}

#[tokio::test]
async fn private_addresses_are_refused_unless_opened() {
    let url =
        serve(Router::new().fallback(|request: Request| async move { ranged(&request, &content(10), None) }))
            .await;
    let error = closed().open_url(&url).await.unwrap_err();
    assert_eq!(error.code(), "source_not_allowed");
    assert!(error.to_string().contains("SM_FETCH_ALLOW"), "{error}");
    assert_eq!(closed().fetch_document(&url, 100).await.unwrap_err().code(), "source_not_allowed");
    assert_eq!(closed().check_url(&url).await.unwrap_err().code(), "source_not_allowed");
    // What our own store signed may be private.
    assert_eq!(closed().open_signed(&format!("{url}/x?signature=1")).await.unwrap().len(), 10);
}

#[tokio::test]
async fn an_unknown_name_is_not_reached() {
    // `.invalid` never resolves (RFC 6761).
    let fetcher = Fetcher::new(FetchConfig { attempts: 1, ..config() }).unwrap();
    let error = fetcher.open_url("http://media.invalid/x.mp4?key=SECRET").await.unwrap_err();
    assert_eq!(error.code(), "source_unreachable");
    assert!(!error.to_string().contains("SECRET"));
}
