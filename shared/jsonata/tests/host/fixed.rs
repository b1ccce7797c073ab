//! A host that always answers the same, so that every run is the same.

use mano_jsonata::Host;

pub(crate) struct Fixed;

impl Host for Fixed {
    fn now_millis(&self) -> i64 {
        1_700_000_000_000
    }

    fn random(&self) -> f64 {
        0.25
    }

    fn uuid(&self) -> String {
        "00000000-0000-4000-8000-000000000000".to_owned()
    }
}
