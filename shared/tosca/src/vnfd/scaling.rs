//! Scaling aspects and instantiation levels, resolved to numbers of instances per unit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::vdu::count;
use super::{Aspect, Flavour, Level};
use crate::finding::{Finding, Place};
use crate::rules::{Report, descriptor as rule};
use crate::template::{Document, Topology};
use crate::yaml::Node;

/// Highest scale level that is resolved step by step.
pub(crate) const MAX_LEVEL: u32 = 1000;

/// Most entries that the steps of all aspects of a flavour may have together.
const ROOM: usize = 50_000;
/// Most instantiation levels of a flavour.
pub(crate) const MOST_LEVELS: usize = 200;

const LEVELS: &str = "tosca.policies.nfv.InstantiationLevels";

/// Reads aspects, initial counts and levels into the flavour.
pub(super) fn read(
    topology: &Topology<'_>,
    document: &Document,
    flavour: &mut Flavour,
    report: &mut Report,
) -> Result<(), Finding> {
    initial(topology, flavour, report);
    let mut room = ROOM;
    let policies = topology.policies_of("tosca.policies.nfv.ScalingAspects");
    let aspects = policies.filter_map(|p| p.node.at(&["properties", "aspects"]));
    for (id, node) in aspects.flat_map(Node::entries) {
        let aspect = aspect(topology, id, node, &mut room, report)?;
        flavour.aspects.push(aspect);
    }
    levels(topology, flavour, report)?;
    if flavour.levels.is_empty() {
        let place = Place::file(Arc::clone(&document.file));
        report.add(&rule::NO_LEVEL, place, format!("flavour `{}`", flavour.id));
        flavour.levels.push(Level {
            id: "default".to_owned(),
            description: String::new(),
            scale_levels: BTreeMap::new(),
            counts: flavour.counts_at(&BTreeMap::new()),
        });
    }
    let levels = flavour.levels.iter().map(|l| l.id.as_str()).collect::<Vec<_>>();
    flavour.default_level =
        topology.default_level(LEVELS, &levels, (&flavour.id, &flavour.file), report);
    check_counts(topology, flavour, report);
    Ok(())
}

fn initial(topology: &Topology<'_>, flavour: &mut Flavour, report: &mut Report) {
    let mut given = vec![];
    for policy in topology.policies_of("tosca.policies.nfv.VduInitialDelta") {
        let node = policy.node.at(&["properties", "initial_delta", "number_of_instances"]);
        let Some(node) = node else { continue };
        let instances = count(Some(node), 1, report);
        given.extend(topology.members(policy).into_iter().map(|t| (t.to_owned(), instances)));
    }
    let scaled: Vec<&str> = topology
        .policies_of("tosca.policies.nfv.VduScalingAspectDeltas")
        .flat_map(|p| topology.members(p))
        .collect();
    for vdu in &mut flavour.vdus {
        match given.iter().find(|(id, _)| *id == vdu.id) {
            Some((_, instances)) => vdu.initial_instances = *instances,
            None if scaled.contains(&vdu.id.as_str()) => {
                let place = Place::line(Arc::clone(&flavour.file), vdu.line);
                report.add(&rule::NO_INITIAL_DELTA, place, format!("`{}`", vdu.id));
            }
            None => {}
        }
    }
}

fn aspect(
    topology: &Topology<'_>,
    id: &str,
    node: &Node,
    room: &mut usize,
    report: &mut Report,
) -> Result<Aspect, Finding> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let max_scale_level = count(node.get("max_scale_level"), 1, report);
    if max_scale_level > MAX_LEVEL {
        let said = format!("`{id}` has {max_scale_level} levels, {MAX_LEVEL} are allowed");
        return Err(Finding::new(&rule::TOO_MUCH, said, node.place()));
    }
    let names = node.get("step_deltas").map_or(&[][..], Node::items);
    let names: Vec<&str> = names.iter().filter_map(Node::as_str).collect();
    let mut steps: Vec<BTreeMap<String, u32>> = vec![];
    for at in 0..usize::try_from(max_scale_level).unwrap_or(usize::MAX) {
        // One delta serves for all steps, and the last one for all that remain.
        let step = match steps.last() {
            Some(last) if at >= names.len() => last.clone(),
            _ => step(topology, id, names.get(at).copied(), report),
        };
        *room = room.checked_sub(1 + step.len()).ok_or_else(|| {
            let said = format!("the aspects have more than {ROOM} steps of units");
            Finding::new(&rule::TOO_MUCH, said, node.place())
        })?;
        steps.push(step);
    }
    if steps.iter().all(BTreeMap::is_empty) {
        report.add(&rule::ASPECT_DELTA, node.place(), format!("`{id}` adds no instance"));
    }
    let name = text("name").unwrap_or_else(|| id.to_owned());
    let description = text("description").unwrap_or_default();
    Ok(Aspect { id: id.to_owned(), name, description, max_scale_level, steps })
}

/// What one step adds to each unit.
fn step(
    topology: &Topology<'_>,
    aspect: &str,
    delta: Option<&str>,
    report: &mut Report,
) -> BTreeMap<String, u32> {
    let mut step = BTreeMap::new();
    for policy in topology.policies_of("tosca.policies.nfv.VduScalingAspectDeltas") {
        let Some(properties) = policy.node.get("properties") else { continue };
        if properties.get("aspect").and_then(Node::as_str) != Some(aspect) {
            continue;
        }
        let deltas = properties.get("deltas");
        // Without step_deltas a single delta is meant.
        let found = match delta {
            Some(name) => deltas.and_then(|d| d.get(name)),
            None => deltas.and_then(|d| d.entries().next()).map(|(_, node)| node),
        };
        let Some(found) = found else {
            let said = format!("`{}` has no delta `{}`", policy.name, delta.unwrap_or_default());
            report.add(&rule::ASPECT_DELTA, policy.node.place(), said);
            continue;
        };
        let added = count(found.get("number_of_instances"), 0, report);
        for target in topology.members(policy) {
            let entry: &mut u32 = step.entry(target.to_owned()).or_default();
            *entry = entry.saturating_add(added);
        }
    }
    step
}

fn levels(
    topology: &Topology<'_>,
    flavour: &mut Flavour,
    report: &mut Report,
) -> Result<(), Finding> {
    let policies = topology.policies_of(LEVELS);
    let levels: Vec<(&str, &Node)> = policies
        .filter_map(|p| p.node.at(&["properties", "levels"]))
        .flat_map(Node::entries)
        .collect();
    if let Some((_, node)) = levels.get(MOST_LEVELS) {
        let said = format!("more than {MOST_LEVELS} instantiation levels");
        return Err(Finding::new(&rule::TOO_MUCH, said, node.place()));
    }
    for (id, node) in levels {
        let mut scale_levels = BTreeMap::new();
        for (aspect, info) in node.get("scale_info").into_iter().flat_map(Node::entries) {
            let level = count(info.get("scale_level"), 0, report);
            match flavour.aspects.iter().find(|a| a.id == aspect) {
                Some(known) if level <= known.max_scale_level => {
                    scale_levels.insert(aspect.to_owned(), level);
                }
                _ => {
                    let said = format!("level `{id}`: `{aspect}` at {level}");
                    report.add(&rule::LEVEL_UNKNOWN, info.place(), said);
                }
            }
        }
        let mut counts = flavour.counts_at(&scale_levels);
        overrule(topology, id, &scale_levels, &mut counts, report);
        let description = node.get("description").and_then(Node::as_str).unwrap_or_default();
        let description = description.to_owned();
        flavour.levels.push(Level { id: id.to_owned(), description, scale_levels, counts });
    }
    Ok(())
}

/// `VduInstantiationLevels` states counts; they outrank what scale levels come to.
fn overrule(
    topology: &Topology<'_>,
    id: &str,
    scale_levels: &BTreeMap<String, u32>,
    counts: &mut BTreeMap<String, u32>,
    report: &mut Report,
) {
    for policy in topology.policies_of("tosca.policies.nfv.VduInstantiationLevels") {
        let Some(node) = policy.node.at(&["properties", "levels", id, "number_of_instances"])
        else {
            continue;
        };
        let stated = count(Some(node), 1, report);
        for target in topology.members(policy) {
            let Some(known) = counts.get_mut(target) else { continue };
            if *known != stated && !scale_levels.is_empty() {
                let said = format!("level `{id}`: {stated} of `{target}`, scaling gives {known}");
                report.add(&rule::LEVEL_DISAGREES, node.place(), said);
            }
            *known = stated;
        }
    }
}

/// Every level's counts must lie within the units' profiles.
fn check_counts(topology: &Topology<'_>, flavour: &Flavour, report: &mut Report) {
    for vdu in &flavour.vdus {
        let profiled = topology.node(&vdu.id).and_then(|n| topology.property(&n, "vdu_profile"));
        let Some(profile) = profiled else { continue };
        for level in &flavour.levels {
            let instances = level.counts.get(&vdu.id).copied().unwrap_or(0);
            if !(vdu.min_instances..=vdu.max_instances).contains(&instances) {
                let (least, most) = (vdu.min_instances, vdu.max_instances);
                let said = format!(
                    "level `{}`: {instances} of `{}`, the profile allows {least} to {most}",
                    level.id, vdu.id
                );
                report.add(&rule::COUNT_RANGE, profile.place(), said);
            }
        }
    }
}
