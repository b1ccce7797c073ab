//! Packages larger than what one step has time to read.

use crate::world::{PACKAGES, World, package, stored_package, whole};
use async_trait::async_trait;
use http::StatusCode;
use mano_catalog::FUNCTION;
use mano_embedded::HeldClock;
use mano_model::{
    TenantId,
    catalog::{State, VnfPackage},
    plan::Versioned,
};
use mano_ports::{
    Cx, Error, Fault,
    blobs::{self, Blobs, ByteStream, Listed, ReadSeek, Stored},
    function::{Step, StepCall},
    workflows::Listing,
};
use serde_json::{Map, json};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::Barrier;

/// A store that takes its time for reading, and does not answer after so many bytes.
#[derive(Clone)]
struct Slow {
    of: Arc<dyn Blobs>,
    clock: Arc<HeldClock>,
    /// Milliseconds for a MiB.
    per_mib: u64,
    /// Bytes that one reader answers.
    most: u64,
    /// Bytes that were read in all.
    read: Arc<AtomicU64>,
    /// Who is let act when reading begins, and is waited for.
    meanwhile: Option<Arc<Barrier>>,
}

struct SlowReader {
    store: Slow,
    reader: Box<dyn ReadSeek>,
    left: u64,
}

impl io::Read for SlowReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("the line is dead"));
        }
        let got = self.reader.read(into)?;
        let bytes = got as u64;
        self.left = self.left.saturating_sub(bytes);
        self.store.read.fetch_add(bytes, Relaxed);
        let time = Duration::from_micros((bytes * self.store.per_mib * 1000) >> 20);
        self.store.clock.advance(time);
        Ok(got)
    }
}

impl io::Seek for SlowReader {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}

#[async_trait]
impl Blobs for Slow {
    async fn put(&self, name: &str, from: ByteStream, limit: u64) -> Result<Stored, blobs::Error> {
        self.of.put(name, from, limit).await
    }
    async fn size(&self, name: &str) -> Result<u64, blobs::Error> {
        self.of.size(name).await
    }
    async fn open(&self, name: &str, from: u64, to: u64) -> Result<ByteStream, blobs::Error> {
        self.of.open(name, from, to).await
    }
    async fn reader(&self, name: &str) -> Result<Box<dyn ReadSeek>, blobs::Error> {
        let reader = self.of.reader(name).await?;
        if let Some(meanwhile) = &self.meanwhile {
            meanwhile.wait().await;
            meanwhile.wait().await;
        }
        Ok(Box::new(SlowReader { store: self.clone(), reader, left: self.most }))
    }
    async fn delete(&self, name: &str) -> Result<(), blobs::Error> {
        self.of.delete(name).await
    }
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listing<Listed>, blobs::Error> {
        self.of.list(prefix, after, most).await
    }
}

/// A package that waits to be looked at by a store so slow, and what looks at it.
struct Waiting {
    world: World,
    cx: Cx,
    store: Slow,
    path: String,
    size: u64,
}

impl Waiting {
    async fn new(content: Vec<u8>, per_mib: u64, most: u64) -> Self {
        let world = World::alone().await;
        let path = world.create(PACKAGES, json!({})).await;
        let size = content.len() as u64;
        let sent = world.put(&format!("{path}/package_content"), whole(content)).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{:?}", sent.json());
        let of = Arc::clone(&world.host.cx().blobs);
        let (clock, read) = (Arc::clone(&world.clock), Arc::default());
        let store = Slow { of, clock, per_mib, most, read, meanwhile: None };
        let cx = Cx { blobs: Arc::new(store.clone()), ..world.host.cx().clone() };
        Self { world, cx, store, path, size }
    }

    fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    async fn entry(&self) -> Versioned<VnfPackage> {
        self.cx.store.read::<VnfPackage>(&TenantId::default(), self.id()).await.unwrap()
    }

    /// Calls the step as Lambda does: for as long as a step may take.
    async fn look(&self) -> Result<(), Error> {
        let step = FUNCTION.steps.iter().find(|step| step.name == "package.onboard").unwrap();
        let call = StepCall {
            step: step.name.into(),
            tenant: TenantId::default(),
            op: self.id().to_owned(),
            run: 1,
            token: None,
            more: Map::new(),
        };
        step.call(&self.cx, call, Step::PATIENCE).await.map(drop)
    }

    /// Calls the step; while it reads, a client modifies the entry.
    async fn look_meanwhile(&mut self, note: u64) -> Result<(), Error> {
        let meanwhile = Arc::new(Barrier::new(2));
        self.store.meanwhile = Some(Arc::clone(&meanwhile));
        self.cx.blobs = Arc::new(self.store.clone());
        let modify = async {
            meanwhile.wait().await;
            let body = json!({ "userDefinedData": { "note": note } });
            let told = self.world.send("PATCH", &self.path, body).await;
            assert_eq!(told.status, StatusCode::OK, "{:?}", told.json());
            meanwhile.wait().await;
        };
        tokio::join!(self.look(), modify).0
    }
}

#[tokio::test]
async fn a_package_too_large_for_one_step_is_read_by_several() {
    // 20 MiB at 6 s each are two minutes.
    let waiting = Waiting::new(stored_package(20), 6000, u64::MAX).await;
    let (mut calls, mut bytes) = (1, 0);
    while let Err(error) = waiting.look().await {
        assert_eq!(error.fault(), Fault::Transient, "{error}");
        let entry = waiting.entry().await;
        let progress = entry.onboarding.progress().expect("what was read is known");
        assert!(progress.bytes > bytes + (4 << 20), "{} after {bytes}", progress.bytes);
        bytes = progress.bytes;
        let said = format!("{} of 20 MiB", bytes >> 20);
        assert!(error.to_string().contains(&said), "{error}");
        assert_eq!(entry.onboarding.state(), State::Processing);
        assert!(serde_json::to_string(&*entry).unwrap().len() < 2000, "it stays small");
        calls += 1;
    }
    assert_eq!(calls, 3);
    let entry = waiting.entry().await;
    assert_eq!(entry.onboarding.state(), State::Onboarded);
    assert_eq!(entry.onboarding.progress(), None);
    let read = waiting.store.read.load(Relaxed);
    assert!(read < waiting.size + (2 << 20), "{read} bytes of {} were read", waiting.size);
    let shown = waiting.world.get(&waiting.path).await.json();
    assert_eq!(shown["onboardingState"], "ONBOARDED", "{shown}");
}

#[tokio::test]
async fn an_entry_that_is_modified_while_its_content_is_read_loses_neither() {
    let mut waiting = Waiting::new(stored_package(20), 6000, u64::MAX).await;
    let mut calls = 1;
    while let Err(error) = waiting.look_meanwhile(calls).await {
        assert_eq!(error.fault(), Fault::Transient, "{error}");
        let entry = waiting.entry().await;
        assert!(entry.onboarding.progress().is_some(), "what was read is known");
        assert_eq!(entry.user_defined_data["note"], calls);
        calls += 1;
    }
    assert_eq!(calls, 3);
    let entry = waiting.entry().await;
    assert_eq!(entry.onboarding.state(), State::Onboarded);
    assert_eq!(entry.user_defined_data["note"], calls);
}

#[tokio::test]
async fn content_that_is_no_good_is_refused_though_its_entry_was_modified_meanwhile() {
    let mut waiting = Waiting::new(b"no archive".to_vec(), 0, u64::MAX).await;
    waiting.look_meanwhile(1).await.unwrap();
    let entry = waiting.entry().await;
    assert_eq!(entry.onboarding.state(), State::Error);
    assert_eq!(entry.user_defined_data["note"], 1);
}

#[tokio::test]
async fn what_was_read_before_the_store_failed_is_not_read_again() {
    let waiting = Waiting::new(stored_package(20), 0, 12 << 20).await;
    let error = waiting.look().await.unwrap_err();
    assert!(error.to_string().contains("the line is dead"), "{error}");
    waiting.look().await.unwrap();
    assert_eq!(waiting.entry().await.onboarding.state(), State::Onboarded);
}

#[tokio::test]
async fn a_step_that_comes_no_further_leaves_the_entry_as_it_is() {
    for (content, most) in [(package("v1"), 1000), (stored_package(20), 0)] {
        let waiting = Waiting::new(content, 0, most).await;
        let before = waiting.entry().await;
        for _ in 0..2 {
            let error = waiting.look().await.unwrap_err();
            assert_eq!(error.fault(), Fault::Transient, "{error}");
            assert_eq!(waiting.entry().await, before);
        }
    }
}

#[tokio::test]
async fn a_damaged_package_is_refused_by_the_step_that_comes_to_its_end() {
    let mut content = stored_package(20);
    let middle = content.len() / 2;
    content[middle] ^= 1;
    let waiting = Waiting::new(content, 6000, u64::MAX).await;
    let mut calls = 1;
    while waiting.look().await.is_err() {
        calls += 1;
        assert!(calls < 9, "it never comes to an end");
    }
    assert_eq!(calls, 3);
    let entry = waiting.entry().await;
    let failure = entry.onboarding.failure().unwrap();
    assert!(failure.detail.contains("CRC-32"), "{}", failure.detail);
}
