//! What moves an operation occurrence, and what the two tables of its states have in common.

use crate::Refusal;
use serde::Serialize;
use std::fmt;

/// What may happen to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The grant is there.
    Grant,
    /// The grant was rejected, or could not be prepared.
    Refuse,
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

/// An event arrived that the table does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible in state {state}")]
pub struct Illegal {
    /// Where the operation stood.
    pub state: &'static str,
    /// What was asked of it.
    pub event: Event,
}

impl From<Illegal> for Refusal {
    fn from(illegal: Illegal) -> Self {
        Self::conflict(illegal.to_string())
    }
}

/// The states of one kind of occurrence and the only ways between them, by its standard.
///
/// The table is data: it is drawn into the documentation, walked by the property tests and
/// compared with the workflows.
pub trait Lifecycle: Copy + Eq + fmt::Debug + Serialize + 'static {
    /// All of them; the first is where an occurrence begins.
    const ALL: &'static [Self];
    /// Every legal step, once.
    const TRANSITIONS: &'static [(Self, Event, Self)];
    /// Whether nothing can happen any more, as the standard says it.
    fn is_final(self) -> bool;
    /// Whether a run is under way.
    fn is_running(self) -> bool;
    /// The name on the wire.
    fn as_str(self) -> &'static str;

    /// The state after `event`.
    ///
    /// # Errors
    ///
    /// If the table has no such step.
    fn on(self, event: Event) -> Result<Self, Illegal> {
        let step = Self::TRANSITIONS.iter().find(|(from, by, _)| *from == self && *by == event);
        step.map(|(_, _, to)| *to).ok_or(Illegal { state: self.as_str(), event })
    }
}

/// The table as a Mermaid diagram, for the golden file in `docs/`.
#[must_use]
pub fn diagram<S: Lifecycle>() -> String {
    let mut out = String::from("stateDiagram-v2\n");
    for first in S::ALL.iter().take(1) {
        out.push_str(&format!("    [*] --> {first:?}: accepted\n"));
    }
    for (from, event, to) in S::TRANSITIONS {
        out.push_str(&format!("    {from:?} --> {to:?}: {event:?}\n"));
    }
    for state in S::ALL.iter().filter(|s| s.is_final()) {
        out.push_str(&format!("    {state:?} --> [*]\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{
        Event::{
            Complete, Fail, FailForGood, GiveUp, Grant, PartlyComplete, Refuse, Retry, RollBack,
            Undo,
        },
        *,
    };
    use crate::{ns, vnf};
    use proptest::prelude::*;
    use std::collections::HashSet;

    const EVENTS: [Event; 10] =
        [Grant, Refuse, Complete, PartlyComplete, Fail, FailForGood, Retry, RollBack, Undo, GiveUp];

    fn events() -> impl Strategy<Value = Vec<Event>> {
        prop::collection::vec(prop::sample::select(&EVENTS), 0..40)
    }

    fn is_a_function<S: Lifecycle>() {
        let mut seen = HashSet::new();
        for (from, event, _) in S::TRANSITIONS {
            assert!(seen.insert((from.as_str(), event)), "{from:?} {event:?}");
        }
    }

    fn is_named_as_on_the_wire<S: Lifecycle>() {
        for state in S::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    fn stays_closed<S: Lifecycle>(events: &[Event]) {
        let mut state = S::ALL[0];
        for event in events {
            let next = state.on(*event);
            assert!(!state.is_final() || next.is_err(), "{state:?} {event:?}");
            state = next.unwrap_or(state);
        }
    }

    fn can_be_closed<S: Lifecycle>(events: &[Event]) {
        let state = events.iter().fold(S::ALL[0], |s, e| s.on(*e).unwrap_or(s));
        let mut closing = [Refuse, Complete, GiveUp, Undo].into_iter().map(|e| state.on(e));
        assert!(state.is_final() || closing.any(|s| s.is_ok_and(S::is_final)), "{state:?}");
    }

    #[test]
    fn each_table_is_a_function() {
        is_a_function::<ns::op_state::State>();
        is_a_function::<vnf::op_state::State>();
    }

    #[test]
    fn every_state_is_named_as_on_the_wire() {
        is_named_as_on_the_wire::<ns::op_state::State>();
        is_named_as_on_the_wire::<vnf::op_state::State>();
    }

    proptest! {
        #[test]
        fn a_closed_operation_stays_closed(events in events()) {
            stays_closed::<ns::op_state::State>(&events);
            stays_closed::<vnf::op_state::State>(&events);
        }

        #[test]
        fn from_anywhere_open_there_is_a_way_to_close(events in events()) {
            can_be_closed::<ns::op_state::State>(&events);
            can_be_closed::<vnf::op_state::State>(&events);
        }
    }
}
