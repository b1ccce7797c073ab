//! The store's laws on a table, its facts heard through the relay and a bus.

use crate::world::{Keep, World, records, soon};
use async_trait::async_trait;
use mano_aws::DynamoStore;
use mano_model::{
    TenantId,
    plan::{Announced, Expect, Index, Key, Origin, Plan},
};
use mano_ports::{
    clock::Clock,
    contract::{
        Note, note,
        store::{Fresh, Heard},
        until,
    },
    store::{Query, Store},
};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// The store of a world.
pub(crate) fn store(world: &World) -> Arc<DynamoStore> {
    let clock: Arc<dyn Clock> = Arc::new(mano_aws::SystemClock::default());
    Arc::new(DynamoStore::new(&world.clients(), &world.settings(), clock))
}

/// What the bus brings to a queue.
pub(crate) struct Ear {
    world: Arc<World>,
    url: String,
}

#[async_trait]
impl Heard for Ear {
    async fn at_least(&mut self, n: usize) -> Vec<Announced> {
        let mut heard = Vec::new();
        while heard.len() < n {
            for body in self.world.received(&self.url).await {
                let event: serde_json::Value = serde_json::from_str(&body).expect("an event");
                let fact: Announced =
                    serde_json::from_value(event["detail"].clone()).expect("a fact");
                assert_eq!(
                    (&event["source"], &event["detail-type"]),
                    (&json!("mano"), &json!(fact.fact.name))
                );
                heard.push(fact);
            }
        }
        heard
    }
}

/// A bus whose events come to a queue.
pub(crate) async fn ear(world: &Arc<World>) -> Ear {
    world.with_bus().await;
    let url = world.with_queue("MANO_QUEUE_HEARD", "heard").await;
    let arn = world.sqs.get_queue_attributes().queue_url(&url).attribute_names("QueueArn".into());
    let arn = arn.send().await.expect("attributes").attributes.expect("attributes");
    let arn = arn[&aws_sdk_sqs::types::QueueAttributeName::QueueArn].clone();
    let rule = world.eventbridge.put_rule().event_bus_name(&world.name).name("heard");
    rule.event_pattern(r#"{"source": ["mano"]}"#).send().await.expect("a rule");
    let target = aws_sdk_eventbridge::types::Target::builder().id("heard").arn(arn);
    let targets = world.eventbridge.put_targets().event_bus_name(&world.name).rule("heard");
    targets.targets(target.build().expect("whole")).send().await.expect("a target");
    Ear { world: Arc::clone(world), url }
}

async fn fresh(world: Arc<World>) -> Fresh {
    world.with_table().await;
    let ear = ear(&world).await;
    world.relay();
    Fresh { store: store(&world), heard: Box::new(ear), keep: Box::new(Keep(world)) }
}

mano_ports::store_contract!(fresh(crate::world!()).await);

fn tenant() -> TenantId {
    TenantId::new("trials")
}

/// The head of a plan nobody made before.
pub(crate) fn origin() -> Origin {
    Origin {
        id: uuid::Uuid::new_v4(),
        at: jiff::Timestamp::UNIX_EPOCH,
        tenant: tenant(),
        actor: "trials".into(),
        correlation: None,
        causation: None,
        trace: None,
    }
}

fn plan() -> Plan {
    Plan::new(origin())
}

async fn read(store: &(dyn Store + 'static), id: &str) -> Option<Note> {
    store.find::<Note>(&tenant(), id).await.expect("read").map(|found| found.value)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_document_goes_to_a_blob_and_comes_back() {
    let world = crate::world!();
    world.with_table().await;
    world.with_bucket().await;
    let store = store(&world);
    let large = note("large", &"x".repeat(700_000));
    store.commit(plan().create(&large)).await.expect("commit");
    let memory: &dyn Store = &*store;
    assert_eq!(read(memory, "large").await, Some(large.clone()));
    let add = mano_model::plan::Add { field: "count", by: 2, max: 5 };
    store.commit(plan().add::<Note>("large", vec![add])).await.expect("an addition");
    assert_eq!(read(memory, "large").await.map(|note| note.count), Some(2));
    let key = Key::of::<Note>(&tenant(), "large");
    let many = store.get_many(&[key.clone(), key]).await.expect("read");
    assert!(many.iter().all(|found| found.as_ref().is_some_and(|f| f.body.len() > 700_000)));
    store.commit(plan().put(Expect::Version(2), &note("large", "small"))).await.expect("commit");
    assert_eq!(read(memory, "large").await, Some(note("large", "small")));
    // The blob is young: it might belong to a plan under way.
    assert_eq!(store.sweep_blobs(far()).await.expect("a sweep"), 0);
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_large_documents_ends_early_and_leads_to_all() {
    let world = crate::world!();
    world.with_table().await;
    world.with_bucket().await;
    let store = store(&world);
    let mut expected = Vec::new();
    // In the table and beside it.
    for (n, size) in [700_000, 250_000].into_iter().cycle().take(20).enumerate() {
        let mut large = note(&format!("n{n:02}"), &"x".repeat(size));
        large.shelf = Some("v".into());
        expected.push(large.id.clone());
        store.commit(plan().create(&large)).await.expect("commit");
    }
    let all = Query::all::<Note>(&tenant());
    for mut query in [all.clone(), all.by(Index::VimId, "v")] {
        let mut found = Vec::new();
        loop {
            let page = store.page(&query).await.expect("a page");
            let bytes: usize = page.documents.iter().map(|stored| stored.body.len()).sum();
            assert!(bytes < 5 << 20, "{bytes} bytes in a page");
            found.extend(page.documents.into_iter().map(|stored| stored.key.id));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected);
    }
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_pass_by_itself_is_no_passing_failure() {
    let world = crate::world!();
    // Nobody made the table.
    let error = store(&world).commit(plan().create(&note("a", ""))).await.expect_err("no table");
    assert_eq!(mano_ports::Error::from(error).fault(), mano_ports::Fault::Bug);
    let key = Key::of::<Note>(&tenant(), "a");
    let error = store(&world).get(&key).await.expect_err("no table");
    assert_eq!(mano_ports::Error::from(error).fault(), mano_ports::Fault::Bug);
}

/// The end of a sweep that has all the time it needs.
fn far() -> jiff::Timestamp {
    jiff::Timestamp::MAX
}

/// The time in two days.
struct Later(mano_aws::SystemClock);

#[async_trait]
impl Clock for Later {
    fn now(&self) -> jiff::Timestamp {
        self.0.now() + jiff::SignedDuration::from_hours(48)
    }

    async fn sleep(&self, duration: std::time::Duration) {
        self.0.sleep(duration).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sweep_of_blobs_takes_what_no_document_has_its_text_in() {
    let world = crate::world!();
    world.with_table().await;
    world.with_bucket().await;
    let store = store(&world);
    let large = |id: &str, letter: &str| note(id, &letter.repeat(400_000));
    store.commit(plan().create(&large("kept", "k"))).await.expect("commit");
    store.commit(plan().create(&large("changed", "a"))).await.expect("commit");
    store.commit(plan().update(1, &large("changed", "b"))).await.expect("commit");
    store.commit(plan().create(&large("gone", "g"))).await.expect("commit");
    store.commit(plan().delete::<Note>(1, "gone")).await.expect("commit");
    let clock = Arc::new(Later(mano_aws::SystemClock::default()));
    let later = DynamoStore::new(&world.clients(), &world.settings(), clock);
    assert_eq!(later.sweep_blobs(far()).await.expect("a sweep"), 2);
    assert_eq!(later.sweep_blobs(far()).await.expect("a sweep"), 0);
    let memory: &dyn Store = &*store;
    assert_eq!(read(memory, "kept").await, Some(large("kept", "k")));
    assert_eq!(read(memory, "changed").await, Some(large("changed", "b")));
    world.remove().await;
}

/// Every look at it takes three seconds.
struct Slow(Mutex<jiff::Timestamp>);

#[async_trait]
impl Clock for Slow {
    fn now(&self) -> jiff::Timestamp {
        let mut now = self.0.lock().expect("the lock");
        *now += jiff::SignedDuration::from_secs(3);
        *now
    }

    async fn sleep(&self, _duration: std::time::Duration) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_of_blobs_that_has_to_end_is_gone_on_with() {
    let world = crate::world!();
    world.with_table().await;
    world.with_bucket().await;
    // A hundred that are none of ours, and behind them one that is nobody's.
    let ours = (0..100).map(|n| format!("blobs/documents/00/keep{n:03}"));
    for name in ours.chain(["blobs/documents/61/62/orphan".into()]) {
        let put = world.s3.put_object().bucket(&world.name).key(name);
        put.body(Vec::new().into()).send().await.expect("put");
    }
    let begin = Later(mano_aws::SystemClock::default()).now();
    let mut gone = Vec::new();
    for _ in 0..3 {
        let clock = Arc::new(Slow(Mutex::new(begin)));
        let store = DynamoStore::new(&world.clients(), &world.settings(), clock);
        // Time for one look and no second one.
        let until = begin + jiff::SignedDuration::from_secs(13);
        gone.push(store.sweep_blobs(until).await.expect("a sweep"));
    }
    assert_eq!(gone, [0, 1, 0]);
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_that_speak_of_one_document_at_the_same_time_all_commit() {
    let world = crate::world!();
    world.with_table().await;
    let store = store(&world);
    let tell = |n: usize| {
        let told = plan().create(&note(&format!("n{n}"), ""));
        store.commit(told.tell::<Note>("shared", "contract.told", json!({ "n": n })))
    };
    let done = futures_util::future::join_all((0..12).map(tell)).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let mut places: Vec<u64> = records(&world.dynamodb, &world.name)
        .await
        .iter()
        .filter_map(|record| {
            record["dynamodb"]["Keys"]["sk"]["S"].as_str()?.rsplit('#').next()?.parse().ok()
        })
        .collect();
    places.sort_unstable();
    assert_eq!(places, (1..=12).collect::<Vec<_>>(), "each fact has a place of its own");
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sweep_takes_what_the_stream_lost() {
    let world = crate::world!();
    world.with_table().await;
    let mut ear = ear(&world).await;
    let store = store(&world);
    store.commit(plan().tell::<Note>("a", "contract.lost", json!({}))).await.expect("commit");
    let relay = mano_aws::lambda::RelayHost::new(crate::world::FUNCTIONS, world.surroundings());
    relay.sweep(soon(), soon()).await.expect("a sweep");
    let heard = ear.at_least(1).await;
    assert_eq!((&*heard[0].fact.name, heard[0].seq), ("contract.lost", 1));
    until("nothing is due", || async {
        let left = world.dynamodb.scan().table_name(&world.name).send().await.expect("a scan");
        let due = |item: &std::collections::HashMap<
            String,
            aws_sdk_dynamodb::types::AttributeValue,
        >| { item["pk"].as_s().is_ok_and(|pk| pk.starts_with("fact#")) };
        (!left.items.unwrap_or_default().iter().any(due)).then_some(())
    })
    .await;
    world.remove().await;
}
