//! One execution of a definition: a value that events are handed to, and that answers with rows
//! and effects.
//!
//! ```text
//!            event, time                     rows (what happened)
//!   host ───────────────▶ Execution::handle ───────────────────▶ host: commit,
//!                         (no I/O, no clock)  effects (what to do)     then do
//! ```

mod abort;
mod branch;
mod data;
mod end;
mod failure;
mod frame;
mod probe;
mod redrive;
mod run;
mod sight;
mod state;
mod task;
mod tested;
mod turn;
mod wait;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    definition::{Definition, FlowId},
    doc::Doc,
    entropy::Seed,
    env::Identity,
    event::{Effect, Ending, Event, Stage, Status, TaskId},
    history::HistoryEvent,
};
use frame::{Frame, FrameId, TimerOf};
pub use tested::{
    Inspection, Mock, MockError, StateConfiguration, TestError, TestReport, TestRequest,
    TestStatus, test_state,
};
use turn::Turn;

/// The engine's version. It is stamped on every execution; an engine of another version must not
/// continue it unless it promises the same rows.
pub const ENGINE_VERSION: u32 = 1;

/// Standard or Express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Lasts up to a year, may wait for tokens.
    Standard,
    /// Lasts up to five minutes, never waits for outside.
    Express,
}

/// The quotas of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most history rows; one more ends the execution.
    pub max_events: u64,
    /// Largest input, result or output, in bytes of JSON text.
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_events: 25_000, max_bytes: 262_144 }
    }
}

/// What an execution starts from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Start {
    /// The execution's ARN or other unique id.
    pub arn: String,
    /// The execution's name.
    pub name: String,
    /// The state machine's ARN.
    pub state_machine_arn: String,
    /// The state machine's name.
    pub state_machine_name: String,
    /// The role the execution runs as; shown, not used.
    pub role_arn: String,
    /// The input, as JSON text.
    pub input: String,
    /// The secret from which tokens, jitter and random numbers follow.
    pub seed: Seed,
    /// When it starts, in milliseconds since 1970, UTC.
    pub at_millis: i64,
    /// Standard or Express.
    pub kind: Kind,
    /// The quotas.
    pub limits: Limits,
    /// The part of the definition it runs.
    pub part: Part,
    /// ARNs of activities that do not exist: a Task that names one fails the execution.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent_activities: Vec<String>,
}

/// The part of a definition an execution runs: all of it, or the processor of a distributed Map.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Part {
    pub(crate) flow: FlowId,
}

impl Start {
    /// A Standard execution of a whole definition that starts at 1970.
    #[must_use]
    pub fn new(name: &str, input: &str) -> Self {
        Self {
            arn: format!("arn:aws:states:local:000000000000:execution:workflow:{name}"),
            name: name.to_owned(),
            state_machine_arn: "arn:aws:states:local:000000000000:stateMachine:workflow".to_owned(),
            state_machine_name: "workflow".to_owned(),
            role_arn: "arn:aws:iam::000000000000:role/workflow".to_owned(),
            input: input.to_owned(),
            seed: [0; 32],
            at_millis: 0,
            kind: Kind::Standard,
            limits: Limits::default(),
            part: Part::default(),
            absent_activities: Vec::new(),
        }
    }
}

/// Why an execution cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The input is not JSON.
    #[error("Invalid State Machine Execution Input: '{0}'")]
    InvalidInput(String),
    /// The input is larger than the limit.
    #[error("the input has {size} bytes, {limit} are allowed")]
    InputTooLarge {
        /// The input's size in bytes.
        size: usize,
        /// The most that is allowed.
        limit: usize,
    },
}

/// What came of an event: rows to keep and things to do.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The new history rows, in order.
    pub rows: Vec<HistoryEvent>,
    /// What the host is to do once the rows are safe.
    pub effects: Vec<Effect>,
    /// Whether the event changed the execution. It may have without rows or effects: a child of a
    /// distributed Map that ends while others run. What changed nothing need not be kept.
    pub changed: bool,
}

/// An execution under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Execution {
    engine: u32,
    kind: Kind,
    limits: Limits,
    seed: Seed,
    flow: FlowId,
    region: Arc<str>,
    identity: Identity,
    status: Status,
    ending: Option<Ending>,
    last_event: u64,
    draws: u64,
    next_frame: FrameId,
    next_timer: u64,
    frames: BTreeMap<FrameId, Frame>,
    timers: BTreeMap<u64, TimerOf>,
    tasks: BTreeMap<u64, FrameId>,
    tokens: BTreeMap<String, u64>,
    children: BTreeMap<u64, FrameId>,
    /// The place of each child among its siblings.
    slots: BTreeMap<u64, usize>,
    /// At least the bytes of all variables.
    #[serde(default, skip_serializing_if = "is_default")]
    assigned_bytes: usize,
    /// Whether the timer of the longest life is set.
    #[serde(default, skip_serializing_if = "is_default")]
    is_limited: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent_activities: Vec<String>,
}

/// Whether a field need not be written down.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Execution {
    /// Starts an execution and runs it until it waits for something outside.
    ///
    /// # Errors
    /// The input is no JSON, or too large.
    pub fn start(definition: &Definition, start: Start) -> Result<(Self, Outcome), StartError> {
        let limit = start.limits.max_bytes;
        let size = start.input.len();
        if size > limit {
            return Err(StartError::InputTooLarge { size, limit });
        }
        let input = Doc::parse(&start.input)
            .map_err(|_| StartError::InvalidInput("Invalid execution input.".to_owned()))?;
        let now = start.at_millis;
        let text: Arc<str> = Arc::from(start.input.as_str());
        let mut execution = Self::new(start, input);
        let outcome = Turn::run(&mut execution, definition, now, |turn| turn.start(text));
        Ok((execution, outcome))
    }

    fn new(start: Start, input: Doc) -> Self {
        let region = start.arn.split(':').nth(3).filter(|part| !part.is_empty());
        Self {
            engine: ENGINE_VERSION,
            kind: start.kind,
            limits: start.limits,
            seed: start.seed,
            flow: start.part.flow,
            region: Arc::from(region.unwrap_or("local")),
            identity: Identity {
                arn: start.arn,
                name: start.name,
                state_machine_arn: start.state_machine_arn,
                state_machine_name: start.state_machine_name,
                role_arn: Arc::from(start.role_arn),
                input,
                started_at: start.at_millis,
                redrive_count: 0,
                redriven_at: None,
                given_context: None,
            },
            status: Status::Running,
            ending: None,
            last_event: 0,
            draws: 0,
            next_frame: 0,
            next_timer: 0,
            frames: BTreeMap::new(),
            timers: BTreeMap::new(),
            tasks: BTreeMap::new(),
            tokens: BTreeMap::new(),
            children: BTreeMap::new(),
            slots: BTreeMap::new(),
            assigned_bytes: 0,
            is_limited: false,
            absent_activities: start.absent_activities,
        }
    }

    /// Tells the execution what happened, and when. What comes too late or twice changes nothing.
    pub fn handle(&mut self, definition: &Definition, event: Event, at_millis: i64) -> Outcome {
        Turn::run(self, definition, at_millis, |turn| turn.event(event))
    }

    /// Tells the execution that a task broke, with the error's name and cause. Like an event: for a
    /// task that is not under way it changes nothing.
    pub fn task_broke(
        &mut self,
        definition: &Definition,
        task: TaskId,
        stage: Stage,
        (error, cause): (Option<String>, Option<String>),
        at_millis: i64,
    ) -> Outcome {
        Turn::run(self, definition, at_millis, |turn| turn.task_broke(task, stage, error, cause))
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// The version of the engine that started it.
    #[must_use]
    pub fn engine_version(&self) -> u32 {
        self.engine
    }

    /// The id of its newest history row.
    #[must_use]
    pub fn last_event_id(&self) -> u64 {
        self.last_event
    }

    /// How often it was redriven.
    #[must_use]
    pub fn redrive_count(&self) -> u64 {
        self.identity.redrive_count
    }

    /// Whether it still waits for a token.
    #[must_use]
    pub fn awaits_token(&self, token: &str) -> bool {
        self.tokens.contains_key(token)
    }
}
