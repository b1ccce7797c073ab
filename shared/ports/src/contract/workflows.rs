//! The laws of the workflow engine, on a host that serves [`FUNCTION`](super::FUNCTION) and runs
//! [`WORKFLOWS`](super::WORKFLOWS).

use super::{Note, tenant, until};
use crate::{
    store::Store,
    workflows::{Error, Outcome, Run, Workflows},
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// An engine under test, and ways to disturb it.
#[async_trait]
pub trait Engine: Send {
    /// The engine, as it is now.
    fn workflows(&self) -> Arc<dyn Workflows>;
    /// The store its steps write to, as it is now.
    fn store(&self) -> Arc<dyn Store>;
    /// Kills the process at once and starts it again; nothing to do where that cannot be done.
    async fn crash(&mut self);
    /// Lets time pass, where the test holds the clock.
    fn pass(&self, time: Duration);
}

async fn text(engine: &dyn Engine, id: &str) -> Option<String> {
    let note = engine.store().find::<Note>(&tenant(), id).await.expect("read");
    note.map(|note| note.value.text)
}

async fn written(engine: &dyn Engine, id: &str) -> String {
    until(id, || text(engine, id)).await
}

async fn over(engine: &dyn Engine, workflow: &str, run: &str) -> Run {
    until(run, || async {
        let found = engine.workflows().describe(workflow, run).await.expect("describe");
        (found.status != "RUNNING").then_some(found)
    })
    .await
}

fn input(op: &str) -> Value {
    json!({ "tenant": tenant(), "op": op, "text": "hello" })
}

async fn token(engine: &dyn Engine, op: &str) -> String {
    let tokens = written(engine, &format!("token-{op}")).await;
    tokens.lines().last().expect("a token").into()
}

/// A run calls its tasks and ends with what the last one made.
pub async fn a_run_calls_its_tasks_and_ends(engine: impl Engine) {
    let workflows = engine.workflows();
    workflows.start("contract-call", "r-0", input("r")).await.expect("start");
    let run = over(&engine, "contract-call", "r-0").await;
    assert_eq!((&*run.status, run.output), ("SUCCEEDED", Some(json!({ "said": "hello" }))));
    assert_eq!(text(&engine, "calls-r").await.as_deref(), Some("hello\n"));
    let names: Vec<_> = workflows.workflows().await.expect("list");
    assert!(names.contains(&"contract-call".to_owned()), "{names:?}");
}

/// Starting a run that exists is done already: nothing starts twice.
pub async fn starting_a_run_that_exists_is_done_already(mut engine: impl Engine) {
    engine.workflows().start("contract-wait", "w-0", input("w")).await.expect("start");
    for _ in 0..3 {
        let again = engine.workflows().start("contract-wait", "w-0", input("w")).await;
        assert_eq!(again.expect("while it goes on"), None);
    }
    engine.workflows().start("contract-call", "r-0", input("r")).await.expect("start");
    let ended = over(&engine, "contract-call", "r-0").await;
    let again = engine.workflows().start("contract-call", "r-0", input("r")).await;
    assert_eq!(again.expect("after its end"), Some(ended.clone()));
    engine.crash().await;
    let again = engine.workflows().start("contract-call", "r-0", input("r")).await;
    assert_eq!(again.expect("after a crash"), Some(ended));
    engine.workflows().start("contract-call", "r-1", input("s")).await.expect("another");
    over(&engine, "contract-call", "r-1").await;
    assert_eq!(text(&engine, "calls-r").await.as_deref(), Some("hello\n"));
    engine.workflows().stop("contract-wait", "w-0", "the law is told").await.expect("stop");
}

/// A run that was started goes on over any number of crashes, and each task it calls is called at
/// least once.
pub async fn a_run_goes_on_over_crashes(mut engine: impl Engine) {
    engine.workflows().start("contract-wait", "w-0", input("w")).await.expect("start");
    engine.crash().await;
    let first = token(&engine, "w").await;
    engine.crash().await;
    engine.crash().await;
    let outcome = Outcome::Success(json!("resumed"));
    engine.workflows().resume(&first, outcome).await.expect("resume");
    engine.crash().await;
    let run = over(&engine, "contract-wait", "w-0").await;
    assert_eq!((&*run.status, run.output), ("SUCCEEDED", Some(json!({ "said": "resumed" }))));
    let calls = written(&engine, "calls-w").await;
    assert!(calls.lines().all(|line| line == "resumed"), "{calls}");
}

/// Resuming a token that is gone or unknown is done already: nothing changes.
pub async fn resuming_what_does_not_wait_is_done_already(engine: impl Engine) {
    let workflows = engine.workflows();
    workflows.resume("nobody's", Outcome::Success(json!(1))).await.expect("unknown");
    workflows.start("contract-wait", "w-0", input("w")).await.expect("start");
    let token = token(&engine, "w").await;
    for text in ["first", "second"] {
        workflows.resume(&token, Outcome::Success(json!(text))).await.expect("resume");
    }
    let run = over(&engine, "contract-wait", "w-0").await;
    assert_eq!(run.output, Some(json!({ "said": "first" })));
    workflows.resume(&token, Outcome::Success(json!("late"))).await.expect("gone");
}

/// A token's failure is the task's failure.
pub async fn a_failure_is_told_with_its_name(engine: impl Engine) {
    let workflows = engine.workflows();
    workflows.start("contract-wait", "w-0", input("w")).await.expect("start");
    let outcome = Outcome::Failure { error: "Mano.Refused".into(), cause: "No.".into() };
    workflows.resume(&token(&engine, "w").await, outcome).await.expect("resume");
    let run = over(&engine, "contract-wait", "w-0").await;
    assert_eq!((&*run.status, run.error.as_deref()), ("FAILED", Some("Mano.Refused")));
    assert_eq!(run.cause.as_deref(), Some("No."));
    assert_eq!(written(&engine, "ended-w-0").await.lines().next(), Some("FAILED"));
}

/// A task that failed for the moment is called again, as its workflow says.
pub async fn a_task_is_retried_as_its_workflow_says(engine: impl Engine) {
    let workflows = engine.workflows();
    let input = json!({ "tenant": tenant(), "op": "r", "text": "fail-2" });
    workflows.start("contract-call", "r-0", input).await.expect("start");
    for n in 1..=2 {
        until("an attempt", || async {
            let calls = text(&engine, "calls-r").await?;
            (calls.lines().count() >= n).then_some(())
        })
        .await;
        until("the retry's timer", || async {
            engine.pass(Duration::from_secs(60));
            let calls = text(&engine, "calls-r").await?;
            (calls.lines().count() > n).then_some(())
        })
        .await;
    }
    let run = over(&engine, "contract-call", "r-0").await;
    assert_eq!(run.status, "SUCCEEDED");
}

/// Stopping a run that is over is done already; one that goes on ends ABORTED.
pub async fn a_run_can_be_stopped(mut engine: impl Engine) {
    let workflows = engine.workflows();
    workflows.start("contract-sleep", "z-0", input("z")).await.expect("start");
    workflows.stop("contract-sleep", "z-0", "enough").await.expect("stop");
    let run = over(&engine, "contract-sleep", "z-0").await;
    assert_eq!((&*run.status, run.cause.as_deref()), ("ABORTED", Some("enough")));
    workflows.stop("contract-sleep", "z-0", "again").await.expect("again");
    assert_eq!(written(&engine, "ended-z-0").await.lines().next(), Some("ABORTED"));
    engine.crash().await;
    let run = engine.workflows().describe("contract-sleep", "z-0").await.expect("describe");
    assert_eq!(run.cause.as_deref(), Some("enough"));
}

/// A timer is kept over a crash, and a run that fails is told of.
pub async fn a_sleeper_wakes_after_a_crash(mut engine: impl Engine) {
    engine.workflows().start("contract-sleep", "z-0", input("z")).await.expect("start");
    engine.crash().await;
    let run = engine.workflows().describe("contract-sleep", "z-0").await.expect("describe");
    assert_eq!(run.status, "RUNNING");
    engine.pass(Duration::from_secs(3600));
    let run = over(&engine, "contract-sleep", "z-0").await;
    assert_eq!((&*run.status, run.error.as_deref()), ("FAILED", Some("Contract.Over")));
    assert_eq!(written(&engine, "ended-z-0").await.lines().next(), Some("FAILED"));
}

/// What does not exist is said to be absent.
pub async fn what_does_not_exist_is_absent(engine: impl Engine) {
    let workflows = engine.workflows();
    let refused = workflows.start("no-such", "r-0", json!({})).await;
    assert!(matches!(refused, Err(Error::Absent(name)) if name == "no-such"));
    let refused = workflows.describe("contract-call", "no-such").await;
    assert!(matches!(refused, Err(Error::Absent(name)) if name.contains("no-such")));
    assert!(matches!(workflows.definition("no-such").await, Err(Error::Absent(_))));
}

/// Runs are listed newest first and as they are described, a history in its order, both in pages.
pub async fn runs_and_histories_are_listed_in_pages(engine: impl Engine) {
    let workflows = engine.workflows();
    for n in 0..5 {
        let name = format!("r{n}-0");
        workflows.start("contract-call", &name, input(&format!("r{n}"))).await.expect("start");
        over(&engine, "contract-call", &name).await;
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = workflows.runs("contract-call", after.as_deref(), 2).await.expect("runs");
        assert!(page.items.len() <= 2);
        for run in &page.items {
            let described = workflows.describe("contract-call", &run.name).await;
            assert_eq!(*run, described.expect("describe"));
            assert_eq!(run.input["tenant"], json!(tenant()));
        }
        names.extend(page.items.into_iter().map(|run| run.name));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(names, ["r4-0", "r3-0", "r2-0", "r1-0", "r0-0"]);
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = workflows.history("contract-call", "r0-0", after.as_deref(), 3).await;
        let page = page.expect("history");
        rows.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let ids: Vec<_> = rows.iter().filter_map(|row| row["id"].as_u64()).collect();
    assert_eq!(ids, (1..=rows.len() as u64).collect::<Vec<_>>());
    assert_eq!(rows.first().map(|row| &row["type"]), Some(&json!("ExecutionStarted")));
    assert_eq!(rows.last().map(|row| &row["type"]), Some(&json!("ExecutionSucceeded")));
}

/// Stamps the engine's laws out for one implementation: `$make` makes an [`Engine`].
#[macro_export]
macro_rules! workflows_contract {
    ($make:expr) => {
        $crate::laws!(workflows, $make;
            a_run_calls_its_tasks_and_ends,
            starting_a_run_that_exists_is_done_already,
            a_run_goes_on_over_crashes,
            resuming_what_does_not_wait_is_done_already,
            a_failure_is_told_with_its_name,
            a_task_is_retried_as_its_workflow_says,
            a_run_can_be_stopped,
            a_sleeper_wakes_after_a_crash,
            what_does_not_exist_is_absent,
            runs_and_histories_are_listed_in_pages
        );
    };
}
