//! Runs a definition in memory, in virtual time: for tests and for trying a workflow out.
//!
//! Nothing waits: when every thread waits for a timer, the clock jumps to it.

mod script;

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

pub use script::Script;

use crate::{
    Call, ChildId, Definition, Diagnostic, Doc, Effect, Ending, Event, Execution, HistoryEvent,
    Kind, Limits, Outcome, ResultFile, Seed, Start, StartError, Status, TaskId, TimerId,
};

/// What a called task does.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The worker that takes an activity; `None`: nobody names itself.
    pub worker: Option<String>,
    /// What the call of a `.sync` or `.waitForTaskToken` task returns at once, as JSON text.
    pub submitted: Option<String>,
    /// How it ends; `None`: never, so that its timeout strikes.
    pub end: Option<TaskEnd>,
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
    let definition = Definition::parse(definition).map_err(RunError::Definition)?;
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

/// All executions of a run on one clock.
struct World<'a, 'o> {
    definition: &'a Definition,
    options: RunOptions<'o>,
    started: i64,
    now: i64,
    runs: Vec<Run>,
    events: VecDeque<(usize, Event)>,
    /// By time, then in the order they were set.
    timers: BTreeMap<(i64, usize, TimerId), ()>,
}

/// One execution of a run.
struct Run {
    execution: Execution,
    parent: Option<(usize, ChildId)>,
    rows: Vec<HistoryEvent>,
    due: BTreeMap<TimerId, i64>,
    children: BTreeMap<ChildId, usize>,
}

impl<'a, 'o> World<'a, 'o> {
    fn new(definition: &'a Definition, options: RunOptions<'o>, now: i64) -> Self {
        Self {
            definition,
            options,
            started: now,
            now,
            runs: Vec::new(),
            events: VecDeque::new(),
            timers: BTreeMap::new(),
        }
    }

    fn begin(&mut self, start: Start, parent: Option<(usize, ChildId)>) -> Result<(), StartError> {
        let (execution, outcome) = Execution::start(self.definition, start)?;
        let index = self.runs.len();
        self.runs.push(Run {
            execution,
            parent,
            rows: Vec::new(),
            due: BTreeMap::new(),
            children: BTreeMap::new(),
        });
        if let Some((parent, child)) = parent
            && let Some(run) = self.runs.get_mut(parent)
        {
            run.children.insert(child, index);
        }
        self.take(index, outcome);
        Ok(())
    }

    /// Until nothing more can happen, or patience ends.
    fn settle(&mut self) {
        loop {
            while let Some((index, event)) = self.events.pop_front() {
                self.hand(index, event);
            }
            let Some(((at, index, timer), ())) = self.timers.pop_first() else { return };
            if at.saturating_sub(self.started) > self.options.patience_millis {
                return;
            }
            self.now = self.now.max(at);
            self.hand(index, Event::TimerFired { timer });
        }
    }

    fn hand(&mut self, index: usize, event: Event) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(index) else { return };
        let outcome = run.execution.handle(self.definition, event, now);
        self.take(index, outcome);
    }

    fn take(&mut self, index: usize, outcome: Outcome) {
        if let Some(run) = self.runs.get_mut(index) {
            run.rows.extend(outcome.rows);
        }
        for effect in outcome.effects {
            self.act(index, effect);
        }
    }

    fn act(&mut self, index: usize, effect: Effect) {
        match effect {
            Effect::Call(call) => self.call(index, &call),
            Effect::SetTimer { timer, at_millis } => {
                self.timers.insert((at_millis, index, timer), ());
                if let Some(run) = self.runs.get_mut(index) {
                    run.due.insert(timer, at_millis);
                }
            }
            Effect::CancelTimer { timer } => {
                let at = self.runs.get_mut(index).and_then(|run| run.due.remove(&timer));
                if let Some(at) = at {
                    self.timers.remove(&(at, index, timer));
                }
            }
            Effect::CancelTask { .. } => {}
            Effect::StartChild { child, start } => {
                if let Err(error) = self.begin(*start, Some((index, child))) {
                    let ending = Ending {
                        status: Status::Failed,
                        output: None,
                        error: Some("States.Runtime".to_owned()),
                        cause: Some(error.to_string()),
                    };
                    self.events.push_back((index, Event::ChildFinished { child, ending }));
                }
            }
            Effect::StopChild { child } => {
                let found = self.runs.get(index).and_then(|run| run.children.get(&child).copied());
                if let Some(found) = found {
                    self.events.push_back((found, Event::Stop { error: None, cause: None }));
                }
            }
            Effect::ReadItems { task, resource, arguments } => {
                self.read(index, task, &resource, &arguments);
            }
            Effect::WriteResults { task, arguments, files, .. } => {
                (self.options.writes)(arguments.value(), &files);
                self.events.push_back((index, Event::ResultsWritten { task }));
            }
            Effect::Finished(ending) => {
                let parent = self.runs.get(index).and_then(|run| run.parent);
                if let Some((parent, child)) = parent {
                    self.events.push_back((parent, Event::ChildFinished { child, ending }));
                }
            }
        }
    }

    fn call(&mut self, index: usize, call: &Call) {
        let task = call.task;
        let answer = (self.options.tasks)(call);
        if call.integration == crate::Integration::Activity {
            let started = Event::TaskStarted { task, worker: answer.worker };
            self.events.push_back((index, started));
        }
        if let Some(output) = answer.submitted {
            self.events.push_back((index, Event::TaskSubmitted { task, output }));
        }
        match answer.end {
            None => {}
            Some(TaskEnd::Succeeded(output)) => {
                self.events.push_back((index, Event::TaskSucceeded { task, output }));
            }
            Some(TaskEnd::Failed { error, cause }) => {
                self.events.push_back((index, Event::TaskFailed { task, error, cause }));
            }
        }
    }

    fn read(&mut self, index: usize, task: TaskId, resource: &str, arguments: &Doc) {
        let request = BlobRequest { resource, arguments: arguments.value() };
        let event = match (self.options.blobs)(&request) {
            Ok(content) => Event::ItemsRead { task, content },
            Err(cause) => Event::TaskFailed { task, error: None, cause: Some(cause) },
        };
        self.events.push_back((index, event));
    }

    fn report(self) -> RunReport {
        let run = self.runs.into_iter().next();
        let ending = run.as_ref().and_then(|run| run.execution.ending().cloned());
        let (output, error, cause) = match ending {
            Some(ending) => (ending.output, ending.error, ending.cause),
            None => (None, None, None),
        };
        RunReport {
            status: run.as_ref().map_or(Status::Running, |run| run.execution.status()),
            output: output.map(|text| text.to_string()),
            error,
            cause,
            events: run.map(|run| run.rows).unwrap_or_default(),
        }
    }
}
