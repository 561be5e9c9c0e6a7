//! Tests of making jobs of what was gathered.

use std::{collections::BTreeSet, sync::Arc};

use contracts::{
    import::Days,
    spec::Source,
    time::{MediaTime, TICKS_PER_SECOND},
};
use serde_json::json;

use super::*;
use crate::{candidate::Found, definition};

fn at() -> DateTime<Utc> {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

fn import(changes: Value) -> Import {
    let mut whole = json!({
        "name": "weekly", "time_zone": "Europe/Berlin", "source": {"url": "https://lists.example/week.json"},
        "window": {"last_days": 7},
        "montages": [
            {"of": "each_streamer", "title": "{streamer}, {from} to {to}", "highlight_title": "{number}. {title} ({day})",
             "labels": {"who": "{streamer}"}, "select": {"per_video": 1, "order": "time"}},
            {"of": "all_streamers", "select": {"per_streamer": 1, "order": "shuffle"}},
        ],
        "template": {"title": "{name}: {count} on {date}", "labels": {"show": "weekly"}, "priority": 3},
    });
    whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    definition::decode(&whole).unwrap()
}

fn body(job: &Planned) -> Value {
    serde_json::from_str(&job.body).unwrap()
}

fn found(streamer: Option<&str>, video: &str, start: i64, score: f64, day: &str) -> Found {
    Found {
        source: Arc::new(Source::Url(format!("https://media.example/{video}.mp4"))),
        start: MediaTime::Ticks(start * TICKS_PER_SECOND),
        duration: Some(MediaTime::Ticks(5 * TICKS_PER_SECOND)),
        end: None,
        title: Some(format!("{video} at {start}")),
        streamer: streamer.map(|name| Arc::new(Streamer { id: format!("id-{name}"), name: name.to_owned() })),
        score: Some(score),
        cut: None,
        when: Some(crate::When::Day(day.parse().unwrap())),
    }
}

fn gathered(import: &Import, rows: impl IntoIterator<Item = Found>) -> Gathered {
    let window = import.window_at(at());
    let mut gathered = Gathered::new(window);
    for row in rows {
        gathered.row().unwrap();
        gathered.found(row, String::new);
    }
    gathered
}

fn week() -> Vec<Found> {
    vec![
        found(Some("hana"), "a", 60, 9.0, "2026-11-20"),
        found(Some("hana"), "a", 10, 3.0, "2026-11-20"),
        found(Some("hana"), "b", 10, 5.0, "2026-11-18"),
        found(Some("ben"), "c", 10, 7.0, "2026-11-22"),
        found(None, "d", 10, 1.0, "2026-11-22"),
    ]
}

#[test]
fn each_streamer_and_all_have_their_montage() {
    let import = import(json!({}));
    let mut rows = gathered(&import, week());
    let planned = plan(&import, "import:weekly", at(), &mut rows).unwrap();
    let titles: Vec<&str> = planned.iter().map(|job| job.told.title.as_str()).collect();
    assert_eq!(
        titles,
        ["ben, 2026-11-16 to 2026-11-22", "hana, 2026-11-16 to 2026-11-22", "weekly: 3 on 2026-11-23"]
    );
    let hana = &planned[1];
    assert_eq!((hana.told.highlights, hana.told.streamer.as_deref()), (2, Some("hana")));
    let body = body(hana);
    assert_eq!(body["labels"], json!({"show": "weekly", "who": "hana"}));
    assert_eq!(body["priority"], 3);
    let titles: Vec<&Value> =
        body["spec"]["highlights"].as_array().unwrap().iter().map(|clip| &clip["title"]).collect();
    assert_eq!(titles, ["1. b at 10 (2026-11-18)", "2. a at 60 (2026-11-20)"]);
    // Who has no streamer is told, and is in the montage of all.
    let report = rows.report();
    assert_eq!((report.highlights, report.skipped), (5, 1));
    assert!(
        report.skipped_rows[0]
            .reason
            .contains("say no streamer, so that they are in no streamer's montage: 1"),
        "{report:?}"
    );
}

#[test]
fn the_same_days_have_the_same_jobs_and_keys_whatever_order_the_rows_came_in() {
    let import = import(json!({}));
    let planned =
        |rows: Vec<Found>, scope: &str, at| plan(&import, scope, at, &mut gathered(&import, rows)).unwrap();
    let first = planned(week(), "import:weekly", at());
    let mut turned = week();
    turned.reverse();
    assert_eq!(first, planned(turned, "import:weekly", at() + chrono::Duration::hours(5)));
    let keys: BTreeSet<&str> = first.iter().map(|job| job.key.as_str()).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| key.len() <= 200 && key.bytes().all(|byte| byte.is_ascii_graphic())));
    // Written down once: it must not change between releases, or what was posted before is posted again.
    assert_eq!(first[0].key, "import:2026-11-16:2026-11-22:6f39c840cd2a3bc8cb8d9f6102696180");
    // Other days, or another scope, are other jobs.
    let longer = import_of_days(8);
    let of_other_days = plan(&longer, "import:weekly", at(), &mut gathered(&longer, week())).unwrap();
    for other in [planned(week(), "import:other", at()), of_other_days] {
        assert!(other.iter().all(|job| !keys.contains(job.key.as_str())));
    }
}

fn import_of_days(days: u16) -> Import {
    import(json!({"window": {"last_days": days}}))
}

#[test]
fn the_order_of_a_selection_is_kept_whatever_the_template_orders() {
    let import = import(
        json!({"template": {"spec": {"order": "score"}}, "montages": [{"select": {"order": "time"}}, {}]}),
    );
    let planned = plan(&import, "x", at(), &mut gathered(&import, week())).unwrap();
    assert_eq!(
        (&body(&planned[0])["spec"]["order"], &body(&planned[1])["spec"]["order"]),
        (&json!("given"), &json!("score"))
    );
}

#[test]
fn without_a_window_the_moment_tells_one_import_from_the_next() {
    let import = import(json!({"window": null, "montages": []}));
    let key = |at| plan(&import, "import:weekly", at, &mut gathered(&import, week())).unwrap().remove(0).key;
    assert_eq!(key(at()), key(at()));
    assert_ne!(key(at()), key(at() + chrono::Duration::seconds(1)));
}

#[test]
fn names_of_people_cannot_break_titles_and_labels() {
    let import = import(json!({}));
    let name = "{from} ".repeat(14);
    let mut rows = gathered(&import, [found(Some(name.trim()), "a", 1, 1.0, "2026-11-20")]);
    let planned = plan(&import, "x", at(), &mut rows).unwrap();
    assert!(planned[0].told.title.starts_with("{from} {from}"), "{:?}", planned[0].told);
    assert_eq!(body(&planned[0])["labels"]["who"], name.trim());
}

#[test]
fn nothing_that_is_wanted_makes_no_job() {
    let import = import(json!({}));
    let outside = found(Some("hana"), "a", 1, 1.0, "2026-11-23");
    assert_eq!(plan(&import, "x", at(), &mut gathered(&import, [outside])), Ok(Vec::new()));
}

#[test]
fn more_montages_than_an_import_may_make_are_refused() {
    let import = import(json!({}));
    let rows = (0..=MOST_JOBS).map(|n| found(Some(&n.to_string()), "a", 1, 1.0, "2026-11-20"));
    let error = plan(&import, "x", at(), &mut gathered(&import, rows)).unwrap_err();
    assert!(error.contains("more than 1000 montages"), "{error}");
}

#[test]
fn days_are_told_as_they_are() {
    let import = import(json!({"window": {"from": "2026-11-18", "to": "2026-11-20"}}));
    let rows = gathered(&import, week());
    let days = Days { from: "2026-11-18".parse().unwrap(), to: "2026-11-20".parse().unwrap() };
    assert_eq!(rows.window().map(|window| window.days), Some(days));
    assert_eq!(rows.report().highlights, 3);
}
