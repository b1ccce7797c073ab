//! History rows, as `GetExecutionHistory` returns them.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use crate::time;

/// One row of an execution's history. Serialises to the shape of AWS's API.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEvent {
    /// Counts from 1, without gaps.
    pub id: u64,
    /// The row this one follows from; 0 for the first.
    pub previous_event_id: u64,
    /// When, in milliseconds since 1970, UTC.
    pub at_millis: i64,
    /// The name in `type`.
    pub kind: &'static str,
    /// What the row says.
    pub details: Details,
}

/// The variables a state set: name and JSON text.
pub type Assigned = Arc<Vec<(Arc<str>, Arc<str>)>>;

/// What a row says. Inputs and outputs are JSON texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Details {
    /// Nothing, and no details field.
    None,
    /// Nothing, in a details field of its own.
    Empty,
    /// `executionStartedEventDetails`.
    ExecutionStarted {
        /// The execution's input.
        input: Arc<str>,
        /// The role the execution runs as.
        role_arn: Arc<str>,
    },
    /// `stateEnteredEventDetails`.
    Entered {
        /// The state.
        name: Arc<str>,
        /// Its raw input.
        input: Arc<str>,
    },
    /// `stateExitedEventDetails`.
    Exited {
        /// The state.
        name: Arc<str>,
        /// Its output.
        output: Arc<str>,
        /// The variables it set, if it has an `Assign`.
        assigned: Option<Assigned>,
    },
    /// An output: `executionSucceeded`, `lambdaFunctionSucceeded`, `activitySucceeded`.
    Output {
        /// The output.
        output: Arc<str>,
    },
    /// An error: `executionFailed`, `lambdaFunctionFailed`, `activityTimedOut` and the like.
    Failure {
        /// Its name.
        error: Option<String>,
        /// Its cause.
        cause: Option<String>,
    },
    /// `evaluationFailedEventDetails`.
    Evaluation {
        /// The error's name.
        error: String,
        /// Its cause.
        cause: String,
        /// The field, if the fault lies in an expression.
        location: Option<String>,
        /// The state.
        state: Arc<str>,
    },
    /// `lambdaFunctionScheduled` and `activityScheduled`.
    Scheduled {
        /// The ARN.
        resource: Arc<str>,
        /// The arguments.
        input: Arc<str>,
        /// The task's timeout.
        timeout_seconds: Option<i64>,
        /// The task's heartbeat.
        heartbeat_seconds: Option<i64>,
    },
    /// `activityStartedEventDetails`.
    ActivityStarted {
        /// The worker.
        worker: Option<String>,
    },
    /// `taskScheduledEventDetails`.
    TaskScheduled {
        /// The service.
        service: Arc<str>,
        /// The action.
        api: Arc<str>,
        /// The region of the execution.
        region: Arc<str>,
        /// The arguments.
        parameters: Arc<str>,
        /// The task's timeout.
        timeout_seconds: Option<i64>,
        /// The task's heartbeat.
        heartbeat_seconds: Option<i64>,
        /// The `Credentials`, filled in.
        credentials: Option<Value>,
    },
    /// `taskStarted`, `taskSubmitted`, `taskSucceeded`.
    Task {
        /// The service.
        service: Arc<str>,
        /// The action.
        api: Arc<str>,
        /// The output, if there is one by now.
        output: Option<Arc<str>>,
    },
    /// `taskFailed`, `taskTimedOut`.
    TaskFailure {
        /// The service.
        service: Arc<str>,
        /// The action.
        api: Arc<str>,
        /// The error's name.
        error: Option<String>,
        /// Its cause.
        cause: Option<String>,
    },
    /// `mapStateStartedEventDetails`.
    MapStarted {
        /// The number of items.
        length: u64,
    },
    /// `mapIteration…EventDetails`.
    Iteration {
        /// The Map.
        name: Arc<str>,
        /// The item's place, from 0.
        index: u64,
    },
    /// `mapRunStartedEventDetails`.
    MapRun {
        /// The map run.
        arn: String,
    },
    /// `mapRunRedrivenEventDetails`.
    MapRunRedriven {
        /// The map run.
        arn: String,
        /// How often.
        count: u64,
    },
    /// `executionRedrivenEventDetails`.
    Redriven {
        /// How often.
        count: u64,
    },
}

impl HistoryEvent {
    /// The name of the details field: `executionStartedEventDetails`.
    fn details_name(&self) -> String {
        if matches!(self.details, Details::Entered { .. }) {
            return "stateEnteredEventDetails".to_owned();
        }
        if matches!(self.details, Details::Exited { .. }) {
            return "stateExitedEventDetails".to_owned();
        }
        let mut letters = self.kind.chars();
        let first = letters.next().map(|c| c.to_ascii_lowercase());
        first.into_iter().chain(letters).collect::<String>() + "EventDetails"
    }

    /// The row as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut row = Map::new();
        row.insert("id".to_owned(), json!(self.id));
        row.insert("previousEventId".to_owned(), json!(self.previous_event_id));
        row.insert("timestamp".to_owned(), json!(time::format(self.at_millis)));
        row.insert("type".to_owned(), json!(self.kind));
        if let Some(details) = self.details.to_json() {
            row.insert(self.details_name(), details);
        }
        Value::Object(row)
    }
}

impl Serialize for HistoryEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(None)?;
        row.serialize_entry("id", &self.id)?;
        row.serialize_entry("previousEventId", &self.previous_event_id)?;
        row.serialize_entry("timestamp", &time::format(self.at_millis))?;
        row.serialize_entry("type", self.kind)?;
        if let Some(details) = self.details.to_json() {
            row.serialize_entry(&self.details_name(), &details)?;
        }
        row.end()
    }
}

/// Builds an object of what is there.
struct Object(Map<String, Value>);

impl Object {
    fn new() -> Self {
        Self(Map::new())
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A text and the note that it is whole.
    fn whole(self, name: &str, text: &str) -> Self {
        let details = format!("{name}Details");
        self.with(name, text).with(&details, json!({ "truncated": false }))
    }

    fn done(self) -> Option<Value> {
        Some(Value::Object(self.0))
    }
}

impl Details {
    /// Bytes of the data it holds.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::ExecutionStarted { input: text, .. }
            | Self::Entered { input: text, .. }
            | Self::Exited { output: text, .. }
            | Self::Output { output: text }
            | Self::Scheduled { input: text, .. }
            | Self::TaskScheduled { parameters: text, .. }
            | Self::Task { output: Some(text), .. } => text.len(),
            Self::None
            | Self::Empty
            | Self::Failure { .. }
            | Self::Evaluation { .. }
            | Self::ActivityStarted { .. }
            | Self::Task { output: None, .. }
            | Self::TaskFailure { .. }
            | Self::MapStarted { .. }
            | Self::Iteration { .. }
            | Self::MapRun { .. }
            | Self::MapRunRedriven { .. }
            | Self::Redriven { .. } => 0,
        }
    }

    fn to_json(&self) -> Option<Value> {
        let object = Object::new();
        match self {
            Self::None => None,
            Self::Empty => object.done(),
            Self::ExecutionStarted { input, role_arn } => {
                object.whole("input", input).with("roleArn", &**role_arn).done()
            }
            Self::Entered { name, input } => {
                object.whole("input", input).with("name", &**name).done()
            }
            Self::Exited { name, output, assigned } => exited(name, output, assigned.as_ref()),
            Self::Output { output } => object.whole("output", output).done(),
            Self::Failure { error, cause } => {
                object.maybe("cause", cause.clone()).maybe("error", error.clone()).done()
            }
            Self::Evaluation { error, cause, location, state } => object
                .with("cause", cause.as_str())
                .with("error", error.as_str())
                .maybe("location", location.clone())
                .with("state", &**state)
                .done(),
            Self::ActivityStarted { worker } => object.maybe("workerName", worker.clone()).done(),
            Self::MapStarted { length } => object.with("length", *length).done(),
            Self::Iteration { name, index } => {
                object.with("index", *index).with("name", &**name).done()
            }
            Self::MapRun { arn } => object.with("mapRunArn", arn.as_str()).done(),
            Self::MapRunRedriven { arn, count } => {
                object.with("mapRunArn", arn.as_str()).with("redriveCount", *count).done()
            }
            Self::Redriven { count } => object.with("redriveCount", *count).done(),
            Self::Scheduled { .. }
            | Self::TaskScheduled { .. }
            | Self::Task { .. }
            | Self::TaskFailure { .. } => self.task_json(),
        }
    }

    fn task_json(&self) -> Option<Value> {
        let object = Object::new();
        match self {
            Self::Scheduled { resource, input, timeout_seconds, heartbeat_seconds } => object
                .whole("input", input)
                .with("resource", &**resource)
                .maybe("timeoutInSeconds", *timeout_seconds)
                .maybe("heartbeatInSeconds", *heartbeat_seconds)
                .done(),
            Self::TaskScheduled {
                service,
                api,
                region,
                parameters,
                timeout_seconds,
                heartbeat_seconds,
                credentials,
            } => object
                .with("parameters", &**parameters)
                .with("region", &**region)
                .with("resource", &**api)
                .with("resourceType", &**service)
                .maybe("timeoutInSeconds", *timeout_seconds)
                .maybe("heartbeatInSeconds", *heartbeat_seconds)
                .maybe("taskCredentials", credentials.clone())
                .done(),
            Self::Task { service, api, output } => {
                let object = match output {
                    Some(output) => object.whole("output", output),
                    None => object,
                };
                object.with("resource", &**api).with("resourceType", &**service).done()
            }
            Self::TaskFailure { service, api, error, cause } => object
                .maybe("cause", cause.clone())
                .maybe("error", error.clone())
                .with("resource", &**api)
                .with("resourceType", &**service)
                .done(),
            Self::None
            | Self::Empty
            | Self::ExecutionStarted { .. }
            | Self::Entered { .. }
            | Self::Exited { .. }
            | Self::Output { .. }
            | Self::Failure { .. }
            | Self::Evaluation { .. }
            | Self::ActivityStarted { .. }
            | Self::MapStarted { .. }
            | Self::Iteration { .. }
            | Self::MapRun { .. }
            | Self::MapRunRedriven { .. }
            | Self::Redriven { .. } => None,
        }
    }
}

fn exited(name: &str, output: &str, assigned: Option<&Assigned>) -> Option<Value> {
    let mut object = Object::new();
    if let Some(assigned) = assigned {
        let values: Map<String, Value> =
            assigned.iter().map(|(name, text)| (name.to_string(), json!(text))).collect();
        object = object
            .with("assignedVariables", values)
            .with("assignedVariablesDetails", json!({ "truncated": false }));
    }
    object.with("name", name).whole("output", output).done()
}
