//! Compares single rules, states and definitions with recordings, where the reference data is
//! present.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it saw"
)]

mod reference;

use std::collections::BTreeMap;

use mano_asl::{
    Definition, Execution, Kind, Start, TestRequest,
    runner::{Answer, RunOptions, TaskEnd, run_from},
    test_state,
};
use reference::{agree, normal, path};
use serde_json::{Value, json};

/// Vectors that are known not to agree, and why.
const KNOWN: [(&str, &str); 3] = [
    ("test_create_duplicate_sm_name", "whether a name is taken is known to the host"),
    ("test_describe_execution_no_such_state_machine", "what exists is known to the host"),
    ("test_create_with_version_description_no_publish", "versions are the host's"),
];

/// Runs every vector of a file and reports; `true` for the known ones that differ.
fn each(file: &str, compare: impl Fn(&Value) -> Result<(), String>) {
    let place = path("asl/vectors").join(file);
    let Ok(text) = std::fs::read_to_string(&place) else {
        println!("skipped: reference data is not here: {}", place.display());
        return;
    };
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut unexpected = BTreeMap::new();
    let mut failed = 0;
    for vector in &vectors {
        let id = vector["id"].as_str().unwrap();
        let known = KNOWN.iter().any(|(known, _)| id.contains(known));
        let compared = compare(vector);
        assert!(!known || compared.is_err(), "{id} agrees now: strike it off the list");
        if let Err(reason) = compared {
            failed += 1;
            println!("{id}\n    {reason}");
            if !known {
                unexpected.insert(id.to_owned(), reason);
            }
        }
    }
    println!("{file:<28} {:>4} passed {failed:>4} failed", vectors.len() - failed);
    assert!(unexpected.is_empty(), "{} of {file} differ: {unexpected:#?}", unexpected.len());
}

fn run(definition: &Value, input: &Value) -> Result<Value, String> {
    let definition = Definition::parse(&definition.to_string())
        .map_err(|problems| format!("refused: {}", problems[0]))?;
    let mut start = Start::new("ExecArnPart_0idx", &input.to_string());
    start.arn = "arn:aws:states:us-east-1:111111111111:execution:ArnPart_0idx:name".to_owned();
    start.state_machine_arn =
        "arn:aws:states:us-east-1:111111111111:stateMachine:ArnPart_0idx".to_owned();
    start.state_machine_name = "ArnPart_0idx".to_owned();
    start.at_millis = 1_795_169_488_000;
    let options = RunOptions {
        blobs: Box::new(|request| {
            Ok(object(request.arguments["Key"].as_str().unwrap_or_default()))
        }),
        ..RunOptions::default()
    };
    let report = run_from(&definition, start, options).map_err(|error| error.to_string())?;
    Ok(json!({
        "status": report.status,
        "output": report.output.as_deref().map(normal),
        "error": report.error,
        "cause": report.cause.as_deref().map(normal),
    }))
}

/// The vectors name objects without their content; the cases have it under the same keys.
fn object(key: &str) -> String {
    let folder = path("asl/cases");
    let wanted = if key.ends_with("csv") { "csv_max_items_2_" } else { "" };
    let file = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|file| !wanted.is_empty() && file.to_string_lossy().contains(wanted));
    let Some(file) = file else { return "[]".to_owned() };
    let case: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    case["s3_objects"][0]["Body"].as_str().unwrap_or_default().to_owned()
}

fn ended_as_expected(vector: &Value) -> Result<(), String> {
    let found = run(&vector["definition"], &vector["input"])?;
    for field in ["status", "output", "error", "cause"] {
        agree(&vector["expected"][field], &found[field], field)?;
    }
    Ok(())
}

/// Whether a vector reads an object whose content was not recorded with it.
fn reads_an_unknown_object(vector: &Value) -> bool {
    let id = vector["id"].as_str().unwrap_or_default();
    id.contains("item_reader") && !id.contains("csv_max_items")
}

#[test]
fn choice_rules_decide_as_recorded() {
    each("choice_rules.json", |vector| {
        let found = run(&vector["definition"], &vector["input"])?;
        agree(&vector["expected_output"], &found["output"], "output")
    });
}

#[test]
fn intrinsic_functions_give_what_was_recorded() {
    each("intrinsics_jsonpath.json", |vector| {
        let definition = json!({ "StartAt": "State_0", "States": { "State_0": vector["state"] } });
        let found = run(&definition, &vector["input"])?;
        for field in ["status", "output", "error", "cause"] {
            agree(&vector["expected"][field], &found[field], field)?;
        }
        Ok(())
    });
}

#[test]
fn jsonpath_states_end_as_recorded() {
    each("jsonpath_states.json", |vector| {
        if reads_an_unknown_object(vector) {
            return Ok(());
        }
        ended_as_expected(vector)
    });
}

#[test]
fn jsonata_states_end_as_recorded() {
    each("jsonata_states.json", |vector| {
        if vector.get("definition").is_some() {
            return ended_as_expected(vector);
        }
        let definition = json!({ "StartAt": "State_0", "States": { "State_0": vector["state"] } });
        let found = run(&definition, &vector["input"])?;
        for field in ["status", "output", "error", "cause"] {
            agree(&vector["expected"][field], &found[field], field)?;
        }
        Ok(())
    });
}

fn kind(vector: &Value) -> Kind {
    let name = vector["request"]["type"].as_str().unwrap_or("STANDARD");
    if name == "EXPRESS" { Kind::Express } else { Kind::Standard }
}

#[test]
fn wrong_definitions_are_refused_in_the_same_words() {
    each("rejected_definitions.json", |vector| {
        let text = vector["definition_text"].as_str().unwrap();
        let expected = &vector["expected"];
        let expected = expected["message"].as_str().or(expected["exception_value"].as_str());
        let found = match Definition::parse_as(text, kind(vector)) {
            Err(problems) => format!("Invalid State Machine Definition: '{}'", problems[0]),
            Ok(definition) => {
                let input = vector["input"].as_str().unwrap_or("{}");
                match Execution::start(&definition, Start::new("name", input)) {
                    Err(error) => error.to_string(),
                    // Only a host can tell that an Express API was called for a Standard machine.
                    Ok(_)
                        if vector["expected"]["Error"]["Code"]
                            == "StateMachineTypeNotSupported" =>
                    {
                        return Ok(());
                    }
                    Ok(_) => "accepted".to_owned(),
                }
            }
        };
        let expected = expected.unwrap_or_default();
        if expected.ends_with(&found) { Ok(()) } else { Err(format!("{expected}\n    {found}")) }
    });
}

#[test]
fn validation_reports_what_was_recorded() {
    each("validate_definition.json", |vector| {
        let text = vector["request"]["definition"].as_str().unwrap();
        let found = Definition::check_as(text, kind(vector));
        agree(&vector["expected"]["diagnostics"], &json!(found), "diagnostics")
    });
}

#[test]
fn single_states_are_tested_as_recorded() {
    each("test_state.json", |vector| {
        let mut request = vector["request"].clone();
        request["definition"] = json!(request["definition"].to_string());
        let request: TestRequest = serde_json::from_value(request).unwrap();
        let functions = vector["lambda_behaviours"].clone();
        let found = test_state(&request, &mut |call| {
            let payload = match functions[0]["behaviour"].as_str() {
                Some(text) if text.starts_with("echo") => {
                    call.arguments.value().get("Payload").cloned().unwrap_or_default()
                }
                _ => json!("HelloWorld!"),
            };
            let result = if &*call.service == "lambda" {
                let payload = if payload.is_null() { json!({}) } else { payload };
                json!({ "ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200 })
            } else {
                payload
            };
            Answer { end: Some(TaskEnd::Succeeded(result.to_string())), ..Answer::default() }
        });
        match (found, vector.get("expected_error")) {
            (Err(error), Some(expected)) => {
                let words =
                    expected["message"].as_str().or(expected["exception_value"].as_str()).unwrap();
                let agrees = words.ends_with(&error.to_string());
                agrees.then_some(()).ok_or_else(|| format!("{words}\n    {error}"))
            }
            (Ok(report), None) => agree(&vector["expected"], &json!(report), "report"),
            (found, expected) => Err(format!("{expected:?}\n    {found:?}")),
        }
    });
}
