//! From source text to a tree that is ready to be evaluated.

mod ancestry;
mod lexer;
mod loose;
mod pratt;
mod process;
mod raw;
mod scope;
pub(crate) mod signature;
mod steps;
pub(crate) mod tree;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::{process::Processor, tree::Program};
use crate::error::Error;

/// How deep an expression may nest.
pub(crate) const DEEPEST: u32 = 1_000;
/// The longest source, in bytes.
const LONGEST: usize = 1 << 20;

/// Reads an expression.
pub(crate) fn parse(source: &str) -> Result<Program, Error> {
    if source.len() > LONGEST {
        return Err(too_long());
    }
    let raw = pratt::parse(source).map_err(|fault| fault.into_error(source))?;
    let free: BTreeSet<Arc<str>> = scope::free_variables(&raw);
    let loose: BTreeSet<Arc<str>> = loose::names(&raw);
    let program = Processor::default().program(raw, source);
    let mut program = program.map_err(|fault| fault.into_error(source))?;
    program.free = free.into_iter().collect();
    program.loose = loose.into_iter().collect();
    Ok(program)
}

fn too_long() -> Error {
    let message = format!("The expression is longer than {LONGEST} bytes; make it shorter");
    Error { code: "U1001", message, position: None, token: None }
}
