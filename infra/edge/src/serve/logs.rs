//! The log: for a person at a terminal, or JSON for whoever collects it.

use clap::ValueEnum;
use std::io::{IsTerminal, stderr};
use tracing_subscriber::EnvFilter;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Human at a terminal, JSON elsewhere.
    Auto,
    /// Lines for a person.
    Human,
    /// One JSON object a line.
    Json,
}

/// Begins to write the log to the standard error; `MANO_LOG` says what (`info`,
/// `mano_ports=debug`).
///
/// A program that has a log already keeps it.
pub fn logs(format: LogFormat) {
    let filter = EnvFilter::try_from_env("MANO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let terminal = stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let begun = match (format, terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => {
            lines.json().flatten_event(true).with_current_span(false).try_init()
        }
        (LogFormat::Human | LogFormat::Auto, _) => {
            lines.with_ansi(terminal).with_target(false).try_init()
        }
    };
    // An error means that there is a log already.
    drop(begun);
}
