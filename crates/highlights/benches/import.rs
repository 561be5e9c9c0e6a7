//! What an import of a hundred thousand rows costs in memory and time. `make bench` runs it.
//!
//! A DynamoDB-compatible server of its own is filled with the rows of two hundred streamers over a year. Then each way of reading them has a
//! process of its own, so that its peak of resident memory is its own: the product's, which reads, selects and makes the jobs of one montage
//! per streamer and one of all, and beside it the same pages asked for with AWS's SDK and thrown away, which is the least that anybody
//! needs. The table says what was promised and whether it was kept. Nothing here fails for being slow or large: only for being wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot go on says so and ends"
)]

use std::{collections::HashMap, process::Command, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::import::{HighlightSource, WindowRule};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use highlights::{
    Gathered, Window, definition,
    import::{Import, plan},
    source::{Source as _, dynamodb::Dynamodb},
    testing::{AttributeValue, DynamodbServer, KeyIs, item, text},
};
use serde_json::{Value, json};

/// Peak of resident memory, in MB, at most.
const MEMORY_GOAL: f64 = 100.0;
/// Streamers of the table.
const STREAMERS: usize = 200;
/// Moments of a row.
const MOMENTS: usize = 3;
/// Streamers and pages that the baseline asks for at once, as the product does.
const AT_ONCE: usize = 4;
const PAGE: i32 = 500;
/// Parts in which filling tells how far it is.
const PARTS: usize = 10;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["import", endpoint] => told(import(endpoint).await),
        ["discard", endpoint] => told(discard(endpoint).await),
        _ => compare().await,
    }
}

/// What a process did: rows, highlights, jobs, seconds.
type Done = (u64, u64, usize, f64);

/// Tells the process that started this one what was done and what it took.
fn told((rows, highlights, jobs, seconds): Done) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    let megabytes = kib * 1024.0 / 1e6;
    println!(
        "{}",
        json!({ "rows": rows, "highlights": highlights, "jobs": jobs, "seconds": seconds, "mb": megabytes })
    );
}

fn definition() -> Import {
    definition::decode(&json!({
        "name": "Best of the year",
        "source": { "dynamodb": {
            "streamers": { "table": "streamers" }, "highlights": { "table": "moments", "date_form": "timestamp" },
            "video": { "url": "https://media.example/vods/{id}.mp4" } } },
        "window": { "from": "2025-11-22", "to": "2026-11-22" },
        "montages": [
            { "of": "each_streamer", "select": { "order": "time" } },
            { "of": "all_streamers", "select": { "mix": "equal" } } ],
        "template": {},
    }))
    .unwrap()
}

fn start() -> DateTime<Utc> {
    "2025-11-22T00:00:00Z".parse().unwrap()
}

/// The product's way.
async fn import(endpoint: &str) -> Done {
    let ways = DynamodbServer::ways(endpoint, "streamers,moments").await;
    let import = definition();
    let HighlightSource::Dynamodb { dynamodb } = &import.source else { panic!("it is DynamoDB") };
    let Some(WindowRule::Days(days)) = import.window else { panic!("it has days") };
    let began = Instant::now();
    let mut gathered = Gathered::new(Some(Window { days, zone: import.zone }));
    Dynamodb::open(dynamodb, &ways).unwrap().read(&mut gathered).await.unwrap();
    let jobs = plan(&import, "bench", start(), &mut gathered).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(gathered.report().skipped, 0, "{:?}", gathered.report());
    (gathered.report().rows, gathered.report().highlights, jobs.len(), seconds)
}

/// The same pages, thrown away.
async fn discard(endpoint: &str) -> Done {
    let client = DynamodbServer::client(endpoint).await;
    let began = Instant::now();
    let streamers = client.scan().table_name("streamers").into_paginator().items().send();
    let streamers: Vec<_> = streamers.collect::<Result<Vec<_>, _>>().await.unwrap();
    let counts = stream::iter(streamers).map(|streamer| {
        let pages = client
            .query()
            .table_name("moments")
            .key_condition_expression("ChannelId = :id AND #date BETWEEN :from AND :to")
            .projection_expression("#date, VideoId, TopHighlights")
            .expression_attribute_names("#date", "Date")
            .expression_attribute_values(":id", streamer["ChannelId"].clone())
            .expression_attribute_values(":from", text("2025-11-22T00:00:00"))
            .expression_attribute_values(":to", text("2026-11-23T00:00:00"))
            .into_paginator()
            .page_size(PAGE);
        async move {
            let mut pages = pages.send();
            let mut rows = 0;
            while let Some(page) = pages.try_next().await? {
                rows += page.items().len() as u64;
            }
            Ok::<_, highlights::testing::Error>(rows)
        }
    });
    let counts: Vec<u64> = counts.buffer_unordered(AT_ONCE).try_collect().await.unwrap();
    (counts.iter().sum(), 0, 0, began.elapsed().as_secs_f64())
}

async fn compare() {
    let rows = std::env::var("SM_BENCH_ROWS")
        .map_or(100_000, |text| text.parse().expect("SM_BENCH_ROWS is a number"));
    assert!(rows >= 10 * STREAMERS, "SM_BENCH_ROWS: expected at least {}", 10 * STREAMERS);
    let Some(server) = DynamodbServer::start() else { return };
    fill(&server, rows).await;
    println!("reading them");
    let discarded = in_a_process_of_its_own("discard", server.endpoint());
    let imported = in_a_process_of_its_own("import", server.endpoint());
    for done in [&discarded, &imported] {
        assert_eq!(done["rows"], rows, "every row is read");
    }
    assert_eq!(imported["highlights"], rows * MOMENTS, "every highlight is there");
    assert_eq!(imported["jobs"], STREAMERS + 1, "a montage of each and one of all");

    let figure = |done: &Value, name: &str| done[name].as_f64().unwrap();
    let memory = (figure(&discarded, "mb"), figure(&imported, "mb"));
    let seconds = (figure(&discarded, "seconds"), figure(&imported, "seconds"));
    let per_second = |seconds: f64| rows as f64 / seconds;
    let met = if memory.1 < MEMORY_GOAL { "met" } else { "MISSED" };
    println!(
        "\n{rows} rows of {STREAMERS} streamers, {} highlights, {} jobs",
        imported["highlights"], imported["jobs"]
    );
    println!("{:<24} {:>16} {:>12} {:>7}  goal", "what", "pages discarded", "imported", "ratio");
    println!(
        "{:<24} {:>16.1} {:>12.1} {:>7.2}  below {MEMORY_GOAL} MB: {met}",
        "peak memory, MB",
        memory.0,
        memory.1,
        memory.1 / memory.0
    );
    println!("{:<24} {:>16.2} {:>12.2} {:>7.2}  -", "time, s", seconds.0, seconds.1, seconds.1 / seconds.0);
    println!(
        "{:<24} {:>16.0} {:>12.0} {:>7.2}  -",
        "rows a second",
        per_second(seconds.0),
        per_second(seconds.1),
        seconds.0 / seconds.1
    );
}

/// Runs one of the ways in a process of its own; what it told.
fn in_a_process_of_its_own(way: &str, endpoint: &str) -> Value {
    let output = Command::new(std::env::current_exe().unwrap()).args([way, endpoint]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{way}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&told).unwrap()
}

async fn fill(server: &DynamodbServer, rows: usize) {
    server.create("streamers", ("ChannelId", KeyIs::S), None).await;
    let channels: Vec<String> = (0..STREAMERS).map(|index| format!("UC{index:022}")).collect();
    let streamers = channels.iter().enumerate();
    let streamers = streamers
        .map(|(index, id)| item([("ChannelId", text(id)), ("Name", text(&format!("streamer {index}")))]));
    server.put("streamers", streamers.collect::<Vec<_>>()).await;
    server.create("moments", ("ChannelId", KeyIs::S), Some(("Date", KeyIs::S))).await;
    for part in 0..PARTS {
        let some = (rows * part / PARTS..rows * (part + 1) / PARTS).map(|row| moments(&channels, rows, row));
        server.put("moments", some.collect::<Vec<_>>()).await;
        println!("{} rows are written", rows * (part + 1) / PARTS);
    }
}

/// One row: rows go around the streamers, and each streamer's are spread over the year.
fn moments(channels: &[String], rows: usize, row: usize) -> HashMap<String, AttributeValue> {
    let apart = TimeDelta::days(366).num_seconds() * STREAMERS as i64 / rows as i64;
    let at = start() + TimeDelta::seconds((row / STREAMERS) as i64 * apart);
    let moments = (0..MOMENTS).map(|index| {
        // Spread without order, as scores are.
        let mixed = (row * MOMENTS + index).wrapping_mul(2_654_435_761) % 1_000;
        let stamp = format!("{}:{:02}:{:02}.{:03}", index, mixed % 60, row % 60, mixed);
        json!({ "Timestamp": stamp, "Score": mixed as f64 / 10.0 })
    });
    item([
        ("ChannelId", text(&channels[row % STREAMERS])),
        ("Date", text(&at.format("%Y-%m-%dT%H:%M:%SZ").to_string())),
        ("VideoId", text(&format!("v{row:010}"))),
        ("TopHighlights", text(&Value::from_iter(moments).to_string())),
    ])
}
