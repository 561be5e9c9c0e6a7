//! The API document: each service describes its routes, and here they become one document, with what the gateway adds: who
//! may call what, by which key, and examples.

use std::collections::HashMap;

use axum::http::Method;
use contracts::key::Scope;
use serde_json::{Value, json};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder, SecurityRequirement,
    Server,
    extensions::Extensions,
    path::{Operation, PathItem},
    security::{Http, HttpAuthScheme, SecurityScheme},
    tag::TagBuilder,
};

use crate::{
    examples::{self, Chapter, KeyName, variable},
    table::{self, Need},
};

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
///
/// # Errors
/// When the examples cannot be read.
pub fn merge_openapi(parts: Vec<OpenApi>) -> anyhow::Result<OpenApi> {
    let chapters = examples::chapters()?;
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
    add_examples(&mut document, &chapters);
    Ok(document)
}

/// Gives each operation its examples as `x-codeSamples`, which other readers of such documents show too.
fn add_examples(document: &mut OpenApi, chapters: &[Chapter]) {
    let mut samples: HashMap<String, Vec<Value>> = HashMap::new();
    for (operation, title, source) in commands(document, chapters) {
        let sample = json!({ "lang": "Shell", "label": title, "source": source });
        samples.entry(operation).or_default().push(sample);
    }
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            let own = operation.operation_id.as_ref().and_then(|name| samples.remove(name));
            if let Some(own) = own {
                let extensions = operation.extensions.get_or_insert_with(Extensions::default);
                extensions.insert("x-codeSamples".to_owned(), Value::Array(own));
            }
        }
    }
}

/// The examples of a document's operations, in their order: operation, title, and the command. Those of operations that are not in
/// the document are left out.
#[must_use]
pub fn commands(document: &OpenApi, chapters: &[Chapter]) -> Vec<(String, String, String)> {
    let mut known = HashMap::new();
    for (path, mut item) in document.paths.paths.clone() {
        for (method, operation) in operations(&mut item) {
            let key = key_of(&path, &method);
            let name = operation.operation_id.clone().unwrap_or_default();
            known.insert(name, (method, path.clone(), key));
        }
    }
    let mut commands = Vec::new();
    let mut sources: HashMap<&str, String> = HashMap::new();
    for example in chapters.iter().flat_map(|chapter| &chapter.examples) {
        if let Some((method, path, key)) = known.get(&example.operation) {
            let notes: Vec<String> = example
                .variables()
                .iter()
                .filter_map(|name| {
                    sources.get(name.as_str()).map(|from| format!("{}: {from}", variable(name)))
                })
                .collect();
            let command = example.command(method.as_str(), path, *key, &notes);
            commands.push((example.operation.clone(), example.title.clone(), command));
        }
        for (name, from) in &example.keep {
            let what =
                if from.starts_with('/') { format!("`{from}`") } else { format!("the header `{from}`") };
            sources.insert(name, format!("{what} of the answer to \"{}\"", example.title));
        }
    }
    commands
}

/// The key that an example shows for an operation, if it needs one.
fn key_of(path: &str, method: &Method) -> Option<KeyName> {
    let scopes = scopes(path, method)?;
    Some(match scopes {
        [Scope::Admin] => KeyName::AdminKey,
        [Scope::Executor] => KeyName::ExecutorKey,
        _ => KeyName::Key,
    })
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

/// The scopes of which a key needs one to call an operation, any key where there are none; `None` where no key is needed.
fn scopes(path: &str, method: &Method) -> Option<&'static [Scope]> {
    if let Some(rule) = table::find(path).and_then(|route| route.rule(method)) {
        return match rule.need {
            Need::Scopes(scopes) => Some(scopes),
            Need::SignedLink => None,
        };
    }
    if path == "/v1/session" && method == Method::POST {
        return Some(&[]);
    }
    path.starts_with("/v1/keys").then_some(&[Scope::Admin])
}

/// Who may call an operation: one entry for each scope that suffices, none where no key is needed.
fn requirement(path: &str, method: &Method) -> Vec<SecurityRequirement> {
    let any: [&str; 0] = [];
    match scopes(path, method) {
        None => Vec::new(),
        Some([]) => vec![SecurityRequirement::new(BEARER, any)],
        Some(scopes) => {
            scopes.iter().map(|scope| SecurityRequirement::new(BEARER, [scope.as_str()])).collect()
        }
    }
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
