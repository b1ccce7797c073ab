//! History rows, as `GetExecutionHistory` returns them.

use std::{borrow::Cow, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

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
    fn details_name(&self) -> Cow<'static, str> {
        if matches!(self.details, Details::Entered { .. }) {
            return "stateEnteredEventDetails".into();
        }
        if matches!(self.details, Details::Exited { .. }) {
            return "stateExitedEventDetails".into();
        }
        let mut letters = self.kind.chars();
        let first = letters.next().map(|c| c.to_ascii_lowercase());
        Cow::Owned(first.into_iter().chain(letters).collect::<String>() + "EventDetails")
    }

    /// The row as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        // Rows have string keys and whole numbers only: this cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Serialize for HistoryEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(None)?;
        row.serialize_entry("id", &self.id)?;
        row.serialize_entry("previousEventId", &self.previous_event_id)?;
        row.serialize_entry("timestamp", &time::format(self.at_millis))?;
        row.serialize_entry("type", self.kind)?;
        if self.details != Details::None {
            row.serialize_entry(&*self.details_name(), &self.details)?;
        }
        row.end()
    }
}

/// Writes an object field by field: what is there.
struct Fields<M>(M);

impl<M: SerializeMap> Fields<M> {
    fn with(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<Self, M::Error> {
        self.0.serialize_entry(name, value)?;
        Ok(self)
    }

    fn maybe(self, name: &str, value: Option<&impl Serialize>) -> Result<Self, M::Error> {
        match value {
            Some(value) => self.with(name, value),
            None => Ok(self),
        }
    }

    fn input(self, text: &str) -> Result<Self, M::Error> {
        self.with("input", text)?.with("inputDetails", &Whole)
    }

    fn output(self, text: &str) -> Result<Self, M::Error> {
        self.with("output", text)?.with("outputDetails", &Whole)
    }
}

/// The note that a text is whole.
struct Whole;

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut note = serializer.serialize_map(Some(1))?;
        note.serialize_entry("truncated", &false)?;
        note.end()
    }
}

/// Variables by name.
struct Variables<'a>(&'a Assigned);

impl Serialize for Variables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, text)| (&**name, &**text)))
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
}

impl Serialize for Details {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = Fields(serializer.serialize_map(None)?);
        let fields = match self {
            Self::None | Self::Empty => fields,
            Self::ExecutionStarted { input, role_arn } => {
                fields.input(input)?.with("roleArn", &**role_arn)?
            }
            Self::Entered { name, input } => fields.input(input)?.with("name", &**name)?,
            Self::Exited { name, output, assigned } => {
                let fields = match assigned {
                    Some(assigned) => fields
                        .with("assignedVariables", &Variables(assigned))?
                        .with("assignedVariablesDetails", &Whole)?,
                    None => fields,
                };
                fields.with("name", &**name)?.output(output)?
            }
            Self::Output { output } => fields.output(output)?,
            Self::Failure { error, cause } => {
                fields.maybe("cause", cause.as_ref())?.maybe("error", error.as_ref())?
            }
            Self::Evaluation { error, cause, location, state } => fields
                .with("cause", cause)?
                .with("error", error)?
                .maybe("location", location.as_ref())?
                .with("state", &**state)?,
            Self::ActivityStarted { worker } => fields.maybe("workerName", worker.as_ref())?,
            Self::MapStarted { length } => fields.with("length", length)?,
            Self::Iteration { name, index } => {
                fields.with("index", index)?.with("name", &**name)?
            }
            Self::MapRun { arn } => fields.with("mapRunArn", arn)?,
            Self::MapRunRedriven { arn, count } => {
                fields.with("mapRunArn", arn)?.with("redriveCount", count)?
            }
            Self::Redriven { count } => fields.with("redriveCount", count)?,
            Self::Scheduled { .. }
            | Self::TaskScheduled { .. }
            | Self::Task { .. }
            | Self::TaskFailure { .. } => self.task(fields)?,
        };
        fields.0.end()
    }
}

impl Details {
    /// The fields of a task's row.
    fn task<M: SerializeMap>(&self, fields: Fields<M>) -> Result<Fields<M>, M::Error> {
        match self {
            Self::Scheduled { resource, input, timeout_seconds, heartbeat_seconds } => fields
                .input(input)?
                .with("resource", &**resource)?
                .maybe("timeoutInSeconds", timeout_seconds.as_ref())?
                .maybe("heartbeatInSeconds", heartbeat_seconds.as_ref()),
            Self::TaskScheduled {
                service,
                api,
                region,
                parameters,
                timeout_seconds,
                heartbeat_seconds,
                credentials,
            } => fields
                .with("parameters", &**parameters)?
                .with("region", &**region)?
                .with("resource", &**api)?
                .with("resourceType", &**service)?
                .maybe("timeoutInSeconds", timeout_seconds.as_ref())?
                .maybe("heartbeatInSeconds", heartbeat_seconds.as_ref())?
                .maybe("taskCredentials", credentials.as_ref()),
            Self::Task { service, api, output } => {
                let fields = match output {
                    Some(output) => fields.output(output)?,
                    None => fields,
                };
                fields.with("resource", &**api)?.with("resourceType", &**service)
            }
            Self::TaskFailure { service, api, error, cause } => fields
                .maybe("cause", cause.as_ref())?
                .maybe("error", error.as_ref())?
                .with("resource", &**api)?
                .with("resourceType", &**service),
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
            | Self::Redriven { .. } => Ok(fields),
        }
    }
}
