//! Which network functions a size of a service means, and in which order they come.

use super::{Member, NsInstance, op::Item};
use crate::{
    Refusal,
    descriptor::{self, NsFlavour, NsLevel, Nsd, VnfProfile, Vnfd},
    ids,
    vnf::op::Operation,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many instances of each profile a size means.
pub type Counts = BTreeMap<String, u32>;

/// The flavour of this id, or the only one; or a refusal that names those there are.
///
/// # Errors
///
/// Unprocessable: there is no such flavour, or none is named of many.
pub fn flavour<'a>(nsd: &'a Nsd, id: Option<&str>) -> Result<&'a NsFlavour, Refusal> {
    let whole = || format!("NS descriptor '{}'", nsd.nsd_id);
    descriptor::flavour(&nsd.flavours, |f| &f.id, id, "nsFlavourId", whole)
}

/// The level of this id, or of the flavour's default.
///
/// # Errors
///
/// Unprocessable: there is no such level.
pub fn level<'a>(flavour: &'a NsFlavour, id: Option<&str>) -> Result<&'a NsLevel, Refusal> {
    let id = id.unwrap_or(&flavour.default_level);
    let whole = || format!("flavour '{}'", flavour.id);
    descriptor::part(&flavour.levels, |l| &l.id, "NS instantiation level", id, whole)
}

/// The items that bring a service from what it has to `counts`: new members, and the
/// youngest ones too many.
///
/// # Errors
///
/// Unprocessable: a VNF descriptor is not on-boarded, or has not the flavour a profile asks for.
pub fn towards(
    op: &str,
    flavour: &NsFlavour,
    vnfds: &BTreeMap<String, Vnfd>,
    members: &[Member],
    counts: &Counts,
) -> Result<Vec<Item>, Refusal> {
    let mut items = Vec::new();
    for profile in &flavour.vnf_profiles {
        let want = counts.get(&profile.id).copied().unwrap_or(profile.min_instances);
        let mut have: Vec<&Member> =
            members.iter().filter(|m| m.profile_id == profile.id).collect();
        have.sort_by_key(|m| index_of(&m.name));
        let has = u32::try_from(have.len()).unwrap_or(u32::MAX);
        let last = have.last().map_or(0, |m| index_of(&m.name));
        for n in 1..=want.saturating_sub(has) {
            items.push(birth(op, flavour, profile, vnfds, last + n)?);
        }
        let keep = usize::try_from(want).unwrap_or(usize::MAX);
        for member in have.into_iter().skip(keep).rev() {
            items.push(death(member, &profile.vnfd_id));
        }
    }
    Ok(items)
}

/// A member that is to be made.
fn birth(
    op: &str,
    flavour: &NsFlavour,
    profile: &VnfProfile,
    vnfds: &BTreeMap<String, Vnfd>,
    index: u32,
) -> Result<Item, Refusal> {
    let name = format!("{}-{index}", profile.id);
    Ok(Item {
        vnf_instance_id: ids::derived(&[op, &name, "instance"]).to_string(),
        profile_id: profile.id.clone(),
        vnfd_id: profile.vnfd_id.clone(),
        operation: Operation::Instantiate,
        params: instantiate_params(profile, vnfds)?,
        stage: stage(flavour, profile, 0),
        state: None,
        name,
    })
}

/// The VNF request of a profile: its flavour and level, or the descriptor's own first.
fn instantiate_params(
    profile: &VnfProfile,
    vnfds: &BTreeMap<String, Vnfd>,
) -> Result<Value, Refusal> {
    let vnfd = vnfds.get(&profile.vnfd_id).ok_or_else(|| {
        Refusal::unprocessable(format!(
            "VNF profile '{}' needs VNF descriptor '{}', which is not on-boarded; on-board its \
             package first",
            profile.id, profile.vnfd_id
        ))
    })?;
    let first = || vnfd.flavours.first().map(|f| f.id.clone()).unwrap_or_default();
    let flavour = profile.flavour_id.clone().unwrap_or_else(first);
    let known = vnfd.flavour(&flavour).ok_or_else(|| {
        Refusal::unprocessable(format!(
            "VNF profile '{}' asks for flavour '{flavour}', which VNF descriptor '{}' does not have",
            profile.id, profile.vnfd_id
        ))
    })?;
    let level = profile.level_id.clone().unwrap_or_else(|| known.default_level.clone());
    Ok(json!({ "flavourId": flavour, "instantiationLevelId": level }))
}

/// A member that is to go.
#[must_use]
pub fn death(member: &Member, vnfd_id: &str) -> Item {
    Item {
        name: member.name.clone(),
        profile_id: member.profile_id.clone(),
        vnfd_id: vnfd_id.into(),
        vnf_instance_id: member.vnf_instance_id.clone(),
        operation: Operation::Terminate,
        params: json!({ "terminationType": "FORCEFUL" }),
        stage: 0,
        state: None,
    }
}

/// An item for a member that stays.
///
/// # Errors
///
/// Unprocessable: the service has no such network function.
pub fn change(
    instance: &NsInstance,
    vnf_instance_id: &str,
    operation: Operation,
    params: Value,
    stage: u32,
) -> Result<Item, Refusal> {
    let member = instance.members.iter().find(|m| m.vnf_instance_id == vnf_instance_id);
    let member = member.ok_or_else(|| {
        Refusal::unprocessable(format!(
            "NS instance '{}' has no VNF instance '{vnf_instance_id}'",
            instance.id
        ))
    })?;
    Ok(Item {
        name: member.name.clone(),
        profile_id: member.profile_id.clone(),
        vnfd_id: String::new(),
        vnf_instance_id: member.vnf_instance_id.clone(),
        operation,
        params,
        stage,
        state: None,
    })
}

/// A profile's turn: after everything it depends on. A circle of dependencies ends here,
/// because on-boarding refuses it and a depth beyond all profiles cannot be meant.
fn stage(flavour: &NsFlavour, profile: &VnfProfile, depth: usize) -> u32 {
    if depth > flavour.vnf_profiles.len() {
        return 0;
    }
    let before =
        profile.after.iter().filter_map(|id| flavour.vnf_profiles.iter().find(|p| p.id == *id));
    before.map(|p| stage(flavour, p, depth + 1) + 1).max().unwrap_or(0)
}

fn index_of(name: &str) -> u32 {
    name.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::{VnfFlavour, VnfLevel};

    fn profile(id: &str, after: &[&str]) -> VnfProfile {
        VnfProfile {
            id: id.into(),
            vnfd_id: "vnfd".into(),
            flavour_id: None,
            level_id: None,
            min_instances: 1,
            max_instances: 9,
            after: after.iter().map(ToString::to_string).collect(),
            virtual_links: Vec::new(),
        }
    }

    fn flavour(profiles: Vec<VnfProfile>) -> NsFlavour {
        NsFlavour { id: "f".into(), vnf_profiles: profiles, ..NsFlavour::default() }
    }

    fn vnfds() -> BTreeMap<String, Vnfd> {
        let level = VnfLevel { id: "l".into(), scale: BTreeMap::new(), vdus: BTreeMap::new() };
        let vnfd = Vnfd {
            vnfd_id: "vnfd".into(),
            vnf_pkg_id: "pkg".into(),
            provider: String::new(),
            product_name: String::new(),
            software_version: String::new(),
            descriptor_version: String::new(),
            vnfm_info: Vec::new(),
            flavours: vec![VnfFlavour {
                id: "simple".into(),
                levels: vec![level],
                default_level: "l".into(),
                ..VnfFlavour::default()
            }],
        };
        [("vnfd".into(), vnfd)].into()
    }

    fn member(name: &str) -> Member {
        let profile_id = name.split('-').next().unwrap().into();
        Member { name: name.into(), profile_id, vnf_instance_id: format!("id-{name}") }
    }

    fn summary(items: &[Item]) -> Vec<(&str, Operation, u32)> {
        items.iter().map(|i| (i.name.as_str(), i.operation, i.stage)).collect()
    }

    #[test]
    fn what_depends_on_others_comes_after_them() {
        let flavour = flavour(vec![profile("c", &["b"]), profile("b", &["a"]), profile("a", &[])]);
        let items = towards("op", &flavour, &vnfds(), &[], &Counts::new()).unwrap();
        let expected = [
            ("c-1", Operation::Instantiate, 2),
            ("b-1", Operation::Instantiate, 1),
            ("a-1", Operation::Instantiate, 0),
        ];
        assert_eq!(summary(&items), expected);
    }

    #[test]
    fn a_circle_of_dependencies_ends() {
        let flavour = flavour(vec![profile("a", &["b"]), profile("b", &["a"])]);
        assert!(towards("op", &flavour, &vnfds(), &[], &Counts::new()).is_ok());
    }

    #[test]
    fn growing_counts_on_and_shrinking_takes_the_youngest() {
        let flavour = flavour(vec![profile("a", &[])]);
        let members = [member("a-1"), member("a-10"), member("a-2")];
        let more = [("a".into(), 4)].into();
        let items = towards("op", &flavour, &vnfds(), &members, &more).unwrap();
        assert_eq!(summary(&items), [("a-11", Operation::Instantiate, 0)]);
        let fewer = [("a".into(), 1)].into();
        let items = towards("op", &flavour, &vnfds(), &members, &fewer).unwrap();
        let expected = [("a-10", Operation::Terminate, 0), ("a-2", Operation::Terminate, 0)];
        assert_eq!(summary(&items), expected);
    }

    #[test]
    fn a_descriptor_that_is_missing_is_named() {
        let flavour = flavour(vec![profile("a", &[])]);
        let refusal = towards("op", &flavour, &BTreeMap::new(), &[], &Counts::new()).unwrap_err();
        assert!(refusal.detail.contains("'vnfd', which is not on-boarded"), "{refusal}");
    }
}
