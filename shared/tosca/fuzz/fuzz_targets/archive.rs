//! Feeds arbitrary bytes to the archive reader, as an upload would.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use mano_tosca::{Limits, Mode, inspect_any};

fuzz_target!(|data: &[u8]| {
    let limits = Limits { total_bytes: 16 << 20, text_bytes: 64 << 10, ..Limits::default() };
    let _ = inspect_any(Cursor::new(data), Mode::Lenient, limits);
});
