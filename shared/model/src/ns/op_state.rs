//! The states of an NS operation occurrence and the only ways between them.
//!
//! SOL005 `NsLcmOperationStateType`. The table is data: it is drawn into the
//! documentation, walked by the property tests and compared with the workflows.

use Event::{Complete, Fail, FailForGood, GiveUp, PartlyComplete, Retry, RollBack, Undo};
use State::{
    Completed, Failed, FailedTemp, PartiallyCompleted, Processing, RolledBack, RollingBack,
};
use serde::{Deserialize, Serialize};

/// Where an operation stands, named as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Work is under way.
    Processing,
    /// Everything asked for exists.
    Completed,
    /// Enough of what was asked for exists.
    PartiallyCompleted,
    /// Work stopped; a person or a policy decides what next.
    FailedTemp,
    /// Closed without success.
    Failed,
    /// What was done is being undone.
    RollingBack,
    /// Everything done has been undone.
    RolledBack,
}

/// What may happen to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The workflow reached its end.
    Complete,
    /// The workflow reached its end with tolerable losses.
    PartlyComplete,
    /// A step failed beyond its retries.
    Fail,
    /// A step failed and nothing can be done about it.
    FailForGood,
    /// The operator asked to try again.
    Retry,
    /// The operator asked to undo.
    RollBack,
    /// The undoing reached its end.
    Undo,
    /// The operator closed the operation.
    GiveUp,
}

/// Every legal step, once (SOL005 clause 6.6.2.2).
pub const TRANSITIONS: &[(State, Event, State)] = &[
    (Processing, Complete, Completed),
    (Processing, PartlyComplete, PartiallyCompleted),
    (Processing, Fail, FailedTemp),
    (Processing, FailForGood, Failed),
    (FailedTemp, Retry, Processing),
    (FailedTemp, RollBack, RollingBack),
    (FailedTemp, GiveUp, Failed),
    (RollingBack, Undo, RolledBack),
    (RollingBack, Fail, FailedTemp),
];

/// An event arrived that the table does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible in state {}", .state.as_str())]
pub struct Illegal {
    /// Where the operation stood.
    pub state: State,
    /// What was asked of it.
    pub event: Event,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Processing, Completed, PartiallyCompleted, FailedTemp, Failed, RollingBack, RolledBack];

    /// The state after `event`, or why there is none.
    pub fn on(self, event: Event) -> Result<Self, Illegal> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == event)
            .map(|(_, _, to)| *to)
            .ok_or(Illegal { state: self, event })
    }

    /// Whether nothing can happen any more, as the standard says it.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Completed | PartiallyCompleted | Failed | RolledBack => true,
            Processing | FailedTemp | RollingBack => false,
        }
    }

    /// Whether a run is under way.
    #[must_use]
    pub fn is_running(self) -> bool {
        match self {
            Processing | RollingBack => true,
            Completed | PartiallyCompleted | FailedTemp | Failed | RolledBack => false,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Processing => "PROCESSING",
            Completed => "COMPLETED",
            PartiallyCompleted => "PARTIALLY_COMPLETED",
            FailedTemp => "FAILED_TEMP",
            Failed => "FAILED",
            RollingBack => "ROLLING_BACK",
            RolledBack => "ROLLED_BACK",
        }
    }
}

/// The table as a Mermaid diagram, for the golden file in `docs/`.
#[must_use]
pub fn diagram() -> String {
    let mut out = String::from("stateDiagram-v2\n    [*] --> Processing: accepted\n");
    for (from, event, to) in TRANSITIONS {
        out.push_str(&format!("    {from:?} --> {to:?}: {event:?}\n"));
    }
    for state in State::ALL.into_iter().filter(|s| s.is_final()) {
        out.push_str(&format!("    {state:?} --> [*]\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let all = vec![Complete, PartlyComplete, Fail, FailForGood, Retry, RollBack, Undo, GiveUp];
        prop::collection::vec(prop::sample::select(all), 0..40)
    }

    #[test]
    fn the_table_is_a_function() {
        let pairs: HashSet<_> = TRANSITIONS.iter().map(|(s, e, _)| (s, e)).collect();
        assert_eq!(pairs.len(), TRANSITIONS.len());
    }

    #[test]
    fn every_state_is_named_as_on_the_wire() {
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    proptest! {
        #[test]
        fn a_closed_operation_stays_closed(events in events()) {
            let mut state = Processing;
            for event in events {
                let next = state.on(event);
                prop_assert!(!state.is_final() || next.is_err());
                state = next.unwrap_or(state);
            }
        }

        #[test]
        fn from_anywhere_open_there_is_a_way_to_close(events in events()) {
            let state = events.into_iter().fold(Processing, |s, e| s.on(e).unwrap_or(s));
            let closing = [Complete, GiveUp, Undo];
            prop_assert!(state.is_final() || closing.iter().any(|e| state.on(*e).is_ok_and(State::is_final)));
        }
    }
}
