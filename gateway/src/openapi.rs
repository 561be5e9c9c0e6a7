//! The API document: each service describes its routes, and here they become one document, with what the gateway adds: who
//! may call what, and by which key.

use axum::http::Method;
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder, SecurityRequirement,
    Server,
    path::{Operation, PathItem},
    security::{Http, HttpAuthScheme, SecurityScheme},
    tag::TagBuilder,
};

use crate::table::{self, Need};

/// The name of the security scheme.
const BEARER: &str = "key";

const TAGS: &[(&str, &str)] = &[
    ("jobs", "Ask for montages and transcripts, and follow them."),
    ("plans", "What a montage would take, before anybody makes it."),
    ("probes", "What is in a source, before anybody cuts from it."),
    ("montages", "The library: list, search, play, change."),
    ("uploads", "Files to cut from."),
    ("schedules", "Jobs that are made unattended."),
    ("webhooks", "Who is told when jobs end."),
    ("keys", "Who may do what."),
    ("leases", "For executors only: the right to work on a job."),
    ("executors", "For executors only: signed links and results."),
    ("objects", "Media by signed link; no key is needed."),
];

/// The gateway's own routes.
#[must_use]
pub fn openapi() -> OpenApi {
    crate::own_api().into_openapi()
}

/// Makes one document of those of the services: the first that describes a path or schema wins.
#[must_use]
pub fn merge_openapi(parts: Vec<OpenApi>) -> OpenApi {
    let mut document = OpenApi::default();
    for part in parts {
        document.merge(part);
    }
    document.info = InfoBuilder::new()
        .title("Stream Montages")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Turns lists of moments into finished, captioned videos. Errors are RFC 9457 problems with a stable `code`; every code has \
             a page under /docs/errors. Lists have opaque cursors. Times on media are accepted as seconds, `25s`, `M:SS`, `H:MM:SS.mmm` \
             and frames (`1234f`).",
        ))
        .build();
    document.servers = Some(vec![Server::new("/")]);
    document.tags = Some(
        TAGS.iter()
            .map(|(name, description)| TagBuilder::new().name(*name).description(Some(*description)).build())
            .collect(),
    );
    let mut scheme = Http::new(HttpAuthScheme::Bearer);
    scheme.description =
        Some("An API key. Not needed where the gateway runs open on a loopback address.".to_owned());
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            operation.security = Some(requirement(path, &method));
            operation.responses.responses.entry("default".to_owned()).or_insert_with(any_problem);
        }
    }
    document
}

/// What every operation may answer besides what it names itself: no key, a mistake in the form, a service that is down.
fn any_problem() -> RefOr<utoipa::openapi::Response> {
    ResponseBuilder::new()
        .description("Any other problem; `code` names it")
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
        )
        .build()
        .into()
}

/// Who may call an operation: one entry for each scope that suffices, none where no key is needed.
fn requirement(path: &str, method: &Method) -> Vec<SecurityRequirement> {
    let key = |scope: &str| SecurityRequirement::new(BEARER, [scope]);
    if let Some(rule) = table::find(path).and_then(|route| route.rule(method)) {
        return match rule.need {
            Need::Scopes(scopes) => scopes.iter().map(|scope| key(scope.as_str())).collect(),
            Need::SignedLink => Vec::new(),
        };
    }
    if path.starts_with("/v1/keys") { vec![key("admin")] } else { Vec::new() }
}

/// The operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, item.get.as_mut()),
        (Method::HEAD, item.head.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
        (Method::OPTIONS, item.options.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.map(|operation| (method, operation)))
}

/// Operations of a document that no route of the gateway leads to, as `METHOD path`.
#[must_use]
pub fn unreachable(document: &OpenApi) -> Vec<String> {
    let own = openapi();
    let mut missing = Vec::new();
    for (path, item) in document.paths.paths.clone() {
        let mut item = item;
        for (method, _) in operations(&mut item) {
            let is_routed = table::find(&path).is_some_and(|route| route.rule(&method).is_some());
            if !is_routed && !own.paths.paths.contains_key(&path) {
                missing.push(format!("{method} {path}"));
            }
        }
    }
    missing
}
