//! The routes of schedules and their runs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::world::{World, highlights, started, stop};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_made_changed_run_paused_and_deleted() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let (base, shutdown, running) = started(&world).await;
    let client = service_kit::client::http_client(Some(Duration::from_secs(20))).unwrap();
    let schedules = format!("{base}/v1/schedules");
    let body = json!({
        "name": "weekly", "cron": "0 18 * * SUN", "time_zone": "Europe/Berlin", "source": world.url("best"),
        "template": {"title": "Best of {date}"}
    });
    let made = client.post(&schedules).json(&body).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let path = made.headers()["location"].to_str().unwrap().to_owned();
    let etag = made.headers()["etag"].clone();
    let schedule: Value = made.json().await.unwrap();
    assert_eq!(path, format!("/v1/schedules/{}", schedule["id"].as_str().unwrap()));
    assert!(schedule["next_at"].is_string());
    let one = format!("{base}{path}");

    // Run by hand: the run ends by itself; a second one has to wait.
    let run: Value = client.post(format!("{one}/run")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&run["outcome"], &run["by_hand"]), (&json!("running"), &json!(true)));
    let again = client.post(format!("{one}/run")).send().await.unwrap();
    assert_eq!(again.status(), 429);
    let wait: u64 = again.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    let ended = async {
        loop {
            let page: Value = client.get(format!("{one}/runs")).send().await.unwrap().json().await.unwrap();
            if page["items"][0]["outcome"] != "running" {
                return page["items"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
    assert_eq!(ended["outcome"], "submitted", "{ended}");
    assert_eq!((world.keys(), world.posts()), (1, 1));

    // Changed, with and without the right version.
    let patch = json!({"cron": "30 7 * * *", "name": "daily"});
    let changed = client.patch(&one).header("if-match", &etag).json(&patch).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    assert_ne!(changed.headers()["etag"], etag);
    let changed: Value = changed.json().await.unwrap();
    assert_eq!((&changed["name"], &changed["time_zone"]), (&json!("daily"), &json!("Europe/Berlin")));
    let stale = client.patch(&one).header("if-match", &etag).json(&patch).send().await.unwrap();
    assert_eq!(stale.status(), 412);

    // Paused and resumed.
    let paused: Value = client.post(format!("{one}/pause")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&paused["paused"], &paused["next_at"]), (&json!(true), &Value::Null));
    let resumed: Value = client.post(format!("{one}/resume")).send().await.unwrap().json().await.unwrap();
    assert!(resumed["next_at"].is_string());

    // Pages.
    for name in ["b", "c"] {
        let mut body = body.clone();
        body["name"] = json!(name);
        assert_eq!(client.post(&schedules).json(&body).send().await.unwrap().status(), 201);
    }
    let first: Value = client.get(format!("{schedules}?limit=2")).send().await.unwrap().json().await.unwrap();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second: Value = client
        .get(format!("{schedules}?limit=2&cursor={cursor}"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let names: Vec<&Value> = first["items"]
        .as_array()
        .unwrap()
        .iter()
        .chain(second["items"].as_array().unwrap())
        .map(|item| &item["name"])
        .collect();
    assert_eq!(names, ["c", "b", "daily"]);
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(client.get(format!("{one}/runs?cursor={cursor}")).send().await.unwrap().status(), 400);

    assert_eq!(client.delete(&one).send().await.unwrap().status(), 204);
    for gone in [
        client.get(&one),
        client.delete(&one),
        client.post(format!("{one}/run")),
        client.get(format!("{one}/runs")),
    ] {
        let gone = gone.send().await.unwrap();
        assert_eq!(
            (gone.status().as_u16(), gone.json::<Value>().await.unwrap()["code"].as_str()),
            (404, Some("not_found"))
        );
    }
    stop(shutdown, running).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posting_again_under_a_key_makes_no_second_schedule() {
    let Some(world) = World::new().await else { return };
    let (base, shutdown, running) = started(&world).await;
    let client = service_kit::client::http_client(Some(Duration::from_secs(20))).unwrap();
    let body = |name: &str| json!({"name": name, "cron": "0 18 * * *", "source": world.url("best"), "template": {"title": "x"}});
    let post = |caller: &str, key: &str, name: &str| {
        let request =
            client.post(format!("{base}/v1/schedules")).header("x-sm-key", caller).json(&body(name));
        let request = if key.is_empty() { request } else { request.header("idempotency-key", key) };
        async move {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.json::<Value>().await.unwrap())
        }
    };
    // Many at once make one.
    let answers = futures::future::join_all((0..8).map(|_| post("a", "k", "weekly"))).await;
    for (status, answer) in &answers {
        assert_eq!((*status, &answer["id"]), (201, &answers[0].1["id"]));
    }
    let (status, problem) = post("a", "k", "daily").await;
    assert_eq!((status, &problem["code"]), (409, &json!("idempotency_conflict")));
    // Another caller's keys are his own, and without a key every post counts.
    assert_ne!(post("b", "k", "weekly").await.1["id"], answers[0].1["id"]);
    assert_ne!(post("a", "", "weekly").await.1["id"], post("a", "", "weekly").await.1["id"]);
    assert_eq!(post("a", "two words", "weekly").await.0, 422);
    let list: Value = client.get(format!("{base}/v1/schedules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 4);
    // What is deleted does not hold its key.
    let id = answers[0].1["id"].as_str().unwrap();
    assert_eq!(client.delete(format!("{base}/v1/schedules/{id}")).send().await.unwrap().status(), 204);
    assert_eq!(post("a", "k", "daily").await.0, 201);
    stop(shutdown, running).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_schedule_is_refused_with_every_mistake_and_nothing_is_stored() {
    let Some(world) = World::new().await else { return };
    let (base, shutdown, running) = started(&world).await;
    let client = service_kit::client::http_client(Some(Duration::from_secs(20))).unwrap();
    let body = json!({
        "name": "x", "cron": "61 * * * *", "time_zone": "Mars/Olympus", "source": {"path": "no colon"},
        "template": {"title": "y", "spec": {"order": "best"}}, "tepmlate": 1
    });
    let refused = client.post(format!("{base}/v1/schedules")).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let problem: Value = refused.json().await.unwrap();
    let mut pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/cron", "/source/path", "/template/spec/order", "/tepmlate", "/time_zone"]);
    let list: Value = client.get(format!("{base}/v1/schedules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(list["items"], json!([]));
    stop(shutdown, running).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_previewed_before_it_is_made() {
    let Some(world) = World::new().await else { return };
    let (base, shutdown, running) = started(&world).await;
    let client = service_kit::client::http_client(Some(Duration::from_secs(20))).unwrap();
    let ask = async |body: Value| {
        let answer = client.post(format!("{base}/v1/schedules/preview")).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, preview) = ask(json!({"cron": " 0 18 * * SUN ", "time_zone": "Europe/Berlin"})).await;
    assert_eq!((status, &preview["description"]), (200, &json!("At 18:00, on Sunday")));
    let next: Vec<DateTime<chrono::FixedOffset>> = serde_json::from_value(preview["next"].clone()).unwrap();
    assert_eq!(next.len(), 5);
    assert!(next[0] > Utc::now());
    for tick in &next {
        // Its own wall clock, summer and winter.
        assert_eq!(tick.format("%a %H:%M").to_string(), "Sun 18:00");
    }
    assert!(
        next.windows(2)
            .all(|pair| (1..=7).contains(&(pair[1].date_naive() - pair[0].date_naive()).num_days()))
    );
    // The first is the one that a schedule would have.
    let body = json!({
        "name": "weekly", "cron": "0 18 * * SUN", "time_zone": "Europe/Berlin", "source": world.url("best"), "template": {}
    });
    let made: Value =
        client.post(format!("{base}/v1/schedules")).json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(made["next_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), next[0]);

    let (status, preview) = ask(json!({"cron": "* * * * *"})).await;
    assert_eq!((status, &preview["description"]), (200, &json!("Every minute")));
    assert!(preview["next"][0].as_str().unwrap().ends_with('Z'), "{preview}");

    for (body, wanted) in [
        (
            json!({"cron": "61 * * * *", "time_zone": "Mars/Olympus", "zone": 1}),
            vec!["/cron", "/time_zone", "/zone"],
        ),
        (json!({"cron": "0 0 30 2 *"}), vec!["/cron"]),
        (json!({"cron": " ", "time_zone": 3}), vec!["/cron", "/time_zone"]),
        (json!({}), vec!["/cron"]),
        (json!([]), vec![""]),
    ] {
        let (status, problem) = ask(body).await;
        let errors = problem["errors"].as_array().unwrap();
        let mut pointers: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        assert_eq!((status, pointers), (422, wanted));
    }
    let list: Value = client.get(format!("{base}/v1/schedules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "previews are not stored");
    stop(shutdown, running).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_tried_out_and_nothing_is_stored_or_posted() {
    let Some(world) = World::new().await else { return };
    let row = |streamer: &str, start: Value| json!({"source": {"url": "https://media.example/a.mp4"}, "start": start, "duration": 5, "streamer": streamer});
    world.list("best", &json!([row("hana", json!(1)), row("ben", json!(20)), row("ben", json!("nonsense"))]));
    let (base, shutdown, running) = started(&world).await;
    let client = service_kit::client::http_client(Some(Duration::from_secs(20))).unwrap();
    let attempt = async |body: &Value| {
        let answer = client.post(format!("{base}/v1/schedules/try")).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let body = json!({
        "name": "weekly", "source": world.url("best"), "template": {}, "window": {"last_days": 7},
        "montages": [{"of": "each_streamer"}, {}],
    });
    let (status, trial) = attempt(&body).await;
    assert_eq!((status, &trial["job_count"]), (200, &json!(3)), "{trial}");
    assert_eq!((&trial["report"]["rows"], &trial["report"]["skipped"]), (&json!(3), &json!(1)));
    assert!(trial["window"]["from"].is_string());
    let titles: Vec<&Value> = trial["jobs"].as_array().unwrap().iter().map(|job| &job["title"]).collect();
    assert_eq!(titles, ["weekly: ben", "weekly: hana", "weekly"]);
    assert_eq!(trial["highlights"][0]["start"]["seconds"], 20.0);

    // A whole schedule may be sent as it is; mistakes have their places, an unreadable source too.
    let mut whole = body.clone();
    whole["cron"] = json!("0 18 * * SUN");
    assert_eq!(attempt(&whole).await.0, 200);
    whole["source"] = world.url("missing");
    let (status, problem) = attempt(&whole).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/source")), "{problem}");
    whole["montages"] = json!([{"select": {"top": 0}}]);
    let (status, problem) = attempt(&whole).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/montages/0/select/top")));

    assert_eq!((world.keys(), world.posts()), (0, 0));
    let list: Value = client.get(format!("{base}/v1/schedules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(list["items"], json!([]));
    stop(shutdown, running).await;
    world.end().await;
}
