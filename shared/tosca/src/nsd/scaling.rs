//! Scaling aspects and instantiation levels of a network service, as numbers of instances.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{NsAspect, NsFlavour, NsLevel};
use crate::finding::{Finding, Place};
use crate::rules::{Report, descriptor as rule};
use crate::template::Topology;
use crate::vnfd::{MAX_LEVEL, MOST_LEVELS, count};
use crate::yaml::Node;

/// Policies that give numbers per scale level, and per instantiation level.
const PER_SCALE_LEVEL: [&str; 2] =
    ["tosca.policies.nfv.VnfToLevelMapping", "tosca.policies.nfv.NsToLevelMapping"];
const PER_LEVEL: [&str; 2] = [
    "tosca.policies.nfv.VnfToInstantiationLevelMapping",
    "tosca.policies.nfv.NsToInstantiationLevelMapping",
];
/// Most entries that the levels of all aspects of a flavour may have together.
const ROOM: usize = 50_000;
const ASPECTS: &str = "tosca.policies.nfv.NsScalingAspects";
const LEVELS: &str = "tosca.policies.nfv.NsInstantiationLevels";

pub(super) fn read(
    topology: &Topology<'_>,
    flavour: &mut NsFlavour,
    report: &mut Report,
) -> Result<(), Finding> {
    let mut room = ROOM;
    let aspects =
        topology.policies_of(ASPECTS).filter_map(|p| p.node.at(&["properties", "aspects"]));
    for (id, node) in aspects.flat_map(Node::entries) {
        let aspect = aspect(topology, flavour, id, node, &mut room, report)?;
        flavour.aspects.push(aspect);
    }
    levels(topology, flavour, report)?;
    let levels = flavour.levels.iter().map(|l| l.id.as_str()).collect::<Vec<_>>();
    flavour.default_level =
        topology.default_level(LEVELS, &levels, (&flavour.id, &flavour.file), report);
    check_counts(flavour, report);
    Ok(())
}

fn aspect(
    topology: &Topology<'_>,
    flavour: &NsFlavour,
    id: &str,
    node: &Node,
    room: &mut usize,
    report: &mut Report,
) -> Result<NsAspect, Finding> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let levels = node.get("ns_scale_levels").into_iter().flat_map(Node::entries);
    let highest = levels.filter_map(|(key, _)| key.parse::<u32>().ok()).max().unwrap_or(0);
    if highest > MAX_LEVEL {
        let said = format!("`{id}` has {highest} levels, {MAX_LEVEL} are allowed");
        return Err(Finding::new(&rule::TOO_MUCH, said, node.place()));
    }
    let mut counts: Vec<BTreeMap<String, u32>> = vec![];
    for level in 0..=highest {
        let at = at_level(topology, flavour, id, level, counts.last(), report);
        *room = room.checked_sub(1 + at.len()).ok_or_else(|| {
            let said = format!("the aspects have more than {ROOM} levels of profiles");
            Finding::new(&rule::TOO_MUCH, said, node.place())
        })?;
        counts.push(at);
    }
    if counts.first().is_none_or(BTreeMap::is_empty) {
        report.add(&rule::ASPECT_DELTA, node.place(), format!("`{id}` scales nothing"));
    }
    Ok(NsAspect {
        id: id.to_owned(),
        name: text("name").unwrap_or_else(|| id.to_owned()),
        description: text("description").unwrap_or_default(),
        max_scale_level: highest,
        counts,
    })
}

/// Numbers at one scale level; what a mapping leaves out stays as the level before.
fn at_level(
    topology: &Topology<'_>,
    flavour: &NsFlavour,
    aspect: &str,
    level: u32,
    before: Option<&BTreeMap<String, u32>>,
    report: &mut Report,
) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for policy in PER_SCALE_LEVEL.iter().flat_map(|t| topology.policies_of(t)) {
        if policy.node.at(&["properties", "aspect"]).and_then(Node::as_str) != Some(aspect) {
            continue;
        }
        let stated = policy.node.at(&["properties", "number_of_instances", &level.to_string()]);
        if stated.is_none() {
            let said = format!("`{}` says nothing about level {level}", policy.name);
            report.add(&rule::ASPECT_DELTA, policy.node.place(), said);
        }
        for target in topology.members(policy) {
            let Some(profile) = flavour.profiles.iter().find(|p| p.id == target) else { continue };
            let stays = before.and_then(|b| b.get(target)).copied();
            let instances = count(stated, stays.unwrap_or(profile.min_instances), report);
            counts.insert(target.to_owned(), instances);
        }
    }
    counts
}

/// Numbers when nothing else is said: the lowest scale level, else the profile's minimum.
fn base(flavour: &NsFlavour) -> BTreeMap<String, u32> {
    let least = flavour.profiles.iter().map(|p| (p.id.clone(), p.min_instances));
    let mut counts: BTreeMap<String, u32> = least.collect();
    for lowest in flavour.aspects.iter().filter_map(|a| a.counts.first()) {
        counts.extend(lowest.iter().map(|(id, n)| (id.clone(), *n)));
    }
    counts
}

fn levels(
    topology: &Topology<'_>,
    flavour: &mut NsFlavour,
    report: &mut Report,
) -> Result<(), Finding> {
    let policies = topology.policies_of(LEVELS);
    let stated = policies.filter_map(|p| p.node.at(&["properties", "ns_levels"]));
    let stated: Vec<(&str, &Node)> = stated.flat_map(Node::entries).collect();
    if let Some((_, node)) = stated.get(MOST_LEVELS) {
        let said = format!("more than {MOST_LEVELS} instantiation levels");
        return Err(Finding::new(&rule::TOO_MUCH, said, node.place()));
    }
    for (id, node) in stated {
        let mut counts = base(flavour);
        for policy in PER_LEVEL.iter().flat_map(|t| topology.policies_of(t)) {
            let Some(number) = policy.node.at(&["properties", "number_of_instances", id]) else {
                continue;
            };
            let instances = count(Some(number), 1, report);
            for target in topology.members(policy) {
                counts.entry(target.to_owned()).and_modify(|n| *n = instances);
            }
        }
        let description = node.get("description").and_then(Node::as_str).unwrap_or_default();
        let description = description.to_owned();
        let scale_levels = scale_levels(flavour, &counts);
        flavour.levels.push(NsLevel { id: id.to_owned(), description, scale_levels, counts });
    }
    if flavour.levels.is_empty() {
        let place = Place::file(Arc::clone(&flavour.file));
        report.add(&rule::NO_LEVEL, place, format!("flavour `{}`", flavour.id));
        let counts = base(flavour);
        let scale_levels = scale_levels(flavour, &counts);
        let (id, description) = ("default".to_owned(), String::new());
        flavour.levels.push(NsLevel { id, description, scale_levels, counts });
    }
    Ok(())
}

/// The scale level of each aspect at which its profiles have just these numbers.
fn scale_levels(flavour: &NsFlavour, counts: &BTreeMap<String, u32>) -> BTreeMap<String, u32> {
    let level = |aspect: &super::NsAspect| {
        let same = |at: &BTreeMap<String, u32>| at.iter().all(|(id, n)| counts.get(id) == Some(n));
        let found = aspect.counts.iter().position(|at| !at.is_empty() && same(at))?;
        Some((aspect.id.clone(), u32::try_from(found).ok()?))
    };
    flavour.aspects.iter().filter_map(level).collect()
}

fn check_counts(flavour: &NsFlavour, report: &mut Report) {
    for profile in &flavour.profiles {
        for level in &flavour.levels {
            let instances = level.counts.get(&profile.id).copied().unwrap_or(0);
            let (least, most) = (profile.min_instances, profile.max_instances);
            if !(least..=most).contains(&instances) {
                let place = Place::line(Arc::clone(&flavour.file), profile.line);
                let said = format!(
                    "level `{}`: {instances} of `{}`, the profile allows {least} to {most}",
                    level.id, profile.id
                );
                report.add(&rule::COUNT_RANGE, place, said);
            }
        }
    }
}
