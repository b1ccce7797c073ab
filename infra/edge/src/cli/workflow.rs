//! `mano workflow`: the workflow documents and their runs.

use super::{
    Mano,
    client::{Api, segment},
    failure::Failure,
    print::{self, Column, note},
};
use clap::{Args, Subcommand};
use mano_asl::{Definition, Severity};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What can be done with workflows.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// List the workflows.
    List,
    /// Show a workflow's definition (Amazon States Language).
    Show(Show),
    /// List the runs of a workflow, the newest first.
    Runs(Runs),
    /// Tell what happened in a run, event by event.
    History(History),
    /// Check definitions in files, without a server.
    Validate(Validate),
    /// Draw a workflow as a Mermaid diagram.
    Draw(Draw),
}

/// `validate`
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Files with a definition each.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// `draw`
#[derive(Debug, Args)]
pub(crate) struct Draw {
    /// A file with a definition, or the name of a workflow of the server.
    #[arg(value_name = "FILE|NAME")]
    what: String,
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
    /// The run's name: the operation's id, a dash, and which try of it, from 0.
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
  mano workflow draw vnf-instantiate        or a file: Mermaid, as Markdown viewers show it
  mano workflow history vnf-instantiate 0b6f2c1e-5d0c-4c8e-9a57-0d6f6a1f0b1d-0";

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
        Action::Validate(asked) => validate(asked),
        Action::Draw(asked) => draw(mano, &asked.what),
        Action::Runs(asked) => {
            let path = format!("/workflows/{}/runs", segment(&asked.name));
            many(mano, &path, asked.limit, RUNS)
        }
        Action::History(asked) => {
            let (name, run) = (segment(&asked.name), segment(&asked.run));
            many(mano, &format!("/workflows/{name}/runs/{run}/history"), asked.limit, EVENTS)
        }
    }
}

/// Checks definitions, all of them, and tells everything that was found.
fn validate(asked: &Validate) -> Result<(), Failure> {
    let mut wrong = 0;
    for path in &asked.files {
        let found = Definition::check(&read(path)?);
        let name = path.display();
        for finding in &found {
            let word = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            print::line(&format!("{name}: {word}: {finding}"))?;
        }
        if found.iter().any(|finding| finding.severity == Severity::Error) {
            wrong += 1;
        } else {
            print::line(&format!("{name}: can run"))?;
        }
    }
    if wrong == 0 {
        return Ok(());
    }
    Err(Failure::new(format!("{wrong} of {} definitions cannot run", asked.files.len()))
        .next("mend what is named"))
}

/// Draws the definition in a file, or of a workflow of the server.
fn draw(mano: &Mano, what: &str) -> Result<(), Failure> {
    let path = Path::new(what);
    let text = if path.exists() {
        read(path)?
    } else {
        mano.client.get(Api::Mano, &format!("/workflows/{}", segment(what)))?.to_string()
    };
    match Definition::parse(&text) {
        Ok(definition) => print::line(mano_asl::draw(&definition).trim_end()),
        Err(found) => {
            let first = found.first().map(ToString::to_string).unwrap_or_default();
            Err(Failure::new(format!("{what} cannot be drawn: {first}"))
                .next("see everything that is wrong with `mano workflow validate`"))
        }
    }
}

/// The text of a file.
fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_that_cannot_run_is_told_and_the_others_are_checked_as_well() {
        let room = tempfile::tempdir().unwrap();
        let [good, bad] = ["good", "bad"].map(|name| room.path().join(name));
        let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#;
        fs::write(&good, text).unwrap();
        fs::write(&bad, text.replace("Succeed", "Suceed")).unwrap();
        validate(&Validate { files: vec![good.clone()] }).unwrap();
        let failure = validate(&Validate { files: vec![bad, good] }).unwrap_err();
        assert!(failure.to_string().contains("1 of 2"), "{failure}");
    }
}
