//! Feeds arbitrary text to the YAML reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mano_tosca::{Limits, yaml};

fuzz_target!(|text: &str| {
    let _ = yaml::read("input.yaml", text, &Limits::default());
});
