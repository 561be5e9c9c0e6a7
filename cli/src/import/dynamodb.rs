//! The flags of an import from DynamoDB, and the definition that they make.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use service_kit::env::Env;
use std::path::PathBuf;

use super::{Days, Output};
use crate::submit::read_json;

/// Days of the window, if no flag says.
const USUAL_DAYS: u16 = 7;

/// What is in the tables, and what is made of it.
#[derive(Args)]
pub struct Flags {
    /// The import's name: the same name and days make no job twice
    #[arg(long)]
    name: String,
    /// The table of streamers
    #[arg(long, value_name = "TABLE")]
    streamers_table: String,
    /// Its key: the channel's id [default: ChannelId]
    #[arg(long, value_name = "ATTRIBUTE")]
    streamer_id: Option<String>,
    /// Its attribute with the name that people know [default: Name]
    #[arg(long, value_name = "ATTRIBUTE")]
    streamer_name: Option<String>,
    /// The table of highlights
    #[arg(long, value_name = "TABLE")]
    highlights_table: String,
    /// Its partition key: the channel's id [default: ChannelId]
    #[arg(long, value_name = "ATTRIBUTE")]
    highlight_streamer: Option<String>,
    /// Its sort key: the date [default: Date]
    #[arg(long, value_name = "ATTRIBUTE")]
    highlight_date: Option<String>,
    /// How the date is written
    #[arg(long, value_enum, default_value = "day")]
    date_form: DateForm,
    /// Its attribute with the video's id [default: VideoId]
    #[arg(long, value_name = "ATTRIBUTE")]
    highlight_video: Option<String>,
    /// Its attribute with the list of moments, as JSON text or as a list [default: TopHighlights]
    #[arg(long, value_name = "ATTRIBUTE")]
    highlight_list: Option<String>,
    /// The field of a moment that says where it starts [default: Timestamp]
    #[arg(long, value_name = "FIELD")]
    timestamp: Option<String>,
    /// The field of a moment that says how good it is [default: Score]
    #[arg(long, value_name = "FIELD")]
    score: Option<String>,
    /// Where a video is, like https://media.example/{id}.mp4
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "video_path",
        conflicts_with = "video_path"
    )]
    video_url: Option<String>,
    /// Where a video is below a media directory, like library:{id}.mkv
    #[arg(long, value_name = "PATH")]
    video_path: Option<String>,
    /// How long a highlight is, like 45s [default: 60s]
    #[arg(long, value_name = "TIME")]
    duration: Option<String>,
    /// The AWS region [default: that of the AWS settings]
    #[arg(long)]
    region: Option<String>,
    /// A DynamoDB other than AWS's own, like http://127.0.0.1:8000 [default: SM_DYNAMODB_ENDPOINT]
    #[arg(long, value_name = "ADDRESS")]
    endpoint: Option<String>,
    /// Whose clock tells when a day begins, like Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Without --days, --from and --to: the seven days before today
    #[command(flatten)]
    days: Days,
    /// Which montages are made, as a schedule's `montages` (a JSON file, or -) [default: one of each streamer's, one highlight of each video in
    /// the order of time; and one of all, the best of each streamer, shuffled]
    #[arg(long, value_name = "FILE")]
    montages: Option<PathBuf>,
    /// Options of the jobs, as a schedule's `template` (a JSON file, or -)
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    #[command(flatten)]
    pub output: Output,
}

/// How a date is written in a sort key.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DateForm {
    /// 2026-11-22
    Day,
    /// 2026-11-22T18:30:00Z
    Timestamp,
    /// Seconds since 1970
    Seconds,
    /// Milliseconds since 1970
    Milliseconds,
}

/// Where in the definition stands what a flag says.
const PLACES: &[(&str, &str)] = &[
    ("/name", "--name"),
    ("/source/dynamodb/streamers/table", "--streamers-table"),
    ("/source/dynamodb/streamers/id", "--streamer-id"),
    ("/source/dynamodb/streamers/name", "--streamer-name"),
    ("/source/dynamodb/highlights/table", "--highlights-table"),
    ("/source/dynamodb/highlights/streamer", "--highlight-streamer"),
    ("/source/dynamodb/highlights/date", "--highlight-date"),
    ("/source/dynamodb/highlights/video", "--highlight-video"),
    ("/source/dynamodb/highlights/list", "--highlight-list"),
    ("/source/dynamodb/highlights/timestamp", "--timestamp"),
    ("/source/dynamodb/highlights/score", "--score"),
    ("/source/dynamodb/video/url", "--video-url"),
    ("/source/dynamodb/video/path", "--video-path"),
    ("/source/dynamodb/duration", "--duration"),
    ("/source/dynamodb/region", "--region"),
    ("/time_zone", "--time-zone"),
    ("/window/last_days", "--days"),
    ("/window/from", "--from"),
    ("/window/to", "--to"),
];

/// The flag that a mistake is in, or its place in the file that a flag names.
pub fn flag(pointer: &str) -> String {
    let exact = PLACES.iter().find(|(place, _)| *place == pointer).map(|(_, flag)| (*flag).to_owned());
    let of_file = |name: &str, flag: &str| pointer.strip_prefix(name).map(|rest| format!("{flag} {rest}"));
    exact
        .or_else(|| of_file("/montages", "--montages"))
        .or_else(|| of_file("/template", "--template"))
        .unwrap_or_else(|| pointer.to_owned())
}

impl Flags {
    /// The settings, with what flags say instead.
    pub fn env(&self, env: &Env) -> anyhow::Result<Env> {
        let endpoint = self.endpoint.clone().map(|endpoint| ("SM_DYNAMODB_ENDPOINT", Some(endpoint)));
        Ok(env.with(endpoint)?)
    }

    /// The definition, to be decoded.
    pub fn definition(&self) -> anyhow::Result<Value> {
        let video = self
            .video_url
            .as_ref()
            .map_or_else(|| json!({ "path": self.video_path }), |url| json!({ "url": url }));
        let date_form = match self.date_form {
            DateForm::Day => "day",
            DateForm::Timestamp => "timestamp",
            DateForm::Seconds => "seconds",
            DateForm::Milliseconds => "milliseconds",
        };
        Ok(json!({
            "name": self.name,
            "time_zone": self.time_zone,
            "source": { "dynamodb": {
                "streamers": { "table": self.streamers_table, "id": self.streamer_id, "name": self.streamer_name },
                "highlights": {
                    "table": self.highlights_table,
                    "streamer": self.highlight_streamer,
                    "date": self.highlight_date,
                    "date_form": date_form,
                    "video": self.highlight_video,
                    "list": self.highlight_list,
                    "timestamp": self.timestamp,
                    "score": self.score,
                },
                "video": video,
                "duration": self.duration,
                "region": self.region,
            } },
            "window": self.days.window().unwrap_or_else(|| json!({ "last_days": USUAL_DAYS })),
            "montages": self.montages.as_deref().map_or_else(|| Ok(usual_montages()), read_json)?,
            "template": self.template.as_deref().map_or_else(|| Ok(json!({})), read_json)?,
        }))
    }
}

fn usual_montages() -> Value {
    json!([
        {
            "of": "each_streamer",
            "title": "{streamer}, {from} to {to}",
            "labels": { "import": "{name}", "streamer": "{streamer}" },
            "select": { "per_video": 1, "order": "time" }
        },
        {
            "of": "all_streamers",
            "title": "The best of all, {from} to {to}",
            "labels": { "import": "{name}" },
            "select": { "per_streamer": 1, "order": "shuffle" }
        }
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use contracts::import::{HighlightSource, WindowRule};
    use highlights::definition::decode;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        flags: Flags,
    }

    fn flags(line: &str) -> Flags {
        Program::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}")).flags
    }

    const LEAST: &str = "import --name weekly --streamers-table s --highlights-table h --video-url https://media.example/{id}.mp4";

    #[test]
    fn few_flags_make_a_whole_import() {
        let import = decode(&flags(LEAST).definition().unwrap()).unwrap();
        assert_eq!(import.window, Some(WindowRule::LastDays { last_days: 7 }));
        assert_eq!(import.montages.len(), 2);
        let HighlightSource::Dynamodb { dynamodb } = import.source else { panic!("{:?}", import.source) };
        assert_eq!(dynamodb.highlights.list, "TopHighlights");
    }

    #[test]
    fn every_flag_has_its_place_and_a_mistake_names_its_flag() {
        let line = format!(
            "{LEAST} --streamer-id a --streamer-name b --highlight-streamer c --highlight-date d --date-form seconds --highlight-video e \
             --highlight-list f --timestamp g --score h --duration 45s --region eu-central-1 --time-zone Europe/Berlin --from 2026-11-16 \
             --to 2026-11-22"
        );
        let mut definition = flags(&line).definition().unwrap();
        decode(&definition).unwrap();
        let not_flags = ["/source/dynamodb/video/path", "/window/last_days"];
        for (place, flag) in PLACES.iter().filter(|(place, _)| !not_flags.contains(place)) {
            assert!(definition.pointer(place).is_some_and(|value| !value.is_null()), "{place} {flag}");
            *definition.pointer_mut(place).unwrap() = json!(["not a text"]);
        }
        let mistakes = decode(&definition).unwrap_err();
        for (_, flag) in PLACES.iter().filter(|(place, _)| !not_flags.contains(place)) {
            assert!(
                mistakes.iter().any(|mistake| super::flag(&mistake.pointer) == *flag),
                "{flag}: {mistakes:?}"
            );
        }
        assert_eq!(flag("/montages/0/of"), "--montages /0/of");
    }

    #[test]
    fn flags_that_contradict_each_other_are_refused() {
        for more in [
            "--video-path library:{id}.mkv",
            "--days 7 --from 2026-11-16 --to 2026-11-22",
            "--from 2026-11-16",
        ] {
            assert!(Program::try_parse_from(format!("{LEAST} {more}").split(' ')).is_err(), "{more}");
        }
    }
}
