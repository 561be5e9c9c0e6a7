//! What every answer carries: what it may load and do in a browser, and that browsers keep to https where people come by it.
//!
//! Promises: nothing that the gateway shows runs a script, or loads anything, that does not come from here, even if markup got into a
//! page; what a service answers (media that somebody uploaded, above all) is never given a page's rights.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// What our own pages, and workers that they start, may load and do. `blob:` is a page's own memory, from which previews and files
/// that are being chosen are played. Trusted types: no text becomes a script or markup by any of the browser's functions that do that.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; \
    connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";
/// For everything else. A browser shows a video or picture that is opened by itself in a page of its own making, which
/// has a style, and which loads the video once more: that is answered only to our own origin, and only with its cookie. Scripts
/// are not allowed there, so that to have our origin is of no use to what somebody uploaded.
const DATA_POLICY: &str = "sandbox allow-downloads allow-same-origin; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/// What no page of ours needs of a device or of the browser, so that nothing that got into one can ask for it.
const NO_PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
    idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), \
    usb=(), xr-spatial-tracking=()";
/// For two years no request by http. Not for names below ours: they may be somebody else's.
const HTTPS_ONLY: &str = "max-age=63072000";

/// Marks an answer as a page of ours, or as a script, which takes its policy along when a worker is started from it. Answers of
/// services have no such mark, whatever type they say that they are. A 304 needs it too: browsers put its head in place of the
/// one that they keep.
#[derive(Debug, Clone, Copy)]
pub struct Ours;

/// Adds what every answer carries.
pub async fn secure(State(by_https): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_ours = response.extensions().get::<Ours>().is_some();
    let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    let mut set =
        |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, if is_ours { PAGE_POLICY } else { DATA_POLICY });
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if is_ours {
        set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        set(HeaderName::from_static("permissions-policy"), NO_PERMISSIONS);
    }
    if by_https {
        set(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    if is_unauthorized {
        set(header::WWW_AUTHENTICATE, "Bearer");
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}
