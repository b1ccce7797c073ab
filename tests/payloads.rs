//! What executions, queues and buses of earlier releases hand over is still understood.
//!
//! A deployment meets what was sent before it: calls of runs under way, messages that wait, events
//! that were archived. `tests/golden/payloads-<release>` keeps them; a new release adds a folder,
//! and a folder goes when nothing of its release can be under way any more.

use crate::{
    faults::delivered,
    golden,
    journeys::ways::CASES,
    wiring::FUNCTIONS,
    world::{World, stock::stocked},
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_of_every_release_are_understood() {
    let old = kept("steps.json");
    let mut now = BTreeMap::new();
    let mut replayed = BTreeSet::new();
    for case in CASES {
        let (mut world, id) = case.ready().await;
        let op = case.ask(&world, &id).await;
        assert_eq!(world.rests(&op).await, "COMPLETED", "{}", case.name);
        let calls = delivered(&world).await;
        for (function, payload) in &calls {
            let call = json!({ "function": function, "payload": nameless(payload) });
            now.insert(call.to_string(), call);
        }
        for (place, call) in old.iter().enumerate() {
            let same = |(function, payload): &&(String, Value)| {
                call["function"] == **function && call["payload"]["step"] == payload["step"]
            };
            let Some((function, new)) = calls.iter().find(same) else { continue };
            let payload = filled(&call["payload"], new);
            if let Err(failure) = world.host.call_step(function, payload.clone()).await {
                assert_ne!(failure.error, "Mano.Bug", "{payload}: {}", failure.cause);
            }
            replayed.insert(place);
        }
        world.stop().await;
    }
    for (place, call) in old.iter().enumerate() {
        assert!(replayed.contains(&place), "no run calls this any more: {call}");
    }
    let now: Vec<_> = now.into_values().collect();
    let file = concat!("tests/golden/payloads-", env!("CARGO_PKG_VERSION"), "/steps.json");
    golden::agrees(file, &format!("{:#}\n", Value::from(now)));
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
    for event in kept("events.json") {
        let mut event: Event = serde_json::from_value(event).unwrap();
        if event.detail_type.starts_with("mano.request.") {
            asked.insert(event.detail["idempotencyKey"].as_str().unwrap().to_owned());
            event.principal = Some(principal.clone());
        }
        let handled = world.host.event(&event).await;
        handled.unwrap_or_else(|error| panic!("{}: {}", event.id, error.chain()));
    }
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
