//! Descriptors as on-boarding would leave them, for worlds and benchmarks that need no package.

use mano_model::{
    descriptor::{
        Aspect, NsFlavour, NsLevel, Nsd, Storage, Vdu, VduCp, VduKind, VirtualLink, VnfFlavour,
        VnfLevel, VnfProfile, Vnfd,
    },
    resource::Amounts,
};
use std::collections::BTreeMap;

/// The VNF descriptor of one link, one unit with one storage, and an aspect of three levels.
pub(crate) const SMALL: &str = "small-vnf";
/// A service of one `front` and some `back`s after it, each [`SMALL`], on a link of its own.
pub(crate) const PAIR: &str = "pair-ns";

fn counts(of: &[(&str, u32)]) -> BTreeMap<String, u32> {
    of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// [`SMALL`].
pub(crate) fn vnfd() -> Vnfd {
    let unit = Vdu {
        id: "unit".into(),
        name: "unit".into(),
        kind: VduKind::Compute,
        amounts: Amounts { vcpu_milli: 2000, memory_mib: 1024, storage_gib: 0 },
        image: Some("unit.qcow2".into()),
        storages: vec![Storage {
            id: "disk".into(),
            kind: "BLOCK".into(),
            size_gib: 10,
            image: None,
        }],
        cps: vec![VduCp { id: "unit-cp".into(), virtual_link: Some("internal".into()) }],
        min_instances: 1,
        max_instances: 4,
    };
    Vnfd {
        vnfd_id: SMALL.into(),
        vnf_pkg_id: "small-pkg".into(),
        provider: "mano".into(),
        product_name: "small".into(),
        software_version: "1.0".into(),
        descriptor_version: "1.0".into(),
        vnfm_info: vec!["mano".into()],
        flavours: vec![VnfFlavour {
            id: "standard".into(),
            description: "The only flavour".into(),
            vdus: vec![unit],
            virtual_links: vec![VirtualLink { id: "internal".into() }],
            external_cps: Vec::new(),
            aspects: vec![Aspect {
                id: "size".into(),
                name: "size".into(),
                max_level: 3,
                steps: vec![counts(&[("unit", 1)]); 3],
            }],
            levels: vec![VnfLevel {
                id: "one".into(),
                scale: counts(&[("size", 0)]),
                vdus: counts(&[("unit", 1)]),
            }],
            default_level: "one".into(),
            affinity: Vec::new(),
        }],
    }
}

/// [`PAIR`] with so many `back`s.
pub(crate) fn nsd(backs: u32) -> Nsd {
    let profile = |id: &str, after: &[&str]| VnfProfile {
        id: id.into(),
        vnfd_id: SMALL.into(),
        flavour_id: None,
        level_id: None,
        min_instances: 1,
        max_instances: 200,
        after: after.iter().map(ToString::to_string).collect(),
        virtual_links: vec!["lan".into()],
    };
    Nsd {
        nsd_id: PAIR.into(),
        nsd_info_id: "pair-info".into(),
        name: "pair".into(),
        designer: "mano".into(),
        version: "1.0".into(),
        invariant_id: "pair".into(),
        flavours: vec![NsFlavour {
            id: "standard".into(),
            vnf_profiles: vec![profile("front", &[]), profile("back", &["front"])],
            virtual_links: vec![VirtualLink { id: "lan".into() }],
            saps: Vec::new(),
            aspects: vec![Aspect {
                id: "backs".into(),
                name: "backs".into(),
                max_level: 2,
                steps: vec![counts(&[("back", 1)]); 2],
            }],
            levels: vec![NsLevel {
                id: "one".into(),
                scale: counts(&[("backs", 0)]),
                vnfs: counts(&[("front", 1), ("back", backs)]),
            }],
            default_level: "one".into(),
            affinity: Vec::new(),
        }],
    }
}
