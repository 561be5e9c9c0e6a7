//! What the gateway shows by itself: the web app, the API's reference, a page for each problem.

use std::collections::BTreeMap;

use contracts::problem::ProblemCode;
use gateway::{AuthMode, app};
use reqwest::Response;
use serde_json::Value;

use crate::world::{ADMIN, ID, World, code};

/// What Chromium sends when a person goes somewhere.
const PERSON: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8";
const YEAR: &str = "public, max-age=31536000, immutable";

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Response {
    let request =
        headers.iter().fold(world.call("GET", path), |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

/// The directives of a policy.
fn policy(response: &Response) -> BTreeMap<String, String> {
    let text = header(response, "content-security-policy");
    text.split(';')
        .map(|part| part.trim().split_once(' ').unwrap_or((part.trim(), "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The app's addresses, with an id where one belongs.
fn addresses() -> Vec<String> {
    app::ADDRESSES.iter().map(|address| address.replace("{id}", ID)).collect()
}

#[tokio::test]
async fn every_address_of_the_app_is_answered_with_its_page_which_is_asked_for_every_time() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    let page = get(&world, "/", &[("accept", PERSON)]).await;
    let etag = header(&page, "etag").to_owned();
    let html = page.text().await.unwrap();
    assert!(html.contains("<div id=\"root\">") && html.contains("/assets/"), "{html}");
    for path in addresses() {
        // Whoever asks, a person or a program.
        for accept in [PERSON, "*/*", "application/json"] {
            let response = get(&world, &path, &[("accept", accept)]).await;
            assert_eq!(response.status(), 200, "{path}");
            for (name, value) in [
                ("content-type", "text/html; charset=utf-8"),
                ("cache-control", "no-cache"),
                ("vary", "accept-encoding"),
                ("etag", &etag),
                ("content-encoding", ""),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                // By http: that is for who answers by https.
                ("strict-transport-security", ""),
            ] {
                assert_eq!(header(&response, name), value, "{name} {path}");
            }
            assert_eq!(response.text().await.unwrap(), html, "{path}");
        }
        let head = world.call("HEAD", &path).send().await.unwrap();
        assert_eq!((head.status().as_u16(), header(&head, "etag")), (200, etag.as_str()), "{path}");
        assert_eq!(header(&head, "content-length"), html.len().to_string(), "{path}");
        assert!(head.bytes().await.unwrap().is_empty());
        assert_eq!(code(world.call("POST", &path)).await, (405, "method_not_allowed".to_owned()), "{path}");
    }
    // Who has it is told so, in any of its codings; an older one is not it.
    let known = get(&world, "/jobs", &[("if-none-match", &format!("\"old\", W/{etag}"))]).await;
    assert_eq!(
        (
            known.status().as_u16(),
            header(&known, "etag"),
            header(&known, "cache-control"),
            header(&known, "vary")
        ),
        (304, etag.as_str(), "no-cache", "accept-encoding")
    );
    assert!(known.bytes().await.unwrap().is_empty());
    assert_eq!(get(&world, "/", &[("if-none-match", "\"old\"")]).await.status(), 200);
    let packed = get(&world, "/", &[("accept-encoding", "br"), ("if-none-match", &etag)]).await;
    assert_eq!(packed.status().as_u16(), if header(&packed, "content-encoding") == "br" { 200 } else { 304 });
    world.end().await;
}

#[tokio::test]
async fn a_page_may_do_what_the_app_needs_and_nothing_else() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    for path in ["/", "/docs", "/docs/errors", "/docs/errors/not-found"] {
        let page = get(&world, path, &[]).await;
        let policy = policy(&page);
        for (name, value) in [
            ("default-src", "'none'"),
            ("script-src", "'self'"),
            ("style-src", "'self'"),
            ("connect-src", "'self'"),
            ("img-src", "'self'"),
            ("media-src", "'self' blob:"),
            ("font-src", "'self'"),
            ("manifest-src", "'self'"),
            ("base-uri", "'none'"),
            ("form-action", "'self'"),
            ("frame-ancestors", "'none'"),
            ("require-trusted-types-for", "'script'"),
        ] {
            assert_eq!(policy.get(name).map(String::as_str), Some(value), "{name} {path}");
        }
        assert!(
            policy.values().all(|value| !value.contains("unsafe") && !value.contains("http")),
            "{policy:?}"
        );
        for closed in ["camera=()", "microphone=()", "geolocation=()", "display-capture=()", "usb=()"] {
            assert!(header(&page, "permissions-policy").contains(closed), "{path}");
        }
        let etag = page.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned());
        let heads = [
            "content-security-policy",
            "cross-origin-opener-policy",
            "permissions-policy",
            "referrer-policy",
        ]
        .map(|name| (name, header(&page, name).to_owned()));
        let html = page.text().await.unwrap();
        for foreign in ["http://", "https://", " style=", "<style", " onclick="] {
            assert!(!html.contains(foreign), "{foreign} {path}");
        }
        // Browsers put the head of a 304 in place of the one that they keep.
        if let Some(etag) = etag {
            let known = get(&world, path, &[("if-none-match", &etag)]).await;
            assert_eq!(known.status(), 304, "{path}");
            for (name, value) in &heads {
                assert_eq!(header(&known, name), value, "{name} {path}");
            }
        }
        // Scripts are files: none stands in a page.
        assert!(html.split("<script").skip(1).all(|script| script.contains(" src=\"/")), "{path}");
    }
    // A worker goes by the policy of its script.
    for name in app::names().into_iter().filter(|name| name.ends_with(".js")) {
        assert_eq!(policy(&get(&world, &format!("/{name}"), &[]).await)["script-src"], "'self'", "{name}");
    }
    // What a service answers has no rights, even if it says that it is a page.
    for path in ["/v1/jobs".to_owned(), format!("/v1/montages/{ID}/media"), format!("/v1/montages/{ID}/page")]
    {
        let data = world.call("GET", &path).bearer_auth(ADMIN).send().await.unwrap();
        let policy = policy(&data);
        assert_eq!(policy["default-src"], "'none'", "{path}");
        assert!(policy.contains_key("sandbox") && !policy.contains_key("script-src"), "{path} {policy:?}");
        assert!(!policy["sandbox"].contains("allow-scripts"), "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "private, no-cache"),
            ("access-control-allow-origin", ""),
        ] {
            assert_eq!(header(&data, name), value, "{name} {path}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn files_of_the_app_are_sent_as_the_client_likes_them() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    let names = app::names();
    let scripts = names.iter().filter(|name| name.ends_with(".js")).count();
    assert!(scripts > 0 && names.iter().any(|name| name.ends_with(".css")), "{names:?}");
    let mut packed = 0;
    for name in names {
        let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
        let plain = get(&world, &path, &[]).await;
        assert_eq!((plain.status().as_u16(), header(&plain, "content-encoding")), (200, ""), "{path}");
        let kind = header(&plain, "content-type").to_owned();
        for (end, wanted) in [
            ("js", "text/javascript; charset=utf-8"),
            ("css", "text/css; charset=utf-8"),
            ("svg", "image/svg+xml"),
        ] {
            assert!(!name.ends_with(end) || kind == wanted, "{path} {kind}");
        }
        let keep = if app::is_hashed(name) { YEAR } else { "no-cache" };
        assert_eq!(
            (header(&plain, "cache-control"), header(&plain, "vary")),
            (keep, "accept-encoding"),
            "{path}"
        );
        let etag = header(&plain, "etag").to_owned();
        let bytes = plain.bytes().await.unwrap();
        assert_eq!(get(&world, &path, &[("if-none-match", &etag)]).await.status(), 304, "{path}");

        let coding = async |accepts: &str| {
            let response = get(&world, &path, &[("accept-encoding", accepts)]).await;
            assert_eq!(
                (response.status().as_u16(), header(&response, "content-type")),
                (200, kind.as_str()),
                "{path}"
            );
            assert_eq!(
                (header(&response, "cache-control"), header(&response, "vary")),
                (keep, "accept-encoding")
            );
            let coding = header(&response, "content-encoding").to_owned();
            let other = header(&response, "etag") != etag;
            let length = header(&response, "content-length").parse::<usize>().unwrap();
            let sent = response.bytes().await.unwrap();
            // A copy has a validator of its own, and is what it says: as long as it says, and smaller than the plain one.
            assert_eq!((sent.len(), other), (length, !coding.is_empty()), "{path}");
            assert_eq!(sent.len() < bytes.len(), other, "{path}");
            assert!(coding != "gzip" || sent.starts_with(b"\x1f\x8b"), "{path}");
            assert!(other || sent == bytes, "{path}");
            coding
        };
        let best = coding("gzip, deflate, br, zstd").await;
        assert!(["br", ""].contains(&best.as_str()), "{path}");
        if best == "br" {
            packed += 1;
            assert_eq!(coding("br;q=0.5, gzip;q=0.8").await, "gzip", "{path}");
            assert_eq!(coding("gzip").await, "gzip", "{path}");
            assert_eq!(coding("br;q=0, *").await, "gzip", "{path}");
        }
        assert_eq!(coding("gzip;q=0.5, identity").await, "", "{path}");
        assert_eq!(coding("zstd").await, "", "{path}");
        // The copies are no files of their own.
        for end in [".br", ".gz"] {
            let missing = get(
                &world,
                &format!("{}{end}", if name == "index.html" { "/index.html" } else { &path }),
                &[],
            )
            .await;
            assert_eq!(missing.status(), 404, "{path}{end}");
        }
    }
    assert!(packed >= 2, "the page's script and style at least are compressed when the app is built");
    world.end().await;
}

#[tokio::test]
async fn an_address_that_nobody_knows_is_a_page_for_people_and_a_problem_for_programs() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    let html = get(&world, "/", &[]).await.text().await.unwrap();
    let not_found = (404, "not_found".to_owned());
    for path in [
        "/nothing",
        "/m",
        "/m/1/2",
        "/jobs/",
        "/index.html",
        "/robots",
        "/v1x",
        "/docsx/y",
        "/app.js",
        "/%2e%2e/etc",
    ] {
        let page = get(&world, path, &[("accept", PERSON), ("if-none-match", "*")]).await;
        assert_eq!(page.status(), 404, "{path}");
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-cache"),
            ("vary", "accept, accept-encoding"),
            ("etag", ""),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(header(&page, name), value, "{name} {path}");
        }
        assert_eq!(page.text().await.unwrap(), html, "{path}");
        let head = world.call("HEAD", path).header("accept", PERSON).send().await.unwrap();
        assert_eq!(
            (head.status().as_u16(), header(&head, "content-type")),
            (404, "text/html; charset=utf-8")
        );
        for accept in ["*/*", "application/json", "text/html;q=0.1, application/json", "text/css,*/*;q=0.1"] {
            assert_eq!(
                code(world.call("GET", path).header("accept", accept)).await,
                not_found,
                "{path} {accept}"
            );
        }
        assert_eq!(code(world.call("GET", path)).await, not_found, "{path}");
        for method in ["POST", "DELETE", "OPTIONS"] {
            assert_eq!(
                code(world.call(method, path).header("accept", PERSON)).await,
                not_found,
                "{method} {path}"
            );
        }
    }
    // Never a page in place of data or of a script.
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v2x/../v1/nothing",
        "/docs/",
        "/docs/nothing",
        "/docs/errors/no-such-code",
        "/assets/",
        "/assets/app-12345678.js",
    ] {
        assert_eq!(code(world.call("GET", path).header("accept", PERSON)).await, not_found, "{path}");
    }
    world.end().await;
}

#[tokio::test]
async fn the_reference_lists_every_problem_and_each_has_a_page_that_helps() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/errors", "text/html; charset=utf-8"),
        ("/docs.js", "text/javascript; charset=utf-8"),
        ("/docs.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/openapi.json", "application/json"),
        ("/livez", "text/plain; charset=utf-8"),
        ("/readyz", "text/plain; charset=utf-8"),
    ] {
        let response = get(&world, path, &[]).await;
        assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, kind), "{path}");
        if header(&response, "etag").is_empty() {
            continue;
        }
        let known = get(&world, path, &[("if-none-match", header(&response, "etag"))]).await;
        assert_eq!((known.status().as_u16(), header(&known, "cache-control")), (304, "no-cache"), "{path}");
    }
    let metrics = world.call("GET", "/metrics").bearer_auth(ADMIN).send().await.unwrap();
    assert_eq!(metrics.headers()["content-type"], "text/plain; version=0.0.4");
    let reference = get(&world, "/docs", &[]).await.text().await.unwrap();
    assert!(reference.contains("href=\"/\""), "a way back to the app");
    for code in ProblemCode::ALL {
        assert!(reference.contains(&format!("href=\"{}\"", code.page())), "{}", code.as_str());
        let response = get(&world, &code.page(), &[]).await;
        assert_eq!(response.status(), 200);
        let html = response.text().await.unwrap();
        for part in ["<h1>", "What to do", "For operators", "An example", "href=\"/\"", "/docs.css"] {
            assert!(html.contains(part), "{part} {}", code.as_str());
        }
        // The example is a problem as this code is answered, and nothing of it is markup.
        let example = html.split("<pre tabindex=\"0\">").nth(1).unwrap().split("</pre>").next().unwrap();
        assert!(!example.contains('<'), "{example}");
        let plain =
            example.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let example: Value = serde_json::from_str(&plain).unwrap();
        assert_eq!(
            (example["status"].as_u64(), example["type"].as_str()),
            (Some(u64::from(code.status())), Some(code.page().as_str()))
        );
    }
    world.end().await;
}

#[test]
fn the_committed_document_describes_our_own_routes_and_only_what_is_routed() {
    let committed: utoipa::openapi::OpenApi = serde_json::from_str(gateway::pages::OPENAPI).unwrap();
    assert_eq!(gateway::openapi::unreachable(&committed), Vec::<String>::new());
    let own = serde_json::to_value(gateway::merge_openapi(vec![gateway::openapi()]).unwrap()).unwrap();
    let committed: Value = serde_json::from_str(gateway::pages::OPENAPI).unwrap();
    for (path, item) in own["paths"].as_object().unwrap() {
        assert_eq!(committed["paths"].get(path), Some(item), "{path}: the document is out of date");
    }
}
