//! YAML as a small tree in which every node knows its file, line and column, within bounds.
//!
//! No schema is applied while reading: a scalar keeps its text, and whoever asks for a number,
//! a truth value or text gets one or nothing. Aliases are copied, and every copy counts.

use std::sync::Arc;

use indexmap::IndexMap;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::finding::{Finding, Place};
use crate::limits::Limits;
use crate::rules::{Report, archive as rule};

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

/// A complete node with how many nodes it has and how deep they nest.
#[derive(Clone)]
struct Done {
    node: Node,
    size: usize,
    height: usize,
}

/// A list or map under construction.
struct Open {
    done: Done,
    /// The key that waits for its value.
    key: Option<(String, u32)>,
    anchor: usize,
}

struct Builder<'a> {
    file: Arc<str>,
    limits: &'a Limits,
    open: Vec<Open>,
    anchors: IndexMap<usize, Done>,
    nodes: usize,
    root: Option<Node>,
    report: &'a mut Report,
}

/// Reads the first document of `text`.
pub(crate) fn parse(
    file: &Arc<str>,
    text: &str,
    limits: &Limits,
    report: &mut Report,
) -> Result<Node, Finding> {
    let mut builder = Builder {
        file: Arc::clone(file),
        limits,
        open: vec![],
        anchors: IndexMap::new(),
        nodes: 0,
        root: None,
        report,
    };
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
    Ok(builder.root.unwrap_or_else(|| null(file)))
}

fn null(file: &Arc<str>) -> Node {
    Node {
        value: Value::Scalar(String::new(), true),
        file: Arc::clone(file),
        line: 1,
        column: 1,
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX).max(1)
}

impl Builder<'_> {
    fn node(&self, value: Value, span: Span) -> Node {
        let (line, column) = (narrow(span.start.line()), narrow(span.start.col() + 1));
        Node { value, file: Arc::clone(&self.file), line, column }
    }

    /// Takes one event; `false` ends the reading.
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<bool, Finding> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = matches!(style, ScalarStyle::Plain);
                let node = self.node(Value::Scalar(text.into_owned(), plain), span);
                self.close(Done { node, size: 1, height: 1 }, 1, anchor)?;
            }
            Event::Alias(anchor) => {
                let line = narrow(span.start.line());
                let Some(done) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.refuse(&rule::YAML_SYNTAX, line, "an alias names no anchor"));
                };
                let copied = done.size;
                self.close(done, copied, 0)?;
            }
            Event::SequenceStart(anchor, _) => self.begin(Value::List(vec![]), anchor, span)?,
            Event::MappingStart(anchor, _) => {
                self.begin(Value::Map(IndexMap::new()), anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.close(open.done, 1, open.anchor)?;
                }
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                let place = Place::line(Arc::clone(&self.file), narrow(span.start.line()));
                self.report.add(&rule::YAML_DOCUMENTS, place, "a second document begins here");
                return Ok(false);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(true)
    }

    fn refuse(&self, rule: &crate::rules::Rule, line: u32, said: &str) -> Finding {
        Finding::new(rule, said, Place::line(Arc::clone(&self.file), line))
    }

    fn begin(&mut self, value: Value, anchor: usize, span: Span) -> Result<(), Finding> {
        let node = self.node(value, span);
        if self.open.len() >= self.limits.yaml_depth {
            return Err(self.refuse(&rule::YAML_TOO_MUCH, node.line, "nested too deeply"));
        }
        let done = Done { node, size: 1, height: 1 };
        self.open.push(Open { done, key: None, anchor });
        Ok(())
    }

    /// A node is complete: it goes into what is open, or is the document.
    ///
    /// `fresh` says how many nodes it adds to those already counted: a list's parts were counted
    /// one by one, a copied anchor's were not.
    fn close(&mut self, done: Done, fresh: usize, anchor: usize) -> Result<(), Finding> {
        let line = done.node.line;
        let kept = if anchor == 0 { 0 } else { done.size };
        self.nodes = self.nodes.saturating_add(fresh).saturating_add(kept);
        if self.nodes > self.limits.yaml_nodes {
            return Err(self.refuse(&rule::YAML_TOO_MUCH, line, "too many nodes"));
        }
        if self.open.len() + done.height > self.limits.yaml_depth {
            return Err(self.refuse(&rule::YAML_TOO_MUCH, line, "nested too deeply"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, done.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(done.node);
            return Ok(());
        };
        open.done.size = open.done.size.saturating_add(done.size);
        open.done.height = open.done.height.max(done.height + 1);
        let node = done.node;
        match &mut open.done.node.value {
            Value::List(list) => list.push(node),
            Value::Map(_) if open.key.is_none() => {
                let Value::Scalar(text, _) = node.value else {
                    return Err(self.refuse(&rule::YAML_KEY, line, "the key is a list or a map"));
                };
                open.key = Some((text, line));
            }
            Value::Map(map) => {
                let (key, line) = open.key.take().unwrap_or_default();
                insert(map, key, line, node, self.report);
            }
            Value::Scalar(..) => {}
        }
        Ok(())
    }
}

/// Puts a pair into a map: `<<` merges, a repeated key is reported and the last counts.
fn insert(map: &mut IndexMap<String, Node>, key: String, line: u32, node: Node, r: &mut Report) {
    if key == "<<" && !matches!(node.value, Value::Scalar(..)) {
        for source in node.items() {
            for (name, value) in source.entries() {
                map.entry(name.to_owned()).or_insert_with(|| value.clone());
            }
        }
        return;
    }
    if map.contains_key(&key) {
        let place = Place::line(Arc::clone(&node.file), line);
        r.add(&rule::YAML_DUPLICATE, place, format!("`{key}` is given twice"));
    }
    map.insert(key, node);
}
