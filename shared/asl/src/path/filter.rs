//! Filters inside a path: `[?(@.status == 0 && @.name =~ /a.*/i)]`.

use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{Path, eval::Found, parse::Cursor};

/// Deepest nesting of parentheses.
const MAX_NESTING: usize = 32;
/// Largest compiled pattern, in bytes.
const MAX_PATTERN: usize = 1 << 20;

/// A condition on one item.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Exists(Operand),
    Compare(Operand, Operator, Operand),
    Matches(Operand, Regex),
}

/// A side of a comparison.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// `@…`
    Item(Path),
    /// `$…`
    Root(Path),
    Literal(Value),
}

/// How two sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Contains,
    SubsetOf,
    AnyOf,
    NoneOf,
    Size,
    Empty,
}

/// Longer names first: `<=` before `<`.
const OPERATORS: [(&str, Operator); 16] = [
    ("===", Operator::Equal),
    ("!==", Operator::NotEqual),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("in ", Operator::In),
    ("nin ", Operator::NotIn),
    ("contains ", Operator::Contains),
    ("subsetof ", Operator::SubsetOf),
    ("anyof ", Operator::AnyOf),
    ("noneof ", Operator::NoneOf),
    ("size ", Operator::Size),
    ("empty ", Operator::Empty),
];

impl Filter {
    /// Reads `( … )`.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.expect("(")?;
        let filter = or(cursor, 0)?;
        cursor.expect(")")?;
        Some(filter)
    }

    /// Whether an item fulfils the condition.
    pub(super) fn accepts(&self, root: &Value, item: &Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.accepts(root, item)),
            Self::Or(parts) => parts.iter().any(|part| part.accepts(root, item)),
            Self::Not(part) => !part.accepts(root, item),
            Self::Exists(operand) => operand.value(root, item).is_some(),
            Self::Compare(left, operator, right) => {
                compare(left.value(root, item), *operator, right.value(root, item))
            }
            Self::Matches(left, regex) => left
                .value(root, item)
                .and_then(|value| value.as_str().map(|text| regex.is_match(text)))
                .unwrap_or(false),
        }
    }
}

impl Operand {
    fn value(&self, root: &Value, item: &Value) -> Option<Value> {
        let (path, from) = match self {
            Self::Literal(value) => return Some(value.clone()),
            Self::Item(path) => (path, item),
            Self::Root(path) => (path, root),
        };
        match path.get(from).ok()? {
            Found::Many(values) if values.is_empty() => None,
            found @ (Found::One(_) | Found::Many(_) | Found::Made(_)) => Some(found.into_value()),
        }
    }
}

fn compare(left: Option<Value>, operator: Operator, right: Option<Value>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return operator == Operator::NotEqual;
    };
    let order = || order(&left, &right);
    match operator {
        Operator::Equal => equal(&left, &right),
        Operator::NotEqual => !equal(&left, &right),
        Operator::Less => order() == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order() == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
        Operator::In => holds(&right, &left),
        Operator::NotIn => !holds(&right, &left),
        Operator::Contains => match (&left, &right) {
            (Value::String(text), Value::String(part)) => text.contains(part),
            _ => holds(&left, &right),
        },
        Operator::SubsetOf => items(&left).iter().all(|item| holds(&right, item)),
        Operator::AnyOf => items(&left).iter().any(|item| holds(&right, item)),
        Operator::NoneOf => !items(&left).iter().any(|item| holds(&right, item)),
        Operator::Size => size(&left).is_some_and(|size| right.as_u64() == Some(size)),
        Operator::Empty => right.as_bool() == size(&left).map(|size| size == 0),
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn holds(list: &Value, value: &Value) -> bool {
    items(list).iter().any(|item| equal(item, value))
}

fn size(value: &Value) -> Option<u64> {
    let length = match value {
        Value::Array(items) => items.len(),
        Value::String(text) => text.chars().count(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    u64::try_from(length).ok()
}

/// Equality of JSON values where `1` equals `1.0`.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => order(left, right) == Some(Ordering::Equal),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, l)| right.get(name).is_some_and(|r| equal(l, r)))
        }
        _ => left == right,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(l), Value::Number(r)) => match (l.as_i64(), r.as_i64()) {
            (Some(l), Some(r)) => Some(l.cmp(&r)),
            _ => l.as_f64()?.partial_cmp(&r.as_f64()?),
        },
        (Value::String(l), Value::String(r)) => Some(l.cmp(r)),
        _ => None,
    }
}

fn or(cursor: &mut Cursor<'_>, depth: usize) -> Option<Filter> {
    let mut parts = vec![and(cursor, depth)?];
    while cursor.take("||") {
        parts.push(and(cursor, depth)?);
    }
    if parts.len() == 1 { parts.pop() } else { Some(Filter::Or(parts)) }
}

fn and(cursor: &mut Cursor<'_>, depth: usize) -> Option<Filter> {
    let mut parts = vec![term(cursor, depth)?];
    while cursor.take("&&") {
        parts.push(term(cursor, depth)?);
    }
    if parts.len() == 1 { parts.pop() } else { Some(Filter::And(parts)) }
}

fn term(cursor: &mut Cursor<'_>, depth: usize) -> Option<Filter> {
    if depth > MAX_NESTING {
        return None;
    }
    cursor.spaces();
    let filter = if cursor.take("!") {
        Filter::Not(Box::new(term(cursor, depth + 1)?))
    } else if cursor.take("(") {
        let inner = or(cursor, depth + 1)?;
        cursor.expect(")")?;
        inner
    } else {
        comparison(cursor)?
    };
    cursor.spaces();
    Some(filter)
}

fn comparison(cursor: &mut Cursor<'_>) -> Option<Filter> {
    let left = operand(cursor)?;
    cursor.spaces();
    if cursor.take("=~") {
        cursor.spaces();
        return Some(Filter::Matches(left, pattern(cursor)?));
    }
    let operator = OPERATORS.iter().find(|(name, _)| cursor.take(name));
    let Some((_, operator)) = operator else {
        return matches!(left, Operand::Item(_) | Operand::Root(_)).then_some(Filter::Exists(left));
    };
    cursor.spaces();
    Some(Filter::Compare(left, *operator, operand(cursor)?))
}

fn operand(cursor: &mut Cursor<'_>) -> Option<Operand> {
    let start = cursor.peek()?;
    if matches!(start, '@' | '$') {
        let (segments, function) = cursor.path_after_root(true)?;
        let path = Path { source: String::new(), segments, function };
        return Some(if start == '@' { Operand::Item(path) } else { Operand::Root(path) });
    }
    literal(cursor).map(Operand::Literal)
}

fn literal(cursor: &mut Cursor<'_>) -> Option<Value> {
    match cursor.peek()? {
        '\'' | '"' => cursor.quoted().map(Value::String),
        '[' => {
            cursor.bump();
            let mut items = Vec::new();
            loop {
                cursor.spaces();
                if cursor.take("]") {
                    return Some(Value::Array(items));
                }
                items.push(literal(cursor).filter(|item| !item.is_array())?);
                cursor.spaces();
                cursor.take(",");
            }
        }
        _ => {
            let word = cursor.until(|c| matches!(c, ')' | ']' | ',' | '&' | '|' | ' '));
            serde_json::from_str(word).ok()
        }
    }
}

/// `/pattern/flags`; like Java's `matches`, the whole text must match.
fn pattern(cursor: &mut Cursor<'_>) -> Option<Regex> {
    cursor.expect("/")?;
    let mut source = String::new();
    loop {
        match cursor.bump()? {
            '\\' if cursor.peek() == Some('/') => {}
            '\\' => {
                source.push('\\');
                source.push(cursor.bump()?);
            }
            '/' => break,
            c => source.push(c),
        }
    }
    let flags = cursor.until(|c| !c.is_ascii_alphabetic());
    RegexBuilder::new(&format!("^(?:{source})$"))
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('s'))
        .size_limit(MAX_PATTERN)
        .build()
        .ok()
}
