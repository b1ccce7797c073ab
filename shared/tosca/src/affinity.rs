//! Affinity and anti-affinity rules, with placement groups replaced by their members.

use crate::template::{Policy, Topology};
use crate::vnfd::Affinity;
use crate::yaml::Node;

/// Policy types of rules, and whether they keep apart.
const RULES: [(&str, bool); 4] = [
    ("tosca.policies.nfv.AffinityRule", false),
    ("tosca.policies.nfv.AntiAffinityRule", true),
    ("tosca.policies.nfv.NsAffinityRule", false),
    ("tosca.policies.nfv.NsAntiAffinityRule", true),
];
/// How often a group may have groups as members.
const GROUP_DEPTH: usize = 4;

/// All rules of a topology.
pub(crate) fn read(topology: &Topology<'_>) -> Vec<Affinity> {
    let found = |(name, anti)| topology.policies_of(name).map(move |p| rule(topology, p, anti));
    RULES.into_iter().flat_map(found).collect()
}

fn rule(topology: &Topology<'_>, policy: &Policy<'_>, anti: bool) -> Affinity {
    let scope = policy.node.at(&["properties", "scope"]).and_then(Node::as_str);
    let mut members = vec![];
    expand(topology, &policy.targets, GROUP_DEPTH, &mut members);
    Affinity {
        id: policy.name.to_owned(),
        anti,
        scope: scope.unwrap_or("nfvi_node").to_owned(),
        members,
    }
}

fn expand(topology: &Topology<'_>, names: &[&str], depth: usize, members: &mut Vec<String>) {
    for name in names {
        match topology.groups.iter().find(|g| g.name == *name) {
            Some(group) if depth > 0 => expand(topology, &group.targets, depth - 1, members),
            Some(_) => {}
            None if members.iter().any(|m| m == name) => {}
            None => members.push((*name).to_owned()),
        }
    }
}
