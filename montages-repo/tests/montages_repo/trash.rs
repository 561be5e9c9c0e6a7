//! Deleting, restoring, and deleting for good.

use contracts::{
    ids::{JobId, MontageId},
    montage::{Montage, MontageFacets, PublishRequest, PublishTranscriptRequest},
    object::{GrantRequest, ReadWish},
    spec::{JobSpec, NewJob},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{World, world};

async fn delete(world: &World, montage: &Montage) {
    let answer = world.ask(Method::DELETE, &montage.summary.links["self"]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

fn restore(world: &World, id: MontageId) -> reqwest::RequestBuilder {
    world.ask(Method::POST, &format!("/v1/montages/{id}/restore"))
}

async fn version(world: &World, montage: &Montage) -> String {
    let answer = world.get(&montage.summary.links["self"]).send().await.unwrap();
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

async fn found(world: &World, path: &str) -> usize {
    world.json(world.get(path), 200).await["items"].as_array().unwrap().len()
}

async fn facets(world: &World) -> MontageFacets {
    serde_json::from_value(world.json(world.get("/v1/montages/facets"), 200).await).unwrap()
}

/// Two montages, of which the second is the one to delete; it alone is about a dragon.
async fn two(world: &World) -> (Montage, Montage, PublishRequest) {
    let mut kept = world.prepare(world.attempt(JobId::generate(), 1), "Kept", b"kept media").await;
    kept.transcript.cues.clear();
    let kept = world.published(&kept).await;
    let request = world.prepare(world.attempt(JobId::generate(), 1), "Doomed dragon", b"doomed media").await;
    let doomed = world.published(&request).await;
    (kept, doomed, request)
}

#[tokio::test]
async fn what_is_deleted_is_absent_from_every_answer() {
    let world = world!();
    let (kept, doomed, _) = two(&world).await;
    let (id, job) = (doomed.summary.id, doomed.summary.job_id);
    let base = doomed.summary.links["self"].clone();
    // A job that reads it, and one that transcribes it.
    let reader = world.attempt(JobId::generate(), 1);
    let spec = json!({ "kind": "montage", "spec": { "highlights": [{ "source": { "montage": id }, "start": 0, "duration": 1 }] } });
    world.ledger.set_spec(reader.job, NewJob::decode(&spec).unwrap().spec);
    let writer = world.attempt(JobId::generate(), 1);
    let spec: JobSpec =
        NewJob::decode(&json!({ "kind": "transcript", "spec": { "montage": id } })).unwrap().spec;
    world.ledger.set_spec(writer.job, spec);

    let wrong = world.ask(Method::DELETE, &base).header("if-match", "\"v0\"");
    world.problem(wrong, "precondition_failed").await;
    let tag = version(&world, &doomed).await;
    let deleted = world.ask(Method::DELETE, &base).header("if-match", tag).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);

    for link in doomed.summary.links.values() {
        world.problem(world.get(link), "not_found").await;
    }
    for file in ["media.mp4", "captions.srt", "captions.txt", "captions.json"] {
        world.problem(world.get(&format!("{base}/{file}")), "not_found").await;
    }
    world.problem(world.get(&format!("/v1/results/{job}")), "not_found").await;
    world.problem(world.get(&format!("/v1/jobs/{job}/preview.m3u8")), "not_found").await;
    world.problem(world.ask(Method::DELETE, &base), "not_found").await;
    world.problem(world.ask(Method::PATCH, &base).json(&json!({ "title": "x" })), "not_found").await;
    let wish = json!({ "engine": "local" });
    world.problem(world.ask(Method::POST, &format!("{base}/transcribe")).json(&wish), "not_found").await;
    let transcript = PublishTranscriptRequest {
        job_id: writer.job,
        fence: writer.fence,
        executor_id: writer.executor,
        montage_id: id,
        transcript: doomed.transcript.clone(),
    };
    world.problem(world.ask(Method::POST, "/v1/results/transcript").json(&transcript), "not_found").await;
    for (attempt, wish) in [(reader, ReadWish::Montage(id)), (writer, ReadWish::Speech(id))] {
        let request = GrantRequest { read: vec![wish], ..attempt.wishes() };
        world.problem(world.ask(Method::POST, "/v1/grants").json(&request), "not_found").await;
    }
    for path in ["/v1/montages?q=dragon", "/v1/search?q=dragon", "/v1/search?q=doomed"] {
        assert_eq!(found(&world, path).await, 0, "{path}");
    }
    for path in ["/v1/montages?streamer=hana", "/v1/montages?label=show:weekly", "/v1/montages?label=show"] {
        assert_eq!(found(&world, path).await, 1, "{path}");
    }
    let listed = world.json(world.get("/v1/montages?kind=montage"), 200).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["id"], json!(kept.summary.id));
    assert_eq!(facets(&world).await.of, 1);
    // Its objects are kept, and those of others are still served.
    assert_eq!(world.files().len(), 8);
    let still = world.get(&kept.summary.links["media"]).send().await.unwrap();
    assert_eq!(still.text().await.unwrap(), "kept media");
    world.end().await;
}

#[tokio::test]
async fn what_is_restored_is_as_it_was_in_a_new_version() {
    let world = world!();
    let (_, doomed, _) = two(&world).await;
    let id = doomed.summary.id;
    let before = version(&world, &doomed).await;
    // One that is not deleted is answered as it is.
    let same: Montage = serde_json::from_value(world.json(restore(&world, id), 200).await).unwrap();
    assert_eq!((same, version(&world, &doomed).await), (doomed.clone(), before.clone()));

    delete(&world, &doomed).await;
    // Of many at once one restores it.
    let answers = (0..8).map(|_| restore(&world, id).send());
    for answer in futures::future::join_all(answers).await {
        let answer = answer.unwrap();
        assert_eq!((answer.status(), answer.headers()["etag"].to_str().unwrap()), (StatusCode::OK, "\"v2\""));
        assert_eq!(answer.json::<Montage>().await.unwrap(), doomed);
    }
    assert_eq!(before, "\"v1\"");
    let media = world.get(&doomed.summary.links["media"]).send().await.unwrap();
    assert_eq!(media.text().await.unwrap(), "doomed media");
    for (path, count) in [
        ("/v1/montages", 2),
        ("/v1/montages?streamer=hana&label=show", 2),
        ("/v1/montages?q=dragon", 1),
        ("/v1/search?q=dragon", 2),
    ] {
        assert_eq!(found(&world, path).await, count, "{path}");
    }
    assert_eq!(facets(&world).await.of, 2);
    // What is restored takes a newer attempt's result as before.
    let newer = world.prepare(world.attempt(doomed.summary.job_id, 2), "Newer", b"newer media").await;
    assert_eq!(world.publish(&newer).await.status(), StatusCode::OK);
    world.problem(restore(&world, MontageId::generate()), "not_found").await;
    world.end().await;
}

#[tokio::test]
async fn no_publish_brings_a_deleted_montage_back() {
    let world = world!();
    let (_, doomed, request) = two(&world).await;
    let job = doomed.summary.job_id;
    let publish = |request: &PublishRequest| world.ask(Method::POST, "/v1/results").json(request);
    let later = async |fence| {
        let attempt = world.attempt(job, fence);
        world.prepare(attempt, "Doomed dragon", b"doomed media, again").await
    };
    delete(&world, &doomed).await;
    world.problem(publish(&request), "conflict").await;
    world.problem(publish(&later(2).await), "conflict").await;
    assert_eq!(found(&world, "/v1/montages").await, 1);

    // Restored, it is what it was; deleted for longer than it is kept, it goes with all that belongs to it.
    let restored: Montage =
        serde_json::from_value(world.json(restore(&world, doomed.summary.id), 200).await).unwrap();
    assert_eq!(restored, doomed);
    delete(&world, &doomed).await;
    sqlx::query("UPDATE montages.montages SET deleted_at = now() - interval '59 minutes' WHERE deleted_at IS NOT NULL")
        .execute(&world.pool)
        .await
        .unwrap();
    world.json(restore(&world, doomed.summary.id), 200).await;
    delete(&world, &doomed).await;
    sqlx::query("UPDATE montages.montages SET deleted_at = now() - interval '61 minutes' WHERE deleted_at IS NOT NULL")
        .execute(&world.pool)
        .await
        .unwrap();
    world.until("its objects are gone", || world.files().len() == 4).await;
    world.problem(restore(&world, doomed.summary.id), "not_found").await;
    world.problem(publish(&later(3).await), "conflict").await;
    assert_eq!(found(&world, "/v1/montages").await, 1);
    let left: (i64, i64, i64, Value) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM montages.montages), (SELECT count(*) FROM montages.cues),
                (SELECT count(DISTINCT montage_id) FROM montages.tags), (SELECT jsonb_agg(job_id) FROM montages.deleted)",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(left, (1, 0, 1, json!([job])));
    world.end().await;
}
