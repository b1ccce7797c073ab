//! What an operation adds and removes: from descriptor, what exists, and the request; nothing else.

use super::Instantiated;
use crate::{
    Refusal, bound,
    descriptor::{self, Vdu, VnfFlavour, VnfLevel},
    resource::{Amounts, Resource, ResourceKind, Want},
};
use std::collections::BTreeMap;

/// The resources an operation makes and removes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Changes {
    /// To make: links, then storages and computes unit by unit.
    pub adds: Vec<Want>,
    /// To remove.
    pub removes: Vec<Resource>,
}

/// Begins the sentence that a network function would have too many resources.
pub(crate) const HELD: &str = "the network function's links, storages and units would be";

/// How many instances of each unit a size means.
pub type Counts = BTreeMap<String, u32>;

/// Everything of a flavour at the given counts.
#[must_use]
pub fn instantiate(flavour: &VnfFlavour, counts: &Counts) -> Changes {
    let links = flavour.virtual_links.iter().map(|link| network(&link.id, &link.id));
    let units = flavour.vdus.iter().flat_map(|vdu| {
        let count = counts.get(&vdu.id).copied().unwrap_or(vdu.min_instances);
        (1..=count).flat_map(|index| unit(vdu, index))
    });
    Changes { adds: links.chain(units).collect(), removes: Vec::new() }
}

/// The counts of a level, or of scale levels given aspect by aspect.
///
/// # Errors
///
/// Unprocessable: there is no such aspect, or it has no such level.
pub fn counts_at(
    flavour: &VnfFlavour,
    level: &VnfLevel,
    scale: &BTreeMap<String, u32>,
) -> Result<Counts, Refusal> {
    let mut counts = level.vdus.clone();
    for (aspect_id, target) in scale {
        let aspect = descriptor::aspect(&flavour.aspects, aspect_id, &flavour.id)?;
        let from = level.scale.get(aspect_id).copied().unwrap_or(0);
        let to = aspect.level(i64::from(*target))?;
        aspect.walk(&mut counts, from, to);
    }
    Ok(counts)
}

/// One step of scaling, or several: the level reached, and what changes.
///
/// # Errors
///
/// Unprocessable: no such aspect or level, fewer units than there must be, or more than a run could
/// hold.
pub fn scale(
    flavour: &VnfFlavour,
    instantiated: &Instantiated,
    existing: &[Resource],
    aspect_id: &str,
    by: i64,
) -> Result<(u32, Changes), Refusal> {
    let aspect = descriptor::aspect(&flavour.aspects, aspect_id, &flavour.id)?;
    let now = instantiated.scale.get(aspect_id).copied().unwrap_or(0);
    let target = aspect.level(i64::from(now) + by)?;
    if by > 0 {
        let come: usize = aspect.between(now, target).map(|s| bound::of_step(flavour, s)).sum();
        let way = "Take fewer steps, or make another network function";
        bound::within(existing.len() + come, bound::MOST, HELD, way)?;
    }
    let mut changes = Changes::default();
    for (vdu_id, count) in aspect.between(now, target).flatten() {
        let Some(vdu) = flavour.vdus.iter().find(|v| v.id == *vdu_id) else { continue };
        if by > 0 {
            add_units(vdu, *count, existing, &mut changes);
        } else {
            remove_units(vdu, *count, existing, &mut changes)?;
        }
    }
    Ok((target, changes))
}

/// What was lost, made again under new names; `lost` are names of resources.
pub fn heal(flavour: &VnfFlavour, existing: &[Resource], lost: &[&str]) -> Changes {
    let mut changes = Changes::default();
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    let is_lost = |r: &&Resource| lost.contains(&r.want.name.as_str());
    for resource in existing.iter().filter(is_lost) {
        let name = match resource.want.kind {
            ResourceKind::Compute => {
                let taken = changes.adds.iter().map(|w| w.name.as_str());
                let index = next_index(&resource.want.template, existing, taken);
                format!("{}-{index}", resource.want.template)
            }
            ResourceKind::Network | ResourceKind::Storage => next_generation(&resource.want.name),
        };
        renamed.insert(resource.want.name.clone(), name.clone());
        changes.adds.push(Want { name, ..resource.want.clone() });
        changes.removes.push(resource.clone());
    }
    for want in &mut changes.adds {
        for join in &mut want.joins {
            if let Some(new) = renamed.get(join) {
                join.clone_from(new);
            }
        }
    }
    changes.adds.sort_by_key(|want| (want.kind, order_of(flavour, want)));
    changes
}

/// Everything that exists, removed.
#[must_use]
pub fn terminate(existing: &[Resource]) -> Changes {
    Changes { adds: Vec::new(), removes: existing.to_vec() }
}

fn order_of(flavour: &VnfFlavour, want: &Want) -> usize {
    flavour.vdus.iter().position(|v| v.id == want.template).unwrap_or(0)
}

fn network(name: &str, template: &str) -> Want {
    Want {
        name: name.into(),
        kind: ResourceKind::Network,
        template: template.into(),
        amounts: Amounts::default(),
        image: None,
        joins: Vec::new(),
    }
}

/// One instance of a unit: its storages, then itself.
fn unit(vdu: &Vdu, index: u32) -> Vec<Want> {
    let name = format!("{}-{index}", vdu.id);
    let storages = vdu.storages.iter().map(|storage| Want {
        name: format!("{name}.{}", storage.id),
        kind: ResourceKind::Storage,
        template: storage.id.clone(),
        amounts: Amounts { storage_gib: storage.size_gib, ..Amounts::default() },
        image: storage.image.clone(),
        joins: Vec::new(),
    });
    let storages: Vec<Want> = storages.collect();
    let links = vdu.cps.iter().filter_map(|cp| cp.virtual_link.clone());
    let mut joins: Vec<String> = links.collect();
    joins.dedup();
    joins.extend(storages.iter().map(|s| s.name.clone()));
    let compute = Want {
        name,
        kind: ResourceKind::Compute,
        template: vdu.id.clone(),
        amounts: vdu.amounts,
        image: vdu.image.clone(),
        joins,
    };
    storages.into_iter().chain([compute]).collect()
}

fn add_units(vdu: &Vdu, count: u32, existing: &[Resource], changes: &mut Changes) {
    for _ in 0..count {
        let taken = changes.adds.iter().map(|w| w.name.as_str());
        let index = next_index(&vdu.id, existing, taken);
        changes.adds.extend(unit(vdu, index));
    }
}

/// The youngest go first: the highest indices.
fn remove_units(
    vdu: &Vdu,
    count: u32,
    existing: &[Resource],
    changes: &mut Changes,
) -> Result<(), Refusal> {
    let of_vdu = |r: &&Resource| r.want.kind == ResourceKind::Compute && r.want.template == vdu.id;
    let gone = |r: &&Resource| !changes.removes.iter().any(|g| g.want.name == r.want.name);
    let mut computes: Vec<&Resource> = existing.iter().filter(of_vdu).filter(gone).collect();
    computes.sort_by_key(|r| std::cmp::Reverse(index_of(&r.want.name)));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let left = computes.len().saturating_sub(count);
    if left < usize::try_from(vdu.min_instances).unwrap_or(0) {
        return Err(Refusal::unprocessable(format!(
            "VDU '{}' must keep {} instances; this would leave {left}",
            vdu.id, vdu.min_instances
        )));
    }
    let mut removes = Vec::new();
    for compute in computes.into_iter().take(count) {
        let its = |r: &&Resource| {
            r.want.kind == ResourceKind::Storage && compute.want.joins.contains(&r.want.name)
        };
        removes.extend(existing.iter().filter(its).cloned());
        removes.push(compute.clone());
    }
    changes.removes.extend(removes);
    Ok(())
}

/// The number at the end of `forwarding-3`.
fn index_of(name: &str) -> u32 {
    name.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// An index no resource of this operation or instance has: names are never used twice at once.
fn next_index<'a>(
    vdu: &str,
    existing: &'a [Resource],
    taken: impl Iterator<Item = &'a str>,
) -> u32 {
    let of_vdu = |name: &&str| {
        name.strip_prefix(vdu)
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let names = existing.iter().map(|r| r.want.name.as_str()).chain(taken);
    names.filter(of_vdu).map(index_of).max().unwrap_or(0) + 1
}

/// `internal` → `internal~2` → `internal~3`.
fn next_generation(name: &str) -> String {
    match name.rsplit_once('~').map(|(stem, n)| (stem, n.parse::<u32>())) {
        Some((stem, Ok(n))) => format!("{stem}~{}", n + 1),
        _ => format!("{name}~2"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        descriptor::{Aspect, Storage, VduCp, VduKind, VirtualLink},
        grant::{Grant, Owner, Placement},
    };

    fn vdu(id: &str, storages: &[&str]) -> Vdu {
        Vdu {
            id: id.into(),
            name: id.into(),
            kind: VduKind::Compute,
            amounts: Amounts { vcpu_milli: 1000, memory_mib: 512, storage_gib: 0 },
            image: None,
            storages: storages
                .iter()
                .map(|s| Storage {
                    id: (*s).into(),
                    kind: "BLOCK".into(),
                    size_gib: 10,
                    image: None,
                })
                .collect(),
            cps: vec![VduCp { id: format!("{id}-cp"), virtual_link: Some("internal".into()) }],
            min_instances: 1,
            max_instances: 10,
        }
    }

    fn flavour() -> VnfFlavour {
        VnfFlavour {
            id: "simple".into(),
            vdus: vec![vdu("control", &[]), vdu("forwarding", &["disk"])],
            virtual_links: vec![VirtualLink { id: "internal".into() }],
            aspects: vec![Aspect {
                id: "throughput".into(),
                name: "throughput".into(),
                max_level: 3,
                steps: vec![
                    [("forwarding".into(), 1)].into(),
                    [("forwarding".into(), 1)].into(),
                    [("forwarding".into(), 2)].into(),
                ],
            }],
            levels: vec![VnfLevel {
                id: "small".into(),
                scale: [("throughput".into(), 0)].into(),
                vdus: [("control".into(), 1), ("forwarding".into(), 1)].into(),
            }],
            default_level: "small".into(),
            ..VnfFlavour::default()
        }
    }

    /// The inventory as it is once everything wanted exists.
    fn exist(wants: &[Want]) -> Vec<Resource> {
        let grant = Grant {
            op_id: "op".into(),
            owner: Owner::Vnf,
            instance_id: "vnf".into(),
            adds: Vec::new(),
            removes: Vec::new(),
        };
        let place = |want: &Want| Placement {
            want: want.clone(),
            vim_id: "v".into(),
            zone_id: "z".into(),
            apart_group: None,
        };
        wants.iter().map(|want| grant.resource(&place(want))).collect()
    }

    fn at(level: u32) -> Instantiated {
        Instantiated {
            flavour_id: "simple".into(),
            scale: [("throughput".into(), level)].into(),
            resources: Vec::new(),
        }
    }

    fn names(wants: &[Want]) -> Vec<&str> {
        wants.iter().map(|w| w.name.as_str()).collect()
    }

    fn at_level(level: u32) -> Vec<Resource> {
        let flavour = flavour();
        let scale = [("throughput".to_owned(), level)].into();
        let counts = counts_at(&flavour, &flavour.levels[0], &scale).unwrap();
        exist(&instantiate(&flavour, &counts).adds)
    }

    #[test]
    fn a_flavour_is_its_links_and_every_unit_with_its_storages() {
        let flavour = flavour();
        let changes = instantiate(&flavour, &flavour.levels[0].vdus);
        assert_eq!(
            names(&changes.adds),
            ["internal", "control-1", "forwarding-1.disk", "forwarding-1"]
        );
        assert_eq!(changes.adds[3].joins, ["internal", "forwarding-1.disk"]);
    }

    #[test]
    fn a_level_asked_for_by_aspect_counts_its_steps() {
        let flavour = flavour();
        let scale = [("throughput".to_owned(), 3)].into();
        let counts = counts_at(&flavour, &flavour.levels[0], &scale).unwrap();
        assert_eq!(counts["forwarding"], 5);
    }

    #[test]
    fn scaling_out_takes_indices_nobody_has() {
        let (level, changes) = scale(&flavour(), &at(1), &at_level(1), "throughput", 2).unwrap();
        assert_eq!(level, 3);
        let computes = changes.adds.iter().filter(|w| w.kind == ResourceKind::Compute);
        let computes: Vec<_> = computes.map(|w| w.name.as_str()).collect();
        assert_eq!(computes, ["forwarding-3", "forwarding-4", "forwarding-5"]);
        assert!(changes.removes.is_empty());
    }

    #[test]
    fn no_network_function_grows_beyond_a_thousand_resources() {
        let mut flavour = flavour();
        flavour.aspects[0].steps[1] = [("forwarding".into(), 497)].into();
        // 6 there are, and each unit brings its disk.
        assert_eq!(at_level(1).len(), 6);
        assert!(scale(&flavour, &at(1), &at_level(1), "throughput", 1).is_ok());
        let out = scale(&flavour, &at(1), &at_level(1), "throughput", 2).unwrap_err();
        assert!(out.detail.contains("would be 1004, and the most is 1000: "), "{out}");
        let whole = exist(&scale(&flavour, &at(1), &at_level(1), "throughput", 1).unwrap().1.adds);
        let whole = [at_level(1), whole].concat();
        assert!(scale(&flavour, &at(2), &whole, "throughput", -1).is_ok());
    }

    #[test]
    fn scaling_in_takes_the_youngest_with_their_storages() {
        let (level, changes) = scale(&flavour(), &at(2), &at_level(2), "throughput", -1).unwrap();
        assert_eq!(level, 1);
        let gone: Vec<_> = changes.removes.iter().map(|r| r.want.name.as_str()).collect();
        assert_eq!(gone, ["forwarding-3.disk", "forwarding-3"]);
    }

    #[test]
    fn scaling_past_a_limit_names_the_limits() {
        let out = scale(&flavour(), &at(2), &at_level(2), "throughput", 2).unwrap_err();
        assert!(out.detail.contains("levels 0 to 3"), "{out}");
        assert!(out.detail.contains("level 4"), "{out}");
        let below = scale(&flavour(), &at(0), &at_level(0), "throughput", -1).unwrap_err();
        assert!(below.detail.contains("level -1"), "{below}");
        let unknown = scale(&flavour(), &at(0), &at_level(0), "speed", 1).unwrap_err();
        assert!(unknown.detail.contains("it has: throughput"), "{unknown}");
    }

    #[test]
    fn a_lost_unit_comes_back_under_a_new_name_on_its_old_disk() {
        let changes = heal(&flavour(), &at_level(0), &["forwarding-1"]);
        assert_eq!(names(&changes.adds), ["forwarding-2"]);
        assert_eq!(changes.adds[0].joins, ["internal", "forwarding-1.disk"]);
        assert_eq!(changes.removes[0].want.name, "forwarding-1");
    }

    #[test]
    fn a_lost_disk_and_unit_are_joined_again() {
        let changes = heal(&flavour(), &at_level(0), &["forwarding-1", "forwarding-1.disk"]);
        assert_eq!(names(&changes.adds), ["forwarding-1.disk~2", "forwarding-2"]);
        assert_eq!(changes.adds[1].joins, ["internal", "forwarding-1.disk~2"]);
    }

    #[test]
    fn generations_count_on() {
        assert_eq!(next_generation("internal"), "internal~2");
        assert_eq!(next_generation("internal~2"), "internal~3");
        assert_eq!(next_generation("a~b"), "a~b~2");
    }
}
