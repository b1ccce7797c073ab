//! The catalog as an AWS Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    mano_aws::serve(&mano_catalog::FUNCTION, mano_aws::no_vims)
}
