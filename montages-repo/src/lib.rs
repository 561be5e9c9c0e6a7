//! montages-repo: the library of published montages, their media, what is said in them, and uploaded files.
//!
//! Promises: a montage becomes visible by one row, unique per job and written only by the newest fence; what is deleted is
//! gone from answers at once and from the object store after a while, in which it can be restored; bytes are streamed, never held whole in memory; no
//! text of a user reaches a header or HTML unescaped. Fails with RFC 9457 problems; an object store or database that is
//! away is `unavailable`, and nothing half-done is left behind (see `reaper`).

mod app;
mod chapters;
mod conditional;
mod config;
mod edit;
mod facets;
mod files;
mod find;
mod grants;
mod incoming;
mod list;
mod marks;
mod names;
mod objects;
mod playlists;
mod previews;
mod probes;
mod publish;
mod reaper;
mod results;
mod resumable;
mod rows;
mod search;
mod segments;
mod serve;
mod timeline;
mod transcripts;
mod trash;
mod tus;
mod uploads;

pub use config::Config;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use service_kit::{
    Running,
    http::{ServeOptions, bind, serve},
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

use app::App;

/// Largest body of a result: hours of timed words and a plan of hundreds of segments fit in.
const RESULT_BYTES: usize = 64 << 20;

/// Starts the service: its routes and its reaper of objects that nothing owns. Expects the migrations to have run.
///
/// # Errors
/// When the database cannot be reached, the object store's settings cannot work, or the address is taken.
pub async fn start(config: Config, shutdown: CancellationToken) -> anyhow::Result<Running> {
    let pool = service_kit::db::connect_with(&config.database, "montages-repo", find::SETTINGS).await?;
    let app = Arc::new(App::new(&config, pool.clone())?);
    let listener = bind(config.listen).await?;
    let options = ServeOptions {
        // Uploads and media take as long as they take; all other routes are bounded below.
        timeout: None,
        readiness: app::readiness(app.clone()),
        ..ServeOptions::internal(config.internal_token.clone(), pool)
    };
    let reaper = tokio::spawn(reaper::run(app.clone(), config.reap_every, shutdown.clone()));
    let running = serve("montages-repo", listener, router(app), shutdown, options)?;
    let done = tokio::spawn(async move {
        let result = running.done.await?;
        reaper.await?;
        result
    });
    Ok(Running { address: running.address, done })
}

/// The documentation of all routes.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = quick_routes().into_openapi();
    document.merge(streaming_routes().into_openapi());
    document.merge(objects::openapi());
    document
}

fn router(app: Arc<App>) -> Router {
    let quick: Router<Arc<App>> = quick_routes().into();
    let streaming: Router<Arc<App>> = streaming_routes().into();
    quick.layer(middleware::from_fn(app::bounded)).merge(streaming).merge(objects::router()).with_state(app)
}

/// Routes that answer within a bounded time.
fn quick_routes() -> OpenApiRouter<Arc<App>> {
    let results = OpenApiRouter::new()
        .routes(routes!(results::publish))
        .routes(routes!(transcripts::publish))
        .layer(DefaultBodyLimit::max(RESULT_BYTES));
    OpenApiRouter::new()
        .routes(routes!(results::get))
        .routes(routes!(grants::grant))
        .routes(routes!(segments::store))
        .routes(routes!(previews::show))
        .routes(routes!(previews::playlist))
        .routes(routes!(uploads::list))
        .routes(routes!(uploads::get, uploads::delete))
        .routes(routes!(list::list))
        .routes(routes!(facets::facets))
        .routes(routes!(list::get, edit::patch, trash::delete))
        .routes(routes!(trash::restore))
        .routes(routes!(files::captions_vtt))
        .routes(routes!(files::captions_srt))
        .routes(routes!(files::captions_txt))
        .routes(routes!(files::captions_json))
        .routes(routes!(files::chapters))
        .routes(routes!(files::timeline_edl))
        .routes(routes!(files::timeline_otio))
        .routes(routes!(files::provenance))
        .routes(routes!(transcripts::transcribe))
        .routes(routes!(search::search))
        .merge(results)
}

/// Routes whose bodies are streams.
fn streaming_routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(uploads::upload, tus::options))
        .routes(routes!(tus::offset, tus::append))
        .routes(routes!(uploads::media))
        .routes(routes!(files::media))
        .routes(routes!(files::media_mp4))
        .routes(routes!(files::playlist))
        .routes(routes!(previews::object))
        .routes(routes!(probes::media))
        .routes(routes!(files::poster))
        .routes(routes!(files::sprites))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Every route says what it does, what it answers, and goes by a name of its own.
    #[test]
    fn all_routes_are_documented() {
        let document = serde_json::to_value(openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let mut names = HashSet::new();
        let mut count = 0;
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap() {
                let place = format!("{method} {path}");
                assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{place}");
                assert!(!operation["responses"].as_object().unwrap().is_empty(), "{place}");
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{place}: {name} is taken");
                count += 1;
            }
        }
        assert_eq!((paths.len(), count), (32, 40), "{:?}", paths.keys());
    }
}
