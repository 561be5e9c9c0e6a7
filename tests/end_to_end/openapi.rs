//! The committed OpenAPI document is what the services say of themselves.

use end_to_end::stack::root;
use std::{collections::BTreeSet, env, fs};
use utoipa::openapi::OpenApi;

/// The document that the services make up together.
pub fn document() -> OpenApi {
    let parts =
        vec![jobs_repo::openapi(), montages_repo::openapi(), scheduler::openapi(), gateway::openapi()];
    gateway::merge_openapi(parts).unwrap()
}

#[test]
fn the_committed_document_is_what_the_services_say() {
    let text = document().to_pretty_json().unwrap() + "\n";
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

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = serde_json::to_value(document()).unwrap();
    let mut seen = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path}"));
            assert!(seen.insert(name.to_owned()), "{method} {path}: another operation is called {name} too");
        }
    }
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
