//! Deciding which rule of a Choice holds.

use std::cmp::Ordering;

use serde_json::Value;

use crate::{
    env::Env,
    expression::Expression,
    fault::Fault,
    query::Query,
    time::{self, Nanos},
};

/// The condition of a rule.
#[derive(Debug)]
pub(crate) enum Test {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare(Comparison),
    /// JSONata's `Condition`.
    Condition(Expression),
    /// JSONata's `Condition`, written as `true` or `false`.
    Fixed(bool),
}

/// One comparison of a variable.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) variable: Query,
    pub(crate) operator: Operator,
    pub(crate) against: Against,
}

/// What a variable is compared with.
#[derive(Debug)]
pub(crate) enum Against {
    Value(Value),
    Instant(Nanos),
    Pattern(Vec<Glob>),
    Path(Query),
}

/// A piece of a `StringMatches` pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Glob {
    Text(String),
    Any,
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Text(Order),
    Number(Order),
    Instant(Order),
    Boolean,
    Matches,
    Is(Is),
}

/// How two ordered values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

/// What a value is tested for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    Null,
    Present,
    Numeric,
    String,
    Boolean,
    Timestamp,
}

impl Operator {
    /// The operator of a field's name, and whether it compares with a path.
    pub(crate) fn parse(name: &str) -> Option<(Self, bool)> {
        let is = |is| Some((Self::Is(is), false));
        match name {
            "IsNull" => return is(Is::Null),
            "IsPresent" => return is(Is::Present),
            "IsNumeric" => return is(Is::Numeric),
            "IsString" => return is(Is::String),
            "IsBoolean" => return is(Is::Boolean),
            "IsTimestamp" => return is(Is::Timestamp),
            "StringMatches" => return Some((Self::Matches, false)),
            _ => {}
        }
        let (name, is_path) = match name.strip_suffix("Path") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let make: fn(Order) -> Self;
        let order = if let Some(order) = name.strip_prefix("String") {
            make = Self::Text;
            order
        } else if let Some(order) = name.strip_prefix("Numeric") {
            make = Self::Number;
            order
        } else if let Some(order) = name.strip_prefix("Timestamp") {
            make = Self::Instant;
            order
        } else {
            return (name == "BooleanEquals").then_some((Self::Boolean, is_path));
        };
        let order = match order {
            "Equals" => Order::Equals,
            "LessThan" => Order::LessThan,
            "GreaterThan" => Order::GreaterThan,
            "LessThanEquals" => Order::LessThanEquals,
            "GreaterThanEquals" => Order::GreaterThanEquals,
            _ => return None,
        };
        Some((make(order), is_path))
    }

    /// The kind of value the operator's field must hold.
    pub(crate) fn expects(self) -> &'static str {
        match self {
            Self::Text(_) | Self::Matches => "String",
            Self::Number(_) => "Number",
            Self::Instant(_) => "Timestamp",
            Self::Boolean | Self::Is(_) => "Boolean",
        }
    }

    /// Whether a literal is of that kind.
    pub(crate) fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text(_) | Self::Matches => value.is_string(),
            Self::Number(_) => value.is_number(),
            Self::Instant(_) => value.as_str().and_then(time::parse).is_some(),
            Self::Boolean | Self::Is(_) => value.is_boolean(),
        }
    }

    /// A fitting literal, prepared for comparing.
    pub(crate) fn against(self, value: &Value) -> Against {
        match (self, value.as_str()) {
            (Self::Matches, Some(text)) => Against::Pattern(pattern(text)),
            (Self::Instant(_), Some(text)) => {
                time::parse(text).map_or_else(|| Against::Value(value.clone()), Against::Instant)
            }
            _ => Against::Value(value.clone()),
        }
    }
}

impl Test {
    /// Whether the condition holds.
    pub(crate) fn holds(&self, env: &Env<'_>) -> Result<bool, Fault> {
        match self {
            Self::And(tests) => {
                for test in tests {
                    if !test.holds(env)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(tests) => {
                for test in tests {
                    if test.holds(env)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(test) => test.holds(env).map(|holds| !holds),
            Self::Compare(comparison) => comparison.holds(env),
            Self::Fixed(fixed) => Ok(*fixed),
            Self::Condition(condition) => {
                let value = condition.value(env)?;
                value.as_bool().ok_or_else(|| condition.unexpected("boolean", &value))
            }
        }
    }
}

impl Comparison {
    fn holds(&self, env: &Env<'_>) -> Result<bool, Fault> {
        if self.operator == Operator::Is(Is::Present) {
            let present = self.variable.visit(env, |_| ()).is_ok();
            return Ok(self.wanted() == present);
        }
        if let Against::Path(path) = &self.against {
            let other = path.value(env).map_err(|_| invalid(path))?;
            return self
                .variable
                .visit(env, |value| self.compare(value, &self.operator.against(&other)))
                .map_err(|_| invalid(&self.variable));
        }
        self.variable
            .visit(env, |value| self.compare(value, &self.against))
            .map_err(|_| invalid(&self.variable))
    }

    fn wanted(&self) -> bool {
        matches!(self.against, Against::Value(Value::Bool(true)))
    }

    fn compare(&self, value: &Value, against: &Against) -> bool {
        match (self.operator, against) {
            (Operator::Text(order), Against::Value(Value::String(other))) => {
                // Java compares strings by UTF-16 units.
                value.as_str().is_some_and(|text| {
                    order.accepts(text.encode_utf16().cmp(other.encode_utf16()))
                })
            }
            (Operator::Number(order), Against::Value(other)) => {
                numbers(value, other).is_some_and(|found| order.accepts(found))
            }
            (Operator::Instant(order), Against::Instant(other)) => value
                .as_str()
                .and_then(time::parse)
                .is_some_and(|instant| order.accepts(instant.cmp(other))),
            (Operator::Boolean, Against::Value(other)) => value.is_boolean() && value == other,
            (Operator::Matches, Against::Pattern(globs)) => {
                value.as_str().is_some_and(|text| matches(globs, text))
            }
            (Operator::Is(is), _) => is.accepts(value) == self.wanted(),
            _ => false,
        }
    }
}

/// The fault of a path in a comparison that selects nothing.
fn invalid(path: &Query) -> Fault {
    Fault::runtime(format!(
        "Invalid path '{}': The choice state's condition path references an invalid value.",
        path.source()
    ))
}

impl Order {
    fn accepts(self, found: Ordering) -> bool {
        match self {
            Self::Equals => found.is_eq(),
            Self::LessThan => found.is_lt(),
            Self::GreaterThan => found.is_gt(),
            Self::LessThanEquals => found.is_le(),
            Self::GreaterThanEquals => found.is_ge(),
        }
    }
}

impl Is {
    fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Present => true,
            Self::Numeric => value.is_number(),
            Self::String => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Timestamp => value.as_str().and_then(time::parse).is_some(),
        }
    }
}

fn numbers(left: &Value, right: &Value) -> Option<Ordering> {
    let (left, right) = (left.as_number()?, right.as_number()?);
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

/// Takes a pattern apart: `*` is any run, `\*` and `\\` are themselves.
fn pattern(text: &str) -> Vec<Glob> {
    let mut globs = Vec::new();
    let mut run = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '*' => {
                globs.push(Glob::Text(std::mem::take(&mut run)));
                globs.push(Glob::Any);
            }
            '\\' => run.push(characters.next().unwrap_or('\\')),
            c => run.push(c),
        }
    }
    globs.push(Glob::Text(run));
    globs
}

/// Whether the whole text matches: the first piece at the start, the last at the end, the others
/// as early as possible in between.
fn matches(globs: &[Glob], text: &str) -> bool {
    let texts: Vec<&str> = globs
        .iter()
        .filter_map(|glob| match glob {
            Glob::Text(text) => Some(text.as_str()),
            Glob::Any => None,
        })
        .collect();
    let [first, middle @ .., last] = &texts[..] else {
        return texts.first().is_some_and(|only| *only == text);
    };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_text() {
        for (globs, text, expected) in [
            ("log-*.txt", "log-7.txt", true),
            ("log-*.txt", "log-.txt", true),
            ("log-*.txt", "a log-7.txt", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "acb", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("\\\\*", "\\path", true),
            ("*", "", true),
            ("", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(&pattern(globs), text), expected, "{globs} on {text}");
        }
    }

    #[test]
    fn every_operator_is_known_by_its_name() {
        let mut known = 0;
        for kind in ["String", "Numeric", "Timestamp"] {
            for order in
                ["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"]
            {
                for path in ["", "Path"] {
                    known +=
                        usize::from(Operator::parse(&format!("{kind}{order}{path}")).is_some());
                }
            }
        }
        for name in [
            "BooleanEquals",
            "BooleanEqualsPath",
            "StringMatches",
            "IsNull",
            "IsPresent",
            "IsNumeric",
            "IsString",
            "IsBoolean",
            "IsTimestamp",
        ] {
            known += usize::from(Operator::parse(name).is_some());
        }
        assert_eq!(known, 39);
        assert!(Operator::parse("BooleanLessThan").is_none());
        assert!(Operator::parse("Next").is_none());
    }
}
