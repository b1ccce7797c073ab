//! Feeds arbitrary text to the descriptor readers, as the only file of a package.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use mano_tosca::{Limits, Mode, inspect_ns, inspect_pnf, inspect_vnf};

fuzz_target!(|text: &str| {
    let mut writer = zip::ZipWriter::new(Cursor::new(vec![]));
    let options = zip::write::SimpleFileOptions::default();
    let begun = writer.start_file("entry.yaml", options).is_ok();
    if !begun || writer.write_all(text.as_bytes()).is_err() {
        return;
    }
    let Ok(archive) = writer.finish() else { return };
    let _ = inspect_vnf(archive.clone(), Mode::Lenient, Limits::default());
    let _ = inspect_ns(archive.clone(), Mode::Lenient, Limits::default());
    let _ = inspect_pnf(archive, Mode::Lenient, Limits::default());
});
