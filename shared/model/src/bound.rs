//! How large a service or a network function may be: what one run of a workflow can hold.

use crate::{
    Refusal,
    descriptor::{NsFlavour, VnfFlavour},
};
use std::collections::BTreeMap;

/// The most network functions of a service, and the most resources of a network function.
///
/// A run is one execution of Step Functions, which ends at 25,000 events; `tests/thousand.rs`
/// counts what a run over so many takes. Nothing may grow beyond, so that whatever is asked of
/// it later fits as well.
pub const MOST: usize = 1_000;

/// So many of a service's own links are counted along; each further one is a network function less.
pub const LINKS: usize = 100;

/// How many things a service of these counts is, against [`MOST`].
#[must_use]
pub fn of_ns(flavour: &NsFlavour, counts: &BTreeMap<String, u32>) -> usize {
    let of = |id: &str, min: u32| counts.get(id).copied().unwrap_or(min);
    let members = flavour.vnf_profiles.iter().map(|p| size(of(&p.id, p.min_instances)));
    more_links(flavour) + members.sum::<usize>()
}

/// What the links of a flavour take from the network functions.
pub(crate) fn more_links(flavour: &NsFlavour) -> usize {
    flavour.virtual_links.len().saturating_sub(LINKS)
}

/// How many resources a network function of these counts has.
#[must_use]
pub fn of_vnf(flavour: &VnfFlavour, counts: &BTreeMap<String, u32>) -> usize {
    let of = |id: &str, min: u32| counts.get(id).copied().unwrap_or(min);
    let units = flavour.vdus.iter();
    let units = units.map(|v| size(of(&v.id, v.min_instances)) * (1 + v.storages.len()));
    flavour.virtual_links.len() + units.sum::<usize>()
}

/// How many resources one step of scaling brings.
pub(crate) fn of_step(flavour: &VnfFlavour, step: &BTreeMap<String, u32>) -> usize {
    let units = flavour.vdus.iter();
    let units = units.filter_map(|v| Some(size(*step.get(&v.id)?) * (1 + v.storages.len())));
    units.sum()
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Refuses what no run could hold; `told` says of what it is so many, `way` what to do.
pub(crate) fn within(count: usize, most: usize, told: &str, way: &str) -> Result<(), Refusal> {
    if count <= most {
        return Ok(());
    }
    Err(Refusal::unprocessable(format!(
        "{told} {count}, and the most is {most}: an operation is one execution, which ends at 25000 \
         events. {way}"
    )))
}
