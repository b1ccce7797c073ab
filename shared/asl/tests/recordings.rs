//! Compares the engine with recorded executions, where the reference data is present.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it saw"
)]

#[path = "reference/recorded.rs"]
mod recorded;
mod reference;

use mano_asl::{
    Call, Kind, Start,
    runner::{Answer, RunOptions, RunReport, Script, TaskEnd, run_from},
};
use recorded::{LATER, exception, input, repeated, told_alike};
use reference::normal;
use serde_json::{Value, json};

/// Recordings that are known not to agree, and why.
const KNOWN: [(&str, &str); 5] = [
    ("test_lambda_invoke_with_retry_extended_input", "recorded before redrive; no RedriveCount"),
    ("test_map_state_lambda", LATER),
    ("VALID_ITEMS_PATH_FROM_PREVIOUS", LATER),
    ("test_map_state_config_distributed_items_path_from_previous", LATER),
    ("test_map_state_nested_config_distributed_no_max_max_concurrency", LATER),
];

#[test]
fn recorded_executions_are_repeated() {
    repeated(&KNOWN, compare);
}

fn compare(case: &Value, verbose: bool) -> Result<(), String> {
    let report = run(case)?;
    let events: Vec<Value> = report.events.iter().map(|event| event.to_json()).collect();
    if verbose {
        for event in &events {
            println!("{event}");
        }
    }
    let told = json!({
        "status": report.status,
        "output": report.output.as_deref().map(normal),
        "error": report.error,
        "cause": report.cause.as_deref().map(normal),
        "events": events,
    });
    told_alike(&case["expected"], &told)
}

fn run(case: &Value) -> Result<RunReport, String> {
    let definition = mano_asl::Definition::parse(&case["definition"].to_string())
        .map_err(|problems| format!("refused: {}", problems[0]))?;
    let mut script = Script::parse(&replay(case).to_string()).unwrap();
    let objects = case["s3_objects"].as_array().cloned().unwrap_or_default();
    let mut start = Start::new("name", &input(case));
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
    if scripted || &*call.service != "lambda" {
        return None;
    }
    let cause = exception(case)?;
    let error = Some("Exception".to_owned());
    Some(Answer {
        end: Some(TaskEnd::Failed { error, cause: Some(cause.to_string()) }),
        ..Answer::default()
    })
}
