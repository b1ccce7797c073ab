//! The relay as an AWS Lambda: it tells the listeners of every function what was committed.

use mano_ports::function::Function;
use std::process::ExitCode;

/// Who of a function listens: the rest of it stays out of this program, which shall start quickly.
const fn ears(function: &'static Function) -> Function {
    Function { routes: &[], steps: &[], consumers: &[], ..*function }
}

static FUNCTIONS: &[&Function] = &[
    &ears(&mano_service_management::FUNCTION),
    &ears(&mano_catalog::FUNCTION),
    &ears(&mano_inventory::FUNCTION),
    &ears(&mano_adapters::FUNCTION),
];

fn main() -> ExitCode {
    mano_aws::relay(FUNCTIONS)
}
