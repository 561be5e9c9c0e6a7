//! HTTP with the rules of this crate: who may be connected to, for how long, and what an answer's failure means.
//!
//! Promises: an address that a user gave, and each one that it redirects to, is judged before anything is sent; resolved
//! addresses are judged by the resolver of the very connection, so there is no gap between check and use. No proxy, no
//! cookies, no decompression, no redirect that was not followed here. Every wait has a limit.
//! Failures are [`Fault`]s: the error, and whether the same request may be tried again.

use std::error::Error as StdError;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use http::header::{ACCEPT_ENCODING, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Response, redirect};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::config::FetchConfig;
use crate::disk::DiskCache;
use crate::door::{self, AllowList, Door};
use crate::error::FetchError;
use crate::hosts::Hosts;
use crate::pages::Shelf;
use crate::redact::RedactedUrl;
use crate::retry;
use crate::tls::ensure_provider;

/// How many redirects are followed.
pub const MOST_REDIRECTS: usize = 3;

/// Requests of one process at the same time, over all sources.
const MOST_REQUESTS: usize = 64;

const USER_AGENT: &str = concat!("stream-montages/", env!("CARGO_PKG_VERSION"));

/// Who made an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// A user: every rule applies.
    Guarded,
    /// We did (a signed link to our own store): no address rules, and no redirects either.
    Ours,
}

/// Why a try failed.
#[derive(Debug)]
pub(crate) struct Fault {
    /// What to report, if this was the last try.
    pub error: FetchError,
    /// Whether another try may go better.
    pub again: bool,
    /// How long the server asked to be left alone.
    pub after: Option<Duration>,
}

impl Fault {
    pub(crate) fn last(error: FetchError) -> Self {
        Self { error, again: false, after: None }
    }

    pub(crate) fn again(error: FetchError) -> Self {
        Self { error, again: true, after: None }
    }
}

/// An answer that is no redirect. Holds its place among the requests to its host until it is dropped, so that a body counts too.
pub(crate) struct Answer {
    /// The address that answered.
    pub url: Url,
    pub response: Response,
    _turn: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

/// The clients, one per [`Door`], the limits, and what is kept of sources.
pub(crate) struct Http {
    public: Client,
    opened_nets: Client,
    any: Client,
    pub(crate) config: FetchConfig,
    /// Where pages are kept for later jobs, if they are.
    pub(crate) disk: Option<Arc<DiskCache>>,
    pub(crate) shelf: Shelf,
    requests: Arc<Semaphore>,
    hosts: Hosts,
}

impl Http {
    pub(crate) fn new(config: FetchConfig) -> Result<Self, FetchError> {
        ensure_provider();
        let allow = Arc::new(config.allow.clone());
        let build = |door| {
            Client::builder()
                .user_agent(USER_AGENT)
                .redirect(redirect::Policy::none())
                .no_proxy()
                .no_gzip()
                .no_brotli()
                .no_zstd()
                .no_deflate()
                .referer(false)
                .retry(reqwest::retry::never())
                .connect_timeout(config.connect_timeout)
                .pool_idle_timeout(Duration::from_secs(30))
                .pool_max_idle_per_host(config.parallel)
                .dns_resolver(Filter { door, allow: Arc::clone(&allow) })
                .build()
                .map_err(|error| FetchError::Local {
                    action: "starting the HTTP client".to_owned(),
                    reason: format!(
                        "{}; are root certificates (ca-certificates) installed?",
                        innermost(&error)
                    ),
                })
        };
        Ok(Self {
            public: build(Door::Public)?,
            opened_nets: build(Door::OpenedNets)?,
            any: build(Door::Any)?,
            requests: Arc::new(Semaphore::new(MOST_REQUESTS)),
            hosts: Hosts::new(config.per_host),
            disk: config
                .cache_dir
                .clone()
                .filter(|_| config.cache_bytes > 0)
                .and_then(|dir| DiskCache::open(dir, config.cache_bytes, config.page_bytes).map(Arc::new)),
            shelf: Shelf::default(),
            config,
        })
    }

    /// The client without address rules, for links that we made.
    pub(crate) fn ours(&self) -> &Client {
        &self.any
    }

    /// The client that connects to what a door admits.
    pub(crate) fn client(&self, door: Door) -> &Client {
        match door {
            Door::Public => &self.public,
            Door::OpenedNets => &self.opened_nets,
            Door::Any => &self.any,
        }
    }

    /// Resolves what a user gave and judges it, without connecting.
    pub(crate) async fn check(&self, url: &Url) -> Result<(), FetchError> {
        let door = door::judge(url, &self.config.allow)?;
        let Some(url::Host::Domain(name)) = url.host() else {
            return Ok(());
        };
        let shown = RedactedUrl::new(url).to_string();
        match resolve(door, &self.config.allow, name).await {
            Ok(_) => Ok(()),
            Err(ResolveError::Refused(door)) => Err(not_allowed(&shown, door)),
            Err(ResolveError::Unknown) => Err(unknown_host(&shown)),
        }
    }

    /// Makes a plain connection to the host of an address that a user gave, with every rule of the guard.
    pub(crate) async fn connect(&self, url: &Url) -> Result<TcpStream, FetchError> {
        let door = door::judge(url, &self.config.allow)?;
        let shown = RedactedUrl::new(url).to_string();
        let port = url.port_or_known_default().unwrap_or_default();
        let addresses = match url.host() {
            Some(url::Host::Ipv4(ip)) => vec![IpAddr::V4(ip)],
            Some(url::Host::Ipv6(ip)) => vec![IpAddr::V6(ip)],
            Some(url::Host::Domain(name)) => {
                resolve(door, &self.config.allow, name).await.map_err(|error| match error {
                    ResolveError::Refused(door) => not_allowed(&shown, door),
                    ResolveError::Unknown => unknown_host(&shown),
                })?
            }
            None => Vec::new(),
        };
        for ip in addresses {
            let connecting = TcpStream::connect(SocketAddr::new(ip, port));
            if let Ok(Ok(stream)) = tokio::time::timeout(self.config.connect_timeout, connecting).await {
                return Ok(stream);
            }
        }
        Err(FetchError::Unreachable { source_name: shown, reason: "the connection failed".to_owned() })
    }

    /// Sends one GET and follows its redirects. Waits for the host's turn, then at most the idle limit for each answer's headers.
    pub(crate) async fn get(&self, start: &Url, trust: Trust, headers: &HeaderMap) -> Result<Answer, Fault> {
        self.get_with(start, trust, headers, &HeaderMap::new()).await
    }

    /// [`Http::get`] with headers that are for the start's origin only: from where a redirect leads to another one they are not sent
    /// any more, to the first one neither.
    pub(crate) async fn get_with(
        &self,
        start: &Url,
        trust: Trust,
        headers: &HeaderMap,
        private: &HeaderMap,
    ) -> Result<Answer, Fault> {
        let (mut url, shown) = (start.clone(), RedactedUrl::new(start).to_string());
        let mut all = headers.clone();
        all.extend(private.clone());
        let mut headers_now = &all;
        for hop in 0..=MOST_REDIRECTS {
            let door = match trust {
                Trust::Ours => Door::Any,
                Trust::Guarded => door::judge(&url, &self.config.allow)
                    .map_err(|error| Fault::last(if hop == 0 { error } else { redirected(start, error) }))?,
            };
            if url.origin() != start.origin() {
                headers_now = headers;
            }
            let answer = self.send(door, &url, &shown, headers_now).await.map_err(|fault| match hop {
                0 => fault,
                _ => Fault { error: redirected(start, fault.error), ..fault },
            })?;
            let response = &answer.response;
            if !is_redirect(response.status()) {
                return Ok(answer);
            }
            if trust == Trust::Ours {
                return Err(Fault::last(unusable(start, "a signed link must not redirect")));
            }
            url = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|target| url.join(target).ok())
                .ok_or_else(|| Fault::last(unusable(start, "it redirects without saying where to")))?;
        }
        Err(Fault::last(FetchError::TooManyRedirects { source_name: shown, limit: MOST_REDIRECTS }))
    }

    /// `shown` is the address that errors name: the user's, wherever its redirects led.
    async fn send(&self, door: Door, url: &Url, shown: &str, headers: &HeaderMap) -> Result<Answer, Fault> {
        let host = self.hosts.of(url);
        // The host's turn first: whoever waits for it takes no place from others.
        let turn = match host.turn().await {
            Some(turn) => Arc::clone(&self.requests).acquire_owned().await.ok().map(|permit| (turn, permit)),
            None => None,
        };
        let Some(turn) = turn else {
            return Err(Fault::last(FetchError::Unreachable {
                source_name: shown.to_owned(),
                reason: "shutting down".to_owned(),
            }));
        };
        let request = self.client(door).get(url.clone()).headers(headers.clone());
        let request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        match tokio::time::timeout(self.config.connect_timeout + self.config.idle_timeout, request.send())
            .await
        {
            Ok(Ok(response)) => {
                if matches!(response.status().as_u16(), 429 | 503)
                    && let Some(wish) = asked_pause(&response)
                {
                    host.be_quiet(wish);
                }
                Ok(Answer { url: url.clone(), response, _turn: turn })
            }
            Ok(Err(error)) => Err(transport_fault(shown, &error)),
            Err(_) => Err(Fault::again(FetchError::Timeout {
                source_name: shown.to_owned(),
                reason: "the server accepted the request but did not answer".to_owned(),
            })),
        }
    }

    /// The next piece of a body, or nothing at its end. Waits at most the idle limit.
    pub(crate) async fn next_piece(
        &self,
        shown: &str,
        response: &mut Response,
    ) -> Result<Option<Bytes>, Fault> {
        match tokio::time::timeout(self.config.idle_timeout, response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(transport_fault(shown, &error)),
            Err(_) => Err(Fault::again(FetchError::Timeout {
                source_name: shown.to_owned(),
                reason: "the server stopped in the middle of its answer".to_owned(),
            })),
        }
    }

    /// Waits before the next try, or gives the error back when there is none: the try was the last one, or would be pointless.
    pub(crate) async fn pause_or_fail(&self, fault: Fault, tried: u32) -> Result<(), FetchError> {
        // What ends early is tried once more only: it may be large, and is mostly incomplete at its origin.
        let most =
            if matches!(fault.error, FetchError::EndedEarly { .. }) { 2 } else { self.config.attempts };
        if !fault.again || tried >= most.min(self.config.attempts) {
            return Err(fault.error);
        }
        let pause = retry::pause(self.config.retry_base, tried, fault.after, rand::random::<f64>());
        tracing::debug!(error = %fault.error, tried, pause_ms = pause.as_millis() as u64, "trying again");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Says of a refused redirect target which address of the user's led there, and keeps the target itself out of it.
fn redirected(start: &Url, error: FetchError) -> FetchError {
    let reason = match error {
        FetchError::NotAllowed { reason, .. } => format!("redirects to an address that {reason}"),
        FetchError::InvalidUrl { .. } => "redirects to something that is not a plain web address".to_owned(),
        other => return other,
    };
    FetchError::NotAllowed { address: RedactedUrl::new(start).to_string(), reason }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Turns an answer that is no success into a fault.
pub(crate) fn status_fault(shown: &str, response: &Response) -> Fault {
    let status = response.status().as_u16();
    let source_name = shown.to_owned();
    match status {
        404 | 410 => Fault::last(FetchError::NotFound { source_name }),
        401 | 402 | 403 | 407 | 451 => Fault::last(FetchError::Forbidden { source_name, status }),
        _ if retry::is_transient_status(status) => Fault {
            error: FetchError::Unreachable {
                source_name,
                reason: format!("the server answers with status {status}"),
            },
            again: true,
            after: asked_pause(response),
        },
        _ => Fault::last(FetchError::Unusable {
            source_name,
            reason: format!("the server answers with status {status}"),
        }),
    }
}

fn asked_pause(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    retry::retry_after(value, Utc::now())
}

pub(crate) fn unusable(url: &Url, reason: &str) -> FetchError {
    FetchError::Unusable { source_name: RedactedUrl::new(url).to_string(), reason: reason.to_owned() }
}

fn not_allowed(shown: &str, door: Door) -> FetchError {
    let reason = match door {
        Door::OpenedNets => {
            "uses a port that is connected to in opened networks only, and lies in none of them. \
                             Ask the operator to open it with SM_FETCH_ALLOW"
        }
        Door::Public | Door::Any => {
            "resolves to a private address, which is not connected to. Ask the operator to open it with SM_FETCH_ALLOW"
        }
    };
    FetchError::NotAllowed { address: shown.to_owned(), reason: reason.to_owned() }
}

fn unknown_host(shown: &str) -> FetchError {
    FetchError::Unreachable { source_name: shown.to_owned(), reason: "its host name is not known".to_owned() }
}

/// Sorts what `reqwest` reports. Only fixed words reach the message: its own texts may hold addresses.
pub(crate) fn transport_fault(shown: &str, error: &reqwest::Error) -> Fault {
    let unreachable =
        |reason: &str| FetchError::Unreachable { source_name: shown.to_owned(), reason: reason.to_owned() };
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(link) = cause {
        match link.downcast_ref::<ResolveError>() {
            Some(ResolveError::Refused(door)) => return Fault::last(not_allowed(shown, *door)),
            Some(ResolveError::Unknown) => return Fault::again(unknown_host(shown)),
            None => {}
        }
        if let Some(tls) = link.downcast_ref::<rustls::Error>() {
            let reason = match tls {
                rustls::Error::InvalidCertificate(_) => "its TLS certificate is not valid",
                _ => "the TLS connection failed",
            };
            return Fault::again(unreachable(reason));
        }
        if let Some(io) = link.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::UnexpectedEof if error.is_body() || error.is_decode() => {
                    // The reader knows how much came and fills the numbers in.
                    return Fault::again(FetchError::EndedEarly {
                        source_name: shown.to_owned(),
                        expected: 0,
                        got: 0,
                    });
                }
                std::io::ErrorKind::ConnectionRefused => {
                    return Fault::again(unreachable("the connection was refused"));
                }
                std::io::ErrorKind::TimedOut => {
                    return Fault::again(FetchError::Timeout {
                        source_name: shown.to_owned(),
                        reason: "the connection could not be made in time".to_owned(),
                    });
                }
                _ => {}
            }
            // An I/O error may wrap another one (TLS does), which `source` of it skips.
            if let Some(inner) = io.get_ref() {
                cause = Some(inner);
                continue;
            }
        }
        cause = link.source();
    }
    if error.is_timeout() {
        return Fault::again(FetchError::Timeout {
            source_name: shown.to_owned(),
            reason: "the connection could not be made in time".to_owned(),
        });
    }
    Fault::again(unreachable(if error.is_connect() {
        "the connection failed"
    } else {
        "the connection broke"
    }))
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut link = error;
    while let Some(next) = link.source() {
        link = next;
    }
    link.to_string()
}

/// Why a name led to no address.
#[derive(Debug, Clone, Copy)]
enum ResolveError {
    /// It has addresses, but none that this door admits.
    Refused(Door),
    /// It has none.
    Unknown,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Refused(_) => "no address that may be connected to",
            Self::Unknown => "host name not known",
        })
    }
}

impl StdError for ResolveError {}

async fn resolve(door: Door, allow: &AllowList, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let resolved: Vec<IpAddr> = tokio::net::lookup_host((name, 0))
        .await
        .map_err(|_| ResolveError::Unknown)?
        .map(|address| address.ip())
        .collect();
    if resolved.is_empty() {
        return Err(ResolveError::Unknown);
    }
    let admitted = door::admitted(door, allow, resolved.into_iter());
    if admitted.is_empty() { Err(ResolveError::Refused(door)) } else { Ok(admitted) }
}

/// The resolver of one client: what it answers is what is connected to.
struct Filter {
    door: Door,
    allow: Arc<AllowList>,
}

impl Resolve for Filter {
    fn resolve(&self, name: Name) -> Resolving {
        let (door, allow) = (self.door, Arc::clone(&self.allow));
        Box::pin(async move {
            let admitted = resolve(door, &allow, name.as_str()).await?;
            // Port 0 stands for the one of the address that is being fetched.
            let addresses: Addrs = Box::new(admitted.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}
