//! The workflow documents: legal, complete, drawn, and what each does in each of its cases.

use crate::{golden, wiring};
use mano_asl::{
    Call, Definition, Severity,
    runner::{Answer, RunOptions, TaskEnd, run},
};
use mano_model::{ns, op::state::diagram, vnf};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a rehearsed step answers.
type Answers<'a> = &'a dyn Fn(&str, &Value) -> Result<Value, (&'static str, &'static str)>;

#[test]
fn every_workflow_is_legal_and_gives_no_warning() {
    for (name, definition) in wiring::workflows() {
        let diagnostics = Definition::check(&definition.to_string());
        let shown: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert!(diagnostics.is_empty(), "{name}: {shown:#?}");
    }
}

#[test]
fn a_workflow_that_is_wrong_is_noticed() {
    let (name, mut definition) = wiring::workflows().into_iter().next().unwrap();
    definition["StartAt"] = "Nowhere".into();
    let diagnostics = Definition::check(&definition.to_string());
    assert!(diagnostics.iter().any(|d| d.severity == Severity::Error), "{name}");
}

#[test]
fn every_workflow_is_drawn() {
    let mut text = String::from("# Workflows\n\nDrawn from `workflows/`.\n");
    for (name, definition) in wiring::workflows() {
        let drawing = mano_asl::draw(&Definition::parse(&definition.to_string()).unwrap());
        text.push_str(&format!("\n## {name}\n\n```mermaid\n{}\n```\n", drawing.trim_end()));
    }
    golden::agrees("docs/workflows.md", &text);
}

#[test]
fn every_lifecycle_is_drawn() {
    let text = format!(
        "# States\n\nDrawn from the tables the code runs on.\n\n## VNF operation occurrence\n\n\
         ```mermaid\n{}```\n\n## NS operation occurrence\n\n```mermaid\n{}```\n",
        diagram::<vnf::op_state::State>(),
        diagram::<ns::op_state::State>(),
    );
    golden::agrees("docs/states.md", &text);
}

/// Runs a workflow and tells, one line an event, what a person would want to know.
fn rehearse(name: &str, mode: &str, answers: Answers<'_>) -> String {
    let definition = wiring::workflows().remove(name).unwrap().to_string();
    let input = json!({ "tenant": "default", "op": "op-1", "run": 0, "mode": mode });
    let mut calls = Vec::new();
    let options = RunOptions {
        tasks: Box::new(|call| {
            let (step, payload) = payload(call);
            calls.push(describe(&step, &payload));
            answer(answers(&step, &payload), call)
        }),
        ..RunOptions::default()
    };
    let report = run(&definition, &input.to_string(), options).unwrap();
    let mut told = format!("{name} {mode}\n");
    for call in calls {
        told.push_str(&format!("  {call}\n"));
    }
    let transitions = transitions(report.events.iter().map(|event| event.kind));
    let (status, events) = (format!("{:?}", report.status), report.events.len());
    told.push_str(&format!("  = {status}, {transitions} transitions, {events} events\n"));
    told
}

/// What AWS charges for an execution with these events: every state entered, and every call of a
/// task that is made again.
pub(crate) fn transitions<'a>(kinds: impl Iterator<Item = &'a str>) -> usize {
    let (mut entered, mut tasks, mut calls) = (0, 0, 0);
    for kind in kinds {
        entered += usize::from(kind.ends_with("StateEntered"));
        tasks += usize::from(kind == "TaskStateEntered");
        calls += usize::from(kind == "TaskScheduled");
    }
    assert!(calls >= tasks, "a task was not called at all: nothing tells how often another was");
    entered + calls - tasks
}

fn payload(call: &Call) -> (String, Value) {
    let payload = call.arguments.value()["Payload"].clone();
    (payload["step"].as_str().unwrap().to_owned(), payload)
}

/// `vim.ensure internal`, `vnf.close FAILED_TEMP Mano.Refused: no room`.
fn describe(step: &str, payload: &Value) -> String {
    let words = ["resource", "item", "outcome", "error", "cause"];
    let words = words.iter().filter_map(|w| payload[*w].as_str()).filter(|w| !w.is_empty());
    std::iter::once(step).chain(words).collect::<Vec<_>>().join(" ")
}

fn answer(result: Result<Value, (&'static str, &'static str)>, call: &Call) -> Answer {
    let end = match result {
        Ok(value) if call.token.is_some() => TaskEnd::Succeeded(value.to_string()),
        Ok(value) => TaskEnd::Succeeded(json!({ "Payload": value, "StatusCode": 200 }).to_string()),
        Err((error, cause)) => {
            TaskEnd::Failed { error: Some(error.into()), cause: Some(cause.into()) }
        }
    };
    let submitted = call.token.is_some().then(|| json!({ "StatusCode": 200 }).to_string());
    Answer { end: Some(end), submitted, ..Answer::default() }
}

/// A VNF of one link, one storage and two units, and a service of three in two stages.
fn granted(step: &str) -> Value {
    match step {
        "vnf.grant" => json!({
            "networks": ["internal"], "storages": ["a-1.disk"], "computes": ["a-1", "b-1"],
            "oldNetworks": ["old"], "oldStorages": ["x-1.disk"], "oldComputes": ["x-1"],
        }),
        "vnf.undo" => json!({
            "networks": ["internal"], "storages": ["a-1.disk"], "computes": ["a-1", "b-1"],
        }),
        "ns.grant" => json!({
            "networks": ["lan"], "oldNetworks": ["old-lan"], "stages": [["a-1", "b-1"], ["c-1"]],
        }),
        "ns.undo" => json!({ "networks": ["lan"], "stages": [["c-1"], ["a-1", "b-1"]] }),
        _ => json!({}),
    }
}

fn all_goes_well(step: &str, _: &Value) -> Result<Value, (&'static str, &'static str)> {
    Ok(granted(step))
}

fn is(payload: &Value, name: &str) -> bool {
    payload["resource"] == name || payload["item"] == name
}

#[test]
fn every_workflow_in_every_case() {
    let mut told = String::new();
    let names: BTreeSet<String> = wiring::workflows().into_keys().collect();
    for name in names.iter().filter(|n| n.starts_with("vnf-") || n.starts_with("ns-")) {
        told.push_str(&rehearse(name, "FORWARD", &all_goes_well));
        let undoable = name.ends_with("instantiate") || name.ends_with("scale");
        if undoable {
            told.push_str(&rehearse(name, "UNDO", &all_goes_well));
        }
    }
    golden::agrees("tests/golden/workflows.txt", &told);
}

#[test]
fn every_failure_parks_the_operation() {
    let refused = |step: &str, payload: &Value| {
        if is(payload, "a-1") || is(payload, "x-1") {
            return Err(("Mano.Refused", "the VIM said no"));
        }
        Ok(granted(step))
    };
    let ungranted = |step: &str, _: &Value| {
        if step.ends_with(".grant") {
            return Err(("Mano.Refused", "the grant was rejected"));
        }
        Ok(granted(step))
    };
    let defect = |step: &str, payload: &Value| {
        if is(payload, "a-1") || is(payload, "x-1") || step.ends_with("undo") {
            return Err(("Runtime.ExitError", "the function died"));
        }
        Ok(granted(step))
    };
    let mut told = String::new();
    for name in wiring::workflows().into_keys() {
        if name.starts_with("vnf-") || name.starts_with("ns-") {
            told.push_str(&rehearse(&name, "FORWARD", &refused));
            told.push_str(&rehearse(&name, "FORWARD", &ungranted));
            if name.ends_with("instantiate") || name.ends_with("scale") {
                told.push_str(&rehearse(&name, "UNDO", &defect));
            }
        }
    }
    assert!(!told.contains("= Failed"), "{told}");
    golden::agrees("tests/golden/failures.txt", &told);
}

#[test]
fn a_transient_failure_is_tried_again() {
    let count = std::cell::Cell::new(0);
    let once = |step: &str, payload: &Value| {
        if is(payload, "a-1") && count.replace(count.get() + 1) == 0 {
            return Err(("Mano.Transient", "the VIM is busy"));
        }
        Ok(granted(step))
    };
    let told = rehearse("vnf-instantiate", "FORWARD", &once);
    assert_eq!(told.matches("vim.ensure a-1\n").count(), 2, "{told}");
    golden::agrees("tests/golden/retries.txt", &told);
}

#[test]
fn the_cost_in_transitions_stays_within_its_bounds() {
    let transitions = |told: &str| -> usize {
        let line = told.lines().last().unwrap();
        line.split(", ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    let vnf = |step: &str, _: &Value| {
        Ok(match step {
            "vnf.grant" => json!({
                "networks": ["l"], "storages": ["s"], "computes": ["c"],
                "oldNetworks": [], "oldStorages": [], "oldComputes": [],
            }),
            "ns.grant" => {
                json!({ "networks": ["lan"], "oldNetworks": [], "stages": [["a", "b", "c"]] })
            }
            _ => json!({}),
        })
    };
    let one = transitions(&rehearse("vnf-instantiate", "FORWARD", &vnf));
    assert!(one <= 8 + 3, "a VNF of three resources takes {one} transitions");
    let ns = transitions(&rehearse("ns-instantiate", "FORWARD", &vnf)) + 3 * one;
    assert!(ns <= 50, "a service of three such VNFs takes {ns} transitions");
}
