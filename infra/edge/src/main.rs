//! The program `mano`: the command line decides what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    mano_edge::cli::run()
}
