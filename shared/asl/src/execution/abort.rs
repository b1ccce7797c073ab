//! Giving up threads: when a sibling failed, and when the whole execution ends.

use std::sync::Arc;

use super::{
    frame::{Frame, FrameId, Parked, Work},
    turn::Turn,
};
use crate::{
    definition::Kind,
    event::{Effect, TaskId, TimerId},
    history::Details,
};

impl Turn<'_> {
    /// Gives up every branch that is still under way. They are parked with the container, in case
    /// the execution fails for good and is redriven.
    pub(super) fn abort_branches(&mut self, frame: &mut Frame, failed: Option<Frame>) {
        let work = std::mem::replace(&mut frame.work, Work::Again);
        let Work::Branches(branches) = &work else {
            frame.work = work;
            return;
        };
        let map = self.state_of(frame).filter(|state| matches!(state.kind, Kind::Map(_)));
        let failed_id = failed.as_ref().map(|child| child.id);
        let mut frames: Vec<Frame> = failed.into_iter().collect();
        let open: Vec<FrameId> =
            branches.open.iter().copied().filter(|id| Some(*id) != failed_id).collect();
        for id in open {
            let Some(child) = self.abort(id) else { continue };
            if let Some(map) = map {
                let (name, index) = (Arc::clone(&map.name), child.slot as u64);
                let details = Details::Iteration { name, index };
                self.emit("MapIterationAborted", child.prev, details);
            }
            frames.push(child);
        }
        frame.parked = Some(Box::new(Parked { work, frames }));
    }

    /// Gives up a thread and everything inside it.
    fn abort(&mut self, id: FrameId) -> Option<Frame> {
        let mut frame = self.x.frames.remove(&id)?;
        self.ready.retain(|ready| *ready != id);
        let was = match &frame.work {
            Work::Enter | Work::Failed => None,
            Work::Again
            | Work::Waiting { .. }
            | Work::Retrying { .. }
            | Work::Task(_)
            | Work::Branches(_)
            | Work::Run(_) => self.state_of(&frame),
        };
        self.abort_branches(&mut frame, None);
        self.let_go(&frame.work);
        if let Some(timer) = frame.rest.take() {
            self.cancel_timer(timer);
        }
        let kind = was.and_then(|state| match &state.kind {
            Kind::Task(_) => Some("TaskStateAborted"),
            Kind::Wait(_) => Some("WaitStateAborted"),
            Kind::Map(_) => Some("MapStateAborted"),
            Kind::Parallel { .. } => Some("ParallelStateAborted"),
            Kind::Pass { .. } | Kind::Choice { .. } | Kind::Succeed | Kind::Fail { .. } => None,
        });
        if let Some(kind) = kind {
            self.advance(&mut frame, kind, Details::None);
        }
        Some(frame)
    }

    /// Takes back what a thread asked of the host.
    fn let_go(&mut self, work: &Work) {
        match work {
            Work::Waiting { timer } | Work::Retrying { timer } => self.cancel_timer(*timer),
            Work::Task(task) => {
                self.forget_task(task);
                self.out.effects.push(Effect::CancelTask { task: TaskId(task.id) });
            }
            Work::Run(run) => self.let_go_of_run(run),
            Work::Enter | Work::Again | Work::Branches(_) | Work::Failed => {}
        }
    }

    /// Takes back everything the execution asked of the host. The threads stay, for a redrive.
    pub(super) fn let_go_of_everything(&mut self) {
        let works: Vec<Work> = self
            .x
            .frames
            .values()
            .filter(|frame| matches!(frame.work, Work::Task(_) | Work::Run(_)))
            .map(|frame| frame.work.clone())
            .collect();
        for work in &works {
            self.let_go(work);
        }
        for timer in std::mem::take(&mut self.x.timers).into_keys() {
            self.out.effects.push(Effect::CancelTimer { timer: TimerId(timer) });
        }
        self.x.tasks.clear();
        self.x.tokens.clear();
        self.x.children.clear();
        self.x.slots.clear();
    }
}
