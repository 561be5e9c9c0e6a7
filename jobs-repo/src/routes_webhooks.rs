//! The routes for those who want others to be told when jobs end. For admins: addresses may hold tokens, and what is told leaves
//! the house.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    decode::{Fields, Mistakes, nearest},
    ids::{DeliveryId, WebhookId},
    problem::{Problem, ProblemCode},
    webhook::{
        Delivery, DeliveryPage, DeliveryState, NewWebhook, RevealedWebhook, Webhook, WebhookEvent,
        WebhookPage, WebhookPatch,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::{
    caller::Caller,
    extract::{Json, Path, Query},
    paging,
    precondition::check_if_match,
    problem::{ApiError, ApiResult},
};
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    rows::Position,
    signature::SigningKey,
    webhooks::{self, MOST_WEBHOOKS, Wish},
};

/// Longest address, in characters.
const LONGEST_URL: usize = 2000;
/// Longest description, in characters.
const LONGEST_DESCRIPTION: usize = 200;

/// All of them.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, change, delete))
        .routes(routes!(rotate))
        .routes(routes!(test))
        .routes(routes!(deliveries))
        .routes(routes!(retry))
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Make a webhook
///
/// From now on its receiver is told of the jobs of kind `montage` and `transcript` that end in one of the ways that it chose, by a
/// POST in the form of [Standard Webhooks](https://www.standardwebhooks.com), for which there are libraries that check it: the
/// headers `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature` (`v1,` and the HMAC-SHA256 of
/// `{id}.{timestamp}.{body}` under the secret, in base64; after a rotation there are two, with a blank between them), and the body
///
/// ```json
/// { "type": "job.succeeded", "timestamp": "2026-11-21T18:04:05.123456Z",
///   "data": { "id": "019a…", "kind": "montage", "title": "Best of the week", "labels": {}, "state": "succeeded",
///             "result": { "montage_id": "019a…", "href": "/v1/montages/019a…" }, "failure": null,
///             "created_at": "…", "finished_at": "…" } }
/// ```
///
/// Any status from 200 to 299 within 15 seconds is a success; redirects are not followed. What fails is sent again after about 5
/// seconds, 5 minutes, 30 minutes, 2 hours, 5 hours, 10 hours and 10 hours, the same bytes under the same `webhook-id`: a receiver
/// that has seen the id before leaves it alone. The order of events is not kept. An answer of 410 disables the webhook, as does
/// failing for 5 days. Receivers on private addresses are opened by the operator (`SM_FETCH_ALLOW`).
///
/// The answer holds the secret. It is shown this once; for the same reason there is no `Idempotency-Key` here.
#[utoipa::path(
    operation_id = "create_webhook",
    post, path = "/v1/webhooks", tag = "webhooks",
    request_body(content = NewWebhook, example = json!({
        "url": "https://hooks.example/montages", "events": ["job.succeeded", "job.failed", "job.dead"], "description": "the clan's bot"
    })),
    responses(
        (status = 201, description = "The webhook, with its secret", body = RevealedWebhook, headers(("Location" = String, description = "Its path"), ("ETag" = String, description = "Its version"))),
        (status = 409, description = "`conflict`: there are 100 already", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Mistakes, each with its pointer; an address that is not sent to is one", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn create(State(app): State<Arc<App>>, caller: Caller, Json(body): Json<Value>) -> ApiResult<Response> {
    let mut mistakes = Mistakes::default();
    let wish = read(&body, &mut mistakes);
    judge_url(&app, &body, &mut mistakes).await;
    let wish = mistakes.finish(wish).map_err(ApiError::invalid)?;
    let key = SigningKey::generate();
    let webhook = webhooks::insert(&mut *app.pool.acquire().await?, &wish, &key).await?.ok_or_else(|| {
        ApiError::new(
            ProblemCode::Conflict,
            format!("There are {MOST_WEBHOOKS} webhooks already, which is the most. Delete one first."),
        )
    })?;
    tracing::info!(webhook = %webhook.id, by = caller.key, "a webhook was made");
    let location = format!("/v1/webhooks/{}", webhook.id);
    let tag = etag(&webhook);
    let answer = Json(RevealedWebhook { webhook, secret: key.reveal() });
    Ok((StatusCode::CREATED, [(header::LOCATION, location), (header::ETAG, tag)], answer).into_response())
}

/// Reads a webhook as a person writes it.
fn read(value: &Value, mistakes: &mut Mistakes) -> Option<Wish> {
    let fields = Fields::open(value, "", &["url", "events", "description", "enabled"], mistakes)?;
    let url = fields.required("url", mistakes).and_then(|_| read_url(&fields, mistakes));
    let events = fields.required("events", mistakes).and_then(|list| read_events(list, mistakes));
    let description = fields.text("description", LONGEST_DESCRIPTION, mistakes);
    let enabled = fields.flag("enabled", mistakes).unwrap_or(true);
    Some(Wish { url: url?, events: events?, description, enabled })
}

/// Reads an address by its form only.
fn read_url(fields: &Fields<'_>, mistakes: &mut Mistakes) -> Option<String> {
    if fields.get("url").and_then(Value::as_str).is_some_and(|text| text.trim().is_empty()) {
        mistakes.add("/url", "expected an address, like https://hooks.example/montages");
        return None;
    }
    let text = fields.text("url", LONGEST_URL, mistakes)?;
    match fetch::parse_url(&text) {
        Ok(url) if url.fragment().is_some() => {
            mistakes.add("/url", "what stands behind `#` is never sent; leave it out");
            None
        }
        Ok(_) => Some(text),
        Err(fetch::FetchError::InvalidUrl { reason, .. }) => {
            mistakes.add("/url", reason);
            None
        }
        Err(error) => {
            mistakes.add("/url", error.to_string());
            None
        }
    }
}

fn read_events(list: &Value, mistakes: &mut Mistakes) -> Option<Vec<WebhookEvent>> {
    let names: Vec<&str> = WebhookEvent::CHOICES.iter().map(|(name, _)| *name).collect();
    let Some(list) = list.as_array().filter(|list| !list.is_empty()) else {
        mistakes.add("/events", format!("expected a list of at least one of: {}", names.join(", ")));
        return None;
    };
    let mut events = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let name = value.as_str().unwrap_or_default();
        match WebhookEvent::CHOICES.iter().find(|(known, _)| *known == name) {
            Some((_, event)) => events.push(*event),
            None => {
                let hint = nearest(name, &names).map_or_else(
                    || format!("expected one of: {}", names.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                mistakes.add(format!("/events/{index}"), hint);
            }
        }
    }
    events.sort_unstable();
    events.dedup();
    Some(events)
}

/// Says what the guard of addresses says of a body's own, if it has one that can be read.
async fn judge_url(app: &App, body: &Value, mistakes: &mut Mistakes) {
    let Some(url) = body.get("url").and_then(Value::as_str).filter(|url| fetch::parse_url(url).is_ok())
    else {
        return;
    };
    if let Some(refusal) = app.sender.refusal(url).await {
        mistakes.add("/url", refusal);
    }
}

/// The version of what people can change of a webhook.
fn etag(webhook: &Webhook) -> String {
    format!("\"{:x}\"", webhook.updated_at.timestamp_micros())
}

fn with_etag(webhook: Webhook) -> Response {
    ([(header::ETAG, etag(&webhook))], Json(webhook)).into_response()
}

fn missing() -> ApiError {
    ApiError::not_found("webhook")
}

/// List webhooks
///
/// Newest first, without their secrets.
#[utoipa::path(
    operation_id = "list_webhooks",
    get, path = "/v1/webhooks", tag = "webhooks", params(PageQuery),
    responses(
        (status = 200, description = "A page of webhooks", body = WebhookPage),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn list(State(app): State<Arc<App>>, Query(query): Query<PageQuery>) -> ApiResult<Json<WebhookPage>> {
    let limit = paging::limit(query.limit)?;
    let before = query.cursor.map(|cursor| paging::decode::<Uuid>(&cursor, &"webhooks")).transpose()?;
    let mut items = webhooks::page(&mut *app.pool.acquire().await?, before, limit + 1).await?;
    let next_cursor = paging::cut(&mut items, limit, &"webhooks", |last| last.id.0);
    Ok(Json(WebhookPage { items, next_cursor }))
}

/// Look at a webhook
///
/// Without its secret. `failing_since` and `disabled_reason` say how it fares.
#[utoipa::path(
    operation_id = "get_webhook",
    get, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")),
    responses(
        (status = 200, description = "The webhook", body = Webhook, headers(("ETag" = String, description = "Its version"))),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn get(State(app): State<Arc<App>>, Path(id): Path<WebhookId>) -> ApiResult<Response> {
    let webhook = webhooks::find(&mut *app.pool.acquire().await?, id).await?.ok_or_else(missing)?;
    Ok(with_etag(webhook))
}

/// Change a webhook
///
/// Absent fields stay as they are. While it is disabled nothing is sent, and what happens is not kept for it; what waits already is
/// sent when it is enabled again. What waits goes to the new address, if there is one. With `If-Match` only if nobody changed it in
/// between.
#[utoipa::path(
    operation_id = "change_webhook",
    patch, path = "/v1/webhooks/{id}", tag = "webhooks", request_body = WebhookPatch,
    params(("id" = WebhookId, Path, description = "The webhook"), ("If-Match" = Option<String>, Header, description = "The ETag that was read")),
    responses(
        (status = 200, description = "The webhook", body = Webhook, headers(("ETag" = String, description = "Its version"))),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "`precondition_failed`: it was changed in between", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Mistakes, each with its pointer", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<WebhookId>,
    headers: HeaderMap,
    Json(patch): Json<Value>,
) -> ApiResult<Response> {
    let Some(fields) = patch.as_object() else {
        return Err(ApiError::invalid_at("", "expected an object with the fields to change"));
    };
    // Before the webhook is locked: it may take seconds. An address that stays is not judged again.
    let mut mistakes = Mistakes::default();
    judge_url(&app, &patch, &mut mistakes).await;
    let mut connection = app.pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let present = webhooks::lock(&mut transaction, id).await?.ok_or_else(missing)?;
    check_if_match(&headers, &etag(&present))?;
    let mut whole = json!({
        "url": present.url, "events": present.events, "description": present.description, "enabled": present.enabled,
    });
    for (name, value) in fields {
        whole[name] = value.clone();
    }
    let wish = read(&whole, &mut mistakes);
    let wish = mistakes.finish(wish).map_err(ApiError::invalid)?;
    let webhook = webhooks::update(&mut transaction, id, &wish).await?;
    transaction.commit().await?;
    app.sender.ring();
    Ok(with_etag(webhook))
}

/// Delete a webhook
///
/// With its deliveries: what waits is not sent.
#[utoipa::path(
    operation_id = "delete_webhook",
    delete, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> ApiResult<StatusCode> {
    if !webhooks::delete(&mut *app.pool.acquire().await?, id).await? {
        return Err(missing());
    }
    tracing::info!(webhook = %id, by = caller.key, "a webhook was deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook a new secret
///
/// The answer holds it, this once. For 24 hours everything is signed with both, the new one first, so that the receiver can change
/// over without losing anything; of a third one before, nothing is left.
#[utoipa::path(
    operation_id = "rotate_webhook_secret",
    post, path = "/v1/webhooks/{id}/rotate", tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")),
    responses(
        (status = 200, description = "The webhook, with its new secret", body = RevealedWebhook, headers(("ETag" = String, description = "Its version"))),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> ApiResult<Response> {
    let key = SigningKey::generate();
    let webhook = webhooks::rotate(&mut *app.pool.acquire().await?, id, &key).await?.ok_or_else(missing)?;
    tracing::info!(webhook = %id, by = caller.key, "a webhook has a new secret");
    let answer = RevealedWebhook { webhook, secret: key.reveal() };
    Ok(([(header::ETAG, etag(&answer.webhook))], Json(answer)).into_response())
}

fn disabled() -> ApiError {
    ApiError::new(
        ProblemCode::Conflict,
        "The webhook is disabled. Enable it first: PATCH it with {\"enabled\": true}.",
    )
}

/// Test a webhook
///
/// Sends a `webhook.test` at once, with `data` of nothing but the `webhook_id`. Look at the deliveries for what became of it.
#[utoipa::path(
    operation_id = "test_webhook",
    post, path = "/v1/webhooks/{id}/test", tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook")),
    responses(
        (status = 202, description = "It is being sent", body = Delivery),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: the webhook is disabled", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn test(
    State(app): State<Arc<App>>,
    Path(id): Path<WebhookId>,
) -> ApiResult<(StatusCode, Json<Delivery>)> {
    let mut connection = app.pool.acquire().await?;
    let Some(delivery) = webhooks::test(&mut connection, id).await? else {
        webhooks::find(&mut connection, id).await?.ok_or_else(missing)?;
        return Err(disabled());
    };
    app.sender.ring();
    Ok((StatusCode::ACCEPTED, Json(delivery)))
}

/// List a webhook's deliveries
///
/// What it was told or is going to be, newest first; kept for 30 days.
#[utoipa::path(
    operation_id = "list_deliveries",
    get, path = "/v1/webhooks/{id}/deliveries", tag = "webhooks", params(("id" = WebhookId, Path, description = "The webhook"), PageQuery),
    responses(
        (status = 200, description = "A page of deliveries", body = DeliveryPage),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn deliveries(
    State(app): State<Arc<App>>,
    Path(id): Path<WebhookId>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<DeliveryPage>> {
    let limit = paging::limit(query.limit)?;
    let after: Option<Position> = query.cursor.map(|cursor| paging::decode(&cursor, &id)).transpose()?;
    let mut connection = app.pool.acquire().await?;
    webhooks::find(&mut connection, id).await?.ok_or_else(missing)?;
    let mut items = webhooks::deliveries(&mut connection, id, after, limit + 1).await?;
    let position = |last: &Delivery| Position { created: last.created_at.timestamp_micros(), id: last.id.0 };
    let next_cursor = paging::cut(&mut items, limit, &id, position);
    Ok(Json(DeliveryPage { items, next_cursor }))
}

/// Send a delivery again
///
/// At once, under the same id, and with the whole schedule of retries before it. For one that failed, or that waits and shall not.
#[utoipa::path(
    operation_id = "retry_delivery",
    post, path = "/v1/webhooks/{id}/deliveries/{delivery}/retry", tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook"), ("delivery" = DeliveryId, Path, description = "The delivery")),
    responses(
        (status = 202, description = "It is being sent", body = Delivery),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it was delivered, or the webhook is disabled", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn retry(
    State(app): State<Arc<App>>,
    Path((id, delivery)): Path<(WebhookId, DeliveryId)>,
) -> ApiResult<(StatusCode, Json<Delivery>)> {
    let mut connection = app.pool.acquire().await?;
    let delivery = resend(&mut connection, id, delivery).await?;
    app.sender.ring();
    Ok((StatusCode::ACCEPTED, Json(delivery)))
}

async fn resend(connection: &mut PgConnection, id: WebhookId, delivery: DeliveryId) -> ApiResult<Delivery> {
    let webhook = webhooks::find(connection, id).await?.ok_or_else(missing)?;
    if !webhook.enabled {
        return Err(disabled());
    }
    let delivery = webhooks::retry(connection, id, delivery).await?;
    let delivery =
        delivery.ok_or_else(|| ApiError::not_found("delivery of this webhook, or none any more"))?;
    if delivery.state == DeliveryState::Delivered {
        return Err(ApiError::new(
            ProblemCode::Conflict,
            "It was delivered; there is nothing to send again.",
        ));
    }
    Ok(delivery)
}
