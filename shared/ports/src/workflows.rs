//! The engine that runs the workflow documents: Step Functions, or the embedded one.

mod redrive;

pub use redrive::Redrive;

use crate::{Cx, error::Source, function::Event};
use async_trait::async_trait;
use jiff::Timestamp;
use mano_model::plan::Announced;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Why the engine said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No workflow or run of this name.
    #[error("there is no workflow or run '{0}'")]
    Absent(String),
    /// The engine could not be reached; the same call may succeed later.
    #[error("the workflow engine is unavailable")]
    Unavailable(#[source] Source),
}

/// How a task that waited on a token ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// `SendTaskSuccess` with this output.
    Success(Value),
    /// `SendTaskFailure` with this error name and cause.
    Failure {
        /// A [`crate::Fault`] name.
        error: String,
        /// For a person.
        cause: String,
    },
}

/// Where a run stands (`DescribeExecution`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The workflow's name, as of its file.
    pub workflow: String,
    /// The run's name: `{operation}-{run}`.
    pub name: String,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    pub status: String,
    /// When it began.
    pub start_date: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_date: Option<Timestamp>,
    /// What it was given.
    pub input: Value,
    /// What it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why it failed: the error's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why it failed: the sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Run {
    /// Whether it has ended, however.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.status != "RUNNING"
    }

    /// What the engine would have said of its end, for a record in which the run still goes on,
    /// with `input`.
    #[must_use]
    pub fn end(&self, input: &Value) -> Event {
        // A run that succeeds records so itself; where that record is gone, the run is of no use.
        let unknown = self.status == "SUCCEEDED";
        let status = if unknown { "FAILED" } else { &self.status };
        let error = if unknown { Some("Mano.Transient") } else { self.error.as_deref() };
        let cause = if unknown {
            Some("a run of this name ended before, and what it did is not on record; try again")
        } else {
            self.cause.as_deref()
        };
        Event {
            id: self.name.clone(),
            source: "aws.states".into(),
            detail_type: "Step Functions Execution Status Change".into(),
            detail: json!({
                "name": self.name,
                "status": status,
                "input": input.to_string(),
                "error": error,
                "cause": cause,
            }),
            principal: None,
        }
    }
}

/// What a `….started` fact says.
#[derive(Deserialize)]
struct Start {
    workflow: String,
    run: String,
    input: Value,
}

impl Start {
    fn read(body: &Value) -> Result<Self, crate::Error> {
        Self::deserialize(body).map_err(|error| {
            crate::Error::Bug(format!("{body} does not say what to start: {error}"))
        })
    }
}

/// Starts the run that a fact speaks of. Where a run of that name is over already, as after a
/// restore, answers its end: the record that the fact is about has not heard of it.
///
/// # Errors
/// The fact does not say what to start, or the engine failed.
pub async fn begin(cx: &Cx, fact: &Announced) -> Result<Option<Event>, crate::Error> {
    let Start { workflow, run, input } = Start::read(&fact.fact.body)?;
    let over = cx.workflows.start(&workflow, &run, input.clone()).await?;
    Ok(over.map(|run| run.end(&input)))
}

/// A page of something, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing<T> {
    /// The items.
    pub items: Vec<T>,
    /// The marker of the next page, if there is one.
    pub next: Option<String>,
}

/// The workflow engine.
///
/// * Starting a run that exists is done already: nothing starts twice. One that is over is told.
/// * A run that was started goes on over any number of crashes, and each task it calls is
///   called at least once.
/// * Resuming a token that is gone or unknown is done already: nothing changes.
/// * Stopping a run that is over is done already.
/// * A run is listed as it is described, with what it was given.
#[async_trait]
pub trait Workflows: Send + Sync {
    /// Starts the run `run` of `workflow`; the input carries its `tenant`. Answers the run of this
    /// name, if there is one and it is over.
    async fn start(&self, workflow: &str, run: &str, input: Value) -> Result<Option<Run>, Error>;
    /// Ends the task that waits on `token`.
    async fn resume(&self, token: &str, outcome: Outcome) -> Result<(), Error>;
    /// Ends a run, `ABORTED`.
    async fn stop(&self, workflow: &str, run: &str, cause: &str) -> Result<(), Error>;
    /// The names of the workflows.
    async fn workflows(&self) -> Result<Vec<String>, Error>;
    /// The text of a workflow's definition.
    async fn definition(&self, workflow: &str) -> Result<String, Error>;
    /// The runs of a workflow, newest first, each as [`Workflows::describe`] tells it.
    async fn runs(
        &self,
        workflow: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Run>, Error>;
    /// Where a run stands.
    async fn describe(&self, workflow: &str, run: &str) -> Result<Run, Error>;
    /// What happened in a run, as `GetExecutionHistory` tells it.
    async fn history(
        &self,
        workflow: &str,
        run: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Value>, Error>;
}
