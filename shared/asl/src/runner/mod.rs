//! Runs a definition in memory, in virtual time: for tests and for trying a workflow out.
//!
//! Nothing waits: when every thread waits for a timer, the clock jumps to it.

mod script;
mod world;

use serde_json::Value;

pub use script::{Script, ScriptError};

use crate::{
    Call, Definition, Diagnostic, HistoryEvent, Kind, Limits, ResultFile, Seed, Stage, Start,
    StartError, Status,
};
use world::World;

/// What a called task does.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The worker that takes an activity; `None`: nobody names itself.
    pub worker: Option<String>,
    /// What the call of a `.sync` or `.waitForTaskToken` task returns at once, as JSON text.
    pub submitted: Option<String>,
    /// How it ends; `None`: never, so that its timeout strikes.
    pub end: Option<TaskEnd>,
    /// Milliseconds of the run's own time until it ends.
    pub delay_millis: i64,
}

/// How a task ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskEnd {
    /// With a result, as JSON text.
    Succeeded(String),
    /// With an error.
    Failed {
        /// Its name.
        error: Option<String>,
        /// Its cause.
        cause: Option<String>,
    },
    /// Without having done its work, or not in time. A task that is late without a delay is silent
    /// until its timeout or heartbeat strikes, if it has one.
    Broke {
        /// How far it came.
        stage: Stage,
        /// The error's name; `States.Timeout` if a task that is late has none.
        error: Option<String>,
        /// Its cause.
        cause: Option<String>,
    },
    /// Nobody knows: the run ends here.
    Unscripted {
        /// How many calls of the state there were before.
        attempt: u64,
    },
}

/// A call that nobody had an answer for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unscripted {
    /// The state.
    pub state: String,
    /// How many calls of the state there were before.
    pub attempt: u64,
    /// What it calls.
    pub resource: String,
}

/// A request for an object: the resource and its arguments.
#[derive(Debug, Clone)]
pub struct BlobRequest<'a> {
    /// `arn:aws:states:::s3:getObject` or `…:listObjectsV2`.
    pub resource: &'a str,
    /// `Bucket`, `Key` and the like.
    pub arguments: &'a Value,
}

/// Answers a call.
pub type Tasks<'a> = Box<dyn FnMut(&Call) -> Answer + 'a>;
/// Reads an object; `Err` is the cause of `States.ItemReaderFailed`.
pub type Blobs<'a> = Box<dyn FnMut(&BlobRequest<'_>) -> Result<String, String> + 'a>;
/// Is told what a `ResultWriter` writes.
pub type Writes<'a> = Box<dyn FnMut(&Value, &[ResultFile]) + 'a>;

/// How a definition is run.
pub struct RunOptions<'a> {
    /// Standard or Express.
    pub kind: Kind,
    /// The execution's name.
    pub name: String,
    /// When it starts, in milliseconds since 1970, UTC.
    pub at_millis: i64,
    /// Where randomness comes from.
    pub seed: Seed,
    /// The quotas.
    pub limits: Limits,
    /// The tasks.
    pub tasks: Tasks<'a>,
    /// The objects that item readers read.
    pub blobs: Blobs<'a>,
    /// What result writers write.
    pub writes: Writes<'a>,
    /// The clock never jumps further than this past the start; an execution that waits longer is
    /// reported as running.
    pub patience_millis: i64,
}

impl Default for RunOptions<'_> {
    /// Tasks give back what they are called with; there are no objects.
    fn default() -> Self {
        Self {
            kind: Kind::Standard,
            name: "run".to_owned(),
            at_millis: 1_700_000_000_000,
            seed: [0; 32],
            limits: Limits::default(),
            tasks: Box::new(script::echo),
            blobs: Box::new(|_| Err("there is no such object".to_owned())),
            writes: Box::new(|_, _| {}),
            patience_millis: 366 * 86_400_000,
        }
    }
}

/// How a run went.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// Its status when nothing more could happen.
    pub status: Status,
    /// The output as JSON text.
    pub output: Option<String>,
    /// The error's name.
    pub error: Option<String>,
    /// The error's cause.
    pub cause: Option<String>,
    /// The history.
    pub events: Vec<HistoryEvent>,
    /// The call that ended the run because nobody had an answer for it.
    pub unscripted: Option<Unscripted>,
}

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The definition is wrong.
    #[error("the definition is invalid: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Definition(Vec<Diagnostic>),
    /// The input is wrong.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Runs a definition to its end.
///
/// ```
/// # use mano_asl::runner::{RunOptions, run};
/// let definition = r#"{
///     "StartAt": "Greet",
///     "States": {
///         "Greet": {
///             "Type": "Pass",
///             "Parameters": { "text.$": "States.Format('Hello {}', $.name)" },
///             "End": true
///         }
///     }
/// }"#;
/// let report = run(definition, r#"{"name": "Ada"}"#, RunOptions::default())?;
/// assert_eq!(report.output.as_deref(), Some(r#"{"text":"Hello Ada"}"#));
/// # Ok::<(), mano_asl::runner::RunError>(())
/// ```
///
/// # Errors
/// The definition or the input is wrong.
pub fn run(definition: &str, input: &str, options: RunOptions<'_>) -> Result<RunReport, RunError> {
    let definition =
        Definition::parse_as(definition, options.kind).map_err(RunError::Definition)?;
    let mut start = Start::new(&options.name, input);
    start.at_millis = options.at_millis;
    start.seed = options.seed;
    start.kind = options.kind;
    start.limits = options.limits;
    run_from(&definition, start, options)
}

/// Runs a definition from a start of the caller's making.
///
/// # Errors
/// The input is wrong.
pub fn run_from(
    definition: &Definition,
    start: Start,
    options: RunOptions<'_>,
) -> Result<RunReport, RunError> {
    let mut world = World::new(definition, options, start.at_millis);
    world.begin(start, None)?;
    world.settle();
    Ok(world.report())
}
