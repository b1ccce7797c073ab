//! The engine that runs the workflow documents: Step Functions, or the embedded one.

use crate::error::Source;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
/// * Starting a run that exists is done already: nothing starts twice.
/// * A run that was started goes on over any number of crashes, and each task it calls is
///   called at least once.
/// * Resuming a token that is gone or unknown is done already: nothing changes.
/// * Stopping a run that is over is done already.
/// * A run is listed as it is described, with what it was given.
#[async_trait]
pub trait Workflows: Send + Sync {
    /// Starts the run `run` of `workflow`; the input carries its `tenant`.
    async fn start(&self, workflow: &str, run: &str, input: Value) -> Result<(), Error>;
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
