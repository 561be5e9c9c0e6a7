//! Who is calling, and whether they may: open mode on a loopback address, or keys.
//!
//! Promises: a key is compared in constant time and never logged; a request that a foreign web page makes a browser send is
//! refused, in open mode by its `Host`, `Origin` and `Sec-Fetch-Site`, with a session cookie by the last two; a revoked key
//! stops working at once on the gateway that revoked it and within [`crate::keys::CACHED`] on the others.

use std::{net::SocketAddr, time::Instant};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, Method, header, request::Parts},
};
use contracts::{key::Scope, problem::ProblemCode};
use secrecy::{ExposeSecret, SecretString};
use service_kit::problem::{ApiError, ApiResult};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    config::{AuthMode, Config},
    keys::{KeyStore, SecretKey},
    session::Sessions,
    throttle::Throttle,
};

/// What an admitted caller is called in open mode.
pub const OPEN: &str = "open";
/// The holder of `SM_ADMIN_TOKEN`.
pub const ADMIN: &str = "admin";
/// The holder of `SM_EXECUTOR_TOKEN`.
pub const EXECUTOR: &str = "executor";

/// What decides over a request, taken from its head.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The method.
    pub method: Method,
    /// The headers.
    pub headers: HeaderMap,
    /// Where it comes from.
    pub address: SocketAddr,
    /// The host that the client believes to talk to, with its port.
    pub host: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let ConnectInfo(address) = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .copied()
            .ok_or_else(|| ApiError::internal(anyhow::anyhow!("the server does not tell addresses")))?;
        let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
        let host =
            host.or_else(|| parts.uri.authority().map(|authority| authority.as_str())).map(str::to_owned);
        Ok(Self { method: parts.method.clone(), headers: parts.headers.clone(), address, host })
    }
}

impl Visitor {
    /// Whether the request may change anything.
    #[must_use]
    pub fn is_unsafe(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// The key that is shown in `Authorization`.
    fn bearer(&self) -> Option<SecretString> {
        let value = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| SecretString::from(token.trim()))
    }

    /// Where the web page that sends the request comes from, as scheme and authority: `None` if no `Origin` is sent.
    fn origin(&self) -> Option<(&str, &str)> {
        let value = self.headers.get(header::ORIGIN)?;
        // What cannot be read (`null`, bytes that are no text) matches no host.
        Some(value.to_str().ok().and_then(|text| text.split_once("://")).unwrap_or_default())
    }

    /// Whether a page of this gateway sends the request, which people reach by https where that is said.
    fn is_same_origin(&self, by_https: bool) -> bool {
        let (Some((scheme, authority)), Some(host)) = (self.origin(), &self.host) else { return false };
        authority.eq_ignore_ascii_case(host) && (!by_https || scheme.eq_ignore_ascii_case("https"))
    }

    /// Whether the browser says that the request comes from elsewhere (Fetch Metadata): neither from a page of this origin nor from
    /// the person. Browsers say it to https and to loopback addresses; that it is not said means nothing.
    fn is_from_elsewhere(&self) -> bool {
        let mut said = self.headers.get_all("sec-fetch-site").iter();
        said.any(|value| value != "same-origin" && value != "none")
    }
}

/// Somebody who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The id of the key, or [`OPEN`], [`ADMIN`], [`EXECUTOR`].
    pub name: String,
    /// What the key allows.
    pub scopes: Vec<Scope>,
}

/// Decides who is let in.
#[derive(Debug)]
pub struct Door {
    mode: AuthMode,
    fixed: Vec<FixedKey>,
    /// The keys in the database.
    pub keys: KeyStore,
    /// Browser sessions.
    pub sessions: Sessions,
    throttle: Throttle,
}

/// A key out of the configuration.
#[derive(Debug)]
struct FixedKey {
    name: &'static str,
    scope: Scope,
    hash: [u8; 32],
}

/// The scopes that a scope stands for.
fn widen(scopes: &[Scope]) -> Vec<Scope> {
    let mut all = scopes.to_vec();
    if all.contains(&Scope::Admin) {
        all.extend([Scope::Read, Scope::Write]);
    }
    all.sort_unstable();
    all.dedup();
    all
}

impl Door {
    /// The door of a gateway.
    #[must_use]
    pub fn new(config: &Config, keys: KeyStore) -> Self {
        let fixed =
            [(ADMIN, Scope::Admin, &config.admin_token), (EXECUTOR, Scope::Executor, &config.executor_token)];
        let fixed = fixed.into_iter().filter_map(|(name, scope, token)| {
            let hash = Sha256::digest(token.as_ref()?.expose_secret()).into();
            Some(FixedKey { name, scope, hash })
        });
        Self {
            mode: config.auth,
            fixed: fixed.collect(),
            keys,
            sessions: Sessions::new(config.internal_token.as_ref(), config.secure_cookies),
            throttle: Throttle::default(),
        }
    }

    /// How it decides.
    #[must_use]
    pub fn mode(&self) -> AuthMode {
        self.mode
    }

    /// Refuses, in open mode, what a foreign web page makes a browser of this machine send: by DNS rebinding (the `Host` is
    /// the page's) or across origins (the `Origin` is the page's, or the browser says so).
    ///
    /// # Errors
    /// `forbidden`.
    pub fn check_open(&self, visitor: &Visitor) -> ApiResult<()> {
        if self.mode != AuthMode::Open {
            return Ok(());
        }
        if !visitor.host.as_deref().is_some_and(is_loopback_host) {
            return Err(forbidden(
                "Without keys this gateway answers to its loopback names only: call it by localhost or 127.0.0.1.",
            ));
        }
        let is_foreign = visitor.origin().is_some() && !visitor.is_same_origin(false);
        if visitor.is_unsafe() && (is_foreign || visitor.is_from_elsewhere()) {
            return Err(forbidden("A web page of another origin may not change anything here."));
        }
        Ok(())
    }

    /// Refuses what would change something in the name of a session and does not come from our own pages: a cookie goes along by
    /// itself, whoever makes the browser send the request. `SameSite` is the first wall; this one stands by itself.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn check_session(&self, visitor: &Visitor) -> ApiResult<()> {
        let is_shown = self.mode == AuthMode::Keys && self.sessions.read(&visitor.headers).is_some();
        let is_ours = visitor.is_same_origin(self.sessions.is_secure()) && !visitor.is_from_elsewhere();
        if is_shown && visitor.is_unsafe() && !is_ours {
            return Err(forbidden(
                "A session may change something from the gateway's own pages only; send a key instead.",
            ));
        }
        Ok(())
    }

    /// Lets in whoever has one of the scopes.
    ///
    /// # Errors
    /// `unauthorized` without a valid key, `forbidden` without the scope, `rate_limited` after too many wrong keys.
    pub async fn admit(&self, visitor: &Visitor, scopes: &[Scope]) -> ApiResult<Identity> {
        let identity = self.identify(visitor).await?.ok_or_else(|| {
            ApiError::new(
                ProblemCode::Unauthorized,
                "Send Authorization: Bearer KEY. An operator makes keys with POST /v1/keys.",
            )
        })?;
        if identity.scopes.iter().any(|scope| scopes.contains(scope)) {
            return Ok(identity);
        }
        let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        Err(forbidden(format!("This needs a key with the scope {}.", names.join(" or "))))
    }

    /// Who it is; `None` if nothing is shown.
    ///
    /// # Errors
    /// `unauthorized` for a wrong key, `rate_limited` after too many of them.
    pub async fn identify(&self, visitor: &Visitor) -> ApiResult<Option<Identity>> {
        if self.mode == AuthMode::Open {
            let scopes = vec![Scope::Read, Scope::Write, Scope::Admin, Scope::Executor];
            return Ok(Some(Identity { name: OPEN.to_owned(), scopes }));
        }
        if let Some(shown) = visitor.bearer() {
            return self.by_key(visitor, &shown).await.map(Some);
        }
        let Some(session) = self.sessions.read(&visitor.headers) else { return Ok(None) };
        self.check_session(visitor)?;
        let holder = self.holder(&session.name).await?;
        Ok(holder.filter(|(_, hash)| self.sessions.verify(&session, hash)).map(|(identity, _)| identity))
    }

    /// The key's holder and the hash of its secret, by name.
    async fn holder(&self, name: &str) -> ApiResult<Option<(Identity, [u8; 32])>> {
        if let Some(fixed) = self.fixed.iter().find(|fixed| fixed.name == name) {
            return Ok(Some((fixed.identity(), fixed.hash)));
        }
        let Ok(id) = name.parse() else { return Ok(None) };
        let record = self.keys.find(id).await?;
        Ok(record
            .map(|record| (Identity { name: id.to_string(), scopes: widen(&record.scopes) }, record.hash)))
    }

    async fn by_key(&self, visitor: &Visitor, shown: &SecretString) -> ApiResult<Identity> {
        let hash: [u8; 32] = Sha256::digest(shown.expose_secret()).into();
        // All are compared, so that the time does not tell which one is near.
        let mut found = None;
        for fixed in &self.fixed {
            if bool::from(fixed.hash.ct_eq(&hash)) {
                found = Some(fixed.identity());
            }
        }
        if let Some(identity) = found {
            return Ok(identity);
        }
        let (ip, now) = (visitor.address.ip(), Instant::now());
        let parsed = SecretKey::parse(shown);
        // An address that has to wait may still use a key that was good a moment ago, so that one bad client does not
        // lock out the others behind the same address.
        if let Some(seconds) = self.throttle.wait(ip, now)
            && !parsed.as_ref().is_some_and(|key| self.keys.is_cached(key.id))
        {
            let error =
                ApiError::new(ProblemCode::RateLimited, "Too many wrong keys came from this address.");
            return Err(ApiError { retry_after: Some(seconds), ..error });
        }
        if let Some(key) = parsed
            && let Some(record) = self.keys.find(key.id).await?
            && bool::from(record.hash.ct_eq(&key.hash()))
        {
            self.keys.note_use(key.id, &record).await?;
            return Ok(Identity { name: key.id.to_string(), scopes: widen(&record.scopes) });
        }
        self.throttle.failed(ip, now);
        metrics::counter!("gateway_wrong_keys").increment(1);
        Err(ApiError::new(ProblemCode::Unauthorized, "This key is not known, or it was revoked."))
    }

    /// The cookie of a new session for whoever shows a key.
    ///
    /// # Errors
    /// `unauthorized` without a valid key.
    pub async fn sign_in(&self, visitor: &Visitor, now: u64) -> ApiResult<(Identity, String)> {
        let shown = visitor.bearer().ok_or_else(|| {
            ApiError::new(ProblemCode::Unauthorized, "Send the key as Authorization: Bearer KEY.")
        })?;
        let identity = self.by_key(visitor, &shown).await?;
        let holder = self.holder(&identity.name).await?;
        let (identity, hash) = holder.ok_or_else(|| {
            ApiError::new(ProblemCode::Unauthorized, "This key is not known, or it was revoked.")
        })?;
        let cookie = self.sessions.cookie(&identity.name, &hash, now);
        Ok((identity, cookie))
    }
}

impl FixedKey {
    fn identity(&self) -> Identity {
        Identity { name: self.name.to_owned(), scopes: widen(&[self.scope]) }
    }
}

fn forbidden(detail: impl Into<String>) -> ApiError {
    ApiError::new(ProblemCode::Forbidden, detail)
}

/// Whether a `Host` names this machine itself.
fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_ours() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.8.8.8:1",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example:8080",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "[::2]:80",
            "0.0.0.0",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }

    #[test]
    fn admin_includes_reading_and_writing_but_not_executing() {
        assert_eq!(widen(&[Scope::Admin]), [Scope::Read, Scope::Write, Scope::Admin]);
        assert_eq!(widen(&[Scope::Executor]), [Scope::Executor]);
    }
}
