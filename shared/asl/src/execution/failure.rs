//! Faults: retry, catch, or give up.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    data::place,
    frame::{Flow, Frame, TimerOf, Work},
    sight::Sight,
    turn::Turn,
};
use crate::{
    definition::{Catcher, Kind, Language, Next, Retrier, State},
    doc::Doc,
    entropy,
    fault::{Fault, Nature},
    history::Details,
};

/// Longest delay before a retry, in seconds: a year.
const MAX_DELAY: f64 = 31_622_400.0;

impl Turn<'_> {
    /// Decides what becomes of a fault in a state.
    pub(super) fn handle(&mut self, frame: &mut Frame, state: &State, fault: Fault) -> Flow {
        let fault = self.noted(frame, state, fault);
        if let Some(flow) = self.retry(frame, state, &fault) {
            return flow;
        }
        let found = state.catch.iter().position(|catcher| fault.is_named(&catcher.errors));
        self.container_failed(frame, state, &fault);
        let Some(index) = found else { return Flow::Fail(fault) };
        let Some(catcher) = state.catch.get(index) else { return Flow::Fail(fault) };
        self.probe_catch(index);
        match self.catch(frame, state, catcher, &fault) {
            Ok(flow) => flow,
            Err(fault) => Flow::Fail(self.noted(frame, state, fault)),
        }
    }

    /// Words the fault as this state's, and notes a failed evaluation.
    fn noted(&mut self, frame: &mut Frame, state: &State, fault: Fault) -> Fault {
        let fault = match &self.probe {
            // A tested state's faults are shown as they are.
            Some(_) => fault,
            None => fault.entered_at(&state.name, frame.entered),
        };
        self.probe_fault(&fault);
        if let Nature::Evaluation { location } = &fault.nature {
            let details = Details::Evaluation {
                error: fault.error.clone().unwrap_or_default(),
                cause: fault.cause.clone().unwrap_or_default(),
                location: location.clone(),
                state: Arc::clone(&state.name),
            };
            // Recorded: the row follows from whatever the state's entry followed from. A Wait,
            // whose fault lies in the time it was given, follows from its entry.
            let at_once = frame.prev == frame.entered && !matches!(state.kind, Kind::Wait(_));
            let previous = if at_once { frame.entered_prev } else { frame.prev };
            frame.prev = self.emit("EvaluationFailed", previous, details);
        }
        fault
    }

    fn retry(&mut self, frame: &mut Frame, state: &State, fault: &Fault) -> Option<Flow> {
        let index = state.retry.iter().position(|retrier| fault.is_named(&retrier.errors))?;
        let retrier = state.retry.get(index)?;
        frame.retries.resize(state.retry.len(), 0);
        let used = frame.retries.get_mut(index)?;
        if *used >= retrier.max_attempts {
            self.probe_retry(index, None);
            return None;
        }
        *used += 1;
        let millis = delay(retrier, *used, || {
            entropy::unit(&entropy::digest(&self.x.seed, "jitter", self.x.last_event, *used))
        });
        self.probe_retry(index, Some(millis));
        frame.retry_count += 1;
        let timer = self.timer(TimerOf::Frame(frame.id), self.now.saturating_add(millis));
        frame.work = Work::Retrying { timer };
        Some(Flow::Block)
    }

    fn catch(
        &mut self,
        frame: &mut Frame,
        state: &State,
        catcher: &Catcher,
        fault: &Fault,
    ) -> Result<Flow, Fault> {
        let error = error_output(fault);
        let (output, sight) = match state.language {
            Language::Jsonata => {
                let input = frame.input.clone();
                let sight = Sight { error: Some(&error), ..Sight::of(&input) };
                let output = match &catcher.output {
                    Some(template) => {
                        self.with_env(frame, state, sight, |env| template.fill(env))?
                    }
                    None => error.clone(),
                };
                let assigned = self.assigned(frame, state, catcher.assign.as_ref(), sight)?;
                return self.exit(frame, state, output, assigned, Next::State(catcher.next));
            }
            Language::JsonPath => {
                (place(&catcher.result_path, &frame.input, error.clone())?, Sight::of(&error))
            }
        };
        let assigned = self.assigned(frame, state, catcher.assign.as_ref(), sight)?;
        self.exit(frame, state, output, assigned, Next::State(catcher.next))
    }

    /// The row that says a Map or Parallel has failed for good.
    fn container_failed(&mut self, frame: &mut Frame, state: &State, fault: &Fault) {
        // Recorded: a fault of the definition itself ends the execution without this row.
        if fault.nature == Nature::Runtime {
            return;
        }
        if state.kind.as_map().is_some() {
            self.advance(frame, "MapStateFailed", Details::None);
        } else if matches!(state.kind, Kind::Parallel { .. }) {
            self.advance(frame, "ParallelStateFailed", Details::None);
        }
    }
}

/// What a catcher sees: `Error`, as far as it is known, and `Cause`.
pub(super) fn error_output(fault: &Fault) -> Doc {
    let mut fields = Map::new();
    if let Some(error) = &fault.error {
        fields.insert("Error".to_owned(), Value::String(error.clone()));
    }
    // Recorded: an error without a cause has an empty one here.
    let cause = fault.cause.clone().unwrap_or_default();
    fields.insert("Cause".to_owned(), Value::String(cause));
    Doc::new(Value::Object(fields))
}

/// Milliseconds before the `attempt`-th retry.
fn delay(retrier: &Retrier, attempt: u64, unit: impl FnOnce() -> f64) -> i64 {
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let grown = retrier.interval_seconds * retrier.backoff_rate.powi(exponent);
    let capped = grown.min(retrier.max_delay_seconds.unwrap_or(MAX_DELAY)).min(MAX_DELAY);
    let seconds = if retrier.jitter { capped * unit() } else { capped };
    #[expect(clippy::cast_possible_truncation, reason = "at most a year")]
    let millis = (seconds * 1000.0) as i64;
    millis
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(max_delay_seconds: Option<f64>, jitter: bool) -> Retrier {
        Retrier {
            errors: Vec::new(),
            interval_seconds: 3.0,
            max_attempts: 9,
            backoff_rate: 2.0,
            max_delay_seconds,
            jitter,
        }
    }

    #[test]
    fn the_delay_grows_until_its_cap_and_jitter_comes_after_the_cap() {
        let delays: Vec<i64> =
            (1..=4).map(|attempt| delay(&retrier(Some(10.0), false), attempt, || 0.5)).collect();
        assert_eq!(delays, [3000, 6000, 10_000, 10_000]);
        assert_eq!(delay(&retrier(Some(10.0), true), 4, || 0.5), 5000);
        assert_eq!(delay(&retrier(None, false), u64::MAX, || 0.5), 31_622_400_000);
    }
}
