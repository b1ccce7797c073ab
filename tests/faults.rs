//! Every workflow, every step: fails, repeats, loses its answer, dies; and every way forward.
//!
//! A new operation is one line in `cases`.

use crate::world::{
    Folder, World,
    stock::{self, PAIR, SMALL},
};
use serde_json::{Value, json};
use std::{future::Future, pin::Pin};

type Step<'a> = Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// An operation to be disturbed.
#[derive(Clone, Copy)]
struct Case {
    /// Its name in reports.
    name: &'static str,
    /// `vnf` or `ns`.
    kind: &'static str,
    /// Brings a stocked world to where it may be asked for; the instance's id.
    prepare: for<'a> fn(&'a mut World) -> Step<'a>,
    /// The task and its content.
    task: (&'static str, fn() -> Value),
    /// Whether rollback is offered.
    rolls_back: bool,
}

macro_rules! case {
    ($name:ident: $kind:literal, $prepare:path, $task:literal $params:tt, $rolls_back:literal) => {
        Case {
            name: stringify!($name),
            kind: $kind,
            prepare: |world| Box::pin($prepare(world)),
            task: ($task, || json!($params)),
            rolls_back: $rolls_back,
        }
    };
}

const CASES: &[Case] = &[
    case!(vnf_instantiate: "vnf", created_vnf, "instantiate" {"flavourId": "standard"}, true),
    case!(vnf_scale_out: "vnf", running_vnf, "scale"
        {"type": "SCALE_OUT", "aspectId": "size", "numberOfSteps": 2}, true),
    case!(vnf_scale_in: "vnf", large_vnf, "scale" {"type": "SCALE_IN", "aspectId": "size"}, false),
    case!(vnf_heal: "vnf", hurt_vnf, "heal" {}, false),
    case!(vnf_terminate: "vnf", running_vnf, "terminate" {"terminationType": "FORCEFUL"}, false),
    case!(ns_instantiate: "ns", created_ns, "instantiate" {"nsFlavourId": "standard"}, true),
    case!(ns_scale_out: "ns", running_ns, "scale" {
        "scaleType": "SCALE_NS",
        "scaleNsData": {"scaleNsByStepsData": {"scalingDirection": "SCALE_OUT", "aspectId": "backs"}}
    }, true),
    case!(ns_heal: "ns", hurt_ns, "heal" {"healNsData": {"degreeHealing": "HEAL_RESTORE"}}, false),
    case!(ns_terminate: "ns", running_ns, "terminate" {}, false),
];

async fn created_vnf(world: &mut World) -> String {
    let body = json!({ "vnfdId": SMALL, "vnfInstanceName": "disturbed" });
    let created = world.post("/vnflcm/v2/vnf_instances", body).await.expect(201);
    created.body["id"].as_str().unwrap().to_owned()
}

async fn running_vnf(world: &mut World) -> String {
    let id = created_vnf(world).await;
    done(world, "vnf", &id, "instantiate", json!({ "flavourId": "standard" })).await;
    id
}

async fn large_vnf(world: &mut World) -> String {
    let id = running_vnf(world).await;
    let out = json!({ "type": "SCALE_OUT", "aspectId": "size", "numberOfSteps": 2 });
    done(world, "vnf", &id, "scale", out).await;
    id
}

async fn hurt_vnf(world: &mut World) -> String {
    let id = running_vnf(world).await;
    lose_a_unit(world).await;
    id
}

async fn created_ns(world: &mut World) -> String {
    let body = json!({ "nsdId": PAIR, "nsName": "disturbed", "nsDescription": "" });
    let created = world.post("/nslcm/v2/ns_instances", body).await.expect(201);
    created.body["id"].as_str().unwrap().to_owned()
}

async fn running_ns(world: &mut World) -> String {
    let id = created_ns(world).await;
    done(world, "ns", &id, "instantiate", json!({ "nsFlavourId": "standard" })).await;
    id
}

async fn hurt_ns(world: &mut World) -> String {
    let id = running_ns(world).await;
    lose_a_unit(world).await;
    id
}

/// A VIM loses the first machine it has.
async fn lose_a_unit(world: &mut World) {
    let held = world.on_vims().await;
    let (_, resource) = held.iter().find(|(name, _)| name.contains("unit-1")).unwrap();
    let path = format!("/mano/v1/vims/vim-a/resources/{resource}");
    world.ask(http::Method::DELETE, &path, None).await.expect(204);
}

/// Asks for a task and returns its occurrence.
async fn ask(world: &World, kind: &str, id: &str, task: &str, params: Value) -> String {
    let path = format!("/{kind}lcm/v2/{kind}_instances/{id}/{task}");
    world.post(&path, params).await.expect(202).id()
}

async fn done(world: &mut World, kind: &str, id: &str, task: &str, params: Value) {
    let op = ask(world, kind, id, task, params).await;
    assert_eq!(world.rests(&op).await, "COMPLETED", "{:#?}", world.tree(&op).await);
}

impl Case {
    /// A world in which it may be asked for, and the instance.
    async fn ready(&self) -> (World, String) {
        let mut world = stock::stocked().await;
        let id = (self.prepare)(&mut world).await;
        (world, id)
    }

    async fn ask(&self, world: &World, id: &str) -> String {
        ask(world, self.kind, id, self.task.0, (self.task.1)()).await
    }

    /// What an undisturbed run leads to.
    async fn undisturbed(&self) -> Picture {
        let (mut world, id) = self.ready().await;
        let op = self.ask(&world, &id).await;
        assert_eq!(
            world.rests(&op).await,
            "COMPLETED",
            "{}: {:#?}",
            self.name,
            world.tree(&op).await
        );
        Picture::of(&world).await
    }
}

/// What the world looks like, without identities.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    vims: Vec<String>,
    reserved: Value,
    instances: Vec<String>,
}

impl Picture {
    async fn of(world: &World) -> Self {
        let held = world.on_vims().await;
        let mut instances = Vec::new();
        for (kind, state) in [("vnf", "instantiationState"), ("ns", "nsState")] {
            let path = format!("/{kind}lcm/v2/{kind}_instances?all_fields");
            for one in world.get(&path).await.as_array().unwrap() {
                let info = &one["instantiatedVnfInfo"];
                let units = info["vnfcResourceInfo"].as_array().map_or(0, Vec::len);
                let scale = &info["scaleStatus"][0]["scaleLevel"];
                let links = one["_links"].as_object().unwrap().keys();
                let links = links.map(String::as_str).collect::<Vec<_>>().join(" ");
                instances.push(format!("{kind} {} {units} {scale} {links}", one[state]));
            }
        }
        instances.sort();
        Self {
            vims: held.into_iter().map(|(name, _)| name).collect(),
            reserved: world.reserved().await,
            instances,
        }
    }
}

/// Everything a VIM holds is in the inventory.
async fn no_orphans(world: &World, when: &str) {
    for vim in world.get("/mano/v1/vims").await.as_array().unwrap() {
        let path = format!("/mano/v1/vims/{}/resources", vim["id"].as_str().unwrap());
        for found in world.get(&path).await.as_array().unwrap() {
            assert_eq!(found["known"], true, "{when}: {found} is an orphan");
        }
    }
}

async fn behave(world: &World, behaviour: Value) {
    let path = "/mano/v1/vims/vim-a/behaviour";
    world.ask(http::Method::PUT, path, Some(behaviour)).await.expect(200);
}

/// How often the VIM was called since it was told how to behave.
async fn calls(world: &World) -> u64 {
    world.get("/mano/v1/vims/vim-a/behaviour").await["calls"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_fails_for_the_moment_or_loses_its_answer_changes_nothing() {
    for case in CASES {
        let expected = case.undisturbed().await;
        for disturbance in ["failNth", "loseAnswerNth"] {
            for nth in 1.. {
                let (mut world, id) = case.ready().await;
                let mut behaviour = json!({});
                behaviour[disturbance] = nth.into();
                behave(&world, behaviour).await;
                let op = case.ask(&world, &id).await;
                let when = format!("{} {disturbance} {nth}", case.name);
                assert_eq!(
                    world.rests(&op).await,
                    "COMPLETED",
                    "{when}: {:#?}",
                    world.tree(&op).await
                );
                assert_eq!(Picture::of(&world).await, expected, "{when}");
                no_orphans(&world, &when).await;
                let reached = calls(&world).await >= nth;
                world.stop().await;
                if !reached {
                    break;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_failure_has_every_way_forward() {
    for case in CASES {
        let expected = case.undisturbed().await;
        for nth in 1.. {
            let mut reached = true;
            for way in ["retry", "rollback", "fail"] {
                reached &= way_forward(case, nth, way, &expected).await;
            }
            if !reached {
                break;
            }
        }
    }
}

/// Fails the n-th VIM call for good, then goes one way; false: there was no such call.
async fn way_forward(case: &Case, nth: u64, way: &str, expected: &Picture) -> bool {
    let when = format!("{}, call {nth} refused, then {way}", case.name);
    let (mut world, id) = case.ready().await;
    let before = Picture::of(&world).await;
    behave(&world, json!({ "failNth": nth, "failKind": "PERMANENT" })).await;
    let op = case.ask(&world, &id).await;
    if world.rests(&op).await == "COMPLETED" {
        assert!(calls(&world).await < nth, "{when}: the failure was swallowed");
        return false;
    }
    assert_eq!(world.state(&op).await.unwrap(), "FAILED_TEMP", "{when}");
    behave(&world, json!({})).await;
    match way {
        "retry" => {
            world.handle(&op, case.kind, "retry").await.expect(202);
            assert_eq!(world.rests(&op).await, "COMPLETED", "{when}: {:#?}", world.tree(&op).await);
            assert_eq!(&Picture::of(&world).await, expected, "{when}");
        }
        "rollback" if case.rolls_back => {
            world.handle(&op, case.kind, "rollback").await.expect(202);
            assert_eq!(
                world.rests(&op).await,
                "ROLLED_BACK",
                "{when}: {:#?}",
                world.tree(&op).await
            );
            assert_eq!(Picture::of(&world).await, before, "{when}");
        }
        "rollback" => drop(world.handle(&op, case.kind, "rollback").await.expect(404)),
        _ => {
            let failed = world.handle(&op, case.kind, "fail").await.expect(200);
            assert_eq!(failed.body["operationState"], "FAILED", "{when}");
            no_orphans(&world, &when).await;
            cleaned_up(&mut world, case, &id, &when).await;
        }
    }
    no_orphans(&world, &when).await;
    world.stop().await;
    true
}

/// After `fail`, terminating or releasing leads to an empty VIM, and the identifier can go.
async fn cleaned_up(world: &mut World, case: &Case, id: &str, when: &str) {
    let path = format!("/{0}lcm/v2/{0}_instances/{id}", case.kind);
    let links = world.get(&path).await["_links"].clone();
    if links["terminate"].is_object() {
        let params = json!({ "terminationType": "FORCEFUL" });
        done(world, case.kind, id, "terminate", params).await;
    } else if !world.on_vims().await.is_empty() {
        let refused = world.ask(http::Method::DELETE, &path, None).await.expect(409);
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("/release"), "{when}: {detail}");
        let release = format!("/mano/v1/{}_instances/{id}/release", case.kind);
        for _ in 0..2 {
            let released = world.post(&release, json!({})).await.expect(200);
            assert_eq!(released.body["left"], json!([]), "{when}");
        }
    }
    let gone = world.ask(http::Method::DELETE, &path, None).await;
    assert_eq!(gone.status.as_u16(), 204, "{when}: {gone:?}");
    assert_eq!(world.on_vims().await, [], "{when}");
    let reserved = world.reserved().await.to_string();
    let empty =
        Picture { reserved: stock::stocked().await.reserved().await, ..Picture::of(world).await };
    assert_eq!(reserved, empty.reserved.to_string(), "{when}: reservations were left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_bears_a_second_delivery() {
    for case in CASES {
        let (mut world, id) = case.ready().await;
        let op = case.ask(&world, &id).await;
        assert_eq!(world.rests(&op).await, "COMPLETED", "{}", case.name);
        let expected = Picture::of(&world).await;
        let payloads = delivered(&world).await;
        assert!(payloads.len() > 2, "{}: {payloads:?}", case.name);
        for (function, payload) in payloads {
            // A late delivery may be refused; it may not change anything.
            let _ = world.host.call_step(&function, payload).await;
        }
        assert_eq!(Picture::of(&world).await, expected, "{}", case.name);
        no_orphans(&world, case.name).await;
        world.stop().await;
    }
}

/// Every call of a step that any run made, from the histories.
async fn delivered(world: &World) -> Vec<(String, Value)> {
    let mut calls = Vec::new();
    for workflow in world.get("/mano/v1/workflows").await.as_array().unwrap() {
        let workflow = workflow["name"].as_str().unwrap();
        let runs = world.get(&format!("/mano/v1/workflows/{workflow}/runs")).await;
        for run in runs["items"].as_array().unwrap() {
            let run = run["name"].as_str().unwrap();
            let path = format!("/mano/v1/workflows/{workflow}/runs/{run}/history");
            for event in world.get(&path).await["items"].as_array().unwrap() {
                let details = &event["taskScheduledEventDetails"]["parameters"];
                let Some(text) = details.as_str() else { continue };
                let mut call: Value = serde_json::from_str(text).unwrap();
                let function = call["FunctionName"].as_str().unwrap().to_owned();
                calls.push((function, call["Payload"].take()));
            }
        }
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn death_after_any_commit_is_survived() {
    for case in CASES {
        let expected = case.undisturbed().await;
        let (deaths, op) = die_after_every_commit(case).await;
        assert!(deaths.len() > 5, "{}: only {} commits", case.name, deaths.len());
        for (nth, death) in deaths.iter().enumerate() {
            let when = format!("{}, dead after commit {nth} of {}", case.name, deaths.len());
            let mut world = World::open(death).await;
            if world.state(&op).await.is_none() {
                continue;
            }
            assert_eq!(world.rests(&op).await, "COMPLETED", "{when}: {:#?}", world.tree(&op).await);
            assert_eq!(Picture::of(&world).await, expected, "{when}");
            no_orphans(&world, &when).await;
            world.stop().await;
        }
    }
}

/// Runs a case once, and keeps what the disk held after every commit of it.
async fn die_after_every_commit(case: &Case) -> (Vec<Folder>, String) {
    let (mut world, deaths) = World::tapped().await;
    stock::stock(&world).await;
    let id = (case.prepare)(&mut world).await;
    drop(deaths.taken());
    let op = case.ask(&world, &id).await;
    assert_eq!(world.rests(&op).await, "COMPLETED", "{}", case.name);
    world.stop().await;
    (deaths.taken(), op)
}
