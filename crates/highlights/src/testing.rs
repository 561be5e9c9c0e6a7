//! For tests only: a DynamoDB-compatible server of their own, and tables filled with what a test says.

use std::{
    collections::HashMap,
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PutRequest, WriteRequest,
};
pub use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ScalarAttributeType as KeyIs},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use service_kit::env::Env;

use crate::source::dynamodb::Ways;

/// What the server lets in: it looks at no signature, only whether there is one.
const KEY_ID: &str = "AKIATEST";
/// The secret of that key.
const SECRET: &str = "test-secret";
/// The region of a server's tables.
pub const REGION: &str = "eu-central-1";
/// Most items of one `BatchWriteItem`.
const BATCH: usize = 25;
/// Batches written at once.
const WRITERS: usize = 4;

/// Listens on a free port of loopback, says it, and ends when whoever started it does, however that ends.
const PROGRAM: &str = "
    const server = require(process.argv[1])({ createTableMs: 10, deleteTableMs: 10 });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    process.stdin.on('end', () => process.exit()).resume();
";

/// A server that lives as long as this value, with its tables in memory.
pub struct DynamodbServer {
    child: Child,
    endpoint: String,
}

/// A day of a streamer, as [`DynamodbServer::fill`] writes it.
#[derive(Debug, Clone)]
pub struct Day<'a> {
    /// The channel's id.
    pub channel: &'a str,
    /// Like `2026-11-22`.
    pub date: &'a str,
    /// The video's id.
    pub video: &'a str,
    /// The moments, as JSON or whatever else a test has in their place.
    pub list: String,
}

/// An item of attributes.
#[must_use]
pub fn item<const MANY: usize>(
    attributes: [(&str, AttributeValue); MANY],
) -> HashMap<String, AttributeValue> {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A text.
#[must_use]
pub fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// A number, as it is written.
#[must_use]
pub fn number(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}

#[allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
impl DynamodbServer {
    /// Starts a server. Where there is none: `None`, having said that the test is skipped; a failure where `CI=true`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.local/dynalite");
        if !place.join("made-of").exists() {
            assert!(env::var("CI").as_deref() != Ok("true"), "dynalite is not installed");
            eprintln!("skipped: dynalite is not installed; deployment/local/dynamodb.sh does it");
            return None;
        }
        let mut child = Command::new("node")
            .args(["-e", PROGRAM])
            .arg(place.join("node_modules/dynalite"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut port = String::new();
        let output = child.stdout.take().expect("its output is ours");
        BufReader::new(output).read_line(&mut port).expect("it says its port");
        let port: u16 = port.trim().parse().unwrap_or_else(|_| panic!("dynalite did not start: see above"));
        Some(Self { child, endpoint: format!("http://127.0.0.1:{port}") })
    }

    /// Its address.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The environment of a process that is to read its tables.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        let pairs = [
            ("AWS_ACCESS_KEY_ID", KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", REGION),
            ("SM_DYNAMODB_ENDPOINT", &self.endpoint),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Ways to it that may read some tables, or to something that stands before it.
    ///
    /// # Panics
    /// When they cannot be made.
    pub async fn ways(endpoint: &str, tables: &str) -> Ways {
        let settings = [("SM_DYNAMODB_ENDPOINT", endpoint), ("SM_DYNAMODB_TABLES", tables)];
        let env = Env::from_pairs(settings).expect("these settings are known");
        Ways::from_env(&env)
            .expect("these settings can be read")
            .with_credentials(KEY_ID, SECRET, REGION)
            .await
    }

    /// A client, to write with.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn client(&self) -> Client {
        Self::ways(&self.endpoint, "").await.client(None).await.expect("region and credentials are given")
    }

    /// Makes an empty table with its partition key and, where it has one, its sort key.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn create(&self, table: &str, partition: (&str, KeyIs), sort: Option<(&str, KeyIs)>) {
        let client = self.client().await;
        let mut request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
        let keys = [Some((partition, KeyType::Hash)), sort.map(|sort| (sort, KeyType::Range))];
        for ((name, is), key) in keys.into_iter().flatten() {
            let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(is);
            let element = KeySchemaElement::builder().attribute_name(name).key_type(key);
            request = request
                .attribute_definitions(definition.build().expect("it is whole"))
                .key_schema(element.build().expect("it is whole"));
        }
        request.send().await.expect("the table is made");
        // It is there a moment later.
        loop {
            let description =
                client.describe_table().table_name(table).send().await.expect("it is described");
            if description
                .table
                .and_then(|table| table.table_status)
                .is_some_and(|status| status.as_str() == "ACTIVE")
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Writes items into a table, some batches at once.
    ///
    /// # Panics
    /// When they cannot be written.
    pub async fn put(
        &self,
        table: &str,
        items: impl IntoIterator<Item = HashMap<String, AttributeValue>> + Send,
    ) {
        let client = &self.client().await;
        let requests = items.into_iter().map(|item| {
            let put = PutRequest::builder().set_item(Some(item)).build().expect("it is whole");
            WriteRequest::builder().put_request(put).build()
        });
        let batches = stream::iter(requests).chunks(BATCH).map(|batch| async move {
            let answer = client.batch_write_item().request_items(table, batch).send().await?;
            assert!(answer.unprocessed_items.is_none_or(|left| left.is_empty()), "everything is written");
            Ok::<_, aws_sdk_dynamodb::Error>(())
        });
        batches.buffer_unordered(WRITERS).try_collect::<Vec<()>>().await.expect("the items are written");
    }

    /// Makes a table of streamers, ids with names, and one of their days, with the names of attributes that are usual, and fills them.
    ///
    /// # Panics
    /// When they cannot be made.
    pub async fn fill(&self, streamers: (&str, &[(&str, &str)]), days: (&str, &[Day<'_>])) {
        self.create(streamers.0, ("ChannelId", KeyIs::S), None).await;
        let names =
            streamers.1.iter().map(|(id, name)| item([("ChannelId", text(id)), ("Name", text(name))]));
        self.put(streamers.0, names.collect::<Vec<_>>()).await;
        self.create(days.0, ("ChannelId", KeyIs::S), Some(("Date", KeyIs::S))).await;
        let items = days.1.iter().map(|day| {
            item([
                ("ChannelId", text(day.channel)),
                ("Date", text(day.date)),
                ("VideoId", text(day.video)),
                ("TopHighlights", text(&day.list)),
            ])
        });
        self.put(days.0, items.collect::<Vec<_>>()).await;
    }
}

impl Drop for DynamodbServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
