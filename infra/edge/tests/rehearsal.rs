//! `mano workflow run`, `validate` and `draw` as a person calls them: files in, text and status out.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it saw"
)]

#[path = "../../../shared/asl/tests/reference/recorded.rs"]
mod recorded;
#[path = "../../../shared/asl/tests/reference/mod.rs"]
mod reference;

use recorded::{LATER, exception, input, repeated, told_alike};
use reference::path;
use serde_json::{Value, json};
use std::{
    fs,
    process::{Command, Output},
};
use tempfile::TempDir;

/// Recordings that are known not to agree, and why.
const KNOWN: [(&str, &str); 7] = [
    ("test_activity_task_start_timeout", "only the recorded rows tell the worker's name"),
    ("outputdecl/test_output::TestArgumentsBase::test_base_cases[BASE_EXPR]", ROLE),
    ("test_lambda_invoke_with_retry_extended_input", ROLE),
    ("test_map_state_lambda", LATER),
    ("VALID_ITEMS_PATH_FROM_PREVIOUS", LATER),
    ("test_map_state_config_distributed_items_path_from_previous", LATER),
    ("test_map_state_nested_config_distributed_no_max_max_concurrency", LATER),
];

/// The context object shows the role, and nobody tells the program which.
const ROLE: &str = "the output shows the role of the recording";

/// A folder, and the program in it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> &Self {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn mano(&self, words: &str) -> Output {
        let mut mano = Command::new(env!("CARGO_BIN_EXE_mano"));
        mano.env_clear().current_dir(self.0.path()).args(words.split_whitespace());
        mano.output().unwrap()
    }

    /// What was printed as JSON, with this exit status.
    fn json(&self, words: &str, status: i32) -> Value {
        let output = self.mano(&format!("workflow {words} -o json"));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{words}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A Task that is tried again, with this in its definition.
fn retried(more: &str) -> String {
    let retry = r#""Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600}]"#;
    let resource = "arn:aws:states:::sqs:sendMessage";
    format!(
        r#"{{"StartAt": "Call", "States": {{"Call": {{"Type": "Task", "Resource": "{resource}",
            {retry}, {more} "End": true}}}}}}"#
    )
}

fn kinds(report: &Value) -> Vec<&str> {
    report["events"].as_array().unwrap().iter().map(|row| row["type"].as_str().unwrap()).collect()
}

#[test]
fn a_run_ends_as_its_tasks_say_and_whatever_the_end_it_has_run() {
    let desk = Desk::new();
    desk.put("call.asl.json", &retried("")).put(
        "tasks",
        r#"[{"state": "Call", "attempt": 0, "outcome": {"event": "TaskFailed", "error": "Busy"}},
            {"state": "Call", "attempt": 1, "outcome": {"error": "Dead", "cause": {"why": 1}}}]"#,
    );
    let run = "run --definition call.asl.json --tasks tasks";
    let report = desk.json(&format!("{run} --history"), 0);
    assert_eq!(report["status"], "FAILED");
    assert_eq!(report["error"], "Dead");
    assert_eq!(report["cause"], r#"{"why":1}"#);
    let last = report["events"].as_array().unwrap().last().unwrap();
    assert_eq!(last["executionFailedEventDetails"]["cause"], r#"{"why":1}"#);
    // An hour of waiting in no time.
    assert_eq!(last["timestamp"], "2026-11-21T01:00:00.000Z");
    // Whoever reads the result himself is told the events if he asks for them.
    let brief: Value =
        serde_json::from_slice(&desk.mano(&format!("workflow {run}")).stdout).unwrap();
    assert_eq!(brief.get("events"), None);
    assert_eq!(brief["error"], "Dead");
}

#[test]
fn a_call_without_a_line_ends_the_run_and_says_which() {
    let desk = Desk::new();
    desk.put(
        "call.json",
        &retried(r#""Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Call"}],"#),
    );
    let report = desk.json("run --definition call.json --history", 1);
    assert_eq!(report["status"], "FAILED");
    let cause = report["cause"].as_str().unwrap();
    assert!(cause.contains("call 0 of the state 'Call'"), "{cause}");
    assert_eq!(kinds(&report).last(), Some(&"TaskStarted"));
    let output = desk.mano("workflow run --definition call.json");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains(r#"{"state":"Call","attempt":0"#), "{errors}");
}

#[test]
fn every_way_a_call_can_end_is_a_row_of_its_own() {
    let resource = |event: &str| {
        let (lambda, activity) = ("function:f", "activity:a");
        match event {
            event if event.starts_with("Lambda") => format!("arn:aws:lambda:us-east-1:1:{lambda}"),
            event if event.starts_with("Activity") => {
                format!("arn:aws:states:us-east-1:1:{activity}")
            }
            "TaskSubmitFailed" => "arn:aws:states:::sqs:sendMessage.waitForTaskToken".to_owned(),
            _ => "arn:aws:states:::sqs:sendMessage".to_owned(),
        }
    };
    for event in [
        "TaskSucceeded",
        "TaskFailed",
        "TaskTimedOut",
        "TaskSubmitFailed",
        "TaskStartFailed",
        "LambdaFunctionSucceeded",
        "LambdaFunctionFailed",
        "LambdaFunctionTimedOut",
        "LambdaFunctionScheduleFailed",
        "LambdaFunctionStartFailed",
        "ActivitySucceeded",
        "ActivityFailed",
        "ActivityTimedOut",
        "ActivityScheduleFailed",
    ] {
        let desk = Desk::new();
        let state = json!({"Type": "Task", "Resource": resource(event), "End": true});
        let definition = json!({"StartAt": "T", "States": {"T": state}});
        let line = json!([{"state": "T", "attempt": 0, "worker": "w",
            "outcome": {"event": event, "output": 1, "error": "E", "cause": "C"}}]);
        desk.put("d", &definition.to_string()).put("t", &line.to_string());
        let report = desk.json("run --definition d --tasks t --history", 0);
        let kinds = kinds(&report);
        assert!(kinds.contains(&event), "{event}: {kinds:?}");
        let ended = if event.ends_with("Succeeded") { "SUCCEEDED" } else { "FAILED" };
        assert_eq!(report["status"], ended, "{event}");
        assert_eq!(report.get("error").is_some(), ended == "FAILED", "{event}");
    }
}

#[test]
fn a_task_that_is_slower_than_its_timeout_is_late() {
    let desk = Desk::new();
    let tasks = |delay: u64| json!([{"state": "Call", "attempt": 0, "delay_ms": delay, "outcome": {"output": "ok"}}]);
    desk.put("d", &retried(r#""TimeoutSeconds": 5,"#));
    for (delay, status) in [(4999, "SUCCEEDED"), (5000, "SUCCEEDED"), (5001, "FAILED")] {
        desk.put("t", &tasks(delay).to_string());
        let report = desk.json("run --definition d --tasks t --history", 0);
        assert_eq!(report["status"], status, "{delay}");
    }
    assert_eq!(desk.json("run --definition d --tasks t", 0)["error"], "States.Timeout");
}

#[test]
fn the_context_object_has_the_names_that_were_given() {
    let desk = Desk::new();
    let definition = json!({"StartAt": "P", "QueryLanguage": "JSONata", "States": {"P": {
        "Type": "Pass", "End": true,
        "Output": "{% [$states.context.Execution.Name, $states.context.StateMachine.Name] %}"}}});
    desk.put("mine.asl.json", &definition.to_string()).put("input", " [1] ");
    let report = desk.json("run --definition mine.asl.json --name first --input input", 0);
    assert_eq!(report["output"], r#"["first","mine"]"#);
}

#[test]
fn what_cannot_run_and_what_is_misused_have_their_own_status() {
    let desk = Desk::new();
    desk.put("good", &retried("")).put("bad", "{}").put("text", "no JSON");
    let token = retried("").replace("sendMessage", "sendMessage.waitForTaskToken");
    desk.put("token", &token).put("lines", r#"[{"state": 1}]"#);
    let silent = r#"[{"state": "Call", "attempt": 0, "submitted": {}, "outcome": {"output": 1},
        "delay_ms": 999999999999}]"#;
    desk.put("silent", silent);
    for (words, status, said) in [
        ("run --definition bad", 1, "These fields are required"),
        ("run --definition none", 1, "none"),
        ("run --definition good --input text", 1, "Invalid execution input"),
        ("run --definition good --blobs none", 1, "none"),
        ("run --definition token --type EXPRESS", 1, "Express state machine does not support"),
        ("run --definition good --tasks silent", 1, "still waits"),
        ("run --definition good --tasks text", 2, "script"),
        ("run --definition good --tasks lines", 2, "line 0"),
        ("run good", 2, "unexpected argument"),
        ("run", 2, "--definition"),
        ("run --definition good --type SLOW", 2, "EXPRESS"),
        ("validate", 2, "FILE"),
        ("validate bad", 1, "1 of 1"),
        ("draw bad", 1, "cannot be drawn"),
    ] {
        let output = desk.mano(&format!("workflow {words}"));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{words}: {errors}");
        assert!(errors.contains(said), "{words}: {errors}");
    }
}

#[test]
fn a_drawing_is_coloured_by_what_happened() {
    let desk = Desk::new();
    let definition = json!({"StartAt": "Seen", "States": {
        "Seen": {"Type": "Pass", "Next": "Choose"},
        "Choose": {"Type": "Choice", "Default": "Bad", "Choices":
            [{"Variable": "$.ok", "IsPresent": true, "Next": "Unseen"}]},
        "Bad": {"Type": "Fail"},
        "Unseen": {"Type": "Succeed"}}});
    desk.put("d", &definition.to_string());
    let ran = desk.mano("workflow run --definition d --history");
    desk.put("ran", std::str::from_utf8(&ran.stdout).unwrap());
    let drawn = desk.mano("workflow draw d --execution ran");
    let drawn = String::from_utf8(drawn.stdout).unwrap();
    for (line, there) in [
        ("class s0 done", true),
        ("class s1 done", true),
        ("class s2 failed", true),
        ("class s3", false),
    ] {
        assert_eq!(drawn.contains(line), there, "{line}: {drawn}");
    }
    let plain = String::from_utf8(desk.mano("workflow draw d").stdout).unwrap();
    assert!(drawn.starts_with(plain.trim_end()) && !plain.contains("class"), "{plain}");
}

#[test]
fn a_validation_answers_as_the_api_does() {
    let desk = Desk::new();
    desk.put("good", &retried("")).put("bad", r#"{"States": {}}"#);
    let answer = desk.json("validate good", 0);
    assert_eq!(
        answer,
        json!({"result": "OK", "diagnostics": [], "truncated": false, "file": "good"})
    );
    let both = desk.json("validate good bad", 1);
    assert_eq!(both[1]["result"], "FAIL");
    assert_eq!(both[1]["diagnostics"][0]["location"], "/");
    let lines = desk.mano("workflow validate bad");
    let lines = String::from_utf8(lines.stdout).unwrap();
    assert!(lines.starts_with("bad: error: SCHEMA_VALIDATION_FAILED: "), "{lines}");
}

/// What a call ends with where the recording only says that it fails.
fn failed(case: &Value) -> Option<Value> {
    exception(case).map(|cause| json!({ "error": "Exception", "cause": cause }))
}

/// The lines of a recording, with one for each call that it has none for.
fn tasks(case: &Value) -> Value {
    let mut lines = case["task_replay"].as_array().cloned().unwrap_or_default();
    let known = lines.iter().map(|line| line["outcome"].clone()).find(|outcome| !outcome.is_null());
    if let Some(outcome) = known.or_else(|| failed(case)) {
        for line in lines.iter_mut().filter(|line| line["outcome"].is_null()) {
            line["outcome"] = outcome.clone();
        }
        if lines.is_empty() {
            lines.push(json!({ "state": null, "outcome": outcome }));
        }
    }
    Value::Array(lines)
}

fn compare(case: &Value, verbose: bool) -> Result<(), String> {
    let desk = Desk::new();
    desk.put("ArnPart_0idx.json", &case["definition"].to_string())
        .put("input.json", &input(case))
        .put("tasks.json", &tasks(case).to_string())
        .put("blobs/none", "");
    for object in case["s3_objects"].as_array().into_iter().flatten() {
        let (bucket, key) = (object["Bucket"].as_str().unwrap(), object["Key"].as_str().unwrap());
        desk.put(&format!("blobs/{bucket}/{key}"), object["Body"].as_str().unwrap());
    }
    let behaviour = case["lambda_behaviours"][0]["behaviour"].as_str().unwrap_or_default();
    let echo = if behaviour.starts_with("echo") { "--echo" } else { "" };
    let kind = if case["machine_type"] == "STANDARD" { "STANDARD" } else { "EXPRESS" };
    let output = desk.mano(&format!(
        "workflow run --definition ArnPart_0idx.json --input input.json --type {kind} \
         --tasks tasks.json --blobs blobs --name ExecArnPart_0idx --history -o json {echo}"
    ));
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    if verbose {
        println!("{report:#}");
    }
    let status = if report["status"] == "RUNNING" { 1 } else { 0 };
    if output.status.code() != Some(status) {
        return Err(format!("exit status {:?}", output.status.code()));
    }
    told_alike(&case["expected"], &report)
}

#[test]
fn recorded_executions_are_repeated_by_the_program() {
    repeated(&KNOWN, compare);
}

/// Definitions that were refused, and what was said; those that only a host with a memory refuses
/// are left out.
#[test]
fn refused_definitions_are_refused_by_the_program_in_the_same_words() {
    let file = path("asl/vectors/rejected_definitions.json");
    let Ok(text) = fs::read_to_string(&file) else {
        println!("skipped: reference data is not here: {}", file.display());
        return;
    };
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let desk = Desk::new();
    let mut seen = 0;
    for vector in vectors {
        let expected = &vector["expected"];
        let said = expected["message"].as_str().or(expected["exception_value"].as_str()).unwrap();
        let Some((_, said)) = said.split_once("Invalid State Machine Definition: '") else {
            continue;
        };
        seen += 1;
        let kind = vector["request"]["type"].as_str().unwrap_or("STANDARD");
        desk.put("d", vector["definition_text"].as_str().unwrap());
        let answer = desk.json(&format!("validate d --type {kind}"), 1);
        let first = &answer["diagnostics"][0];
        let words: Vec<&str> =
            ["code", "message", "location"].iter().filter_map(|n| first[n].as_str()).collect();
        let found = format!("{}: {} at {}", words[0], words[1], words[2]);
        assert_eq!(said.trim_end_matches('\''), found, "{}", vector["id"]);
    }
    assert!(seen > 5, "{seen}");
}
