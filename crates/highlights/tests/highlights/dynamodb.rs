//! Tables of a DynamoDB-compatible server: pages, windows, names, what cannot be used, and what fails.

use std::{process::Command, sync::Arc};

use contracts::{
    import::{DateForm, Days, DynamodbSource, HighlightsTable, StreamersTable, VideoTemplate},
    spec::Source as Video,
    time::{MediaTime, TICKS_PER_SECOND},
};
use highlights::{
    Gathered, SourceError, When, Window,
    source::{
        Source as _,
        dynamodb::{Dynamodb, Ways},
    },
    testing::{AttributeValue, Day, DynamodbServer, KeyIs, item, number, text},
};
use serde_json::json;
use service_kit::env::Env;

use crate::proxy::{Answer, Proxy};

fn source() -> DynamodbSource {
    DynamodbSource {
        streamers: StreamersTable { table: "streamers".into(), id: "ChannelId".into(), name: "Name".into() },
        highlights: HighlightsTable {
            table: "days".into(),
            streamer: "ChannelId".into(),
            date: "Date".into(),
            date_form: DateForm::Day,
            video: "VideoId".into(),
            list: "TopHighlights".into(),
            timestamp: "Timestamp".into(),
            score: "Score".into(),
        },
        video: VideoTemplate::Url("https://media.example/{id}.mp4".into()),
        duration: MediaTime::Ticks(60 * TICKS_PER_SECOND),
        region: None,
    }
}

fn week(zone: &str) -> Window {
    let days = Days { from: "2026-11-16".parse().unwrap(), to: "2026-11-22".parse().unwrap() };
    Window { days, zone: zone.parse().unwrap() }
}

async fn read(source: &DynamodbSource, ways: &Ways, window: Window) -> Result<Gathered, SourceError> {
    let mut gathered = Gathered::new(Some(window));
    Dynamodb::open(source, ways)?.read(&mut gathered).await?;
    Ok(gathered)
}

async fn ways(endpoint: &str) -> Ways {
    DynamodbServer::ways(endpoint, "streamers, days").await
}

/// A server with one streamer of one good day.
async fn small() -> Option<DynamodbServer> {
    let server = DynamodbServer::start()?;
    let list = json!([{ "Timestamp": "1:05", "Score": 93.5 }]).to_string();
    let day = Day { channel: "UC1", date: "2026-11-18", video: "v1", list };
    server.fill(("streamers", &[("UC1", "hana")]), ("days", &[day])).await;
    Some(server)
}

fn refused(outcome: Result<Gathered, SourceError>) -> String {
    match outcome {
        Err(SourceError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn unavailable(outcome: Result<Gathered, SourceError>) -> String {
    match outcome {
        Err(SourceError::Unavailable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_page_of_both_tables_is_read_and_order_is_kept() {
    let Some(server) = DynamodbServer::start() else { return };
    server.create("streamers", ("ChannelId", KeyIs::S), None).await;
    server.create("days", ("ChannelId", KeyIs::S), Some(("Date", KeyIs::S))).await;
    // Pages end at 1 MiB: three of them for the streamers, and three for the days of the first of them.
    let ids: Vec<String> = (0..50).map(|index| format!("UC{index:02}")).collect();
    let about = text(&"x".repeat(50_000));
    let streamers = ids.iter().map(|id| item([("ChannelId", text(id)), ("About", about.clone())]));
    server.put("streamers", streamers.collect::<Vec<_>>()).await;
    let dates: Vec<String> = (16..=22).map(|day| format!("2026-11-{day}")).collect();
    let list = |note: usize| {
        json!([{ "Timestamp": "1:05", "Note": "x".repeat(note) }, { "Timestamp": 7 }]).to_string()
    };
    let day = |id: &str, date: &str, note: usize| {
        item([
            ("ChannelId", text(id)),
            ("Date", text(date)),
            ("VideoId", text(date)),
            ("TopHighlights", text(&list(note))),
        ])
    };
    let mut days: Vec<_> = dates.iter().map(|date| day("UC00", date, 350_000)).collect();
    days.extend(ids.iter().skip(1).map(|id| day(id, "2026-11-20", 0)));
    server.put("days", days).await;

    let proxy = Proxy::start(server.endpoint(), |_, _| Answer::Pass).await;
    let gathered = read(&source(), &ways(proxy.endpoint()).await, week("UTC")).await.unwrap();
    let report = gathered.report();
    assert_eq!((report.rows, report.highlights, report.skipped), (7 + 49, 2 * (7 + 49), 0));

    let scanned = server
        .client()
        .await
        .scan()
        .table_name("streamers")
        .projection_expression("ChannelId")
        .into_paginator();
    let scanned: Vec<_> = scanned.items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
    let mut expected = Vec::new();
    for id in scanned.iter().map(|item| item["ChannelId"].as_s().unwrap()) {
        let of_streamer = if id == "UC00" { &dates[..] } else { &dates[4..5] };
        for date in of_streamer {
            expected.extend([(id.clone(), date.clone(), 3900), (id.clone(), date.clone(), 7)]);
        }
    }
    let found = gathered.candidates().iter().map(|candidate| {
        let Some(When::Day(day)) = candidate.when else { panic!("{candidate:?}") };
        let streamer = candidate.streamer.as_ref().unwrap();
        (streamer.id.clone(), day.to_string(), candidate.start.ticks().unwrap() / TICKS_PER_SECOND)
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
    // Highlights of one item share their place.
    assert!(Arc::ptr_eq(&gathered.candidates()[0].source, &gathered.candidates()[1].source));

    let pages = |operation: &str, further: bool| {
        let asked = proxy.asked();
        let of_it = asked.iter().filter(|(name, _)| name == operation);
        of_it.filter(|(_, body)| body.get("ExclusiveStartKey").is_some() == further).count()
    };
    assert_eq!((pages("Scan", false), pages("Query", false)), (1, 50));
    assert!(pages("Scan", true) >= 2, "{}", pages("Scan", true));
    assert!(pages("Query", true) >= 2, "{}", pages("Query", true));
}

#[tokio::test]
async fn nothing_within_the_window_is_missed_however_dates_are_written() {
    let Some(server) = DynamodbServer::start() else { return };
    server.create("streamers", ("ChannelId", KeyIs::S), None).await;
    server.put("streamers", [item([("ChannelId", text("UC1"))])]).await;
    // In Tokyo the week begins at 15:00 on the 15th by UTC.
    let first = "2026-11-15T15:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp();
    let end = first + 7 * 86_400;
    let numbers = |numbers: &[String]| numbers.iter().map(|text| number(text)).collect::<Vec<_>>();
    let texts = |texts: &[&str]| texts.iter().map(|date| text(date)).collect::<Vec<_>>();
    let forms = [
        (
            DateForm::Day,
            KeyIs::S,
            texts(&["2026-11-16", "2026-11-19", "2026-11-22"]),
            texts(&["2026-11-15", "2026-11-23", "2025-11-19"]),
        ),
        (
            DateForm::Timestamp,
            KeyIs::S,
            texts(&[
                "2026-11-15T15:00:00Z",
                "2026-11-15T15:00:00.000Z",
                "2026-11-15T15:00:00.250Z",
                "2026-11-22T14:59:59Z",
                "2026-11-22T14:59:59.999Z",
            ]),
            texts(&[
                "2026-11-15T14:59:59.999Z",
                "2026-11-15T14:59:59Z",
                "2026-11-22T15:00:00.000Z",
                "2026-11-22T15:00:00Z",
            ]),
        ),
        (
            DateForm::Seconds,
            KeyIs::N,
            numbers(&[
                first.to_string(),
                format!("{first}.5"),
                (end - 1).to_string(),
                format!("{}.999", end - 1),
            ]),
            numbers(&[format!("{}.999", first - 1), end.to_string()]),
        ),
        (
            DateForm::Milliseconds,
            KeyIs::N,
            numbers(&[format!("{first}000"), format!("{first}001"), format!("{}999", end - 1)]),
            numbers(&[format!("{}999", first - 1), format!("{end}000")]),
        ),
    ];
    for (index, (form, key, within, outside)) in forms.into_iter().enumerate() {
        let table = format!("days{index}");
        server.create(&table, ("ChannelId", KeyIs::S), Some(("Date", key))).await;
        let mut days = Vec::new();
        for (date, video) in
            within.iter().map(|date| (date, "in")).chain(outside.iter().map(|date| (date, "out")))
        {
            let list = text(r#"[{"Timestamp": 0}]"#);
            days.push(item([
                ("ChannelId", text("UC1")),
                ("Date", date.clone()),
                ("VideoId", text(video)),
                ("TopHighlights", list),
            ]));
        }
        server.put(&table, days).await;
        let mut source = source();
        source.highlights = HighlightsTable { table: table.clone(), date_form: form, ..source.highlights };
        let ways = DynamodbServer::ways(server.endpoint(), &format!("streamers,{table}")).await;
        let gathered = read(&source, &ways, week("Asia/Tokyo")).await.unwrap();
        let inside = Video::Url("https://media.example/in.mp4".into());
        let found = gathered.candidates();
        assert!(found.iter().all(|candidate| *candidate.source == inside), "{form:?}: {found:#?}");
        assert_eq!((found.len(), gathered.report().skipped), (within.len(), 0), "{form:?}");
    }
}

#[tokio::test]
async fn attributes_have_whatever_names_they_have() {
    let Some(server) = DynamodbServer::start() else { return };
    // Reserved words, dots, blanks; a number as the key; one attribute for two things.
    server.create("streamers", ("Key", KeyIs::N), None).await;
    server.put("streamers", [item([("Key", number("17")), ("user.name", text("hana"))])]).await;
    server.create("days", ("Values", KeyIs::N), Some(("Date", KeyIs::S))).await;
    let list = AttributeValue::L(vec![
        AttributeValue::M(item([("at.time", text("0:10")), ("Score", number("12.50"))])),
        AttributeValue::M(item([("at.time", number("90.5"))])),
        AttributeValue::M(item([("at.time", AttributeValue::Bool(true))])),
    ]);
    server
        .put("days", [item([("Values", number("17")), ("Date", text("2026-11-18")), ("best moments", list)])])
        .await;
    let mut source = source();
    source.streamers = StreamersTable { id: "Key".into(), name: "user.name".into(), ..source.streamers };
    source.highlights = HighlightsTable {
        streamer: "Values".into(),
        video: "Date".into(),
        list: "best moments".into(),
        timestamp: "at.time".into(),
        ..source.highlights
    };
    source.video = VideoTemplate::Path("library:vods/{id}.mkv".into());
    let gathered = read(&source, &ways(server.endpoint()).await, week("UTC")).await.unwrap();
    let found: Vec<_> = gathered.candidates().iter().map(|found| (found.start, found.score)).collect();
    let ticks = |milliseconds: i64| MediaTime::Ticks(milliseconds * TICKS_PER_SECOND / 1000);
    assert_eq!(found, [(ticks(600_000), Some(12.5)), (ticks(90_500), None)]);
    let first = &gathered.candidates()[0];
    assert_eq!(*first.source, Video::Path("library:vods/2026-11-18.mkv".into()));
    assert_eq!(first.duration, source.duration);
    let streamer = first.streamer.as_ref().unwrap();
    assert_eq!((streamer.id.as_str(), streamer.name.as_str()), ("17", "hana"));
    let skipped = &gathered.report().skipped_rows;
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0].row, "hana (17), 2026-11-18, highlight 3");
}

#[tokio::test]
async fn what_cannot_be_used_is_reported_with_its_place_and_the_rest_is_kept() {
    let Some(server) = DynamodbServer::start() else { return };
    server.create("streamers", ("Login", KeyIs::S), None).await;
    server
        .put(
            "streamers",
            [
                item([("Login", text("a")), ("ChannelId", text("UC1")), ("Name", text("hana"))]),
                item([("Login", text("b")), ("ChannelId", text("UC2"))]),
                item([("Login", text("c")), ("Name", text("nobody"))]),
                item([
                    ("Login", text("d")),
                    ("ChannelId", text("UC4")),
                    ("Name", AttributeValue::Bool(true)),
                ]),
            ],
        )
        .await;
    server.create("days", ("ChannelId", KeyIs::S), Some(("Date", KeyIs::S))).await;
    let day = |channel: &str, date: &str, more: Vec<(&str, AttributeValue)>| {
        let mut item = item([("ChannelId", text(channel)), ("Date", text(date))]);
        item.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        item
    };
    let list = |list: &str| ("TopHighlights", text(list));
    let video = |id: &str| ("VideoId", text(id));
    let one = r#"[{"Timestamp": "0:01"}]"#;
    let mixed = r#"[{"Timestamp": "1:02:03.5", "Score": "88"}, {"Timestamp": "soon"}, {"Timestamp": -5}, {"Score": 1}, 7,
        {"Timestamp": 5, "Score": "much"}, {"Timestamp": "200:00"}, {"Timestamp": "0:00", "Score": null}]"#;
    server
        .put(
            "days",
            [
                day("UC1", "2026-11-16", vec![list(mixed), video("v1")]),
                day("UC1", "2026-11-17", vec![list("best: 1:05"), video("v1")]),
                day("UC1", "2026-11-18", vec![list(one)]),
                day("UC1", "2026-11-19", vec![list("[]")]),
                day("UC1", "2026-11-19x", vec![list(one), video("v1")]),
                day("UC2", "2026-11-16", vec![video("v1")]),
                day("UC2", "2026-11-17", vec![list(one), video("..")]),
                day("UC2", "2026-11-18", vec![("TopHighlights", AttributeValue::Bool(true)), video("v1")]),
                day("UC2", "2026-11-20", vec![list(r#"{"Timestamp": 1}"#), video("v1")]),
                day("UC2", "2026-11-21", vec![list(one), ("VideoId", number("42"))]),
                day("UC4", "2026-11-16", vec![list(one), video("v4")]),
            ],
        )
        .await;
    let gathered = read(&source(), &ways(server.endpoint()).await, week("UTC")).await.unwrap();
    let report = gathered.report();
    let mut skipped: Vec<_> =
        report.skipped_rows.iter().map(|row| (row.row.as_str(), row.reason.as_str())).collect();
    skipped.sort_unstable();
    let expected = [
        ("UC2, 2026-11-16", "it has no `TopHighlights`"),
        ("UC2, 2026-11-17", "its video's id is no name of a file"),
        ("UC2, 2026-11-18", "its `TopHighlights` is neither a list nor a text with one"),
        ("UC2, 2026-11-20", "its `TopHighlights` is not a JSON list"),
        ("UC4 in `streamers`", "its `Name` is not a text: the id stands in for it"),
        ("hana (UC1), 2026-11-16, highlight 2", "its `Timestamp` is not a time"),
        ("hana (UC1), 2026-11-16, highlight 3", "its `Timestamp` is negative"),
        ("hana (UC1), 2026-11-16, highlight 4", "its `Timestamp` is missing"),
        ("hana (UC1), 2026-11-16, highlight 5", "it is not an object"),
        ("hana (UC1), 2026-11-16, highlight 6", "its `Score` is not a number"),
        (
            "hana (UC1), 2026-11-16, highlight 7",
            "its `Timestamp` cannot be used: times reach up to 100 hours",
        ),
        ("hana (UC1), 2026-11-17", "its `TopHighlights` is not a JSON list"),
        ("hana (UC1), 2026-11-18", "it has no `VideoId`"),
        ("hana (UC1), 2026-11-19x", "its `Date` is not a day like 2026-11-22"),
        ("nobody in `streamers`", "it has no `ChannelId`"),
    ];
    assert_eq!(skipped.len(), expected.len(), "{skipped:#?}");
    for ((row, reason), (place, why)) in skipped.iter().zip(expected) {
        assert!(*row == place && reason.starts_with(why), "{row}: {reason}, expected {place}: {why}");
    }
    let mut kept: Vec<_> = gathered
        .candidates()
        .iter()
        .map(|found| {
            (found.streamer.as_ref().unwrap().name.as_str(), found.start.seconds().unwrap(), found.score)
        })
        .collect();
    kept.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(
        kept,
        [("UC2", 60.0, None), ("UC4", 60.0, None), ("hana", 0.0, None), ("hana", 3723.5, Some(88.0))]
    );
    assert_eq!((report.rows, report.highlights, report.skipped), (11, 4, 15));
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let Some(server) = small().await else { return };
    for code in ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"] {
        // The first two tries of each request.
        let proxy =
            Proxy::start(
                server.endpoint(),
                move |_, tries| {
                    if tries < 2 { Answer::Error(code) } else { Answer::Pass }
                },
            )
            .await;
        let gathered = read(&source(), &ways(proxy.endpoint()).await, week("UTC")).await.unwrap();
        assert_eq!(gathered.report().highlights, 1);
        assert_eq!(proxy.asked().len(), 6, "{code}");
    }
}

#[tokio::test]
async fn a_table_that_stays_throttled_is_unavailable_after_bounded_tries() {
    let Some(server) = small().await else { return };
    let throttled = |operation: &str, _| match operation {
        "Query" => Answer::Error("ProvisionedThroughputExceededException"),
        _ => Answer::Pass,
    };
    let proxy = Proxy::start(server.endpoint(), throttled).await;
    let reason = unavailable(read(&source(), &ways(proxy.endpoint()).await, week("UTC")).await);
    assert!(reason.contains("`days`") && reason.contains("capacity"), "{reason}");
    assert_eq!(proxy.asked().iter().filter(|(operation, _)| operation == "Query").count(), 8);
}

#[tokio::test]
async fn what_is_refused_says_what_to_do() {
    let Some(server) = small().await else { return };
    let open = DynamodbServer::ways(server.endpoint(), "streamers,days,elsewhere").await;
    let mut absent = source();
    absent.highlights.table = "elsewhere".into();
    let reason = refused(read(&absent, &open, week("UTC")).await);
    assert!(reason.contains("no table `elsewhere`") && reason.contains("region"), "{reason}");

    let mut other_key = source();
    other_key.highlights.streamer = "Channel".into();
    let reason = refused(read(&other_key, &open, week("UTC")).await);
    assert!(reason.contains("`days`") && reason.contains("check that `Channel`"), "{reason}");

    let mut other_form = source();
    other_form.highlights.date_form = DateForm::Seconds;
    let reason = refused(read(&other_form, &open, week("UTC")).await);
    assert!(reason.contains("`date_form`"), "{reason}");

    let codes = [("AccessDeniedException", "dynamodb:Scan"), ("UnrecognizedClientException", "credentials")];
    for (code, advice) in codes {
        let proxy = Proxy::start(server.endpoint(), move |_, _| Answer::Error(code)).await;
        let reason = refused(read(&source(), &ways(proxy.endpoint()).await, week("UTC")).await);
        assert!(reason.contains(advice), "{reason}");
        assert_eq!(proxy.asked().len(), 1, "trying again changes nothing");
    }

    let mut elsewhere = source();
    elsewhere.region = Some("evil.example/".into());
    assert!(refused(read(&elsewhere, &open, week("UTC")).await).contains("region"));
}

#[tokio::test]
async fn nothing_is_asked_of_tables_that_are_not_open() {
    let Some(server) = small().await else { return };
    let proxy = Proxy::start(server.endpoint(), |_, _| Answer::Pass).await;
    for tables in ["", "streamers", "days", "daysx, streamers"] {
        let ways = DynamodbServer::ways(proxy.endpoint(), tables).await;
        let reason = refused(read(&source(), &ways, week("UTC")).await);
        assert!(reason.contains("SM_DYNAMODB_TABLES"), "{reason}");
    }
    assert_eq!(proxy.asked().len(), 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    // A port that was free a moment ago, and that nobody can have meanwhile: it stays bound, but does not listen.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let reason = unavailable(read(&source(), &ways(&endpoint).await, week("UTC")).await);
    assert!(reason.contains("cannot be reached") && !reason.contains("127.0.0.1"), "{reason}");
}

/// Credentials and region as a process finds them: this test runs the one below in processes of their own.
#[tokio::test]
async fn credentials_and_region_come_from_the_environment() {
    let Some(server) = small().await else { return };
    let home = tempfile::tempdir().unwrap();
    let read_in_process = |left_out: &[&str], table: &str| {
        let settings = server.settings().into_iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "dynamodb::in_a_process_of_its_own", "--ignored", "--nocapture"])
            .env_clear()
            .env("HOME", home.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("SM_DYNAMODB_TABLES", table)
            .envs(settings)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = read_in_process(&[], "");
    assert!(told.contains("outcome: 1 highlights"), "{told}");
    let told = read_in_process(&["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"], "");
    assert!(told.contains("outcome: no AWS credentials were found"), "{told}");
    let told = read_in_process(&["AWS_REGION"], "");
    assert!(told.contains("outcome: no AWS region is known"), "{told}");
    // One's own account is not narrowed, unless one asks for it.
    let told = read_in_process(&[], "another");
    assert!(told.contains("outcome: the table `streamers` is not open"), "{told}");
}

#[tokio::test]
#[ignore = "it is run by the test above, in an environment of its own"]
async fn in_a_process_of_its_own() {
    let ways = Ways::for_own_account(&Env::from_process().unwrap()).unwrap();
    match read(&source(), &ways, week("UTC")).await {
        Ok(gathered) => println!("outcome: {} highlights", gathered.report().highlights),
        Err(error) => println!("outcome: {error}"),
    }
}
