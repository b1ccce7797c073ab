//! The inventory as an AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    mano_aws::serve(&mano_inventory::FUNCTION, mano_adapters::vim::drivers)
}
