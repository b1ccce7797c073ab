//! `mano workflow`: the workflow documents and their runs.

use super::{
    Mano,
    client::{Api, segment},
    definition,
    failure::Failure,
    find::{Noun, text},
    print::{self, Column, note},
    rehearsal,
};
use clap::{Args, Subcommand};
use serde_json::Value;
use uuid::fmt::Hyphenated;

/// What can be done with workflows.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// List the workflows of the server.
    List,
    /// Show a workflow's definition (Amazon States Language).
    Show(Show),
    /// List the runs of a workflow, the newest first.
    Runs(Runs),
    /// Tell what happened in a run, event by event.
    History(History),
    /// Check definitions in files, without a server.
    #[command(after_help = definition::VALIDATE)]
    Validate(definition::Validate),
    /// Draw a workflow as a Mermaid diagram.
    #[command(after_help = definition::DRAW)]
    Draw(definition::Draw),
    /// Run a definition in memory: tasks end as a script says, waits cost nothing.
    #[command(after_help = rehearsal::RUN)]
    Run(rehearsal::Run),
}

/// `show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The workflow's name.
    name: String,
}

/// `runs`
#[derive(Debug, Args)]
pub(crate) struct Runs {
    /// The workflow's name.
    name: String,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// `history`
#[derive(Debug, Args)]
pub(crate) struct History {
    /// The workflow's name.
    name: String,
    /// The run's name, or its beginning: the operation's id, a dash, and which try of it, from 0.
    run: String,
    /// At most so many events.
    #[arg(long, value_name = "N", default_value_t = 25_000)]
    limit: usize,
}

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano workflow list
  mano workflow show vnf-instantiate
  mano workflow runs vnf-instantiate
  mano workflow validate mine.asl.json
  mano workflow run --definition mine.asl.json --input input.json --history
  mano workflow draw vnf-instantiate        or a file: Mermaid, as Markdown viewers show it
  mano workflow history vnf-instantiate 0b6f2c1e-5d0c-4c8e-9a57-0d6f6a1f0b1d-0";

/// Runs searched through for the beginning of a name.
const MOST_RUNS: usize = 10_000;

/// How a run is told from others.
const RUN: Noun = Noun {
    api: Api::Mano,
    path: "/workflows",
    what: "run",
    names: &["name"],
    listed_by: "mano workflow runs",
};

const RUNS: &[Column] = &[
    ("RUN", &["/name"]),
    ("STATUS", &["/status"]),
    ("STARTED", &["/startDate"]),
    ("STOPPED", &["/stopDate"]),
    ("ERROR", &["/error"]),
];

const EVENTS: &[Column] = &[
    ("ID", &["/id"]),
    ("AFTER", &["/previousEventId"]),
    ("TIME", &["/timestamp"]),
    ("EVENT", &["/type"]),
    ("STATE", &["/stateEnteredEventDetails/name", "/stateExitedEventDetails/name"]),
];

/// Carries a command out.
pub(crate) fn act(mano: &Mano, action: &Action) -> Result<(), Failure> {
    match action {
        Action::List => {
            let (found, _) = mano.client.list(Api::Mano, "/workflows", usize::MAX)?;
            print::many(mano.format, &found, &[("WORKFLOW", &["/name", ""])])
        }
        Action::Show(asked) => {
            let path = format!("/workflows/{}", segment(&asked.name));
            let definition = mano.client.get(Api::Mano, &path)?;
            // A definition is JSON by nature.
            match mano.format {
                print::Format::Table => print::line(&format!("{definition:#}")),
                format @ (print::Format::Json | print::Format::Yaml) => {
                    print::one(format, &definition)
                }
            }
        }
        Action::Validate(asked) => definition::validate(mano, asked),
        Action::Draw(asked) => definition::draw(mano, asked),
        Action::Run(asked) => rehearsal::run(mano, asked),
        Action::Runs(asked) => {
            let path = format!("/workflows/{}/runs", segment(&asked.name));
            many(mano, &path, asked.limit, RUNS)
        }
        Action::History(asked) => {
            let (name, run) = (segment(&asked.name), run(mano, asked)?);
            let path = format!("/workflows/{name}/runs/{}/history", segment(&run));
            many(mano, &path, asked.limit, EVENTS)
        }
    }
}

/// The name of the run that is meant; a whole one is taken at its word.
fn run(mano: &Mano, asked: &History) -> Result<String, Failure> {
    let whole = asked.run.len() > Hyphenated::LENGTH && print::is_id(&asked.run);
    if whole {
        return Ok(asked.run.clone());
    }
    let path = format!("/workflows/{}/runs", segment(&asked.name));
    let (mut runs, _) = mano.client.list(Api::Mano, &path, MOST_RUNS)?;
    for run in &mut runs {
        run["id"] = run.get("name").cloned().unwrap_or_default();
    }
    Ok(text(RUN.pick(&runs, &asked.run)?, "id").to_owned())
}

/// A list that says when it is cut.
fn many(mano: &Mano, path: &str, limit: usize, columns: &[Column]) -> Result<(), Failure> {
    let (found, more): (Vec<Value>, bool) = mano.client.list(Api::Mano, path, limit)?;
    print::many(mano.format, &found, columns)?;
    if more {
        note(&format!("these are the first {}; see more with --limit", found.len()));
    }
    Ok(())
}
