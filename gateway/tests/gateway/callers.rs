//! Who is let in: keys, scopes, sessions, and the open mode.

use gateway::{AuthMode, Config};
use serde_json::{Value, json};
use service_kit::env::Env;

use crate::world::{ADMIN, EXECUTOR, ID, World, code};

#[tokio::test]
async fn each_scope_opens_its_own_routes_and_no_other() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    let secret = |key: Value| key["secret"].as_str().unwrap().to_owned();
    let read = secret(world.key(&["read"]).await);
    let write = secret(world.key(&["write"]).await);
    let executor = secret(world.key(&["executor"]).await);
    let admin = secret(world.key(&["admin"]).await);
    let montage = format!("/v1/montages/{ID}");
    // Who is let in: read, write, executor, admin; nobody without a key, unless `-` says so.
    for (method, path, allowed) in [
        ("GET", "/v1/jobs", "ra"),
        ("POST", "/v1/jobs", "wa"),
        ("GET", "/v1/jobs/1", "ra"),
        ("PATCH", "/v1/jobs/1", "wa"),
        ("POST", "/v1/jobs/1/cancel", "wa"),
        ("GET", "/v1/jobs/1/events", "ra"),
        ("GET", "/v1/events", "ra"),
        ("GET", "/v1/executors", "ra"),
        ("GET", "/v1/stats", "ra"),
        ("POST", "/v1/leases", "e"),
        ("POST", "/v1/leases/heartbeat", "e"),
        ("POST", "/v1/leases/1/complete", "e"),
        ("POST", "/v1/leases/1/parts", "e"),
        ("POST", "/v1/leases/1/parts/states", "e"),
        ("POST", "/v1/plans", "wa"),
        ("GET", "/v1/plans/1", "ra"),
        ("POST", "/v1/probes", "wa"),
        ("GET", "/v1/probes/1", "wa"),
        ("GET", "/v1/probes/1/media", "wa"),
        ("POST", "/v1/grants", "e"),
        ("POST", "/v1/results", "e"),
        ("POST", "/v1/results/transcript", "e"),
        ("GET", "/v1/montages", "ra"),
        ("GET", &montage, "rea"),
        ("PATCH", &montage, "wa"),
        ("DELETE", &montage, "wa"),
        ("POST", &format!("{montage}/transcribe"), "wa"),
        ("GET", &format!("{montage}/poster"), "ra"),
        ("GET", "/v1/search?q=x", "ra"),
        ("GET", "/v1/uploads", "ra"),
        ("OPTIONS", "/v1/uploads", "wa"),
        ("GET", "/v1/uploads/1", "rwa"),
        ("PATCH", "/v1/uploads/1", "wa"),
        ("GET", "/v1/uploads/1/media", "ra"),
        ("GET", "/v1/objects/a?signature=1", "rwea-"),
        ("PUT", "/v1/objects/a?signature=1", "rwea-"),
        ("GET", "/v1/keys", "a"),
        ("GET", "/metrics", "ra"),
    ] {
        for (letter, key) in [('r', &read), ('w', &write), ('e', &executor), ('a', &admin)] {
            let status = world.call(method, path).bearer_auth(key).send().await.unwrap().status().as_u16();
            assert_eq!(status, if allowed.contains(letter) { 200 } else { 403 }, "{letter} {method} {path}");
        }
        let (status, _) = code(world.call(method, path)).await;
        assert_eq!(status, if allowed.contains('-') { 200 } else { 401 }, "{method} {path}");
    }
    // Whoever reads schedules may ask what one would be. The scheduler is not there in these tests: who is let in finds that out.
    for (key, status) in [(&read, 503), (&admin, 503), (&write, 403), (&executor, 403)] {
        let asked = world.call("POST", "/v1/schedules/preview").bearer_auth(key);
        assert_eq!(asked.send().await.unwrap().status().as_u16(), status);
    }
    for fixed in [ADMIN, EXECUTOR] {
        let status = world.call("POST", "/v1/leases").bearer_auth(fixed).send().await.unwrap().status();
        assert_eq!(status, if fixed == EXECUTOR { 200 } else { 403 });
    }
    assert_eq!(world.call("GET", "/v1/jobs").send().await.unwrap().headers()["www-authenticate"], "Bearer");
    world.end().await;
}

#[tokio::test]
async fn without_keys_only_this_machine_itself_is_answered() {
    let open = |listen: &str| {
        Config::from_env(
            &Env::from_pairs([
                ("SM_DATABASE_URL", "postgres://a:b@c/d"),
                ("SM_LISTEN", listen),
                ("SM_AUTH", "open"),
            ])
            .unwrap(),
        )
    };
    let refusal = open("0.0.0.0:8080").unwrap_err().to_string();
    assert!(refusal.contains("SM_AUTH=keys") && refusal.contains("127.0.0.1"), "{refusal}");
    assert!(open("[::]:8080").is_err() && open("192.0.2.1:8080").is_err());
    assert_eq!(open("127.0.0.1:8080").unwrap().auth, AuthMode::Open);
    let by_default = |listen: &str| {
        Config::from_env(
            &Env::from_pairs([("SM_DATABASE_URL", "postgres://a:b@c/d"), ("SM_LISTEN", listen)]).unwrap(),
        )
        .unwrap()
        .auth
    };
    assert_eq!((by_default("0.0.0.0:1"), by_default("[::1]:1")), (AuthMode::Keys, AuthMode::Open));

    let Some(world) = World::new(AuthMode::Open).await else { return };
    let forbidden = (403, "forbidden".to_owned());
    for path in ["/v1/jobs", "/", "/v1/objects/a", "/v1/session", "/nothing", "/metrics"] {
        assert_eq!(
            code(world.call("GET", path).header("host", "evil.example:8080")).await,
            forbidden,
            "{path}"
        );
    }
    for host in ["localhost:8080", "127.0.0.1", "[::1]:8080"] {
        assert_eq!(code(world.call("GET", "/v1/jobs").header("host", host)).await.0, 200, "{host}");
    }
    let own = world.base.clone();
    for origin in ["http://evil.example", "null", "http://localhost:1", "garbage"] {
        assert_eq!(
            code(world.call("POST", "/v1/jobs").header("origin", origin)).await,
            forbidden,
            "{origin}"
        );
        assert_eq!(
            code(world.call("GET", "/v1/jobs").header("origin", origin)).await.0,
            200,
            "reading is the browser's to refuse"
        );
    }
    assert_eq!(code(world.call("POST", "/v1/jobs").header("origin", &own)).await.0, 200);
    assert_eq!(code(world.call("POST", "/v1/jobs")).await.0, 200);
    // What the browser itself says of where a request comes from counts even where the origin looks like ours, or is not told.
    let said = |method: &str, value: &str| world.call(method, "/v1/jobs").header("sec-fetch-site", value);
    for value in ["cross-site", "same-site", "", "Same-Origin"] {
        assert_eq!(code(said("POST", value)).await, forbidden, "{value}");
        assert_eq!(code(said("POST", value).header("origin", &own)).await, forbidden, "{value}");
        assert_eq!(code(said("GET", value)).await.0, 200, "{value}");
    }
    let twice = said("POST", "same-origin").header("sec-fetch-site", "cross-site");
    assert_eq!(code(twice).await, forbidden);
    for value in ["same-origin", "none"] {
        assert_eq!(code(said("POST", value)).await.0, 200, "{value}");
    }
    let got: Value = world.call("POST", "/v1/leases").send().await.unwrap().json().await.unwrap();
    assert_eq!(got["headers"]["x-sm-key"], "open");
    world.end().await;
}

#[tokio::test]
async fn a_key_lives_from_making_to_revoking() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    let bad = world
        .call("POST", "/v1/keys")
        .bearer_auth(ADMIN)
        .json(&json!({"name": "", "scopes": ["root"]}))
        .send()
        .await
        .unwrap();
    let problem: Value = bad.json().await.unwrap();
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!((problem["status"].as_u64(), pointers), (Some(422), vec!["/name", "/scopes/0"]));

    // Strangers learn nothing from what they send.
    let stranger = world.call("POST", "/v1/keys").header("content-type", "application/json").body("no JSON");
    assert_eq!(code(stranger).await, (401, "unauthorized".to_owned()));

    let key = world.key(&["read"]).await;
    let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    assert!(secret.starts_with("sm_") && secret.len() == 100, "{}", secret.len());
    let list = async || {
        world.call("GET", "/v1/keys").bearer_auth(ADMIN).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let before = list().await;
    assert_eq!((&before["items"][0]["id"], &before["items"][0]["last_used_at"]), (&key["id"], &Value::Null));
    assert!(!before.to_string().contains(&secret[36..]), "the secret is shown once");

    // Wrong secrets for a key that there is.
    let wrong = format!("{}{}", &secret[..99], if secret.ends_with('0') { '1' } else { '0' });
    assert_eq!(
        code(world.call("GET", "/v1/jobs").bearer_auth(wrong)).await,
        (401, "unauthorized".to_owned())
    );
    assert_eq!(list().await["items"][0]["last_used_at"], Value::Null, "a wrong secret is no use of the key");
    assert_eq!(code(world.call("GET", "/v1/jobs").bearer_auth(secret)).await.0, 200);
    assert!(list().await["items"][0]["last_used_at"].is_string());

    // Nothing that would open the door stands in the database.
    let pool = sqlx::PgPool::connect(world.database.url()).await.unwrap();
    let stored: String =
        sqlx::query_scalar("SELECT string_agg(row_to_json(k)::text, ' ') FROM jobs.api_keys k")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(!stored.contains(&secret[36..]), "{stored}");
    pool.close().await;

    assert_eq!(
        world.call("DELETE", &format!("/v1/keys/{id}")).bearer_auth(ADMIN).send().await.unwrap().status(),
        204
    );
    assert_eq!(
        code(world.call("GET", "/v1/jobs").bearer_auth(secret)).await,
        (401, "unauthorized".to_owned())
    );
    assert_eq!(
        world.call("DELETE", &format!("/v1/keys/{id}")).bearer_auth(ADMIN).send().await.unwrap().status(),
        204
    );
    assert!(list().await["items"][0]["revoked_at"].is_string());
    for missing in [ID, "x"] {
        assert_eq!(
            code(world.call("DELETE", &format!("/v1/keys/{missing}")).bearer_auth(ADMIN)).await,
            (404, "not_found".to_owned())
        );
    }

    for _ in 0..2 {
        world.key(&["read", "write"]).await;
    }
    let first: Value =
        world.call("GET", "/v1/keys?limit=2").bearer_auth(ADMIN).send().await.unwrap().json().await.unwrap();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second: Value = world
        .call("GET", &format!("/v1/keys?limit=2&cursor={cursor}"))
        .bearer_auth(ADMIN)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (first["items"].as_array().unwrap().len(), &second["items"][0]["id"], &second["next_cursor"]),
        (2, &key["id"], &Value::Null)
    );
    world.end().await;
}

#[tokio::test]
async fn whoever_tries_keys_has_to_wait_and_others_do_not() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    let good = world.key(&["read"]).await["secret"].as_str().unwrap().to_owned();
    assert_eq!(code(world.call("GET", "/v1/jobs").bearer_auth(&good)).await.0, 200);
    for _ in 0..gateway::throttle::MOST_FAILURES {
        assert_eq!(code(world.call("GET", "/v1/jobs").bearer_auth("wrong")).await.0, 401);
    }
    let refused = world.call("GET", "/v1/jobs").bearer_auth("wrong").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 60);
    // Behind the same address: who was let in a moment ago, and the operator.
    assert_eq!(code(world.call("GET", "/v1/jobs").bearer_auth(&good)).await.0, 200);
    assert_eq!(code(world.call("GET", "/v1/jobs").bearer_auth(ADMIN)).await.0, 200);
    world.end().await;
}

#[tokio::test]
async fn a_page_trades_its_key_for_a_session() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    let info: Value = world.call("GET", "/v1/session").send().await.unwrap().json().await.unwrap();
    assert_eq!(info, json!({"keys_needed": true, "scopes": []}));
    assert_eq!(code(world.call("POST", "/v1/session")).await.0, 401);
    assert_eq!(code(world.call("POST", "/v1/session").bearer_auth("wrong")).await.0, 401);
    let key = world.key(&["read", "write"]).await;
    let signed_in =
        world.call("POST", "/v1/session").bearer_auth(key["secret"].as_str().unwrap()).send().await.unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(
        signed_in.json::<Value>().await.unwrap(),
        json!({"keys_needed": true, "scopes": ["read", "write"]})
    );
    let cookie = cookie.split(';').next().unwrap();
    let with = |method: &str, path: &str| world.call(method, path).header("cookie", cookie);
    let got: Value = with("GET", "/v1/jobs").send().await.unwrap().json().await.unwrap();
    assert_eq!((&got["headers"]["x-sm-key"], got["headers"].get("cookie")), (&key["id"], None));
    // What changes something must come from our own page.
    assert_eq!(code(with("POST", "/v1/jobs")).await, (403, "forbidden".to_owned()));
    assert_eq!(
        code(with("POST", "/v1/jobs").header("origin", "http://evil.example")).await,
        (403, "forbidden".to_owned())
    );
    let ours = |method: &str, path: &str| with(method, path).header("origin", &world.base);
    assert_eq!(code(ours("POST", "/v1/jobs")).await.0, 200);
    assert_eq!(code(ours("POST", "/v1/jobs").header("sec-fetch-site", "same-origin")).await.0, 200);
    for value in ["cross-site", "same-site"] {
        let foreign = ours("POST", "/v1/jobs").header("sec-fetch-site", value);
        assert_eq!(code(foreign).await, (403, "forbidden".to_owned()), "{value}");
        assert_eq!(code(with("GET", "/v1/jobs").header("sec-fetch-site", value)).await.0, 200, "{value}");
        // A key does not go along by itself.
        let by_key = world.call("POST", "/v1/jobs").bearer_auth(key["secret"].as_str().unwrap());
        assert_eq!(code(by_key.header("sec-fetch-site", value)).await.0, 200, "{value}");
    }
    assert_eq!(code(with("GET", "/v1/keys")).await, (403, "forbidden".to_owned()));
    // Forged and ended.
    let forged = cookie.replace(key["id"].as_str().unwrap(), "admin");
    assert_eq!(code(world.call("GET", "/v1/keys").header("cookie", forged)).await.0, 401);
    assert_eq!(code(with("DELETE", "/v1/session")).await, (403, "forbidden".to_owned()));
    let out = ours("DELETE", "/v1/session").send().await.unwrap();
    assert_eq!(
        (out.status().as_u16(), out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0")),
        (204, true)
    );
    let path = format!("/v1/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(world.call("DELETE", &path).bearer_auth(ADMIN).send().await.unwrap().status(), 204);
    assert_eq!(code(with("GET", "/v1/jobs")).await, (401, "unauthorized".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn where_people_come_by_https_a_session_does_too() {
    let Some(world) = World::by_https().await else { return };
    let answer = world.call("POST", "/v1/session").bearer_auth(ADMIN).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-sm_session=") && cookie.ends_with("; Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/;") && !cookie.contains("Domain"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let post = |cookie: &str, origin: &str| {
        code(world.call("POST", "/v1/jobs").header("cookie", cookie).header("origin", origin))
    };
    let secure = world.base.replace("http://", "https://");
    assert_eq!(post(cookie, &secure).await.0, 200);
    // A page by http of the same name may be somebody else's between us and the person.
    assert_eq!(post(cookie, &world.base).await, (403, "forbidden".to_owned()));
    // A name that any neighbour can set a cookie of is not looked at.
    assert_eq!(post(cookie.strip_prefix("__Host-").unwrap(), &secure).await.0, 401);
    for path in ["/", "/v1/jobs", "/nothing", "/docs"] {
        let answer = world.call("GET", path).send().await.unwrap();
        assert_eq!(answer.headers()["strict-transport-security"], "max-age=63072000", "{path}");
    }
    world.end().await;
}
