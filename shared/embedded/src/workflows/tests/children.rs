//! Children of a distributed Map that failed and go on, with the history they have.

use super::{
    stage::{CALL, Stage, standard},
    *,
};
use serde_json::json;

/// A Map whose children say their item one after the other, under the note `calls-{item}`.
fn map(kind: &str) -> Machine {
    let text = format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "M", "States": {{"M": {{"Type": "Map",
            "MaxConcurrency": 1, "ItemProcessor": {{"ProcessorConfig": {{"Mode": "DISTRIBUTED", "ExecutionType": "{kind}"}},
                "StartAt": "T", "States": {{"T": {{{CALL}, "Arguments": {{"FunctionName": "contract",
                    "Payload": {{"step": "contract.call", "tenant": "contract", "run": 0,
                        "op": "{{% $states.input %}}", "text": "{{% $states.input %}}"}}}},
                    "Output": "{{% $states.result.Payload.said %}}", "End": true}}}}}},
            "End": true}}}}}}"#
    );
    standard("map", &text)
}

/// The map run of `m-0`, under whose name its children lie.
async fn map_run(stage: &Stage) -> String {
    let history = stage.engine().history("map", "m-0", None, 100).await.expect("history").items;
    let row = history.iter().find(|row| row["type"] == "MapRunStarted").expect("a map run");
    let arn = row["mapRunStartedEventDetails"]["mapRunArn"].as_str().expect("an ARN");
    format!("map/{}", arn.rsplit(':').next().expect("a uuid"))
}

async fn failed_child(stage: &Stage, run: &str) -> String {
    let children = stage.engine().runs(run, None, 10).await.expect("children").items;
    children.into_iter().find(|child| child.status == "FAILED").expect("a failed child").name
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_failed_goes_on_with_the_history_it_has() {
    let stage = Stage::new(vec![map("STANDARD")]).await;
    stage.start("map", "m-0", json!(["x", "fail-2"])).await;
    assert_eq!(stage.over("map", "m-0").await.status, "FAILED");
    let run = map_run(&stage).await;
    let child = failed_child(&stage, &run).await;
    let first = stage.types(&run, &child).await;
    let mut stage = stage.crashed().await;
    stage.engine().redrive("map", "m-0").await.expect("redriven");
    assert_eq!(stage.over("map", "m-0").await.status, "FAILED");
    stage.engine().redrive("map", "m-0").await.expect("redriven");
    // Whatever of it was done when the process dies is not done twice.
    stage = stage.crashed().await;
    assert_eq!(stage.output("map", "m-0").await, json!(["x", "fail-2"]));
    let types = stage.types(&run, &child).await;
    let times = |wanted: &str| types.iter().filter(|kind| *kind == wanted).count();
    assert!(types.starts_with(&first), "{types:?}");
    assert_eq!(types[first.len()], "ExecutionRedriven");
    assert_eq!((times("ExecutionStarted"), times("ExecutionRedriven")), (1, 2));
    assert_eq!(types.last().map(String::as_str), Some("ExecutionSucceeded"));
    assert_eq!(lines(&stage.host, "calls-x").await.len(), 1, "what succeeded is not done again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_express_child_that_failed_starts_anew() {
    let stage = Stage::new(vec![map("EXPRESS")]).await;
    stage.start("map", "m-0", json!(["fail-1"])).await;
    assert_eq!(stage.over("map", "m-0").await.status, "FAILED");
    stage.engine().redrive("map", "m-0").await.expect("redriven");
    assert_eq!(stage.output("map", "m-0").await, json!(["fail-1"]));
}
