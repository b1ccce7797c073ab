//! Workflow definitions on this machine: checked, drawn, and run without anything happening.

use super::{
    Mano,
    client::{Api, segment},
    failure::Failure,
    instance::json_file,
    print::{self, Format},
    workflow::EVENTS,
};
use clap::Args;
use mano_asl::{
    Definition, Kind, Severity, Status,
    runner::{self, RunOptions, RunReport, Script},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What `run --help` ends with.
pub(crate) const RUN: &str = r#"A script is a JSON array, one line for the k-th call of a state, from 0:
  [{"state": "Call", "attempt": 0, "outcome": {"event": "TaskFailed", "error": "Busy"}},
   {"state": "Call", "attempt": 1, "outcome": {"event": "TaskSucceeded", "output": {"ok": true}}}]
An event that ends in TimedOut means that the task never answers.

Examples:
  mano workflow run mine.asl.json
  mano workflow run mine.asl.json --input input.json --script script.json --history"#;

/// `validate`
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Files with a definition each.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// `run`
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The file with the definition.
    file: PathBuf,
    /// A JSON file with the input ('-': standard input) [default: {}].
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// A JSON file that says how each call of a task ends; a call that it does not name gives
    /// back what it was called with.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// As an Express workflow.
    #[arg(long)]
    express: bool,
    /// Tell what happened, event by event, instead of only the output.
    #[arg(long)]
    history: bool,
}

/// `draw`
#[derive(Debug, Args)]
pub(crate) struct Draw {
    /// A file with a definition, or the name of a workflow of the server.
    #[arg(value_name = "FILE|NAME")]
    what: String,
}

/// Checks definitions, all of them, and tells everything that was found.
pub(crate) fn validate(asked: &Validate) -> Result<(), Failure> {
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
pub(crate) fn draw(mano: &Mano, asked: &Draw) -> Result<(), Failure> {
    let what = asked.what.as_str();
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

/// Runs a definition; its output is the result.
pub(crate) fn run(mano: &Mano, asked: &Run) -> Result<(), Failure> {
    let definition = read(&asked.file)?;
    let input = match &asked.input {
        None => "{}".to_owned(),
        Some(path) => json_file(path)?.to_string(),
    };
    let mut script = match &asked.script {
        None => Script::default(),
        Some(path) => Script::parse(&read(path)?).map_err(|error| {
            Failure::misuse(format!("{} is no script: {error}", path.display()))
                .next("see its form in `mano workflow run --help`")
        })?,
    };
    let options = RunOptions {
        kind: if asked.express { Kind::Express } else { Kind::Standard },
        tasks: Box::new(|call| script.answer(call)),
        ..RunOptions::default()
    };
    let report = runner::run(&definition, &input, options)
        .map_err(|error| Failure::new(format!("{}: {error}", asked.file.display())))?;
    told(mano, asked, &report)
}

/// Tells how a run went.
fn told(mano: &Mano, asked: &Run, report: &RunReport) -> Result<(), Failure> {
    if asked.history {
        let events: Vec<Value> =
            report.events.iter().map(mano_asl::HistoryEvent::to_json).collect();
        print::many(mano.format, &events, EVENTS)?;
    } else if let Some(output) = &report.output {
        let output: Value = serde_json::from_str(output).unwrap_or_default();
        // An output is JSON by nature.
        let format = if mano.format == Format::Table { Format::Json } else { mano.format };
        print::one(format, &output)?;
    }
    let name = asked.file.display();
    let error = report.error.as_deref().unwrap_or("no error name");
    let cause = report.cause.as_deref().map(|cause| format!(": {cause}")).unwrap_or_default();
    match report.status {
        Status::Succeeded => Ok(()),
        Status::Running => Err(Failure::new(format!("{name} would wait for ever"))
            .next("give the task that does not answer a line in the script, or a timeout")),
        Status::Failed => Err(Failure::new(format!("{name} failed with {error}{cause}"))),
        Status::TimedOut => Err(Failure::new(format!("{name} took longer than it allows"))),
        Status::Aborted => Err(Failure::new(format!("{name} was stopped with {error}{cause}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::client::{Client, Connection};

    const RETRIED: &str = r#"{"StartAt": "Call", "States": {"Call": {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600}]}}}"#;

    fn file(room: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = room.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn mano() -> Mano {
        let to = Connection { endpoint: "http://127.0.0.1:1".into(), token: None, ca: None };
        Mano { client: Client::new(&to).unwrap(), format: Format::Table, quiet: true }
    }

    #[test]
    fn a_definition_that_cannot_run_is_told_and_the_others_are_checked_as_well() {
        let room = tempfile::tempdir().unwrap();
        let good = file(&room, "good", RETRIED);
        let bad = file(&room, "bad", &RETRIED.replace("Task", "Tusk"));
        validate(&Validate { files: vec![good.clone()] }).unwrap();
        let failure = validate(&Validate { files: vec![bad, good] }).unwrap_err();
        assert!(failure.to_string().contains("1 of 2"), "{failure}");
    }

    #[test]
    fn a_run_ends_as_its_script_says_and_waits_for_nothing() {
        let room = tempfile::tempdir().unwrap();
        let definition = file(&room, "definition", RETRIED);
        let line =
            |n, outcome| format!(r#"{{"state": "Call", "attempt": {n}, "outcome": {outcome}}}"#);
        let busy = line(0, r#"{"event": "TaskFailed", "error": "Busy"}"#);
        let done = line(1, r#"{"event": "TaskSucceeded", "output": {}}"#);
        let dead = line(1, r#"{"event": "TaskFailed", "error": "Dead", "cause": "why"}"#);
        let run_with = |script: &str| {
            let script = Some(file(&room, "script", script));
            let asked = Run {
                file: definition.clone(),
                input: None,
                script,
                express: false,
                history: true,
            };
            run(&mano(), &asked)
        };
        run_with(&format!("[{busy}, {done}]")).unwrap();
        let failure = run_with(&format!("[{busy}, {dead}]")).unwrap_err();
        assert!(failure.to_string().contains("failed with Dead: why"), "{failure}");
        assert_eq!(run_with("{}").unwrap_err().status(), 2);
    }
}
