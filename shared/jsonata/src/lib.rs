//! JSONata 2.0.6 as AWS Step Functions runs it, under a budget of steps and bytes.
//!
//! ```text
//! source ──▶ parse ──▶ Expression ──▶ evaluate(input, bindings, host, budget) ──▶ value
//!            once                      often: pure but for what the host answers
//! ```
//!
//! Deliberately absent: `$eval`, a clock, chance, and recursion without a bound.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most rules of the language name a few kinds of values and treat all others alike"
)]

mod bindings;
mod budget;
mod error;
mod evaluate;
mod functions;
mod host;
mod message;
mod parse;
mod regex;
mod sentences;
mod value;

use std::sync::Arc;

pub use self::{
    bindings::Bindings,
    budget::Budget,
    error::Error,
    host::Host,
    value::{Array, Function, NotJson, Object, TextError, Value},
};
use self::{evaluate::Evaluator, parse::tree::Program};

/// An expression, read once; cloning it shares the tree.
#[derive(Clone)]
pub struct Expression {
    program: Arc<Program>,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with the source, with JSONata's code (`S0201`…) and the position.
    pub fn parse(source: &str) -> Result<Self, Error> {
        Ok(Self { program: Arc::new(parse::parse(source)?) })
    }

    /// Evaluates the expression. `None` is JSONata's undefined: the expression returned nothing.
    ///
    /// Without `input`, `$` and `$$` are nothing, as in Step Functions. A variable bound in
    /// `bindings` hides a builtin of that name.
    ///
    /// # Errors
    /// JSONata's own, and `U1001` where `budget` or one of the limits of the crate is spent.
    pub fn evaluate(
        &self,
        input: Option<&Value>,
        bindings: &Bindings,
        host: &dyn Host,
        budget: &mut Budget,
    ) -> Result<Option<Value>, Error> {
        let evaluator = Evaluator::new(&self.program, bindings, host, budget);
        evaluator.run(input).map_err(|fault| fault.into_error(&self.program.source))
    }

    /// The source it was read from.
    pub fn source(&self) -> &str {
        &self.program.source
    }

    /// The variables (without `$`) that the expression uses and does not bind itself, sorted;
    /// builtins are left out.
    pub fn free_variables(&self) -> impl Iterator<Item = &str> {
        self.program.free.iter().map(|name| &**name)
    }

    /// The names that the expression looks up in its input rather than in what it selected itself,
    /// sorted: `a` in `a.b[c]`. Where there is no input they are nothing.
    pub fn names_in_input(&self) -> impl Iterator<Item = &str> {
        self.program.loose.iter().map(|name| &**name)
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expression").field(&self.source()).finish()
    }
}

/// The example of the README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
