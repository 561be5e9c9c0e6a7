//! The web app: what Vite makes of `web/`, embedded in the program, and the addresses of its pages.
//!
//! The app is one page that shows something else at each of its addresses, so all of them are answered with the same file.
//! Promises: its scripts and styles, whose names change with their content, are kept by browsers for a year; the page that names
//! them is asked for every time; a script that is not there (any more) is a problem and never a page; an address that nobody
//! knows is status 404 for all, and a page only for who asks for one.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use rust_embed::Embed;
use service_kit::problem::ApiError;

use crate::{
    files::{ASK_FIRST, FOR_EVER, File, kind_of},
    preferences::{self, Coding},
};

/// What `deployment/local/web.sh` built; `build.rs` sees to it that it is there.
#[derive(Embed)]
#[folder = "web/dist"]
struct Dist;

/// The page that all addresses of the app are answered with.
const PAGE: &str = "index.html";
/// Where Vite puts what has a name of its own for each content.
const ASSETS: &str = "assets/";
/// The app's addresses, in the form of axum: those that `web/src` shows a page of its own at.
pub const ADDRESSES: &[&str] = &[
    "/",
    "/m/{id}",
    "/make",
    "/make/replay",
    "/jobs",
    "/jobs/{id}",
    "/schedules",
    "/schedules/{id}",
    "/operations",
];
/// Where nothing but what is listed there is, for people and programs alike.
const NO_PAGES: &[&str] = &["v1", "docs", "assets"];

/// The files of the app by their names, each with its compressed copies.
static FILES: LazyLock<BTreeMap<String, File>> = LazyLock::new(|| {
    let bytes = |name: &str| {
        Dist::get(name).map(|file| match file.data {
            std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
        })
    };
    let packed = [Coding::Brotli, Coding::Gzip];
    let plain = Dist::iter().filter(|name| !packed.iter().any(|coding| name.ends_with(coding.suffix())));
    let files = plain.filter_map(|name| {
        let mut file = File::new(kind_of(&name), bytes(&name)?);
        for coding in packed {
            if let Some(bytes) = bytes(&format!("{name}{}", coding.suffix())) {
                file = file.with(coding, bytes);
            }
        }
        Some((name.into_owned(), file))
    });
    files.collect()
});

/// The app's routes.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ADDRESSES
        .iter()
        .fold(Router::new(), |router, address| router.route(address, get(page)))
        .route("/assets/{*name}", get(asset))
}

/// The names of all files, for the tests.
#[must_use]
pub fn names() -> Vec<&'static str> {
    FILES.keys().map(String::as_str).collect()
}

async fn page(headers: HeaderMap) -> Response {
    FILES.get(PAGE).map_or_else(no_such_route, |page| page.answer(&headers, ASK_FIRST))
}

async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    let name = name(&uri);
    let keep = if is_hashed(name) { FOR_EVER } else { ASK_FIRST };
    FILES.get(name).map_or_else(no_such_route, |file| file.answer(&headers, keep))
}

/// Whether a name changes with its content: Vite puts eight characters of a hash behind it. Files of `web/public` keep their names.
#[must_use]
pub fn is_hashed(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).as_bytes();
    let Some((before, hash)) = stem.len().checked_sub(8).map(|at| stem.split_at(at)) else { return false };
    before.ends_with(b"-")
        && hash.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Answers what no route is for.
pub async fn unknown(request: Request) -> Response {
    let (name, headers) = (name(request.uri()), request.headers());
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return no_such_route();
    }
    // Icons and the like, which have names that others know.
    if let Some(file) = FILES.get(name).filter(|_| name != PAGE && !name.starts_with(ASSETS)) {
        return file.answer(headers, ASK_FIRST);
    }
    let top = name.split('/').next().unwrap_or_default();
    match FILES.get(PAGE) {
        Some(page) if !NO_PAGES.contains(&top) && preferences::wants_html(headers) => {
            page.answer_missing(headers)
        }
        _ => no_such_route(),
    }
}

fn name(uri: &Uri) -> &str {
    uri.path().strip_prefix('/').unwrap_or_default()
}

fn no_such_route() -> Response {
    ApiError::not_found("route; /docs lists all routes").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_its_name_is_kept() {
        for name in ["assets/index-CZPPFA-u.js", "assets/index-DZK_aXpg.css", "assets/a-b-12345678.woff2"] {
            assert!(is_hashed(name), "{name}");
        }
        for name in [
            "assets/icon.svg",
            "assets/index.js",
            "assets/a-1234567.js",
            "assets/12345678.js",
            "assets/x",
            "",
        ] {
            assert!(!is_hashed(name), "{name}");
        }
    }

    #[test]
    fn every_file_of_the_app_has_a_media_type_and_the_page_names_only_files_that_are_there() {
        for (name, file) in FILES.iter() {
            assert_ne!(file.kind(), "application/octet-stream", "{name}");
        }
        let page = String::from_utf8(Dist::get(PAGE).unwrap().data.into_owned()).unwrap();
        let named: Vec<&str> =
            page.split('"').filter(|text| text.starts_with("/assets/") && !text.contains(' ')).collect();
        assert!(!named.is_empty(), "{page}");
        for name in named {
            assert!(FILES.contains_key(&name[1..]), "{name}");
        }
    }
}
