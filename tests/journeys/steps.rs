//! What the stories are made of: packages, on-boarding, tasks that end.

use crate::world::World;
use http::Method;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{Cursor, Write},
    path::Path,
};

/// The project's own example packages.
pub(crate) fn example(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/edge/examples").join(name);
    archive(&folder)
}

/// The package of a descriptor that the worlds are stocked with.
pub(crate) fn packed(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/packages").join(name);
    archive(&folder)
}

/// A folder as an archive, as it is.
pub(crate) fn archive(folder: &Path) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    add(&mut zip, folder, "");
    zip.finish().unwrap().into_inner()
}

fn add(zip: &mut zip::ZipWriter<Cursor<Vec<u8>>>, folder: &Path, prefix: &str) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            add(zip, &path, &format!("{name}/"));
        } else {
            zip.start_file(&name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::copy(&mut File::open(&path).unwrap(), zip).unwrap();
            zip.flush().unwrap();
        }
    }
}

/// Uploads a VNF package and lets it become what it becomes.
pub(crate) async fn onboard_vnf(world: &mut World, archive: Vec<u8>) -> Value {
    let path = "/vnfpkgm/v2/vnf_packages";
    onboard(world, path, "package_content", "onboardingState", archive).await
}

/// Uploads an NS descriptor and lets it become what it becomes.
pub(crate) async fn onboard_ns(world: &mut World, archive: Vec<u8>) -> Value {
    let path = "/nsd/v2/ns_descriptors";
    onboard(world, path, "nsd_content", "nsdOnboardingState", archive).await
}

async fn onboard(
    world: &mut World,
    path: &str,
    content: &str,
    state: &str,
    archive: Vec<u8>,
) -> Value {
    let path = format!("{path}/{}", world.post(path, json!({})).await.expect(201).id());
    world.upload(&format!("{path}/{content}"), archive).await.expect(202);
    for _ in 0..1000 {
        let shown = world.get(&path).await;
        if ["ONBOARDED", "ERROR"].contains(&shown[state].as_str().unwrap()) {
            return shown;
        }
        world.something_happens().await;
    }
    panic!("{path} is never on-boarded");
}

/// Asks for a task and waits for its end.
pub(crate) async fn done(world: &mut World, path: &str, params: Value) -> Value {
    let op = world.post(path, params).await.expect(202).id();
    let state = world.rests(&op).await;
    assert_eq!(state, "COMPLETED", "{path}: {:#}", world.tree(&op).await);
    world.tree(&op).await
}

/// DELETE, which must work.
pub(crate) async fn deleted(world: &World, path: &str) {
    world.ask(Method::DELETE, path, None).await.expect(204);
}
