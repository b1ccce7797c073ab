//! The raw limits of this machine: what no orchestrator on it can beat.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, Instant},
};

/// How often a second the disk makes 4 KiB durable, one after the other.
pub(crate) fn fsyncs_per_second(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("fsync.probe")).unwrap();
    let block = [0x5a_u8; 4096];
    let begun = Instant::now();
    let mut count = 0_u32;
    while begun.elapsed() < Duration::from_secs(2) {
        file.seek(SeekFrom::Start(u64::from(count % 256) * 4096)).unwrap();
        file.write_all(&block).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}
