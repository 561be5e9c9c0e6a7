//! What the gateway shows by itself.

use contracts::problem::ProblemCode;
use gateway::AuthMode;
use serde_json::Value;

use crate::world::{ADMIN, World, code};

#[tokio::test]
async fn pages_are_our_own_and_every_problem_has_one() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/errors", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/preview.js", "text/javascript; charset=utf-8"),
        ("/docs.js", "text/javascript; charset=utf-8"),
        ("/app.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/openapi.json", "application/json"),
        ("/livez", "text/plain; charset=utf-8"),
        ("/readyz", "text/plain; charset=utf-8"),
    ] {
        let response = world.call("GET", path).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
            (200, kind),
            "{path}"
        );
        if kind.starts_with("text/html") {
            let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(
                policy.starts_with("default-src 'self';")
                    && policy.contains("frame-ancestors 'none'")
                    && !policy.contains("unsafe"),
                "{policy}"
            );
            let html = response.text().await.unwrap();
            assert!(
                !html.contains("http://")
                    && !html.contains("https://")
                    && !html.contains("style=")
                    && !html.contains("<style"),
                "{path}"
            );
        }
    }
    let metrics = world.call("GET", "/metrics").bearer_auth(ADMIN).send().await.unwrap();
    assert_eq!(metrics.headers()["content-type"], "text/plain; version=0.0.4");
    for code in ProblemCode::ALL {
        let html = world.call("GET", &code.page()).send().await.unwrap().text().await.unwrap();
        assert!(html.contains(code.as_str()) && html.contains("<h1>"), "{}", code.as_str());
    }
    assert_eq!(code(world.call("GET", "/docs/errors/no-such-code")).await, (404, "not_found".to_owned()));
    let data = world.call("GET", "/v1/jobs").bearer_auth(ADMIN).send().await.unwrap();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "private, no-cache"),
    ] {
        assert_eq!(data.headers()[name], value);
    }
    assert!(data.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(data.headers().get("access-control-allow-origin").is_none());
    world.end().await;
}

#[test]
fn the_committed_document_describes_our_own_routes_and_only_what_is_routed() {
    let committed: utoipa::openapi::OpenApi = serde_json::from_str(gateway::pages::OPENAPI).unwrap();
    assert_eq!(gateway::openapi::unreachable(&committed), Vec::<String>::new());
    let own = serde_json::to_value(gateway::merge_openapi(vec![gateway::openapi()])).unwrap();
    let committed: Value = serde_json::from_str(gateway::pages::OPENAPI).unwrap();
    for (path, item) in own["paths"].as_object().unwrap() {
        assert_eq!(committed["paths"].get(path), Some(item), "{path}: the document is out of date");
    }
}
