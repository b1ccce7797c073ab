//! Scripted tasks: the k-th call of a state ends as the script says.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{Answer, TaskEnd};
use crate::{Call, Integration, Stage};

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
    lines: Vec<Line>,
    calls: HashMap<String, u64>,
    strict: bool,
}

/// One answer of a script.
#[derive(Debug, Clone)]
struct Line {
    /// `None`: whichever call has no line of its own, one with the same input first.
    state: Option<String>,
    attempt: u64,
    input: Option<Value>,
    /// `None`: it says nothing.
    answer: Option<Answer>,
    used: bool,
}

/// Why a text is no script.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It is not a JSON array.
    #[error("a script is a JSON array of objects: {0}")]
    NoArray(#[from] serde_json::Error),
    /// A line is wrong.
    #[error("line {line} of the script: {what}")]
    Line {
        /// Counted from 0.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl Script {
    /// Reads a script: a JSON array of
    /// `{state, attempt, submitted?, worker?, delay_ms?, outcome: {event?, output | error, cause}}`;
    /// other fields mean nothing.
    ///
    /// `event` is the type of the history event that ends the call; without one, an outcome with an
    /// `output` succeeds and any other fails. `output`, `submitted` and `cause` are JSON, or strings
    /// that hold JSON text. Outcomes come after `delay_ms` milliseconds of the run's own time. A call
    /// whose line has no `outcome` never ends.
    ///
    /// A line without a `state` is for any call that has none of its own: one with the line's
    /// `input`, if there is such a line, or else whichever comes first. Without an `outcome` it ends
    /// as the one before it.
    ///
    /// # Errors
    /// The text is not a JSON array of such objects.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let values: Vec<Value> = serde_json::from_str(text)?;
        let mut lines: Vec<Line> = Vec::with_capacity(values.len());
        for (at, value) in values.iter().enumerate() {
            let read = line(value, &lines);
            lines.push(read.map_err(|what| ScriptError::Line { line: at, what })?);
        }
        Ok(Self { lines, ..Self::default() })
    }

    /// From now on a call the script does not know ends the run; see
    /// [`RunReport::unscripted`](super::RunReport::unscripted).
    #[must_use]
    pub fn strict(self) -> Self {
        Self { strict: true, ..self }
    }

    /// The answer to a call. Calls the script does not know give back what they are called with,
    /// unless it is [strict](Self::strict).
    pub fn answer(&mut self, call: &Call) -> Answer {
        let count = self.calls.entry(call.state.to_string()).or_default();
        let attempt = *count;
        *count += 1;
        let exact = self.lines.iter().position(|line| {
            line.state.as_deref() == Some(&*call.state) && line.attempt == attempt
        });
        let found = exact.or_else(|| self.unnamed(call));
        let line = found.and_then(|found| self.lines.get_mut(found));
        let answer = line.and_then(|line| {
            line.used = true;
            line.answer.clone()
        });
        match answer {
            Some(answer) => answer,
            None if self.strict => {
                Answer { end: Some(TaskEnd::Unscripted { attempt }), ..Answer::default() }
            }
            None => echo(call),
        }
    }
}

impl Script {
    /// Whether a call of the state may have a line.
    #[must_use]
    pub fn knows(&self, state: &str) -> bool {
        self.lines.iter().any(|line| line.state.as_deref().is_none_or(|named| named == state))
    }

    /// A line for any state, as yet unused.
    fn unnamed(&self, call: &Call) -> Option<usize> {
        let input = call.arguments.value();
        let open = |line: &Line| line.state.is_none() && !line.used;
        let fits = |line: &Line| open(line) && line.input.as_ref() == Some(input);
        self.lines.iter().position(fits).or_else(|| self.lines.iter().position(open))
    }
}

fn line(value: &Value, before: &[Line]) -> Result<Line, String> {
    let fields = value.as_object().ok_or("it is not an object")?;
    let state = match fields.get("state") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(other) => return Err(format!("'state' must be a state's name, not {other}")),
    };
    let attempt = whole(fields, "attempt")?;
    let end = match fields.get("outcome") {
        Some(Value::Object(outcome)) => Some(end(outcome)?),
        None | Some(Value::Null) if state.is_some() => None,
        None | Some(Value::Null) => {
            let last = before.iter().rfind(|line| line.state.is_none());
            last.and_then(|line| line.answer.as_ref()).and_then(|answer| answer.end.clone())
        }
        Some(other) => return Err(format!("'outcome' must be an object, not {other}")),
    };
    let delay_millis = i64::try_from(whole(fields, "delay_ms")?).unwrap_or(i64::MAX);
    let says = state.is_some() || end.is_some();
    let answer = says.then(|| Answer {
        worker: fields.get("worker").and_then(text),
        submitted: fields.get("submitted").and_then(json_text),
        end,
        delay_millis,
    });
    let input = fields.get("input").cloned();
    Ok(Line { state, attempt, input, answer, used: false })
}

fn whole(fields: &Map<String, Value>, name: &str) -> Result<u64, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(0),
        Some(value) => value
            .as_u64()
            .ok_or_else(|| format!("'{name}' must be a whole number from 0, not {value}")),
    }
}

fn end(outcome: &Map<String, Value>) -> Result<TaskEnd, String> {
    let event = outcome.get("event").filter(|event| !event.is_null());
    let event = match event {
        None if outcome.contains_key("output") => "TaskSucceeded",
        None => "TaskFailed",
        Some(event) => event.as_str().ok_or("'event' must be the type of a history event")?,
    };
    let known = ["Task", "LambdaFunction", "Activity"];
    let Some(ending) = known.iter().find_map(|kind| event.strip_prefix(kind)) else {
        return Err(format!("'{event}' is no event that ends a call"));
    };
    let (error, cause) = (field(outcome, "error"), field(outcome, "cause"));
    let stage = match ending {
        "Succeeded" => {
            let output = outcome.get("output").and_then(json_text);
            return Ok(TaskEnd::Succeeded(output.unwrap_or_else(|| "null".to_owned())));
        }
        "Failed" => return Ok(TaskEnd::Failed { error, cause }),
        "ScheduleFailed" => Stage::Schedule,
        "StartFailed" => Stage::Start,
        "SubmitFailed" => Stage::Submit,
        "TimedOut" => Stage::TimedOut,
        _ => return Err(format!("'{event}' is no event that ends a call")),
    };
    Ok(TaskEnd::Broke { stage, error, cause })
}

fn field(outcome: &Map<String, Value>, name: &str) -> Option<String> {
    outcome.get(name).and_then(text)
}

/// A string as it is, anything else as JSON text.
fn text(value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    Some(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}

/// JSON text: of the value, or the one a string holds.
fn json_text(value: &Value) -> Option<String> {
    let held = value.as_str().filter(|text| serde_json::from_str::<Value>(text).is_ok());
    match held {
        Some(held) => Some(held.to_owned()),
        None => (!value.is_null()).then(|| value.to_string()),
    }
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
