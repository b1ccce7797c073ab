//! The relay as an AWS Lambda: it tells the listeners of every function what was committed.

use mano_ports::function::Function;
use std::process::ExitCode;

static FUNCTIONS: &[&Function] = &[
    &mano_service_management::FUNCTION,
    &mano_catalog::FUNCTION,
    &mano_inventory::FUNCTION,
    &mano_adapters::FUNCTION,
];

fn main() -> ExitCode {
    mano_aws::relay(FUNCTIONS)
}
