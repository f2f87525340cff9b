//! The command line. `main` decides only the exit code; each command is a file.
#![forbid(unsafe_code)]

mod alert;
mod args;
mod baseline;
mod invoke;
mod notify;
mod rules;
mod scan;
mod verify;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use trailhound::config::{self, SettingError};
use trailhound::ports::BoxError;
use trailhound::trail::Limits;

use args::{Args, Command};

/// What a run found out, and so the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Nothing found, everything read.
    Clean = 0,
    /// Findings; for `invoke` and `notify`, deliveries that failed; for `verify`, damage.
    Found = 1,
    /// Something could not be read or loaded, whatever else was found; for `verify`, if no damage was.
    Broken = 2,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let level = if args.verbose { tracing::Level::INFO } else { tracing::Level::WARN };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(level)
        .with_target(false)
        .without_time()
        .with_ansi(io::stderr().is_terminal())
        .init();
    let scanning = matches!(args.command, Command::Scan(_));
    let result = match args.command {
        Command::Scan(args) => scan::run(&args),
        Command::Invoke(args) => Box::pin(invoke::run(&args)).await,
        Command::Baseline(args) => baseline::run(&args).await,
        Command::Rules(args) => rules::run(&args),
        Command::Verify(args) => verify::run(&args).await,
        Command::Notify(args) => Box::pin(notify::run(&args)).await,
        Command::Alert(args) => Box::pin(alert::run(&args.command)).await,
    };
    match result {
        Ok(verdict) => ExitCode::from(verdict as u8),
        // Whoever reads our output has enough: `trailhound scan … | head` is no error. What a scan prints is findings.
        Err(error) if is_broken_pipe(&*error) => ExitCode::from(u8::from(scanning)),
        Err(error) => {
            note(&error.to_string());
            ExitCode::from(Verdict::Broken as u8)
        }
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// What one file may cost: the function's settings hold here, too.
fn limits() -> Result<Limits, BoxError> {
    let variables =
        std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
    let lines = |errors: Vec<SettingError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    config::limits(variables).map_err(|errors| lines(errors).into())
}

/// A line for the person at the terminal; standard output is for results. When nobody listens, the work goes on.
fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
