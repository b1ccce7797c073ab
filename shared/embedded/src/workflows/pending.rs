//! What an execution waits for outside, and what the host does after a turn.

use super::rows::Errand;
use mano_asl::{
    Call, ChildId, Doc, Effect, Event, Integration, ResultFile, Start, Status, TaskId, TimerId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// Something to be done outside that answers with an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Work {
    /// Call a service.
    Call(Call),
    /// Read the object with a Map's items.
    Read { task: TaskId, resource: String, arguments: Doc },
    /// Write the files of a Map's results.
    Write { task: TaskId, arguments: Doc, files: Vec<ResultFile> },
}

impl Work {
    pub(super) const fn task(&self) -> TaskId {
        match self {
            Self::Call(call) => call.task,
            Self::Read { task, .. } | Self::Write { task, .. } => *task,
        }
    }
}

/// What an execution waits for outside.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Pending {
    /// What has not returned.
    pub(super) works: BTreeMap<TaskId, Arc<Work>>,
    /// Timers that have not fired: milliseconds since 1970.
    pub(super) timers: BTreeMap<TimerId, i64>,
    /// Tokens nobody brought back.
    pub(super) tokens: BTreeMap<String, TaskId>,
    /// Children of distributed Maps that have not ended.
    pub(super) offspring: BTreeMap<ChildId, Start>,
    /// Nested executions that are awaited, by their ARN.
    pub(super) jobs: BTreeMap<TaskId, String>,
}

/// What the host does after a turn.
#[derive(Debug, Default)]
pub(super) struct ToDo {
    pub(super) works: Vec<Arc<Work>>,
    /// Timers set (with their time) and cancelled (without), in order.
    pub(super) timers: Vec<(TimerId, Option<i64>)>,
    /// New tokens.
    pub(super) tokens: Vec<String>,
    /// Tokens nobody waits for any more.
    pub(super) gone: Vec<String>,
    /// Children to start.
    pub(super) offspring: Vec<(ChildId, Start)>,
    /// Executions nobody waits for any more: workflow and name.
    pub(super) orphans: Vec<(String, String)>,
    /// Work for the workers of activities.
    pub(super) errands: Vec<Errand>,
    /// Tasks whose errands nobody waits for any more.
    pub(super) dropped: Vec<TaskId>,
    /// The execution has ended.
    pub(super) ended: Option<Status>,
}

impl Pending {
    /// Everything it waits for, as if it were new.
    pub(super) fn todo(&self) -> ToDo {
        ToDo {
            works: self.works.values().cloned().collect(),
            timers: self.timers.iter().map(|(timer, at)| (*timer, Some(*at))).collect(),
            tokens: self.tokens.keys().cloned().collect(),
            offspring: self.offspring.iter().map(|(id, start)| (*id, start.clone())).collect(),
            ..ToDo::default()
        }
    }

    /// What an event answers is no longer waited for.
    pub(super) fn settle(&mut self, event: &Event) {
        match event {
            Event::TaskSubmitted { task, output } => {
                let work = self.works.remove(task);
                if work.is_some_and(|work| is_job(&work))
                    && let Some(arn) = execution_of(output)
                {
                    self.jobs.insert(*task, arn);
                }
            }
            Event::TaskSucceeded { task, .. }
            | Event::TaskFailed { task, .. }
            | Event::ItemsRead { task, .. }
            | Event::ResultsWritten { task } => {
                self.works.remove(task);
                self.jobs.remove(task);
            }
            Event::TokenSucceeded { token, .. } | Event::TokenFailed { token, .. } => {
                if let Some(task) = self.tokens.get(token) {
                    self.works.remove(task);
                    self.jobs.remove(task);
                }
            }
            Event::TimerFired { timer } => {
                self.timers.remove(timer);
            }
            Event::ChildFinished { child, .. } => {
                self.offspring.remove(child);
            }
            Event::TaskStarted { .. }
            | Event::TaskHeartbeat { .. }
            | Event::TokenHeartbeat { .. }
            | Event::Stop { .. }
            | Event::Redrive => {}
        }
    }

    /// Keeps what is waited for, and says what is new.
    pub(super) fn absorb(
        &mut self,
        effects: Vec<Effect>,
        over: bool,
        awaits: impl Fn(&str) -> bool,
    ) -> ToDo {
        let mut todo = ToDo::default();
        for effect in effects {
            self.take(effect, &mut todo);
        }
        if over {
            self.works.clear();
            todo.works.clear();
            let jobs = std::mem::take(&mut self.jobs);
            todo.orphans.extend(jobs.values().filter_map(|arn| named(arn)));
        }
        self.tokens.retain(|token, _| {
            let kept = awaits(token);
            if !kept {
                todo.gone.push(token.clone());
            }
            kept
        });
        // What began and was given up in the same turn is not begun.
        todo.works.retain(|work| self.works.contains_key(&work.task()));
        todo
    }

    fn take(&mut self, effect: Effect, todo: &mut ToDo) {
        match effect {
            Effect::Call(call) => self.call(*call, todo),
            Effect::CancelTask { task } => {
                self.works.remove(&task);
                let job = self.jobs.remove(&task);
                todo.orphans.extend(job.as_deref().and_then(named));
                todo.dropped.push(task);
            }
            Effect::SetTimer { timer, at_millis } => {
                self.timers.insert(timer, at_millis);
                todo.timers.push((timer, Some(at_millis)));
            }
            Effect::CancelTimer { timer } => {
                self.timers.remove(&timer);
                todo.timers.push((timer, None));
            }
            Effect::ReadItems { task, resource, arguments } => {
                self.begin(Work::Read { task, resource, arguments }, todo);
            }
            Effect::WriteResults { task, arguments, files, .. } => {
                self.begin(Work::Write { task, arguments, files }, todo);
            }
            Effect::StartChild { child, start } => {
                self.offspring.insert(child, (*start).clone());
                todo.offspring.push((child, *start));
            }
            Effect::StopChild { child } => {
                todo.offspring.retain(|(new, _)| *new != child);
                if let Some(start) = self.offspring.remove(&child) {
                    todo.orphans.push((start.state_machine_name, start.name));
                }
            }
            Effect::Finished(ending) => todo.ended = Some(ending.status),
        }
    }

    fn call(&mut self, call: Call, todo: &mut ToDo) {
        if let Some(token) = &call.token {
            self.tokens.insert(token.clone(), call.task);
            todo.tokens.push(token.clone());
        }
        if call.integration == Integration::Activity {
            todo.errands.push(Errand::of(&call));
        } else {
            self.begin(Work::Call(call), todo);
        }
    }

    fn begin(&mut self, work: Work, todo: &mut ToDo) {
        let work = Arc::new(work);
        self.works.insert(work.task(), Arc::clone(&work));
        todo.works.push(work);
    }
}

fn is_job(work: &Work) -> bool {
    matches!(work, Work::Call(call) if call.integration == Integration::Sync)
}

/// The execution that a call says it started.
fn execution_of(output: &str) -> Option<String> {
    let output: Value = serde_json::from_str(output).ok()?;
    output["ExecutionArn"].as_str().map(Into::into)
}

/// Workflow and name in an execution's ARN.
fn named(arn: &str) -> Option<(String, String)> {
    let (_, rest) = arn.split_once(":execution:")?;
    let (workflow, name) = rest.split_once(':')?;
    Some((workflow.into(), name.into()))
}
