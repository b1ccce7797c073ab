//! Redrive: a failed execution goes on where it failed.
//!
//! Branches and iterations that succeeded keep their results; the others enter the state they were
//! in again, with the same input and variables. Retry counters start anew, limits count on. A
//! distributed Map starts the failed and unstarted children again, as new executions.

use super::{
    Kind,
    frame::{Frame, FrameId, Work},
    turn::Turn,
};
use crate::{event::Status, history::Details};

impl Turn<'_> {
    /// Puts parked threads back, so that a redrive finds them.
    pub(super) fn unpark(&mut self, mut frame: Frame) {
        if let Some(parked) = frame.parked.take() {
            frame.work = parked.work;
            for child in parked.frames {
                self.unpark(child);
            }
        }
        self.x.frames.insert(frame.id, frame);
    }

    /// Goes on where the execution failed, if it may.
    pub(super) fn redrive(&mut self) {
        let redrivable = self.x.kind == Kind::Standard
            && self.x.status != Status::Succeeded
            && self.has_room()
            && !self.x.frames.is_empty();
        if !redrivable {
            return;
        }
        self.x.status = Status::Running;
        self.x.ending = None;
        self.x.is_limited = false;
        self.x.identity.redrive_count += 1;
        self.x.identity.redriven_at = Some(self.now);
        let (last, count) = (self.x.last_event, self.x.identity.redrive_count);
        let redriven = self.emit("ExecutionRedriven", last, Details::Redriven { count });
        self.execution_timer(self.now);
        let ids: Vec<FrameId> = self.x.frames.keys().copied().collect();
        for id in ids {
            let Some(mut frame) = self.x.frames.remove(&id) else { continue };
            frame.prev = redriven;
            frame.rest = None;
            match &frame.work {
                Work::Branches(_) => {
                    self.x.frames.insert(id, frame);
                }
                Work::Run(_) => self.redrive_run(frame),
                Work::Enter
                | Work::Again
                | Work::Waiting { .. }
                | Work::Retrying { .. }
                | Work::Task(_)
                | Work::Failed => {
                    frame.work = Work::Enter;
                    self.x.frames.insert(id, frame);
                    self.ready.push_back(id);
                }
            }
        }
    }
}
