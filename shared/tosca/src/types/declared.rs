//! The types that a package's own files declare.

use super::{Kind, Property, Type, Types, Version, from_table};
use crate::finding::Place;
use crate::rules::{Report, descriptor as rule};
use crate::yaml::Node;

impl Types {
    /// Takes all type sections of one file.
    pub(crate) fn declare(&mut self, root: &Node) {
        for (kind, _, section) in Kind::ALL {
            let Some(types) = root.get(section) else { continue };
            for (name, node) in types.entries() {
                self.declared.insert((kind, name.to_owned()), read(node));
            }
        }
    }

    /// Refuses types that derive from themselves, and reports parents that nobody knows.
    pub(crate) fn check(&self, report: &mut Report) {
        let mut names: Vec<&(Kind, String)> = self.declared.keys().collect();
        names.sort();
        for (kind, name) in names {
            let declared = &self.declared[&(*kind, name.clone())];
            let place = declared.place.clone().unwrap_or_default();
            let chain: Vec<(&str, &Type)> = self.chain(*kind, name).collect();
            let itself = declared.parent.as_ref() == Some(name);
            let circle = chain.iter().skip(1).any(|(ancestor, _)| ancestor == name);
            let extended = itself && from_table(*kind, name).is_some();
            if (circle || itself) && !extended {
                let said = format!("`{name}` derives from itself");
                report.add(&rule::TYPE_CYCLE, place, said);
                continue;
            }
            let last = chain.last().and_then(|(_, found)| found.parent.as_deref());
            if let Some(parent) = last.filter(|p| p.contains('.') && *p != name)
                && self.find(*kind, parent).is_none()
                && chain.len() == 1
            {
                let said = format!("`{name}` derives from `{parent}`, which nobody declares");
                report.add(&rule::TYPE_UNKNOWN, place, said);
            }
        }
    }
}

fn read(node: &Node) -> Type {
    let text = |n: &Node| n.as_str().map(str::to_owned);
    let mut found = Type {
        parent: node.get("derived_from").and_then(text),
        place: Some(node.place()),
        ..Type::default()
    };
    for (name, property) in node.get("properties").into_iter().flat_map(Node::entries) {
        found.properties.insert(name.to_owned(), read_property(property));
    }
    for (name, capability) in node.get("capabilities").into_iter().flat_map(Node::entries) {
        let type_name = text(capability).or_else(|| capability.get("type").and_then(text));
        found.capabilities.insert(name.to_owned(), type_name.unwrap_or_default());
    }
    for requirement in node.get("requirements").map_or(&[][..], Node::items) {
        for (name, needs) in requirement.entries() {
            let capability = text(needs).or_else(|| needs.get("capability").and_then(text));
            found.requirements.insert(name.to_owned(), capability.unwrap_or_default());
        }
    }
    found
}

fn read_property(node: &Node) -> Property {
    let outer = node.get("type").and_then(Node::as_str).unwrap_or("string");
    let entry = node.get("entry_schema");
    let inner = entry.and_then(|e| e.as_str().or_else(|| e.get("type").and_then(Node::as_str)));
    let type_name = match inner {
        Some(inner) if matches!(outer, "list" | "map") => format!("{outer}<{inner}>"),
        _ => outer.to_owned(),
    };
    let default = node.as_map().and_then(|m| m.get("default")).cloned();
    let required = node.get("required").and_then(Node::as_bool).unwrap_or(true);
    let constraints = node.get("constraints").map_or(&[][..], Node::items);
    let valid = constraints.iter().filter_map(|c| c.get("valid_values")).flat_map(Node::items);
    let valid = valid.filter_map(|v| v.as_str().map(str::to_owned)).collect();
    let since = Version::default();
    Property { type_name, required: required && default.is_none(), default, valid, since }
}

impl Type {
    /// Where a package declares it, else nowhere.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place.clone().unwrap_or_default()
    }
}
