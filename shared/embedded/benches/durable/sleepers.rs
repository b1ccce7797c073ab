//! Executions that sleep for a day: what each costs, and what a start costs beside them.

use crate::world;
use mano_embedded::workflows::Options;
use mano_ports::workflows::Workflows;
use serde_json::json;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

const DAY: &str = r#"{"StartAt": "Sleep", "States": {
    "Sleep": {"Type": "Wait", "Seconds": 86400, "End": true}}}"#;

/// Starts so many, ends the process's world, and begins a new one.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn measure(folder: &Path, sleepers: u64) {
    let open = async || {
        let machine = world::machine("day", DAY);
        let parts = world::engine(folder, machine, Vec::new(), Options::default()).await;
        world::host(folder, parts)
    };
    let host = open().await;
    let (empty, before) = (world::size(folder), world::resident());
    let (begun, next) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let lanes = (0..256).map(|_| {
        let (engine, next) = (Arc::clone(host.engine()), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Relaxed);
                if n >= sleepers {
                    return;
                }
                engine.start("day", &format!("sleeper-{n}"), json!({ "n": n })).await.unwrap();
            }
        })
    });
    futures_util::future::join_all(lanes.collect::<Vec<_>>()).await;
    let rate = sleepers as f64 / begun.elapsed().as_secs_f64();
    println!("| starts of sleepers, 256 at a time | {rate:.0}/s | - |");
    while host.engine().counts().in_memory > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let memory = world::resident().saturating_sub(before) as f64 / sleepers as f64;
    host.stop().await;
    drop(host);
    let bytes = (world::size(folder) - empty) as f64 / sleepers as f64;
    println!("| {sleepers} sleepers: bytes on disk, each | {bytes:.0} | - |");
    println!(
        "| {sleepers} sleepers: bytes in memory, each (what the start left, caches too) | {memory:.0} | - |"
    );
    let begun = Instant::now();
    let host = open().await;
    let ready = begun.elapsed().as_secs_f64() * 1e3;
    let loaded = host.engine().counts().in_memory;
    println!("| start beside {sleepers} sleepers ({loaded} of them loaded) | {ready:.1} ms | - |");
    host.stop().await;
}
