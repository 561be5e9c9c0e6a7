use super::{
    days::{Asked, asked, window},
    *,
};
use chrono::{DateTime, NaiveDate};
use serde_json::json;
use service_kit::env::KNOWN;
use std::{collections::BTreeSet, path::PathBuf};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn import(window: Option<Value>) -> Import {
    let mut value = json!({
        "name": "weekly", "time_zone": "Europe/Berlin", "source": { "path": "library:list.json" }, "template": {}
    });
    if let Some(window) = window {
        value["window"] = window;
    }
    definition::decode(&value).unwrap()
}

/// The days that an event of Monday the 23rd, 00:30 in Berlin, means.
fn meant(of: Option<Value>, detail: Value) -> Result<Option<(String, String)>, String> {
    let time = at("2026-11-22T23:30:00Z");
    let window = window(&import(of), asked(&detail)?, Some(time), at("2027-01-01T00:00:00Z"))?;
    Ok(window.map(|window| (window.days.from.to_string(), window.days.to.to_string())))
}

fn days(from: &str, to: &str) -> Result<Option<(String, String)>, String> {
    Ok(Some((from.to_owned(), to.to_owned())))
}

#[test]
fn what_an_event_does_not_say_follows_from_the_import_and_the_events_day() {
    let week = || Some(json!({ "last_days": 7 }));
    let both = json!({ "startFilter": "2026-11-01", "endFilter": "2026-11-03" });
    assert_eq!(meant(week(), both.clone()), days("2026-11-01", "2026-11-03"));
    assert_eq!(meant(None, both), days("2026-11-01", "2026-11-03"));
    assert_eq!(meant(week(), json!({ "startFilter": "2026-11-20" })), days("2026-11-20", "2026-11-22"));
    assert_eq!(meant(week(), json!({ "endFilter": "2026-11-10" })), days("2026-11-04", "2026-11-10"));
    let three = json!({ "from": "2026-10-01", "to": "2026-10-03" });
    assert_eq!(
        meant(Some(three.clone()), json!({ "endFilter": "2026-11-10" })),
        days("2026-11-08", "2026-11-10")
    );
    assert_eq!(meant(Some(three), json!({})), days("2026-10-01", "2026-10-03"));
    assert_eq!(meant(week(), json!({})), days("2026-11-16", "2026-11-22"));
    assert_eq!(meant(None, json!({})), Ok(None));
}

#[test]
fn a_detail_is_an_object_a_text_that_holds_one_or_nothing() {
    let start = Asked { start: Some(day("2026-11-20")), end: None };
    for detail in [
        json!({ "startFilter": "2026-11-20", "endFilter": null, "attempt": 3 }),
        json!("{\"startFilter\": \"2026-11-20\"}"),
    ] {
        assert_eq!(asked(&detail), Ok(start), "{detail}");
    }
    for detail in [json!("{}"), json!(""), Value::Null] {
        assert_eq!(asked(&detail), Ok(Asked::default()), "{detail}");
    }
    for detail in [json!([]), json!(7), json!("soon")] {
        assert!(asked(&detail).unwrap_err().contains("is to be an object"), "{detail}");
    }
}

#[test]
fn days_that_cannot_be_are_told() {
    let week = || Some(json!({ "last_days": 7 }));
    let wrong = |detail: Value, of: Option<Value>| meant(of, detail).unwrap_err();
    for value in [json!("22.11.2026"), json!("2026-02-30"), json!(20_261_122), json!("")] {
        let told = wrong(json!({ "startFilter": value }), week());
        assert!(told.contains("`startFilter` is to be a day like 2026-11-22"), "{told}");
    }
    let told = wrong(json!({ "startFilter": "2026-11-03", "endFilter": "2026-11-01" }), week());
    assert!(told.contains("(2026-11-01) is before `startFilter`"), "{told}");
    let told = wrong(json!({ "startFilter": "2026-11-23" }), week());
    assert!(told.contains("not before the event's day (2026-11-23)"), "{told}");
    let told = wrong(json!({ "endFilter": "2026-11-23" }), None);
    assert!(told.contains("give `startFilter` too"), "{told}");
    let told = wrong(json!({ "startFilter": "2020-01-01", "endFilter": "2026-11-01" }), week());
    assert!(told.contains("more than 366 days"), "{told}");
    let year = json!({ "startFilter": "2024-01-01", "endFilter": "2024-12-31" });
    assert_eq!(meant(week(), year), days("2024-01-01", "2024-12-31"));
}

#[test]
fn an_event_without_a_time_is_of_now_but_must_repeat() {
    let now = at("2026-11-23T12:00:00Z");
    let of_week = window(&import(Some(json!({ "last_days": 1 }))), Asked::default(), None, now).unwrap();
    assert_eq!(of_week.unwrap().days.to, day("2026-11-22"));
    assert!(window(&import(None), Asked::default(), None, now).unwrap_err().contains("neither a `time`"));
}

#[test]
fn it_stops_before_it_is_stopped() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    let left = |seconds: u64| {
        let before = Instant::now();
        until(now + Duration::from_secs(seconds), now).map(|until| (until - before).as_millis() / 1000)
    };
    assert_eq!((left(300), left(10)), (Some(295), Some(8)));
    assert_eq!(until(now, now), None);
    assert_eq!(until(SystemTime::UNIX_EPOCH, now), None);
}

fn failure(settings: &[(&str, &str)]) -> String {
    let env = Env::from_pairs(settings.iter().copied()).unwrap();
    format!("{:#}", Importer::from_env(&env).err().unwrap())
}

#[test]
fn every_mistake_of_the_settings_is_told() {
    let gateway = ("SM_GATEWAY_URL", "http://127.0.0.1:1");
    assert!(failure(&[gateway]).contains("SM_IMPORT or SM_IMPORT_FILE"));
    assert!(failure(&[gateway, ("SM_IMPORT", "{}"), ("SM_IMPORT_FILE", "a")]).contains("not both"));
    assert!(failure(&[gateway, ("SM_IMPORT_FILE", "/nowhere/import.json")]).contains("/nowhere/import.json"));
    assert!(failure(&[gateway, ("SM_IMPORT", "weekly")]).contains("not JSON"));
    let bad = json!({ "nme": "weekly", "source": { "dynamodb": {} }, "window": { "last_days": 0 }, "template": {} });
    let told = failure(&[gateway, ("SM_IMPORT", &bad.to_string())]);
    for part in ["did you mean `name`", "/source/dynamodb", "/window/last_days"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let good = json!({ "name": "w", "source": { "path": "library:list.json" }, "template": {} }).to_string();
    assert!(failure(&[("SM_IMPORT", &good)]).contains("SM_GATEWAY_URL is not set"));
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), good).unwrap();
    let env = [gateway, ("SM_IMPORT_FILE", file.path().to_str().unwrap())];
    assert!(Importer::from_env(&Env::from_pairs(env).unwrap()).is_ok());
}

fn example(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deployment/lambda").join(name);
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_example_is_an_import_of_the_tables_that_its_template_opens() {
    let import = definition::decode(&serde_json::from_str(&example("import.json")).unwrap()).unwrap();
    let contracts::import::HighlightSource::Dynamodb { dynamodb } = &import.source else {
        panic!("{import:?}")
    };
    let template = example("template.yaml");
    for table in [&dynamodb.streamers.table, &dynamodb.highlights.table] {
        assert!(template.contains(&format!("Default: {table}\n")), "{table}");
    }
    assert!(template.contains(&format!("Default: {}\n", import.time_zone)), "{}", import.time_zone);
}

#[test]
fn the_example_names_only_settings_that_there_are() {
    let known: BTreeSet<&str> = KNOWN.iter().map(|variable| variable.name).collect();
    for file in ["template.yaml", "README.md"] {
        let text = example(file);
        let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
        let named: BTreeSet<&str> = words.filter(|word| word.starts_with("SM_")).collect();
        assert!(!named.is_empty() && named.is_subset(&known), "{file}: {named:?}");
    }
}
