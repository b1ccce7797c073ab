//! From an NSD as written to the one lifecycle decisions use.

use crate::{
    convert_vnfd::affinity,
    inspect::{self, Ask},
};
use mano_model::{
    bound,
    catalog::{Remark, nsd_info::NsdContent, onboard::Verdict},
    descriptor::{Aspect, NsFlavour, NsLevel, Nsd, VirtualLink, VnfProfile},
};
use mano_tosca::{Limits, NsPackage, Reading, Refusal, nsd, resume_ns};
use std::{
    collections::BTreeMap,
    io::{Read, Seek},
};

/// Looks at an NSD archive.
pub(crate) fn inspect(
    reader: impl Read + Seek,
    ask: &Ask,
    reading: &mut Reading,
) -> Result<Verdict<NsdContent>, Refusal> {
    let mut found = resume_ns(reader, ask.mode(), Limits::default(), reading)?;
    for flavour in &found.nsd.flavours {
        // The counts of an aspect's last level say all of its growth.
        let growth = flavour.aspects.iter().filter_map(|aspect| aspect.counts.last());
        let levels = flavour.levels.iter().map(|level| &level.counts);
        inspect::bounded(&flavour.id, &flavour.file, levels, growth)?;
        possible(flavour)?;
    }
    let mut warnings = inspect::remarks(std::mem::take(&mut found.package.warnings));
    warnings.extend(left_alone(&found.nsd));
    Ok(Verdict { described: described(&found), descriptor: nsd(found.nsd, ask), warnings })
}

/// Refuses a level that could not be instantiated.
fn possible(of: &nsd::NsFlavour) -> Result<(), Refusal> {
    let flavour = flavour(of);
    let levels = flavour.levels.iter().map(|l| (l.id.as_str(), bound::of_ns(&flavour, &l.vnfs)));
    let what = "network functions, its own links beyond 100 among them";
    inspect::possible(&of.id, &of.file, what, levels)
}

/// What `NsdInfo` tells.
fn described(found: &NsPackage) -> NsdContent {
    let nsd = &found.nsd;
    NsdContent {
        nsd_id: nsd.nsd_id.value.clone(),
        nsd_name: nsd.name.clone(),
        nsd_version: nsd.version.clone(),
        nsd_designer: nsd.designer.clone(),
        nsd_invariant_id: nsd.invariant_id.clone(),
        vnfd_ids: nsd.vnfd_ids().into_iter().map(str::to_owned).collect(),
        artifacts: inspect::additional(&found.package),
        archive_security_option: inspect::security(&found.package),
        layout: inspect::layout(&found.package),
    }
}

/// Constituents that lifecycle operations leave alone, each with where it stands.
fn left_alone(nsd: &nsd::Nsd) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for flavour in &nsd.flavours {
        for profile in &flavour.profiles {
            let what = match profile.kind {
                nsd::Constituent::Vnf => continue,
                nsd::Constituent::Pnf => "a physical network function",
                nsd::Constituent::Ns => "a nested network service",
            };
            remarks.push(Remark {
                rule: "N01".into(),
                message: format!(
                    "`{}` is {what}, which no operation makes or connects",
                    profile.id
                ),
                help: "See to it by other means.".into(),
                file: flavour.file.to_string(),
                line: Some(profile.line),
            });
        }
    }
    remarks
}

fn nsd(nsd: nsd::Nsd, ask: &Ask) -> Nsd {
    Nsd {
        nsd_id: nsd.nsd_id.value,
        nsd_info_id: ask.id.clone(),
        name: nsd.name,
        designer: nsd.designer,
        version: nsd.version,
        invariant_id: nsd.invariant_id,
        flavours: nsd.flavours.iter().map(flavour).collect(),
    }
}

fn flavour(flavour: &nsd::NsFlavour) -> NsFlavour {
    let is_vnf = |name: &str| flavour.vnf_profiles().any(|profile| profile.id == name);
    NsFlavour {
        id: flavour.id.clone(),
        vnf_profiles: flavour.vnf_profiles().map(|of| profile(of, &is_vnf)).collect(),
        virtual_links: flavour
            .virtual_links
            .iter()
            .map(|l| VirtualLink { id: l.id.clone() })
            .collect(),
        saps: flavour.saps.iter().map(|sap| sap.id.clone()).collect(),
        aspects: flavour.aspects.iter().map(|of| aspect(of, &is_vnf)).collect(),
        levels: flavour.levels.iter().map(|of| level(of, &flavour.aspects, &is_vnf)).collect(),
        default_level: flavour.default_level.clone(),
        affinity: affinity(&flavour.affinity, is_vnf),
    }
}

fn profile(profile: &nsd::Profile, is_vnf: &impl Fn(&str) -> bool) -> VnfProfile {
    VnfProfile {
        id: profile.id.clone(),
        vnfd_id: profile.descriptor_id.clone(),
        flavour_id: profile.flavour_id.clone(),
        level_id: profile.level_id.clone(),
        min_instances: profile.min_instances,
        max_instances: profile.max_instances,
        after: profile.after.iter().filter(|name| is_vnf(name)).cloned().collect(),
        virtual_links: profile.links.iter().map(|link| link.virtual_link.clone()).collect(),
    }
}

fn aspect(aspect: &nsd::NsAspect, is_vnf: &impl Fn(&str) -> bool) -> Aspect {
    Aspect {
        id: aspect.id.clone(),
        name: aspect.name.clone(),
        max_level: aspect.max_scale_level,
        steps: aspect.steps().iter().map(|step| of_vnfs(step, is_vnf)).collect(),
    }
}

/// A level, with the aspects it does not name at their lowest.
fn level(
    level: &nsd::NsLevel,
    aspects: &[nsd::NsAspect],
    is_vnf: &impl Fn(&str) -> bool,
) -> NsLevel {
    let of = |a: &nsd::NsAspect| level.scale_levels.get(&a.id).copied().unwrap_or(0);
    NsLevel {
        id: level.id.clone(),
        scale: aspects.iter().map(|aspect| (aspect.id.clone(), of(aspect))).collect(),
        vnfs: of_vnfs(&level.counts, is_vnf),
    }
}

/// The numbers of VNF profiles only.
fn of_vnfs(
    counts: &BTreeMap<String, u32>,
    is_vnf: &impl Fn(&str) -> bool,
) -> BTreeMap<String, u32> {
    counts.iter().filter(|(id, _)| is_vnf(id)).map(|(id, n)| (id.clone(), *n)).collect()
}
