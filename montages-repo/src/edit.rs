//! Changing montages.
//!
//! Promises: a change under `If-Match` happens only to the version that it names, however many come at once.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use contracts::{
    decode::Mistakes,
    ids::MontageId,
    montage::{Montage, MontagePatch},
    problem::{Problem, ProblemCode},
    spec::{LABEL_RULE, MOST_LABELS, is_label},
};
use service_kit::{
    extract::{Json, Path},
    problem::{ApiError, ApiResult},
};
use sqlx::types::Json as Column;
use std::{collections::BTreeMap, sync::Arc};

use crate::{app::App, conditional::may_change, publish::check_title, results, rows::etag};

/// What a change under a condition meets that does not hold.
pub fn changed_meanwhile() -> ApiError {
    ApiError::new(
        ProblemCode::PreconditionFailed,
        "The montage is not in the version that If-Match names. Read it again.",
    )
}

/// Change a montage
///
/// Its title and its labels, as a JSON Merge Patch.
#[utoipa::path(
    patch,
    operation_id = "change_montage",
    path = "/v1/montages/{id}", tag = "montages", request_body = MontagePatch,
    params(("id" = MontageId, Path, description = "The montage"),
           ("If-Match" = Option<String>, Header, description = "Change only this version")),
    responses((status = 200, body = Montage, description = "Changed"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such montage"),
              (status = 412, body = Problem, content_type = "application/problem+json", description = "It is in another version"),
              (status = 422, body = Problem, content_type = "application/problem+json", description = "The title or a label cannot be used"))
)]
pub async fn patch(
    State(app): State<Arc<App>>,
    Path(id): Path<MontageId>,
    headers: HeaderMap,
    Json(patch): Json<MontagePatch>,
) -> ApiResult<Response> {
    let title = patch.title.as_deref().map(str::trim);
    let mut tx = app.pool.begin().await?;
    let present = sqlx::query!(
        r#"SELECT version, labels AS "labels: Column<BTreeMap<String, String>>" FROM montages.montages WHERE id = $1 AND deleted_at IS NULL FOR UPDATE"#,
        id.0
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| ApiError::not_found("montage"))?;
    if !may_change(&headers, &etag(present.version)) {
        return Err(changed_meanwhile());
    }
    let mut mistakes = Mistakes::default();
    if let Some(title) = title {
        check_title(title, "/title", &mut mistakes);
    }
    let labels = merge(present.labels.0, patch.labels.unwrap_or_default(), &mut mistakes);
    mistakes.finish(Some(())).map_err(ApiError::invalid)?;
    sqlx::query!(
        "UPDATE montages.montages
         SET title = coalesce($2, title), labels = $3, edited = true, version = version + 1, updated_at = now()
         WHERE id = $1",
        id.0,
        title,
        Column(labels) as _
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query_scalar!("SELECT montages.refresh_search($1)::text", id.0).fetch_one(&mut *tx).await?;
    tx.commit().await?;
    results::answer(&app, StatusCode::OK, id).await
}

/// Merges labels (RFC 7396): null removes one.
fn merge(
    mut labels: BTreeMap<String, String>,
    changes: BTreeMap<String, Option<String>>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, String> {
    for (name, value) in changes {
        match value {
            None => {
                labels.remove(&name);
            }
            Some(value) if is_label(&name, &value) => {
                labels.insert(name, value);
            }
            Some(_) => {
                mistakes.add(format!("/labels/{}", name.replace('~', "~0").replace('/', "~1")), LABEL_RULE)
            }
        }
    }
    if labels.len() > MOST_LABELS {
        mistakes.add("/labels", format!("at most {MOST_LABELS}"));
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_merged() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        let changes = [("a", None), ("b", Some("3")), ("c", Some("4")), ("nothing", None)];
        let changes = changes.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        let mut mistakes = Mistakes::default();
        let merged = merge(labels, changes.into_iter().collect(), &mut mistakes);
        let expected = BTreeMap::from([("b".to_owned(), "3".to_owned()), ("c".to_owned(), "4".to_owned())]);
        assert_eq!(mistakes.finish(Some(merged)), Ok(expected));
    }

    #[test]
    fn bad_labels_are_named() {
        let mut mistakes = Mistakes::default();
        let changes = BTreeMap::from([("Bad/Name".to_owned(), Some("x".to_owned()))]);
        merge(BTreeMap::new(), changes, &mut mistakes);
        assert_eq!(mistakes.finish(Some(())).unwrap_err()[0].pointer, "/labels/Bad~1Name");
    }
}
