//! The executor's configuration, one struct per concern, each field with its variable.
//!
//! Everything is read once, at start; what cannot be used is an error that names the variable.

use std::{collections::HashMap, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use contracts::hint::DEFAULT_TOPIC;
use fetch::FetchConfig;
use secrecy::SecretString;
use service_kit::env::Env;
use transcribe::{LocalConfig, OpenAiConfig};

/// Most jobs at once: a heartbeat holds up to 100 leases, and one machine has no use for more.
const MOST_SLOTS: usize = 64;
/// Most plans and probes at once.
const MOST_PLAN_SLOTS: usize = 4;

/// The settings of an executor.
#[derive(Debug, Clone)]
pub struct Config {
    /// `SM_GATEWAY_URL`: the only address that an executor needs to know. `http://127.0.0.1:8080` by default.
    pub gateway_url: String,
    /// `SM_EXECUTOR_TOKEN`: an API key of scope `executor`; not needed where the gateway is open (loopback only).
    pub token: Option<SecretString>,
    /// `SM_EXECUTOR_NAME`: shown to people; the host's name by default.
    pub name: String,
    /// `SM_EXECUTOR_SLOTS`: jobs at once, 1 to 64; 1 by default.
    pub slots: usize,
    /// `SM_EXECUTOR_PLAN_SLOTS`: plans and probes at once, beside those jobs, 0 to 4; 1 by default. With 0 it makes none.
    pub plan_slots: usize,
    /// `SM_EXECUTOR_LISTEN`: where health and metrics are answered; `127.0.0.1:8084` by default.
    pub listen: SocketAddr,
    /// `SM_INTERNAL_TOKEN`: needed if that address is not on loopback.
    pub internal_token: Option<SecretString>,
    /// `SM_WORK_DIR`: where job directories are made; a directory of its own under the system's temporary one by default.
    pub work_dir: PathBuf,
    /// How montages are rendered.
    pub render: RenderConfig,
    /// What wakes it.
    pub hints: Hints,
    /// How sources are fetched.
    pub fetch: FetchConfig,
    /// What finds the media behind page addresses; nothing by default: then pages are refused.
    pub pages: Option<PagesConfig>,
    /// How speech is transcribed.
    pub transcribe: TranscribeConfig,
    /// When it asks and how long it takes to stop. Not variables: only tests change them.
    pub pace: Pace,
}

/// How montages are rendered.
#[derive(Debug, Clone)]
pub struct RenderConfig {
    /// `SM_RENDER_WORKER`: the program; `render-worker` beside this one by default.
    pub worker: PathBuf,
    /// `SM_RENDER_THREADS`: segments encoded at once by one job; the processors divided by the slots by default.
    pub threads: u32,
    /// `SM_RENDER_MEMORY`: address space of one worker, in bytes; 4 GiB by default.
    pub memory: u64,
    /// `SM_RENDER_OUTPUT`: most bytes in one job's directory; 20 GiB by default.
    pub output: u64,
    /// `SM_RENDER_CPU`: processor time of one worker; 12 hours by default.
    pub cpu: Duration,
}

/// How the media behind page addresses is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagesConfig {
    /// `SM_YT_DLP`: the yt-dlp program.
    pub program: PathBuf,
    /// `SM_YT_DLP_TIME`: the longest that it may take for one page; 60 seconds by default.
    pub time: Duration,
}

/// What wakes an executor.
#[derive(Debug, Clone)]
pub enum Hints {
    /// `SM_HINTS=kafka`: messages on a topic.
    Kafka(KafkaConfig),
    /// `SM_HINTS=postgres`: there is no Kafka; a claim waits at the jobs repository, which hears of new jobs by itself.
    LongPoll,
}

/// Where hints come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaConfig {
    /// `SM_KAFKA_BROKERS`: `host:port`, comma between them.
    pub brokers: String,
    /// `SM_KAFKA_TOPIC`: `stream-montages.jobs` by default.
    pub topic: String,
}

/// How speech is transcribed.
#[derive(Debug, Clone)]
pub struct TranscribeConfig {
    /// `SM_MODELS_DIR` and `SM_TRANSCRIBE_THREADS`: the engine that runs here.
    pub local: LocalConfig,
    /// `SM_OPENAI_BASE_URL`, `SM_OPENAI_API_KEY`, `SM_OPENAI_MODEL`: the service.
    pub openai: OpenAiConfig,
}

/// When an executor asks for work and how long it takes to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// With Kafka, it also asks after a random time between these two, whatever the broker does.
    pub slow_poll: (Duration, Duration),
    /// Without Kafka, a claim waits this many seconds at the jobs repository.
    pub long_poll_seconds: u32,
    /// After a stop was asked for, results that are being published may still be finished for this long.
    pub grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            slow_poll: (Duration::from_secs(5), Duration::from_secs(15)),
            long_poll_seconds: 20,
            grace: Duration::from_secs(10),
        }
    }
}

/// Of this user's own: the temporary directory is shared, and another user's executors keep theirs to themselves.
fn default_work_dir() -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("stream-montages-executor-{user}"))
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// The first setting that is missing or cannot be used.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let slots: usize = env.parse("SM_EXECUTOR_SLOTS", 1)?;
        anyhow::ensure!(
            (1..=MOST_SLOTS).contains(&slots),
            "SM_EXECUTOR_SLOTS is a number from 1 to {MOST_SLOTS}"
        );
        let plan_slots: usize = env.parse("SM_EXECUTOR_PLAN_SLOTS", 1)?;
        anyhow::ensure!(
            plan_slots <= MOST_PLAN_SLOTS,
            "SM_EXECUTOR_PLAN_SLOTS is a number from 0 to {MOST_PLAN_SLOTS}"
        );
        let name = env.get("SM_EXECUTOR_NAME").map_or_else(host_name, str::to_owned);
        anyhow::ensure!(name.chars().count() <= 100, "SM_EXECUTOR_NAME has at most 100 characters");
        let gateway_url = env.get("SM_GATEWAY_URL").unwrap_or("http://127.0.0.1:8080").trim_end_matches('/');
        let parsed = url::Url::parse(gateway_url)
            .context("SM_GATEWAY_URL is not an address like https://montages.example")?;
        anyhow::ensure!(
            matches!(parsed.scheme(), "http" | "https"),
            "SM_GATEWAY_URL begins with http:// or https://"
        );
        let work_dir = env.get("SM_WORK_DIR").map_or_else(default_work_dir, PathBuf::from);
        let fetch = fetch_config(env)?;
        Ok(Self {
            gateway_url: gateway_url.to_owned(),
            token: env.secret("SM_EXECUTOR_TOKEN"),
            name,
            slots,
            plan_slots,
            listen: env.parse("SM_EXECUTOR_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8084)))?,
            internal_token: env.secret("SM_INTERNAL_TOKEN"),
            render: RenderConfig::from_env(env, slots)?,
            hints: Hints::from_env(env)?,
            fetch: FetchConfig {
                // Beside the directories of processes, so that it outlives them all.
                cache_dir: fetch.cache_dir.or_else(|| Some(work_dir.join("fetched"))),
                ..fetch
            },
            pages: PagesConfig::from_env(env)?,
            work_dir,
            transcribe: TranscribeConfig::from_env(env)?,
            pace: Pace::default(),
        })
    }
}

impl RenderConfig {
    fn from_env(env: &Env, slots: usize) -> anyhow::Result<Self> {
        let worker = match env.get("SM_RENDER_WORKER") {
            Some(path) => PathBuf::from(path),
            None => beside_this_program("render-worker")?,
        };
        let threads: u32 = env.parse("SM_RENDER_THREADS", u32::try_from((processors() / slots).max(1))?)?;
        anyhow::ensure!((1..=256).contains(&threads), "SM_RENDER_THREADS is a number from 1 to 256");
        Ok(Self {
            worker,
            threads,
            memory: env.size("SM_RENDER_MEMORY", 4 << 30)?,
            output: env.size("SM_RENDER_OUTPUT", 20 << 30)?,
            cpu: env.duration("SM_RENDER_CPU", Duration::from_secs(12 * 3600))?,
        })
    }
}

impl PagesConfig {
    fn from_env(env: &Env) -> anyhow::Result<Option<Self>> {
        let time = env.duration("SM_YT_DLP_TIME", Duration::from_secs(60))?;
        let Some(program) = env.get("SM_YT_DLP").map(PathBuf::from) else { return Ok(None) };
        anyhow::ensure!(program.is_absolute(), "SM_YT_DLP is an absolute path, like /usr/local/bin/yt-dlp");
        Ok(Some(Self { program, time }))
    }
}

impl Hints {
    fn from_env(env: &Env) -> anyhow::Result<Self> {
        match env.get("SM_HINTS").unwrap_or("kafka") {
            "postgres" => Ok(Self::LongPoll),
            "kafka" => Ok(Self::Kafka(KafkaConfig {
                brokers: env.required("SM_KAFKA_BROKERS")?.to_owned(),
                topic: env.get("SM_KAFKA_TOPIC").unwrap_or(DEFAULT_TOPIC).to_owned(),
            })),
            other => anyhow::bail!("SM_HINTS is kafka or postgres, not `{other}`"),
        }
    }
}

impl TranscribeConfig {
    fn from_env(env: &Env) -> anyhow::Result<Self> {
        let local = LocalConfig {
            models_dir: PathBuf::from(env.get("SM_MODELS_DIR").unwrap_or(".local/models")),
            threads: env.parse("SM_TRANSCRIBE_THREADS", processors().min(4))?,
        };
        let base = env.get("SM_OPENAI_BASE_URL").unwrap_or("https://api.openai.com/v1");
        let mut openai = OpenAiConfig::new(base, env.get("SM_OPENAI_MODEL").unwrap_or("whisper-1"));
        openai.api_key = env.secret("SM_OPENAI_API_KEY");
        Ok(Self { local, openai })
    }
}

/// The fetch crate reads its own variables; this gives it exactly those.
fn fetch_config(env: &Env) -> anyhow::Result<FetchConfig> {
    let values: HashMap<&str, &str> =
        FetchConfig::VARIABLES.iter().filter_map(|name| Some((*name, env.get(name)?))).collect();
    Ok(FetchConfig::from_lookup(&|name| values.get(name).map(|value| (*value).to_owned()))?)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().trim().to_owned();
    if name.is_empty() { "executor".to_owned() } else { name }
}

fn beside_this_program(name: &str) -> anyhow::Result<PathBuf> {
    let program =
        std::env::current_exe().context("cannot find this program's own place; set SM_RENDER_WORKER")?;
    Ok(program.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> anyhow::Result<Config> {
        Config::from_env(&Env::from_pairs(pairs.iter().copied()).unwrap())
    }

    #[test]
    fn a_gateway_and_brokers_are_enough() {
        let config =
            read(&[("SM_GATEWAY_URL", "https://montages.example/"), ("SM_KAFKA_BROKERS", "b:1")]).unwrap();
        assert_eq!(config.gateway_url, "https://montages.example");
        assert_eq!(config.slots, 1);
        assert!(config.render.worker.ends_with("render-worker"));
        let Hints::Kafka(kafka) = config.hints else { panic!("kafka is the default") };
        assert_eq!(kafka.topic, DEFAULT_TOPIC);
        assert_eq!(config.fetch.cache_dir, Some(config.work_dir.join("fetched")));
        assert_eq!(config.pages, None);
    }

    #[test]
    fn mistakes_name_their_setting() {
        for (pairs, setting) in [
            (vec![("SM_HINTS", "kafka")], "SM_KAFKA_BROKERS"),
            (vec![("SM_HINTS", "pigeon")], "SM_HINTS"),
            (vec![("SM_HINTS", "postgres"), ("SM_EXECUTOR_SLOTS", "0")], "SM_EXECUTOR_SLOTS"),
            (vec![("SM_HINTS", "postgres"), ("SM_GATEWAY_URL", "ftp://a")], "SM_GATEWAY_URL"),
            (vec![("SM_HINTS", "postgres"), ("SM_EXECUTOR_PLAN_SLOTS", "5")], "SM_EXECUTOR_PLAN_SLOTS"),
            (vec![("SM_HINTS", "postgres"), ("SM_RENDER_THREADS", "0")], "SM_RENDER_THREADS"),
            (vec![("SM_HINTS", "postgres"), ("SM_RENDER_MEMORY", "much")], "SM_RENDER_MEMORY"),
            (vec![("SM_HINTS", "postgres"), ("SM_MEDIA_DIRS", "no-name")], "SM_MEDIA_DIRS"),
            (vec![("SM_HINTS", "postgres"), ("SM_YT_DLP", "yt-dlp")], "SM_YT_DLP"),
        ] {
            let error = format!("{:#}", read(&pairs).unwrap_err());
            assert!(error.contains(setting), "{error}");
        }
    }
}
