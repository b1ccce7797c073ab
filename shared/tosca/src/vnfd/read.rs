//! From templates to a VNF descriptor: finding the VNF, its identity and its flavours.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Flavour, SwImage, Vnfd, flavour};
use crate::archive::Archive;
use crate::finding::{Finding, Place};
use crate::identity::Identity;
use crate::rules::{Report, descriptor as rule};
use crate::template::{Document, Templates};
use crate::types::Kind;

pub(super) const VNF: &str = "tosca.nodes.nfv.VNF";

/// Reads the descriptor and the package's software images.
pub(crate) fn read(
    templates: &Templates,
    archive: &Archive<'_>,
    report: &mut Report,
) -> Result<(Vnfd, Vec<SwImage>), Finding> {
    let entry = templates.entry().ok_or_else(nothing)?;
    let found = Identity::find(templates, entry, VNF).or_else(|| by_units(templates, entry));
    let identity = found.ok_or_else(|| {
        let place = Place::file(Arc::clone(&entry.file));
        Finding::new(&rule::NOTHING_DESCRIBED, "there is no VNF in it", place)
    })?;
    let vnfd_id = identity.id(report)?;
    let mut images = vec![];
    let flavours = flavours(templates, entry, &identity, archive, &mut images, report)?;
    let Some(first) = flavours.first() else { return Err(nothing()) };
    let named = identity.text("flavour_id");
    let default_flavour = named.filter(|id| flavours.iter().any(|f| f.id == *id));
    let vnfd = Vnfd {
        vnfd_id,
        provider: identity.required("provider", report),
        product_name: identity.required("product_name", report),
        software_version: identity.required("software_version", report),
        descriptor_version: identity.required("descriptor_version", report),
        product_info_name: identity.text("product_info_name"),
        product_info_description: identity.text("product_info_description"),
        vnfm_info: identity.list("vnfm_info"),
        localization_languages: identity.list("localization_languages"),
        default_localization_language: identity.text("default_localization_language"),
        default_flavour: default_flavour.unwrap_or_else(|| first.id.clone()),
        flavours,
    };
    Ok((vnfd, images))
}

fn nothing() -> Finding {
    Finding::new(&rule::NOTHING_DESCRIBED, "there is no template", Place::archive())
}

/// A template with units but no VNF node is one whose metadata says who it is.
fn by_units<'a>(templates: &'a Templates, entry: &'a Document) -> Option<Identity<'a>> {
    let topology = templates.topology(entry);
    let units = topology.nodes.iter().any(|n| flavour::is_vdu(&topology, n));
    units.then(|| Identity::of_metadata(templates, entry))
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
            t == identity.type_name || document.imported && templates.types.is_a(Kind::Node, t, VNF)
        })
    };
    let lower: Vec<&Document> = templates.documents.iter().skip(1).filter(substituting).collect();
    let own = lower.is_empty()
        || identity.topology.nodes.iter().any(|n| flavour::is_vdu(&identity.topology, n));
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
