//! The committed OpenAPI document is what the services say of themselves.

use end_to_end::stack::root;
use std::{env, fs};

#[test]
fn the_committed_document_is_what_the_services_say() {
    let merged = gateway::merge_openapi(vec![
        jobs_repo::openapi(),
        montages_repo::openapi(),
        scheduler::openapi(),
        gateway::openapi(),
    ]);
    let text = merged.to_pretty_json().unwrap() + "\n";
    let path = root().join("gateway/openapi.json");
    if env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "gateway/openapi.json is not what the services say; look at the change, then write it with\n\
         UPDATE_OPENAPI=1 cargo test -p end-to-end openapi"
    );
}

#[tokio::test]
async fn the_gateway_serves_the_document_and_its_pages() {
    use end_to_end::stack::{Hints, Stack};
    let Some(stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    let served = stack.get("/openapi.json").await;
    let committed: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(root().join("gateway/openapi.json")).unwrap()).unwrap();
    assert_eq!(served, committed);
    for path in ["/", "/docs", "/docs/errors/invalid-spec", "/livez", "/readyz"] {
        let response = stack.send(reqwest::Method::GET, path, None).await;
        assert!(response.status().is_success(), "{path}: {}", response.status());
    }
    stack.end().await;
}
