//! Attribute-based filters (SOL013 clause 5.2): which elements of a list a client wants to see.
//!
//! ```text
//!   filter = expr *( ";" expr )                          all must hold
//!   expr   = "(" op "," attribute "," value *( "," value ) ")"
//!   op     = eq | neq | gt | gte | lt | lte | in | nin | cont | ncont
//!   value  = text without ' , )  |  'text with '' for a quote'
//! ```
//!
//! An attribute that an element does not have matches nothing, also not `neq`. A path that
//! leads through an array matches if it does for any element of the array.

mod operand;
mod scan;

use super::{
    path::{Hop, Path},
    shape::Attribute,
};
use crate::Refusal;
use operand::Operand;
use scan::Scan;
use serde_json::Value;
use std::cmp::Ordering;

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    Nin,
    Cont,
    Ncont,
}

impl Op {
    /// Every operator by its name.
    const ALL: [(&'static str, Self); 10] = [
        ("eq", Self::Eq),
        ("neq", Self::Neq),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("in", Self::In),
        ("nin", Self::Nin),
        ("cont", Self::Cont),
        ("ncont", Self::Ncont),
    ];

    /// Whether it takes more than one value.
    const fn many(self) -> bool {
        matches!(self, Self::In | Self::Nin | Self::Cont | Self::Ncont)
    }
}

/// One comparison.
#[derive(Debug, Clone)]
struct Term {
    path: Path,
    op: Op,
    values: Vec<Operand>,
}

/// A filter whose attributes exist in the type and whose values fit them.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

impl Filter {
    /// Longest filter taken, in bytes.
    pub const MAX_BYTES: usize = 8 << 10;
    /// Most expressions taken.
    pub const MAX_TERMS: usize = 64;

    /// Reads a filter, percent-decoded.
    ///
    /// # Errors
    /// A refusal (400) that says what is wrong and at which character.
    pub fn parse(shape: &'static [Attribute], text: &str) -> Result<Self, Refusal> {
        if text.len() > Self::MAX_BYTES {
            let detail = format!("the filter is longer than {} bytes", Self::MAX_BYTES);
            return Err(Refusal::malformed(detail));
        }
        let mut scan = Scan::new(text);
        let mut terms = Vec::new();
        loop {
            terms.push(term(shape, &mut scan)?);
            if terms.len() > Self::MAX_TERMS {
                let detail = format!("the filter has more than {} expressions", Self::MAX_TERMS);
                return Err(Refusal::malformed(detail));
            }
            if scan.end() {
                return Ok(Self { terms });
            }
            scan.expect(';', "';' between two expressions, or the end")?;
        }
    }

    /// Whether an element passes.
    #[must_use]
    pub fn keeps(&self, element: &Value) -> bool {
        self.terms.iter().all(|term| term.holds(element))
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The value that a top-level text attribute must equal, if the filter demands one.
    #[must_use]
    pub fn demands(&self, attribute: &str) -> Option<&str> {
        self.terms.iter().find_map(|term| match (term.op, &term.path.hops[..], &term.values[..]) {
            (Op::Eq, [Hop::Member(name)], [Operand::Text(value)]) if name == attribute => {
                Some(value.as_str())
            }
            _ => None,
        })
    }
}

/// One expression in its parentheses.
fn term(shape: &'static [Attribute], scan: &mut Scan<'_>) -> Result<Term, Refusal> {
    scan.expect('(', "'(' at the beginning of an expression")?;
    let at = scan.position();
    let name = scan.until_comma("the operator")?;
    let op = Op::ALL.iter().find(|(known, _)| *known == name).map(|(_, op)| *op);
    let op = op.ok_or_else(|| {
        scan.refuse_at(
            at,
            &format!("'{name}' is no operator; use one of eq neq gt gte lt lte in nin cont ncont"),
        )
    })?;
    let at = scan.position();
    let attribute = scan.until_comma("the attribute name")?;
    let path =
        Path::parse(shape, attribute).map_err(|refusal| scan.refuse_at(at, &refusal.detail))?;
    operand::fits(path.kind, op)
        .map_err(|why| scan.refuse_at(at, &format!("'{attribute}' {why}")))?;
    let values = values(scan, attribute, &path, op)?;
    Ok(Term { path, op, values })
}

/// The values up to the closing parenthesis.
fn values(
    scan: &mut Scan<'_>,
    attribute: &str,
    path: &Path,
    op: Op,
) -> Result<Vec<Operand>, Refusal> {
    let mut values = Vec::new();
    loop {
        let at = scan.position();
        let text = scan.value()?;
        let value = Operand::of(path.kind, text)
            .map_err(|why| scan.refuse_at(at, &format!("'{attribute}' {why}")))?;
        values.push(value);
        if scan.take(')') {
            return Ok(values);
        }
        if !op.many() {
            return Err(scan.refuse("this operator takes exactly one value, then ')'"));
        }
        scan.expect(',', "',' before another value, or ')'")?;
    }
}

impl Term {
    /// Whether it holds for an element.
    fn holds(&self, element: &Value) -> bool {
        any(element, &self.path.hops, &|leaf| self.accepts(leaf))
    }

    /// Whether it holds for one value at the end of the path.
    fn accepts(&self, leaf: &Value) -> bool {
        let equal = |value: &Operand| value.compare(leaf) == Some(Ordering::Equal);
        let ordered = |test: fn(Ordering) -> bool| {
            self.values.iter().any(|value| value.compare(leaf).is_some_and(test))
        };
        let contains = |value: &Operand| value.within(leaf);
        match self.op {
            Op::Eq | Op::In => self.values.iter().any(equal),
            Op::Neq | Op::Nin => !self.values.iter().any(equal),
            Op::Gt => ordered(Ordering::is_gt),
            Op::Gte => ordered(Ordering::is_ge),
            Op::Lt => ordered(Ordering::is_lt),
            Op::Lte => ordered(Ordering::is_le),
            Op::Cont => self.values.iter().any(contains),
            Op::Ncont => leaf.is_string() && !self.values.iter().any(contains),
        }
    }
}

/// Whether any value that the path leads to passes the test; `null` counts as absent.
fn any(value: &Value, hops: &[Hop], test: &dyn Fn(&Value) -> bool) -> bool {
    match (value, hops) {
        (Value::Null, _) => false,
        (Value::Array(items), _) => items.iter().any(|item| any(item, hops, test)),
        (_, []) => test(value),
        (Value::Object(members), [Hop::Member(name), rest @ ..]) => {
            members.get(name).is_some_and(|member| any(member, rest, test))
        }
        (Value::Object(members), [Hop::Keys, ..]) => {
            members.keys().any(|key| test(&Value::String(key.clone())))
        }
        (Value::Bool(_) | Value::Number(_) | Value::String(_), _) => false,
    }
}

#[cfg(test)]
mod tests;
