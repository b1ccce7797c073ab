//! All executions of a run in memory, on one clock that jumps to what happens next.

use std::collections::{BTreeMap, VecDeque};

use super::{BlobRequest, RunOptions, RunReport, TaskEnd, Unscripted};
use crate::{
    Call, ChildId, Definition, Doc, Effect, Ending, Event, Execution, HistoryEvent, Integration,
    Outcome, Stage, Start, StartError, Status, TaskId, TimerId,
};

/// All executions of a run on one clock.
pub(super) struct World<'a, 'o> {
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
    pub(super) fn new(definition: &'a Definition, options: RunOptions<'o>, now: i64) -> Self {
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

    pub(super) fn begin(
        &mut self,
        start: Start,
        parent: Option<(usize, ChildId)>,
    ) -> Result<(), StartError> {
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
    pub(super) fn settle(&mut self) {
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

    pub(super) fn report(self) -> RunReport {
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
