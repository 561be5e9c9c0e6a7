//! What is asked of the library, and what the answers must be like.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::HashSet;

use crate::Asker;

/// Montages on a page.
const PAGE: i64 = 50;
/// Pages that are walked from one to the next.
const WALKED: i64 = 1000;

/// A kind of request.
pub struct Question {
    /// What it stands for.
    pub name: String,
    /// The paths that are asked for, in turn.
    pub paths: Vec<String>,
    /// How many items an answer has at least; none for what is no list.
    least: Option<usize>,
    /// What the first item's id must be.
    first: Option<String>,
    /// Where this is the deepest of some pages: which question is the first page.
    pub deepest_of: Option<usize>,
}

impl Question {
    fn new(name: impl Into<String>, paths: Vec<String>, least: usize) -> Self {
        Self { name: name.into(), paths, least: Some(least), first: None, deepest_of: None }
    }

    /// Whether an answer is one.
    pub fn check(&self, path: &str, answer: &Value) {
        if let Some(least) = self.least {
            let items = answer["items"].as_array().unwrap();
            assert!(items.len() >= least, "{path}: {} items", items.len());
            if let Some(first) = &self.first {
                assert_eq!(items[0]["id"], **first, "{path}");
            }
        }
    }
}

/// Finds out what to ask.
pub async fn prepare(asker: &Asker, pool: &PgPool, montages: i64) -> Vec<Question> {
    let full = PAGE as usize;
    let mut questions = vec![Question::new("first page", vec!["/v1/montages".to_owned()], full)];
    let first = asker.ask("/v1/montages").await;

    // Pages that are walked to, which must neither repeat nor skip anything.
    let last_page = montages / PAGE - 1;
    let walked = WALKED.min(last_page);
    let (mut seen, mut cursor) = (HashSet::new(), String::new());
    let mut depths = Vec::new();
    for page in 1..=walked {
        let path = if cursor.is_empty() { "/v1/montages".to_owned() } else { at(&cursor) };
        let answer = asker.ask(&path).await;
        seen.extend(answer["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()));
        if [10, 100, 1000].contains(&page) {
            depths.push((page, cursor.clone()));
        }
        cursor = answer["next_cursor"].as_str().unwrap().to_owned();
    }
    let newest: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM montages.montages
         WHERE created_at >= (SELECT created_at FROM montages.montages ORDER BY created_at DESC OFFSET $1 LIMIT 1)",
    )
    .bind(walked * PAGE - 1)
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!((seen.len() as i64, newest), (walked * PAGE, walked * PAGE));
    // And one that is jumped to, by a cursor as the service makes it.
    for page in [10_000, last_page] {
        if page <= last_page && depths.last().is_none_or(|(deepest, _)| page > *deepest) {
            depths.push((page, cursor_at(pool, &first, (page - 1) * PAGE, "true").await));
        }
    }
    let deepest = depths.len() - 1;
    for (index, (page, cursor)) in depths.into_iter().enumerate() {
        let mut question = Question::new(format!("page {page}"), vec![at(&cursor)], full);
        question.first = Some(id_at(pool, (page - 1) * PAGE).await);
        question.deepest_of = (index == deepest || page == 10_000).then_some(0);
        questions.push(question);
    }

    let list = |query: &str| format!("/v1/montages?{query}");
    let streamers = streamers(pool).await;
    let (common, rare) = (&streamers[0], streamers.iter().rev().take(20));
    let by_common = list(&format!("streamer={common}"));
    let answer = asker.ask(&by_common).await;
    let only = format!("streamers @> ARRAY['{common}']");
    let cursor = cursor_at(pool, &answer, 99 * PAGE, &only).await;
    let rare: Vec<String> = rare.map(|name| list(&format!("streamer={name}"))).collect();
    let some: Vec<String> =
        streamers.iter().step_by(50).take(20).map(|name| list(&format!("streamer={name}"))).collect();
    let within = list("since=2023-06-01T00:00:00Z&until=2023-07-01T00:00:00Z");
    let best = list("q=best");
    let deep = cursor_at(pool, &asker.ask(&best).await, 99 * PAGE, "title LIKE 'Best%'").await;
    questions.extend([
        Question::new("kind", vec![list("kind=montage")], full),
        Question::new(
            format!("streamer in {} %", streamers_share(pool, common, montages).await),
            vec![by_common.clone()],
            full,
        ),
        Question::new("the same, page 100", vec![format!("{by_common}&cursor={cursor}")], full),
        Question::new("streamers of all sorts", some, 1),
        Question::new("rare streamers", rare, 1),
        Question::new("streamer who stopped years ago", vec![list("streamer=veteran")], full),
        Question::new("label of every fifth", vec![list("label=show:special")], full),
        Question::new("label of every 10,000th", vec![list("label=award:gold")], 1),
        Question::new("label of every 10,000th, by its name", vec![list("label=award")], 1),
        Question::new("a month in the middle", vec![within.clone()], full),
        Question::new(
            "streamer and label in that month",
            vec![format!("{within}&streamer={common}&label=show:monthly")],
            1,
        ),
        Question::new("word of every third", vec![best.clone()], full),
        Question::new("the same, page 100", vec![format!("{best}&cursor={deep}")], full),
        Question::new("word of one in a hundred", vec![list("q=clutch")], full),
        Question::new("word of every 50,000th", vec![list("q=quokka")], usize::from(montages >= 50_000)),
        Question::new("words of all sorts", words(list), 0),
        Question::new("two words", vec![list("q=best+clutch")], full.min(montages as usize / 1000)),
        Question::new("a word and a streamer", vec![list(&format!("q=clutch&streamer={common}"))], 1),
        Question::new("search: word of every third", vec!["/v1/search?q=best".to_owned()], full),
        Question::new("search: word of one in a hundred", vec!["/v1/search?q=clutch".to_owned()], full),
        Question::new(
            "search: word of every 50,000th",
            vec!["/v1/search?q=quokka".to_owned()],
            usize::from(montages >= 50_000),
        ),
        Question::new("search: words of all sorts", words(|query| format!("/v1/search?{query}")), 0),
        Question::new("search: word of every cue", vec!["/v1/search?q=then".to_owned()], full),
        Question { least: None, ..Question::new("facets", vec!["/v1/montages/facets".to_owned()], 0) },
    ]);
    questions
}

/// Words of the made-up language from the frequent to the rare.
fn words(path: impl Fn(&str) -> String) -> Vec<String> {
    [
        "kakaka",
        "mikaka",
        "kazoka",
        "halmika",
        "taluzo",
        "moroka",
        "zoquinre",
        "dorjinfi",
        "sarsarlu",
        "sarpelhal",
        "sarmorori",
        "quinlemsar",
    ]
    .map(|word| path(&format!("q={word}")))
    .to_vec()
}

fn at(cursor: &str) -> String {
    format!("/v1/montages?cursor={cursor}")
}

/// All streamers, the most frequent first.
async fn streamers(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT name FROM montages.montages, unnest(streamers) AS name WHERE name <> 'veteran'
         GROUP BY name ORDER BY count(*) DESC, name",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn streamers_share(pool: &PgPool, name: &str, montages: i64) -> i64 {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM montages.montages WHERE streamers @> ARRAY[$1]")
            .bind(name)
            .fetch_one(pool)
            .await
            .unwrap();
    count * 100 / montages
}

/// The id of the montage behind so many newer ones.
async fn id_at(pool: &PgPool, behind: i64) -> String {
    sqlx::query_scalar(
        "SELECT id::text FROM montages.montages ORDER BY created_at DESC, id DESC OFFSET $1 LIMIT 1",
    )
    .bind(behind)
    .fetch_one(pool)
    .await
    .unwrap()
}

/// The cursor behind so many montages of a list, made from the one of its first page.
async fn cursor_at(pool: &PgPool, first: &Value, behind: i64, filter: &str) -> String {
    let query = format!(
        "SELECT to_json(created_at)::text, id::text FROM montages.montages WHERE {filter} ORDER BY created_at DESC, id DESC OFFSET $1 LIMIT 1"
    );
    let (moment, id): (String, String) =
        sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(behind - 1).fetch_one(pool).await.unwrap();
    let envelope = URL_SAFE_NO_PAD.decode(first["next_cursor"].as_str().unwrap()).unwrap();
    let mut envelope: Value = serde_json::from_slice(&envelope).unwrap();
    envelope["k"] = json!([serde_json::from_str::<Value>(&moment).unwrap(), id]);
    URL_SAFE_NO_PAD.encode(envelope.to_string())
}
