//! The render worker: one montage, in a process of its own, for one parent.
//!
//! Takes its socket from file descriptor 3 and works in the current directory. It locks itself in before it touches
//! media and ends when the parent does. Everything it has to say goes over the socket; the exit status is 0 when the
//! parent was told how the render ended, 2 when it was started by hand, 3 when the session broke.

use std::process::ExitCode;
use std::sync::Arc;

use cutter::spawn::take_socket;
use cutter::title::{FontFiles, Fonts};
use cutter::{sandbox, worker};

fn main() -> ExitCode {
    let Ok(socket) = take_socket() else {
        eprintln!("render-worker is started by an executor, which hands it a socket as file descriptor 3");
        return ExitCode::from(2);
    };
    // The folders of fonts are closed with everything else.
    let fonts = Arc::new(Fonts::new(FontFiles::find()));
    let applied = match std::env::current_dir() {
        Ok(job_dir) => sandbox::enter(&job_dir),
        Err(error) => {
            eprintln!("the job directory cannot be used: {error}");
            return ExitCode::from(3);
        }
    };
    match worker::run(socket, ".".as_ref(), applied, &fonts, || std::process::exit(3)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the session broke: {error}");
            ExitCode::from(3)
        }
    }
}
