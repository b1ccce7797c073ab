//! Telling VNF packages, NSD archives and PNFD archives apart, and saying so when mixed up.

use std::sync::Arc;

use crate::finding::{Finding, Place};
use crate::manifest::{Kind, Manifest};
use crate::nsd;
use crate::rules::{Report, archive as rule, descriptor};
use crate::template::Templates;
use crate::types;
use crate::vnfd::is_vdu;

const TYPES: [(&str, Kind); 3] = [
    ("tosca.nodes.nfv.NS", Kind::Ns),
    ("tosca.nodes.nfv.PNF", Kind::Pnf),
    ("tosca.nodes.nfv.VNF", Kind::Vnf),
];

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Vnf => "a VNF package (upload it to vnf_packages)",
        Kind::Ns => "an NSD archive (upload it to ns_descriptors)",
        Kind::Pnf => "a PNFD archive (upload it to pnf_descriptors)",
    }
}

/// The manifest's metadata says what the archive is.
pub(super) fn check_manifest(manifest: &Manifest, wanted: Kind) -> Result<(), Finding> {
    match manifest.kind() {
        Some(kind) if kind != wanted => {
            let said = format!("by its manifest this is {}", name(kind));
            let place = Place::file(Arc::clone(&manifest.path));
            Err(Finding::new(&rule::WRONG_KIND, said, place))
        }
        Some(_) | None => Ok(()),
    }
}

/// What the entry describes: what it substitutes, else the first of NS, PNF, VNF among its nodes.
pub(super) fn described(templates: &Templates) -> Option<Kind> {
    let entry = templates.entry()?;
    let of = |type_name: &str| {
        let is_a = |ancestor| templates.types.is_a(types::Kind::Node, type_name, ancestor);
        TYPES.iter().find(|(ancestor, _)| is_a(ancestor)).map(|(_, kind)| *kind)
    };
    let substituted = entry.substitution().and_then(|s| s.get("node_type")?.as_str());
    let topology = templates.topology(entry);
    let nodes: Vec<Kind> = topology.nodes.iter().filter_map(|n| of(n.type_name)).collect();
    let first = || TYPES.iter().find(|(_, kind)| nodes.contains(kind)).map(|(_, kind)| *kind);
    let designed = || nsd::is_designed(entry).then_some(Kind::Ns);
    substituted.and_then(of).or_else(first).or_else(designed)
}

/// The templates say what the archive is, too. A template of VNFs alone may be a network
/// service whose author left the NS node out, so only units make it a VNF package for certain.
pub(super) fn check_templates(templates: &Templates, wanted: Kind) -> Result<(), Finding> {
    let Some(kind) = described(templates).filter(|kind| *kind != wanted) else { return Ok(()) };
    let units = |entry| {
        let topology = templates.topology(entry);
        topology.nodes.iter().any(|n| is_vdu(&topology, n))
    };
    let entry = templates.entry();
    if wanted == Kind::Ns && kind == Kind::Vnf && !entry.is_some_and(units) && !single(templates) {
        return Ok(());
    }
    let said = format!("by its templates this is {}", name(kind));
    let place = entry.map_or_else(Place::archive, |e| Place::file(Arc::clone(&e.file)));
    Err(Finding::new(&rule::WRONG_KIND, said, place))
}

/// Whether the VNF in the entry is substituted by a template of its own: a VNF's flavour.
fn single(templates: &Templates) -> bool {
    templates.documents.iter().any(|d| d.substitution().is_some())
}

/// Manifest and descriptor should name the same thing.
pub(super) fn compare(manifest: &Manifest, key: &str, value: &str, report: &mut Report) {
    if let Some(stated) = manifest.get(key).filter(|s| *s != value && !value.is_empty()) {
        let said = format!("`{key}` is `{stated}`, the descriptor says `{value}`");
        let place = Place::file(Arc::clone(&manifest.path));
        report.add(&descriptor::NAME_DISAGREES, place, said);
    }
}
