//! `mano workflow run`: a definition runs in memory, its tasks end as a script says.

use super::{
    Mano,
    blobs::Folder,
    failure::Failure,
    print::{self, Format},
};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use mano_asl::{
    Definition, HistoryEvent, Kind, Start, Status,
    runner::{self, RunOptions, RunReport, Script},
};
use serde_json::{Map, Value, json};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What `run --help` ends with.
pub(crate) const RUN: &str = r#"The result is one JSON object: status, output (JSON text) or error and cause, and with --history
or -o json the events as GetExecutionHistory has them. The clock is the run's own: waits cost nothing.

Tasks end as --tasks says: a JSON array, one line for the k-th call of a state, from 0:
  [{"state": "Call", "attempt": 0, "outcome": {"event": "TaskFailed", "error": "Busy"}},
   {"state": "Call", "attempt": 1, "delay_ms": 1500,
    "outcome": {"event": "TaskSucceeded", "output": {"ok": true}}}]
event is the history event that ends the call: TaskSucceeded, TaskFailed, TaskTimedOut,
TaskSubmitFailed, TaskStartFailed, and the same with LambdaFunction or Activity. Without it, an
output succeeds and anything else fails. submitted is what the call of a job returns at once;
worker names who took an activity. A call without a line ends the run, unless --echo is given;
an activity that no line mentions does not exist.

Exit status: 0 the execution ended, however; 1 it could not run or did not end; 2 misused.

Examples:
  mano workflow run --definition mine.asl.json
  mano workflow run --definition mine.asl.json --input input.json --tasks tasks.json --history
  mano workflow run --definition mine.asl.json --type EXPRESS --blobs objects -o yaml"#;

/// When a run begins unless the caller says so: runs are the same every day.
const BEGINS: &str = "2026-11-21T00:00:00Z";

/// The region and account of a run: made up, but well formed.
const PLACE: &str = "us-east-1:111111111111";

/// What tells an Express execution from others of its name.
const EXPRESS_ID: &str = "00000000-0000-4000-8000-000000000000";

/// Just below the year that an execution may last.
const PATIENCE_MILLIS: i64 = 365 * 86_400_000 - 1;

/// `run`
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The file with the definition.
    #[arg(long, value_name = "FILE")]
    definition: PathBuf,
    /// A JSON file with the input ('-': standard input) [default: {}].
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    #[command(flatten)]
    of: OfType,
    /// A JSON file that says how each call of a task ends.
    #[arg(long, value_name = "FILE")]
    tasks: Option<PathBuf>,
    /// Let a call without a line give back what it was called with, instead of ending the run.
    #[arg(long)]
    echo: bool,
    /// The execution's name.
    #[arg(long, default_value = "run")]
    name: String,
    /// Tell what happened as well, event by event.
    #[arg(long)]
    history: bool,
    /// A folder with the objects that item readers read, as BUCKET/KEY. One bucket alone stands for
    /// all.
    #[arg(long, value_name = "DIR")]
    blobs: Option<PathBuf>,
    /// When the run begins, by its own clock.
    #[arg(long, value_name = "TIME", default_value = BEGINS)]
    at: Timestamp,
}

/// `--type`
#[derive(Debug, Args)]
pub(crate) struct OfType {
    /// The kind of execution.
    #[arg(
        long = "type",
        value_name = "TYPE",
        value_enum,
        ignore_case = true,
        default_value = "STANDARD"
    )]
    pub(crate) kind: Type,
}

impl OfType {
    pub(crate) const fn kind(&self) -> Kind {
        match self.kind {
            Type::Standard => Kind::Standard,
            Type::Express => Kind::Express,
        }
    }
}

/// What kind of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Type {
    /// Lasts up to a year.
    Standard,
    /// Lasts up to five minutes, waits for nobody outside.
    #[value(alias = "EXPRESS_SYNC")]
    Express,
}

/// Runs a definition and tells how it went.
pub(crate) fn run(mano: &Mano, asked: &Run) -> Result<(), Failure> {
    let report = rehearse(asked)?;
    let format = if mano.format == Format::Table { Format::Json } else { mano.format };
    // A program that asks for JSON wants all there is.
    let history = asked.history || mano.format == Format::Json;
    print::one(format, &told(&report, history))?;
    verdict(&report, &asked.definition)
}

/// Runs a definition.
fn rehearse(asked: &Run) -> Result<RunReport, Failure> {
    let file = &asked.definition;
    let text = read(file)?;
    let definition = Definition::parse_as(&text, asked.of.kind()).map_err(|found| {
        let first = found.first().map(ToString::to_string).unwrap_or_default();
        Failure::new(format!("{} cannot run: {first}", file.display()))
            .next("see everything that is wrong with `mano workflow validate`")
    })?;
    let input = match &asked.input {
        None => "{}".to_owned(),
        Some(path) => read(path)?.trim().to_owned(),
    };
    let script = match &asked.tasks {
        None => Script::default(),
        Some(path) => Script::parse(&read(path)?).map_err(|error| {
            Failure::misuse(format!("{}: {error}", path.display()))
                .next("see its form in `mano workflow run --help`")
        })?,
    };
    let absent = if asked.echo { Vec::new() } else { absent_activities(&definition, &script) };
    let mut script = if asked.echo { script } else { script.strict() };
    let folder = asked.blobs.as_deref().map(Folder::open).transpose()?;
    let options = RunOptions {
        tasks: Box::new(|call| script.answer(call)),
        blobs: Box::new(|request| match &folder {
            Some(folder) => folder.read(request),
            None => Err("there are no objects: name their folder with --blobs".to_owned()),
        }),
        patience_millis: PATIENCE_MILLIS,
        ..RunOptions::default()
    };
    let mut start = start(asked, &input);
    start.absent_activities = absent;
    runner::run_from(&definition, start, options).map_err(|error| {
        let place = asked.input.as_deref().unwrap_or(file);
        Failure::new(format!("{}: {error}", place.display()))
    })
}

/// The activities that the script has no word on.
fn absent_activities(definition: &Definition, script: &Script) -> Vec<String> {
    let unknown = definition.tasks().filter(|(state, _)| !script.knows(state));
    let activities = unknown.filter(|(_, resource)| resource.contains(":activity:"));
    activities.map(|(_, resource)| resource.to_owned()).collect()
}

/// The execution: the machine is called as its file.
fn start(asked: &Run, input: &str) -> Start {
    let file = asked.definition.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let machine = file.split('.').find(|part| !part.is_empty()).unwrap_or("workflow");
    let mut start = Start::new(&asked.name, input);
    start.arn = match asked.of.kind() {
        Kind::Standard => format!("arn:aws:states:{PLACE}:execution:{machine}:{}", asked.name),
        Kind::Express => {
            format!("arn:aws:states:{PLACE}:express:{machine}:{}:{EXPRESS_ID}", asked.name)
        }
    };
    start.state_machine_arn = format!("arn:aws:states:{PLACE}:stateMachine:{machine}");
    machine.clone_into(&mut start.state_machine_name);
    "arn:aws:iam::111111111111:role/run".clone_into(&mut start.role_arn);
    start.at_millis = asked.at.as_millisecond();
    start.kind = asked.of.kind();
    start
}

/// The text of a file, or of standard input.
fn read(path: &Path) -> Result<String, Failure> {
    let text = if path == Path::new("-") {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|error| Failure::file("read", path, &error))
}

/// The result as one object.
fn told(report: &RunReport, history: bool) -> Value {
    let mut fields = Map::new();
    let status = if report.unscripted.is_some() { Status::Failed } else { report.status };
    fields.insert("status".into(), json!(status));
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            fields.insert(name.into(), Value::String(value));
        }
    };
    add("output", report.output.clone());
    add("error", report.error.clone());
    add("cause", report.cause.clone().or_else(|| no_line(report)));
    if history {
        let events = report.events.iter().map(HistoryEvent::to_json).collect();
        fields.insert("events".into(), Value::Array(events));
    }
    Value::Object(fields)
}

/// What to say of a call that the script does not know.
fn no_line(report: &RunReport) -> Option<String> {
    let call = report.unscripted.as_ref()?;
    let (state, attempt, resource) = (&call.state, call.attempt, &call.resource);
    Some(format!("there is no outcome for call {attempt} of the state '{state}' ({resource})"))
}

/// Whether the execution ended.
fn verdict(report: &RunReport, file: &Path) -> Result<(), Failure> {
    let name = file.display();
    if let (Some(call), Some(what)) = (&report.unscripted, no_line(report)) {
        let line =
            json!({ "state": call.state, "attempt": call.attempt, "outcome": {"output": {}}});
        return Err(Failure::new(format!("{name} was given up: {what}"))
            .next(format!("give it one in --tasks: {line}")));
    }
    match report.status {
        Status::Running => Err(Failure::new(format!("{name} still waits after a year"))
            .next("give the task that does not answer an outcome, or the state a timeout")),
        Status::Succeeded | Status::Failed | Status::TimedOut | Status::Aborted => Ok(()),
    }
}
