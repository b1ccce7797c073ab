//! Prints the keys (a JWK set) of the issuer that has a seed of 64 hexadecimal digits.

use mano_ports::{door::jwt::mint::Mint, hex::unhex};
use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

fn main() -> ExitCode {
    let seed = env::args().nth(1).and_then(|seed| unhex(&seed)?.try_into().ok());
    let Some(seed) = seed else {
        eprintln!("give a seed of 64 hexadecimal digits");
        return ExitCode::FAILURE;
    };
    let keys = Mint::key_set(&[&Mint::seeded("stories", &seed)]);
    match writeln!(io::stdout(), "{keys}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
