//! One topology as a whole: its node templates, policies and groups, with inputs filled in.

use std::sync::Arc;

use crate::finding::{Located, Place};
use crate::rules::{Report, descriptor as rule};
use crate::template::Document;
use crate::types::{Kind, Types};
use crate::yaml::Node;

/// A node template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeTemplate<'a> {
    pub(crate) name: &'a str,
    pub(crate) type_name: &'a str,
    pub(crate) node: &'a Node,
}

/// A policy or a group.
#[derive(Debug, Clone)]
pub(crate) struct Policy<'a> {
    pub(crate) name: &'a str,
    pub(crate) type_name: &'a str,
    pub(crate) node: &'a Node,
    /// Targets of a policy, members of a group.
    pub(crate) targets: Vec<&'a str>,
}

/// A topology, possibly spread over files.
#[derive(Debug)]
pub(crate) struct Topology<'a> {
    pub(crate) types: &'a Types,
    pub(crate) documents: Vec<&'a Document>,
    pub(crate) nodes: Vec<NodeTemplate<'a>>,
    pub(crate) policies: Vec<Policy<'a>>,
    pub(crate) groups: Vec<Policy<'a>>,
}

/// How often an input's default may name another input.
const INPUT_DEPTH: usize = 8;

fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    node.get(key).and_then(Node::as_str).unwrap_or_default()
}

fn policy<'a>(name: &'a str, node: &'a Node, key: &str) -> Policy<'a> {
    let targets = node.get(key).map_or(&[][..], Node::items);
    let targets = targets.iter().filter_map(Node::as_str).collect();
    Policy { name, type_name: text(node, "type"), node, targets }
}

impl<'a> Topology<'a> {
    pub(super) fn new(types: &'a Types, documents: Vec<&'a Document>) -> Self {
        let sections = |key: &'static str| {
            let topologies: Vec<&'a Node> = documents.iter().filter_map(|d| d.topology()).collect();
            topologies.into_iter().filter_map(move |t| t.get(key))
        };
        let nodes = sections("node_templates")
            .flat_map(Node::entries)
            .map(|(name, node)| NodeTemplate { name, type_name: text(node, "type"), node })
            .collect();
        // A list of single-key maps by the standard; a map is understood as well.
        let policies = sections("policies")
            .flat_map(Node::items)
            .flat_map(Node::entries)
            .map(|(name, node)| policy(name, node, "targets"))
            .collect();
        let groups = sections("groups")
            .flat_map(Node::items)
            .flat_map(Node::entries)
            .map(|(name, node)| policy(name, node, "members"))
            .collect();
        Self { types, documents, nodes, policies, groups }
    }

    pub(crate) fn node(&self, name: &str) -> Option<NodeTemplate<'a>> {
        self.nodes.iter().find(|n| n.name == name).copied()
    }

    /// Whether a node template is of a type or of one derived from it.
    pub(crate) fn is_a(&self, node: &NodeTemplate<'_>, ancestor: &str) -> bool {
        self.types.is_a(Kind::Node, node.type_name, ancestor)
    }

    pub(crate) fn of_type<'s>(
        &'s self,
        ancestor: &'s str,
    ) -> impl Iterator<Item = NodeTemplate<'a>> + 's {
        self.nodes.iter().copied().filter(move |n| self.is_a(n, ancestor))
    }

    pub(crate) fn policies_of<'s>(
        &'s self,
        ancestor: &'s str,
    ) -> impl Iterator<Item = &'s Policy<'a>> + 's {
        self.policies.iter().filter(|p| self.types.is_a(Kind::Policy, p.type_name, ancestor))
    }

    /// The node templates a policy is for; a group stands for its members.
    pub(crate) fn members(&self, policy: &Policy<'a>) -> Vec<&'a str> {
        let members = |name: &&'a str| match self.groups.iter().find(|g| g.name == *name) {
            Some(group) => group.targets.clone(),
            None => vec![*name],
        };
        policy.targets.iter().flat_map(members).collect()
    }

    /// The level of a flavour that policies of this type call the default; else the first.
    pub(crate) fn default_level(
        &self,
        policy: &str,
        levels: &[&str],
        (flavour, file): (&str, &Arc<str>),
        report: &mut Report,
    ) -> String {
        let mut policies = self.policies_of(policy);
        let node = policies.find_map(|p| p.node.at(&["properties", "default_level"]));
        let named = node.and_then(Node::as_str);
        let known = named.filter(|name| levels.contains(name));
        if let (Some(name), Some(node), None) = (named, node, known) {
            report.add(&rule::LEVEL_UNKNOWN, node.place(), format!("default_level `{name}`"));
        }
        if named.is_none() && levels.len() > 1 {
            let place = Place::file(Arc::clone(file));
            report.add(&rule::NO_DEFAULT_LEVEL, place, format!("flavour `{flavour}`"));
        }
        known.or(levels.first().copied()).unwrap_or("default").to_owned()
    }

    /// The node, or what `get_input` brings in its place; `None` for an input without default.
    pub(crate) fn resolve(&self, node: &'a Node) -> Option<&'a Node> {
        let mut node = node;
        for _ in 0..INPUT_DEPTH {
            let Some(input) = input_name(node) else {
                return Some(node).filter(|n| !n.is_null());
            };
            node = self.input(input)?.get("default")?;
        }
        None
    }

    /// The text of a value, which may be that of an input's default.
    pub(crate) fn resolved_text(&self, node: &Node) -> Option<String> {
        let mut node = node;
        for _ in 0..INPUT_DEPTH {
            let Some(input) = input_name(node) else { return node.as_str().map(str::to_owned) };
            node = self.input(input)?.get("default")?;
        }
        None
    }

    /// The declaration of an input.
    pub(crate) fn input(&self, name: &str) -> Option<&'a Node> {
        self.documents.iter().find_map(|d| d.topology()?.at(&["inputs"])?.as_map()?.get(name))
    }

    /// A property of a node template, else its type's default.
    pub(crate) fn property(&self, node: &NodeTemplate<'a>, name: &str) -> Option<&'a Node> {
        let own = node.node.get("properties").and_then(|p| p.get(name));
        own.and_then(|n| self.resolve(n)).or_else(|| self.default(node.type_name, name))
    }

    /// The default that a node type declares for a property.
    pub(crate) fn default(&self, type_name: &str, name: &str) -> Option<&'a Node> {
        let types: &'a Types = self.types;
        let default = types.property(Kind::Node, type_name, name)?.default.as_ref()?;
        Some(default).filter(|d| !d.is_null())
    }

    /// Walks into a node, filling in inputs on the way.
    pub(crate) fn at(&self, node: &'a Node, path: &[&str]) -> Option<&'a Node> {
        let mut node = self.resolve(node)?;
        for key in path {
            node = self.resolve(node.get(key)?)?;
        }
        Some(node)
    }

    /// A property's text and place.
    pub(crate) fn text(&self, node: &NodeTemplate<'a>, name: &str) -> Option<Located<String>> {
        located(self.property(node, name)?)
    }

    /// The targets of a requirement with their names, in order, in any notation.
    pub(crate) fn requirements(&self, node: &NodeTemplate<'a>) -> Vec<(&'a str, &'a Node)> {
        let section = node.node.get("requirements").map_or(&[][..], Node::items);
        section.iter().flat_map(Node::entries).filter(|(_, n)| !n.is_null()).collect()
    }

    /// Names of the nodes that requirements called `name` point at.
    pub(crate) fn targets(&self, node: &NodeTemplate<'a>, name: &str) -> Vec<&'a str> {
        let found = self.requirements(node).into_iter().filter(|(n, _)| *n == name);
        found.filter_map(|(_, target)| target_name(target)).collect()
    }
}

fn input_name(node: &Node) -> Option<&str> {
    let map = node.as_map().filter(|m| m.len() == 1)?;
    let name = map.get("get_input")?;
    name.as_str().or_else(|| name.items().first()?.as_str())
}

/// The node a requirement points at: `x` or `{node: x}`.
pub(crate) fn target_name(target: &Node) -> Option<&str> {
    target.as_str().or_else(|| target.get("node")?.as_str())
}

/// A scalar's text with its place.
pub(crate) fn located(node: &Node) -> Option<Located<String>> {
    let value = node.as_str()?.to_owned();
    Some(Located { value, file: node.file.clone(), line: node.line })
}
