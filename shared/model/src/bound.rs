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

/// The longest name of an instance, in characters.
pub const LONGEST_NAME: usize = 255;

/// Refuses a name that people could not read in a line.
///
/// # Errors
/// Unprocessable, by the name of the attribute.
pub fn name(attribute: &str, name: &str) -> Result<(), Refusal> {
    let long = name.chars().count();
    let why = match long {
        1..=LONGEST_NAME if !name.chars().any(char::is_control) => return Ok(()),
        1..=LONGEST_NAME => "it has control characters".into(),
        _ => format!("it has {long} characters"),
    };
    Err(Refusal::unprocessable(format!(
        "{attribute}: {why}; a name has 1 to {LONGEST_NAME} characters, none of them a control \
         character"
    )))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_in_a_line() {
        for good in ["a", "Größe 1", &"é".repeat(LONGEST_NAME)] {
            assert_eq!(name("nsName", good), Ok(()));
        }
        for (bad, why) in [
            ("", "nsName: it has 0 characters; "),
            ("a\nb", "nsName: it has control characters; "),
            ("\u{1b}[31m", "nsName: it has control characters; "),
            (&"x".repeat(LONGEST_NAME + 1), "nsName: it has 256 characters; "),
        ] {
            let said = name("nsName", bad).unwrap_err().detail;
            assert!(said.starts_with(why), "{said}");
        }
    }
}
