//! Building the tree of nodes from the parser's events, within the bounds.

use std::sync::Arc;

use indexmap::IndexMap;
use saphyr_parser::{Event, ScalarStyle, Span};

use super::{Node, Notes, Parsed, Value, narrow};
use crate::finding::{Finding, Place};
use crate::limits::Limits;
use crate::rules::archive as rule;

/// Bytes of text that weigh as much as a node.
const NODE_BYTES: usize = 128;
/// Longest key in bytes.
const KEY_BYTES: usize = 1024;

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

/// Builds the tree from the parser's events, counting as it goes.
pub(super) struct Builder<'a> {
    file: Arc<str>,
    limits: &'a Limits,
    open: Vec<Open>,
    anchors: IndexMap<usize, Done>,
    nodes: usize,
    root: Option<Node>,
    notes: Notes,
}

impl<'a> Builder<'a> {
    pub(super) fn new(file: &Arc<str>, limits: &'a Limits) -> Self {
        Self {
            file: Arc::clone(file),
            limits,
            open: vec![],
            anchors: IndexMap::new(),
            nodes: 0,
            root: None,
            notes: vec![],
        }
    }

    /// The document, empty if there was none, what it weighs, and what was noticed.
    pub(super) fn finish(self) -> Parsed {
        let nothing = || {
            let value = Value::Scalar(String::new(), true);
            Node { value, file: Arc::clone(&self.file), line: 1, column: 1 }
        };
        let node = self.root.unwrap_or_else(nothing);
        Parsed { node, nodes: self.nodes, notes: self.notes }
    }

    fn node(&self, value: Value, span: Span) -> Node {
        let (line, column) = (narrow(span.start.line()), narrow(span.start.col() + 1));
        Node { value, file: Arc::clone(&self.file), line, column }
    }

    /// Takes one event; `false` ends the reading.
    pub(super) fn event(&mut self, event: Event<'_>, span: Span) -> Result<bool, Finding> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = matches!(style, ScalarStyle::Plain);
                // Long texts weigh more, or aliases of one could fill the memory.
                let size = 1 + text.len() / NODE_BYTES;
                let node = self.node(Value::Scalar(text.into_owned(), plain), span);
                let line = node.line;
                self.close(Done { node, size, height: 1 }, size, anchor, line)?;
            }
            Event::Alias(anchor) => {
                let line = narrow(span.start.line());
                let Some(done) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.refuse(&rule::YAML_SYNTAX, line, "an alias names no anchor"));
                };
                let copied = done.size;
                self.close(done, copied, 0, line)?;
            }
            Event::SequenceStart(anchor, _) => self.begin(Value::List(vec![]), anchor, span)?,
            Event::MappingStart(anchor, _) => {
                self.begin(Value::Map(IndexMap::new()), anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let line = open.done.node.line;
                    self.close(open.done, 1, open.anchor, line)?;
                }
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                let place = Place::line(Arc::clone(&self.file), narrow(span.start.line()));
                let said = "a second document begins here".to_owned();
                self.notes.push((&rule::YAML_DOCUMENTS, place, said));
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
    fn close(&mut self, done: Done, fresh: usize, anchor: usize, line: u32) -> Result<(), Finding> {
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
                if text.len() > KEY_BYTES {
                    return Err(self.refuse(&rule::YAML_KEY, line, "the key is too long"));
                }
                open.key = Some((text, line));
            }
            Value::Map(map) => {
                let (key, line) = open.key.take().unwrap_or_default();
                insert(map, key, line, node, &mut self.notes);
            }
            Value::Scalar(..) => {}
        }
        Ok(())
    }
}

/// Puts a pair into a map: `<<` merges, a repeated key is reported and the last counts.
fn insert(map: &mut IndexMap<String, Node>, key: String, line: u32, node: Node, notes: &mut Notes) {
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
        notes.push((&rule::YAML_DUPLICATE, place, format!("`{key}` is given twice")));
    }
    map.insert(key, node);
}
