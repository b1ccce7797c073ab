//! From an empty entry to an on-boarded one, and back to none.

use crate::world::{
    NSDS, PACKAGES, World, archive, nothing, nsd, nsd_of, odd_package, package, package_growing_to,
    whole,
};
use http::{StatusCode, header};
use mano_model::{
    TenantId,
    catalog::usage::{self, Descriptor, Usage},
    descriptor::{Nsd, Vnfd},
    plan::Plan,
    resource::Amounts,
};
use mano_ports::{function::Event, http::Principal, store};
use serde_json::{Value, json};

fn tenant() -> TenantId {
    TenantId::default()
}

/// A plan of a client.
fn plan(world: &World) -> Plan {
    let principal = Principal { tenant: tenant(), name: "test".into() };
    Plan::new(world.host.cx().asked(&principal, None))
}

/// Uses a descriptor once more, or once less.
async fn counted(world: &World, id: &str, by: i64) -> Result<(), store::Error> {
    let plan = match by {
        1.. => usage::take(plan(world), Descriptor::Vnfd, id, by),
        _ => usage::give_back(plan(world), Descriptor::Vnfd, id, -by),
    };
    world.host.cx().store.commit(plan).await
}

async fn patch(world: &World, path: &str, body: Value) -> StatusCode {
    world.send("PATCH", path, body).await.status
}

#[tokio::test]
async fn a_package_goes_from_created_to_onboarded_and_brings_its_descriptor() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({ "userDefinedData": { "a": 1 } })).await;
    let created = world.get(&path).await.json();
    assert_eq!(created["onboardingState"], "CREATED");
    assert_eq!(created["operationalState"], "DISABLED");
    assert_eq!(created["usageState"], "NOT_IN_USE");
    assert_eq!(
        created["_links"]["packageContent"]["href"],
        format!("http://mano{path}/package_content")
    );
    let sent = world.put(&format!("{path}/package_content"), whole(package("v1"))).await;
    assert_eq!((sent.status, sent.bytes.len()), (StatusCode::ACCEPTED, 0));
    world.heard("package.onboarded").await;
    let shown = world.get(&path).await.json();
    assert_eq!(shown["onboardingState"], "ONBOARDED");
    assert_eq!(shown["operationalState"], "ENABLED");
    assert_eq!(shown["vnfdId"], "v1");
    assert_eq!(shown["vnfProductName"], "Router");
    assert_eq!(shown["checksum"]["hash"].as_str().unwrap().len(), 64);
    assert_eq!(shown["userDefinedData"], json!({ "a": 1 }));
    assert_eq!(shown.get("layout"), None);
    let vnfd = world.host.cx().store.read::<Vnfd>(&tenant(), "v1").await.unwrap().value;
    assert_eq!(Some(vnfd.vnf_pkg_id.as_str()), path.rsplit('/').next());
    let flavour = vnfd.flavour("small").unwrap();
    let (vdu, more) = (&flavour.vdus[0], flavour.levels.iter().find(|l| l.id == "more").unwrap());
    assert_eq!(vdu.amounts, Amounts { vcpu_milli: 2000, memory_mib: 2048, storage_gib: 0 });
    assert_eq!((vdu.storages[0].size_gib, vdu.max_instances), (10, 3));
    assert_eq!((more.vdus["forwarding"], more.scale["throughput"]), (3, 2));
    assert_eq!(vdu.cps[0].virtual_link.as_deref(), Some("inside"));
}

#[tokio::test]
async fn an_ns_descriptor_names_the_packages_it_needs_as_they_come() {
    let mut world = World::new().await;
    let path = world.create(NSDS, json!({})).await;
    let sent = world.put(&format!("{path}/nsd_content"), whole(nsd("n1", "v1"))).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED);
    world.heard("nsd.onboarded").await;
    let before = world.get(&path).await;
    assert_eq!(before.json()["nsdOnboardingState"], "ONBOARDED");
    assert_eq!((&before.json()["nsdId"], &before.json()["vnfPkgIds"]), (&json!("n1"), &json!([])));
    let package = world.package("v1").await;
    let after = world.get(&path).await;
    assert_eq!(after.json()["vnfPkgIds"], json!([package.rsplit('/').next().unwrap()]));
    assert_ne!(before.header(header::ETAG), after.header(header::ETAG));
    let nsd = world.host.cx().store.read::<Nsd>(&tenant(), "n1").await.unwrap().value;
    let profile = &nsd.flavour("small").unwrap().vnf_profiles[0];
    assert_eq!((profile.vnfd_id.as_str(), profile.max_instances), ("v1", 2));
}

#[tokio::test]
async fn bad_content_is_an_error_with_file_and_line_and_may_be_replaced() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let content = format!("{path}/package_content");
    let bad = [
        ("Definitions/entry.yaml", "a: [\nb"),
        (
            "TOSCA-Metadata/TOSCA.meta",
            "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nCreated-By: us\nEntry-Definitions: Definitions/entry.yaml\n",
        ),
    ];
    world.put(&content, whole(archive(&bad))).await;
    world.heard("package.onboard.failed").await;
    let shown = world.get(&path).await.json();
    assert_eq!(shown["onboardingState"], "ERROR");
    let why = &shown["onboardingFailureDetails"];
    assert_eq!(why["status"], 422);
    assert!(why["detail"].as_str().unwrap().contains("Definitions/entry.yaml:"), "{why}");
    assert_eq!(world.get(&content).await.status, StatusCode::CONFLICT);
    world.put(&content, whole(package("v1"))).await;
    world.heard("package.onboarded").await;
    let shown = world.get(&path).await.json();
    assert_eq!(shown.get("onboardingFailureDetails"), None);
    assert_eq!(world.put(&content, whole(package("v2"))).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn nonsense_of_any_kind_ends_in_an_error_with_a_reason() {
    let mut world = World::new().await;
    let good = package("v1");
    let cut = good[..good.len() / 2].to_vec();
    for nonsense in [b"hello".to_vec(), vec![0; 100_000], cut, archive(&[]), nsd("n", "v")] {
        let path = world.create(PACKAGES, json!({})).await;
        world.put(&format!("{path}/package_content"), whole(nonsense)).await;
        world.heard("package.onboard.failed").await;
        let shown = world.get(&path).await.json();
        let detail = shown["onboardingFailureDetails"]["detail"].as_str().unwrap();
        assert!(detail.len() > 20, "{detail}");
    }
}

#[tokio::test]
async fn a_descriptor_is_onboarded_once() {
    let mut world = World::new().await;
    let first = world.package("v1").await;
    let second = world.create(PACKAGES, json!({})).await;
    world.put(&format!("{second}/package_content"), whole(package("v1"))).await;
    world.heard("package.onboard.failed").await;
    let shown = world.get(&second).await.json();
    let detail = shown["onboardingFailureDetails"]["detail"].as_str().unwrap();
    assert!(detail.contains(first.rsplit('/').next().unwrap()), "{detail}");
    assert_eq!(patch(&world, &first, json!({ "operationalState": "DISABLED" })).await, 200);
    assert_eq!(world.ask("DELETE", &first, &[], nothing()).await.status, StatusCode::NO_CONTENT);
    world.put(&format!("{second}/package_content"), whole(package("v1"))).await;
    world.heard("package.onboarded").await;
}

#[tokio::test]
async fn a_package_in_use_stays_and_a_disabled_one_is_not_used_again() {
    let mut world = World::new().await;
    let path = world.package("v1").await;
    counted(&world, "v1", 1).await.unwrap();
    assert_eq!(world.get(&path).await.json()["usageState"], "IN_USE");
    assert_eq!(patch(&world, &path, json!({ "operationalState": "ENABLED" })).await, 409);
    assert_eq!(patch(&world, &path, json!({ "operationalState": "DISABLED" })).await, 200);
    let refused = counted(&world, "v1", 1).await.unwrap_err();
    assert!(matches!(refused, store::Error::Exhausted { field: "disabled", .. }), "{refused}");
    assert_eq!(world.ask("DELETE", &path, &[], nothing()).await.status, StatusCode::CONFLICT);
    counted(&world, "v1", -1).await.unwrap();
    assert_eq!(world.ask("DELETE", &path, &[], nothing()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND);
    let store = &world.host.cx().store;
    assert!(store.find::<Vnfd>(&tenant(), "v1").await.unwrap().is_none());
    let usage = Usage::id_of(Descriptor::Vnfd, "v1");
    assert!(store.find::<Usage>(&tenant(), &usage).await.unwrap().is_none());
    assert!(counted(&world, "v1", 1).await.is_err());
}

#[tokio::test]
async fn of_a_creation_and_a_disabling_at_once_the_creation_is_counted_or_refused() {
    let mut world = World::new().await;
    let path = world.package("v1").await;
    let disabled = json!({ "operationalState": "DISABLED" });
    let creations = (0..50).map(|_| counted(&world, "v1", 1));
    let creations = futures_util::future::join_all(creations);
    let (done, status) = tokio::join!(creations, patch(&world, &path, disabled));
    assert_eq!(status, StatusCode::OK);
    let counted = done.iter().filter(|done| done.is_ok()).count();
    let usage = Usage::id_of(Descriptor::Vnfd, "v1");
    let usage = world.host.cx().store.read::<Usage>(&tenant(), &usage).await.unwrap();
    assert_eq!(usage.instances, i64::try_from(counted).unwrap());
    assert_eq!(usage.disabled, 1);
}

#[tokio::test]
async fn a_change_by_someone_else_is_noticed() {
    let mut world = World::new().await;
    let path = world.package("v1").await;
    let read = world.get(&path).await;
    let etag = read.header(header::ETAG).to_owned();
    counted(&world, "v1", 1).await.unwrap();
    let body = || mano_ports::http::Content::Bytes(r#"{"operationalState":"DISABLED"}"#.into());
    let merge = (header::CONTENT_TYPE, "application/merge-patch+json");
    let late = [(header::IF_MATCH, etag.as_str()), merge.clone()];
    let refused = world.ask("PATCH", &path, &late, body()).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED, "{:?}", refused.json());
    let etag = world.get(&path).await.header(header::ETAG).to_owned();
    let fresh = [(header::IF_MATCH, etag.as_str()), merge];
    let changed = world.ask("PATCH", &path, &fresh, body()).await;
    assert_eq!(changed.json(), json!({ "operationalState": "DISABLED" }));
}

#[tokio::test]
async fn strict_packages_are_refused_for_what_lenient_ones_are_warned_of() {
    let mut world = World::new().await;
    let strict =
        world.create(PACKAGES, json!({ "userDefinedData": { "mano:mode": "strict" } })).await;
    world.put(&format!("{strict}/package_content"), whole(odd_package())).await;
    world.heard("package.onboard.failed").await;
    let lenient = world.create(PACKAGES, json!({})).await;
    world.put(&format!("{lenient}/package_content"), whole(odd_package())).await;
    world.heard("package.onboarded").await;
    let warnings = world.get(&lenient).await.json()["_mano"]["warnings"].clone();
    assert_eq!(warnings.as_array().unwrap().len(), 1, "{warnings}");
    let (file, line) = (&warnings[0]["file"], &warnings[0]["line"]);
    assert_eq!((file, line), (&json!("Definitions/entry.yaml"), &json!(1)), "{warnings}");
}

#[tokio::test]
async fn numbers_without_measure_are_refused() {
    let mut world = World::new().await;
    for number in ["10001", "4294967295", "99999999999999999999", "-1"] {
        let path = world.create(PACKAGES, json!({})).await;
        let content = whole(package_growing_to(number));
        world.put(&format!("{path}/package_content"), content).await;
        world.either("package.onboard.failed", "package.onboarded").await;
        if world.get(&path).await.json()["onboardingState"] == "ONBOARDED" {
            let vnfd = world.host.cx().store.read::<Vnfd>(&tenant(), "v1").await.unwrap().value;
            let most = vnfd.flavours[0].levels.iter().flat_map(|l| l.vdus.values()).max();
            assert!(most < Some(&10_001), "{number} became {most:?}");
            world.send("PATCH", &path, json!({ "operationalState": "DISABLED" })).await;
            world.ask("DELETE", &path, &[], nothing()).await;
        }
    }
}

#[tokio::test]
async fn a_size_that_no_operation_could_make_is_refused() {
    let mut world = World::new().await;
    // One link, and of each unit a disk and itself.
    for (number, fits) in [("500", false), ("499", true)] {
        let path = world.create(PACKAGES, json!({})).await;
        let content = whole(package_growing_to(number));
        world.put(&format!("{path}/package_content"), content).await;
        world.either("package.onboard.failed", "package.onboarded").await;
        let shown = world.get(&path).await.json();
        assert_eq!(shown["onboardingState"] == "ONBOARDED", fits, "{number}: {shown}");
        if !fits {
            let said = shown["onboardingFailureDetails"]["detail"].as_str().unwrap();
            assert!(said.contains("N02") && said.contains("`more`"), "{said}");
            assert!(said.contains("1001 links, storages and units"), "{said}");
        }
    }
    for (number, fits) in [("1001", false), ("1000", true)] {
        let path = world.create(NSDS, json!({})).await;
        let content = whole(nsd_of(number));
        world.put(&format!("{path}/nsd_content"), content).await;
        world.either("nsd.onboard.failed", "nsd.onboarded").await;
        let shown = world.get(&path).await.json();
        assert_eq!(shown["nsdOnboardingState"] == "ONBOARDED", fits, "{number}: {shown}");
        if !fits {
            let said = shown["onboardingFailureDetails"]["detail"].as_str().unwrap();
            assert!(said.contains("N02") && said.contains("1001 network functions"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_package_without_a_flaw_is_accepted_strictly() {
    let mut world = World::new().await;
    let strict = json!({ "userDefinedData": { "mano:mode": "strict" } });
    let path = world.create(PACKAGES, strict.clone()).await;
    world.put(&format!("{path}/package_content"), whole(package("v1"))).await;
    world.heard("package.onboarded").await;
    assert_eq!(world.get(&path).await.json().get("_mano"), None);
    let path = world.create(NSDS, strict).await;
    world.put(&format!("{path}/nsd_content"), whole(nsd("n1", "v1"))).await;
    world.heard("nsd.onboarded").await;
}

#[tokio::test]
async fn a_run_that_ends_by_itself_leaves_nothing_in_processing() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let id = path.rsplit('/').next().unwrap().to_owned();
    // Nobody runs the workflow: the entry is put into PROCESSING without its fact's listener.
    let cx = world.host.cx();
    let entry = cx.store.read::<mano_model::catalog::VnfPackage>(&tenant(), &id).await.unwrap();
    let begun = mano_model::catalog::upload::begin(plan(&world).origin, entry, "gone").unwrap();
    cx.store.commit(begun).await.unwrap();
    let entry = cx.store.read::<mano_model::catalog::VnfPackage>(&tenant(), &id).await.unwrap();
    let content =
        mano_model::catalog::Content { blob: "gone".into(), size: 1, sha256: String::new() };
    let mut received =
        mano_model::catalog::upload::received(plan(&world).origin, entry, content).unwrap();
    let input = received.facts.remove(0).body["input"].clone();
    cx.store.commit(received).await.unwrap();
    assert_eq!(world.get(&path).await.json()["onboardingState"], "PROCESSING");
    let event = |input: Value| Event {
        id: "e".into(),
        source: "aws.states".into(),
        detail_type: "Step Functions Execution Status Change".into(),
        detail: json!({ "status": "TIMED_OUT", "input": input, "error": "States.Timeout" }),
        principal: None,
    };
    for foreign in [json!("[]"), json!(null), json!({ "op": 7 }), json!("{\"tenant\":\"x\"}")] {
        world.host.event(&event(foreign)).await.unwrap();
    }
    world.host.event(&event(json!(input.to_string()))).await.unwrap();
    world.heard("package.onboard.failed").await;
    let shown = world.get(&path).await.json();
    assert_eq!(shown["onboardingState"], "ERROR");
    let detail = shown["onboardingFailureDetails"]["detail"].as_str().unwrap();
    assert!(detail.contains("States.Timeout"), "{detail}");
}
