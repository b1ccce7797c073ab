//! Compares the engine with recorded executions, where the reference data is present.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it saw"
)]

mod reference;

use std::{collections::BTreeMap, fmt::Write};

use mano_asl::{
    Call, Kind, Start,
    runner::{Answer, RunOptions, RunReport, Script, TaskEnd, run_from},
};
use reference::{agree, normal, path};
use serde_json::{Value, json};

/// Recordings that are known not to agree, and why.
const KNOWN: [(&str, &str); 5] = [
    ("test_lambda_invoke_with_retry_extended_input", "recorded before redrive; no RedriveCount"),
    ("test_map_state_lambda", LATER),
    ("VALID_ITEMS_PATH_FROM_PREVIOUS", LATER),
    ("test_map_state_config_distributed_items_path_from_previous", LATER),
    ("test_map_state_nested_config_distributed_no_max_max_concurrency", LATER),
];

/// The same definition was recorded with either row; machines without variables keep the older one.
const LATER: &str =
    "recorded when the row that leaves a distributed Map followed from the one that started it";

#[test]
fn recorded_executions_are_repeated() {
    let folder = path("asl/cases");
    if !folder.is_dir() {
        println!("skipped: reference data is not here: {}", folder.display());
        return;
    }
    let only = std::env::var("ASL_CASE").ok();
    let mut tiers: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut failures = String::new();
    let mut unexpected = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let name = case["name"].as_str().unwrap();
        if only.as_ref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let tier = tiers.entry(case["tier"].as_str().unwrap().to_owned()).or_default();
        tier.1 += 1;
        match compare(&case, only.is_some()) {
            Ok(()) => {
                tier.0 += 1;
                let stale = KNOWN.iter().find(|(known, _)| name.contains(known));
                assert!(stale.is_none(), "{name} agrees now: strike it off the list");
            }
            Err(reason) => {
                writeln!(failures, "{name}\n    {reason}").unwrap();
                if !KNOWN.iter().any(|(known, _)| name.contains(known)) {
                    unexpected.push(name.to_owned());
                }
            }
        }
    }
    println!("{failures}");
    println!("{:<12} {:>7} {:>7}", "tier", "passed", "failed");
    for (tier, (passed, all)) in &tiers {
        println!("{tier:<12} {passed:>7} {:>7}", all - passed);
    }
    assert!(unexpected.is_empty(), "{} recordings differ: {unexpected:#?}", unexpected.len());
}

fn compare(case: &Value, verbose: bool) -> Result<(), String> {
    let expected = &case["expected"];
    let report = run(case)?;
    if verbose {
        for event in &report.events {
            println!("{}", event.to_json());
        }
    }
    let got = json!({
        "status": report.status,
        "output": report.output.as_deref().map(normal),
        "error": report.error,
        "cause": report.cause.as_deref().map(normal),
    });
    for field in ["status", "output", "error", "cause"] {
        agree(&expected[field], &got[field], field)?;
    }
    if expected.get("history_note").is_some() {
        return Ok(());
    }
    let Some(history) = expected["history"].as_array() else { return Ok(()) };
    let rows: Vec<Value> = report.events.iter().map(|event| event.to_json()).collect();
    for (at, row) in history.iter().enumerate() {
        let found = rows.get(at).ok_or_else(|| format!("row {} is missing: {row}", at + 1))?;
        agree(row, found, &format!("row {}", at + 1))?;
    }
    if rows.len() > history.len() {
        return Err(format!("row {} is too many: {}", history.len() + 1, rows[history.len()]));
    }
    Ok(())
}

fn run(case: &Value) -> Result<RunReport, String> {
    let text = case["input"].as_str().filter(|text| text.starts_with(['{', '[']));
    let input = text.map_or_else(|| case["input"].to_string(), ToOwned::to_owned);
    let definition = mano_asl::Definition::parse(&case["definition"].to_string())
        .map_err(|problems| format!("refused: {}", problems[0]))?;
    let mut script = Script::parse(&replay(case).to_string()).unwrap();
    let objects = case["s3_objects"].as_array().cloned().unwrap_or_default();
    let mut start = Start::new("name", &input);
    start.arn = "arn:aws:states:us-east-1:111111111111:execution:ArnPart_0idx:name".to_owned();
    start.state_machine_arn =
        "arn:aws:states:us-east-1:111111111111:stateMachine:ArnPart_0idx".to_owned();
    start.state_machine_name = "ArnPart_0idx".to_owned();
    start.role_arn = "snf_role_arn".to_owned();
    // The day the reference data took relative points in time from.
    start.at_millis = 1_795_169_488_000;
    if case["machine_type"] != "STANDARD" {
        start.kind = Kind::Express;
    }
    let options = RunOptions {
        tasks: Box::new(|call| behave(case, call).unwrap_or_else(|| script.answer(call))),
        blobs: Box::new(move |request| {
            objects
                .iter()
                .find(|object| object["Key"] == request.arguments["Key"])
                .or_else(|| objects.first())
                .and_then(|object| object["Body"].as_str().map(ToOwned::to_owned))
                .ok_or_else(|| "there is no such object".to_owned())
        }),
        // A recording ended before the year that an execution may last.
        patience_millis: 365 * 86_400_000 - 1,
        ..RunOptions::default()
    };
    run_from(&definition, start, options).map_err(|error| error.to_string())
}

/// The scripted tasks, with the workers' names that only the history tells.
fn replay(case: &Value) -> Value {
    let mut lines = case["task_replay"].clone();
    let history = case["expected"]["history"].as_array().into_iter().flatten();
    let mut workers = history
        .filter(|row| row["type"] == "ActivityStarted")
        .map(|row| &row["activityStartedEventDetails"]);
    for line in lines.as_array_mut().into_iter().flatten() {
        if line["kind"] == "Activity" {
            let details = workers.next().cloned().unwrap_or_default();
            line["worker"] = details["workerName"].clone();
        }
    }
    // Rows of a Parallel lost their order, and with it some outcomes: every attempt ended alike.
    let known = lines.as_array().into_iter().flatten().find(|line| !line["outcome"].is_null());
    let known = known.map(|line| line["outcome"].clone()).unwrap_or_default();
    for line in lines.as_array_mut().into_iter().flatten() {
        if line["outcome"].is_null() {
            line["outcome"] = known.clone();
        }
    }
    lines
}

/// What a function does where the recording has no script for it.
fn behave(case: &Value, call: &Call) -> Option<Answer> {
    let mut lines = case["task_replay"].as_array().into_iter().flatten();
    let scripted = lines.any(|line| !line["outcome"].is_null());
    let behaviour = case["lambda_behaviours"][0]["behaviour"].as_str()?;
    if scripted || !behaviour.starts_with("error") || &*call.service != "lambda" {
        return None;
    }
    let cause = json!({
        "errorMessage": "Some exception was raised.",
        "errorType": "Exception",
        "requestId": "1",
        "stackTrace": [
            "  File \"/var/task/handler.py\", line 2, in handler\n    raise Exception(\"Some exception was raised.\")\n"
        ],
    });
    let error = Some("Exception".to_owned());
    Some(Answer {
        end: Some(TaskEnd::Failed { error, cause: Some(cause.to_string()) }),
        ..Answer::default()
    })
}
