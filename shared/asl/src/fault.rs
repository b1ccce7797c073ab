//! What went wrong in a state, and which names in `ErrorEquals` match it.

use serde::{Deserialize, Serialize};

/// An error on its way to a retrier, a catcher or the end of the execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) nature: Nature,
}

/// Where a fault came from; this decides who may catch it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Nature {
    /// A task, a Fail state or a child said so.
    Reported,
    /// A task took too long, or was silent too long.
    Timeout { heartbeat: bool },
    /// The definition and its data do not fit; nothing catches this.
    Runtime,
    /// A JSONata expression failed; `location` is the field it stands in.
    Evaluation { location: Option<String> },
}

impl Fault {
    /// An error somebody reported.
    pub(crate) fn reported(error: Option<String>, cause: Option<String>) -> Self {
        Self { error, cause, nature: Nature::Reported }
    }

    /// A named error of the engine that retriers and catchers see.
    pub(crate) fn named(error: &str, cause: impl Into<String>) -> Self {
        Self::reported(Some(error.to_owned()), Some(cause.into()))
    }

    /// `States.Timeout`.
    pub(crate) fn timeout(heartbeat: bool) -> Self {
        let error = Some("States.Timeout".to_owned());
        Self { error, cause: None, nature: Nature::Timeout { heartbeat } }
    }

    /// `States.Runtime`.
    pub(crate) fn runtime(cause: impl Into<String>) -> Self {
        let error = Some("States.Runtime".to_owned());
        Self { error, cause: Some(cause.into()), nature: Nature::Runtime }
    }

    /// `States.QueryEvaluationError`.
    pub(crate) fn evaluation(location: Option<String>, cause: impl Into<String>) -> Self {
        let error = Some("States.QueryEvaluationError".to_owned());
        Self { error, cause: Some(cause.into()), nature: Nature::Evaluation { location } }
    }

    /// A result that is too large.
    pub(crate) fn too_large(what: &str) -> Self {
        let cause = format!(
            "The state/task '{what}' returned a result with a size exceeding the maximum number \
             of bytes service limit."
        );
        Self::named("States.DataLimitExceeded", cause)
    }

    /// Whether one of the names in an `ErrorEquals` matches.
    pub(crate) fn is_named(&self, names: &[String]) -> bool {
        if self.nature == Nature::Runtime {
            return false;
        }
        names.iter().any(|name| match name.as_str() {
            "States.ALL" => true,
            "States.TaskFailed" => !matches!(self.nature, Nature::Timeout { .. }),
            "States.HeartbeatTimeout" => {
                self.nature == Nature::Timeout { heartbeat: true }
                    || self.error.as_deref() == Some(name)
            }
            _ => self.error.as_deref() == Some(name),
        })
    }

    /// Says where it happened, as every fault of the engine itself does.
    pub(crate) fn entered_at(mut self, state: &str, event_id: u64) -> Self {
        if matches!(self.nature, Nature::Runtime | Nature::Evaluation { .. }) {
            let cause = self.cause.unwrap_or_default();
            self.cause = Some(format!(
                "An error occurred while executing the state '{state}' (entered at the event id \
                 #{event_id}). {cause}"
            ));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    #[test]
    fn nothing_catches_a_runtime_error_not_even_its_name() {
        let fault = Fault::runtime("x");
        assert!(!fault.is_named(&names("States.ALL")));
        assert!(!fault.is_named(&names("States.Runtime")));
    }

    #[test]
    fn task_failed_matches_everything_but_timeouts() {
        assert!(Fault::reported(None, None).is_named(&names("States.TaskFailed")));
        assert!(!Fault::timeout(false).is_named(&names("States.TaskFailed")));
        assert!(Fault::timeout(true).is_named(&names("States.HeartbeatTimeout")));
        assert!(Fault::timeout(true).is_named(&names("States.Timeout")));
        assert!(!Fault::timeout(false).is_named(&names("States.HeartbeatTimeout")));
    }
}
