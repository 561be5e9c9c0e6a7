//! What a render worker gives up before it touches media: new rights, files outside its job directory, networks, new
//! programs and other processes.
//!
//! Best effort: an older kernel may lack a part, and the report says what is in force. Must be called before the
//! process has more than one thread, since threads started earlier would stay free.

// System calls that std has no function for.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::report::SandboxReport;

/// The newest Landlock version whose rights are asked for.
const LANDLOCK: ABI = ABI::V6;

/// System calls that a render never makes. Each fails with "operation not permitted".
const REFUSED: &[i64] = &[
    // Networks: the one socket is inherited.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // New programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    // The system around it.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_personality,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
];

/// Locks the process in, as far as the kernel can. `job_dir` stays readable and writable.
pub fn enter(job_dir: &Path) -> SandboxReport {
    SandboxReport {
        no_new_privileges: forbid_new_privileges().is_ok(),
        landlock: match restrict_files(job_dir) {
            Ok(RulesetStatus::FullyEnforced) => "full",
            Ok(RulesetStatus::PartiallyEnforced) => "partial",
            Ok(RulesetStatus::NotEnforced) | Err(_) => "none",
        }
        .to_owned(),
        seccomp: restrict_calls().is_ok(),
    }
}

fn forbid_new_privileges() -> io::Result<()> {
    // SAFETY: a system call with constant arguments.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Files: everything but starting programs in the job directory, nothing anywhere else. The libraries are loaded
/// already. Where the kernel can, TCP and signals to others are refused as well.
fn restrict_files(job_dir: &Path) -> Result<RulesetStatus, Box<dyn std::error::Error>> {
    let directory = PathFd::new(job_dir)?;
    let all = AccessFs::from_all(LANDLOCK);
    let restrict = || -> Result<RulesetStatus, RulesetError> {
        let status = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(all)?
            .handle_access(AccessNet::from_all(LANDLOCK))?
            .scope(Scope::from_all(LANDLOCK))?
            .create()?
            .add_rule(PathBeneath::new(directory, all & !AccessFs::Execute))?
            .restrict_self()?;
        Ok(status.ruleset)
    };
    Ok(restrict()?)
}

fn restrict_calls() -> Result<(), Box<dyn std::error::Error>> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|&call| (call, vec![])).collect();
    // Signals only to its own threads, which `abort` needs.
    let other_process =
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(std::process::id()))?;
    refused.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![other_process])?]);
    // New threads, but no new processes.
    let thread = libc::CLONE_THREAD as u64;
    let no_thread = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), 0)?;
    refused.insert(libc::SYS_clone, vec![SeccompRule::new(vec![no_thread])?]);
    apply(refused, libc::EPERM)?;
    // The flags of `clone3` lie in memory, where a filter cannot look: without it the C library takes `clone`.
    apply(BTreeMap::from([(libc::SYS_clone3, vec![])]), libc::ENOSYS)
}

fn apply(calls: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<(), Box<dyn std::error::Error>> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let refusal = SeccompAction::Errno(errno as u32);
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, refusal, architecture)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)?;
    Ok(())
}
