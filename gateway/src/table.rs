//! The routing table: every route that leads to a service, in one place, as data.
//!
//! A route that is not in it does not exist for the outside, whatever the services may answer among themselves.

use axum::http::Method;
use contracts::key::Scope;

use crate::config::{Config, Patience};

/// Where a route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// jobs-repo
    Jobs,
    /// montages-repo
    Montages,
    /// scheduler
    Scheduler,
}

impl Upstream {
    /// Its name, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jobs => "jobs-repo",
            Self::Montages => "montages-repo",
            Self::Scheduler => "scheduler",
        }
    }

    /// Its address.
    #[must_use]
    pub fn address(self, config: &Config) -> &str {
        match self {
            Self::Jobs => &config.jobs_url,
            Self::Montages => &config.montages_url,
            Self::Scheduler => &config.scheduler_url,
        }
    }
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Whoever has one of these scopes.
    Scopes(&'static [Scope]),
    /// Whoever has a signed link: the service checks it.
    SignedLink,
}

/// How large a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Any body is refused.
    None,
    /// At most so many bytes.
    Most(u64),
    /// `SM_UPLOAD_MAX_BYTES`.
    Upload,
    /// As the signed link says, which the service checks.
    AsSigned,
}

impl Body {
    /// The limit in bytes; `None` where there is none.
    #[must_use]
    pub fn limit(self, config: &Config) -> Option<u64> {
        match self {
            Self::None => Some(0),
            Self::Most(bytes) => Some(bytes),
            Self::Upload => Some(config.upload_limit),
            Self::AsSigned => None,
        }
    }
}

/// Which wait applies until the answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// [`Patience::short`]
    Short,
    /// [`Patience::long`]
    Long,
}

impl Wait {
    /// How long it is.
    #[must_use]
    pub fn of(self, patience: Patience) -> std::time::Duration {
        match self {
            Self::Short => patience.short,
            Self::Long => patience.long,
        }
    }
}

/// What applies to one method of a route.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The method. `GET` stands for `HEAD` too.
    pub method: &'static str,
    /// Who may use it.
    pub need: Need,
    /// How large a body may be.
    pub body: Body,
    /// How long the answer may take to begin.
    pub wait: Wait,
}

/// One route.
#[derive(Debug)]
pub struct Route {
    /// Path in the form of axum: `{id}` is one segment, `{*rest}` all that follow.
    pub pattern: &'static str,
    /// Where it leads.
    pub upstream: Upstream,
    /// Its methods.
    pub rules: &'static [Rule],
}

const READ: Need = Need::Scopes(&[Scope::Read, Scope::Admin]);
const WRITE: Need = Need::Scopes(&[Scope::Write, Scope::Admin]);
const ADMIN: Need = Need::Scopes(&[Scope::Admin]);
const EXECUTOR: Need = Need::Scopes(&[Scope::Executor]);
const READ_OR_WRITE: Need = Need::Scopes(&[Scope::Read, Scope::Write, Scope::Admin]);
const READ_OR_EXECUTOR: Need = Need::Scopes(&[Scope::Read, Scope::Admin, Scope::Executor]);

/// What every service takes of JSON.
const JSON: Body = Body::Most(2 << 20);
/// Plans, and what parts of a montage came to.
const PLAN: Body = Body::Most(8 << 20);
/// Transcripts of hours with every word timed.
const RESULT: Body = Body::Most(64 << 20);

const fn rule(method: &'static str, need: Need, body: Body, wait: Wait) -> Rule {
    Rule { method, need, body, wait }
}

const GET: Rule = rule("GET", READ, Body::None, Wait::Short);
const POST: Rule = rule("POST", WRITE, JSON, Wait::Short);
const PATCH: Rule = rule("PATCH", WRITE, JSON, Wait::Short);
const DELETE: Rule = rule("DELETE", WRITE, Body::None, Wait::Short);
const GET_ADMIN: Rule = rule("GET", ADMIN, Body::None, Wait::Short);
const POST_ADMIN: Rule = rule("POST", ADMIN, JSON, Wait::Short);
const PATCH_ADMIN: Rule = rule("PATCH", ADMIN, JSON, Wait::Short);
const DELETE_ADMIN: Rule = rule("DELETE", ADMIN, Body::None, Wait::Short);
/// Reads in the name of somebody who may write: the gateway fetches what that person names.
const GET_WRITE: Rule = rule("GET", WRITE, Body::None, Wait::Short);
const GET_EXECUTOR: Rule = rule("GET", EXECUTOR, Body::None, Wait::Short);
const POST_EXECUTOR: Rule = rule("POST", EXECUTOR, JSON, Wait::Short);
const POST_PLAN: Rule = rule("POST", EXECUTOR, PLAN, Wait::Short);
const POST_RESULT: Rule = rule("POST", EXECUTOR, RESULT, Wait::Short);

/// All routes that lead to services.
pub const ROUTES: &[Route] = &[
    Route { pattern: "/v1/jobs", upstream: Upstream::Jobs, rules: &[GET, POST] },
    Route { pattern: "/v1/jobs/{id}", upstream: Upstream::Jobs, rules: &[GET, PATCH] },
    Route { pattern: "/v1/jobs/{id}/cancel", upstream: Upstream::Jobs, rules: &[POST] },
    Route { pattern: "/v1/jobs/{id}/retry", upstream: Upstream::Jobs, rules: &[POST] },
    Route { pattern: "/v1/jobs/{id}/events", upstream: Upstream::Jobs, rules: &[GET] },
    // Kept by the library, like the montage that takes its place.
    Route { pattern: "/v1/jobs/{id}/preview.m3u8", upstream: Upstream::Montages, rules: &[GET] },
    Route { pattern: "/v1/jobs/{id}/preview/{name}", upstream: Upstream::Montages, rules: &[GET] },
    Route { pattern: "/v1/events", upstream: Upstream::Jobs, rules: &[GET] },
    Route { pattern: "/v1/stats", upstream: Upstream::Jobs, rules: &[GET] },
    Route { pattern: "/v1/executors", upstream: Upstream::Jobs, rules: &[GET] },
    Route { pattern: "/v1/plans", upstream: Upstream::Jobs, rules: &[POST] },
    Route { pattern: "/v1/plans/{id}", upstream: Upstream::Jobs, rules: &[GET] },
    // Their addresses may hold tokens, and what they are told leaves the house.
    Route { pattern: "/v1/webhooks", upstream: Upstream::Jobs, rules: &[GET_ADMIN, POST_ADMIN] },
    Route {
        pattern: "/v1/webhooks/{id}",
        upstream: Upstream::Jobs,
        rules: &[GET_ADMIN, PATCH_ADMIN, DELETE_ADMIN],
    },
    Route { pattern: "/v1/webhooks/{id}/rotate", upstream: Upstream::Jobs, rules: &[POST_ADMIN] },
    Route { pattern: "/v1/webhooks/{id}/test", upstream: Upstream::Jobs, rules: &[POST_ADMIN] },
    Route { pattern: "/v1/webhooks/{id}/deliveries", upstream: Upstream::Jobs, rules: &[GET_ADMIN] },
    Route {
        pattern: "/v1/webhooks/{id}/deliveries/{delivery}/retry",
        upstream: Upstream::Jobs,
        rules: &[POST_ADMIN],
    },
    Route { pattern: "/v1/probes", upstream: Upstream::Jobs, rules: &[POST] },
    Route { pattern: "/v1/probes/{id}", upstream: Upstream::Jobs, rules: &[GET_WRITE] },
    // The library reads sources for people; what a probe is of, it asks jobs-repo.
    Route { pattern: "/v1/probes/{id}/media", upstream: Upstream::Montages, rules: &[GET_WRITE] },
    Route { pattern: "/v1/leases", upstream: Upstream::Jobs, rules: &[POST_EXECUTOR] },
    Route { pattern: "/v1/leases/heartbeat", upstream: Upstream::Jobs, rules: &[POST_EXECUTOR] },
    Route { pattern: "/v1/leases/{job}/complete", upstream: Upstream::Jobs, rules: &[POST_PLAN] },
    Route { pattern: "/v1/leases/{job}/fail", upstream: Upstream::Jobs, rules: &[POST_EXECUTOR] },
    Route { pattern: "/v1/leases/{job}/release", upstream: Upstream::Jobs, rules: &[POST_EXECUTOR] },
    Route { pattern: "/v1/leases/{job}/check", upstream: Upstream::Jobs, rules: &[POST_EXECUTOR] },
    Route { pattern: "/v1/leases/{job}/parts", upstream: Upstream::Jobs, rules: &[POST_PLAN] },
    Route { pattern: "/v1/leases/{job}/parts/states", upstream: Upstream::Jobs, rules: &[POST_EXECUTOR] },
    Route { pattern: "/v1/grants", upstream: Upstream::Montages, rules: &[POST_EXECUTOR] },
    Route { pattern: "/v1/segments", upstream: Upstream::Montages, rules: &[POST_EXECUTOR] },
    Route { pattern: "/v1/previews", upstream: Upstream::Montages, rules: &[POST_EXECUTOR] },
    Route { pattern: "/v1/results", upstream: Upstream::Montages, rules: &[POST_RESULT] },
    Route { pattern: "/v1/results/transcript", upstream: Upstream::Montages, rules: &[POST_RESULT] },
    Route { pattern: "/v1/results/{job}", upstream: Upstream::Montages, rules: &[GET_EXECUTOR] },
    Route {
        pattern: "/v1/objects/{*key}",
        upstream: Upstream::Montages,
        rules: &[
            rule("GET", Need::SignedLink, Body::None, Wait::Short),
            rule("PUT", Need::SignedLink, Body::AsSigned, Wait::Long),
        ],
    },
    Route { pattern: "/v1/montages", upstream: Upstream::Montages, rules: &[GET] },
    Route { pattern: "/v1/montages/facets", upstream: Upstream::Montages, rules: &[GET] },
    Route {
        pattern: "/v1/montages/{id}",
        upstream: Upstream::Montages,
        // Executors read what a montage is before they transcribe it again.
        rules: &[rule("GET", READ_OR_EXECUTOR, Body::None, Wait::Short), PATCH, DELETE],
    },
    Route { pattern: "/v1/montages/{id}/transcribe", upstream: Upstream::Montages, rules: &[POST] },
    Route { pattern: "/v1/montages/{id}/restore", upstream: Upstream::Montages, rules: &[POST] },
    // Media, pictures, captions, provenance.
    Route { pattern: "/v1/montages/{id}/{part}", upstream: Upstream::Montages, rules: &[GET] },
    Route { pattern: "/v1/search", upstream: Upstream::Montages, rules: &[GET] },
    Route {
        pattern: "/v1/uploads",
        upstream: Upstream::Montages,
        rules: &[
            GET,
            rule("POST", WRITE, Body::Upload, Wait::Long),
            // Says what is spoken of tus. Other origins are admitted nowhere: no answer has a header of CORS.
            rule("OPTIONS", WRITE, Body::None, Wait::Short),
        ],
    },
    Route {
        pattern: "/v1/uploads/{id}",
        upstream: Upstream::Montages,
        // Who sends a file asks how far it is, too.
        rules: &[
            rule("GET", READ_OR_WRITE, Body::None, Wait::Short),
            rule("PATCH", WRITE, Body::Upload, Wait::Long),
            DELETE,
        ],
    },
    Route { pattern: "/v1/uploads/{id}/media", upstream: Upstream::Montages, rules: &[GET] },
    Route { pattern: "/v1/schedules", upstream: Upstream::Scheduler, rules: &[GET, POST] },
    Route {
        pattern: "/v1/schedules/preview",
        upstream: Upstream::Scheduler,
        // It only answers what would be: whoever reads schedules may ask.
        rules: &[rule("POST", READ, JSON, Wait::Short)],
    },
    // It fetches what is named, so that it is for those who may write.
    Route { pattern: "/v1/schedules/try", upstream: Upstream::Scheduler, rules: &[POST] },
    Route { pattern: "/v1/schedules/{id}", upstream: Upstream::Scheduler, rules: &[GET, PATCH, DELETE] },
    Route { pattern: "/v1/schedules/{id}/run", upstream: Upstream::Scheduler, rules: &[POST] },
    Route { pattern: "/v1/schedules/{id}/pause", upstream: Upstream::Scheduler, rules: &[POST] },
    Route { pattern: "/v1/schedules/{id}/resume", upstream: Upstream::Scheduler, rules: &[POST] },
    Route { pattern: "/v1/schedules/{id}/runs", upstream: Upstream::Scheduler, rules: &[GET] },
    Route { pattern: "/v1/schedules/{id}/runs/{run}", upstream: Upstream::Scheduler, rules: &[GET] },
];

impl Route {
    /// What applies to a method; `None` if the route does not know it.
    #[must_use]
    pub fn rule(&self, method: &Method) -> Option<&Rule> {
        let name = if method == Method::HEAD { "GET" } else { method.as_str() };
        self.rules.iter().find(|rule| rule.method == name)
    }

    /// The value of `Allow`.
    #[must_use]
    pub fn allow(&self) -> String {
        let names =
            self.rules.iter().map(|rule| if rule.method == "GET" { "GET, HEAD" } else { rule.method });
        names.collect::<Vec<_>>().join(", ")
    }

    /// Whether a path, which may itself be a pattern of the API document, is this route's.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let mut parts = path.split('/');
        for own in self.pattern.split('/') {
            match parts.next() {
                Some(part) if own.starts_with("{*") => return !part.is_empty(),
                Some(part) if own.starts_with('{') && !part.is_empty() => {}
                Some(part) if own == part => {}
                _ => return false,
            }
        }
        parts.next().is_none()
    }
}

/// The route of a path: the most exact one that matches, as the router chooses it.
#[must_use]
pub fn find(path: &str) -> Option<&'static Route> {
    ROUTES.iter().filter(|route| route.matches(path)).min_by_key(|route| route.pattern.matches('{').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signed_links_need_no_key_and_executors_and_admins_keep_their_own() {
        for route in ROUTES {
            for rule in route.rules {
                let signed = route.pattern.starts_with("/v1/objects/");
                assert_eq!(rule.need == Need::SignedLink, signed, "{} {}", rule.method, route.pattern);
                let executors = ["/v1/leases", "/v1/grants", "/v1/segments", "/v1/previews", "/v1/results"]
                    .iter()
                    .any(|start| route.pattern.starts_with(start));
                assert_eq!(rule.need == EXECUTOR, executors, "{} {}", rule.method, route.pattern);
                let admins = route.pattern.starts_with("/v1/webhooks");
                assert_eq!(rule.need == ADMIN, admins, "{} {}", rule.method, route.pattern);
                // What is read through a probe is fetched for whoever reads it, wherever it is.
                let probes = route.pattern.starts_with("/v1/probes");
                let reads = matches!(rule.need, READ | READ_OR_WRITE | READ_OR_EXECUTOR);
                let asks = route.pattern == "/v1/schedules/preview";
                assert_eq!(
                    reads,
                    (rule.method == "GET" || asks) && !signed && !executors && !admins && !probes,
                    "{} {}",
                    rule.method,
                    route.pattern
                );
            }
        }
    }

    #[test]
    fn paths_find_their_route() {
        for (path, pattern) in [
            ("/v1/jobs", Some("/v1/jobs")),
            ("/v1/jobs/{id}", Some("/v1/jobs/{id}")),
            ("/v1/jobs/1/cancel", Some("/v1/jobs/{id}/cancel")),
            ("/v1/jobs/1/events", Some("/v1/jobs/{id}/events")),
            ("/v1/jobs/1/nothing", None),
            ("/v1/jobs/1/preview.m3u8", Some("/v1/jobs/{id}/preview.m3u8")),
            ("/v1/jobs/1/preview/0.m4s", Some("/v1/jobs/{id}/preview/{name}")),
            ("/v1/jobs/1/preview/0/1", None),
            ("/v1/montages/facets", Some("/v1/montages/facets")),
            ("/v1/montages/1/media.m3u8", Some("/v1/montages/{id}/{part}")),
            ("/v1/montages/1/transcribe", Some("/v1/montages/{id}/transcribe")),
            ("/v1/montages/1/restore", Some("/v1/montages/{id}/restore")),
            ("/v1/montages/1/media.mp4", Some("/v1/montages/{id}/{part}")),
            ("/v1/montages/1/media", Some("/v1/montages/{id}/{part}")),
            ("/v1/results/transcript", Some("/v1/results/transcript")),
            ("/v1/results/{job_id}", Some("/v1/results/{job}")),
            ("/v1/leases/{job}/complete", Some("/v1/leases/{job}/complete")),
            ("/v1/leases/heartbeat", Some("/v1/leases/heartbeat")),
            ("/v1/leases/1/parts/states", Some("/v1/leases/{job}/parts/states")),
            ("/v1/leases/1/nothing", None),
            ("/v1/plans/1", Some("/v1/plans/{id}")),
            ("/v1/webhooks/1/deliveries/2/retry", Some("/v1/webhooks/{id}/deliveries/{delivery}/retry")),
            ("/v1/schedules/preview", Some("/v1/schedules/preview")),
            ("/v1/schedules/try", Some("/v1/schedules/try")),
            ("/v1/schedules/1", Some("/v1/schedules/{id}")),
            ("/v1/probes/1", Some("/v1/probes/{id}")),
            ("/v1/probes/1/media", Some("/v1/probes/{id}/media")),
            ("/v1/probes/1/poster", None),
            ("/v1/jobs/", None),
            ("/v1/jobsx", None),
            ("/v2/jobs", None),
            ("/v1", None),
        ] {
            assert_eq!(find(path).map(|route| route.pattern), pattern, "{path}");
        }
    }
}
