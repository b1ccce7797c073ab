//! A failed execution goes on where it failed, and only there.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use mano_asl::{
    Call, Definition, Effect, Ending, Event, Execution, Outcome, Start, Status, TaskId,
};
use serde_json::{Value, json};

fn definition(value: &Value) -> Definition {
    Definition::parse(&value.to_string()).unwrap()
}

fn calls(outcome: &Outcome) -> Vec<Call> {
    let call = |effect: &Effect| match effect {
        Effect::Call(call) => Some((**call).clone()),
        Effect::CancelTask { .. }
        | Effect::SetTimer { .. }
        | Effect::CancelTimer { .. }
        | Effect::StartChild { .. }
        | Effect::StopChild { .. }
        | Effect::ReadItems { .. }
        | Effect::WriteResults { .. }
        | Effect::Finished(_) => None,
    };
    outcome.effects.iter().filter_map(call).collect()
}

fn succeeded(task: TaskId, output: &str) -> Event {
    Event::TaskSucceeded { task, output: output.to_owned() }
}

fn failed(task: TaskId) -> Event {
    Event::TaskFailed { task, error: Some("Broken".to_owned()), cause: None }
}

fn task() -> Value {
    json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true })
}

#[test]
fn branches_that_succeeded_keep_their_results() {
    let definition = definition(&json!({
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    { "StartAt": "A", "States": { "A": task() } },
                    { "StartAt": "B", "States": { "B": task() } },
                ],
                "End": true,
            },
        },
    }));
    let (mut execution, first) = Execution::start(&definition, Start::new("x", "{}")).unwrap();
    let started = calls(&first);
    execution.handle(&definition, succeeded(started[0].task, "\"a\""), 1);
    execution.handle(&definition, failed(started[1].task), 2);
    assert_eq!(execution.status(), Status::Failed);

    let redriven = execution.handle(&definition, Event::Redrive, 3);
    assert_eq!(redriven.rows[0].kind, "ExecutionRedriven");
    let again = calls(&redriven);
    assert_eq!(again.iter().map(|call| &*call.state).collect::<Vec<_>>(), ["B"]);
    execution.handle(&definition, succeeded(again[0].task, "\"b\""), 4);
    assert_eq!(execution.status(), Status::Succeeded);
    let output = execution.ending().and_then(|ending| ending.output.clone());
    assert_eq!(output.as_deref(), Some(r#"["a","b"]"#));
}

#[test]
fn a_map_run_starts_only_children_that_did_not_succeed() {
    let definition = definition(&json!({
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "MaxConcurrency": 2,
                "ItemProcessor": {
                    "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
                    "StartAt": "Do",
                    "States": { "Do": task() },
                },
                "End": true,
            },
        },
    }));
    let children = |outcome: &Outcome| {
        let child = |effect: &Effect| match effect {
            Effect::StartChild { child, start } => Some((*child, start.input.clone())),
            Effect::Call(_)
            | Effect::CancelTask { .. }
            | Effect::SetTimer { .. }
            | Effect::CancelTimer { .. }
            | Effect::StopChild { .. }
            | Effect::ReadItems { .. }
            | Effect::WriteResults { .. }
            | Effect::Finished(_) => None,
        };
        outcome.effects.iter().filter_map(child).collect::<Vec<_>>()
    };
    let ending = |status, output: Option<&str>| Ending {
        status,
        output: output.map(Into::into),
        error: None,
        cause: None,
    };
    let (mut execution, first) = Execution::start(&definition, Start::new("x", "[1,2,3]")).unwrap();
    let started = children(&first);
    assert_eq!(started.len(), 2);
    let done = ending(Status::Succeeded, Some("10"));
    let event = Event::ChildFinished { child: started[0].0, ending: done };
    let next = execution.handle(&definition, event, 1);
    assert_eq!(children(&next)[0].1, "3");
    let event = Event::ChildFinished { child: started[1].0, ending: ending(Status::Failed, None) };
    execution.handle(&definition, event, 2);
    assert_eq!(execution.status(), Status::Failed);

    let redriven = execution.handle(&definition, Event::Redrive, 3);
    let again = children(&redriven);
    assert_eq!(again.iter().map(|(_, input)| input.as_str()).collect::<Vec<_>>(), ["2", "3"]);
    for (child, input) in again {
        let ending = ending(Status::Succeeded, Some(&format!("{input}0")));
        execution.handle(&definition, Event::ChildFinished { child, ending }, 4);
    }
    let output = execution.ending().and_then(|ending| ending.output.clone());
    assert_eq!(output.as_deref(), Some("[10,20,30]"));
}

#[test]
fn what_succeeded_is_not_redriven() {
    let definition =
        definition(&json!({ "StartAt": "A", "States": { "A": { "Type": "Succeed" } } }));
    let (mut execution, _) = Execution::start(&definition, Start::new("x", "{}")).unwrap();
    assert!(execution.handle(&definition, Event::Redrive, 1).rows.is_empty());
}
