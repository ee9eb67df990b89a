//! The `heygen-monitor` program: arguments → tracing → [`heygen_monitor::cli::run`] → exit code.

use std::process::ExitCode;

use clap::Parser;
use heygen_monitor::cli::{self, Cli, exit, logging, output};
use heygen_monitor::config::Surroundings;
use heygen_monitor::metrics::LogCounter;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is left to be told when stderr is gone.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::OK });
        }
    };
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    if let Err(error) = forbid_core_dumps() {
        output::say(&format!("warning: core dumps stay possible: {error}"));
    }
    let log_counter = LogCounter::default();
    let surroundings = Surroundings::of_process();
    logging::start(&cli, &surroundings.env, log_counter.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(32)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(cli::run(cli, surroundings, log_counter));
            // A name look-up that hangs in the C library must not hold the exit up.
            runtime.shutdown_timeout(std::time::Duration::from_millis(100));
            ExitCode::from(code)
        }
        Err(error) => {
            output::say(&format!("error: cannot start: {error}"));
            ExitCode::from(exit::FAILED)
        }
    }
}

/// The key is in this process's memory.
fn forbid_core_dumps() -> rustix::io::Result<()> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
}
