//! An execution in memory: the pure engine's value, and what it waits for outside.
//!
//! Nothing here does anything: a turn says what is to be written and what is to be done.

use super::rows::{AWAKE, About, Kept, NEVER, Turn};
use mano_asl::{
    Call, ChildId, Definition, Doc, Effect, Ending, Event, Execution, Integration, Outcome, Start,
    StartError, Status, TaskId, TimerId,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// After so many turns an execution's value is written whole, so that loading it stays cheap.
const SNAPSHOT: u32 = 200;

/// A call to make, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Work {
    pub(super) task: TaskId,
    pub(super) resource: String,
    pub(super) integration: Integration,
    /// The service and the action: `lambda`, `invoke.waitForTaskToken`.
    pub(super) service: String,
    pub(super) api: String,
    pub(super) arguments: Doc,
    pub(super) token: Option<String>,
    pub(super) timeout_seconds: Option<i64>,
}

/// What an execution waits for outside.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Pending {
    /// Calls that have not returned.
    pub(super) calls: BTreeMap<TaskId, Work>,
    /// Timers that have not fired: milliseconds since 1970.
    pub(super) timers: BTreeMap<TimerId, i64>,
    /// Tokens nobody brought back.
    pub(super) tokens: BTreeMap<String, TaskId>,
    /// Children of a distributed Map, which this engine does not run.
    pub(super) children: BTreeSet<ChildId>,
}

/// An execution in memory.
pub(super) struct Live {
    pub(super) about: Arc<About>,
    definition: Definition,
    execution: Execution,
    pub(super) pending: Pending,
    /// Turns so far.
    pub(super) turns: u32,
    /// Until when its row says that it sleeps; [`AWAKE`] if it does not.
    pub(super) sleeps: i64,
    /// When its last turn was.
    pub(super) touched: i64,
}

/// What the host does after a turn.
#[derive(Debug, Default)]
pub(super) struct ToDo {
    pub(super) calls: Vec<Work>,
    /// Timers set (with their time) and cancelled (without), in order.
    pub(super) timers: Vec<(TimerId, Option<i64>)>,
    /// New tokens.
    pub(super) tokens: Vec<String>,
    /// Tokens nobody waits for any more.
    pub(super) gone: Vec<String>,
    /// Children that cannot be started here.
    pub(super) children: Vec<ChildId>,
    /// The execution has ended.
    pub(super) ended: Option<Status>,
}

/// Why an execution cannot be loaded: a defect, or a newer version's file.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("it was started by engine version {0}, which this software does not know")]
    Engine(u32),
    #[error("its journal leads to history row {found}, but row {written} was written")]
    Diverged { found: u64, written: u64 },
    #[error("its journal cannot be read")]
    Journal(#[from] serde_json::Error),
    #[error("it cannot be started again")]
    Start(#[from] StartError),
}

#[derive(Serialize)]
struct SnapshotRef<'a> {
    execution: &'a Execution,
    pending: &'a Pending,
}

#[derive(Deserialize)]
struct Snapshot {
    execution: Execution,
    pending: Pending,
}

impl Live {
    /// Starts an execution.
    pub(super) fn start(
        about: About,
        definition: Definition,
    ) -> Result<(Self, Turn, ToDo), StartError> {
        let (execution, outcome) = Execution::start(&definition, start(&about))?;
        let touched = about.started;
        let mut live = Self {
            about: Arc::new(about),
            definition,
            execution,
            pending: Pending::default(),
            turns: 0,
            sleeps: AWAKE,
            touched,
        };
        let (turn, todo) = live.take(outcome, touched, String::new());
        Ok((live, turn, todo))
    }

    /// An execution as its rows tell it: what it waits for is due again.
    pub(super) fn load(kept: Kept, definition: Definition) -> Result<Self, LoadError> {
        if kept.engine != mano_asl::ENGINE_VERSION {
            return Err(LoadError::Engine(kept.engine));
        }
        let sleeps = kept.wake.unwrap_or(AWAKE);
        let mut turns = kept.turns.into_iter();
        let (execution, pending, outcome, taken) = match &kept.snapshot {
            Some(text) => {
                let Snapshot { execution, pending } = serde_json::from_str(text)?;
                (execution, pending, Outcome::default(), kept.snapshot_turn)
            }
            None => {
                turns.next();
                let (execution, outcome) = Execution::start(&definition, start(&kept.about))?;
                (execution, Pending::default(), outcome, 1)
            }
        };
        let touched = kept.about.started;
        let about = Arc::new(kept.about);
        let mut live =
            Self { about, definition, execution, pending, turns: taken, sleeps, touched };
        live.absorb(&outcome.effects);
        for turn in turns {
            let event: Event = serde_json::from_str(&turn.event)?;
            live.settle(&event);
            let outcome = live.execution.handle(&live.definition, event, turn.at);
            live.absorb(&outcome.effects);
            live.turns += 1;
            live.touched = turn.at;
        }
        let found = live.execution.last_event_id();
        if kept.last != 0 && found != kept.last {
            return Err(LoadError::Diverged { found, written: kept.last });
        }
        Ok(live)
    }

    /// What happened, and what is to be written and done; `None`: it changed nothing.
    pub(super) fn happen(&mut self, event: Event, at: i64) -> Option<(Turn, ToDo)> {
        // Time does not go back inside an execution, whatever the machine's clock does.
        let at = at.max(self.touched);
        let text = serde_json::to_string(&event).unwrap_or_default();
        self.settle(&event);
        let outcome = self.execution.handle(&self.definition, event, at);
        if !outcome.changed {
            return None;
        }
        Some(self.take(outcome, at, text))
    }

    /// Everything it waits for, as if it were new.
    pub(super) fn todo(&self) -> ToDo {
        ToDo {
            calls: self.pending.calls.values().cloned().collect(),
            timers: self.pending.timers.iter().map(|(timer, at)| (*timer, Some(*at))).collect(),
            tokens: self.pending.tokens.keys().cloned().collect(),
            children: self.pending.children.iter().copied().collect(),
            ..ToDo::default()
        }
    }

    /// When it wakes by itself, if it sleeps now.
    pub(super) fn wake(&self) -> i64 {
        self.pending.timers.values().min().copied().unwrap_or(NEVER)
    }

    /// Whether nothing but a timer, a token or a stop can move it.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_over() && self.pending.calls.is_empty() && self.pending.children.is_empty()
    }

    pub(super) fn is_over(&self) -> bool {
        self.execution.status() != Status::Running
    }

    /// The turn and what to do after it.
    fn take(&mut self, outcome: Outcome, at: i64, event: String) -> (Turn, ToDo) {
        let todo = self.absorb(&outcome.effects);
        let n = self.turns;
        self.turns += 1;
        self.touched = at;
        let ending: Option<Ending> = self.execution.ending().cloned();
        let snapshot = if self.turns.is_multiple_of(SNAPSHOT) && ending.is_none() {
            let whole = SnapshotRef { execution: &self.execution, pending: &self.pending };
            serde_json::to_string(&whole).ok()
        } else {
            None
        };
        let turn = Turn {
            about: Arc::clone(&self.about),
            first: n == 0,
            n,
            at,
            event,
            last: self.execution.last_event_id(),
            rows: serde_json::to_string(&outcome.rows).unwrap_or_default(),
            wakes: std::mem::replace(&mut self.sleeps, AWAKE) != AWAKE,
            ending,
            snapshot,
        };
        (turn, todo)
    }

    /// What an event answers is no longer waited for.
    fn settle(&mut self, event: &Event) {
        match event {
            Event::TaskSubmitted { task, .. }
            | Event::TaskSucceeded { task, .. }
            | Event::TaskFailed { task, .. }
            | Event::ItemsRead { task, .. }
            | Event::ResultsWritten { task } => {
                self.pending.calls.remove(task);
            }
            Event::TokenSucceeded { token, .. } | Event::TokenFailed { token, .. } => {
                if let Some(task) = self.pending.tokens.get(token) {
                    self.pending.calls.remove(task);
                }
            }
            Event::TimerFired { timer } => {
                self.pending.timers.remove(timer);
            }
            Event::ChildFinished { child, .. } => {
                self.pending.children.remove(child);
            }
            Event::TaskStarted { .. }
            | Event::TaskHeartbeat { .. }
            | Event::TokenHeartbeat { .. }
            | Event::Stop { .. }
            | Event::Redrive => {}
        }
    }

    /// Keeps what is waited for, and says what is new.
    fn absorb(&mut self, effects: &[Effect]) -> ToDo {
        let mut todo = ToDo::default();
        for effect in effects {
            match effect {
                Effect::Call(call) => {
                    let work = work(call);
                    if let Some(token) = &work.token {
                        self.pending.tokens.insert(token.clone(), work.task);
                        todo.tokens.push(token.clone());
                    }
                    self.pending.calls.insert(work.task, work);
                }
                Effect::CancelTask { task } => {
                    self.pending.calls.remove(task);
                }
                Effect::SetTimer { timer, at_millis } => {
                    self.pending.timers.insert(*timer, *at_millis);
                    todo.timers.push((*timer, Some(*at_millis)));
                }
                Effect::CancelTimer { timer } => {
                    self.pending.timers.remove(timer);
                    todo.timers.push((*timer, None));
                }
                Effect::ReadItems { task, resource, arguments }
                | Effect::WriteResults { task, resource, arguments, .. } => {
                    let work = unknown(*task, resource, arguments);
                    self.pending.calls.insert(work.task, work);
                }
                Effect::StartChild { child, .. } => {
                    self.pending.children.insert(*child);
                    todo.children.push(*child);
                }
                Effect::StopChild { child } => {
                    self.pending.children.remove(child);
                }
                Effect::Finished(ending) => todo.ended = Some(ending.status),
            }
        }
        self.let_go(&mut todo);
        let new = |task: &TaskId| effects.iter().any(|effect| starts(effect, *task));
        let calls = self.pending.calls.iter().filter(|(task, _)| new(task));
        todo.calls = calls.map(|(_, work)| work.clone()).collect();
        todo
    }

    /// Forgets tokens nobody waits for any more, and everything once the execution is over.
    fn let_go(&mut self, todo: &mut ToDo) {
        if self.is_over() {
            self.pending.calls.clear();
            self.pending.children.clear();
        }
        let execution = &self.execution;
        let (kept, gone) = std::mem::take(&mut self.pending.tokens)
            .into_iter()
            .partition(|(token, _)| execution.awaits_token(token));
        self.pending.tokens = kept;
        todo.gone = BTreeMap::into_keys(gone).collect();
    }
}

fn starts(effect: &Effect, wanted: TaskId) -> bool {
    match effect {
        Effect::Call(call) => call.task == wanted,
        Effect::ReadItems { task, .. } | Effect::WriteResults { task, .. } => *task == wanted,
        Effect::CancelTask { .. }
        | Effect::SetTimer { .. }
        | Effect::CancelTimer { .. }
        | Effect::StartChild { .. }
        | Effect::StopChild { .. }
        | Effect::Finished(_) => false,
    }
}

fn work(call: &Call) -> Work {
    Work {
        task: call.task,
        resource: call.resource.to_string(),
        integration: call.integration,
        service: call.service.to_string(),
        api: call.api.to_string(),
        arguments: call.arguments.clone(),
        token: call.token.clone(),
        timeout_seconds: call.timeout_seconds,
    }
}

/// A reader or a writer: this engine has none, and says so when it is called.
fn unknown(task: TaskId, resource: &str, arguments: &Doc) -> Work {
    Work {
        task,
        resource: resource.into(),
        integration: Integration::Service,
        service: String::new(),
        api: String::new(),
        arguments: arguments.clone(),
        token: None,
        timeout_seconds: None,
    }
}

fn start(about: &About) -> Start {
    let About { workflow, name, .. } = about;
    let mut start = Start::new(name, &about.input);
    start.arn = execution_arn(workflow, name);
    start.state_machine_arn = machine_arn(workflow);
    start.state_machine_name.clone_from(workflow);
    start.role_arn = "arn:aws:iam::000000000000:role/mano".into();
    start.seed = about.seed;
    start.at_millis = about.started;
    start
}

/// The ARN of an execution, as on AWS, in a region that is this machine.
pub(super) fn execution_arn(workflow: &str, run: &str) -> String {
    format!("arn:aws:states:local:000000000000:execution:{workflow}:{run}")
}

/// The ARN of a state machine.
pub(super) fn machine_arn(workflow: &str) -> String {
    format!("arn:aws:states:local:000000000000:stateMachine:{workflow}")
}
