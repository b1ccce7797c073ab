//! The relay on a table: what fails stays due and in order, and holds up its own document only.

use crate::world::{World, records, soon};
use aws_sdk_dynamodb::types::AttributeValue;
use mano_aws::lambda::RelayHost;
use mano_model::plan::{Announced, Plan};
use mano_ports::{Cx, Error, contract::Note, function::Function, store::Store as _};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// A function whose listener logs what it hears under the `tag` it carries, and fails the first
/// `fail` times.
static TRIALS: Function = Function {
    name: "trials",
    routes: &[],
    steps: &[],
    listeners: &[mano_ports::listener!("trial", ["trial.*"] => hear)],
    consumers: &[],
    requests: &[],
};

static FUNCTIONS: &[&Function] = &[&TRIALS];

static LOG: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

async fn hear(_cx: &Cx, fact: &Announced) -> Result<(), Error> {
    let body = &fact.fact.body;
    let line = format!("{} {}", fact.fact.about.id, fact.seq);
    let mut log = LOG.lock().expect("the lock");
    let lines = log.entry(body["tag"].as_str().unwrap_or_default().to_owned()).or_default();
    lines.push(line.clone());
    let times = lines.iter().filter(|known| **known == line).count() as u64;
    if times > body["fail"].as_u64().unwrap_or(0) { Ok(()) } else { Err(Error::Bug("no".into())) }
}

fn log(tag: &str, about: &str) -> Vec<String> {
    let log = LOG.lock().expect("the lock");
    let lines = log.get(tag).cloned().unwrap_or_default();
    lines.into_iter().filter(|line| line.starts_with(about)).collect()
}

async fn tell(world: &World, tag: &str, facts: &[(&str, u64)]) {
    let told = facts.iter().fold(Plan::new(crate::store::origin()), |plan, (about, fail)| {
        plan.tell::<Note>(*about, "trial.told", json!({ "tag": tag, "fail": fail }))
    });
    crate::store::store(world).commit(told).await.expect("commit");
}

/// Tells the relay of everything that is due; the sort keys of what it could not hand on.
async fn relayed(world: &World, host: &RelayHost) -> Vec<String> {
    let records = records(&world.dynamodb, &world.name).await;
    let told = host.handle(json!({ "Records": records.clone() }), soon()).await.expect("taken");
    let failed = told["batchItemFailures"].as_array().cloned().unwrap_or_default();
    let key = |failure: &Value| {
        let of =
            |record: &&Value| record["dynamodb"]["SequenceNumber"] == failure["itemIdentifier"];
        let record = records.iter().find(of).expect("a record that was handed over");
        record["dynamodb"]["Keys"]["sk"]["S"].as_str().expect("a key").to_owned()
    };
    failed.iter().map(key).collect()
}

async fn host(world: &Arc<World>) -> RelayHost {
    world.with_table().await;
    RelayHost::new(FUNCTIONS, world.surroundings())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fact_that_fails_stays_due_in_its_place_and_holds_up_its_own_document_only() {
    let world = crate::world!();
    let host = host(&world).await;
    tell(&world, "stuck", &[("a", 5), ("b", 0), ("a", 0)]).await;
    let failed = relayed(&world, &host).await;
    assert!(matches!(&failed[..], [key] if key.ends_with("#00000000000000000001")), "{failed:?}");
    assert_eq!(log("stuck", "b"), ["b 1"]);
    assert!(log("stuck", "a").iter().all(|line| line == "a 1"));
    assert!(relayed(&world, &host).await.is_empty());
    let mut expected = vec!["a 1"; 6];
    expected.push("a 2");
    assert_eq!(log("stuck", "a"), expected);
    assert!(records(&world.dynamodb, &world.name).await.is_empty(), "nothing is due");
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_come_twice_or_in_any_order_change_nothing() {
    let world = crate::world!();
    let host = host(&world).await;
    tell(&world, "twice", &[("a", 0), ("a", 0), ("a", 0)]).await;
    let mut records = records(&world.dynamodb, &world.name).await;
    records.reverse();
    for _ in 0..3 {
        let told = host.handle(json!({ "Records": records }), soon()).await.expect("taken");
        assert_eq!(told, json!({ "batchItemFailures": [] }));
    }
    assert_eq!(log("twice", "a"), ["a 1", "a 2", "a 3"]);
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invocation_that_ends_soon_begins_nothing_and_says_what_is_left() {
    let world = crate::world!();
    let host = host(&world).await;
    tell(&world, "late", &[("a", 0)]).await;
    let records = records(&world.dynamodb, &world.name).await;
    let now = jiff::Timestamp::UNIX_EPOCH;
    let told = host.handle(json!({ "Records": records }), now).await.expect("taken");
    assert_eq!(told["batchItemFailures"].as_array().map(Vec::len), Some(1));
    assert!(log("late", "a").is_empty());
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_goes_through_more_facts_than_one_answer_has() {
    let world = crate::world!();
    let host = host(&world).await;
    let abouts: Vec<_> = (0..48).map(|n| format!("d{n:02}")).collect();
    for about in &abouts {
        tell(&world, "many", &[(about, 0)]).await;
    }
    // Three of these are more than a query answers at once, and there are sixteen shards.
    for record in records(&world.dynamodb, &world.name).await {
        let key = |name| {
            AttributeValue::S(record["dynamodb"]["Keys"][name]["S"].as_str().expect("a key").into())
        };
        let pad = world.dynamodb.update_item().table_name(&world.name);
        let pad =
            pad.key("pk", key("pk")).key("sk", key("sk")).update_expression("SET filler = :filler");
        let pad =
            pad.expression_attribute_values(":filler", AttributeValue::S("x".repeat(380_000)));
        pad.send().await.expect("padded");
    }
    host.sweep(soon(), soon()).await.expect("a sweep");
    for about in &abouts {
        assert_eq!(log("many", about), [format!("{about} 1")]);
    }
    assert!(records(&world.dynamodb, &world.name).await.is_empty(), "nothing is due");
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_the_relays_is_refused() {
    let world = crate::world!();
    let host = host(&world).await;
    for event in [json!({ "step": "x", "tenant": "t", "op": "o", "run": 0 }), json!({})] {
        let failure = host.handle(event, soon()).await.expect_err("refused");
        assert_eq!(failure.error, "Mano.Bug");
    }
    world.remove().await;
}
