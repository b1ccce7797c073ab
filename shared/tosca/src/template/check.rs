//! Holding every node template, policy and group against the type it claims.

use std::cell::Cell;

use super::{NodeTemplate, Templates, Topology};
use crate::rules::{Report, descriptor as rule};
use crate::types::{ALIASES, Kind, Property, Types, Version};
use crate::yaml::{Node, Value};

/// What one check looks at.
struct Checker<'a> {
    types: &'a Types,
    version: Option<Version>,
    topology: Topology<'a>,
    /// How many values may still be looked at; inputs may bring one value to many places.
    fuel: Cell<usize>,
}

/// How many values of one template are looked at.
const FUEL: usize = 2_000_000;
/// How deep data types within data types are followed.
const DATA_DEPTH: usize = 8;

/// Checks all topologies against the types in force.
pub(crate) fn check(templates: &Templates, report: &mut Report) {
    for document in templates.documents.iter().filter(|d| d.topology().is_some()) {
        let topology = Topology::new(&templates.types, vec![document]);
        if !templates.imports_sol001
            && let Some(node) = topology.nodes.iter().find(|n| {
                n.type_name.starts_with("tosca.nodes.nfv.")
                    && !templates.types.is_declared(Kind::Node, n.type_name)
            })
        {
            let said = format!("`{}` uses `{}`", node.name, node.type_name);
            report.add(&rule::SOL001_NOT_IMPORTED, node.node.place(), said);
        }
        let fuel = Cell::new(FUEL);
        Checker { types: &templates.types, version: templates.sol001, topology, fuel }.run(report);
    }
}

impl Checker<'_> {
    fn run(&self, report: &mut Report) {
        for document in &self.topology.documents {
            if let Some(topology) = document.topology() {
                self.check_shape(topology, "policies", true, report);
                self.check_shape(topology, "node_templates", false, report);
            }
        }
        for node in &self.topology.nodes {
            let known = self.check_type(Kind::Node, node.type_name, node.name, node.node, report);
            self.check_shape(node.node, "requirements", true, report);
            if !known {
                continue;
            }
            // The VNF or NS node leaves to the substituting template what it does not know.
            let whole = !["tosca.nodes.nfv.VNF", "tosca.nodes.nfv.NS"]
                .iter()
                .any(|t| self.topology.is_a(node, t));
            let node_type = node.type_name;
            self.check_capabilities(node, report);
            self.check_properties(Kind::Node, node_type, node.name, node.node, whole, report);
            for (name, capability) in
                node.node.get("capabilities").into_iter().flat_map(Node::entries)
            {
                if let Some(type_name) = self.types.capability(node_type, name) {
                    let kind = Kind::Capability;
                    self.check_properties(kind, type_name, name, capability, true, report);
                }
            }
            for (name, artifact) in node.node.get("artifacts").into_iter().flat_map(Node::entries) {
                let type_name = artifact.get("type").and_then(Node::as_str);
                if let Some(type_name) = type_name {
                    self.check_type(Kind::Artifact, type_name, name, artifact, report);
                }
            }
        }
        let grouped =
            [(Kind::Policy, &self.topology.policies), (Kind::Group, &self.topology.groups)];
        for (kind, list) in grouped {
            for policy in list {
                if self.check_type(kind, policy.type_name, policy.name, policy.node, report) {
                    let (type_name, name) = (policy.type_name, policy.name);
                    self.check_properties(kind, type_name, name, policy.node, true, report);
                }
                self.check_targets(&policy.targets, policy.name, policy.node, report);
            }
        }
    }

    /// A capability whose type requires properties has to be given.
    fn check_capabilities(&self, node: &NodeTemplate<'_>, report: &mut Report) {
        for (name, type_name) in self.types.capabilities(node.type_name) {
            let properties = self.types.properties(Kind::Capability, type_name);
            let required = properties.values().any(|p| p.required && self.in_version(p));
            if required && node.node.at(&["capabilities", name]).is_none() {
                let said = format!("`{}` has no capability `{name}`", node.name);
                report.add(&rule::PROPERTY_MISSING, node.node.place(), said);
            }
        }
    }

    fn check_targets(&self, targets: &[&str], name: &str, node: &Node, report: &mut Report) {
        for target in targets {
            let group = self.topology.groups.iter().any(|g| g.name == *target);
            if !group && self.topology.node(target).is_none() {
                let said = format!("`{name}` names `{target}`, which is not in the template");
                report.add(&rule::REFERENCE, node.place(), said);
            }
        }
    }

    /// Whether the type is known; says so if not, or if it is a draft's or of another version.
    fn check_type(
        &self,
        kind: Kind,
        type_name: &str,
        name: &str,
        node: &Node,
        report: &mut Report,
    ) -> bool {
        let Some(found) = self.types.find(kind, type_name) else {
            if let Some((_, last)) =
                ALIASES.iter().find(|(d, _)| kind == Kind::Node && *d == type_name)
            {
                let said = format!("`{name}` is of `{type_name}`, now `{last}`");
                report.add(&rule::TYPE_DRAFT, node.place(), said);
            } else {
                let said = format!("`{name}` is of `{type_name}`, which nobody declares");
                report.add(&rule::TYPE_UNKNOWN, node.place(), said);
            }
            return false;
        };
        if let Some(version) = self.version {
            let gone = found.until.is_some_and(|until| version > until);
            if found.since > version || gone {
                let said = format!("`{type_name}` is not in SOL001 {version}");
                report.add(&rule::TYPE_VERSION, node.place(), said);
            }
        }
        true
    }

    fn check_shape(&self, node: &Node, section: &str, list: bool, report: &mut Report) {
        if let Some(found) = node.get(section)
            && found.as_list().is_some() != list
        {
            let said = format!("`{section}` is {}", found.kind());
            report.add(&rule::SECTION_SHAPE, found.place(), said);
        }
    }

    fn check_properties(
        &self,
        kind: Kind,
        type_name: &str,
        name: &str,
        node: &Node,
        whole: bool,
        report: &mut Report,
    ) {
        let declared = self.types.properties(kind, type_name);
        let given = node.get("properties");
        for (key, value) in given.into_iter().flat_map(Node::entries) {
            match declared.get(key) {
                Some(property) => self.check_value(property, key, value, 0, report),
                None => {
                    let said = format!("`{key}` of `{name}` is not a property of `{type_name}`");
                    report.add(&rule::PROPERTY_UNKNOWN, value.place(), said);
                }
            }
        }
        let missing = |key: &str| given.and_then(|g| g.get(key)).is_none();
        for (key, property) in declared {
            if whole && property.required && self.in_version(property) && missing(key) {
                let said = format!("`{name}` of `{type_name}` has no `{key}`");
                report.add(&rule::PROPERTY_MISSING, node.place(), said);
            }
        }
    }

    fn in_version(&self, property: &Property) -> bool {
        self.version.is_none_or(|version| property.since <= version)
    }

    fn check_value(
        &self,
        property: &Property,
        key: &str,
        value: &Node,
        depth: usize,
        report: &mut Report,
    ) {
        let Some(value) = self.topology.resolve(value) else {
            self.check_input(value, report);
            return;
        };
        if let Some(text) = value.as_str()
            && !property.valid.is_empty()
            && !property.valid.iter().any(|v| v == text)
        {
            let said = format!("`{key}` is `{text}`");
            report.add(&rule::VALUE_NOT_ALLOWED, value.place(), said);
        }
        self.check_typed(&property.type_name, key, value, depth, report);
    }

    fn check_input(&self, value: &Node, report: &mut Report) {
        let name = value.get("get_input").and_then(Node::as_str);
        if let Some(name) = name.filter(|n| self.topology.input(n).is_none()) {
            report.add(&rule::INPUT_UNKNOWN, value.place(), format!("`{name}`"));
        }
    }

    fn check_typed(&self, wanted: &str, key: &str, value: &Node, depth: usize, r: &mut Report) {
        // A function's result is not known here.
        if depth > DATA_DEPTH || is_function(value) || self.fuel.get() == 0 {
            return;
        }
        self.fuel.set(self.fuel.get() - 1);
        let (outer, inner) = match wanted.split_once('<') {
            Some((outer, inner)) => (outer, inner.trim_end_matches('>')),
            None => (wanted, ""),
        };
        let fits = match outer {
            "list" => value.as_list().is_some(),
            "map" => value.as_map().is_some(),
            "integer" => value.as_str().is_some_and(|t| t.parse::<i64>().is_ok()),
            "float" => value.as_str().is_some_and(|t| t.parse::<f64>().is_ok()),
            "boolean" => value.as_bool().is_some(),
            "string"
            | "scalar-unit.size"
            | "scalar-unit.time"
            | "scalar-unit.frequency"
            | "scalar-unit.bitrate"
            | "version"
            | "timestamp" => value.as_str().is_some(),
            data => return self.check_data(data, key, value, depth, r),
        };
        if !fits {
            let said = format!("`{key}` is {}, not {outer}", value.kind());
            r.add(&rule::PROPERTY_SHAPE, value.place(), said);
            return;
        }
        let parts: Vec<&Node> = match &value.value {
            Value::List(list) => list.iter().collect(),
            Value::Map(map) => map.values().collect(),
            Value::Scalar(..) => vec![],
        };
        for part in parts.into_iter().filter(|_| !inner.is_empty()) {
            if let Some(part) = self.topology.resolve(part) {
                self.check_typed(inner, key, part, depth + 1, r);
            }
        }
    }

    fn check_data(&self, data: &str, key: &str, value: &Node, depth: usize, r: &mut Report) {
        let Some(found) = self.types.find(Kind::Data, data) else { return };
        // Data types may derive from simple ones (`json` from `string`).
        if found.parent.as_deref().is_some_and(|p| !p.contains('.')) {
            return;
        }
        if value.as_map().is_none() {
            let said = format!("`{key}` is {}, not `{data}`", value.kind());
            r.add(&rule::PROPERTY_SHAPE, value.place(), said);
            return;
        }
        let declared = self.types.properties(Kind::Data, data);
        // Types that SOL001 leaves empty are for vendors to extend.
        if declared.is_empty() {
            return;
        }
        for (name, part) in value.entries() {
            match declared.get(name) {
                Some(property) => self.check_value(property, name, part, depth + 1, r),
                None => {
                    let said = format!("`{name}` of `{key}` is not a property of `{data}`");
                    r.add(&rule::PROPERTY_UNKNOWN, part.place(), said);
                }
            }
        }
        for (name, property) in declared {
            if property.required && self.in_version(property) && value.get(name).is_none() {
                let said = format!("`{key}` of `{data}` has no `{name}`");
                r.add(&rule::PROPERTY_MISSING, value.place(), said);
            }
        }
    }
}

fn is_function(node: &Node) -> bool {
    let one = node.as_map().filter(|m| m.len() == 1).and_then(|m| m.keys().next());
    one.is_some_and(|key| {
        matches!(
            key.as_str(),
            "get_input"
                | "get_property"
                | "get_attribute"
                | "concat"
                | "token"
                | "get_artifact"
                | "get_operation_output"
                | "get_nodes_of_type"
                | "join"
        )
    })
}
