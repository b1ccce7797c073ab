//! Real packages, right and wrong: what becomes of each, and why.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use mano_tosca::nsd::Constituent;
use mano_tosca::vnfd::{StorageKind, VduKind};
use mano_tosca::{
    Limits, Mode, NsPackage, Refusal, SecurityOption, VnfPackage, inspect_any, inspect_archive,
    inspect_ns, inspect_pnf, inspect_vnf,
};

use crate::support::{Bytes, Files, files_of, lenient, reference, rules, zip_folder};

/// Every package of the reference data by its path: unpacked folders and archives.
fn all(root: &Path) -> Vec<(String, PathBuf)> {
    let mut found = vec![];
    let mut waiting = vec![root.to_owned()];
    while let Some(next) = waiting.pop() {
        for path in next.read_dir().expect("a folder").flatten().map(|e| e.path()) {
            if path.join("TOSCA-Metadata").is_dir() || path.is_file() {
                found.push((name(root, &path), path));
            } else {
                waiting.push(path);
            }
        }
    }
    found.sort();
    found
}

fn name(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).expect("below").to_string_lossy().replace('\\', "/")
}

fn bytes(path: &Path) -> Bytes {
    if path.is_dir() { zip_folder(path) } else { Cursor::new(std::fs::read(path).expect("a file")) }
}

fn vnf(path: &str) -> Option<VnfPackage> {
    let bytes = bytes(&reference(path)?);
    Some(inspect_vnf(bytes, Mode::Lenient, Limits::default()).unwrap_or_else(|r| panic!("{r}")))
}

fn ns(path: &str) -> Option<NsPackage> {
    let bytes = bytes(&reference(path)?);
    Some(inspect_ns(bytes, Mode::Lenient, Limits::default()).unwrap_or_else(|r| panic!("{r}")))
}

fn refused(path: &str) -> Option<Refusal> {
    Some(lenient(bytes(&reference(path)?)).expect_err(path))
}

#[test]
fn free5gc_with_its_seven_vnfs_is_accepted_and_fits_together() {
    let Some(service) = ns("packages/free5gc/ns") else { return };
    let mut ids = vec![];
    for name in ["amf", "hss", "mongodb", "pcrf", "smf", "upf", "webui"] {
        let path = format!("packages/free5gc/vnfpackage/{name}");
        let found = vnf(&path).expect("beside the service");
        assert_eq!(found.vnfd.default_flavour, "default", "{name}");
        let flavour = &found.vnfd.flavours[0];
        assert_eq!(flavour.default_level, "default", "{name}");
        assert_eq!(flavour.levels[0].counts, BTreeMap::from([("VDU1".to_owned(), 1)]), "{name}");
        assert_eq!(flavour.vdus[0].memory_mib, 512, "{name}");
        ids.push(found.vnfd.vnfd_id.value);
    }
    let used: Vec<&str> = service.nsd.vnfd_ids().into_iter().collect();
    ids.sort();
    assert_eq!(used, ids);
    assert_eq!(service.nsd.flavours[0].profiles.len(), 7);
}

#[test]
fn free5gcs_database_has_a_quarter_of_the_processors_and_its_storage() {
    let Some(found) = vnf("packages/free5gc/vnfpackage/mongodb") else { return };
    let flavour = &found.vnfd.flavours[0];
    let vdu = &flavour.vdus[0];
    assert_eq!((vdu.kind, vdu.vcpu_milli), (VduKind::Compute, 500));
    assert_eq!(vdu.storages, [flavour.storages[0].id.clone()]);
    assert_eq!((flavour.storages[0].kind, flavour.storages[0].size_gib), (StorageKind::Block, 20));
    assert_eq!(found.images[0].uri.as_deref(), Some("free5gmano/free5gc-mongodb"));
    let warned = rules(&found.package.warnings);
    for rule in ["W14", "W16", "W17", "W24", "W25"] {
        assert!(warned.contains(&rule), "{rule} is not in {warned:?}");
    }
}

#[test]
fn every_warning_points_into_a_file_of_the_package() {
    let Some(root) = reference("packages/free5gc/vnfpackage/amf") else { return };
    let files = files_of(&root);
    let Ok(found) = lenient(zip_folder(&root)) else { panic!("accepted") };
    for warning in &found.package().warnings {
        let text = files.get(&*warning.file).map(|f| String::from_utf8_lossy(f));
        let lines = text.expect("the file").lines().count();
        assert!(warning.line.is_none_or(|l| (1..=lines).contains(&(l as usize))), "{warning}");
    }
}

#[test]
fn strict_mode_refuses_free5gc_by_the_same_rules_that_lenient_mode_warns_of() {
    let Some(root) = reference("packages/free5gc/vnfpackage/amf") else { return };
    let warned = lenient(zip_folder(&root)).expect("accepted");
    let refusal = inspect_any(zip_folder(&root), Mode::Strict, Limits::default());
    let refusal = refusal.expect_err("refused");
    assert_eq!(rules(&refusal.errors), rules(&warned.package().warnings));
}

#[test]
fn the_simple_and_the_helm_sample_are_accepted() {
    let Some(simple) = vnf("packages/tacker/getting_started") else { return };
    let flavour = &simple.vnfd.flavours[0];
    assert_eq!((flavour.id.as_str(), flavour.description.as_str()), ("simple", "A simple flavour"));
    assert_eq!(flavour.vdus[0].memory_mib, 489);
    assert_eq!(flavour.vdus[0].disk_gib, 1);
    assert_eq!(flavour.vdus[0].connection_points[0].virtual_link.as_deref(), Some("internalVL1"));
    assert_eq!(simple.images[0].disk_format.as_deref(), Some("QCOW2"));
    let helm = vnf("packages/tacker/test_cnf_helmchart").expect("beside the other");
    let flavour = &helm.vnfd.flavours[0];
    let largest = flavour.level("instantiation_level_2").expect("the level");
    assert_eq!(largest.counts, BTreeMap::from([("VDU1".to_owned(), 3), ("VDU2".to_owned(), 3)]));
    assert_eq!(flavour.counts_at(&largest.scale_levels), largest.counts);
    let chart = helm.package.artifacts.iter().find(|a| a.path.ends_with(".tgz"));
    assert_eq!(chart.expect("the chart").media_type.as_deref(), Some("application/tar+gzip"));
}

#[test]
fn an_artifact_by_uri_is_listed_with_its_digest_and_not_fetched() {
    let Some(found) = vnf("packages/tacker/test_cnf_ext_artifact") else { return };
    let external = found.package.artifacts.iter().find(|a| a.external).expect("one");
    assert!(external.path.starts_with("http://"));
    assert!(external.checksum.as_ref().is_some_and(|c| c.hash.starts_with("dedcaa9f")));
}

#[test]
fn the_deliberately_wrong_samples_are_refused_for_what_is_wrong_with_them() {
    for (end, rule, named) in [
        ("false", "I01", "manifest.mf1"),
        ("false_algorithm", "I05", "SHA-255"),
        ("false_hash", "I08", "Scripts/install.sh"),
        ("false_source", "I03", "Scripts/install.s"),
        ("missing_key", "I06", "Algorithm"),
        ("missing_value", "I07", "algorithm"),
    ] {
        let path = format!("packages/tacker/sample_vnf_package_csar_in_meta_and_manifest_{end}");
        let Some(refusal) = refused(&path) else { return };
        let found = refusal.errors.iter().find(|e| e.rule == rule);
        let found = found.unwrap_or_else(|| panic!("{end}: {refusal}"));
        assert!(found.message.contains(named), "{end}: {found}");
    }
}

#[test]
fn the_right_siblings_lack_only_the_files_that_are_shared_between_them() {
    for end in ["csar_in_meta_and_manifest", "csar_meta", "csar_meta_in_manifest"] {
        let Some(refusal) = refused(&format!("packages/tacker/sample_vnf_package_{end}")) else {
            return;
        };
        assert_eq!(rules(&refusal.errors), ["A13", "I03"], "{end}");
    }
}

#[test]
fn the_session_border_controller_keeps_its_two_units() {
    let Some(found) = vnf("packages/onap/vnf/vSBC") else { return };
    let flavour = found.vnfd.flavour("simple").expect("the flavour");
    let units: Vec<(&str, u64, u32)> =
        flavour.vdus.iter().map(|v| (v.id.as_str(), v.vcpu_milli, v.max_instances)).collect();
    assert_eq!(units, [("LBU", 2000, 4), ("HRU", 3000, 4)]);
    let sizes: Vec<u64> = flavour.storages.iter().map(|s| s.size_gib).collect();
    assert_eq!(sizes, [4, 12]);
}

#[test]
fn the_radio_service_names_its_vnf_its_pnf_and_its_links() {
    let Some(found) = ns("packages/onap/ns/ran") else { return };
    assert_eq!(found.nsd.nsd_id.value, "test_01");
    assert_eq!(found.nsd.vnfd_ids(), ["zte_ran_cu_0001"].into());
    let profiles = &found.nsd.flavours[0].profiles;
    let pnfs = profiles.iter().filter(|p| p.kind == Constituent::Pnf);
    assert_eq!(pnfs.map(|p| p.descriptor_id.as_str()).collect::<Vec<_>>(), ["pnf_test_01"]);
    let cu = &profiles[0];
    let links: Vec<&str> = cu.links.iter().map(|l| l.virtual_link.as_str()).collect();
    assert_eq!(links, ["vl_ext_net", "vl_flat_net"]);
}

#[test]
fn a_service_from_a_design_tool_is_understood_by_its_metadata() {
    let Some(found) = ns("packages/onap/ns/service-vims") else { return };
    assert_eq!(found.nsd.name, "vIMS_v2");
    assert_eq!(found.nsd.vnfd_ids().len(), 2);
    assert!(rules(&found.package.warnings).contains(&"W29"));
}

#[test]
fn a_radio_unit_is_a_pnf_and_nothing_else() {
    let Some(path) = reference("packages/onap/pnf/ran-du") else { return };
    let found = inspect_pnf(zip_folder(&path), Mode::Lenient, Limits::default());
    assert_eq!(found.map(|p| p.pnfd.external_cps.len()), Ok(2));
    let refusal = inspect_vnf(zip_folder(&path), Mode::Lenient, Limits::default());
    assert!(refusal.expect_err("a PNF").to_string().contains("pnf_descriptors"));
    let refusal = inspect_ns(zip_folder(&path), Mode::Lenient, Limits::default());
    assert_eq!(refusal.expect_err("a PNF").errors[0].rule, "A18");
}

#[test]
fn archives_with_a_wrong_hash_are_refused_for_it() {
    let Some(root) = reference("packages/signed/pnf/r130206") else { return };
    let named = all(&root).into_iter().filter(|(name, _)| name.contains("incorrect-hash"));
    for (name, path) in named {
        let refusal = inspect_archive(bytes(&path), Mode::Lenient, Limits::default());
        let found = rules(&refusal.expect_err(&name).errors);
        assert!(found == ["I04"] || found == ["I08"], "{name}: {found:?}");
    }
}

#[test]
fn archives_called_valid_are_sound_and_their_signature_is_found() {
    let Some(root) = reference("packages/signed/pnf") else { return };
    for name in [
        "r01123/csar-option1-valid.csar",
        "r130206/csar-cert-in-cms-valid.csar",
        "r130206/csar-cert-in-tosca-valid.csar",
        "r130206/csar-cert-in-cms-and-root-and-tosca.csar",
        "r130206/csar-cert-in-root.csar",
        "r146092/validFile.csar",
    ] {
        let found = inspect_archive(bytes(&root.join(name)), Mode::Lenient, Limits::default());
        let found = found.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(found.security, SecurityOption::Option1, "{name}");
        assert!(found.signature.is_some(), "{name}");
    }
}

#[test]
fn an_outer_archive_is_opened_and_its_signature_named() {
    let Some(root) = reference("packages/signed/pnf") else { return };
    let path = root.join("r01123/csar-option2-invalid-with-cms.zip");
    let found = inspect_archive(bytes(&path), Mode::Lenient, Limits::default()).expect("sound");
    assert_eq!(found.security, SecurityOption::Option2);
    let signature = found.signature.expect("a signature");
    assert_eq!((signature.signed.as_str(), signature.cms.as_str()), ("csar.csar", "test.cms"));
    let unsigned =
        inspect_archive(bytes(&root.join("r787965/broken.zip")), Mode::Lenient, Limits::default());
    assert_eq!(rules(&unsigned.expect_err("unsigned").errors), ["A14"]);
}

#[test]
fn digests_may_stand_in_both_places_and_the_manifest_without_metadata() {
    let script = b"#!/bin/sh\n".as_slice();
    let hash = mano_tosca::checksum(&mut &script[..]).expect("memory").hash;
    let block = format!("Algorithm: SHA-256\nHash: {hash}\n");
    let files = Files::of([
        (
            "TOSCA-Metadata/TOSCA.meta",
            &*format!(
                "TOSCA-Meta-File-Version: 1.0\nCreated-by: x\nCSAR-Version: 1.1\n\
                 Entry-Definitions: a.yaml\nETSI-Entry-Manifest: manifest.mf\n\n\
                 Name: install.sh\nContent-Type: test-data\n{block}"
            ),
        ),
        ("manifest.mf", &*format!("Source: install.sh\n{block}")),
        (
            "a.yaml",
            "tosca_definitions_version: tosca_simple_yaml_1_2\ntopology_template:\n  \
             node_templates:\n    vnf:\n      type: tosca.nodes.nfv.VNF\n      \
             properties: { descriptor_id: a }\n    unit: { type: tosca.nodes.nfv.Vdu.Compute }\n",
        ),
    ]);
    let whole = files.clone().add("install.sh", script);
    assert!(lenient(whole.zip()).is_ok());
    let tampered = files.add("install.sh", "#!/bin/bash\n");
    let refusal = lenient(tampered.zip()).expect_err("tampered");
    let at: Vec<String> = refusal.errors.iter().map(|e| e.place().to_string()).collect();
    assert_eq!(rules(&refusal.errors), ["I04"]);
    assert_eq!(at, ["TOSCA-Metadata/TOSCA.meta:7"]);
}
