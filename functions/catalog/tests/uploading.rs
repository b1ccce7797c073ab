//! Uploads that are slow, cut, silent, doubled or interrupted by a restart.

use crate::world::{PACKAGES, World, package, whole};
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use jiff::Timestamp;
use mano_model::{
    TenantId,
    catalog::{VnfPackage, upload::LEASE},
};
use mano_ports::blobs::ByteStream;
use serde_json::{Value, json};
use std::{io, time::Duration};
use tokio::sync::mpsc;

/// Content that a test feeds.
fn fed() -> (mpsc::UnboundedSender<io::Result<Bytes>>, ByteStream) {
    let (feed, rest) = mpsc::unbounded_channel();
    let next = |mut rest: mpsc::UnboundedReceiver<_>| async { Some((rest.recv().await?, rest)) };
    (feed, Box::pin(stream::unfold(rest, next)))
}

/// Lets other tasks run until the entry is in a state.
async fn until(world: &World, path: &str, state: &str) -> Value {
    loop {
        let shown = world.get(path).await.json();
        if shown["onboardingState"] == state {
            return shown;
        }
        tokio::task::yield_now().await;
    }
}

fn lease() -> Duration {
    Duration::from_secs(LEASE.as_secs().unsigned_abs())
}

#[tokio::test]
async fn content_that_breaks_off_is_an_error_that_says_where() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let content = format!("{path}/package_content");
    let pieces = vec![Ok(Bytes::from_static(b"PK12")), Err(io::Error::other("connection reset"))];
    let sent = world.put(&content, Box::pin(stream::iter(pieces))).await;
    assert_eq!(sent.status, StatusCode::BAD_REQUEST);
    world.heard("package.onboard.failed").await;
    let shown = world.get(&path).await.json();
    let detail = shown["onboardingFailureDetails"]["detail"].as_str().unwrap();
    assert!(detail.contains("after 4 bytes"), "{detail}");
    assert_eq!(world.put(&content, whole(package("v1"))).await.status, StatusCode::ACCEPTED);
    world.heard("package.onboarded").await;
}

#[tokio::test]
async fn nothing_at_all_is_no_content() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let sent = world.put(&format!("{path}/package_content"), Box::pin(stream::empty())).await;
    assert_eq!(sent.status, StatusCode::BAD_REQUEST);
    world.heard("package.onboard.failed").await;
}

#[tokio::test]
async fn a_second_upload_waits_for_the_first() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let content = format!("{path}/package_content");
    let (feed, stream) = fed();
    let first = world.putting(&content, stream);
    until(&world, &path, "UPLOADING").await;
    assert_eq!(world.put(&content, whole(package("v2"))).await.status, StatusCode::CONFLICT);
    feed.send(Ok(package("v1").into())).unwrap();
    drop(feed);
    assert_eq!(first.await.unwrap().status, StatusCode::ACCEPTED);
    world.heard("package.onboarded").await;
    assert_eq!(world.get(&path).await.json()["vnfdId"], "v1");
}

#[tokio::test]
async fn a_slow_upload_lives_as_long_as_its_uploader() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let (feed, stream) = fed();
    let upload = world.putting(&format!("{path}/package_content"), stream);
    until(&world, &path, "UPLOADING").await;
    for n in 0..12 {
        // A commit of ours is answered after those before it; once all that were woken by then had
        // their turn, the uploader sleeps.
        world.send("PATCH", &path, json!({ "userDefinedData": { "a": n } })).await;
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let before = promised(&world, &path).await;
        world.clock.advance(lease() / 3);
        while promised(&world, &path).await == before {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(world.get(&path).await.json()["onboardingState"], "UPLOADING");
    feed.send(Ok(package("v1").into())).unwrap();
    drop(feed);
    assert_eq!(upload.await.unwrap().status, StatusCode::ACCEPTED);
    world.heard("package.onboarded").await;
}

/// Until when the uploader has promised to live.
async fn promised(world: &World, path: &str) -> Option<Timestamp> {
    let (store, tenant) = (&world.host.cx().store, TenantId::default());
    let id = path.rsplit('/').next().unwrap();
    let package = store.read::<VnfPackage>(&tenant, id).await.unwrap();
    package.onboarding.upload().map(|upload| upload.until)
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_an_error_once_its_lease_is_over() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let (_feed, stream) = fed();
    let upload = world.putting(&format!("{path}/package_content"), stream);
    until(&world, &path, "UPLOADING").await;
    upload.abort();
    assert!(upload.await.unwrap_err().is_cancelled());
    world.clock.advance(lease() + Duration::from_secs(2));
    world.heard("package.onboard.failed").await;
    let shown = world.get(&path).await.json();
    let detail = shown["onboardingFailureDetails"]["detail"].as_str().unwrap();
    assert!(detail.contains("interrupted"), "{detail}");
}

#[tokio::test]
async fn an_upload_cut_by_a_crash_becomes_an_error_by_itself() {
    let world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let (_feed, stream) = fed();
    let _upload = world.putting(&format!("{path}/package_content"), stream);
    until(&world, &path, "UPLOADING").await;
    let mut world = world.killed().await;
    assert_eq!(world.get(&path).await.json()["onboardingState"], "UPLOADING");
    world.clock.advance(lease() + Duration::from_secs(2));
    world.heard("package.onboard.failed").await;
    assert_eq!(world.get(&path).await.json()["onboardingState"], "ERROR");
}

#[tokio::test]
async fn a_note_made_during_an_upload_does_not_break_it() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let (feed, stream) = fed();
    let upload = world.putting(&format!("{path}/package_content"), stream);
    until(&world, &path, "UPLOADING").await;
    for n in 0..20 {
        let noted = world.send("PATCH", &path, json!({ "userDefinedData": { "n": n } })).await;
        assert_eq!(noted.status, StatusCode::OK);
        let part = package("v1")[n * 10..(n + 1) * 10].to_vec();
        feed.send(Ok(part.into())).unwrap();
    }
    feed.send(Ok(package("v1")[200..].to_vec().into())).unwrap();
    drop(feed);
    assert_eq!(upload.await.unwrap().status, StatusCode::ACCEPTED);
    world.heard("package.onboarded").await;
    assert_eq!(world.get(&path).await.json()["userDefinedData"]["n"], 19);
}

#[tokio::test]
async fn fetching_from_an_address_is_refused_with_what_to_do() {
    let world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let asked = json!({ "addressInformation": "http://169.254.169.254/" });
    let refused =
        world.send("POST", &format!("{path}/package_content/upload_from_uri"), asked).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert!(refused.json()["detail"].as_str().unwrap().contains("PUT the archive to http://mano"));
}

#[tokio::test]
async fn content_nobody_has_any_more_is_removed() {
    let mut world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    let content = format!("{path}/package_content");
    world.put(&content, whole(b"no archive".to_vec())).await;
    world.heard("package.onboard.failed").await;
    let dropped = async |world: &mut World| {
        let blob = world.heard("package.content.dropped").await["blob"].clone();
        let blob = blob.as_str().unwrap().to_owned();
        // The listener that removes it may hear the fact after the bus.
        while world.host.cx().blobs.size(&blob).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    world.put(&content, whole(package("v1"))).await;
    dropped(&mut world).await;
    world.heard("package.onboarded").await;
    world.send("PATCH", &path, json!({ "operationalState": "DISABLED" })).await;
    world.ask("DELETE", &path, &[], crate::world::nothing()).await;
    dropped(&mut world).await;
}
