//! Telling VNF packages, NSD archives and PNFD archives apart, and saying so when mixed up.

use std::sync::Arc;

use crate::finding::{Finding, Place};
use crate::manifest::{Kind, Manifest};
use crate::rules::{Report, archive as rule, descriptor};
use crate::template::Templates;
use crate::types;

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
    substituted.and_then(of).or_else(first)
}

/// Says "this is something else" instead of "nothing found" where that is so.
pub(super) fn explain(finding: Finding, templates: &Templates, wanted: Kind) -> Finding {
    match described(templates) {
        Some(kind) if kind != wanted && finding.rule == descriptor::NOTHING_DESCRIBED.id => {
            let said = format!("by its templates this is {}", name(kind));
            Finding::new(&rule::WRONG_KIND, said, finding.place())
        }
        Some(_) | None => finding,
    }
}

/// Manifest and descriptor should name the same thing.
pub(super) fn compare(manifest: &Manifest, key: &str, value: &str, report: &mut Report) {
    if let Some(stated) = manifest.get(key).filter(|s| *s != value && !value.is_empty()) {
        let said = format!("`{key}` is `{stated}`, the descriptor says `{value}`");
        let place = Place::file(Arc::clone(&manifest.path));
        report.add(&descriptor::NAME_DISAGREES, place, said);
    }
}
