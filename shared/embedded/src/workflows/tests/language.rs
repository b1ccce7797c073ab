//! The whole language on the durable host: services, nested executions, activities, redrive,
//! Express.

use super::{
    stage::{CALL, Stage, express, standard},
    *,
};
use crate::testing::log;
use serde_json::json;

/// A task that waits for a token, which it writes into the note `token-{op}`.
const WAIT: &str = r#"{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Arguments": {"FunctionName": "contract", "Payload": {"step": "contract.wait",
        "tenant": "contract", "op": "{% $states.input.op %}", "run": 0,
        "token": "{% $states.context.Task.Token %}"}}, "End": true}"#;

fn waits() -> Machine {
    let text =
        format!(r#"{{"QueryLanguage": "JSONata", "StartAt": "W", "States": {{"W": {WAIT}}}}}"#);
    standard("waits", &text)
}

/// A workflow that starts another and awaits it.
fn nests(name: &str, resource: &str) -> Machine {
    let text = format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "N", "States": {{"N": {{"Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution{resource}",
            "Arguments": {{"StateMachineArn": "waits", "Name": "{{% $states.input.op & '-child' %}}",
                "Input": {{"op": "{{% $states.input.op %}}"}}}}, "End": true}}}}}}"#
    );
    standard(name, &text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nested_execution_is_awaited_over_a_crash_and_told_as_aws_tells_it() {
    let stage = Stage::new(vec![waits(), nests("text", ".sync"), nests("json", ".sync:2")]).await;
    for workflow in ["text", "json"] {
        stage.start(workflow, "n-0", json!({ "op": workflow })).await;
    }
    for op in ["text", "json"] {
        until_note(&stage.host, &format!("token-{op}")).await;
    }
    let stage = stage.crashed().await;
    for op in ["text", "json"] {
        let token = until_note(&stage.host, &format!("token-{op}")).await;
        let done = Outcome::Success(json!({ "answer": 42 }));
        stage.engine().resume(&token, done).await.expect("resumed");
    }
    let text = stage.output("text", "n-0").await;
    assert_eq!(text["Output"], json!(r#"{"answer":42}"#));
    assert_eq!((&text["Name"], &text["Status"]), (&json!("text-child"), &json!("SUCCEEDED")));
    let parsed = stage.output("json", "n-0").await;
    assert_eq!(
        (&parsed["Output"], &parsed["Input"]),
        (&json!({"answer": 42}), &json!({"op": "json"}))
    );
    let runs = stage.engine().runs("waits", None, 10).await.expect("runs").items;
    assert_eq!(runs.len(), 2, "each was started once");
    let types = stage.types("json", "n-0").await;
    assert!(types.contains(&"TaskSubmitted".to_owned()), "{types:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nested_execution_that_fails_fails_its_task_and_is_stopped_with_its_parent() {
    let stage = Stage::new(vec![waits(), nests("text", ".sync")]).await;
    stage.start("text", "bad-0", json!({ "op": "bad" })).await;
    let token = until_note(&stage.host, "token-bad").await;
    let failure = Outcome::Failure { error: "E".into(), cause: "C".into() };
    stage.engine().resume(&token, failure).await.expect("resumed");
    let run = stage.over("text", "bad-0").await;
    assert_eq!(run.error.as_deref(), Some("States.TaskFailed"));
    let cause: Value = serde_json::from_str(&run.cause.expect("a cause")).expect("JSON");
    assert_eq!((&cause["Error"], &cause["Cause"]), (&json!("E"), &json!("C")));
    stage.start("text", "gone-0", json!({ "op": "gone" })).await;
    until_note(&stage.host, "token-gone").await;
    stage.engine().stop("text", "gone-0", "enough").await.expect("stopped");
    assert_eq!(stage.over("waits", "gone-child").await.status, "ABORTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_taken_and_a_machine_that_is_not_there_fail_with_awss_names() {
    let lost = nests("lost", "").text.replace("waits", "nobody");
    let stage = Stage::new(vec![waits(), nests("fire", ""), standard("lost", &lost)]).await;
    stage.start("waits", "x-child", json!({ "op": "other" })).await;
    stage.start("fire", "x-0", json!({ "op": "x" })).await;
    let taken = stage.over("fire", "x-0").await;
    assert_eq!(taken.error.as_deref(), Some("StepFunctions.ExecutionAlreadyExistsException"));
    stage.start("lost", "y-0", json!({ "op": "y" })).await;
    let absent = stage.over("lost", "y-0").await;
    assert_eq!(absent.error.as_deref(), Some("StepFunctions.StateMachineDoesNotExistException"));
    stage.start("fire", "z-0", json!({ "op": "z" })).await;
    let arn = stage.output("fire", "z-0").await["ExecutionArn"].clone();
    assert_eq!(arn, json!("arn:aws:states:local:000000000000:execution:waits:z-child"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_reach_the_bus_and_messages_their_queue_with_a_token_in_them() {
    let text = r#"{"QueryLanguage": "JSONata", "StartAt": "Tell", "States": {
        "Tell": {"Type": "Task", "Resource": "arn:aws:states:::events:putEvents", "Next": "Ask",
            "Arguments": {"Entries": [{"Source": "shop", "DetailType": "order.paid",
                "Detail": {"order": 7, "tenant": "contract"}}]}},
        "Ask": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": {"QueueUrl": "https://sqs.local/0/trial", "MessageBody": {
                "tag": "language-sqs", "text": "{% $states.context.Task.Token %}"}},
            "End": true}}}"#;
    let stage = Stage::new(vec![standard("shop", text)]).await;
    let mut heard = stage.host.bus().subscribe();
    stage.start("shop", "s-0", json!({})).await;
    let fact = heard.recv().await.expect("an event");
    assert_eq!((&*fact.fact.name, &fact.fact.body["order"]), ("order.paid", &json!(7)));
    assert_eq!((&*fact.origin.actor, fact.fact.about.tenant.as_str()), ("shop", "contract"));
    let token = stage.until(|| log("language-sqs").pop()).await;
    stage.engine().resume(&token, Outcome::Success(json!("thanks"))).await.expect("resumed");
    assert_eq!(stage.output("shop", "s-0").await, json!("thanks"));
    let history = stage.engine().history("shop", "s-0", None, 100).await.expect("history").items;
    let put = history.iter().find(|row| row["type"] == "TaskSucceeded").expect("put");
    assert!(put["taskSucceededEventDetails"]["output"].as_str().expect("text").contains("EventId"));
}

#[tokio::test]
async fn what_this_host_does_not_offer_is_refused_when_the_machine_is_created() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(SqliteStore::open(folder.path(), &store_options(None)).expect("open"));
    let clock: Arc<dyn Clock> = Arc::new(HeldClock::new(jiff::Timestamp::UNIX_EPOCH));
    for resource in
        ["dynamodb:putItem", "http:invoke", "aws-sdk:ec2:runInstances", "glue:startJobRun.sync"]
    {
        let text = format!(
            r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", "End": true, "ItemProcessor":
                {{"StartAt": "T", "States": {{"T": {{"Type": "Task", "End": true,
                    "Resource": "arn:aws:states:::{resource}"}}}}}}}}}}}}"#
        );
        let machines = [("asks".to_owned(), text)];
        let refused = Engine::open(&store, &clock, machines, Options::default()).await;
        let said = refused.err().expect("refused").to_string();
        for part in
            ["'asks'", resource, "/States/M/ItemProcessor/States/T/Resource", "sqs:sendMessage"]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

fn labour() -> Machine {
    let text = r#"{"StartAt": "A", "TimeoutSeconds": 5000, "States": {"A": {"Type": "Task",
        "Resource": "arn:aws:states:local:000000000000:activity:paint",
        "HeartbeatSeconds": 60, "TimeoutSeconds": 600, "End": true}}}"#;
    standard("labour", text)
}

const NOW: Duration = Duration::ZERO;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_fetches_a_task_once_and_brings_its_token_back_after_a_crash() {
    let stage = Stage::new(vec![labour()]).await;
    let none = stage.engine().activity_task("paint", None, NOW).await.expect("asked");
    assert_eq!(none, None);
    stage.start("labour", "l-0", json!({ "colour": "red" })).await;
    // What nobody fetched outlives the process.
    let stage = stage.crashed().await;
    let engine = stage.engine();
    let arn = engine.create_activity("paint").await.expect("there already");
    let task = engine.activity_task(&arn, Some("bob"), NOW).await.expect("asked").expect("a task");
    assert_eq!(task.input, r#"{"colour":"red"}"#);
    assert_eq!(engine.activity_task("paint", None, NOW).await.expect("asked"), None);
    let stage = stage.crashed().await;
    let engine = stage.engine();
    assert_eq!(engine.activity_task("paint", None, NOW).await.expect("asked"), None);
    assert!(engine.heartbeat(&task.token).await.expect("alive"));
    assert!(!engine.heartbeat("nobody's").await.expect("unknown"));
    engine.resume(&task.token, Outcome::Success(json!("painted"))).await.expect("resumed");
    assert_eq!(stage.output("labour", "l-0").await, json!("painted"));
    let types = stage.types("labour", "l-0").await;
    let activity: Vec<_> = types.iter().filter(|kind| kind.starts_with("Activity")).collect();
    assert_eq!(activity, ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]);
    let absent = engine.activity_task("nobody", None, NOW).await;
    assert!(matches!(absent, Err(mano_ports::workflows::Error::Absent(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_waits_is_given_the_next_task_and_one_that_falls_silent_loses_it() {
    let stage = Stage::new(vec![labour()]).await;
    let engine = Arc::clone(stage.engine());
    let hour = Duration::from_secs(3600);
    let waiting = tokio::spawn(async move { engine.activity_task("paint", None, hour).await });
    stage.start("labour", "l-0", json!({})).await;
    let task = waiting.await.expect("joined").expect("asked").expect("a task");
    stage.clock.advance(Duration::from_secs(40));
    assert!(stage.engine().heartbeat(&task.token).await.expect("alive"));
    // The heartbeat counts anew, also in the next process.
    let stage = stage.crashed().await;
    stage.clock.advance(Duration::from_secs(59));
    assert!(stage.engine().heartbeat(&task.token).await.expect("alive"));
    stage.clock.advance(Duration::from_secs(60));
    let run = stage.over("labour", "l-0").await;
    assert_eq!((&*run.status, run.error.as_deref()), ("FAILED", Some("States.Timeout")));
    assert!(!stage.engine().heartbeat(&task.token).await.expect("too late"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_run_goes_on_where_it_failed_and_only_there() {
    let text = format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "One", "States": {{
            "One": {{{CALL}, "Arguments": {{"FunctionName": "contract", "Payload": {{
                "step": "contract.call", "tenant": "contract", "op": "one", "run": 0, "text": "hi"}}}},
                "Next": "Two"}},
            "Two": {{{CALL}, "Arguments": {{"FunctionName": "contract", "Payload": {{
                "step": "contract.call", "tenant": "contract", "op": "two", "run": 0,
                "text": "fail-1"}}}}, "End": true}}}}}}"#
    );
    let stage = Stage::new(vec![standard("two", &text)]).await;
    stage.start("two", "r-0", json!({})).await;
    assert_eq!(stage.over("two", "r-0").await.status, "FAILED");
    let stage = stage.crashed().await;
    stage.engine().redrive("two", "r-0").await.expect("redriven");
    let stage = stage.crashed().await;
    assert_eq!(stage.over("two", "r-0").await.status, "SUCCEEDED");
    assert_eq!(lines(&stage.host, "calls-one").await, ["hi"]);
    let types = stage.types("two", "r-0").await;
    assert_eq!(types.iter().filter(|kind| *kind == "ExecutionRedriven").count(), 1, "{types:?}");
    let refused = stage.engine().redrive("two", "r-0").await;
    assert!(matches!(refused, Err(RedriveError::NotRedrivable(_))), "{refused:?}");
    assert_eq!(stage.engine().counts().in_memory, 0);
}

fn quick(name: &str, step: &str) -> String {
    format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "{name}", "States": {{
            "{name}": {{{CALL}, "Arguments": {{"FunctionName": "contract", "Payload": {{
                "step": "{step}", "tenant": "contract", "op": "{name}", "run": 0,
                "text": "{{% $states.input.text %}}"}}}}, "Next": "Sleep"}},
            "Sleep": {{"Type": "Wait", "Seconds": 200, "Next": "End"}},
            "End": {{"Type": "Succeed", "Output": "done"}}}}}}"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_express_run_that_dies_begins_anew_and_leaves_no_history() {
    let stage = Stage::new(vec![express("quick", &quick("Quick", "contract.call"))]).await;
    stage.start("quick", "q-0", json!({ "text": "go" })).await;
    until_note(&stage.host, "calls-Quick").await;
    let stage = stage.crashed().await;
    let twice = async {
        while lines(&stage.host, "calls-Quick").await.len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), twice).await.expect("called again");
    stage.until(|| (stage.engine().wheel().first() == Some(200_000)).then_some(())).await;
    stage.clock.advance(Duration::from_secs(200));
    let run = stage.over("quick", "q-0").await;
    assert_eq!((&*run.status, run.output), ("SUCCEEDED", Some(json!("done"))));
    assert!(stage.types("quick", "q-0").await.is_empty());
    let refused = Engine::redrive(stage.engine(), "quick", "q-0").await;
    assert!(matches!(refused, Err(RedriveError::NotRedrivable(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_express_run_answers_its_caller_and_is_written_nowhere() {
    let direct = r#"{"QueryLanguage": "JSONata", "StartAt": "P", "States": {
        "P": {"Type": "Pass", "Output": "{% $states.input.n + 1 %}", "End": true}}}"#;
    let endless = r#"{"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 3600, "End": true}}}"#;
    let stage = Stage::new(vec![express("direct", direct), express("endless", endless)]).await;
    let records = stage.host.store().counts().records;
    let run = stage.engine().run_express("direct", "d-0", json!({ "n": 1 })).await.expect("ran");
    assert_eq!((&*run.status, run.output), ("SUCCEEDED", Some(json!(2))));
    assert_eq!(stage.host.store().counts().records, records);
    let engine = Arc::clone(stage.engine());
    let late = tokio::spawn(async move { engine.run_express("endless", "e-0", json!({})).await });
    // Its five minutes end long before its hour of waiting.
    stage.until(|| stage.engine().wheel().first()).await;
    stage.clock.advance(Duration::from_secs(300));
    let late = tokio::time::timeout(Duration::from_secs(60), late).await.expect("five minutes");
    let late = late.expect("joined").expect("ran");
    assert_eq!(late.status, "TIMED_OUT");
    // Its caller hears of the end before the last of it is let go.
    stage.until(|| (stage.engine().counts().in_memory == 0).then_some(())).await;
    let clock: Arc<dyn Clock> = Arc::clone(&stage.clock) as _;
    let refused = Engine::open_with(
        stage.host.store(),
        &clock,
        [express("waits", &waits().text)],
        Vec::new(),
        Options::default(),
    );
    let said = refused.await.err().expect("refused").to_string();
    assert!(said.contains("Express state machine does not support"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_that_sleeps_long_from_its_start_leaves_memory_at_once() {
    let text =
        r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86400, "End": true}}}"#;
    let stage = Stage::new(vec![standard("day", text)]).await;
    for n in 0..20 {
        stage.start("day", &format!("d-{n}"), json!({})).await;
    }
    stage.until(|| (stage.engine().counts().in_memory <= 1).then_some(())).await;
    let stage = stage.crashed().await;
    assert!(stage.engine().counts().in_memory <= 1);
    stage.clock.advance(Duration::from_secs(86_400));
    for n in 0..20 {
        assert_eq!(stage.over("day", &format!("d-{n}")).await.status, "SUCCEEDED");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_of_another_form_is_passed_over() {
    let stage = Stage::new(vec![waits()]).await;
    stage.start("waits", "w-0", json!({ "op": "form" })).await;
    let token = until_note(&stage.host, "token-form").await;
    let broken = stage.host.store().write(|db| {
        let sql = "UPDATE execution SET snapshot = '{\"old\": 1}', snapshot_turn = 1";
        db.execute(sql, []).map(drop)
    });
    broken.await.expect("written");
    let stage = stage.crashed().await;
    stage.engine().resume(&token, Outcome::Success(json!(1))).await.expect("resumed");
    assert_eq!(stage.output("waits", "w-0").await, json!(1));
}
