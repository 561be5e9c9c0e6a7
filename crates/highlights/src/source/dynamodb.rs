//! Highlights that lie in DynamoDB: a table of streamers, and a table with the best moments of each streamer's days.
//!
//! All pages of the table of streamers are read, then for each streamer all pages of the other table within the window, some streamers
//! at once and little ahead, so that a large table is never in memory. What is gathered stands by streamer, in the order in which DynamoDB
//! lists them, and by date. Names of attributes are taken as they are: `stats.video` is an attribute with a dot in its name.
//!
//! Promises: only tables are read that the operator lists in `SM_DYNAMODB_TABLES`, since whoever writes a schedule has not the operator's
//! rights; where people use their own credentials, [`Ways::for_own_account`] asks for no list. Throttling is waited out, in bounded tries. An item, or
//! a moment of an item, that cannot be used is reported and skipped. Fails with advice where a table, a right, a region or credentials
//! are missing; no message holds credentials or the endpoint.

mod client;
mod row;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    types::AttributeValue::{self, N, S},
};
use chrono::{DateTime, Utc};
use contracts::import::{DateForm, DynamodbSource};
use futures::future::BoxFuture;
use service_kit::env::Env;
use tokio::sync::{OnceCell, mpsc};
use tokio_util::task::AbortOnDropHandle;

use self::client::Asked;
use super::{Source, SourceError};
use crate::{
    candidate::{Gathered, Streamer},
    window::Window,
};

/// Streamers whose highlights are read at once.
const AT_ONCE: usize = 4;
/// Most items of a page, so that a page takes little memory; DynamoDB itself ends one at 1 MiB.
const PAGE: i32 = 500;
/// Most streamers of a table.
const MOST_STREAMERS: usize = 100_000;

/// What DynamoDB stores under one key.
type Item = HashMap<String, AttributeValue>;

/// How DynamoDB is reached, and which tables may be read. Clones share one connection.
#[derive(Clone)]
pub struct Ways {
    endpoint: Option<String>,
    /// All, where there is no list.
    tables: Option<BTreeSet<String>>,
    config: Arc<OnceCell<SdkConfig>>,
}

impl Ways {
    /// Those of a service, which reads in the name of others: without `SM_DYNAMODB_TABLES` no table is read.
    ///
    /// # Errors
    /// When a setting cannot be read.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let tables = Some(listed(env).unwrap_or_default());
        Ok(Self { tables, ..Self::for_own_account(env)? })
    }

    /// Those of a program that its user runs with credentials of their own: the command line, the Lambda handler. Every table that the
    /// credentials may read is read, unless `SM_DYNAMODB_TABLES` lists some.
    ///
    /// # Errors
    /// When a setting cannot be read.
    pub fn for_own_account(env: &Env) -> anyhow::Result<Self> {
        let endpoint = env.get("SM_DYNAMODB_ENDPOINT").map(client::endpoint).transpose()?;
        Ok(Self { endpoint, tables: listed(env), config: Arc::default() })
    }

    /// The same with credentials and a region that are not looked for in the environment.
    #[cfg(feature = "testing")]
    #[must_use]
    pub async fn with_credentials(self, key_id: &str, secret: &str, region: &str) -> Self {
        use aws_sdk_dynamodb::config::{Credentials, Region};
        let credentials = Credentials::new(key_id, secret, None, None, "given");
        let loader = client::loader(self.endpoint.as_deref())
            .credentials_provider(credentials)
            .region(Region::new(region.to_owned()));
        Self { config: Arc::new(OnceCell::new_with(Some(loader.load().await))), ..self }
    }

    fn check(&self, table: &str) -> Result<(), SourceError> {
        if self.tables.as_ref().is_none_or(|tables| tables.contains(table)) {
            return Ok(());
        }
        Err(SourceError::Refused(format!(
            "the table `{table}` is not open to imports: the operator lists those that are in SM_DYNAMODB_TABLES"
        )))
    }
}

fn listed(env: &Env) -> Option<BTreeSet<String>> {
    let names = env.get("SM_DYNAMODB_TABLES")?.split(',').map(str::trim);
    Some(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// Whether a text is a region's name. It becomes part of a host's name, so that nothing else may stand in it.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn check_region(region: &str) -> Result<(), &'static str> {
    let plain = region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if plain && (1..=50).contains(&region.len()) && !region.starts_with('-') && !region.ends_with('-') {
        Ok(())
    } else {
        Err("expected the name of an AWS region, like eu-central-1")
    }
}

/// Two tables that are read.
pub struct Dynamodb {
    source: DynamodbSource,
    ways: Ways,
}

/// Somebody of the table of streamers.
struct Channel {
    streamer: Arc<Streamer>,
    /// Their id as it stands in the table, a text or a number.
    key: AttributeValue,
}

impl Dynamodb {
    /// Opens a source; nothing is asked for yet.
    ///
    /// # Errors
    /// Where a table may not be read.
    pub fn open(source: &DynamodbSource, ways: &Ways) -> Result<Self, SourceError> {
        ways.check(&source.streamers.table)?;
        ways.check(&source.highlights.table)?;
        if let Some(region) = &source.region {
            check_region(region).map_err(|detail| SourceError::Refused(format!("the region: {detail}")))?;
        }
        Ok(Self { source: source.clone(), ways: ways.clone() })
    }

    async fn channels(&self, client: &Client, into: &mut Gathered) -> Result<Vec<Channel>, SourceError> {
        let table = &self.source.streamers;
        let names = Names::of([("#id", &table.id), ("#name", &table.name)]);
        let scan = client
            .scan()
            .table_name(&table.table)
            .projection_expression(names.all())
            .set_expression_attribute_names(Some(names.placeholders()));
        let mut channels = Vec::new();
        let mut start = None;
        loop {
            let asked = Asked { table: &table.table, right: "dynamodb:Scan", validation: "" };
            let page = scan.clone().set_exclusive_start_key(start.clone()).send().await;
            let page = page.map_err(|error| client::failure(error, asked))?;
            for item in page.items.unwrap_or_default() {
                if let Some(channel) = row::channel(table, item, into) {
                    channels.push(channel);
                }
            }
            if channels.len() > MOST_STREAMERS {
                return Err(SourceError::Refused(format!(
                    "the table `{}` has more than {MOST_STREAMERS} streamers",
                    table.table
                )));
            }
            start = next(start, page.last_evaluated_key, &table.table)?;
            if start.is_none() {
                return Ok(channels);
            }
        }
    }

    /// What asks for the items of one streamer within a window.
    fn query(&self, client: &Client, channel: &Channel, window: &Window) -> QueryFluentBuilder {
        let table = &self.source.highlights;
        let read = Names::of([("#date", &table.date), ("#video", &table.video), ("#list", &table.list)]);
        let (from, to) = bounds(table.date_form, window.start(), window.end(), window);
        client
            .query()
            .table_name(&table.table)
            .key_condition_expression("#streamer = :streamer AND #date BETWEEN :from AND :to")
            .projection_expression(read.all())
            .set_expression_attribute_names(Some(read.placeholders()))
            .expression_attribute_names("#streamer", &table.streamer)
            .expression_attribute_values(":streamer", channel.key.clone())
            .expression_attribute_values(":from", from)
            .expression_attribute_values(":to", to)
            .limit(PAGE)
    }

    /// Reads the pages of one streamer ahead, as far as `pages` has room.
    fn ahead(
        &self,
        query: QueryFluentBuilder,
        pages: mpsc::Sender<Vec<Item>>,
    ) -> AbortOnDropHandle<Result<(), SourceError>> {
        let table = &self.source.highlights;
        let name = table.table.clone();
        let validation = format!(
            "check that `{}` is its partition key, `{}` its sort key, and that `date_form` says how dates are written in it",
            table.streamer, table.date
        );
        AbortOnDropHandle::new(tokio::spawn(async move {
            let mut start = None;
            loop {
                let asked = Asked { table: &name, right: "dynamodb:Query", validation: &validation };
                let page = query.clone().set_exclusive_start_key(start.clone()).send().await;
                let page = page.map_err(|error| client::failure(error, asked))?;
                // Nobody takes it any more: somebody else's pages failed.
                if pages.send(page.items.unwrap_or_default()).await.is_err() {
                    return Ok(());
                }
                start = next(start, page.last_evaluated_key, &name)?;
                if start.is_none() {
                    return Ok(());
                }
            }
        }))
    }
}

impl Source for Dynamodb {
    fn read<'a>(&'a self, into: &'a mut Gathered) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async move {
            let window = into.window();
            let window = window
                .ok_or_else(|| SourceError::Refused("tables are asked for some days: say which".into()))?;
            let client = self.ways.client(self.source.region.as_deref()).await?;
            let mut channels = self.channels(&client, into).await?.into_iter();
            let mut read = VecDeque::new();
            loop {
                while read.len() < AT_ONCE
                    && let Some(channel) = channels.next()
                {
                    let (sender, pages) = mpsc::channel(1);
                    let reader = self.ahead(self.query(&client, &channel, &window), sender);
                    read.push_back((channel.streamer, pages, reader));
                }
                let Some((streamer, mut pages, reader)) = read.pop_front() else {
                    return Ok(());
                };
                while let Some(page) = pages.recv().await {
                    for item in page {
                        into.row()?;
                        row::item(&self.source, &streamer, &item, into);
                    }
                }
                reader
                    .await
                    .map_err(|_| SourceError::Unavailable("reading was interrupted".to_owned()))??;
            }
        })
    }
}

/// Placeholders of attributes, as expressions need them where a name is reserved or has signs in it. No attribute is named twice, which
/// DynamoDB refuses.
struct Names<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Names<'a> {
    fn of<const MANY: usize>(names: [(&'static str, &'a String); MANY]) -> Self {
        let mut kept: Vec<(&'static str, &'a str)> = Vec::with_capacity(MANY);
        for (placeholder, name) in names {
            if kept.iter().all(|(_, known)| *known != name.as_str()) {
                kept.push((placeholder, name));
            }
        }
        Self(kept)
    }

    fn all(&self) -> String {
        self.0.iter().map(|(placeholder, _)| *placeholder).collect::<Vec<_>>().join(", ")
    }

    fn placeholders(&self) -> HashMap<String, String> {
        self.0.iter().map(|(placeholder, name)| ((*placeholder).to_owned(), (*name).to_owned())).collect()
    }
}

/// Where the next page starts; `None` behind the last.
fn next(last: Option<Item>, next: Option<Item>, table: &str) -> Result<Option<Item>, SourceError> {
    match next.filter(|next| !next.is_empty()) {
        Some(next) if last.as_ref() == Some(&next) => Err(SourceError::Unavailable(format!(
            "DynamoDB answers the same page of the table `{table}` again and again"
        ))),
        next => Ok(next),
    }
}

/// The keys between which everything of a window lies. Both are included, and what they let in beyond it is left out later.
fn bounds(
    form: DateForm,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    window: &Window,
) -> (AttributeValue, AttributeValue) {
    match form {
        DateForm::Day => (S(window.days.from.to_string()), S(window.days.to.to_string())),
        // Without what may follow the second (`Z`, or a fraction and `Z`), since a fraction sorts before `Z`.
        DateForm::Timestamp => {
            let second = |moment: DateTime<Utc>| S(moment.format("%Y-%m-%dT%H:%M:%S").to_string());
            (second(start), second(end))
        }
        DateForm::Seconds => (N(start.timestamp().to_string()), N(end.timestamp().to_string())),
        DateForm::Milliseconds => {
            (N(start.timestamp_millis().to_string()), N(end.timestamp_millis().to_string()))
        }
    }
}
