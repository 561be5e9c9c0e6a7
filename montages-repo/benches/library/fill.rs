//! Fills the library, as fast as it can be: by SQL, with the indexes made afterwards as they were.

use sqlx::{AssertSqlSafe, PgPool};
use std::time::Instant;

/// Montages of one statement.
const BATCH: i64 = 20_000;

/// Names of three syllables out of twenty, and words out of 8,000 of them, the first ones the most frequent.
const WORDS: [&str; 2] = [
    "CREATE FUNCTION pg_temp.name(number integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
         SELECT part[1 + number % 20] || part[1 + number / 20 % 20] || part[1 + number / 400 % 20]
         FROM (SELECT '{ka,zo,mi,re,lu,ta,ben,dor,fi,gra,hal,jin,ko,lem,mor,nash,ori,pel,quin,sar}'::text[]) AS parts (part)
     $$",
    "CREATE FUNCTION pg_temp.word(skew integer) RETURNS text LANGUAGE sql VOLATILE AS $$
         SELECT pg_temp.name(floor(8000 * power(random(), skew))::integer)
     $$",
];

/// Fills an empty library with so many montages.
pub async fn fill(pool: &PgPool, montages: i64) {
    let began = Instant::now();
    println!("filling a library of {montages} montages (7 minutes for a million on two cores)");
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT indexname::text, indexdef FROM pg_indexes
         WHERE schemaname = 'montages' AND tablename IN ('montages', 'cues')
           AND indexname::text NOT IN (SELECT conname::text FROM pg_constraint)",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    // One connection, for its functions.
    let mut connection = pool.acquire().await.unwrap();
    for (name, _) in &indexes {
        let drop = format!("DROP INDEX montages.{name}");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *connection).await.unwrap();
    }
    // Its work is done at once, too.
    let still = "ALTER TABLE montages.montages DISABLE TRIGGER tags";
    sqlx::raw_sql(still).execute(&mut *connection).await.unwrap();
    for function in WORDS {
        sqlx::raw_sql(function).execute(&mut *connection).await.unwrap();
    }
    sqlx::raw_sql("SELECT setseed(0.5)").execute(&mut *connection).await.unwrap();
    let mut first = 1;
    while first <= montages {
        let last = (first + BATCH - 1).min(montages);
        sqlx::query(include_str!("fill.sql"))
            .bind(first)
            .bind(last)
            .bind(montages)
            .execute(&mut *connection)
            .await
            .unwrap();
        first = last + 1;
    }
    sqlx::raw_sql(
        "SET maintenance_work_mem = '256MB';
         SET work_mem = '256MB';
         INSERT INTO montages.tags (tag, created_at, montage_id, kind)
         SELECT tag, created_at, id, kind FROM montages.montages, montages.tags_of(streamers, labels) AS tag
         ORDER BY tag, created_at, id;
         ALTER TABLE montages.montages ENABLE TRIGGER tags",
    )
    .execute(&mut *connection)
    .await
    .unwrap();
    for (_, definition) in indexes {
        sqlx::raw_sql(AssertSqlSafe(definition)).execute(&mut *connection).await.unwrap();
    }
    sqlx::raw_sql("VACUUM (ANALYZE) montages.montages, montages.cues, montages.pieces, montages.tags")
        .execute(&mut *connection)
        .await
        .unwrap();
    let size: String = sqlx::query_scalar("SELECT pg_size_pretty(pg_database_size(current_database()))")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    println!("filled in {:.0} s; the database has {size}", began.elapsed().as_secs_f64());
}
