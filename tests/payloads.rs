//! What executions, queues and buses of earlier releases hand over is still understood.
//!
//! A deployment meets what was sent before it: calls of runs under way, messages that wait, events
//! that were archived. `tests/golden/payloads-<release>` keeps them; a new release adds a folder,
//! and a folder goes when nothing of its release can be under way any more.

use crate::{
    faults::delivered,
    golden,
    journeys::{
        onboard_ns, onboard_vnf, packed,
        ways::{CASES, Case, behave},
    },
    wiring::FUNCTIONS,
    world::{
        World,
        stock::{PAIR, SMALL, stocked},
    },
};
use mano_model::catalog::{
    Content, Entry, Family, State, nsd_info::NsdContent, upload, vnf_package::VnfPkgContent,
};
use mano_ports::{function::Event, http::Principal};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Stands for a text that is another one in every run.
const SOME: &str = "…";

/// One file of every release, in order of the releases.
fn kept(file: &str) -> Vec<Value> {
    let golden = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/golden"));
    let folders = std::fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = folders
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("payloads-"))
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path.join(file)).unwrap();
    folders
        .into_iter()
        .flat_map(|path| serde_json::from_str::<Vec<Value>>(&read(path)).unwrap())
        .collect()
}

/// The same without what differs from run to run.
fn nameless(value: &Value) -> Value {
    match value {
        Value::String(text) if varies(text) => SOME.into(),
        Value::Array(items) => items.iter().map(nameless).collect(),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                (name.clone(), if name == "token" { SOME.into() } else { nameless(value) })
            };
            fields.iter().map(field).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Whether a text has an identity in it.
fn varies(text: &str) -> bool {
    let id = |part: &[u8]| {
        part.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    text.as_bytes().windows(36).any(id)
}

/// An old payload with what differs from run to run taken from a new one.
fn filled(old: &Value, new: &Value) -> Value {
    match old {
        Value::String(text) if text == SOME => {
            assert!(!new.is_null(), "nothing to fill in");
            new.clone()
        }
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, &new[name])))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(place, item)| filled(item, &new[place])).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => old.clone(),
    }
}

/// Calls of steps: those that are kept, and those of today.
struct Calls {
    old: Vec<Value>,
    now: BTreeMap<String, Value>,
    replayed: BTreeSet<usize>,
}

impl Calls {
    /// Takes up the calls of a world, and makes each that is kept once more there.
    async fn of(&mut self, world: World) {
        let calls = delivered(&world).await;
        for (function, payload) in &calls {
            let call = json!({ "function": function, "payload": nameless(payload) });
            self.now.insert(call.to_string(), call);
        }
        for (place, call) in self.old.iter().enumerate() {
            let (function, payload) = (&call["function"], &call["payload"]);
            let same = calls.iter().filter(|(name, new)| {
                *function == **name && payload["step"] == new["step"] && fills(payload, new)
            });
            let Some((function, new)) = same.max_by_key(|(_, new)| alike(payload, new)) else {
                continue;
            };
            let payload = filled(payload, new);
            if let Err(failure) = world.host.call_step(function, payload.clone()).await {
                assert_ne!(failure.error, "Mano.Bug", "{payload}: {}", failure.cause);
            }
            self.replayed.insert(place);
        }
        world.stop().await;
    }
}

/// Whether a new payload has all that differs from run to run in a kept one.
fn fills(old: &Value, new: &Value) -> bool {
    let mut differing = old.as_object().unwrap().iter().filter(|(_, value)| **value == SOME);
    differing.all(|(name, _)| new.get(name).is_some())
}

/// How many attributes of a kept payload are those of a new one.
fn alike(old: &Value, new: &Value) -> usize {
    let same = |(name, value): &(&String, &Value)| {
        new.get(name).is_some_and(|new| nameless(&json!({ *name: new }))[*name] == **value)
    };
    old.as_object().unwrap().iter().filter(same).count()
}

/// A world in which an operation failed and was rolled back.
async fn rolled_back(case: &Case) -> World {
    let (mut world, id) = case.ready().await;
    // One of those that a network function is given, so that the cause is the same each time.
    let refuse = ["unit-1", "unit-3"].map(|name| json!({ "kind": "COMPUTE", "name": name }));
    behave(&world, json!({ "refuse": refuse })).await;
    let op = case.ask(&world, &id).await;
    assert_eq!(world.rests(&op).await, "FAILED_TEMP", "{}", case.name);
    world.handle(&op, case.kind, "rollback").await.expect(202);
    assert_eq!(world.rests(&op).await, "ROLLED_BACK", "{}", case.name);
    world
}

/// A world in which content was good, and in which it was gone before anybody looked.
async fn onboarded() -> World {
    let mut world = World::new().await;
    onboard_vnf(&mut world, packed(SMALL)).await;
    onboard_ns(&mut world, packed(PAIR)).await;
    lost::<VnfPkgContent>(&mut world, "/vnfpkgm/v2/vnf_packages").await;
    lost::<NsdContent>(&mut world, "/nsd/v2/ns_descriptors").await;
    world
}

/// An entry whose content is gone.
async fn lost<F: Family>(world: &mut World, collection: &str) {
    let id = world.post(collection, json!({})).await.expect(201).id();
    let (cx, blob) = (world.host.cx().clone(), "content/gone");
    let principal = Principal { tenant: World::tenant(), name: "test".into() };
    let read = || cx.store.read::<Entry<F>>(&principal.tenant, &id);
    let begun = upload::begin(cx.asked(&principal, None), read().await.unwrap(), blob).unwrap();
    cx.store.commit(begun).await.unwrap();
    let content = Content { blob: blob.into(), size: 1, sha256: "00".repeat(32) };
    let entry = read().await.unwrap();
    let received = upload::received(cx.asked(&principal, None), entry, content).unwrap();
    cx.store.commit(received).await.unwrap();
    while read().await.unwrap().onboarding.state() == State::Processing {
        world.something_happens().await;
    }
    assert_eq!(read().await.unwrap().onboarding.state(), State::Error);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_of_every_release_are_understood() {
    let old = kept("steps.json");
    let mut calls = Calls { old, now: BTreeMap::new(), replayed: BTreeSet::new() };
    for case in CASES {
        let (mut world, id) = case.ready().await;
        let op = case.ask(&world, &id).await;
        assert_eq!(world.rests(&op).await, "COMPLETED", "{}", case.name);
        calls.of(world).await;
    }
    for case in CASES.iter().filter(|case| ["vnf_scale_out", "ns_scale_out"].contains(&case.name)) {
        calls.of(rolled_back(case).await).await;
    }
    calls.of(onboarded().await).await;
    for (place, call) in calls.old.iter().enumerate() {
        assert!(calls.replayed.contains(&place), "no run calls this any more: {call}");
    }
    let now: Vec<_> = calls.now.into_values().collect();
    let file = concat!("tests/golden/payloads-", env!("CARGO_PKG_VERSION"), "/steps.json");
    golden::agrees(file, &format!("{:#}\n", Value::from(now)));
    let named = |call: &Value| {
        (
            call["function"].as_str().unwrap().into(),
            call["payload"]["step"].as_str().unwrap().into(),
        )
    };
    let known: BTreeSet<(String, String)> = kept("steps.json").iter().map(named).collect();
    let rows =
        FUNCTIONS.iter().flat_map(|f| f.steps.iter().map(|row| (f.name.into(), row.name.into())));
    assert_eq!(known, rows.collect(), "each step has a call here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_messages_of_every_release_are_understood() {
    let world = stocked().await;
    let mut received = BTreeSet::new();
    for message in kept("messages.json") {
        let queue = message["queue"].as_str().unwrap();
        let row = FUNCTIONS.iter().flat_map(|f| f.consumers).find(|row| row.queue == queue);
        let row = row.unwrap_or_else(|| panic!("nobody receives from {queue}"));
        let handled = (row.handler)(world.host.cx(), message["body"].clone()).await;
        handled.unwrap_or_else(|error| panic!("{message}: {}", error.chain()));
        received.insert(row.queue);
    }
    let all = FUNCTIONS.iter().flat_map(|f| f.consumers).map(|row| row.queue).collect();
    assert_eq!(received, all, "each queue has a message here");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_events_of_every_release_are_understood() {
    let world = stocked().await;
    let principal = Principal { tenant: World::tenant(), name: "111111111111/oss".into() };
    let mut heard = world.host.bus().subscribe();
    let mut asked = BTreeSet::new();
    let mut rows: Vec<_> = FUNCTIONS.iter().flat_map(|f| f.requests).collect();
    for event in kept("events.json") {
        let mut event: Event = serde_json::from_value(event).unwrap();
        rows.retain(|row| !row.hears(&event));
        if event.detail_type.starts_with("mano.request.") {
            asked.insert(event.detail["idempotencyKey"].as_str().unwrap().to_owned());
            event.principal = Some(principal.clone());
        }
        let handled = world.host.event(&event).await;
        handled.unwrap_or_else(|error| panic!("{}: {}", event.id, error.chain()));
    }
    let unheard: Vec<_> = rows.iter().map(|row| (row.source, row.detail_type)).collect();
    assert!(unheard.is_empty(), "nothing is kept of {unheard:?}");
    // A refusal names what is wrong with the request, not with its form.
    while !asked.is_empty() {
        let fact = heard.recv().await.unwrap();
        if let Some(key) = &fact.origin.correlation {
            asked.remove(key);
            let error = &fact.fact.body["error"];
            assert!(error.is_null() || error["status"] == 404, "{key}: {error}");
        }
    }
    world.stop().await;
}
