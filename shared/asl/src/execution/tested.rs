//! TestState: one state on its own, with everything that happens on its way shown.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use serde_json::{Map as Fields, Value, json};

use super::{
    Execution, Start,
    frame::{Flow, Frame, TaskWork, Work},
    probe::Probe,
    run::threshold_exceeded,
    turn::Turn,
};
use crate::{
    definition::{Definition, Kind, Language, Map, State, StateId},
    doc::Doc,
    env::Variables,
    event::{Call, Effect, Integration},
    fault::Fault,
    runner::{Answer, TaskEnd},
    time,
};

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

fn invalid(message: impl Into<String>) -> TestError {
    TestError::Validation(message.into())
}

/// Tests a state. `tasks` answers its call if there is no mock.
///
/// ```
/// # use mano_asl::{TestRequest, TestStatus, runner::Answer, test_state};
/// let request = TestRequest {
///     definition: r#"{"Type": "Pass", "Parameters": {"b.$": "$.a"}, "Next": "Later"}"#.to_owned(),
///     input: Some(r#"{"a": 1}"#.to_owned()),
///     ..TestRequest::default()
/// };
/// let report = test_state(&request, &mut |_| Answer::default())?;
/// assert_eq!(report.status, TestStatus::Succeeded);
/// assert_eq!(report.output.as_deref(), Some(r#"{"b":1}"#));
/// assert_eq!(report.next_state.as_deref(), Some("Later"));
/// # Ok::<(), mano_asl::TestError>(())
/// ```
///
/// # Errors
/// The definition, the mock, the context or the input is wrong.
pub fn test_state(
    request: &TestRequest,
    tasks: &mut dyn FnMut(&Call) -> Answer,
) -> Result<TestReport, TestError> {
    let definition = definition(request)?;
    let id = find(&definition, request)?;
    let state = definition.0.states.get(id as usize);
    let state = state.ok_or_else(|| invalid("There is no such state"))?;
    check_mock(state, request)?;
    let input = request.input.as_deref().unwrap_or("{}");
    let input = Doc::parse(input).map_err(|_| invalid("Invalid input: not JSON"))?;
    let context = match &request.context {
        Some(text) => given_context(text, state)?,
        None => own_context(request, state, &input),
    };
    let mut start = Start::new("test", "{}");
    start.at_millis = 0;
    let mut execution = Execution::new(start, input.clone());
    execution.identity.given_context = Some(Doc::new(context));
    let mut report = None;
    Turn::run(&mut execution, &definition, 0, |turn| {
        turn.probe = Some(RefCell::default());
        let mut frame = Frame::new(0, None, id, input.clone());
        frame.work = Work::Again;
        frame.retries = vec![request.state_configuration.retrier_retry_count; state.retry.len()];
        frame.retry_count = request.state_configuration.retrier_retry_count;
        frame.variables = variables(request);
        let flow = turn.tested(&mut frame, state, request, tasks);
        let probe = turn.probe.take().map(RefCell::into_inner).unwrap_or_default();
        report = Some(tell(&definition, request, &input, flow, probe));
        turn.ready.clear();
    });
    report.ok_or_else(|| invalid("The state could not be tested"))
}

impl<'a> Turn<'a> {
    fn tested(
        &mut self,
        frame: &mut Frame,
        state: &'a State,
        request: &TestRequest,
        tasks: &mut dyn FnMut(&Call) -> Answer,
    ) -> Flow {
        let flow = match &state.kind {
            Kind::Map(map) => self.mocked_map(frame, state, map, request),
            Kind::Parallel { .. } => self.mocked(frame, state, request),
            Kind::Pass { .. }
            | Kind::Task(_)
            | Kind::Choice { .. }
            | Kind::Wait(_)
            | Kind::Succeed
            | Kind::Fail { .. } => Ok(self.step(frame)),
        };
        let flow = flow.unwrap_or_else(|fault| self.handle(frame, state, fault));
        match (&flow, frame.work.clone()) {
            (Flow::Block, Work::Task(work)) => self.answered(frame, &work, request, tasks),
            (Flow::Block, Work::Waiting { .. }) => self.waited(frame),
            _ => flow,
        }
    }

    /// A called task ends as the mock says, or as it really does.
    fn answered(
        &mut self,
        frame: &mut Frame,
        work: &TaskWork,
        request: &TestRequest,
        tasks: &mut dyn FnMut(&Call) -> Answer,
    ) -> Flow {
        let end = match &request.mock {
            Some(Mock { error_output: Some(error), .. }) => Some(TaskEnd::Failed {
                error: error.error.clone(),
                cause: error.cause.clone(),
            }),
            Some(mock) => Some(TaskEnd::Succeeded(mock.result.clone().unwrap_or_default())),
            None => self.out.effects.iter().find_map(|effect| match effect {
                Effect::Call(call) => tasks(call).end,
                _ => None,
            }),
        };
        match end {
            Some(TaskEnd::Succeeded(output)) => self.task_done(frame, work, &output),
            Some(TaskEnd::Failed { error, cause }) => {
                self.task_over(frame, work, Fault::reported(error, cause))
            }
            None => self.task_timed_out(frame, false),
        }
    }

    /// What a container's mock gives.
    fn mocked(
        &mut self,
        frame: &mut Frame,
        state: &State,
        request: &TestRequest,
    ) -> Result<Flow, Fault> {
        let mock = request.mock.clone().unwrap_or_default();
        if let Some(error) = mock.error_output {
            return Err(Fault::reported(error.error, error.cause));
        }
        let result = mock.result.as_deref().unwrap_or("null");
        let result = Doc::parse(result)
            .map_err(|error| Fault::runtime(format!("The mocked result is not JSON: {error}")))?;
        self.complete(frame, state, result)
    }

    fn mocked_map(
        &mut self,
        frame: &mut Frame,
        state: &State,
        map: &Map,
        request: &TestRequest,
    ) -> Result<Flow, Fault> {
        let effective = self.effective(frame, state)?;
        self.note_effective(state, &effective);
        let reads = map.distributed.as_ref().is_some_and(|one| one.reader.is_some());
        if !reads {
            let (items, _) = self.items(frame, state, map, &effective)?;
            if state.language == Language::JsonPath {
                self.note("afterItemsPath", &items);
            }
        }
        let limit = self.concurrency(frame, state, map, &effective)?;
        self.note_number("maxConcurrency", json!(if limit == usize::MAX { 0 } else { limit }));
        let (count, percentage) = self.tolerance(frame, state, map, &effective)?;
        if let Some(count) = count {
            #[expect(clippy::cast_possible_truncation, reason = "shown only")]
            self.note_number("toleratedFailureCount", json!(count as i64));
        }
        if let Some(percentage) = percentage {
            self.note_number("toleratedFailurePercentage", json!(percentage));
        }
        let mocked_error = request.mock.as_ref().is_some_and(|mock| mock.error_output.is_some());
        let failed = request.state_configuration.map_iteration_failure_count;
        let failed = u32::try_from(failed).map_or(f64::MAX, f64::from);
        if !mocked_error && count.is_some_and(|count| failed > count) {
            return Err(threshold_exceeded());
        }
        self.mocked(frame, state, request)
    }
}

/// The whole definition, or the state wrapped in one.
fn definition(request: &TestRequest) -> Result<Definition, TestError> {
    let parsed = match &request.state_name {
        Some(_) => Definition::parse(&request.definition),
        None => {
            let state: Value = serde_json::from_str(&request.definition)
                .map_err(|error| TestError::InvalidDefinition(error.to_string()))?;
            let mut states = Fields::new();
            let mut targets = Vec::new();
            collect_targets(&state, &mut targets);
            states.insert(SINGLE.to_owned(), state);
            for target in targets {
                states.entry(target).or_insert_with(|| json!({ "Type": "Succeed" }));
            }
            Definition::parse(&json!({ "StartAt": SINGLE, "States": states }).to_string())
        }
    };
    parsed.map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        TestError::InvalidDefinition(format!("Invalid State Machine Definition: '{first}'"))
    })
}

/// The name of a state that is tested without a definition around it.
const SINGLE: &str = "StateName";

/// The states a single state points at.
fn collect_targets(state: &Value, targets: &mut Vec<String>) {
    let mut add = |value: &Value| targets.extend(value.as_str().map(ToOwned::to_owned));
    add(&state["Next"]);
    add(&state["Default"]);
    for list in ["Choices", "Catch"] {
        for one in state[list].as_array().into_iter().flatten() {
            add(&one["Next"]);
        }
    }
}

fn find(definition: &Definition, request: &TestRequest) -> Result<StateId, TestError> {
    let name = request.state_name.as_deref().unwrap_or(SINGLE);
    let position = definition.0.states.iter().position(|state| &*state.name == name);
    position
        .and_then(|position| StateId::try_from(position).ok())
        .ok_or_else(|| invalid(format!("State not found in definition: {name}")))
}

fn check_mock(state: &State, request: &TestRequest) -> Result<(), TestError> {
    match (&state.kind, &request.mock) {
        (Kind::Map(_) | Kind::Parallel { .. }, None) => Err(TestError::InvalidDefinition(
            "TestState API does not support Map or Parallel states. Supported state types \
             include: [Task, Wait, Pass, Succeed, Fail, Choice]"
                .to_owned(),
        )),
        (Kind::Parallel { branches }, Some(Mock { result: Some(result), .. })) => {
            match mocked_array(result)? {
                length if length == branches.len() => Ok(()),
                _ => Err(invalid(
                    "Mocked result must contain the same number of items as number of Parallel \
                     branches.",
                )),
            }
        }
        (Kind::Map(map), Some(Mock { result: Some(result), .. })) => {
            let written = map.distributed.as_ref().is_some_and(|one| one.writer.is_some());
            if written { Ok(()) } else { mocked_array(result).map(|_| ()) }
        }
        (Kind::Task(_) | Kind::Map(_) | Kind::Parallel { .. }, _) | (_, None) => Ok(()),
        (kind, Some(_)) => Err(invalid(format!(
            "State type '{}' is not supported when a mock is specified",
            kind.name()
        ))),
    }
}

fn mocked_array(result: &str) -> Result<usize, TestError> {
    let value: Value =
        serde_json::from_str(result).map_err(|_| invalid("Mocked result must be valid JSON."))?;
    value.as_array().map(Vec::len).ok_or_else(|| invalid("Mocked result must be an array."))
}

/// A context object the caller made.
fn given_context(text: &str, state: &State) -> Result<Value, TestError> {
    let wrong = |what: &str| invalid(format!("Invalid Context object provided: {what}"));
    let context: Value = serde_json::from_str(text).map_err(|_| wrong("not a JSON object"))?;
    if !context.is_object() {
        return Err(wrong("not a JSON object"));
    }
    let takes_token = matches!(&state.kind, Kind::Task(task) if matches!(
        task.resource.integration,
        Integration::Sync | Integration::Callback
    ));
    if context.get("Task").is_some() && !takes_token {
        return Err(wrong(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or \
             '.waitForTaskToken' service integration pattern",
        ));
    }
    for (group, field) in [
        ("Execution", "Id"),
        ("Execution", "Name"),
        ("Execution", "RoleArn"),
        ("Execution", "StartTime"),
        ("State", "EnteredTime"),
        ("State", "Name"),
        ("StateMachine", "Id"),
        ("StateMachine", "Name"),
        ("Task", "Token"),
    ] {
        if context[group].get(field).is_some_and(|value| !value.is_string()) {
            return Err(wrong(&format!("{group}.{field} must be a string")));
        }
    }
    Ok(context)
}

/// The context object of a state that is tested without one.
fn own_context(request: &TestRequest, state: &State, input: &Doc) -> Value {
    let mut about = json!({ "Name": SINGLE, "EnteredTime": time::format(0) });
    if state.kind.may_be_retried() {
        about["RetryCount"] = json!(request.state_configuration.retrier_retry_count);
    }
    json!({
        "Execution": {
            "Id": "arn:aws:states:us-east-1:000000000000:express:test:test",
            "Input": input.value(),
            "Name": "test",
            "RoleArn": request.role_arn,
            "StartTime": time::format(0),
        },
        "StateMachine": {
            "Id": "arn:aws:states:us-east-1:000000000000:stateMachine:test",
            "Name": "test",
        },
        "State": about,
    })
}

fn variables(request: &TestRequest) -> Variables {
    let given: Option<Fields<String, Value>> =
        request.variables.as_deref().and_then(|text| serde_json::from_str(text).ok());
    given
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.into(), Doc::new(value)))
        .collect()
}

/// Puts the report together.
fn tell(
    definition: &Definition,
    request: &TestRequest,
    input: &Doc,
    flow: Flow,
    mut probe: Probe,
) -> TestReport {
    let fault = match &flow {
        Flow::Fail(fault) => Some(fault.clone()),
        Flow::Go | Flow::Block | Flow::Done(_) => probe.fault.take(),
    };
    let (status, output) = match flow {
        Flow::Done(output) if probe.caught.is_some() => (TestStatus::CaughtError, Some(output)),
        Flow::Done(output) => (TestStatus::Succeeded, Some(output)),
        Flow::Block | Flow::Go => (TestStatus::Retriable, None),
        Flow::Fail(_) => (TestStatus::Failed, None),
    };
    let (error, cause) = fault.map_or((None, None), |fault| (fault.error, fault.cause));
    let next = probe.next.and_then(|id| definition.0.states.get(id as usize));
    let shown = request.inspection_level != Inspection::Info;
    TestReport {
        status,
        output: output.map(|doc| doc.text().to_string()),
        error,
        cause,
        next_state: next.map(|state| state.name.to_string()),
        inspection_data: shown.then(|| inspection(request, input, probe)),
    }
}

fn inspection(request: &TestRequest, input: &Doc, probe: Probe) -> Value {
    let mut data = Fields::new();
    data.insert("input".to_owned(), json!(&*input.text()));
    for (name, value) in probe.notes {
        let shown = if value.is_number() && !name.starts_with("after") && name != "result" {
            value
        } else {
            json!(value.to_string())
        };
        data.insert(name, shown);
    }
    let mut details = Fields::new();
    if let Some(index) = probe.caught {
        details.insert("catchIndex".to_owned(), json!(index));
    } else if let Some((index, millis)) = probe.retry {
        details.insert("retryIndex".to_owned(), json!(index));
        if let Some(millis) = millis {
            details.insert("retryBackoffIntervalSeconds".to_owned(), json!(millis / 1000));
        }
    }
    if !details.is_empty() {
        data.insert("errorDetails".to_owned(), Value::Object(details));
    }
    if let Some(variables) = &request.variables {
        data.insert("variables".to_owned(), json!(variables));
    }
    Value::Object(data)
}
