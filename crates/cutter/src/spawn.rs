//! Starting a render worker with bounds around it, and reading how it ended. For the parent.
//!
//! The child gets its socket as file descriptor 3, the job directory as its working directory, no environment, its
//! own process group (so that a kill of `-pid` reaches everything), limits on memory, processor time, file size
//! and open files, and a kill signal when its parent dies. What the child does to itself is in
//! [`crate::sandbox`].

// Between fork and exec only calls that are safe in a signal handler may be made, and std has none of these.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// The file descriptor on which a worker finds its socket.
pub const SOCKET_FD: i32 = 3;

/// What a worker may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Address space, in bytes. It counts what is reserved, not only what is used: give gigabytes.
    pub address_space_bytes: u64,
    /// Processor time over all threads, in seconds.
    pub cpu_seconds: u64,
    /// Largest file, in bytes.
    pub file_size_bytes: u64,
    /// Open files.
    pub open_files: u64,
    /// Processes and threads of the worker's user, all programs together. Only meaningful when the worker's user
    /// runs nothing else; `None` leaves it as it is.
    pub processes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            address_space_bytes: 6 << 30,
            cpu_seconds: 4 * 3600,
            file_size_bytes: 16 << 30,
            open_files: 64,
            processes: None,
        }
    }
}

/// How a worker ended without saying so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerExit {
    /// It ended by itself with this status.
    Exit(i32),
    /// It ran out of memory.
    OutOfMemory,
    /// It used up its processor time.
    CpuLimit,
    /// It wrote a larger file than it may.
    OutputLimit,
    /// A signal ended it: a crash, or somebody's kill.
    Crashed {
        /// The signal's number.
        signal: i32,
    },
}

/// Starts a worker. `stdin` and `stdout` are closed to it; `stderr` is piped, for its last words.
///
/// The caller kills with `kill(-pid)` and waits for the child, always. The kernel kills the worker when the *thread*
/// that called this function ends, not only its process: call it from a thread that lives as long as the worker (in
/// tokio: a runtime thread, never one of `spawn_blocking`).
///
/// # Errors
/// When the program cannot be started or a limit cannot be set.
pub fn spawn_worker(program: &Path, job_dir: &Path, socket: OwnedFd, limits: &Limits) -> io::Result<Child> {
    let mut bounds = vec![
        (libc::RLIMIT_AS, limits.address_space_bytes),
        (libc::RLIMIT_CPU, limits.cpu_seconds),
        (libc::RLIMIT_FSIZE, limits.file_size_bytes),
        (libc::RLIMIT_NOFILE, limits.open_files),
        (libc::RLIMIT_CORE, 0),
    ];
    if let Some(processes) = limits.processes {
        bounds.push((libc::RLIMIT_NPROC, processes));
    }
    let parent = std::process::id();
    let raw_socket = socket.as_raw_fd();
    let mut command = Command::new(program);
    command
        .current_dir(job_dir)
        .env_clear()
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let prepare = move || {
        hand_over_socket(raw_socket)?;
        for &(resource, value) in &bounds {
            limit(resource, value)?;
        }
        die_with_parent(parent)
    };
    // SAFETY: `prepare` only makes system calls that are safe between fork and exec; it takes no lock and no memory
    // (`bounds` was made before), and its errors hold a number only.
    unsafe {
        command.pre_exec(prepare);
    }
    let child = command.spawn();
    drop(socket);
    child
}

fn hand_over_socket(socket: i32) -> io::Result<()> {
    if socket == SOCKET_FD {
        // A copy onto itself would keep the close-on-exec flag.
        // SAFETY: plain system call on a descriptor that this process owns.
        return check(unsafe { libc::fcntl(SOCKET_FD, libc::F_SETFD, 0) });
    }
    // SAFETY: plain system call; whatever had number 3 is the parent's and only closed in the child.
    check(unsafe { libc::dup2(socket, SOCKET_FD) })
}

fn limit(resource: libc::__rlimit_resource_t, value: u64) -> io::Result<()> {
    let mut current = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `current` is a valid place for one `rlimit`.
    check(unsafe { libc::getrlimit(resource, &mut current) })?;
    // An unprivileged process cannot go above the hard limit that it was given.
    let value = value.min(current.rlim_max);
    // The soft limit on processor time comes first and ends the worker with SIGXCPU, which tells why.
    let hard =
        if resource == libc::RLIMIT_CPU { value.saturating_add(5).min(current.rlim_max) } else { value };
    let wanted = libc::rlimit { rlim_cur: value, rlim_max: hard };
    // SAFETY: `wanted` is a valid `rlimit`.
    check(unsafe { libc::setrlimit(resource, &wanted) })
}

fn die_with_parent(parent: u32) -> io::Result<()> {
    // SAFETY: plain system call with constant arguments.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong, 0, 0, 0) })?;
    // The parent may have died before the line above; then nobody would send the signal.
    // SAFETY: plain system call without arguments.
    if unsafe { libc::getppid() } as u32 != parent {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    Ok(())
}

fn check(result: i32) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes the socket that the parent handed over. For the worker, once, first of all.
///
/// # Errors
/// When file descriptor 3 is not a socket.
pub fn take_socket() -> io::Result<UnixStream> {
    let mut kind: libc::stat = {
        // SAFETY: all fields may be zero.
        unsafe { std::mem::zeroed() }
    };
    // SAFETY: `kind` is a valid place for one `stat`.
    check(unsafe { libc::fstat(SOCKET_FD, &mut kind) })?;
    if kind.st_mode & libc::S_IFMT != libc::S_IFSOCK {
        return Err(io::Error::from_raw_os_error(libc::ENOTSOCK));
    }
    // SAFETY: sets a flag on a descriptor that is open.
    check(unsafe { libc::fcntl(SOCKET_FD, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    // SAFETY: the descriptor is open, and nothing else in a worker that just started owns it.
    Ok(UnixStream::from(unsafe { OwnedFd::from_raw_fd(SOCKET_FD) }))
}

/// Says how a worker ended, from its status and the last lines of its `stderr`.
pub fn classify_exit(status: ExitStatus, stderr_tail: &str) -> WorkerExit {
    // The Rust runtime's and libav's own words for a failed allocation.
    let no_memory =
        stderr_tail.contains("memory allocation of") || stderr_tail.contains("Cannot allocate memory");
    let encoder_without_memory = stderr_tail
        .lines()
        .any(|line| line.contains("x264 [error]: malloc of size") && line.trim_end().ends_with("failed"));
    match (status.code(), status.signal()) {
        (_, Some(libc::SIGXCPU)) => WorkerExit::CpuLimit,
        (_, Some(libc::SIGXFSZ)) => WorkerExit::OutputLimit,
        (_, Some(libc::SIGABRT)) if no_memory => WorkerExit::OutOfMemory,
        // x264 says that it got none and goes on without: it ends by reaching for what it did not get.
        (_, Some(libc::SIGSEGV)) if encoder_without_memory => WorkerExit::OutOfMemory,
        (_, Some(signal)) => WorkerExit::Crashed { signal },
        (Some(code), None) if code != 0 && no_memory => WorkerExit::OutOfMemory,
        (code, None) => WorkerExit::Exit(code.unwrap_or(-1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_told_apart() {
        let signal = |number: i32| ExitStatus::from_raw(number);
        assert_eq!(classify_exit(signal(libc::SIGXCPU), ""), WorkerExit::CpuLimit);
        assert_eq!(classify_exit(signal(libc::SIGXFSZ), ""), WorkerExit::OutputLimit);
        assert_eq!(classify_exit(signal(libc::SIGSEGV), ""), WorkerExit::Crashed { signal: libc::SIGSEGV });
        let words = "memory allocation of 4096 bytes failed";
        assert_eq!(classify_exit(signal(libc::SIGABRT), words), WorkerExit::OutOfMemory);
        assert_eq!(classify_exit(signal(libc::SIGABRT), ""), WorkerExit::Crashed { signal: libc::SIGABRT });
        let words = "x264 [error]: malloc of size 24976842 failed\n";
        assert_eq!(classify_exit(signal(libc::SIGSEGV), words), WorkerExit::OutOfMemory);
        assert_eq!(classify_exit(ExitStatus::from_raw(2 << 8), ""), WorkerExit::Exit(2));
    }
}
