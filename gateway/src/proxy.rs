//! The reverse proxy: one request in, the same request out to a service, bodies streamed both ways and never collected.
//!
//! Promises: a service sees who calls only from us (what clients claim in `x-sm-…` and forwarding headers is removed, and
//! their keys and cookies stay here); a path that another parser could read as another path is refused; a service that
//! is down or slow is answered with a problem.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use contracts::problem::ProblemCode;
use futures::{StreamExt as _, TryStreamExt as _};
use secrecy::ExposeSecret;
use service_kit::{
    caller::KEY_HEADER,
    problem::{ApiError, ApiResult},
};

use crate::{
    Gateway,
    auth::{Identity, Visitor},
    streams,
    table::{Need, Route, Rule},
};

/// Headers of one connection (RFC 9110, section 7.6.1), not of the message.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What else clients send that is not for the services: `host` and `expect` are between two parties, the rest is either
/// secret or would be believed.
const NOT_FORWARDED: &[&str] =
    &["host", "expect", "authorization", "cookie", "forwarded", "x-real-ip", "traceparent"];

/// Answers a request to a route of the table.
pub async fn forward(
    gateway: Arc<Gateway>,
    route: &'static Route,
    visitor: Visitor,
    request: Request,
) -> Response {
    let start = Instant::now();
    let response = match route.rule(request.method()) {
        Some(rule) => {
            answer(&gateway, route, rule, visitor, request).await.unwrap_or_else(IntoResponse::into_response)
        }
        None => {
            let detail = format!("This route knows {}.", route.allow());
            let mut response = ApiError::new(ProblemCode::MethodNotAllowed, detail).into_response();
            if let Ok(allow) = HeaderValue::from_str(&route.allow()) {
                response.headers_mut().insert(header::ALLOW, allow);
            }
            response
        }
    };
    let status = response.status().as_u16().to_string();
    metrics::histogram!("gateway_upstream_seconds", "route" => route.pattern, "status" => status)
        .record(start.elapsed().as_secs_f64());
    response
}

async fn answer(
    gateway: &Arc<Gateway>,
    route: &Route,
    rule: &Rule,
    visitor: Visitor,
    request: Request,
) -> ApiResult<Response> {
    let caller = match rule.need {
        Need::Scopes(scopes) => Some(gateway.door.admit(&visitor, scopes).await?),
        Need::SignedLink => None,
    };
    let limit = rule.body.limit(&gateway.config);
    let (parts, body) = request.into_parts();
    let target = target(route.upstream.address(&gateway.config), &parts.uri)?;
    let length =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let (Some(limit), Some(length)) = (limit, length)
        && length > limit
    {
        return Err(too_large(limit));
    }

    let mut outgoing = gateway.client.request(parts.method.clone(), target).headers(headers(
        gateway,
        &parts.headers,
        caller.as_ref(),
    ));
    let over = Arc::new(AtomicBool::new(false));
    if !body.is_end_stream() {
        // A service that answers before it has read all of a body ends the connection: nobody else may be about to use it.
        outgoing = outgoing.header(header::CONNECTION, "close").body(bounded(body, limit, over.clone()));
    }
    let name = route.upstream.name();
    let sent = tokio::time::timeout(rule.wait.of(gateway.config.patience), outgoing.send()).await;
    match sent {
        Ok(Ok(response)) => {
            let answer = incoming(response);
            match rule.need {
                Need::Scopes(scopes) if streams::is_stream(answer.headers()) => {
                    streams::pass(gateway, visitor, scopes, answer)
                }
                _ => Ok(answer),
            }
        }
        Ok(Err(_)) if over.load(Ordering::Relaxed) => Err(too_large(limit.unwrap_or_default())),
        Ok(Err(error)) => Err(ApiError::unavailable(name, error.without_url())),
        Err(_) => Err(ApiError::new(ProblemCode::Timeout, format!("{name} did not answer in time."))),
    }
}

fn too_large(limit: u64) -> ApiError {
    let detail = match limit {
        0 => "This route takes no body.".to_owned(),
        limit => format!("This route takes at most {limit} bytes."),
    };
    ApiError::new(ProblemCode::TooLarge, detail)
}

/// The address of a request at a service. The routing table was asked about the path as it was sent: a path that the
/// client's URL parser would rewrite (`..`, `%2e%2e`, backslashes) could lead elsewhere.
fn target(base: &str, uri: &Uri) -> ApiResult<reqwest::Url> {
    let not_found = || ApiError::new(ProblemCode::NotFound, "The path is not written in its plain form.");
    let text = format!("{base}{}", uri.path_and_query().map_or("/", |path| path.as_str()));
    let url = reqwest::Url::parse(&text).map_err(|_| not_found())?;
    if url.path() == uri.path() { Ok(url) } else { Err(not_found()) }
}

/// A body that ends with an error as soon as it is larger than allowed.
fn bounded(body: Body, limit: Option<u64>, over: Arc<AtomicBool>) -> reqwest::Body {
    let mut seen = 0_u64;
    let stream = body.into_data_stream().map_err(std::io::Error::other).map(move |chunk| {
        let chunk = chunk?;
        seen = seen.saturating_add(chunk.len() as u64);
        if limit.is_some_and(|limit| seen > limit) {
            over.store(true, Ordering::Relaxed);
            return Err(std::io::Error::other("the body is larger than the route allows"));
        }
        Ok(chunk)
    });
    reqwest::Body::wrap_stream(stream)
}

/// The headers that a service gets.
fn headers(gateway: &Gateway, from: &HeaderMap, caller: Option<&Identity>) -> HeaderMap {
    let mut headers = end_to_end(from);
    for name in NOT_FORWARDED {
        headers.remove(*name);
    }
    remove_prefixed(&mut headers, &["x-sm-", "x-forwarded-"]);
    if let Some(value) = caller.and_then(|caller| HeaderValue::from_str(&caller.name).ok()) {
        headers.insert(KEY_HEADER, value);
    }
    if let Some(token) = &gateway.config.internal_token
        && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
    {
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    headers.insert("traceparent", traceparent(from));
    headers
}

/// The client's trace context (W3C Trace Context, section 3.2) if it is well formed, else a new one.
fn traceparent(from: &HeaderMap) -> HeaderValue {
    let hex = |part: &str, length: usize| {
        part.len() == length
            && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && part.bytes().any(|byte| byte != b'0')
    };
    let known = from.get("traceparent").filter(|value| {
        let parts: Vec<&str> = value.to_str().unwrap_or_default().split('-').collect();
        matches!(parts.as_slice(), ["00", trace, span, flags] if hex(trace, 32) && hex(span, 16) && matches!(*flags, "00" | "01"))
    });
    known.cloned().unwrap_or_else(|| {
        let text =
            format!("00-{}-{}-01", uuid::Uuid::new_v4().simple(), hex::encode(rand::random::<[u8; 8]>()));
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    })
}

/// Headers without those of the connection.
fn end_to_end(from: &HeaderMap) -> HeaderMap {
    let named: Vec<String> = from
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut headers = HeaderMap::with_capacity(from.len());
    for (name, value) in from {
        if !HOP_BY_HOP.contains(&name.as_str()) && !named.iter().any(|named| named == name.as_str()) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

fn remove_prefixed(headers: &mut HeaderMap, prefixes: &[&str]) {
    let ours = |name: &&HeaderName| prefixes.iter().any(|prefix| name.as_str().starts_with(prefix));
    let names: Vec<HeaderName> = headers.keys().filter(ours).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// A service's answer on its way to the client, its body as it comes.
fn incoming(response: reqwest::Response) -> Response {
    let status = response.status();
    let mut headers = end_to_end(response.headers());
    // The layer around us names the request.
    headers.remove(service_kit::caller::REQUEST_ID_HEADER);
    remove_prefixed(&mut headers, &["x-sm-"]);
    let mut answer = Response::new(Body::from_stream(response.bytes_stream().map_err(|error| {
        // The head is sent already: the connection is cut, so that the client sees that the body is not whole.
        let error = error.without_url();
        tracing::warn!(error = %error, "an answer ended early");
        error
    })));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// The handler of one route of the table.
pub async fn handle(
    State(gateway): State<Arc<Gateway>>,
    axum::Extension(route): axum::Extension<&'static Route>,
    visitor: Visitor,
    request: Request,
) -> Response {
    forward(gateway, route, visitor, request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_could_lead_elsewhere_are_refused() {
        for path in [
            "/v1/jobs/../leases",
            "/v1/jobs/%2e%2e/leases",
            "/v1/jobs/.%2E/leases",
            "/v1/jobs/./x",
            "/v1/jobs/%2e",
        ] {
            assert!(target("http://127.0.0.1:1", &path.parse().unwrap()).is_err(), "{path}");
        }
        let url = target("http://127.0.0.1:1", &"/v1/jobs/a%2F..%2Fb//c?x=/../y".parse().unwrap()).unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:1/v1/jobs/a%2F..%2Fb//c?x=/../y");
    }

    #[test]
    fn trace_contexts_pass_if_they_are_well_formed() {
        let with = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", text.parse().unwrap());
            traceparent(&headers)
        };
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(with(good), good);
        for bad in [
            "",
            "x",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            let made = with(bad);
            assert_ne!(made, bad);
            assert_eq!(with(made.to_str().unwrap()), made);
        }
    }

    #[test]
    fn headers_that_the_connection_names_stay_behind() {
        let mut from = HeaderMap::new();
        from.insert("connection", "close, X-Private".parse().unwrap());
        from.insert("x-private", "1".parse().unwrap());
        from.insert("transfer-encoding", "chunked".parse().unwrap());
        from.append("accept", "a".parse().unwrap());
        from.append("accept", "b".parse().unwrap());
        let headers = end_to_end(&from);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
        assert_eq!(headers.get_all("accept").iter().count(), 2);
    }
}
