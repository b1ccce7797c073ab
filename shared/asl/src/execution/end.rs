//! The ends of an execution.

use std::sync::Arc;

use super::{
    frame::{Frame, Work},
    turn::Turn,
};
use crate::{
    doc::Doc,
    event::{Effect, Ending, Status},
    fault::Fault,
    history::Details,
};

impl Turn<'_> {
    pub(super) fn succeed(&mut self, frame: &Frame, output: &Doc) {
        let text = output.text();
        let details = Details::Output { output: Arc::clone(&text) };
        self.emit("ExecutionSucceeded", frame.prev, details);
        self.x.frames.clear();
        self.finish(Ending {
            status: Status::Succeeded,
            output: Some(text),
            error: None,
            cause: None,
        });
    }

    pub(super) fn fail(&mut self, mut frame: Frame, fault: Fault) {
        let Fault { error, cause, .. } = fault;
        let details = Details::Failure { error: error.clone(), cause: cause.clone() };
        self.advance(&mut frame, "ExecutionFailed", details);
        frame.work = Work::Failed;
        self.unpark(frame);
        self.finish(Ending { status: Status::Failed, output: None, error, cause });
    }

    pub(super) fn too_many_events(&mut self) {
        let error = Some("States.Runtime".to_owned());
        let limit = self.x.limits.max_events;
        let cause =
            Some(format!("The execution reached the maximum number of history events ({limit})."));
        let last = self.x.last_event;
        let details = Details::Failure { error: error.clone(), cause: cause.clone() };
        self.emit("ExecutionFailed", last, details);
        self.finish(Ending { status: Status::Failed, output: None, error, cause });
    }

    pub(super) fn time_out(&mut self) {
        let error = Some("States.Timeout".to_owned());
        self.emit("ExecutionTimedOut", 0, Details::Failure { error, cause: None });
        self.finish(Ending { status: Status::TimedOut, output: None, error: None, cause: None });
    }

    pub(super) fn stop(&mut self, error: Option<String>, cause: Option<String>) {
        let details = Details::Failure { error: error.clone(), cause: cause.clone() };
        self.emit("ExecutionAborted", 0, details);
        self.finish(Ending { status: Status::Aborted, output: None, error, cause });
    }

    /// Ends the execution: nothing outside is waited for any more.
    fn finish(&mut self, ending: Ending) {
        self.ready.clear();
        self.let_go_of_everything();
        self.x.status = ending.status;
        self.x.ending = Some(ending.clone());
        self.out.effects.push(Effect::Finished(ending));
    }
}
