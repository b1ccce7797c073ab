//! The engine's laws on Step Functions, which calls the contract's function as a Lambda.

use crate::world::{Keep, Place, World, skip};
use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use mano_aws::StepFunctions;
use mano_model::{TenantId, plan::Key};
use mano_ports::{
    clock::Clock,
    contract::{Note, WORKFLOWS, until, workflows::Engine},
    store::Store,
    workflows::{Outcome, Workflows},
};
use serde_json::json;
use std::{io::Write as _, path::PathBuf, sync::Arc, time::Duration};
use zip::write::SimpleFileOptions;

/// The engine, and the function it calls.
pub(crate) struct Machines {
    pub(crate) world: Arc<World>,
    _keep: Keep,
}

#[async_trait]
impl Engine for Machines {
    fn workflows(&self) -> Arc<dyn Workflows> {
        Arc::new(StepFunctions::new(&self.world.clients(), &self.world.settings()))
    }

    fn store(&self) -> Arc<dyn Store> {
        let clock: Arc<dyn Clock> = Arc::new(mano_aws::SystemClock::default());
        let (clients, settings) = (self.world.clients(), self.world.settings());
        Arc::new(mano_aws::DynamoStore::new(&clients, &settings, clock))
    }

    /// The engine is not ours to kill; its clients are forgotten with every call.
    async fn crash(&mut self) {}

    /// The engine's time is not ours to hold; the emulator's is made short at its start.
    fn pass(&self, _time: Duration) {}
}

/// The binary of the contract's function, built with the tests.
fn binary() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a path");
    while folder.pop() {
        let found = folder.join("examples/contract");
        if found.exists() {
            return found;
        }
    }
    panic!("build it first: cargo build -p mano-aws --example contract")
}

/// A zip whose `bootstrap` is that binary, where it lies.
fn bootstrap() -> String {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options).expect("a file");
    write!(zip, "#!/bin/sh\nexec {}\n", binary().display()).expect("written");
    BASE64_STANDARD.encode(zip.finish().expect("whole").into_inner())
}

/// Makes the function; its ARN.
async fn function(world: &World) -> String {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("an endpoint");
    let variables: serde_json::Map<_, _> =
        world.variables().into_iter().map(|(name, value)| (name, json!(value))).collect();
    let ask = json!({
        "FunctionName": world.name, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Role": "arn:aws:iam::000000000000:role/test", "Timeout": 60,
        "Code": { "ZipFile": bootstrap() },
        "Environment": { "Variables": variables },
    });
    let made = tokio::task::spawn_blocking(move || {
        let url = format!("{endpoint}/2015-03-31/functions");
        let mut made = ureq::post(&url).send_json(&ask).expect("a function");
        made.body_mut().read_json::<serde_json::Value>().expect("JSON")
    });
    let made = made.await.expect("joined");
    made["FunctionArn"].as_str().expect("an ARN").to_owned()
}

pub(crate) async fn engine(world: Arc<World>) -> Option<Machines> {
    if world.place == Place::Account {
        skip("it makes Lambda functions of a kind that only an emulator takes");
        return None;
    }
    world.with_table().await;
    world.with_queue("MANO_QUEUE_CONTRACT", "contract.fifo").await;
    world.with_queue("MANO_DEAD_CONTRACT", "contract-dead.fifo").await;
    let arn = function(&world).await;
    for (name, definition) in WORKFLOWS {
        let create = world.sfn.create_state_machine().name(format!("{}-{name}", world.name));
        let create = create.definition(definition.replace("${Contract}", &arn));
        let role = "arn:aws:iam::000000000000:role/test";
        create.role_arn(role).send().await.expect("a state machine");
    }
    tell_of_ends(&world, &arn).await;
    Some(Machines { _keep: Keep(Arc::clone(&world)), world })
}

/// The function hears of runs that end.
async fn tell_of_ends(world: &World, arn: &str) {
    let machines = world.settings().state_machines;
    let pattern = json!({
        "source": ["aws.states"],
        "detail": {
            "stateMachineArn": [{ "prefix": machines }],
            "status": [{ "anything-but": ["RUNNING"] }],
        },
    });
    let rule = world.eventbridge.put_rule().name(&world.name).event_pattern(pattern.to_string());
    rule.send().await.expect("a rule");
    let target = aws_sdk_eventbridge::types::Target::builder().id("ended").arn(arn);
    let targets = world.eventbridge.put_targets().rule(&world.name);
    targets.targets(target.build().expect("whole")).send().await.expect("a target");
}

mano_ports::workflows_contract!({
    let world = crate::world!();
    let law = std::any::type_name_of_val(&|| ());
    if world.place == Place::Emulator && law.contains("resuming_what_does_not_wait_is_done_already")
    {
        return skip("the emulator lets an answer that comes at once replace the one before it");
    }
    let Some(engine) = engine(world).await else { return };
    engine
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_run_that_goes_on_is_known_by_its_start() {
    let Some(engine) = engine(crate::world!()).await else { return };
    let machines = StepFunctions::new(&engine.world.clients(), &engine.world.settings());
    assert_eq!(machines.oldest().await.expect("listed"), None);
    for run in ["w-0", "w-1"] {
        let input = json!({ "tenant": "contract", "op": run, "text": "-" });
        machines.start("contract-wait", run, input).await.expect("start");
    }
    let since = machines.describe("contract-wait", "w-0").await.expect("describe").start_date;
    assert_eq!(machines.oldest().await.expect("listed"), Some(since));
    for run in ["w-0", "w-1"] {
        machines.stop("contract-wait", run, "the test ends").await.expect("stop");
    }
    assert_eq!(machines.oldest().await.expect("listed"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_what_has_ended_changes_nothing() {
    let Some(engine) = engine(crate::world!()).await else { return };
    let workflows = engine.workflows();
    workflows.resume("nobody's", Outcome::Success(json!(1))).await.expect("unknown");
    let input = json!({ "tenant": "contract", "op": "w", "text": "-" });
    workflows.start("contract-wait", "w-0", input).await.expect("start");
    let key = Key::of::<Note>(&TenantId::new("contract"), "token-w");
    let token = until("a token", || async {
        let note = engine.store().get(&key).await.expect("read")?.decode::<Note>();
        note.expect("a note").value.text.lines().next().map(str::to_owned)
    })
    .await;
    workflows.resume(&token, Outcome::Success(json!("first"))).await.expect("resume");
    let ended = until("the end", || async {
        let run = workflows.describe("contract-wait", "w-0").await.expect("describe");
        (run.status != "RUNNING").then_some(run)
    })
    .await;
    assert_eq!(ended.output, Some(json!({ "said": "first" })));
    for outcome in [
        Outcome::Success(json!("late")),
        Outcome::Failure { error: "Mano.Bug".into(), cause: "late".into() },
    ] {
        workflows.resume(&token, outcome).await.expect("gone");
    }
    let run = workflows.describe("contract-wait", "w-0").await.expect("describe");
    assert_eq!(run.output, ended.output);
}
