//! Content that passes us by: announced, sent to the blob store, said to be there, or never come.

use crate::world::{Answered, NSDS, PACKAGES, World, nothing, nsd, package, whole};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderName, StatusCode, header};
use mano_model::catalog::upload::{ADDRESS, LEASE, MARGIN};
use mano_ports::{
    blobs::{Address, THROUGH},
    function::Event,
    hex::hex,
    http::Content,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

const LENGTH: HeaderName = HeaderName::from_static("x-mano-content-length");
const DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// PUT that announces content.
async fn announce(world: &World, path: &str, content: &[u8]) -> Answered {
    let sum = BASE64_STANDARD.encode(Sha256::digest(content));
    let (length, digest) = (content.len().to_string(), format!("sha-256=:{sum}:"));
    let headers =
        [(header::CONTENT_TYPE, "application/zip"), (LENGTH, &*length), (DIGEST, &*digest)];
    world.ask("PUT", path, &headers, nothing()).await
}

/// Where an answer sends a client on.
fn address(told: &Answered) -> Address {
    assert_eq!(told.status, StatusCode::TEMPORARY_REDIRECT, "{:?}", told.json());
    let headers = told.json()["headers"].as_object().cloned().unwrap_or_default();
    let headers = headers.into_iter().map(|(name, value)| (name, value.as_str().unwrap().into()));
    Address { url: told.header(header::LOCATION).into(), headers: headers.collect() }
}

/// What the store says once content is there; it keeps its blobs below a folder of its own.
fn there(address: &Address) -> Event {
    let key = address.url.strip_prefix("https://store.example/").unwrap();
    Event {
        id: "e".into(),
        source: "aws.s3".into(),
        detail_type: "Object Created".into(),
        detail: json!({ "bucket": { "name": "b" },
            "object": { "key": format!("blobs/{key}"), "size": 7 } }),
        principal: None,
    }
}

async fn state(world: &World, path: &str) -> Value {
    world.get(path).await.json()["onboardingState"].clone()
}

async fn exists(world: &World, address: &Address) -> bool {
    let name = address.url.strip_prefix("https://store.example/").unwrap();
    world.host.cx().blobs.size(name).await.is_ok()
}

/// Lets other tasks run until nothing lies at an address.
async fn removed(world: &World, address: &Address) {
    while exists(world, address).await {
        tokio::task::yield_now().await;
    }
}

/// Lets other tasks run until the entry is in a state.
async fn until(world: &World, path: &str, wanted: &str) {
    while state(world, path).await != wanted {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn announced_content_is_sent_to_the_store_and_onboarded_as_any_other() {
    let mut world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let (content, bytes) = (format!("{path}/package_content"), package("v1"));
    let address = address(&announce(&world, &content, &bytes).await);
    assert_eq!(state(&world, &path).await, "UPLOADING");
    assert_eq!(world.http(&address, Some(&bytes)).0, 200);
    assert_eq!(state(&world, &path).await, "UPLOADING", "until the store says that it is there");
    world.host.event(&there(&address)).await.unwrap();
    world.heard("package.onboarded").await;
    let shown = world.get(&path).await.json();
    let sum = hex(&Sha256::digest(&bytes));
    assert_eq!((&shown["vnfdId"], &shown["checksum"]["hash"]), (&json!("v1"), &json!(sum)));
    assert_eq!(world.get(&content).await.bytes, bytes, "so little is handed out directly");
}

#[tokio::test]
async fn ns_descriptors_go_the_same_way() {
    let mut world = World::with_addresses().await;
    let path = world.create(NSDS, json!({})).await;
    let bytes = nsd("n1", "v1");
    let address = address(&announce(&world, &format!("{path}/nsd_content"), &bytes).await);
    assert_eq!(world.http(&address, Some(&bytes)).0, 200);
    world.host.event(&there(&address)).await.unwrap();
    world.heard("nsd.onboarded").await;
    assert_eq!(world.get(&path).await.json()["nsdId"], "n1");
}

#[tokio::test]
async fn other_content_is_refused_by_the_store_and_changes_nothing() {
    let mut world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let bytes = package("v1");
    let told = announce(&world, &format!("{path}/package_content"), &bytes).await;
    let address = address(&told);
    assert_eq!(world.http(&address, Some(&package("v2"))).0, 400);
    // A word of the store about what is not there.
    world.host.event(&there(&address)).await.unwrap();
    assert_eq!(state(&world, &path).await, "UPLOADING");
    assert_eq!(world.http(&address, Some(&bytes)).0, 200);
    world.host.event(&there(&address)).await.unwrap();
    world.heard("package.onboarded").await;
}

#[tokio::test]
async fn the_store_may_say_it_twice_and_late() {
    let mut world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let bytes = package("v1");
    let address = address(&announce(&world, &format!("{path}/package_content"), &bytes).await);
    world.http(&address, Some(&bytes));
    let event = there(&address);
    let (one, other) = tokio::join!(world.host.event(&event), world.host.event(&event));
    one.and(other).unwrap();
    world.heard("package.onboard.started").await;
    world.heard("package.onboarded").await;
    world.host.event(&event).await.unwrap();
    assert!(exists(&world, &address).await, "it is the content of a package");
    world.send("PATCH", &path, json!({ "userDefinedData": { "a": 1 } })).await;
    let shown = world.get(&path).await.json();
    assert_eq!(shown["onboardingState"], "ONBOARDED");
    world.send("PATCH", &path, json!({ "operationalState": "DISABLED" })).await;
    world.ask("DELETE", &path, &[], nothing()).await;
    removed(&world, &address).await;
    // The address still takes content, which nobody wants any more.
    world.http(&address, Some(&bytes));
    world.host.event(&event).await.unwrap();
    assert!(!exists(&world, &address).await);
}

#[tokio::test]
async fn a_word_of_the_store_that_is_lost_is_not_missed() {
    let mut world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let bytes = package("v1");
    let address = address(&announce(&world, &format!("{path}/package_content"), &bytes).await);
    world.http(&address, Some(&bytes));
    world.clock.advance(Duration::from_secs(LEASE.as_secs().unsigned_abs() + 2));
    world.heard("package.onboarded").await;
    assert_eq!(state(&world, &path).await, "ONBOARDED");
}

#[tokio::test]
async fn content_that_never_comes_is_an_error_with_the_reason() {
    let mut world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let (content, bytes) = (format!("{path}/package_content"), package("v1"));
    let first = address(&announce(&world, &content, &bytes).await);
    let end = (ADDRESS + MARGIN).unsigned_abs();
    let step = Duration::from_secs(LEASE.as_secs().unsigned_abs() + 2);
    let mut passed = Duration::ZERO;
    while passed + step < end {
        assert_eq!(state(&world, &path).await, "UPLOADING", "after {passed:?}");
        world.clock.advance(step);
        passed += step;
    }
    world.clock.advance(step);
    world.clock.advance(step);
    until(&world, &path, "ERROR").await;
    let shown = world.get(&path).await.json();
    let why = &shown["onboardingFailureDetails"];
    assert_eq!(why["status"], 408);
    assert!(why["detail"].as_str().unwrap().contains("did not arrive"), "{why}");
    world.heard("package.onboard.failed").await;
    // What comes after all is nobody's; and there is a second try.
    world.http(&first, Some(&bytes));
    world.host.event(&there(&first)).await.unwrap();
    assert!(!exists(&world, &first).await);
    let second = address(&announce(&world, &content, &bytes).await);
    world.http(&second, Some(&bytes));
    world.host.event(&there(&second)).await.unwrap();
    world.heard("package.onboarded").await;
}

#[tokio::test]
async fn another_announcement_takes_the_place_of_one_that_may_never_end() {
    let mut world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let (content, old, new) = (format!("{path}/package_content"), package("v1"), package("v2"));
    let first = address(&announce(&world, &content, &old).await);
    let second = address(&announce(&world, &content, &new).await);
    assert_ne!(first.url, second.url);
    world.http(&first, Some(&old));
    world.host.event(&there(&first)).await.unwrap();
    assert!(!exists(&world, &first).await);
    assert_eq!(state(&world, &path).await, "UPLOADING");
    world.http(&second, Some(&new));
    world.host.event(&there(&second)).await.unwrap();
    world.heard("package.onboarded").await;
    assert_eq!(world.get(&path).await.json()["vnfdId"], "v2");
}

#[tokio::test]
async fn an_entry_that_waits_for_an_address_can_be_deleted() {
    let world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let bytes = package("v1");
    let address = address(&announce(&world, &format!("{path}/package_content"), &bytes).await);
    let gone = world.ask("DELETE", &path, &[], nothing()).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{:?}", gone.json());
    world.http(&address, Some(&bytes));
    world.host.event(&there(&address)).await.unwrap();
    assert!(!exists(&world, &address).await);
}

#[tokio::test]
async fn content_that_is_here_but_too_much_is_sent_on_where_there_is_an_address() {
    let large = vec![7; usize::try_from(THROUGH).unwrap() + 1];
    let headers = [(header::CONTENT_TYPE, "application/zip")];
    let world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let content = format!("{path}/package_content");
    let told = world.ask("PUT", &content, &headers, Content::Bytes(large.clone().into())).await;
    let address = address(&told);
    assert_eq!(world.http(&address, Some(&large)).0, 200);
    let world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let content = format!("{path}/package_content");
    let told = world.ask("PUT", &content, &headers, Content::Bytes(large.into())).await;
    assert_eq!(told.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_store_without_addresses_has_announced_content_sent_to_us() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let (content, bytes) = (format!("{path}/package_content"), package("v1"));
    let told = announce(&world, &content, &bytes).await;
    assert_eq!(told.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(told.header(header::LOCATION), format!("http://mano{content}"));
    assert_eq!(state(&world, &path).await, "CREATED");
    assert_eq!(world.put(&content, whole(bytes.clone())).await.status, StatusCode::ACCEPTED);
    world.heard("package.onboarded").await;
    let taken = announce(&world, &content, &bytes).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "before a byte is sent");
}

#[tokio::test]
async fn an_announcement_that_says_too_little_or_too_much_is_refused() {
    let world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let content = format!("{path}/package_content");
    let sum = format!("sha-256=:{}:", BASE64_STANDARD.encode([7; 32]));
    let half = format!("sha-256=:{}:", BASE64_STANDARD.encode([7; 16]));
    for (length, digest, status, word) in [
        ("x", &*sum, 400, "no number"),
        ("0", &sum, 400, "empty"),
        ("7", "md5=:AAAA:", 400, "Repr-Digest"),
        ("7", &half, 400, "Repr-Digest"),
        ("7", "sha-256=!", 400, "Repr-Digest"),
        ("9000000000", &sum, 413, "at most 8589934592"),
        ("5368709121", &sum, 413, "at most 5368709120"),
    ] {
        let headers = [(LENGTH, length), (DIGEST, digest)];
        let refused = world.ask("PUT", &content, &headers, nothing()).await;
        assert_eq!(refused.status.as_u16(), status, "{length} {digest}");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(word), "{detail}");
    }
    assert_eq!(state(&world, &path).await, "CREATED");
    let older = [(LENGTH, "7"), (HeaderName::from_static("digest"), &*sum.replace(':', ""))];
    let told = world.ask("PUT", &content, &older, nothing()).await;
    assert_eq!(told.status, StatusCode::TEMPORARY_REDIRECT);
}

#[tokio::test]
async fn words_about_other_things_in_the_store_are_nobodys() {
    let world = World::with_addresses().await;
    for key in
        ["", "blobs/documents/61/62/x", "uploads/", "uploads/package/zz/a/b", "uploads/x/61/a/b"]
    {
        let event = Event {
            detail: json!({ "object": { "key": key } }),
            ..there(&Address { url: "https://store.example/x".into(), headers: Vec::new() })
        };
        world.host.event(&event).await.unwrap();
    }
}

#[tokio::test]
async fn more_than_passes_through_us_is_fetched_from_the_store() {
    let mut world = World::with_addresses().await;
    let path = world.create(PACKAGES, json!({})).await;
    let (content, bytes) = (format!("{path}/package_content"), crate::world::large_package());
    let sent = address(&announce(&world, &content, &bytes).await);
    world.http(&sent, Some(&bytes));
    world.host.event(&there(&sent)).await.unwrap();
    world.heard("package.onboarded").await;
    let whole = address(&world.get(&content).await);
    assert_eq!(world.http(&whole, None), (200, bytes.clone()));
    let range =
        async |range: &str| world.ask("GET", &content, &[(header::RANGE, range)], nothing()).await;
    let part = range("bytes=10-19").await;
    assert_eq!((part.status, &*part.bytes), (StatusCode::PARTIAL_CONTENT, &bytes[10..20]));
    let most = range("bytes=1-4194304").await;
    assert_eq!((most.status, most.bytes.len()), (StatusCode::PARTIAL_CONTENT, 4 << 20));
    assert_eq!(range("bytes=0-4194304").await.status, StatusCode::TEMPORARY_REDIRECT);
}
