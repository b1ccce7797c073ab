//! Hostile definitions beside honest ones, in one process.

use super::{
    stage::{CALL, Stage, standard},
    *,
};
use serde_json::json;

/// A workflow of one expression.
fn expression(name: &str, source: &str) -> Machine {
    let text = json!({ "QueryLanguage": "JSONata", "StartAt": "P", "States": {
        "P": { "Type": "Pass", "Output": format!("{{% {source} %}}"), "End": true } } });
    standard(name, &text.to_string())
}

/// Its name, and what it must end with.
fn hostile() -> Vec<(Machine, &'static str)> {
    const QUERY: &str = "States.QueryEvaluationError";
    let strings = "( $f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f('xxxxxxxx', 60)) )";
    let spin = "$reduce([1..3000], function($a, $b) { $a + $b })";
    let forever = json!({ "QueryLanguage": "JSONata", "StartAt": "Spin", "States": {
        "Spin": { "Type": "Pass", "Output": {}, "Next": "Again",
            "Assign": { "x": format!("{{% {spin} %}}") } },
        "Again": { "Type": "Choice", "Default": "Spin",
            "Choices": [{ "Condition": "{% $x < 0 %}", "Next": "End" }] },
        "End": { "Type": "Succeed" } } });
    let plain = json!({ "StartAt": "C", "States": {
        "C": { "Type": "Choice", "Default": "C",
            "Choices": [{ "Variable": "$.never", "IsPresent": true, "Next": "End" }] },
        "End": { "Type": "Succeed" } } });
    let wide = json!({ "QueryLanguage": "JSONata", "StartAt": "M", "States": {
        "M": { "Type": "Map", "Items": "{% [1..1000000] %}", "End": true,
            "ItemProcessor": { "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } } } } });
    vec![
        (expression("recursion", "( $f := function($n) { $f($n + 1) + 1 }; $f(1) )"), QUERY),
        (expression("tail", "( $f := function($n) { $f($n + 1) }; $f(1) )"), QUERY),
        (expression("range", "[1..1000000000]"), QUERY),
        (expression("padding", "$pad('x', 1000000000)"), QUERY),
        (expression("strings", strings), QUERY),
        (
            expression(
                "regex",
                "$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /^(a+)+$/)",
            ),
            QUERY,
        ),
        (standard("forever", &forever.to_string()), "States.Runtime"),
        (standard("choice", &plain.to_string()), "States.Runtime"),
        (standard("wide", &wide.to_string()), ""),
    ]
}

fn honest() -> Machine {
    let text = format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "Call", "States": {{"Call": {{{CALL},
            "Arguments": {{"FunctionName": "contract", "Payload": {{"step": "contract.call",
                "tenant": "contract", "op": "{{% $states.input.op %}}", "run": 0, "text": "hi"}}}},
            "Output": "{{% $uppercase($states.result.Payload.said) %}}", "End": true}}}}}}"#
    );
    standard("honest", &text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn honest_executions_complete_while_hostile_ones_are_under_way() {
    let mut machines: Vec<_> = hostile().into_iter().map(|(machine, _)| machine).collect();
    machines.push(honest());
    let stage = Stage::new(machines).await;
    let engine = Arc::clone(stage.engine());
    // More of them than may compute at a time.
    let places = engine.heavy.available_permits();
    for n in 0..places + 2 {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { engine.start("forever", &format!("f-{n}"), json!({})).await });
    }
    stage.until(|| (engine.heavy.available_permits() == 0).then_some(())).await;
    for n in 0..20 {
        stage.start("honest", &format!("h-{n}"), json!({ "op": format!("h{n}") })).await;
    }
    for n in 0..20 {
        assert_eq!(stage.output("honest", &format!("h-{n}")).await, json!("HI"));
    }
    assert_eq!(engine.counts().ended, 20, "the hostile ones are still under way");
    // One of them is stopped between two of its turns.
    let stopped = async {
        while engine.stop("forever", "f-0", "enough").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), stopped).await.expect("stopped");
    assert_eq!(stage.over("forever", "f-0").await.status, "ABORTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_definitions_end_with_an_error_and_the_process_goes_on() {
    let all = hostile();
    let mut machines: Vec<_> = all.iter().map(|(machine, _)| machine.clone()).collect();
    machines.push(honest());
    let stage = Stage::new(machines).await;
    let engine = stage.engine();
    let ending = |name: &str| !["forever"].contains(&name);
    let starts = all.iter().filter(|(machine, _)| ending(&machine.name)).map(|(machine, _)| {
        let engine = Arc::clone(engine);
        let name = machine.name.clone();
        tokio::spawn(async move { engine.start(&name, "h-0", json!({})).await.expect("started") })
    });
    let starts: Vec<_> = starts.collect();
    stage.start("honest", "n-0", json!({ "op": "beside" })).await;
    assert_eq!(stage.output("honest", "n-0").await, json!("HI"));
    for start in starts {
        start.await.expect("started");
    }
    for (machine, error) in all.iter().filter(|(machine, _)| ending(&machine.name)) {
        let run = stage.over(&machine.name, "h-0").await;
        assert_eq!(run.status, "FAILED", "{}", machine.name);
        if !error.is_empty() {
            assert_eq!(run.error.as_deref(), Some(*error), "{}: {:?}", machine.name, run.cause);
        }
    }
}
