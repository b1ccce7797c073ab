//! Notes taken while a single state is tested.

use serde_json::{Map, Value};

use super::turn::Turn;
use crate::{
    definition::{Kind, Language, Next, State, StateId},
    doc::Doc,
    fault::Fault,
};

/// What is written down while a state is tested.
#[derive(Debug, Default)]
pub(super) struct Probe {
    pub(super) notes: Map<String, Value>,
    pub(super) next: Option<StateId>,
    pub(super) fault: Option<Fault>,
    pub(super) caught: Option<usize>,
    /// The retrier, and the delay it asks for unless it is used up.
    pub(super) retry: Option<(usize, Option<i64>)>,
}

impl Turn<'_> {
    pub(super) fn note(&self, name: &str, doc: &Doc) {
        if let Some(probe) = &self.probe {
            probe.borrow_mut().notes.insert(name.to_owned(), doc.value().clone());
        }
    }

    pub(super) fn note_number(&self, name: &str, number: Value) {
        if let Some(probe) = &self.probe {
            probe.borrow_mut().notes.insert(name.to_owned(), number);
        }
    }

    pub(super) fn note_effective(&self, state: &State, effective: &Doc) {
        let shown = !matches!(state.kind, Kind::Parallel { .. } | Kind::Pass { result: Some(_) });
        if shown && state.language == Language::JsonPath {
            self.note("afterInputPath", effective);
        }
    }

    pub(super) fn note_arguments(&self, state: &State, filled: &Doc) {
        match (&state.kind, state.language) {
            (Kind::Parallel { .. }, _) => {}
            (_, Language::JsonPath) => self.note("afterParameters", filled),
            (_, Language::Jsonata) if state.data.parameters.is_some() => {
                self.note("afterArguments", filled);
            }
            (_, Language::Jsonata) => {}
        }
    }

    /// Whether the execution ends with this state.
    pub(super) fn is_probed(&self, next: Next) -> bool {
        let Some(probe) = &self.probe else { return false };
        if let Next::State(next) = next {
            probe.borrow_mut().next = Some(next);
        }
        true
    }

    pub(super) fn probe_fault(&self, fault: &Fault) {
        if let Some(probe) = &self.probe {
            probe.borrow_mut().fault = Some(fault.clone());
        }
    }

    pub(super) fn probe_retry(&self, index: usize, millis: Option<i64>) {
        if let Some(probe) = &self.probe {
            probe.borrow_mut().retry = Some((index, millis));
        }
    }

    pub(super) fn probe_catch(&self, index: usize) {
        if let Some(probe) = &self.probe {
            probe.borrow_mut().caught = Some(index);
        }
    }
}
