//! No descriptor has thousands of parts: what has is refused before anyone counts with it.
//!
//! Later code may therefore compare every part with every other.

use super::{Document, Templates};
use crate::finding::{Finding, Place};
use crate::rules::descriptor as rule;
use crate::yaml::{Node, Value};

/// Most node templates, policies, groups or inputs of one template.
const PARTS: usize = 2_000;
/// Most requirements, artifacts or capabilities of one node, and mappings of one substitution.
const OF_ONE: usize = 200;
/// Most targets of all policies and members of all groups together.
const TARGETS: usize = 20_000;
/// Longest name of what has one in records, in bytes: a table's key holds some of them.
const NAME_BYTES: usize = 255;
/// Longest text, in bytes, that a default may bring into many places.
const DEFAULT_BYTES: usize = 4_096;

/// Refuses templates with more parts than any real one.
pub(super) fn check(templates: &Templates) -> Result<(), Finding> {
    templates.documents.iter().try_for_each(document)
}

fn refuse(node: &Node, what: &str, count: usize, most: usize) -> Finding {
    let said = format!("{count} {what}, at most {most} are read");
    Finding::new(&rule::TOO_MUCH, said, node.place())
}

fn most(node: Option<&Node>, what: &str, most: usize) -> Result<(), Finding> {
    let Some(node) = node else { return Ok(()) };
    let count = match &node.value {
        Value::List(list) => list.iter().map(|n| n.as_map().map_or(1, |m| m.len())).sum(),
        Value::Map(map) => map.len(),
        Value::Scalar(..) => 1,
    };
    if count > most { Err(refuse(node, what, count, most)) } else { Ok(()) }
}

fn document(document: &Document) -> Result<(), Finding> {
    for (_, section) in document.root.entries().filter(|(key, _)| key.ends_with("_types")) {
        for (_, node) in section.entries() {
            defaults(node.get("properties"))?;
        }
    }
    let Some(topology) = document.topology() else { return Ok(()) };
    for section in ["node_templates", "policies", "groups", "inputs"] {
        most(topology.get(section), section, PARTS)?;
    }
    defaults(topology.get("inputs"))?;
    most(topology.at(&["substitution_mappings", "requirements"]), "mappings", PARTS)?;
    let nodes = topology.get("node_templates").into_iter().flat_map(Node::entries);
    for (name, node) in nodes {
        named(name, "the name of this node template", node.place())?;
        for section in ["requirements", "artifacts", "capabilities"] {
            most(node.get(section), section, OF_ONE)?;
        }
    }
    targets(topology)
}

/// Refuses what is too long for a name.
pub(crate) fn named(name: &str, what: &str, place: Place) -> Result<(), Finding> {
    if name.len() <= NAME_BYTES {
        return Ok(());
    }
    let said = format!("{what} has {} bytes, at most {NAME_BYTES} are taken", name.len());
    Err(Finding::new(&rule::TOO_MUCH, said, place))
}

fn targets(topology: &Node) -> Result<(), Finding> {
    let mut count = 0;
    for (section, key) in [("policies", "targets"), ("groups", "members")] {
        let parts = topology.get(section).map_or(&[][..], Node::items);
        for (_, part) in parts.iter().flat_map(Node::entries) {
            count += part.get(key).map_or(0, |n| n.items().len());
        }
    }
    if count > TARGETS { Err(refuse(topology, "targets", count, TARGETS)) } else { Ok(()) }
}

/// A default is copied wherever nothing else is given, so it must be short.
fn defaults(declared: Option<&Node>) -> Result<(), Finding> {
    for (_, declaration) in declared.into_iter().flat_map(Node::entries) {
        let Some(default) = declaration.get("default") else { continue };
        let long = longest(default);
        if long > DEFAULT_BYTES {
            return Err(refuse(default, "bytes in a default", long, DEFAULT_BYTES));
        }
    }
    Ok(())
}

fn longest(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(text, _) => text.len(),
        Value::List(list) => list.iter().map(longest).max().unwrap_or(0),
        Value::Map(map) => map.values().map(longest).max().unwrap_or(0),
    }
}
