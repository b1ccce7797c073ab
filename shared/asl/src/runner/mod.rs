//! Runs a definition in memory, in virtual time: for tests and for trying a workflow out.
//!
//! Nothing waits: when every thread waits for a timer, the clock jumps to it.

mod script;

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

pub use script::{Script, ScriptError};

use crate::{
    Call, ChildId, Definition, Diagnostic, Doc, Effect, Ending, Event, Execution, HistoryEvent,
    Integration, Kind, Limits, Outcome, ResultFile, Seed, Stage, Start, StartError, Status, TaskId,
    TimerId,
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

/// All executions of a run on one clock.
struct World<'a, 'o> {
    definition: &'a Definition,
    options: RunOptions<'o>,
    started: i64,
    now: i64,
    runs: Vec<Run>,
    events: VecDeque<(usize, Happening)>,
    /// By time, then in the order they were set.
    timers: BTreeMap<(i64, usize, TimerId), ()>,
    /// What happens later: by time, then in the order it was foreseen.
    later: BTreeMap<(i64, usize), (usize, Happening)>,
    foreseen: usize,
    unscripted: Option<Unscripted>,
}

/// Something that is to be told to an execution.
enum Happening {
    Event(Event),
    Broke { task: TaskId, stage: Stage, error: Option<String>, cause: Option<String> },
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
            later: BTreeMap::new(),
            foreseen: 0,
            unscripted: None,
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
        while self.unscripted.is_none() {
            let (index, happening) = match self.events.pop_front() {
                Some(next) => next,
                None => match self.next_later() {
                    Some(next) => next,
                    None => return,
                },
            };
            self.hand(index, happening);
        }
    }

    /// Moves the clock to what happens next. A task that ends when its timer strikes is in time.
    fn next_later(&mut self) -> Option<(usize, Happening)> {
        let timer = self.timers.first_key_value().map(|(key, ())| key.0);
        let later = self.later.first_key_value().map(|(key, _)| key.0);
        let at = timer.into_iter().chain(later).min()?;
        if at.saturating_sub(self.started) > self.options.patience_millis {
            return None;
        }
        self.now = self.now.max(at);
        if later == Some(at) {
            return self.later.pop_first().map(|(_, next)| next);
        }
        let ((_, index, timer), ()) = self.timers.pop_first()?;
        Some((index, Happening::Event(Event::TimerFired { timer })))
    }

    fn hand(&mut self, index: usize, happening: Happening) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(index) else { return };
        let outcome = match happening {
            Happening::Event(event) => run.execution.handle(self.definition, event, now),
            Happening::Broke { task, stage, error, cause } => {
                run.execution.task_broke(self.definition, task, stage, (error, cause), now)
            }
        };
        self.take(index, outcome);
    }

    /// Tells an execution something in its next turn.
    fn tell(&mut self, index: usize, event: Event) {
        self.events.push_back((index, Happening::Event(event)));
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
                    self.tell(index, Event::ChildFinished { child, ending });
                }
            }
            Effect::StopChild { child } => {
                let found = self.runs.get(index).and_then(|run| run.children.get(&child).copied());
                if let Some(found) = found {
                    self.tell(found, Event::Stop { error: None, cause: None });
                }
            }
            Effect::ReadItems { task, resource, arguments } => {
                self.read(index, task, &resource, &arguments);
            }
            Effect::WriteResults { task, arguments, files, .. } => {
                (self.options.writes)(arguments.value(), &files);
                self.tell(index, Event::ResultsWritten { task });
            }
            Effect::Finished(ending) => {
                let parent = self.runs.get(index).and_then(|run| run.parent);
                if let Some((parent, child)) = parent {
                    self.tell(parent, Event::ChildFinished { child, ending });
                }
            }
        }
    }

    fn call(&mut self, index: usize, call: &Call) {
        let task = call.task;
        let answer = (self.options.tasks)(call);
        if call.integration == Integration::Activity {
            self.tell(index, Event::TaskStarted { task, worker: answer.worker });
        }
        if let Some(output) = answer.submitted {
            self.tell(index, Event::TaskSubmitted { task, output });
        }
        let end = match answer.end {
            None => return,
            Some(TaskEnd::Unscripted { attempt }) => {
                let (state, resource) = (call.state.to_string(), call.resource.to_string());
                self.unscripted.get_or_insert(Unscripted { state, attempt, resource });
                return;
            }
            Some(TaskEnd::Broke { stage: Stage::TimedOut, error, cause: None })
                if answer.delay_millis == 0
                    && error.as_deref().is_none_or(|error| error == "States.Timeout")
                    && patience(call).is_some() =>
            {
                return;
            }
            Some(TaskEnd::Succeeded(output)) => {
                Happening::Event(Event::TaskSucceeded { task, output })
            }
            Some(TaskEnd::Failed { error, cause }) => {
                Happening::Event(Event::TaskFailed { task, error, cause })
            }
            Some(TaskEnd::Broke { stage, error, cause }) => {
                Happening::Broke { task, stage, error, cause }
            }
        };
        let delay = match &end {
            Happening::Broke { stage: Stage::TimedOut, .. } if answer.delay_millis == 0 => {
                patience(call).unwrap_or(0)
            }
            Happening::Broke { .. } | Happening::Event(_) => answer.delay_millis.max(0),
        };
        if delay == 0 {
            self.events.push_back((index, end));
        } else {
            let at = self.now.saturating_add(delay);
            self.foreseen += 1;
            self.later.insert((at, self.foreseen), (index, end));
        }
    }

    fn read(&mut self, index: usize, task: TaskId, resource: &str, arguments: &Doc) {
        let request = BlobRequest { resource, arguments: arguments.value() };
        let event = match (self.options.blobs)(&request) {
            Ok(content) => Event::ItemsRead { task, content },
            Err(cause) => Event::TaskFailed { task, error: None, cause: Some(cause) },
        };
        self.tell(index, event);
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
            unscripted: self.unscripted,
        }
    }
}

/// Milliseconds until the engine gives a silent task up.
fn patience(call: &Call) -> Option<i64> {
    let seconds = call.timeout_seconds.into_iter().chain(call.heartbeat_seconds).min()?;
    Some(seconds.saturating_mul(1000))
}
