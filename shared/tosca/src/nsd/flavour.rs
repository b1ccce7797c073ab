//! One deployment flavour of a network service: constituents, links, access points, rules.

use std::collections::HashSet;
use std::sync::Arc;

use super::read::{NS, is_designed};
use super::{Constituent, NsFlavour, Sap, profile, scaling};
use crate::affinity;
use crate::finding::{Finding, Place};
use crate::rules::{Report, descriptor as rule};
use crate::template::{Document, NodeTemplate, Topology};
use crate::vnfd::{protocols, virtual_link};
use crate::yaml::Node;

const LINK: &str = "tosca.nodes.nfv.NsVirtualLink";
const SAP: &str = "tosca.nodes.nfv.Sap";

/// The constituents of a template: VNFs, PNFs, and every NS but the service itself.
pub(super) fn constituents<'s, 'a>(
    topology: &'s Topology<'a>,
) -> impl Iterator<Item = (NodeTemplate<'a>, Constituent)> + 's {
    let kinds = move |node: &NodeTemplate<'a>| {
        let kind = profile::kind(topology, node)?;
        let own = kind == Constituent::Ns && is_itself(topology, node);
        (!own).then_some((*node, kind))
    };
    topology.nodes.iter().filter_map(kinds)
}

/// The service is the node of the type that is substituted; without a substitution, the first NS.
fn is_itself(topology: &Topology<'_>, node: &NodeTemplate<'_>) -> bool {
    if topology.documents.iter().any(|d| is_designed(d)) {
        return false;
    }
    let mut mappings = topology.documents.iter().filter_map(|d| d.substitution());
    match mappings.find_map(|s| s.get("node_type")?.as_str()) {
        Some(substituted) => node.type_name == substituted,
        None => topology.of_type(NS).next().is_some_and(|first| first.name == node.name),
    }
}

/// Whether a node is an NS virtual link, by its type or a design tool's word.
fn is_link(topology: &Topology<'_>, node: &NodeTemplate<'_>) -> bool {
    topology.is_a(node, LINK)
        || topology.is_a(node, "tosca.nodes.nfv.VnfVirtualLink")
        || topology.is_a(node, "tosca.nodes.nfv.VL")
        || node.node.at(&["metadata", "type"]).and_then(Node::as_str) == Some("VL")
}

pub(super) fn read(
    topology: &Topology<'_>,
    document: &Document,
    report: &mut Report,
) -> Result<NsFlavour, Finding> {
    let mut flavour = NsFlavour { file: Arc::clone(&document.file), ..NsFlavour::default() };
    flavour.id = id(topology, document).unwrap_or_else(|| {
        let place = Place::file(Arc::clone(&document.file));
        report.add(&rule::NO_FLAVOUR, place, "flavour_id is missing");
        "default".to_owned()
    });
    let links = topology.nodes.iter().filter(|n| is_link(topology, n));
    flavour.virtual_links = links.map(|n| virtual_link(topology, n)).collect();
    let known: Vec<String> = flavour.virtual_links.iter().map(|l| l.id.clone()).collect();
    let found: Vec<_> = constituents(topology).collect();
    for (node, kind) in &found {
        let mut profile = profile::read(topology, node, *kind, report);
        profile.links = profile::links(topology, node, &known, report);
        flavour.profiles.push(profile);
    }
    flavour.profiles.extend(profile::constituent_list(topology, report));
    check_order(&mut flavour, report);
    flavour.saps = topology.of_type(SAP).map(|node| sap(topology, &node)).collect();
    scaling::read(topology, &mut flavour, report)?;
    flavour.affinity = affinity::read(topology);
    Ok(flavour)
}

fn id(topology: &Topology<'_>, document: &Document) -> Option<String> {
    let mapping = document.substitution();
    let mapped = mapping.and_then(|s| topology.resolve(s.get("properties")?.get("flavour_id")?));
    let node = topology.of_type(NS).next();
    let own = || node.and_then(|n| topology.property(&n, "flavour_id"));
    let typed = || topology.default(mapping?.get("node_type")?.as_str()?, "flavour_id");
    mapped.or_else(own).or_else(typed)?.as_str().map(str::to_owned)
}

fn sap(topology: &Topology<'_>, node: &NodeTemplate<'_>) -> Sap {
    let names = ["internal_virtual_link", "virtual_link"];
    let link = names.iter().flat_map(|name| topology.targets(node, name)).next();
    Sap {
        id: node.name.to_owned(),
        virtual_link: link.map(str::to_owned),
        layer_protocols: protocols(topology, node),
    }
}

/// What must be there first has to be a constituent, and must not wait in a circle.
fn check_order(flavour: &mut NsFlavour, report: &mut Report) {
    let ids: HashSet<String> = flavour.profiles.iter().map(|p| p.id.clone()).collect();
    let file = Arc::clone(&flavour.file);
    for profile in &mut flavour.profiles {
        let line = profile.line;
        profile.after.retain(|id| {
            let known = ids.contains(id.as_str()) && *id != profile.id;
            if !known {
                let place = Place::line(Arc::clone(&file), line);
                let said = format!("the dependency of `{}` on `{id}`", profile.id);
                report.add(&rule::REFERENCE, place, said);
            }
            known
        });
    }
    break_circles(flavour, report);
}

/// Takes away, and reports, the orders that no sequence can fulfil.
fn break_circles(flavour: &mut NsFlavour, report: &mut Report) {
    let mut done: HashSet<String> = HashSet::new();
    let mut waiting: Vec<&super::Profile> = flavour.profiles.iter().collect();
    loop {
        let before = waiting.len();
        // In the order of the template most are ready in one round.
        waiting.retain(|p| {
            let ready = p.after.iter().all(|a| done.contains(a));
            if ready {
                done.insert(p.id.clone());
            }
            !ready
        });
        if waiting.len() == before {
            break;
        }
    }
    let file = Arc::clone(&flavour.file);
    for profile in flavour.profiles.iter_mut().filter(|p| !done.contains(&p.id)) {
        let place = Place::line(Arc::clone(&file), profile.line);
        let said = format!("`{}` waits for itself by way of others", profile.id);
        report.add(&rule::ORDER_CIRCLE, place, said);
        profile.after.clear();
    }
}
