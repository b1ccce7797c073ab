//! From templates to a network service descriptor: finding the NS, its identity, its flavours.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Nsd, flavour};
use crate::finding::{Finding, Place};
use crate::identity::Identity;
use crate::rules::{Report, descriptor as rule};
use crate::template::{Document, Templates};
use crate::types::Kind;
use crate::yaml::Node;

pub(super) const NS: &str = "tosca.nodes.nfv.NS";

/// Reads the descriptor.
pub(crate) fn read(templates: &Templates, report: &mut Report) -> Result<Nsd, Finding> {
    let nothing = |file: &str| {
        Finding::new(&rule::NOTHING_DESCRIBED, "there is no NS in it", Place::file(file))
    };
    let entry = templates.entry().ok_or_else(|| nothing(""))?;
    // In a design tool's template the NS nodes are nested services, never the service itself.
    let identity = by_metadata(templates, entry)
        .or_else(|| Identity::find(templates, entry, NS))
        .ok_or_else(|| nothing(&entry.file))?;
    let nsd_id = identity.id(report)?;
    let mut nsd = Nsd {
        nsd_id,
        designer: identity.required("designer", report),
        name: identity.required("name", report),
        version: identity.required("version", report),
        invariant_id: identity.required("invariant_id", report),
        flavours: vec![],
    };
    let mut seen = BTreeSet::new();
    for document in documents(templates, entry, &identity) {
        let flavour = flavour::read(&templates.topology(document), document, report)?;
        if !seen.insert(flavour.id.clone()) {
            let said = format!("flavour `{}`", flavour.id);
            let place = Place::file(Arc::clone(&document.file));
            return Err(Finding::new(&rule::FLAVOUR_TWICE, said, place));
        }
        nsd.flavours.push(flavour);
    }
    Ok(nsd)
}

fn by_metadata<'a>(templates: &'a Templates, entry: &'a Document) -> Option<Identity<'a>> {
    is_designed(entry).then(|| Identity::of_metadata(templates, entry))
}

/// Design tools leave the NS node out and call the template a service in its metadata.
pub(crate) fn is_designed(entry: &Document) -> bool {
    let says = |key| entry.root.at(&["metadata", key]).and_then(Node::as_str);
    says("type") == Some("Service") || matches!(says("csarType"), Some("NSAR" | "GSAR"))
}

/// The templates of the flavours: those that substitute the NS's type, else the entry itself.
fn documents<'a>(
    templates: &'a Templates,
    entry: &'a Document,
    identity: &Identity<'_>,
) -> Vec<&'a Document> {
    let substituting = |document: &&Document| {
        let node_type = document.substitution().and_then(|s| s.get("node_type")?.as_str());
        node_type.is_some_and(|t| {
            t == identity.type_name || document.imported && templates.types.is_a(Kind::Node, t, NS)
        })
    };
    let lower: Vec<&Document> = templates.documents.iter().skip(1).filter(substituting).collect();
    let topology = templates.topology(entry);
    let constituents = flavour::constituents(&topology).next().is_some();
    if lower.is_empty() || constituents { vec![entry] } else { lower }
}
