//! From templates to a VNF descriptor: finding the VNF, its identity and its flavours.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Flavour, SwImage, Vnfd, flavour};
use crate::archive::Archive;
use crate::finding::{Finding, Located, Place};
use crate::rules::{Report, descriptor as rule};
use crate::template::{Document, NodeTemplate, Templates, Topology, located};
use crate::types::Kind;
use crate::yaml::Node;

pub(super) const VNF: &str = "tosca.nodes.nfv.VNF";

/// Where the VNF's properties may stand, in the order they are looked at.
struct Identity<'a> {
    topology: Topology<'a>,
    node: Option<NodeTemplate<'a>>,
    substitution: Option<&'a Node>,
    type_name: &'a str,
}

impl<'a> Identity<'a> {
    fn property(&self, name: &str) -> Option<&'a Node> {
        let own = self.node.and_then(|n| n.node.get("properties")?.get(name));
        let mapped = self.substitution.and_then(|s| s.get("properties")?.get(name));
        let given = [own, mapped].into_iter().flatten().find_map(|n| self.topology.resolve(n));
        given.or_else(|| self.topology.default(self.type_name, name))
    }

    fn text(&self, name: &str) -> Option<Located<String>> {
        located(self.property(name)?)
    }

    fn list(&self, name: &str) -> Vec<String> {
        let items = self.property(name).map_or(&[][..], Node::items);
        items.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect()
    }
}

/// Reads the descriptor and the package's software images.
pub(crate) fn read(
    templates: &Templates,
    archive: &Archive<'_>,
    report: &mut Report,
) -> Result<(Vnfd, Vec<SwImage>), Finding> {
    let entry = templates.entry().ok_or_else(nothing)?;
    let identity = identify(templates, entry).ok_or_else(|| {
        let place = Place::file(Arc::clone(&entry.file));
        Finding::new(&rule::NOTHING_DESCRIBED, "there is no VNF in it", place)
    })?;
    let mut images = vec![];
    let flavours = flavours(templates, entry, &identity, archive, &mut images, report)?;
    let Some(first) = flavours.first() else { return Err(nothing()) };
    let text = |name: &str| identity.text(name).map(|l| l.value);
    let vnfd = Vnfd {
        vnfd_id: id(&identity, entry)?,
        provider: required(&identity, "provider", entry, report),
        product_name: required(&identity, "product_name", entry, report),
        software_version: required(&identity, "software_version", entry, report),
        descriptor_version: required(&identity, "descriptor_version", entry, report),
        product_info_name: text("product_info_name"),
        product_info_description: text("product_info_description"),
        vnfm_info: identity.list("vnfm_info"),
        localization_languages: identity.list("localization_languages"),
        default_localization_language: text("default_localization_language"),
        default_flavour: first.id.clone(),
        flavours,
    };
    Ok((vnfd, images))
}

fn nothing() -> Finding {
    Finding::new(&rule::NOTHING_DESCRIBED, "there is no template", Place::archive())
}

/// The VNF node of the entry, or the VNF type that the entry substitutes.
fn identify<'a>(templates: &'a Templates, entry: &'a Document) -> Option<Identity<'a>> {
    let topology = templates.topology(entry);
    let node = topology.of_type(VNF).next();
    let substitution = entry.substitution();
    let substituted = substitution.and_then(|s| s.get("node_type")?.as_str());
    let substituted = substituted.filter(|t| templates.types.is_a(Kind::Node, t, VNF));
    let type_name = node.map(|n| n.type_name).or(substituted)?;
    let substitution = substitution.filter(|_| substituted.is_some());
    Some(Identity { topology, node, substitution, type_name })
}

fn id(identity: &Identity<'_>, entry: &Document) -> Result<Located<String>, Finding> {
    identity.text("descriptor_id").filter(|id| !id.value.trim().is_empty()).ok_or_else(|| {
        let place = identity.node.map_or_else(|| entry.root.place(), |n| n.node.place());
        Finding::new(&rule::ID_MISSING, "the VNF has no descriptor_id", place)
    })
}

fn required(
    identity: &Identity<'_>,
    name: &str,
    entry: &Document,
    report: &mut Report,
) -> String {
    identity.text(name).map(|l| l.value).unwrap_or_else(|| {
        let place = identity.node.map_or_else(|| entry.root.place(), |n| n.node.place());
        report.add(&rule::PROPERTY_MISSING, place, format!("the VNF has no `{name}`"));
        String::new()
    })
}

/// Every flavour: one per template that substitutes the VNF's type, else the entry itself.
fn flavours(
    templates: &Templates,
    entry: &Document,
    identity: &Identity<'_>,
    archive: &Archive<'_>,
    images: &mut Vec<SwImage>,
    report: &mut Report,
) -> Result<Vec<Flavour>, Finding> {
    let substituting = |document: &&Document| {
        let node_type = document.substitution().and_then(|s| s.get("node_type")?.as_str());
        node_type.is_some_and(|t| {
            t == identity.type_name
                || document.imported && templates.types.is_a(Kind::Node, t, VNF)
        })
    };
    let lower: Vec<&Document> = templates.documents.iter().skip(1).filter(substituting).collect();
    let own = lower.is_empty() || identity.topology.nodes.iter().any(|n| {
        flavour::is_vdu(&identity.topology, n)
    });
    let documents = if own { vec![entry] } else { lower };
    let mut flavours = vec![];
    let mut seen = BTreeSet::new();
    for document in documents {
        let topology = templates.topology(document);
        let flavour = flavour::read(&topology, document, archive, images, report)?;
        if !seen.insert(flavour.id.clone()) {
            let said = format!("flavour `{}`", flavour.id);
            let place = Place::file(Arc::clone(&document.file));
            return Err(Finding::new(&rule::FLAVOUR_TWICE, said, place));
        }
        flavours.push(flavour);
    }
    Ok(flavours)
}
