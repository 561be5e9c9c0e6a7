//! What the gateway shows by itself: the library page, the API's page, a page for each problem code. All of it is embedded,
//! nothing is loaded from elsewhere, and the content policy forbids anything that is not.

use std::fmt::Write as _;

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use contracts::problem::ProblemCode;
use service_kit::{extract::Path, problem::ApiError};

/// The committed API document.
pub const OPENAPI: &str = include_str!("../openapi.json");

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Embedded files: path, media type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("../pages/index.html")),
    ("/app.js", SCRIPT, include_str!("../pages/app.js")),
    ("/preview.js", SCRIPT, include_str!("../pages/preview.js")),
    ("/app.css", STYLE, include_str!("../pages/app.css")),
    ("/docs", HTML, include_str!("../pages/docs.html")),
    ("/docs.js", SCRIPT, include_str!("../pages/docs.js")),
    ("/icon.svg", "image/svg+xml", include_str!("../pages/icon.svg")),
    ("/openapi.json", "application/json", OPENAPI),
];

/// What pages may load and do. `blob:` is the page's own memory, from which the preview of a job is played.
const PAGE_POLICY: &str = "default-src 'self'; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// For everything else. A browser shows a video or picture that is opened by itself in a page of its own making, which
/// has a style.
const DATA_POLICY: &str =
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// The pages' routes.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let files = FILES.iter().fold(Router::new(), |router, (path, kind, content)| {
        router.route(path, get(move || async move { ([(header::CONTENT_TYPE, *kind)], *content) }))
    });
    files.route("/docs/errors", get(errors)).route("/docs/errors/{code}", get(error))
}

/// Adds what every answer carries.
pub async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    // Pages come from here only: what a service answers as HTML would be a mistake, and is not given a page's rights.
    let is_page = is_page && response.extensions().get::<Own>().is_some();
    let policy = if is_page { PAGE_POLICY } else { DATA_POLICY };
    let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    let mut set =
        |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, policy);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if is_unauthorized {
        set(header::WWW_AUTHENTICATE, "Bearer");
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}

/// Marks the gateway's own pages among the answers.
#[derive(Debug, Clone, Copy)]
pub struct Own;

/// Marks what the gateway's own routes answer.
pub async fn mark_own(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Own);
    response
}

fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · Stream Montages</title>\n\
         <link rel=\"icon\" href=\"/icon.svg\">\n<link rel=\"stylesheet\" href=\"/app.css\">\n</head>\n<body>\n\
         <header class=\"bar\"><a class=\"brand\" href=\"/\">Stream Montages</a><nav><a href=\"/docs\">API</a></nav></header>\n\
         <main class=\"text\">\n{body}</main>\n</body>\n</html>\n"
    );
    ([(header::CONTENT_TYPE, HTML)], html).into_response()
}

async fn errors() -> Response {
    let mut body = String::from(
        "<h1>Problems</h1>\n<p>Every problem that a route can answer, by its <code>code</code>.</p>\n<table>\n",
    );
    for code in ProblemCode::ALL {
        let (page, name, status, title) = (code.page(), code.as_str(), code.status(), escape(code.title()));
        let _ = writeln!(
            body,
            "<tr><td><a href=\"{page}\"><code>{name}</code></a></td><td>{status}</td><td>{title}</td></tr>"
        );
    }
    body.push_str("</table>\n");
    page("Problems", &body)
}

async fn error(Path(name): Path<String>) -> Response {
    let Some(code) = ProblemCode::ALL.iter().find(|code| code.as_str().replace('_', "-") == name) else {
        return ApiError::not_found("problem code").into_response();
    };
    let (title, help) = (escape(code.title()), escape(code.help()));
    let body = format!(
        "<h1>{title}</h1>\n<p>Code <code>{}</code>, status {}.</p>\n<p>{help}</p>\n<p><a href=\"/docs/errors\">All problems</a></p>\n",
        code.as_str(),
        code.status()
    );
    page(&title, &body)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
