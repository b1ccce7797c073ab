//! YAML as a small tree in which every node knows its file, line and column, within bounds.
//!
//! No schema is applied while reading: a scalar keeps its text, and whoever asks for a number,
//! a truth value or text gets one or nothing. Aliases are copied, and every copy counts.

use std::sync::Arc;

use indexmap::IndexMap;
use saphyr_parser::Parser;

use crate::finding::{Finding, Place};
use crate::limits::Limits;
use crate::rules::{Mode, Report, archive as rule};

mod build;
mod repair;

/// A node of a YAML document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// File inside the archive.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// The kinds of node.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar's text, and whether it was written without quotes.
    Scalar(String, bool),
    /// A list.
    List(Vec<Node>),
    /// A map in the order written.
    Map(IndexMap<String, Node>),
}

impl Node {
    /// Where the node stands.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::line(Arc::clone(&self.file), self.line)
    }

    /// The value under a key, if this is a map that has it with something in it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key).filter(|node| !node.is_null())
    }

    /// The node at the end of a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Whether it is nothing: empty, `~` or `null`, unquoted.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(text, true)
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// A scalar's text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, _) if !self.is_null() => Some(text),
            Value::Scalar(..) | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// A scalar as a whole number.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_str()?.trim().parse().ok()
    }

    /// A scalar as a truth value, in YAML 1.1's spellings.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.as_str()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(list) => Some(list),
            Value::Scalar(..) | Value::Map(_) => None,
        }
    }

    /// The entries, if it is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&IndexMap<String, Self>> {
        match &self.value {
            Value::Map(map) => Some(map),
            Value::Scalar(..) | Value::List(_) => None,
        }
    }

    /// The entries of a map; nothing for anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.as_map().into_iter().flatten().map(|(key, node)| (key.as_str(), node))
    }

    /// The elements of a list; the node itself if it is a scalar or map; nothing if null.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(list) => list,
            _ if self.is_null() => &[],
            Value::Scalar(..) | Value::Map(_) => std::slice::from_ref(self),
        }
    }

    /// What it is, in a word, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Scalar(..) if self.is_null() => "nothing",
            Value::Scalar(..) => "a value",
        }
    }
}

/// Reads the first document of `text`; `file` is what its places will name.
///
/// # Errors
/// The finding that ended the reading; lesser ones come with the node.
pub fn read(file: &str, text: &str, limits: &Limits) -> Result<(Node, Vec<Finding>), Finding> {
    let mut report = Report::new(Mode::Lenient, limits);
    let parsed = parse(&Arc::from(file), text, limits, &mut report)?;
    Ok((parsed.node, report.warnings))
}

/// Reads the first document of `text`; lines of flow collections may be indented too little.
pub(crate) fn parse(
    file: &Arc<str>,
    text: &str,
    limits: &Limits,
    report: &mut Report,
) -> Result<Parsed, Finding> {
    let mut parsed = match attempt(file, text, limits) {
        Ok(parsed) => parsed,
        Err(first) => match repair::read(file, text, limits, &first) {
            Some((parsed, line)) => {
                let place = Place::line(Arc::clone(file), line);
                report.add(&rule::YAML_INDENT, place, "this line begins too far left");
                parsed
            }
            None => return Err(first),
        },
    };
    for (rule, place, said) in parsed.notes.drain(..) {
        report.add(rule, place, said);
    }
    Ok(parsed)
}

/// A document, and what it weighs in nodes.
pub(crate) struct Parsed {
    pub(crate) node: Node,
    pub(crate) nodes: usize,
    notes: Notes,
}

/// What was noticed while reading.
type Notes = Vec<(&'static crate::rules::Rule, Place, String)>;

/// Reads the text as it is.
fn attempt(file: &Arc<str>, text: &str, limits: &Limits) -> Result<Parsed, Finding> {
    let mut builder = build::Builder::new(file, limits);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|e| {
            let place = Place::line(Arc::clone(file), narrow(e.marker().line()));
            Finding::new(&rule::YAML_SYNTAX, e.info(), place)
        })?;
        if !builder.event(event, span)? {
            break;
        }
    }
    Ok(builder.finish())
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX).max(1)
}
