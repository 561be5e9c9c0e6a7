//! The pages beside the web app: the API's reference, and a page for each problem code. All of it is embedded, and nothing is
//! loaded from elsewhere.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    Extension, Router,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};
use contracts::{problem::ProblemCode, replay::REPLAY_FAILURES};
use service_kit::{extract::Path, problem::ApiError};

use crate::{
    files::{ASK_FIRST, File, kind_of},
    secure::Ours,
};

/// The committed API document.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// The reference's page; a script renders the document into it, below which stand the problems.
const DOCS: &str = include_str!("../pages/docs.html");
/// Where the problems are put in it.
const PROBLEMS: &str = "<!-- problems -->";
/// A receiver of webhooks, which the page shows.
const RECEIVER: &str = include_str!("../pages/receiver.mjs");
/// Where it is put in it.
const RECEIVER_HERE: &str = "<!-- receiver -->";

/// Embedded files by their paths.
static FILES: LazyLock<[(&str, File); 5]> = LazyLock::new(|| {
    let file = |path: &'static str, content: &'static str| (path, File::new(kind_of(path), content));
    let docs = DOCS.replace(PROBLEMS, &list("h2")).replace(RECEIVER_HERE, &escape(RECEIVER));
    [
        ("/docs", File::new(kind_of("docs.html"), docs)),
        file("/docs.css", include_str!("../pages/docs.css")),
        file("/docs.js", include_str!("../pages/docs.js")),
        file("/icon.svg", include_str!("../pages/icon.svg")),
        file("/openapi.json", OPENAPI),
    ]
});

/// The pages' routes.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let files = FILES.iter().fold(Router::new(), |router, (path, file)| {
        router.route(path, get(move |headers: HeaderMap| async move { file.answer(&headers, ASK_FIRST) }))
    });
    files.route("/docs/errors", get(errors)).route("/docs/errors/{code}", get(error))
}

fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · Stream Montages</title>\n\
         <link rel=\"icon\" href=\"/icon.svg\">\n<link rel=\"stylesheet\" href=\"/docs.css\">\n</head>\n<body>\n\
         <header><a class=\"brand\" href=\"/\">Stream Montages</a><nav><a href=\"/docs\">API</a><a href=\"/docs/errors\">Problems</a></nav></header>\n\
         <main>\n{body}</main>\n</body>\n</html>\n"
    );
    (Extension(Ours), [(header::CONTENT_TYPE, kind_of("page.html"))], html).into_response()
}

/// All codes as a table, under a heading of a rank.
fn list(heading: &str) -> String {
    let mut html = format!(
        "<{heading} id=\"problems\">Problems</{heading}>\n\
         <p>Whatever goes wrong is answered as <code>application/problem+json</code> (RFC 9457). Programs go by its <code>code</code>, which \
         stays as it is; people by its <code>detail</code>. Each code has a page that says what to do.</p>\n\
         <table>\n<thead><tr><th scope=\"col\">Code</th><th scope=\"col\">Status</th><th scope=\"col\">Meaning</th></tr></thead>\n<tbody>\n"
    );
    for code in ProblemCode::ALL {
        let (page, name, status, title) = (code.page(), code.as_str(), code.status(), escape(code.title()));
        let _ = writeln!(
            html,
            "<tr><td><a href=\"{page}\"><code>{name}</code></a></td><td>{status}</td><td>{title}</td></tr>"
        );
    }
    html.push_str("</tbody>\n</table>\n");
    let _ = write!(
        html,
        "<{heading} id=\"replay-failures\">Failures of replays</{heading}>\n\
         <p>A job of kind <code>replay</code> that cannot be made fails with one of these codes in its <code>failure</code>; its \
         <code>pointer</code> names the file that is to blame.</p>\n\
         <table>\n<thead><tr><th scope=\"col\">Code</th><th scope=\"col\">Meaning</th></tr></thead>\n<tbody>\n"
    );
    for failure in REPLAY_FAILURES {
        let (page, name, title) = (failure.page(), failure.code, escape(failure.title));
        let _ =
            writeln!(html, "<tr><td><a href=\"{page}\"><code>{name}</code></a></td><td>{title}</td></tr>");
    }
    html.push_str("</tbody>\n</table>\n");
    html
}

async fn errors() -> Response {
    page("Problems", &list("h1"))
}

async fn error(Path(name): Path<String>) -> Response {
    let failure = REPLAY_FAILURES.iter().find(|failure| failure.code.replace('_', "-") == name);
    if let Some(failure) = failure {
        let title = escape(failure.title);
        let body = format!(
            "<h1>{title}</h1>\n<p class=\"soft\">Code <code>{}</code>, of jobs of kind <code>replay</code></p>\n<p>{}</p>\n\
             <h2>What to do</h2>\n<p>{}</p>\n<p><a href=\"/docs/errors\">All problems</a></p>\n",
            failure.code,
            prose(failure.meaning),
            prose(failure.remedy)
        );
        return page(&title, &body);
    }
    let Some(code) = ProblemCode::ALL.iter().find(|code| code.as_str().replace('_', "-") == name) else {
        return ApiError::not_found("problem code").into_response();
    };
    let title = escape(code.title());
    let example = serde_json::to_string_pretty(&code.example()).unwrap_or_default();
    let body = format!(
        "<h1>{title}</h1>\n<p class=\"soft\">Code <code>{}</code>, status {}</p>\n<p>{}</p>\n\
         <h2>What to do</h2>\n<p>{}</p>\n<h2>For operators</h2>\n<p>{}</p>\n\
         <h2>An example</h2>\n<pre tabindex=\"0\">{}</pre>\n\
         <p><a href=\"/docs/errors\">All problems</a></p>\n",
        code.as_str(),
        code.status(),
        prose(code.meaning()),
        prose(code.callers()),
        prose(code.operators()),
        escape(&example)
    );
    page(&title, &body)
}

/// Text with `code` in backquotes as HTML.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in escape(text).split('`').enumerate() {
        let _ = if index % 2 == 1 { write!(html, "<code>{part}</code>") } else { write!(html, "{part}") };
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
