//! Limits of the language: how long an execution lives, how much it remembers and writes.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise and says what it saw")]

use mano_asl::{
    Definition, Effect, Event, Execution, Kind, Outcome, Start, Status,
    runner::{RunOptions, RunReport, run},
};
use serde_json::{Value, json};

const YEAR: i64 = 365 * 86_400_000;

fn definition(value: &Value) -> Definition {
    Definition::parse(&value.to_string()).unwrap()
}

fn report(value: &Value, kind: Kind) -> RunReport {
    let options = RunOptions { kind, patience_millis: 3 * YEAR, ..RunOptions::default() };
    run(&value.to_string(), "{}", options).unwrap()
}

fn timers(outcome: &Outcome) -> Vec<i64> {
    let at = |effect: &Effect| {
        if let Effect::SetTimer { at_millis, .. } = effect { Some(*at_millis) } else { None }
    };
    outcome.effects.iter().filter_map(at).collect()
}

#[test]
fn a_standard_execution_lives_a_year_and_an_express_one_five_minutes() {
    let wait = |seconds: i64| json!({ "StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": seconds, "End": true}} });
    assert_eq!(report(&wait(YEAR / 1000 - 1), Kind::Standard).status, Status::Succeeded);
    let late = report(&wait(YEAR / 1000 + 1), Kind::Standard);
    assert_eq!((late.status, late.error), (Status::TimedOut, None));
    let last = late.events.last().unwrap();
    assert_eq!((last.kind, last.at_millis), ("ExecutionTimedOut", 1_700_000_000_000 + YEAR));
    assert_eq!(report(&wait(299), Kind::Express).status, Status::Succeeded);
    assert_eq!(report(&wait(301), Kind::Express).status, Status::TimedOut);
}

#[test]
fn only_who_might_outlive_the_year_has_a_timer_for_it() {
    let task = |more: &str| {
        let resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";
        let text = format!(
            r#"{{"StartAt": "T", "States": {{"T": {{"Type": "Task", "Resource": "{resource}",
            {more} "End": true}}}}}}"#
        );
        let definition = Definition::parse(&text).unwrap();
        timers(&Execution::start(&definition, Start::new("x", "{}")).unwrap().1)
    };
    assert_eq!(task(""), [YEAR]);
    assert_eq!(task(r#""TimeoutSeconds": 60,"#), [60_000]);
    assert_eq!(task(r#""TimeoutSeconds": 99999999,"#), [99_999_999_000, YEAR]);
}

#[test]
fn what_comes_after_the_year_finds_the_execution_over() {
    let function = "arn:aws:lambda:us-east-1:1:function:f";
    let definition = definition(&json!({
        "StartAt": "T", "States": {"T": {"Type": "Task", "Resource": function, "End": true}}
    }));
    let (mut execution, outcome) = Execution::start(&definition, Start::new("x", "{}")).unwrap();
    let Some(Effect::Call(call)) = outcome.effects.first() else { unreachable!() };
    let event = Event::TaskSucceeded { task: call.task, output: "1".to_owned() };
    let before = execution.clone().handle(&definition, event.clone(), YEAR - 1);
    assert_eq!(before.rows.last().unwrap().kind, "ExecutionSucceeded");
    let after = execution.handle(&definition, event, YEAR);
    let kinds: Vec<_> = after.rows.iter().map(|row| row.kind).collect();
    assert_eq!(kinds, ["ExecutionTimedOut"]);
}

/// A machine that keeps so many variables of 100,000 bytes, one state each.
fn hoarder(count: usize, name: impl Fn(usize) -> String) -> Value {
    let mut states = serde_json::Map::new();
    for at in 0..count {
        let assign = json!({ name(at): format!("{{% $pad('', {}, 'x') %}}", 99_998) });
        let mut state = json!({ "Type": "Pass", "Assign": assign });
        state["Next"] = json!(format!("S{}", at + 1));
        states.insert(format!("S{at}"), state);
    }
    states.insert(format!("S{count}"), json!({ "Type": "Succeed" }));
    json!({ "StartAt": "S0", "QueryLanguage": "JSONata", "States": states })
}

#[test]
fn an_execution_remembers_ten_mebibytes_and_no_more() {
    let fits = report(&hoarder(104, |at| format!("v{at}")), Kind::Standard);
    assert_eq!(fits.status, Status::Succeeded, "{:?}", fits.cause);
    let much = report(&hoarder(105, |at| format!("v{at}")), Kind::Standard);
    assert_eq!(much.error.as_deref(), Some("States.DataLimitExceeded"));
    // What is assigned again is not kept twice.
    let again = report(&hoarder(300, |at| format!("v{}", at % 7)), Kind::Standard);
    assert_eq!(again.status, Status::Succeeded, "{:?}", again.cause);
}

#[test]
fn one_state_assigns_a_quarter_of_a_mebibyte_together() {
    let pad = "{% $pad('', 131070, 'x') %}";
    let assigns = |assign: Value| {
        json!({ "StartAt": "S", "QueryLanguage": "JSONata", "States": {
            "S": { "Type": "Pass", "Assign": assign, "End": true } } })
    };
    let two = report(&assigns(json!({ "a": pad, "b": pad })), Kind::Standard);
    assert_eq!(two.status, Status::Succeeded, "{:?}", two.cause);
    let three = report(&assigns(json!({ "a": pad, "b": pad, "c": 1 })), Kind::Standard);
    assert_eq!(three.error.as_deref(), Some("States.DataLimitExceeded"));
}

#[test]
fn a_history_ends_at_twenty_five_thousand_rows() {
    let endless = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Pass", "Next": "B" },
        "B": { "Type": "Choice", "Default": "A", "Choices":
            [{ "Variable": "$.no", "IsPresent": true, "Next": "C" }] },
        "C": { "Type": "Succeed" } } });
    let report = report(&endless, Kind::Standard);
    assert_eq!(report.error.as_deref(), Some("States.Runtime"));
    let cause = report.cause.unwrap();
    assert!(cause.contains("maximum number of history events (25000)"), "{cause}");
    assert_eq!(report.events.last().unwrap().kind, "ExecutionFailed");
    assert!(report.events.len() <= 25_000 && report.events.len() > 24_990);
}

#[test]
fn express_executions_wait_for_nobody() {
    for resource in [
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "arn:aws:states:::states:startExecution.sync",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:us-east-1:1:activity:a",
    ] {
        let text = json!({ "StartAt": "T", "States":
            {"T": { "Type": "Task", "Resource": resource, "End": true }} });
        let text = text.to_string();
        assert!(Definition::parse_as(&text, Kind::Standard).is_ok(), "{resource}");
        assert!(Definition::parse_as(&text, Kind::Express).is_err(), "{resource}");
    }
}

#[test]
fn a_result_that_is_enormous_written_out_fails_before_it_is() {
    // Twenty-six values that share their parts: 67 million of them written out.
    let shared = "$reduce([1..26], function($o, $i) { {'a': $o, 'b': $o} }, 1)";
    let long = "$reduce([1..14], function($o, $i) { [[$o], [$o]] }, $pad('', 100000, 'x'))";
    for expression in [shared, long] {
        let code = format!("{{% {expression} %}}");
        let states = [
            json!({ "Type": "Pass", "Output": code, "End": true }),
            json!({ "Type": "Pass", "Output": { "a": [code] }, "End": true }),
            json!({ "Type": "Pass", "Assign": { "a": code }, "End": true }),
            json!({ "Type": "Fail", "Cause": code }),
        ];
        for state in states {
            let machine =
                json!({ "QueryLanguage": "JSONata", "StartAt": "S", "States": { "S": state } });
            let report = report(&machine, Kind::Standard);
            assert_eq!(report.error.as_deref(), Some("States.QueryEvaluationError"), "{machine}");
            assert!(report.cause.unwrap().ends_with(": Check for excessive memory usage"));
        }
    }
}
