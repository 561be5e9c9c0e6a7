//! One process of the product: started, watched through its log, stopped or killed by its process id.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Longest wait for a process to be ready or to stop. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program of this workspace.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// Where it listens, as it said in its log.
    pub address: String,
}

/// Where cargo put the workspace's programs: beside the directory of the test's own program.
#[must_use]
pub fn programs() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own program");
    own.ancestors().nth(2).expect("test programs lie in target/*/deps").to_owned()
}

/// A program of this workspace, which must have been built.
pub(crate) fn built(program: &str) -> PathBuf {
    let path = programs().join(program);
    assert!(path.exists(), "{} is not built: run `cargo build --workspace --bins`", path.display());
    path
}

/// Starts a program with nothing but the given settings and `PATH`; answers it and its log, which is in its directory.
pub(crate) fn spawn(
    program: &Path,
    arguments: &[&str],
    settings: &[(String, String)],
    directory: &Path,
    name: &str,
) -> (Child, PathBuf) {
    let log = directory.join(format!("{name}.log"));
    let output = File::create(&log).expect("a log can be written");
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a log can be shared"))
        .stderr(output)
        .spawn()
        .expect("the program starts");
    (child, log)
}

impl Process {
    /// Starts a program with nothing but the given settings and `PATH`, and waits until it says that it is ready.
    #[must_use]
    pub fn start(
        program: &str,
        arguments: &[&str],
        settings: &[(String, String)],
        directory: &Path,
        name: &str,
    ) -> Self {
        let (child, log) = spawn(&built(program), arguments, settings, directory, name);
        let mut process = Self { name: name.to_owned(), child, log, address: String::new() };
        process.address = process.wait_until_ready();
        process
    }

    fn wait_until_ready(&mut self) -> String {
        let start = Instant::now();
        loop {
            let ready = self.log().lines().rev().find_map(|line| {
                let (_, rest) = line.split_once(" ready ")?;
                Some(rest.split_once("address=")?.1.split_whitespace().next()?.to_owned())
            });
            if let Some(address) = ready {
                return address;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{} ended with {status} before it was ready:\n{}", self.name, self.log());
            }
            assert!(start.elapsed() < PATIENCE, "{} is not ready:\n{}", self.name, self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it was called when it was started.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a signal, such as `TERM`, `KILL`, `STOP`.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([&format!("-{signal}"), &self.id().to_string()]).status();
        assert!(status.expect("kill is there").success(), "{} cannot be signalled", self.name);
    }

    /// Kills it as a power cut would, and waits for its end.
    pub fn kill(&mut self) {
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("our own child can be waited for");
    }

    /// Asks it to stop and waits for that. One that was killed before has ended already.
    pub fn stop(&mut self) -> ExitStatus {
        if let Ok(Some(status)) = self.child.try_wait() {
            return status;
        }
        self.signal("TERM");
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child can be waited for") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "{} does not stop:\n{}", self.name, self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Process ids of its children, by program name.
    #[must_use]
    pub fn children(&self, program: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("Linux").flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            // `pid (name) state parent …`; names are cut to 15 characters.
            let Some((head, tail)) = stat.rsplit_once(')') else { continue };
            let parent = tail.split_whitespace().nth(1).and_then(|parent| parent.parse::<u32>().ok());
            let name = head.split_once('(').map_or("", |(_, name)| name);
            let dead = tail.split_whitespace().next() == Some("Z");
            if parent == Some(self.id()) && program.starts_with(name) && !dead {
                found.push(id);
            }
        }
        found
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
