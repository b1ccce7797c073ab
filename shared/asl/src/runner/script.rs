//! Scripted tasks: the k-th call of a state ends as the script says.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Answer, TaskEnd};
use crate::{Call, Integration};

/// A list of answers, by state and attempt.
///
/// ```
/// # use mano_asl::runner::{RunOptions, Script, run};
/// let script = r#"[
///     {"state": "Call", "attempt": 0, "outcome": {"event": "TaskFailed", "error": "Busy"}},
///     {"state": "Call", "attempt": 1, "outcome": {"event": "TaskSucceeded", "output": {"ok": true}}}
/// ]"#;
/// let mut script = Script::parse(script)?;
/// let definition = r#"{
///     "StartAt": "Call",
///     "States": {
///         "Call": {
///             "Type": "Task",
///             "Resource": "arn:aws:states:::lambda:invoke",
///             "Retry": [{ "ErrorEquals": ["Busy"] }],
///             "End": true
///         }
///     }
/// }"#;
/// let options = RunOptions { tasks: Box::new(|call| script.answer(call)), ..Default::default() };
/// let report = run(definition, "{}", options)?;
/// assert_eq!(report.output.as_deref(), Some(r#"{"ok":true}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Script {
    lines: Vec<(Option<String>, u64, Answer)>,
    calls: HashMap<String, u64>,
    used: Vec<bool>,
}

impl Script {
    /// Reads a script: a JSON array of
    /// `{state, attempt, submitted?, worker?, outcome: {event, output | error, cause}}`.
    /// `event` is a history event's type; one that ends in `TimedOut` means silence.
    /// `output` and `cause` are JSON, or strings that hold JSON text.
    ///
    /// # Errors
    /// The text is not a JSON array of objects.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let lines: Vec<Value> = serde_json::from_str(text)?;
        let lines: Vec<_> = lines
            .iter()
            .map(|line| {
                let state = line["state"].as_str().map(ToOwned::to_owned);
                (state, line["attempt"].as_u64().unwrap_or(0), answer(line))
            })
            .collect();
        let used = vec![false; lines.len()];
        Ok(Self { lines, calls: HashMap::new(), used })
    }

    /// The answer to a call. Calls the script does not know give back what they are called with.
    pub fn answer(&mut self, call: &Call) -> Answer {
        let count = self.calls.entry(call.state.to_string()).or_default();
        let attempt = *count;
        *count += 1;
        let exact = self.lines.iter().position(|(state, wanted, _)| {
            state.as_deref() == Some(&*call.state) && *wanted == attempt
        });
        let found = exact.or_else(|| {
            self.lines
                .iter()
                .zip(&self.used)
                .position(|((state, _, _), used)| state.is_none() && !used)
        });
        let Some(found) = found else { return echo(call) };
        if let Some(used) = self.used.get_mut(found) {
            *used = true;
        }
        self.lines.get(found).map_or_else(Answer::default, |(_, _, answer)| answer.clone())
    }
}

fn answer(line: &Value) -> Answer {
    let outcome = &line["outcome"];
    let event = outcome["event"].as_str().unwrap_or_default();
    let end = if event.is_empty() || event.ends_with("TimedOut") {
        None
    } else if event.ends_with("Succeeded") {
        Some(TaskEnd::Succeeded(text(&outcome["output"]).unwrap_or_else(|| "null".to_owned())))
    } else {
        Some(TaskEnd::Failed { error: text(&outcome["error"]), cause: text(&outcome["cause"]) })
    };
    Answer { worker: text(&line["worker"]), submitted: text(&line["submitted"]), end }
}

fn text(value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    Some(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}

/// A task that gives back what it is called with.
pub(super) fn echo(call: &Call) -> Answer {
    let arguments = call.arguments.value();
    let result = match (call.integration, &*call.service) {
        (Integration::Service, "lambda") => json!({
            "ExecutedVersion": "$LATEST",
            "Payload": arguments.get("Payload").cloned().unwrap_or_else(|| json!({})),
            "StatusCode": 200,
        }),
        _ => arguments.clone(),
    };
    Answer { end: Some(TaskEnd::Succeeded(result.to_string())), ..Answer::default() }
}
