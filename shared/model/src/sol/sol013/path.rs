//! Names of attributes as filters and selectors write them: `a/b/c`, with escapes.

use super::shape::{Attribute, Kind};
use crate::Refusal;

/// One step of a path into a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hop {
    /// A member of an object, or a key of a map.
    Member(String),
    /// The keys of a map themselves (`@key`).
    Keys,
}

/// A path that exists in a type.
#[derive(Debug, Clone)]
pub struct Path {
    /// The steps, from the top.
    pub hops: Vec<Hop>,
    /// What lies at its end.
    pub kind: Kind,
}

impl Path {
    /// Reads `a/b/@key`, checked against the attributes of the type.
    ///
    /// Arrays have no step of their own: what is said of a path holds for any element.
    ///
    /// # Errors
    /// A refusal that names the first part that does not exist.
    pub fn parse(shape: &'static [Attribute], text: &str) -> Result<Self, Refusal> {
        let mut kind = Kind::Object(shape);
        let mut hops = Vec::new();
        for segment in text.split('/') {
            let (hop, next) = step(kind, segment, text)?;
            hops.push(hop);
            kind = next;
        }
        Ok(Self { hops, kind })
    }
}

/// One step from a place in the type.
fn step(from: Kind, segment: &str, whole: &str) -> Result<(Hop, Kind), Refusal> {
    let keys = segment == "@key";
    let name = if keys { String::new() } else { unescape(segment, whole)? };
    match from {
        Kind::MapOf(_) | Kind::Any if keys => Ok((Hop::Keys, Kind::Text)),
        Kind::MapOf(of) => Ok((Hop::Member(name), *of)),
        Kind::Any => Ok((Hop::Member(name), Kind::Any)),
        Kind::Object(attributes) => {
            let found = attributes.iter().find(|attribute| !keys && attribute.name == name);
            let found = found.ok_or_else(|| unknown(segment, whole, attributes))?;
            Ok((Hop::Member(name), found.kind))
        }
        Kind::Text | Kind::Number | Kind::Boolean | Kind::DateTime => {
            Err(Refusal::malformed(format!(
                "in attribute name '{whole}' nothing lies below the simple attribute before '{segment}'"
            )))
        }
    }
}

/// The refusal of a name that the type does not have; it lists those it has.
fn unknown(segment: &str, whole: &str, attributes: &[Attribute]) -> Refusal {
    let names: Vec<_> = attributes.iter().map(|attribute| attribute.name).collect();
    let place = if segment == whole { String::new() } else { format!(" (in '{whole}')") };
    Refusal::malformed(format!(
        "there is no attribute '{segment}'{place} here; there are: {}",
        names.join(", ")
    ))
}

/// A name without its escapes: `~1` is `/`, `~a` is `,`, `~b` is `@`, `~0` is `~`.
pub(super) fn unescape(segment: &str, whole: &str) -> Result<String, Refusal> {
    if segment.is_empty() {
        let detail = format!("attribute name '{whole}' has an empty part; write a/b, not a//b");
        return Err(Refusal::malformed(detail));
    }
    let mut name = String::with_capacity(segment.len());
    let mut rest = segment.chars();
    while let Some(c) = rest.next() {
        name.push(if c == '~' { escaped(rest.next(), whole)? } else { c });
    }
    Ok(name)
}

/// The character an escape stands for.
fn escaped(code: Option<char>, whole: &str) -> Result<char, Refusal> {
    match code {
        Some('0') => Ok('~'),
        Some('1') => Ok('/'),
        Some('a') => Ok(','),
        Some('b') => Ok('@'),
        _ => Err(Refusal::malformed(format!(
            "attribute name '{whole}' has a '~' that begins no escape; those are ~0 ~1 ~a ~b"
        ))),
    }
}
