//! What the tables say against what the workflows call: every row used, every use a row.

mod conformance;
mod template;

pub(crate) use mano_edge::serve::wiring::FUNCTIONS;
use mano_ports::Fault;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Every workflow file: name and content.
pub(crate) fn workflows() -> BTreeMap<String, Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../workflows");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = files.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = name.strip_suffix(".asl.json").expect("only workflows lie here").to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        (name, serde_json::from_str(&text).unwrap())
    });
    named.collect()
}

/// Calls `visit` with every state of a definition, nested ones included.
pub(crate) fn states(definition: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    for (name, state) in definition["States"].as_object().unwrap() {
        visit(name, state);
        for nested in ["ItemProcessor", "Iterator"] {
            if state[nested].is_object() {
                states(&state[nested], visit);
            }
        }
        for branch in state["Branches"].as_array().into_iter().flatten() {
            states(branch, visit);
        }
    }
}

/// Every task of every workflow: workflow, state, the function it names, the step it calls.
fn calls() -> Vec<(String, String, String, String)> {
    let mut calls = Vec::new();
    for (workflow, definition) in workflows() {
        states(&definition, &mut |name, state| {
            if state["Type"] == "Task" {
                let arguments = &state["Arguments"];
                let function = arguments["FunctionName"].as_str().unwrap().to_owned();
                let step = arguments["Payload"]["step"].as_str().unwrap().to_owned();
                calls.push((workflow.clone(), name.to_owned(), function, step));
            }
        });
    }
    calls
}

#[test]
fn every_step_the_workflows_call_is_a_row_of_the_function_they_name() {
    let placeholders: BTreeMap<&str, &str> = [
        ("${ServiceManagement}", "service-management"),
        ("${Catalog}", "catalog"),
        ("${Inventory}", "inventory"),
        ("${Adapters}", "adapters"),
    ]
    .into();
    for (workflow, state, function, step) in calls() {
        let name = placeholders[function.as_str()];
        let function = FUNCTIONS.iter().find(|f| f.name == name).unwrap();
        let row = function.steps.iter().any(|row| row.name == step);
        assert!(row, "{workflow}/{state} calls {step}, which {name} does not have");
    }
}

#[test]
fn every_step_is_called_by_a_workflow() {
    let called: BTreeSet<String> = calls().into_iter().map(|(.., step)| step).collect();
    for step in FUNCTIONS.iter().flat_map(|f| f.steps) {
        assert!(called.contains(step.name), "no workflow calls {}", step.name);
    }
}

#[test]
fn no_name_stands_twice() {
    let mut routes = BTreeSet::new();
    for route in FUNCTIONS.iter().flat_map(|f| f.routes) {
        assert!(
            routes.insert((route.method.as_str(), route.path)),
            "{} {}",
            route.method,
            route.path
        );
    }
    let mut steps = BTreeSet::new();
    for step in FUNCTIONS.iter().flat_map(|f| f.steps) {
        assert!(steps.insert(step.name), "{}", step.name);
    }
    let mut listeners = BTreeSet::new();
    for listener in FUNCTIONS.iter().flat_map(|f| f.listeners) {
        assert!(listeners.insert(listener.name), "{}", listener.name);
    }
}

#[test]
fn workflows_catch_and_retry_only_names_that_are_agreed() {
    let mut agreed: BTreeSet<&str> = Fault::ALL.iter().map(|f| f.name()).collect();
    agreed.extend(["States.ALL", "States.Timeout"]);
    agreed.extend([
        "Lambda.TooManyRequestsException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.Unknown",
    ]);
    for (workflow, definition) in workflows() {
        states(&definition, &mut |name, state| {
            let rules = ["Retry", "Catch"].iter().flat_map(|k| state[*k].as_array()).flatten();
            for error in rules.flat_map(|rule| rule["ErrorEquals"].as_array().unwrap()) {
                let error = error.as_str().unwrap();
                assert!(agreed.contains(error), "{workflow}/{name} names {error}");
            }
        });
    }
}

#[test]
fn every_task_has_an_end_and_is_tried_again() {
    for (workflow, definition) in workflows() {
        states(&definition, &mut |name, state| {
            if state["Type"] == "Task" {
                assert!(state["TimeoutSeconds"].is_u64(), "{workflow}/{name} may take for ever");
                let retried = state["Retry"].as_array().is_some_and(|r| !r.is_empty());
                assert!(retried, "{workflow}/{name} is tried once only");
            }
        });
    }
}

/// A VIM or a Lambda in trouble is not asked by everybody at the same moment, nor for ever.
#[test]
fn every_retry_is_bounded_and_scattered() {
    let throttled = |rule: &Value| rule["ErrorEquals"].to_string().contains("TooManyRequests");
    for (workflow, definition) in workflows() {
        states(&definition, &mut |name, state| {
            let mut patient = false;
            for rule in state["Retry"].as_array().into_iter().flatten() {
                let told = format!("{workflow}/{name}: {rule}");
                assert_eq!(rule["JitterStrategy"], "FULL", "{told}");
                assert!((2..=20).contains(&rule["MaxAttempts"].as_u64().unwrap()), "{told}");
                assert!(rule["MaxDelaySeconds"].as_u64().unwrap() <= 60, "{told}");
                patient |= throttled(rule) && rule["MaxAttempts"] == 20;
            }
            let park = state["Retry"].as_array().is_some_and(|all| {
                all.iter().any(|rule| rule["ErrorEquals"] == serde_json::json!(["States.ALL"]))
            });
            assert!(state["Type"] != "Task" || patient || park, "{workflow}/{name} gives up early");
        });
    }
}
