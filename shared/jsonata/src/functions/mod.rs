//! The builtins: one table of names, signatures and what they do.

pub(crate) mod arguments;
mod array;
mod aws;
mod base64;
mod date;
mod date_parts;
mod date_read;
mod format_number;
mod higher_order;
mod integer;
mod integer_read;
mod matching;
mod number;
mod object;
mod picture;
pub(crate) mod regex;
mod replace;
mod signs;
pub(crate) mod string;
mod table;
mod url;
mod words;

use std::sync::OnceLock;

use crate::{
    error::Outcome, evaluate::Evaluator, parse::signature::Arguments, parse::signature::Signature,
    value::Value,
};

/// A builtin, by its place in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Builtin(u8);

/// What a builtin does with checked arguments.
pub(crate) type Run = fn(&mut Evaluator<'_>, &Arguments) -> Outcome<Option<Value>>;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    signature: &'static str,
    /// How many arguments higher-order functions hand it.
    pub(crate) arity: u8,
    /// How many it has for a partial application.
    pub(crate) params: u8,
    pub(crate) run: Run,
    read: OnceLock<Signature>,
}

impl Builtin {
    pub(crate) fn row(self) -> &'static Row {
        &table::TABLE[usize::from(self.0)]
    }
}

impl Row {
    pub(crate) fn signature(&self) -> &Signature {
        self.read.get_or_init(|| known(self.signature))
    }
}

/// A signature of our own.
fn known(text: &str) -> Signature {
    #[expect(
        clippy::expect_used,
        reason = "the table's signatures are constants, all read by a test"
    )]
    Signature::parse(text).map_err(|_| text).expect("every signature of the table is well formed")
}

/// The signature of every transform.
pub(crate) fn transform_signature() -> &'static Signature {
    static READ: OnceLock<Signature> = OnceLock::new();
    READ.get_or_init(|| known("<(oa):o>"))
}

/// The builtin of that name.
pub(crate) fn find(name: &str) -> Option<Builtin> {
    let place = table::TABLE.iter().position(|row| row.name == name)?;
    u8::try_from(place).ok().map(Builtin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_of_the_table_is_well_formed() {
        for row in &table::TABLE {
            row.signature();
            assert_eq!(find(row.name).map(|found| found.row().name), Some(row.name));
        }
        transform_signature();
    }
}
