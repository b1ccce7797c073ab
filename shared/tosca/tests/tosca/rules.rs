//! Every rule is broken once, alone: a warning or an error as the rule says, with its place.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use mano_tosca::rules::{self, Weight};
use mano_tosca::{Finding, Limits, Mode, Refusal, inspect_any, inspect_ns};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Bytes, Files, findings, rewrite, root, rules as numbers, zip_of};

const DF: &str = "Definitions/edge_cache_df_standard.yaml";
const TOP: &str = "Definitions/edge_cache_top.vnfd.yaml";
const TYPES: &str = "Definitions/edge_cache_types.yaml";
const META: &str = "TOSCA-Metadata/TOSCA.meta";
const MF: &str = "edge-cache.mf";
const NS_DF: &str = "Definitions/edge_service_df_standard.yaml";

fn cache() -> Files {
    Files::example("edge-cache")
}

fn service() -> Files {
    Files::example("edge-service")
}

/// The cache with one edit in its descriptor, and right digests.
fn edited(file: &str, from: &str, to: &str) -> Bytes {
    cache().edit(file, from, to).seal().zip()
}

/// The cache with one edit in its manifest.
fn manifest(from: &str, to: &str) -> Bytes {
    cache().edit(MF, from, to).zip()
}

fn service_edited(file: &str, from: &str, to: &str) -> Bytes {
    service().edit(file, from, to).seal().zip()
}

/// Changes bytes of the first directory entry, `at` counted from its beginning.
fn patched(bytes: Bytes, at: usize, change: impl Fn(u8) -> u8) -> Bytes {
    let mut bytes = bytes.into_inner();
    let entry = bytes.windows(4).position(|w| w == b"PK\x01\x02").expect("a directory");
    bytes[entry + at] = change(bytes[entry + at]);
    Cursor::new(bytes)
}

/// Writes one name over another of the same length, in the headers as well.
fn renamed(from: &str, to: &str) -> Bytes {
    let other = format!("{}2", &from[..from.len() - 1]);
    let bytes = zip_of([(from, &b"one"[..]), (&other, b"two"), ("c.yaml", b"three")]);
    let (find, put) = (other.as_bytes(), to.as_bytes());
    let mut bytes = bytes.into_inner();
    for at in 0..bytes.len() - find.len() {
        if bytes[at..].starts_with(find) {
            bytes[at..at + put.len()].copy_from_slice(put);
        }
    }
    Cursor::new(bytes)
}

fn with_link() -> Bytes {
    let mut writer = ZipWriter::new(Cursor::new(vec![]));
    let options = SimpleFileOptions::default();
    writer.start_file("a.yaml", options).expect("a name");
    writer.write_all(b"a: 1").expect("memory");
    writer.add_symlink("link", "/etc/passwd", options).expect("a link");
    writer.finish().expect("memory")
}

/// A disk that cannot be read.
struct Unreadable;

impl Read for Unreadable {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::PermissionDenied))
    }
}

impl Seek for Unreadable {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Ok(4096)
    }
}

fn small(change: impl Fn(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// A rule, the package that breaks it, and the limits in force.
type Case = (&'static str, Bytes, Limits);

fn case(rule: &'static str, bytes: Bytes) -> Case {
    (rule, bytes, Limits::default())
}

fn archive_cases() -> Vec<Case> {
    let zeros = vec![0; 4 << 20];
    let outer = || cache().zip().into_inner();
    vec![
        case("A01", Cursor::new(b"this is not a ZIP".to_vec())),
        case("A02", patched(cache().zip(), 16, |b| b ^ 1)),
        ("A03", cache().zip(), small(|l| l.entries = 3)),
        ("A04", cache().zip(), small(|l| l.total_bytes = 100)),
        case("A05", zip_of([("zeros.img", zeros.as_slice())])),
        case("A06", renamed("../../x1.yaml", "../../x2.yaml")),
        case("A07", with_link()),
        case("A08", renamed("aa.yaml1", "aa.yaml1")),
        case("A09", patched(cache().zip(), 8, |b| b | 1)),
        case("A10", patched(cache().zip(), 10, |_| 12)),
        ("A11", cache().zip(), small(|l| l.text_bytes = 64)),
        case("A13", cache().edit(META, "Entry-Definitions: ", "Entry-Definition: ").seal().zip()),
        case("A14", zip_of([("a.csar", outer().as_slice())])),
        case("A15", cache().edit(META, "CSAR-Version: 1.1", "CSAR-Version 1.1").seal().zip()),
        case("A16", cache().edit(META, "Created-By: mano\n", "").seal().zip()),
        case("A17", cache().edit(META, "ChangeLog.txt", "Changes.txt").seal().zip()),
    ]
}

fn integrity_cases() -> Vec<Case> {
    let first = "Source: Files/ChangeLog.txt\nAlgorithm: SHA-256\n";
    let image = "Source: Files/images/cache.raw\nAlgorithm: SHA-256\nHash: ";
    let twice = format!("{first}Hash: {}\n\n{first}", "0".repeat(64));
    vec![
        case("I01", cache().edit(META, "edge-cache.mf", "edge-cache.mf1").seal().zip()),
        case("I02", manifest("metadata:", "metadata:\nnonsense\n")),
        case("I03", cache().remove("Files/ChangeLog.txt").zip()),
        case("I04", cache().add("Files/ChangeLog.txt", "tampered").zip()),
        case("I05", manifest(first, "Source: Files/ChangeLog.txt\nAlgorithm: SHA-255\n")),
        case("I06", manifest(first, "Source: Files/ChangeLog.txt\n")),
        case("I07", manifest(first, "Source: Files/ChangeLog.txt\nAlgorithm:\n")),
        case("I08", manifest(image, &format!("{image}zz"))),
        case("I09", manifest(first, &twice)),
        case("I10", cache().edit(MF, "metadata:", "-----BEGIN CMS-----\nmetadata:").zip()),
        case("I11", manifest(first, &format!("{first}Signature: no.cms\n"))),
        case("I12", cache().add("Files/more.txt", "unlisted").zip()),
        case(
            "I13",
            cache().remove(MF).edit(META, "ETSI-Entry-Manifest: edge-cache.mf\n", "").zip(),
        ),
        case("I14", manifest("  vnf_provider_id: mano\n", "")),
        case("I15", cache().edit(MF, "Source: TOSCA-M", "Sauce: x\nSource: TOSCA-M").zip()),
    ]
}

fn yaml_cases() -> Vec<Case> {
    let twice = "node_types:\n  mano.examples.EdgeCache:\n    derived_from: tosca.nodes.nfv.VNF\n";
    let again = format!("{twice}    derived_from: tosca.nodes.nfv.VNF\n");
    let two = "    interfaces:\n      Vnflcm:\n        type: tosca.interfaces.nfv.Vnflcm\n";
    vec![
        case("Y01", edited(TYPES, "node_types:", "node_types: [\n")),
        case("Y02", edited(TYPES, twice, &again)),
        ("Y03", cache().zip(), small(|l| l.yaml_depth = 4)),
        case("Y04", edited(TYPES, "node_types:", "[ a, b ]: c\nnode_types:")),
        case("Y05", edited(TYPES, two, &format!("{two}---\nmore: 1\n"))),
        case(
            "Y07",
            edited(
                TYPES,
                "      - virtual_link_service:",
                "      - a: [ b,\nc ]\n      - virtual_link_service:",
            ),
        ),
        case("Y06", cache().add(TYPES, b"a: \xff\xfe".to_vec()).seal().zip()),
    ]
}

fn template_cases() -> Vec<Case> {
    let own = "derived_from: tosca.nodes.nfv.VNF\n    properties";
    let itself = "derived_from: mano.examples.EdgeCache\n    properties";
    let flavour = String::from_utf8(cache().0[DF].clone()).expect("text");
    let version = "tosca_definitions_version: tosca_simple_yaml_1_3\n";
    vec![
        case("T01", edited(TOP, "  - edge_cache_types.yaml", "  - edge_cache_tipes.yaml")),
        case("T02", edited(TYPES, "node_types:", "  - edge_cache_top.vnfd.yaml\n\nnode_types:")),
        case("T03", edited(TYPES, own, itself)),
        case("T04", cache().add(TOP, "just text").seal().zip()),
        case("T05", edited(TOP, "type: mano.examples.EdgeCache", "type: tosca.nodes.Root")),
        case("T06", no_id()),
        case("T07", edited(DF, "max_scale_level: 3", "max_scale_level: 4000000000")),
        case("T07", edited(DF, "    cache_storage:\n", &format!("    {}:\n", "s".repeat(256)))),
        case("T07", edited(TOP, "b02\n", &format!("{}\n", "b".repeat(256)))),
        case("T08", cache().add("Definitions/edge_cache_df_two.yaml", flavour).seal().zip()),
        case("W01", edited(TYPES, version, "")),
        case("W02", edited(TYPES, "node_types:", "  - http://example.com/a.yaml\n\nnode_types:")),
        case("W03", edited(TYPES, "v3.5.1", "v9.9.9")),
        case("W04", not_imported()),
        case("W05", edited(DF, "tosca.nodes.nfv.VnfExtCp", "vendor.nodes.Unknown")),
        case("W06", edited(DF, "tosca.nodes.nfv.VduCp", "tosca.nodes.nfv.VduCpd")),
        case(
            "W07",
            edited(
                DF,
                "policies:\n",
                "policies:\n    - late: { type: tosca.policies.nfv.DataFlowInfo }\n",
            ),
        ),
        case("W08", edited(DF, "        order: 0\n", "        order: 0\n        colour: red\n")),
        case("W09", edited(DF, "        name: cache\n", "")),
        case("W09", edited(DF, "        virtual_compute:\n", "        other_compute:\n")),
        case("W10", edited(DF, "        order: 0\n", "        order: first\n")),
        case("W11", edited(TOP, "product_name: edge-cache", "product_name: other-cache")),
        case(
            "W12",
            edited(
                DF,
                "        - virtual_storage: cache_storage\n",
                "        virtual_storage: cache_storage\n",
            ),
        ),
    ]
}

/// Neither the top template nor the type gives an id.
fn no_id() -> Bytes {
    let id = "0d6c1f3e-6a0b-4a57-9c43-5d0a8f1e7b02";
    let constraint = format!("        constraints: [ valid_values: [ {id} ] ]\n");
    cache()
        .edit(TOP, &format!("        descriptor_id: {id}\n"), "")
        .edit(TYPES, &constraint, "")
        .edit(TYPES, &format!("        default: {id}\n"), "")
        .seal()
        .zip()
}

fn not_imported() -> Bytes {
    let import =
        "  - https://forge.etsi.org/rep/nfv/SOL001/raw/v3.5.1/etsi_nfv_sol001_vnfd_types.yaml\n";
    cache()
        .edit(TOP, import, "")
        .edit(DF, import, "")
        .edit(TYPES, &format!("imports:\n{import}"), "")
        .seal()
        .zip()
}

fn vnf_cases() -> Vec<Case> {
    let initial = "    - cache_initial:\n        type: tosca.policies.nfv.VduInitialDelta\n        properties:\n          initial_delta:\n            number_of_instances: 1\n        targets: [ cache ]\n";
    vec![
        case("W13", edited(DF, "- virtual_link: cache_net", "- virtual_link: cash_net")),
        case("W14", edited(DF, "virtual_mem_size: 4 GiB", "virtual_mem_size: 4Gi")),
        case("W15", edited(DF, "virtual_mem_size: 4 GiB", "virtual_mem_size: plenty")),
        case("W16", no_flavour()),
        case("W17", edited(DF, "tosca.policies.nfv.InstantiationLevels", "tosca.policies.Root")),
        case("W18", edited(DF, "          default_level: small\n", "")),
        case(
            "W19",
            edited(DF, "          default_level: small\n", "          default_level: huge\n"),
        ),
        case(
            "W20",
            edited(
                DF,
                "large:\n              number_of_instances: 3",
                "large:\n              number_of_instances: 2",
            ),
        ),
        case("W21", edited(DF, "step_deltas: [ one_more ]", "step_deltas: [ two_more ]")),
        case("W22", edited(DF, "max_number_of_instances: 4", "max_number_of_instances: 2")),
        case("W23", edited(DF, initial, "")),
        case("W24", inline_storage()),
        case("W25", edited(DF, "../Files/images/cache.raw", "../Files/images/cash.raw")),
        case("W26", edited(DF, "            container_format: bare\n", "")),
        case(
            "W28",
            cache().edit(MF, "vnf_product_name: edge-cache", "vnf_product_name: cache").zip(),
        ),
        case("W29", by_metadata()),
        case("W30", cache().add("Definitions/stray.yaml", "a: [").seal().zip()),
        case("W32", edited(DF, "tosca.nodes.nfv.Vdu.Compute", "tosca.nodes.Compute")),
        case("W33", edited(DF, "        order: 0\n", "        order: { get_input: which }\n")),
    ]
}

fn no_flavour() -> Bytes {
    cache()
        .edit(DF, "    properties:\n      flavour_id: standard\n", "")
        .edit(
            TYPES,
            "        constraints: [ valid_values: [ standard ] ]\n        default: standard\n",
            "",
        )
        .seal()
        .zip()
}

fn inline_storage() -> Bytes {
    let body = "- virtual_storage:\n            properties: { type_of_storage: block, size_of_storage: 1 GiB }";
    edited(DF, "- virtual_storage: cache_storage", body)
}

fn by_metadata() -> Bytes {
    Files::of([
        (META, "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nCreated-By: x\nEntry-Definitions: a.yaml\n"),
        ("a.yaml", "tosca_definitions_version: tosca_simple_yaml_1_2\nmetadata: { id: one, name: n, version: '1', vendor: v }\ntopology_template:\n  node_templates:\n    unit: { type: tosca.nodes.nfv.Vdu.Compute }\n"),
    ])
    .zip()
}

fn ns_cases() -> Vec<Case> {
    let old = "tosca_definitions_version: tosca_simple_yaml_1_2\ntopology_template:\n  node_templates:\n    ns:\n      type: tosca.nodes.nfv.NS\n      properties:\n        descriptor_id: a\n        constituent_vnfd: [ { vnfd_id: b } ]\n";
    let router = "        - virtual_link_data: service_net\n";
    let both = format!("{router}        - dependency: cache\n");
    let id = "        descriptor_id: 0d6c1f3e-6a0b-4a57-9c43-5d0a8f1e7b01\n";
    let types = "Definitions/edge_service_types.yaml";
    let router_type = "        constraints: [ valid_values: [ 0d6c1f3e-6a0b-4a57-9c43-5d0a8f1e7b01 ] ]\n        default: 0d6c1f3e-6a0b-4a57-9c43-5d0a8f1e7b01\n";
    vec![
        case("W27", Files::of([("a.yaml", old)]).zip()),
        case("W31", service().edit(NS_DF, id, "").edit(types, router_type, "").seal().zip()),
        case("W34", service_edited(NS_DF, router, &both)),
    ]
}

fn cases() -> Vec<Case> {
    let lists = [
        archive_cases(),
        integrity_cases(),
        yaml_cases(),
        template_cases(),
        vnf_cases(),
        ns_cases(),
    ];
    lists.into_iter().flatten().collect()
}

fn run(case: &Case, mode: Mode) -> (Vec<Finding>, Vec<Finding>) {
    findings(&inspect_any(case.1.clone(), mode, case.2))
}

#[test]
fn every_rule_is_found_when_it_is_broken() {
    let mut unheard = vec![];
    for case in &cases() {
        let rule = rules::all().find(|r| r.id == case.0).expect("a rule");
        let (errors, warnings) = run(case, Mode::Lenient);
        let list = if rule.weight == Weight::Always { &errors } else { &warnings };
        if !list.iter().any(|f| f.rule == rule.id) {
            unheard.push((rule.id, numbers(&errors), numbers(&warnings)));
        }
    }
    assert_eq!(unheard, [], "rule, errors found instead, warnings found instead");
}

#[test]
fn strict_mode_refuses_every_deviation() {
    let mut accepted = vec![];
    for case in &cases() {
        let (errors, warnings) = run(case, Mode::Strict);
        if !errors.iter().any(|f| f.rule == case.0) || !warnings.is_empty() {
            accepted.push((case.0, numbers(&errors)));
        }
    }
    assert_eq!(accepted, [], "rule, errors found instead");
}

#[test]
fn a_deviation_alone_never_refuses_a_package_in_lenient_mode() {
    let mut wrong = vec![];
    for case in &cases() {
        let rule = rules::all().find(|r| r.id == case.0).expect("a rule");
        let (errors, _) = run(case, Mode::Lenient);
        if errors.is_empty() == (rule.weight == Weight::Always) {
            wrong.push((rule.id, numbers(&errors)));
        }
    }
    assert_eq!(wrong, [], "rule, errors");
}

#[test]
fn what_cannot_be_read_is_said_to_be_unreadable() {
    let refusal: Refusal =
        inspect_any(Unreadable, Mode::Lenient, Limits::default()).expect_err("unreadable");
    assert_eq!(refusal.errors[0].rule, "A12");
}

#[test]
fn another_kind_of_package_is_named_and_shown_its_place() {
    let refusal = inspect_ns(cache().zip(), Mode::Lenient, Limits::default()).expect_err("a VNF");
    assert_eq!(refusal.errors[0].rule, "A18");
    assert!(refusal.to_string().contains("vnf_packages"), "{refusal}");
}

#[test]
fn no_rule_is_without_a_case_and_no_number_is_used_twice() {
    let tried: BTreeSet<&str> = cases().iter().map(|c| c.0).chain(["A12", "A18"]).collect();
    let known: Vec<&str> = rules::all().map(|r| r.id).collect();
    let once: BTreeSet<&str> = known.iter().copied().collect();
    assert_eq!(once.len(), known.len());
    assert_eq!(tried, once);
}

#[test]
fn the_documentation_and_the_table_agree() {
    let path = root().join("docs/sol001-rules.md");
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    let rows: String = rules::all()
        .map(|r| {
            let weight = if r.weight == Weight::Always { "always" } else { "strict" };
            format!("| {} | {weight} | {} | {} |\n", r.id, r.says, r.help)
        })
        .collect();
    let begin = "<!-- rules -->\n";
    let (head, rest) = held.split_once(begin).expect("the mark before the table");
    let (_, tail) = rest.split_once("<!-- end -->").expect("the mark after the table");
    let table = "| rule | refuses | what is wrong | what to do |\n|---|---|---|---|\n";
    let wanted = format!("{head}{begin}{table}{rows}<!-- end -->{tail}");
    rewrite(&path, &wanted);
    let held = std::fs::read_to_string(&path).expect("the documentation");
    assert_eq!(held, wanted, "`make golden` writes it anew");
}
