//! From a VNFD as written to the one lifecycle decisions use.

use crate::inspect::{self, Ask};
use mano_model::{
    bound,
    catalog::{
        onboard::Verdict,
        vnf_package::{Checksum, SoftwareImage, VnfPkgContent},
    },
    descriptor::{
        AffinityRule, AffinityScope, Aspect, ExternalCp, Storage, Vdu, VduCp, VduKind, VirtualLink,
        VnfFlavour, VnfLevel, Vnfd,
    },
    resource::Amounts,
};
use mano_tosca::{Limits, Reading, Refusal, VnfPackage, resume_vnf, vnfd};
use std::{
    io::{Read, Seek},
    sync::Arc,
};

/// No amount a descriptor asks for is larger: sums of thousands stay within 64 bits, and no
/// VIM has as much.
const MOST: i64 = 1 << 40;

/// Looks at a VNF package.
pub(crate) fn inspect(
    reader: impl Read + Seek,
    ask: &Ask,
    reading: &mut Reading,
) -> Result<Verdict<VnfPkgContent>, Refusal> {
    let mut found = resume_vnf(reader, ask.mode(), Limits::default(), reading)?;
    for flavour in &found.vnfd.flavours {
        let steps = flavour.aspects.iter().flat_map(|aspect| &aspect.steps);
        let levels = flavour.levels.iter().map(|level| &level.counts);
        inspect::bounded(&flavour.id, &flavour.file, levels, steps)?;
    }
    let warnings = inspect::remarks(std::mem::take(&mut found.package.warnings));
    let described = described(&found, ask);
    let files: Vec<_> = found.vnfd.flavours.iter().map(|f| Arc::clone(&f.file)).collect();
    let descriptor = vnfd(found.vnfd, ask);
    for (flavour, file) in descriptor.flavours.iter().zip(&files) {
        let levels =
            flavour.levels.iter().map(|l| (l.id.as_str(), bound::of_vnf(flavour, &l.vdus)));
        inspect::possible(&flavour.id, file, "links, storages and units", levels)?;
    }
    Ok(Verdict { described, descriptor, warnings })
}

/// What `VnfPkgInfo` tells.
fn described(found: &VnfPackage, ask: &Ask) -> VnfPkgContent {
    let (vnfd, package) = (&found.vnfd, &found.package);
    VnfPkgContent {
        vnfd_id: vnfd.vnfd_id.value.clone(),
        vnf_provider: vnfd.provider.clone(),
        vnf_product_name: vnfd.product_name.clone(),
        vnf_software_version: vnfd.software_version.clone(),
        vnfd_version: vnfd.descriptor_version.clone(),
        vnfm_info: vnfd.vnfm_info.clone(),
        checksum: Checksum { algorithm: "SHA-256".into(), hash: ask.sha256.clone() },
        software_images: found.images.iter().map(|image| software_image(image, vnfd)).collect(),
        additional_artifacts: inspect::additional(package),
        package_security_option: inspect::security(package),
        layout: inspect::layout(package),
    }
}

fn software_image(image: &vnfd::SwImage, vnfd: &vnfd::Vnfd) -> SoftwareImage {
    let place = image.path.as_ref().or(image.uri.as_ref());
    SoftwareImage {
        id: image.id.clone(),
        name: image.name.clone(),
        provider: image.provider.clone().unwrap_or_else(|| vnfd.provider.clone()),
        version: image.version.clone(),
        checksum: image.checksum.as_ref().map(inspect::checksum),
        is_encrypted: false,
        container_format: image.container_format.clone(),
        disk_format: image.disk_format.clone().unwrap_or_default(),
        min_disk: image.min_disk,
        min_ram: image.min_ram,
        size: image.size,
        image_path: place.cloned().unwrap_or_default(),
    }
}

fn vnfd(vnfd: vnfd::Vnfd, ask: &Ask) -> Vnfd {
    Vnfd {
        vnfd_id: vnfd.vnfd_id.value,
        vnf_pkg_id: ask.id.clone(),
        provider: vnfd.provider,
        product_name: vnfd.product_name,
        software_version: vnfd.software_version,
        descriptor_version: vnfd.descriptor_version,
        vnfm_info: vnfd.vnfm_info,
        flavours: vnfd.flavours.into_iter().map(flavour).collect(),
    }
}

fn flavour(flavour: vnfd::Flavour) -> VnfFlavour {
    let storages = &flavour.storages;
    VnfFlavour {
        vdus: flavour.vdus.iter().map(|unit| vdu(unit, storages)).collect(),
        levels: flavour.levels.iter().map(|of| level(of, &flavour.aspects)).collect(),
        affinity: affinity(&flavour.affinity, |name| flavour.vdus.iter().any(|v| v.id == name)),
        aspects: flavour.aspects.into_iter().map(aspect).collect(),
        virtual_links: flavour
            .virtual_links
            .into_iter()
            .map(|l| VirtualLink { id: l.id })
            .collect(),
        external_cps: flavour.external_cps.into_iter().map(external_cp).collect(),
        id: flavour.id,
        description: flavour.description,
        default_level: flavour.default_level,
    }
}

fn vdu(vdu: &vnfd::Vdu, storages: &[vnfd::Storage]) -> Vdu {
    let attached = storages.iter().filter(|storage| vdu.storages.contains(&storage.id));
    let contained = vdu.containers.iter().flat_map(|container| &container.images);
    Vdu {
        id: vdu.id.clone(),
        name: vdu.name.clone(),
        kind: match vdu.kind {
            vnfd::VduKind::Compute => VduKind::Compute,
            vnfd::VduKind::Container => VduKind::Container,
        },
        amounts: Amounts {
            vcpu_milli: amount(vdu.vcpu_milli),
            memory_mib: amount(vdu.memory_mib),
            storage_gib: amount(vdu.disk_gib),
        },
        image: vdu.images.iter().chain(contained).next().cloned(),
        storages: attached.map(storage).collect(),
        cps: vdu.connection_points.iter().map(cp).collect(),
        min_instances: vdu.min_instances,
        max_instances: vdu.max_instances,
    }
}

fn storage(storage: &vnfd::Storage) -> Storage {
    let kind = match storage.kind {
        vnfd::StorageKind::Block => "BLOCK",
        vnfd::StorageKind::Object => "OBJECT",
        vnfd::StorageKind::File => "FILE",
    };
    Storage {
        id: storage.id.clone(),
        kind: kind.into(),
        size_gib: amount(storage.size_gib),
        image: storage.image.clone(),
    }
}

fn cp(cp: &vnfd::ConnectionPoint) -> VduCp {
    VduCp { id: cp.id.clone(), virtual_link: cp.virtual_link.clone() }
}

fn external_cp(cp: vnfd::ExternalCp) -> ExternalCp {
    ExternalCp { id: cp.id, virtual_link: cp.virtual_link, vdu_cp: cp.vdu_cp }
}

fn aspect(aspect: vnfd::Aspect) -> Aspect {
    Aspect {
        id: aspect.id,
        name: aspect.name,
        max_level: aspect.max_scale_level,
        steps: aspect.steps,
    }
}

/// A level, with the aspects it does not name at their lowest.
fn level(level: &vnfd::Level, aspects: &[vnfd::Aspect]) -> VnfLevel {
    let of = |a: &vnfd::Aspect| level.scale_levels.get(&a.id).copied().unwrap_or(0);
    VnfLevel {
        id: level.id.clone(),
        scale: aspects.iter().map(|aspect| (aspect.id.clone(), of(aspect))).collect(),
        vdus: level.counts.clone(),
    }
}

/// The rules about members that a placement decides over.
pub(crate) fn affinity(
    rules: &[vnfd::Affinity],
    is_member: impl Fn(&str) -> bool,
) -> Vec<AffinityRule> {
    let of = |rule: &vnfd::Affinity| AffinityRule {
        anti: rule.anti,
        scope: scope(&rule.scope),
        members: rule.members.iter().filter(|name| is_member(name)).cloned().collect(),
    };
    rules.iter().map(of).filter(|rule| !rule.members.is_empty()).collect()
}

fn scope(name: &str) -> AffinityScope {
    match name {
        "nfvi_node" => AffinityScope::NfviNode,
        "zone" => AffinityScope::Zone,
        "zone_group" => AffinityScope::ZoneGroup,
        "nfvi_pop" => AffinityScope::NfviPop,
        _ => AffinityScope::Other,
    }
}

fn amount(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(MOST).min(MOST)
}
