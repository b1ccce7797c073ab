//! Runs that failed lately, told once more: an end that was not heard leaves no operation under way.

use crate::{workflows::engine, world::soon};
use jiff::ToSpan;
use mano_aws::{StepFunctions, SystemClock, lambda::RelayHost};
use mano_ports::{
    Cx, Error,
    clock::Clock as _,
    function::{Event, Function},
    on_event,
    workflows::Workflows as _,
};
use serde_json::{Value, json};
use std::sync::Mutex;

/// A function that hears how runs end.
static HEARS: Function = Function {
    name: "hears",
    routes: &[],
    steps: &[],
    listeners: &[],
    consumers: &[],
    requests: &[on_event!("aws.states", "Step Functions Execution Status Change" => hear)],
};

static FUNCTIONS: &[&Function] = &[&HEARS];

static HEARD: Mutex<Vec<Value>> = Mutex::new(Vec::new());

async fn hear(_cx: &Cx, event: &Event) -> Result<(), Error> {
    HEARD.lock().expect("the lock").push(event.detail.clone());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_runs_failed_is_told_once_more() {
    let Some(engine) = engine(crate::world!()).await else { return };
    let machines = StepFunctions::new(&engine.world.clients(), &engine.world.settings());
    let before = SystemClock::default().now() - 1.minutes();
    let input = |run| json!({ "tenant": "contract", "op": run, "text": "-" });
    for run in ["w-0", "w-1"] {
        machines.start("contract-wait", run, input(run)).await.expect("start");
    }
    machines.stop("contract-wait", "w-1", "the test says so").await.expect("stop");
    let failed = machines.failed_since(before).await.expect("listed");
    assert_eq!(failed, [machines.describe("contract-wait", "w-1").await.expect("describe")]);
    assert_eq!(machines.failed_since(soon()).await.expect("listed"), []);
    let relay = RelayHost::new(FUNCTIONS, engine.world.surroundings());
    relay.sweep_ends(before, soon()).await;
    let heard = HEARD.lock().expect("the lock").clone();
    let [told] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!((&told["status"], &told["cause"]), (&json!("ABORTED"), &json!("the test says so")));
    assert_eq!(told["input"], input("w-1").to_string());
    machines.stop("contract-wait", "w-0", "the test ends").await.expect("stop");
}
