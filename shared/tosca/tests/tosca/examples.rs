//! The example packages are what they claim to be: strict SOL001 in strict SOL004.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;

use mano_tosca::nsd::Constituent;
use mano_tosca::pack::{pack, plan};
use mano_tosca::vnfd::{StorageKind, VduKind};
use mano_tosca::{Limits, Mode, NsPackage, VnfPackage, inspect_ns, inspect_vnf};

use crate::support::{rewrite, root, zip_folder};

fn folder(name: &str) -> PathBuf {
    root().join("infra/edge/examples").join(name)
}

fn vnf(name: &str) -> VnfPackage {
    let found = inspect_vnf(zip_folder(&folder(name)), Mode::Strict, Limits::default());
    found.unwrap_or_else(|refusal| panic!("{name}: {refusal}"))
}

fn ns(name: &str) -> NsPackage {
    let found = inspect_ns(zip_folder(&folder(name)), Mode::Strict, Limits::default());
    found.unwrap_or_else(|refusal| panic!("{name}: {refusal}"))
}

fn counts(pairs: &[(&str, u32)]) -> BTreeMap<String, u32> {
    pairs.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect()
}

#[test]
fn the_manifests_hold_the_digests_that_packing_writes() {
    for name in ["edge-router", "edge-cache", "edge-service"] {
        let planned = plan(&folder(name)).expect("a package");
        let path = folder(name).join(&planned.manifest_path);
        rewrite(&path, &planned.manifest);
        let held = std::fs::read_to_string(&path).expect("a manifest");
        assert_eq!(held, planned.manifest, "{name}: `make golden` writes it anew");
    }
}

#[test]
fn the_router_is_strict_and_complete() {
    let found = vnf("edge-router");
    assert_eq!(found.package.warnings, []);
    assert_eq!(found.vnfd.product_name, "edge-router");
    assert_eq!(found.vnfd.default_flavour, "standard");
    let flavour = found.vnfd.flavour("standard").expect("the flavour");
    let ids: Vec<&str> = flavour.vdus.iter().map(|v| v.id.as_str()).collect();
    assert_eq!(ids, ["control", "forwarding"]);
    let control = &flavour.vdus[0];
    assert_eq!(control.kind, VduKind::Compute);
    assert_eq!((control.vcpu_milli, control.memory_mib, control.disk_gib), (2000, 2048, 10));
    assert_eq!(control.storages, ["control_storage"]);
    assert_eq!(flavour.storages[0].kind, StorageKind::Block);
    assert_eq!(flavour.storages[0].size_gib, 20);
    assert_eq!(flavour.aspects[0].max_scale_level, 4);
    assert_eq!(flavour.default_level, "small");
    let large = flavour.level("large").expect("the level");
    assert_eq!(large.counts, counts(&[("control", 2), ("forwarding", 5)]));
    assert!(flavour.affinity[0].anti);
    assert_eq!(flavour.affinity[0].members, ["control"]);
    assert_eq!(found.images.len(), 2);
}

#[test]
fn the_routers_ports_are_on_their_links_and_open_where_they_should() {
    let found = vnf("edge-router");
    let flavour = &found.vnfd.flavours[0];
    let links: Vec<&str> = flavour.virtual_links.iter().map(|l| l.id.as_str()).collect();
    assert_eq!(links, ["internal_bus", "data_plane"]);
    let ports: Vec<(&str, Option<&str>, bool)> = flavour
        .vdus
        .iter()
        .flat_map(|v| &v.connection_points)
        .map(|p| (p.id.as_str(), p.virtual_link.as_deref(), p.external))
        .collect();
    let expected = [
        ("control_management", None, true),
        ("control_bus", Some("internal_bus"), false),
        ("forwarding_bus", Some("internal_bus"), false),
        ("forwarding_data", Some("data_plane"), false),
    ];
    assert_eq!(ports, expected);
    let outside: Vec<&str> = flavour.external_cps.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(outside, ["data", "control_management"]);
}

#[test]
fn the_cache_is_strict_and_scales_by_one() {
    let found = vnf("edge-cache");
    assert_eq!(found.package.warnings, []);
    let flavour = &found.vnfd.flavours[0];
    let at_two = flavour.counts_at(&counts(&[("cache_capacity", 2)]));
    assert_eq!(at_two, counts(&[("cache", 3)]));
    let at_most = flavour.counts_at(&counts(&[("cache_capacity", 99)]));
    assert_eq!(at_most, counts(&[("cache", 4)]));
}

#[test]
fn the_service_is_strict_and_names_both_vnfs() {
    let found = ns("edge-service");
    assert_eq!(found.package.warnings, []);
    let router = vnf("edge-router").vnfd.vnfd_id.value;
    let cache = vnf("edge-cache").vnfd.vnfd_id.value;
    assert_eq!(found.nsd.vnfd_ids(), [router.as_str(), cache.as_str()].into());
    let flavour = found.nsd.flavour("standard").expect("the flavour");
    assert_eq!(flavour.virtual_links[0].id, "service_net");
    assert_eq!(flavour.saps[0].virtual_link.as_deref(), Some("service_net"));
    let profile = &flavour.profiles[1];
    assert_eq!((profile.id.as_str(), profile.kind), ("cache", Constituent::Vnf));
    assert_eq!(profile.after, ["router"]);
    assert_eq!(profile.links[0].virtual_link, "service_net");
    let aspect = &flavour.aspects[0];
    assert_eq!(aspect.max_scale_level, 2);
    assert_eq!(aspect.steps(), [counts(&[("cache", 1)]), counts(&[("cache", 1)])]);
    let large = flavour.level("large").expect("the level");
    assert_eq!(large.counts, counts(&[("router", 2), ("cache", 3)]));
    assert_eq!(large.scale_levels, counts(&[("caching", 2)]));
    assert_eq!(flavour.default_level, "small");
}

#[test]
fn packing_gives_a_package_that_is_strict_and_equal_each_time() {
    for name in ["edge-router", "edge-cache"] {
        let mut first = Cursor::new(vec![]);
        let mut second = Cursor::new(vec![]);
        let packed = pack(&folder(name), &mut first).expect("a package");
        pack(&folder(name), &mut second).expect("a package");
        assert_eq!(first.get_ref(), second.get_ref());
        assert_eq!(packed.files[0], "TOSCA-Metadata/TOSCA.meta");
        let found = inspect_vnf(first, Mode::Strict, Limits::default());
        assert_eq!(found.map(|p| p.package.warnings), Ok(vec![]), "{name}");
    }
}
