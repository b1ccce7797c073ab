//! What is disturbed goes on, and what fails has every way forward: retry, rollback, fail.
//!
//! A new operation is one line in `CASES`.

use crate::world::{
    THOROUGH, World,
    stock::{self, PAIR, SMALL},
};
use serde_json::{Value, json};
use std::{future::Future, ops::RangeInclusive, pin::Pin};

type Step<'a> = Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// An operation to be disturbed.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// Its name in reports.
    pub(crate) name: &'static str,
    /// `vnf` or `ns`.
    pub(crate) kind: &'static str,
    /// Brings a stocked world to where it may be asked for; the instance's id.
    pub(crate) prepare: for<'a> fn(&'a mut World) -> Step<'a>,
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

pub(crate) const CASES: &[Case] = &[
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

/// Where a world takes long, one operation of each kind, and one that mends.
fn cases() -> impl Iterator<Item = &'static Case> {
    let few = ["vnf_heal", "ns_instantiate"];
    CASES.iter().filter(move |case| THOROUGH || few.contains(&case.name))
}

/// Every call of a VIM, from the first one on; where a world takes long, the second.
fn calls_to_disturb() -> RangeInclusive<u64> {
    if THOROUGH { 1..=u64::MAX } else { 2..=2 }
}

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
    pub(crate) async fn ready(&self) -> (World, String) {
        let mut world = stock::stocked().await;
        let id = (self.prepare)(&mut world).await;
        (world, id)
    }

    pub(crate) async fn ask(&self, world: &World, id: &str) -> String {
        ask(world, self.kind, id, self.task.0, (self.task.1)()).await
    }

    /// What an undisturbed run leads to.
    pub(crate) async fn undisturbed(&self) -> Picture {
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
pub(crate) struct Picture {
    vims: Vec<String>,
    reserved: Value,
    instances: Vec<String>,
}

impl Picture {
    pub(crate) async fn of(world: &World) -> Self {
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
pub(crate) async fn no_orphans(world: &World, when: &str) {
    for vim in world.get("/mano/v1/vims").await.as_array().unwrap() {
        let path = format!("/mano/v1/vims/{}/resources", vim["id"].as_str().unwrap());
        for found in world.get(&path).await.as_array().unwrap() {
            assert_eq!(found["known"], true, "{when}: {found} is an orphan");
        }
    }
}

/// Tells a VIM how to behave.
pub(crate) async fn behave(world: &World, behaviour: Value) {
    let path = "/mano/v1/vims/vim-a/behaviour";
    world.ask(http::Method::PUT, path, Some(behaviour)).await.expect(200);
}

/// How often the VIM was called since it was told how to behave.
async fn calls(world: &World) -> u64 {
    world.get("/mano/v1/vims/vim-a/behaviour").await["calls"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_fails_for_the_moment_or_loses_its_answer_changes_nothing() {
    for case in cases() {
        let expected = case.undisturbed().await;
        for disturbance in ["failNth", "loseAnswerNth"] {
            for nth in calls_to_disturb() {
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
    for case in cases() {
        let expected = case.undisturbed().await;
        for nth in calls_to_disturb() {
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
    let reserved = world.reserved().await;
    assert!(nothing(&reserved), "{when}: reservations were left: {reserved}");
}

/// Whether every number in it is zero.
fn nothing(of: &Value) -> bool {
    match of {
        Value::Array(items) => items.iter().all(nothing),
        Value::Object(fields) => fields.values().all(nothing),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
