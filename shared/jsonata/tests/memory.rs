//! Weighs the memory that endless expressions hold until their budget stops them.

mod endless;
mod host;

use endless::ENDLESS;
use mano_jsonata::{Bindings, Budget, Value};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Bytes each expression may hold at any time, beside itself and its input.
const MOST: usize = 64 << 20;

/// One test alone: the weight is that of the whole process.
#[test]
fn no_endless_expression_holds_more_than_sixty_four_mebibytes() {
    let input = Value::from_json_text(r#"{"a":[1,2,3]}"#).ok();
    for source in ENDLESS {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let mut budget = Budget::new(400_000, 48 << 20);
        let result = host::evaluate(source, input.as_ref(), &Bindings::new(), &mut budget);
        let most = MEMORY.peak_usage().saturating_sub(before);
        assert!(most <= MOST, "{source}: {most} bytes at once, then {result:?}");
    }
}
