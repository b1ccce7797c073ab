//! Links and connection points: which port is on which link, and what is open to the outside.

use super::{ConnectionPoint, ExternalCp, Flavour, VirtualLink};
use crate::rules::{Report, descriptor as rule};
use crate::template::{Document, NodeTemplate, Topology};
use crate::yaml::Node;

const LINK: &str = "tosca.nodes.nfv.VnfVirtualLink";
const PORT: &str = "tosca.nodes.nfv.VduCp";
const EXTERNAL: [&str; 3] =
    ["tosca.nodes.nfv.VnfExtCp", "tosca.nodes.nfv.VipCp", "tosca.nodes.nfv.VirtualCp"];

/// Most entries of a list of words such as `layer_protocols`.
const WORDS: usize = 64;

pub(crate) fn texts(node: Option<&Node>) -> Vec<String> {
    let items = node.map_or(&[][..], Node::items);
    items.iter().filter_map(|n| n.as_str().map(str::to_owned)).take(WORDS).collect()
}

/// `layer_protocols`, or the single `layer_protocol` of drafts.
pub(crate) fn protocols(topology: &Topology<'_>, node: &NodeTemplate<'_>) -> Vec<String> {
    let now = topology.property(node, "layer_protocols");
    texts(now.or_else(|| topology.property(node, "layer_protocol")))
}

pub(super) fn virtual_links(topology: &Topology<'_>) -> Vec<VirtualLink> {
    topology.of_type(LINK).map(|node| virtual_link(topology, &node)).collect()
}

/// A link as VNFD and NSD both describe it.
pub(crate) fn virtual_link(topology: &Topology<'_>, node: &NodeTemplate<'_>) -> VirtualLink {
    let connectivity = topology.property(node, "connectivity_type");
    let protocols = connectivity.and_then(|c| c.get("layer_protocols").or(c.get("layer_protocol")));
    let data =
        topology.property(node, "vl_profile").and_then(|p| p.get("virtual_link_protocol_data"));
    let cidr = data
        .map_or(&[][..], Node::items)
        .iter()
        .find_map(|d| d.at(&["l3_protocol_data", "cidr"])?.as_str().map(str::to_owned));
    VirtualLink {
        id: node.name.to_owned(),
        description: topology.text(node, "description").map(|l| l.value),
        layer_protocols: texts(protocols),
        cidr,
    }
}

/// Gives every unit its ports, and lists what is open to the outside.
pub(super) fn attach(
    topology: &Topology<'_>,
    document: &Document,
    flavour: &mut Flavour,
    report: &mut Report,
) {
    let exposed = exposed(document);
    for node in topology.of_type(PORT) {
        let port = port(topology, &node, flavour, &exposed, report);
        let bound = topology.targets(&node, "virtual_binding").into_iter().next();
        match bound.and_then(|id| flavour.vdu_mut(id)) {
            Some(vdu) => vdu.connection_points.push(port),
            None => {
                let said = format!("`{}` is bound to no unit of the template", node.name);
                report.add(&rule::REFERENCE, node.node.place(), said);
            }
        }
    }
    for vdu in &mut flavour.vdus {
        vdu.connection_points.sort_by_key(|p| p.order.unwrap_or(u64::MAX));
    }
    let mut outside: Vec<ExternalCp> = vec![];
    for node in EXTERNAL.iter().flat_map(|t| topology.of_type(t)) {
        if !outside.iter().any(|cp| cp.id == node.name) {
            outside.push(external(topology, &node, &exposed));
        }
    }
    for port in flavour.vdus.iter().flat_map(|v| &v.connection_points).filter(|p| p.external) {
        outside.push(ExternalCp {
            id: port.id.clone(),
            virtual_link: port.virtual_link.clone(),
            vdu_cp: Some(port.id.clone()),
            layer_protocols: port.layer_protocols.clone(),
            requirement: requirement(&exposed, &port.id),
        });
    }
    flavour.external_cps = outside;
}

fn port(
    topology: &Topology<'_>,
    node: &NodeTemplate<'_>,
    flavour: &Flavour,
    exposed: &[(String, String)],
    report: &mut Report,
) -> ConnectionPoint {
    let link = topology.targets(node, "virtual_link").into_iter().next();
    // The abstract root stands for "to be connected later" in older packages.
    let link = link.filter(|l| *l != "tosca.nodes.Root");
    let known = link.filter(|l| flavour.virtual_links.iter().any(|v| v.id == *l));
    if let Some(unknown) = link.filter(|_| known.is_none()) {
        let said = format!("link `{unknown}` of `{}`", node.name);
        report.add(&rule::REFERENCE, node.node.place(), said);
    }
    ConnectionPoint {
        id: node.name.to_owned(),
        virtual_link: known.map(str::to_owned),
        layer_protocols: protocols(topology, node),
        order: topology.property(node, "order").and_then(Node::as_u64),
        vnic_type: topology.text(node, "vnic_type").map(|l| l.value),
        external: link.is_none() || requirement(exposed, node.name).is_some(),
    }
}

fn external(
    topology: &Topology<'_>,
    node: &NodeTemplate<'_>,
    exposed: &[(String, String)],
) -> ExternalCp {
    let inside = ["internal_virtual_link", "virtual_link"];
    let link = inside.iter().flat_map(|name| topology.targets(node, name)).next();
    ExternalCp {
        id: node.name.to_owned(),
        virtual_link: link.map(str::to_owned),
        vdu_cp: None,
        layer_protocols: protocols(topology, node),
        requirement: requirement(exposed, node.name),
    }
}

fn requirement(exposed: &[(String, String)], node: &str) -> Option<String> {
    exposed.iter().find(|(_, n)| n == node).map(|(requirement, _)| requirement.clone())
}

/// Pairs of requirement and node from the substitution mapping:
/// `link: [CP, requirement]`, in a map or a list, once or several times.
fn exposed(document: &Document) -> Vec<(String, String)> {
    let requirements = document.substitution().and_then(|s| s.get("requirements"));
    let mut found = vec![];
    for (name, target) in requirements.map_or(&[][..], Node::items).iter().flat_map(Node::entries) {
        let nested = target.items().iter().filter(|n| n.as_list().is_some());
        let firsts = nested.filter_map(|n| n.items().first()?.as_str());
        let direct = target.items().first().and_then(Node::as_str);
        found.extend(direct.into_iter().chain(firsts).map(|n| (name.to_owned(), n.to_owned())));
    }
    found
}
