//! The contract's function as a Lambda binary, for the laws of the workflow engine.

use mano_ports::contract::FUNCTION;
use std::process::ExitCode;

fn main() -> ExitCode {
    mano_aws::serve(&FUNCTION, mano_aws::no_vims)
}
