//! Service management as an AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    mano_aws::serve(&mano_service_management::FUNCTION, mano_adapters::vim::drivers)
}
