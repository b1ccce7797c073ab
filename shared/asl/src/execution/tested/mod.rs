//! TestState: one state on its own, with everything that happens on its way shown.

mod prepare;
mod request;

use std::cell::RefCell;

use serde_json::{Map as Fields, Value, json};

use super::{
    Execution, Start,
    frame::{Flow, Frame, TaskWork, Work},
    probe::Probe,
    run::threshold_exceeded,
    turn::Turn,
};
use crate::{
    definition::{Definition, Kind, Language, Map, State},
    doc::Doc,
    event::{Call, Effect, Stage},
    fault::Fault,
    runner::{Answer, TaskEnd},
};
use prepare::{check_mock, definition, find, given_context, own_context, variables};
use request::invalid;
pub use request::{
    Inspection, Mock, MockError, StateConfiguration, TestError, TestReport, TestRequest, TestStatus,
};

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
            Some(Mock { error_output: Some(error), .. }) => {
                Some(TaskEnd::Failed { error: error.error.clone(), cause: error.cause.clone() })
            }
            Some(mock) => Some(TaskEnd::Succeeded(mock.result.clone().unwrap_or_default())),
            None => self.out.effects.iter().find_map(|effect| {
                if let Effect::Call(call) = effect { tasks(call).end } else { None }
            }),
        };
        match end {
            Some(TaskEnd::Succeeded(output)) => self.task_done(frame, work, &output),
            Some(TaskEnd::Failed { error, cause }) => {
                self.task_over(frame, work, Fault::reported(error, cause))
            }
            Some(TaskEnd::Broke { stage, error, cause }) if stage != Stage::TimedOut => {
                self.task_over(frame, work, Fault::reported(error, cause))
            }
            None | Some(TaskEnd::Broke { .. } | TaskEnd::Unscripted { .. }) => {
                self.task_timed_out(frame, false)
            }
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
            let items = self.items(frame, state, map, &effective)?;
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
