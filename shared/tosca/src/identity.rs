//! Who a descriptor says it is: the node, the substitution mapping, the type's defaults.

use std::sync::Arc;

use crate::finding::{Finding, Located, Place};
use crate::rules::{Report, descriptor as rule};
use crate::template::{self, Document, NodeTemplate, Templates, Topology, located};
use crate::types::Kind;
use crate::yaml::Node;

/// Where the properties of a VNF, NS or PNF may stand, in the order they are looked at.
pub(crate) struct Identity<'a> {
    pub(crate) topology: Topology<'a>,
    pub(crate) type_name: &'a str,
    node: Option<NodeTemplate<'a>>,
    substitution: Option<&'a Node>,
    metadata: Option<&'a Node>,
    place: Place,
}

/// What design tools call a property in a template's `metadata`.
const METADATA: [(&str, &[&str]); 9] = [
    ("descriptor_id", &["descriptor_id", "UUID", "id"]),
    ("invariant_id", &["invariantUUID", "nsd_invariant_id", "id"]),
    ("descriptor_invariant_id", &["invariantUUID", "id"]),
    ("name", &["name", "nsd_name", "template_name"]),
    ("product_name", &["name", "template_name"]),
    ("version", &["version", "nsd_file_structure_version", "template_version", "csarVersion"]),
    ("software_version", &["version", "csarVersion"]),
    ("descriptor_version", &["vnfdVersion", "vnfd_version", "version"]),
    ("provider", &["vendor", "resourceVendor", "csarProvider", "template_author"]),
];
/// Who designed a network service.
const DESIGNER: &[&str] = &["vendor", "nsd_designer", "csarProvider", "template_author"];

impl<'a> Identity<'a> {
    /// The entry's node of a type, or the type that the entry substitutes.
    pub(crate) fn find(
        templates: &'a Templates,
        entry: &'a Document,
        ancestor: &'a str,
    ) -> Option<Self> {
        let topology = templates.topology(entry);
        let node = topology.of_type(ancestor).next();
        let named = entry.substitution().and_then(|s| s.get("node_type")?.as_str());
        let substituted = named.filter(|t| templates.types.is_a(Kind::Node, t, ancestor));
        let type_name = node.map(|n| n.type_name).or(substituted)?;
        let substitution = entry.substitution().filter(|_| substituted.is_some());
        let mut identity = Self::of_metadata(templates, entry);
        identity.type_name = type_name;
        identity.place = node.map_or_else(|| identity.place.clone(), |n| n.node.place());
        Some(Self { node, substitution, ..identity })
    }

    /// Nothing but the template's metadata tells who this is.
    pub(crate) fn of_metadata(templates: &'a Templates, entry: &'a Document) -> Self {
        Self {
            topology: templates.topology(entry),
            type_name: "",
            node: None,
            substitution: None,
            metadata: entry.root.get("metadata"),
            place: Place::line(Arc::clone(&entry.file), entry.root.line),
        }
    }

    pub(crate) fn property(&self, name: &str) -> Option<&'a Node> {
        let own = self.node.and_then(|n| n.node.get("properties")?.get(name));
        let mapped = self.substitution.and_then(|s| s.get("properties")?.get(name));
        let given = [own, mapped].into_iter().flatten().find_map(|n| self.topology.resolve(n));
        given.or_else(|| self.topology.default(self.type_name, name))
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.property(name)?.as_str().map(str::to_owned)
    }

    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let items = self.property(name).map_or(&[][..], Node::items);
        items.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect()
    }

    /// The descriptor's id; without one nothing can refer to it.
    pub(crate) fn id(&self, report: &mut Report) -> Result<Located<String>, Finding> {
        let own = self.property("descriptor_id").and_then(located);
        let found = own.or_else(|| self.by_metadata("descriptor_id", report));
        let found = found.filter(|id| !id.value.trim().is_empty()).ok_or_else(|| {
            Finding::new(&rule::ID_MISSING, "there is no descriptor_id", self.place.clone())
        })?;
        template::named(&found.value, "descriptor_id", self.place.clone())?;
        Ok(found)
    }

    /// A property that the standard requires; empty, and reported, when it is nowhere.
    pub(crate) fn required(&self, name: &str, report: &mut Report) -> String {
        if let Some(text) = self.text(name) {
            return text;
        }
        let found = self.by_metadata(name, report).map(|l| l.value);
        found.unwrap_or_else(|| {
            report.add(&rule::PROPERTY_MISSING, self.place.clone(), format!("`{name}` is missing"));
            String::new()
        })
    }

    fn by_metadata(&self, name: &str, report: &mut Report) -> Option<Located<String>> {
        let metadata = self.metadata?;
        let keys = METADATA.iter().find(|(n, _)| *n == name).map(|(_, keys)| *keys);
        let keys = if name == "designer" { Some(DESIGNER) } else { keys }?;
        let node = keys.iter().find_map(|key| metadata.get(key))?;
        let said = format!("`{name}` is taken from the metadata");
        report.add(&rule::METADATA_ID, node.place(), said);
        located(node)
    }
}
