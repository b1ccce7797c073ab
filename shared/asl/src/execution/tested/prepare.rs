//! Checking a request of TestState and making the world its state lives in.

use serde_json::{Map as Fields, Value, json};

use super::request::{Mock, TestError, TestRequest, invalid};
use crate::{
    definition::{Definition, Kind, State, StateId},
    doc::Doc,
    env::Variables,
    event::Integration,
    time,
};

/// The whole definition, or the state wrapped in one.
pub(super) fn definition(request: &TestRequest) -> Result<Definition, TestError> {
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

pub(super) fn find(definition: &Definition, request: &TestRequest) -> Result<StateId, TestError> {
    let name = request.state_name.as_deref().unwrap_or(SINGLE);
    let position = definition.0.states.iter().position(|state| &*state.name == name);
    position
        .and_then(|position| StateId::try_from(position).ok())
        .ok_or_else(|| invalid(format!("State not found in definition: {name}")))
}

pub(super) fn check_mock(state: &State, request: &TestRequest) -> Result<(), TestError> {
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
pub(super) fn given_context(text: &str, state: &State) -> Result<Value, TestError> {
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
pub(super) fn own_context(request: &TestRequest, state: &State, input: &Doc) -> Value {
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

pub(super) fn variables(request: &TestRequest) -> Variables {
    let given: Option<Fields<String, Value>> =
        request.variables.as_deref().and_then(|text| serde_json::from_str(text).ok());
    given.into_iter().flatten().map(|(name, value)| (name.into(), Doc::new(value))).collect()
}
