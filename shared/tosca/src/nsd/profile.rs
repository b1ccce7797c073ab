//! The constituents of a network service: what kind, which descriptor, how many.

use super::{Connection, Constituent, Profile};
use crate::finding::Place;
use crate::rules::{Report, descriptor as rule};
use crate::template::{NodeTemplate, Topology, target_name};
use crate::vnfd::count;
use crate::yaml::Node;

/// What kind of constituent a node template is, by its type or a design tool's word.
pub(super) fn kind(topology: &Topology<'_>, node: &NodeTemplate<'_>) -> Option<Constituent> {
    let word = || {
        let designed = node.node.at(&["metadata", "type"]);
        designed.or_else(|| node.node.at(&["properties", "csarType"]))?.as_str()
    };
    match () {
        () if topology.is_a(node, "tosca.nodes.nfv.VNF") => Some(Constituent::Vnf),
        () if topology.is_a(node, "tosca.nodes.nfv.PNF") => Some(Constituent::Pnf),
        () if topology.is_a(node, "tosca.nodes.nfv.NS") => Some(Constituent::Ns),
        () => match word()? {
            "VF" | "NFAR" => Some(Constituent::Vnf),
            "PNF" => Some(Constituent::Pnf),
            "Service" | "NSAR" => Some(Constituent::Ns),
            _ => None,
        },
    }
}

pub(super) fn read(
    topology: &Topology<'_>,
    node: &NodeTemplate<'_>,
    kind: Constituent,
    report: &mut Report,
) -> Profile {
    let text = |name: &str| topology.text(node, name).map(|l| l.value);
    let profile = match kind {
        Constituent::Vnf => topology.property(node, "vnf_profile"),
        Constituent::Ns => topology.property(node, "ns_profile"),
        Constituent::Pnf => None,
    };
    let part = |key: &str| topology.at(profile?, &[key]);
    let level = part("instantiation_level").or_else(|| part("ns_instantiation_level"));
    let flavour = text("flavour_id");
    let flavour = flavour.or_else(|| part("flavour_id")?.as_str().map(str::to_owned));
    let min_instances = count(part("min_number_of_instances"), 1, report);
    let most = count(part("max_number_of_instances"), min_instances.max(1), report);
    Profile {
        id: node.name.to_owned(),
        kind,
        descriptor_id: descriptor_id(topology, node, report),
        flavour_id: flavour,
        level_id: level.and_then(|l| l.as_str().map(str::to_owned)),
        min_instances,
        max_instances: most.max(min_instances),
        after: topology.targets(node, "dependency").into_iter().map(str::to_owned).collect(),
        links: vec![],
        line: node.node.line,
    }
}

fn descriptor_id(topology: &Topology<'_>, node: &NodeTemplate<'_>, report: &mut Report) -> String {
    if let Some(id) = topology.text(node, "descriptor_id") {
        return id.value;
    }
    let older = topology.text(node, "id").map(|l| l.value);
    let designed = || node.node.at(&["metadata", "UUID"])?.as_str().map(str::to_owned);
    let taken = older.or_else(designed).unwrap_or_else(|| node.name.to_owned());
    let said = format!("`{}` counts as `{taken}`", node.name);
    report.add(&rule::CONSTITUENT_ID, node.node.place(), said);
    taken
}

/// The NS virtual links that a constituent's requirements name.
pub(super) fn links(
    topology: &Topology<'_>,
    node: &NodeTemplate<'_>,
    known: &[String],
    report: &mut Report,
) -> Vec<Connection> {
    let mut found = vec![];
    for (requirement, target) in topology.requirements(node) {
        let Some(name) = target_name(target).filter(|_| requirement != "dependency") else {
            continue;
        };
        if known.iter().any(|k| k == name) {
            let (requirement, virtual_link) = (requirement.to_owned(), name.to_owned());
            found.push(Connection { requirement, virtual_link });
        } else if topology.node(name).is_none() && !name.starts_with("tosca.nodes.") {
            let said = format!("`{requirement}` of `{}` names `{name}`", node.name);
            report.add(&rule::REFERENCE, target.place(), said);
        }
    }
    found
}

/// Most entries of such a list.
const LISTED: usize = 2_000;

/// Profiles from a `constituent_vnfd` list, which no version of SOL001 has.
pub(super) fn constituent_list(topology: &Topology<'_>, report: &mut Report) -> Vec<Profile> {
    let mut found: Vec<Profile> = vec![];
    for node in topology.of_type("tosca.nodes.nfv.NS").take(1) {
        let keys = ["constituent_vnfd", "constituent_vnfds"];
        let list = keys.iter().find_map(|key| topology.property(&node, key));
        let Some(list) = list else { continue };
        if list.items().len() > LISTED {
            let said = format!("more than {LISTED} constituents");
            report.add(&rule::TOO_MUCH, list.place(), said);
        }
        report.add(&rule::CONSTITUENT_VNFD, list.place(), format!("in `{}`", node.name));
        for item in list.items().iter().take(LISTED) {
            let id = item.as_str().or_else(|| item.get("vnfd_id")?.as_str());
            match id {
                Some(id) => found.push(listed(id, item, &found)),
                None => {
                    let place: Place = item.place();
                    report.add(&rule::CONSTITUENT_ID, place, "an entry has no vnfd_id");
                }
            }
        }
    }
    found
}

/// One entry; a descriptor that is listed twice gets two profiles.
fn listed(id: &str, item: &Node, before: &[Profile]) -> Profile {
    let same = before.iter().filter(|p| p.descriptor_id == id).count();
    let profile = if same == 0 { id.to_owned() } else { format!("{id}-{}", same + 1) };
    Profile {
        id: profile,
        kind: Constituent::Vnf,
        descriptor_id: id.to_owned(),
        flavour_id: item.get("flavour_id").and_then(|n| n.as_str().map(str::to_owned)),
        level_id: None,
        min_instances: 1,
        max_instances: 1,
        after: vec![],
        links: vec![],
        line: item.line,
    }
}
