//! What TestState is asked, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How much a test shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Inspection {
    /// The result alone.
    #[default]
    Info,
    /// The data between the steps too.
    Debug,
    /// Everything there is.
    Trace,
}

/// A request of TestState, as AWS has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TestRequest {
    /// A state, or a whole definition if a state is named.
    pub definition: String,
    /// The state of the definition to test.
    pub state_name: Option<String>,
    /// The role shown in the context object.
    pub role_arn: Option<String>,
    /// The state's input as JSON text; `{}` if absent.
    pub input: Option<String>,
    /// How much to show.
    pub inspection_level: Inspection,
    /// What the state's task or inner states give, instead of doing them.
    pub mock: Option<Mock>,
    /// The situation the state is in.
    pub state_configuration: StateConfiguration,
    /// The context object as JSON text.
    pub context: Option<String>,
    /// The variables as a JSON object's text.
    pub variables: Option<String>,
}

/// What a mocked state gives.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mock {
    /// A result as JSON text.
    pub result: Option<String>,
    /// An error instead.
    pub error_output: Option<MockError>,
}

/// A mocked error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct MockError {
    /// Its name.
    pub error: Option<String>,
    /// Its cause.
    pub cause: Option<String>,
}

/// The situation a tested state is in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StateConfiguration {
    /// How often the retrier that matches has retried already.
    pub retrier_retry_count: u64,
    /// How many iterations of a Map have failed already.
    pub map_iteration_failure_count: u64,
    /// The inner state a mocked error comes from.
    pub error_caused_by_state: Option<String>,
    /// What an item reader reads.
    pub map_item_reader_data: Option<String>,
}

/// How a tested state ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TestStatus {
    /// With an output.
    Succeeded,
    /// With an error that nobody handled.
    Failed,
    /// With an error that a retrier would retry.
    Retriable,
    /// With an error that a catcher caught.
    CaughtError,
}

/// What came of a test.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// How the state ended.
    pub status: TestStatus,
    /// Its output as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The error's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The error's cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The state that would be next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_state: Option<String>,
    /// The data between the steps, each as JSON text or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inspection_data: Option<Value>,
}

/// Why a state cannot be tested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// AWS calls this `InvalidDefinition`.
    #[error("{0}")]
    InvalidDefinition(String),
    /// AWS calls this `ValidationException`.
    #[error("{0}")]
    Validation(String),
}

pub(super) fn invalid(message: impl Into<String>) -> TestError {
    TestError::Validation(message.into())
}
