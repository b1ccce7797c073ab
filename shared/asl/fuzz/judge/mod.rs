//! What is tried with one input of each fuzz target, and what must hold whatever the input is.

mod world;

use std::collections::BTreeSet;

use mano_asl::{Definition, Ending, Execution, Kind, Limits, Severity, Start, Status, draw};
use serde_json::{Value, json};
use world::World;

/// Most bytes that all findings about one definition may take, beside a few copies of its text.
const MAX_FINDINGS: usize = 2 << 20;

/// A definition is read, or refused with findings of bounded size.
pub(crate) fn definition(text: &str) {
    for kind in [Kind::Standard, Kind::Express] {
        let findings = Definition::check_as(text, kind);
        let bytes: usize = findings
            .iter()
            .map(|one| one.message.len() + one.location.as_ref().map_or(0, String::len))
            .sum();
        assert!(bytes <= MAX_FINDINGS + 4 * text.len(), "{bytes} bytes of findings");
        let errors = findings.iter().filter(|one| one.severity == Severity::Error).count();
        match Definition::parse_as(text, kind) {
            Ok(definition) => {
                assert_eq!(errors, 0, "a definition with errors was taken");
                assert!(draw(&definition).starts_with("stateDiagram-v2"));
                let names: BTreeSet<&str> = definition.state_names().collect();
                assert!(definition.tasks().all(|(state, _)| names.contains(state)));
            }
            Err(problems) => {
                assert!(errors > 0 && !problems.is_empty(), "refused without a word");
            }
        }
    }
}

/// A path or function (the first line) meets a value (the rest) in every field that takes one.
pub(crate) fn path(text: &str) {
    let (path, input) = text.split_once('\n').unwrap_or((text, "null"));
    let pass = |field: &str| json!({ "Type": "Pass", field: path, "End": true });
    alone(&pass("InputPath"), input);
    alone(&pass("OutputPath"), input);
    alone(&pass("ResultPath"), input);
    let template = json!({ "a.$": path, "b": { "c.$": path } });
    alone(&json!({ "Type": "Pass", "Parameters": template, "End": true }), input);
    alone(&json!({ "Type": "Pass", "Assign": template, "End": true }), input);
    alone(&json!({ "Type": "Wait", "SecondsPath": path, "End": true }), input);
    alone(&json!({ "Type": "Fail", "CausePath": path }), input);
    for rule in [json!({ "IsPresent": true }), json!({ "StringLessThanPath": path })] {
        let mut rule = json!({ "Not": rule, "Next": "Done" });
        rule["Not"]["Variable"] = json!(path);
        alone(&json!({ "Type": "Choice", "Choices": [rule], "Default": "Done" }), input);
    }
    let inner = json!({ "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } });
    let map = json!({ "Type": "Map", "ItemsPath": path, "ItemProcessor": inner, "End": true });
    alone(&map, input);
}

/// An expression (the first line) meets a value (the rest) in every field that takes one.
pub(crate) fn glue(text: &str) {
    let (source, input) = text.split_once('\n').unwrap_or((text, "null"));
    let code = format!("{{%{source}%}}");
    let both = json!({ "a": code, "b": [code] });
    let task = "arn:aws:states:::lambda:invoke";
    let pass = json!({ "Type": "Pass", "Output": code, "End": true });
    let first = in_jsonata(pass.clone(), input);
    if first == Taken::Spent {
        return;
    }
    let mut inner = json!({ "StartAt": "I", "States": { "I": pass } });
    inner["States"]["I"]["QueryLanguage"] = json!("JSONata");
    let others = [
        json!({ "Type": "Pass", "Output": both, "End": true }),
        json!({ "Type": "Pass", "Assign": both, "Output": "{% $a %}", "End": true }),
        json!({ "Type": "Choice", "Default": "Done",
            "Choices": [{ "Condition": code, "Output": both, "Next": "Done" }] }),
        json!({ "Type": "Task", "Resource": task, "Arguments": code, "End": true }),
        json!({ "Type": "Map", "Items": code, "ItemProcessor": inner, "End": true }),
        json!({ "Type": "Wait", "Seconds": code, "End": true }),
        json!({ "Type": "Fail", "Error": code, "Cause": code }),
    ];
    for state in others {
        let taken = in_jsonata(state, input);
        let agree = (taken == Taken::Refused) == (first == Taken::Refused);
        assert!(agree, "a field refuses what another one takes: {code}");
    }
}

fn in_jsonata(mut state: Value, input: &str) -> Taken {
    state["QueryLanguage"] = json!("JSONata");
    alone(&state, input)
}

/// A definition, a line `----`, and bytes that say what happens outside; `false` where the
/// definition is none.
pub(crate) fn step(data: &[u8]) -> bool {
    const LINE: &[u8] = b"\n----\n";
    let end = data.windows(LINE.len()).position(|part| part == LINE).unwrap_or(data.len());
    let script = data.get(end + LINE.len()..).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(&data[..end]) else { return false };
    let Ok(definition) = Definition::parse(text) else { return false };
    let mut world = World::new(definition);
    for byte in script.iter().take(200) {
        world.turn(*byte);
    }
    world.finish();
    true
}

/// What became of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// The definition, or the input, was refused.
    Refused,
    /// It ran.
    Run,
    /// An expression reached a limit of its budget: trying it again would take as long again.
    Spent,
}

/// Runs a machine of that state, twice.
fn alone(state: &Value, input: &str) -> Taken {
    let mut states = json!({ "State": state });
    if state["Type"] == "Choice" {
        states["Done"] = json!({ "Type": "Succeed" });
    }
    let text = json!({ "StartAt": "State", "States": states }).to_string();
    let Ok(definition) = Definition::parse(&text) else { return Taken::Refused };
    let start = || Execution::start(&definition, Start::new("fuzz", input));
    let Ok((execution, outcome)) = start() else { return Taken::Refused };
    if let Some(ending) = execution.ending() {
        judge(ending);
        let spent = |cause: &String| cause.contains("U1001") || cause.contains("memory limit");
        if ending.cause.as_ref().is_some_and(spent) {
            return Taken::Spent;
        }
    }
    assert_eq!(outcome.rows, start().unwrap().1.rows, "the same execution went two ways");
    Taken::Run
}

/// An end is one that the language has.
fn judge(ending: &Ending) {
    match ending.status {
        Status::Succeeded => {
            let output = ending.output.as_deref().unwrap_or_default();
            assert!(output.len() <= Limits::default().max_bytes, "{} bytes", output.len());
            assert!(serde_json::from_str::<Value>(output).is_ok(), "{output}");
        }
        Status::Failed | Status::TimedOut | Status::Aborted => assert_eq!(ending.output, None),
        Status::Running => panic!("an end that is none"),
    }
}
