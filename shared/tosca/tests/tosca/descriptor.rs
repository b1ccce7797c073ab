//! What descriptors mean, piece by piece: flavours, containers, scaling, inputs, imports.

use std::collections::BTreeMap;

use mano_tosca::nsd::{Constituent, NsFlavour};
use mano_tosca::vnfd::{Flavour, StorageKind, VduKind};
use mano_tosca::{Limits, Mode, Nsd, VnfPackage, inspect_ns, inspect_vnf};

use crate::support::{Files, rules};

const META: (&str, &str) = (
    "TOSCA-Metadata/TOSCA.meta",
    "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nCreated-By: x\nEntry-Definitions: d/top.yaml\n",
);
const HEAD: &str = "tosca_definitions_version: tosca_simple_yaml_1_3\n";
const TYPE: &str = "node_types:\n  x.VNF:\n    derived_from: tosca.nodes.nfv.VNF\n    properties:\n      \
    provider: { type: string, default: x }\n      flavour_id: { type: string }\n";

fn package(files: Files) -> VnfPackage {
    let found = inspect_vnf(files.zip(), Mode::Lenient, Limits::default());
    found.unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// The only flavour of a VNF whose node templates, and what follows them, are `body`.
fn flavour(body: &str) -> Flavour {
    let text = format!(
        "{HEAD}topology_template:\n  node_templates:\n    vnf:\n      type: tosca.nodes.nfv.VNF\n      \
         properties: {{ descriptor_id: a, flavour_id: f }}\n{body}"
    );
    package(Files::of([("a.yaml", &*text)])).vnfd.flavours.remove(0)
}

fn nsd(body: &str) -> Nsd {
    let text = format!(
        "{HEAD}topology_template:\n  node_templates:\n    ns:\n      type: tosca.nodes.nfv.NS\n      \
         properties: {{ descriptor_id: a, flavour_id: f }}\n{body}"
    );
    let bytes = Files::of([("a.yaml", &*text)]).zip();
    let found = inspect_ns(bytes, Mode::Lenient, Limits::default());
    found.unwrap_or_else(|refusal| panic!("{refusal}")).nsd
}

fn ns_flavour(body: &str) -> NsFlavour {
    nsd(body).flavours.remove(0)
}

fn counts(pairs: &[(&str, u32)]) -> BTreeMap<String, u32> {
    pairs.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect()
}

/// A flavour's template, with one unit of its own.
fn lower(id: &str, unit: &str) -> String {
    format!(
        "{HEAD}imports: [ types.yaml ]\ntopology_template:\n  substitution_mappings:\n    \
         node_type: x.VNF\n    properties: {{ flavour_id: {id} }}\n  node_templates:\n    \
         {unit}: {{ type: tosca.nodes.nfv.Vdu.Compute }}\n"
    )
}

fn top(imports: &str) -> String {
    format!(
        "{HEAD}imports: [ {imports} ]\ntopology_template:\n  inputs:\n    selected: {{ type: string }}\n  \
         node_templates:\n    vnf:\n      type: x.VNF\n      properties: {{ descriptor_id: a, \
         flavour_id: {{ get_input: selected }} }}\n"
    )
}

fn flavours(found: &VnfPackage) -> Vec<(&str, &str)> {
    found.vnfd.flavours.iter().map(|f| (f.id.as_str(), f.vdus[0].id.as_str())).collect()
}

#[test]
fn each_imported_flavour_has_its_own_units() {
    let found = package(Files::of([
        META,
        ("d/top.yaml", &*top("types.yaml, one.yaml, two.yaml")),
        ("d/types.yaml", &*format!("{HEAD}{TYPE}")),
        ("d/one.yaml", &*lower("one", "small")),
        ("d/two.yaml", &*lower("two", "large")),
    ]));
    assert_eq!(flavours(&found), [("one", "small"), ("two", "large")]);
    assert_eq!(found.vnfd.default_flavour, "one");
    assert_eq!(found.vnfd.provider, "x");
    assert_eq!(found.package.templates[0], "d/top.yaml");
}

#[test]
fn the_flavour_that_the_top_template_chooses_is_the_default() {
    let chosen = top("types.yaml, one.yaml, two.yaml")
        .replace("selected: { type: string }", "selected: { type: string, default: two }");
    let found = package(Files::of([
        META,
        ("d/top.yaml", &*chosen),
        ("d/types.yaml", &*format!("{HEAD}{TYPE}")),
        ("d/one.yaml", &*lower("one", "small")),
        ("d/two.yaml", &*lower("two", "large")),
    ]));
    assert_eq!(found.vnfd.default_flavour, "two");
}

#[test]
fn flavours_that_lie_beside_the_top_template_are_found() {
    let found = package(Files::of([
        META,
        ("d/top.yaml", &*top("types.yaml")),
        ("d/types.yaml", &*format!("{HEAD}{TYPE}")),
        ("d/one.yaml", &*lower("one", "small")),
        ("d/other-vnf.yaml", &*lower("three", "foreign").replace("x.VNF", "y.VNF")),
    ]));
    assert_eq!(flavours(&found), [("one", "small")]);
}

#[test]
fn other_definitions_may_lie_anywhere() {
    let meta = format!("{}Other-Definitions: elsewhere/one.yaml, \"elsewhere/two.yaml\"\n", META.1);
    let found = package(Files::of([
        (META.0, &*meta),
        ("d/top.yaml", &*top("types.yaml")),
        ("d/types.yaml", &*format!("{HEAD}{TYPE}")),
        ("elsewhere/one.yaml", &*lower("one", "small").replace("types.yaml", "../d/types.yaml")),
        ("elsewhere/two.yaml", &*lower("two", "large").replace("types.yaml", "../d/types.yaml")),
    ]));
    assert_eq!(flavours(&found), [("one", "small"), ("two", "large")]);
}

#[test]
fn a_template_that_two_flavours_import_belongs_to_both() {
    let shared = format!(
        "{HEAD}topology_template:\n  node_templates:\n    \
         disk: {{ type: tosca.nodes.nfv.Vdu.VirtualFileStorage, properties: \
         {{ virtual_file_storage_data: {{ size_of_storage: 3 GiB, file_system_protocol: nfs }} }} }}\n"
    );
    let with = |text: String| text.replace("types.yaml", "types.yaml, disk.yaml");
    let found = package(Files::of([
        META,
        ("d/top.yaml", &*top("types.yaml, one.yaml, two.yaml")),
        ("d/types.yaml", &*format!("{HEAD}{TYPE}")),
        ("d/disk.yaml", &*shared),
        ("d/one.yaml", &*with(lower("one", "small"))),
        ("d/two.yaml", &*with(lower("two", "large"))),
    ]));
    for flavour in &found.vnfd.flavours {
        let storage = &flavour.storages[0];
        assert_eq!((storage.kind, storage.size_gib), (StorageKind::File, 3), "{}", flavour.id);
    }
}

#[test]
fn a_package_may_bring_its_own_types_in_place_of_the_published() {
    let own = format!(
        "{HEAD}node_types:\n  tosca.nodes.nfv.Vdu.Compute:\n    derived_from: tosca.nodes.Root\n    \
         properties:\n      colour: {{ type: string }}\n"
    );
    let text = format!(
        "{HEAD}imports: [ etsi_nfv_sol001_vnfd_types.yaml ]\ntopology_template:\n  node_templates:\n    \
         vnf: {{ type: tosca.nodes.nfv.VNF, properties: {{ descriptor_id: a }} }}\n    \
         unit: {{ type: tosca.nodes.nfv.Vdu.Compute, properties: {{ colour: red }} }}\n"
    );
    let mut files = Files::of([META, ("d/top.yaml", &*text)]);
    let complains = |found: &VnfPackage| rules(&found.package.warnings).contains(&"W08");
    assert!(complains(&package(files.clone())));
    files = files.add("d/etsi_nfv_sol001_vnfd_types.yaml", own);
    let found = package(files);
    assert!(!complains(&found));
    assert_eq!(found.vnfd.flavours[0].vdus.len(), 1);
}

#[test]
fn a_package_may_extend_a_published_type_under_its_own_name() {
    let text = format!(
        "{HEAD}imports: [ etsi_nfv_sol001_vnfd_types.yaml ]\nnode_types:\n  \
         tosca.nodes.nfv.Vdu.Compute:\n    derived_from: tosca.nodes.nfv.Vdu.Compute\n    \
         properties: {{ colour: {{ type: string }} }}\ntopology_template:\n  node_templates:\n    \
         vnf: {{ type: tosca.nodes.nfv.VNF, properties: {{ descriptor_id: a }} }}\n    \
         unit: {{ type: tosca.nodes.nfv.Vdu.Compute, properties: {{ colour: red, name: u }} }}\n"
    );
    let found = package(Files::of([META, ("d/top.yaml", &*text)]));
    assert!(!rules(&found.package.warnings).contains(&"W08"));
    assert_eq!(found.vnfd.flavours[0].vdus[0].name, "u");
}

#[test]
fn every_notation_of_an_import_is_followed() {
    let text = format!(
        "{HEAD}imports:\n  - a.yaml\n  - file: b.yaml\n  - named: c.yaml\n  - named: {{ file: d.yaml, \
         repository: r }}\n  - https://forge.etsi.org/rep/nfv/SOL001/raw/v4.2.1/etsi_nfv_sol001_vnfd_types.yaml\n\
         topology_template:\n  node_templates:\n    \
         vnf: {{ type: tosca.nodes.nfv.VNF, properties: {{ descriptor_id: a }} }}\n"
    );
    let mut files = Files::of([META, ("d/top.yaml", &*text)]);
    for name in ["a", "b", "c", "d"] {
        files = files.add(&format!("d/{name}.yaml"), HEAD);
    }
    let found = package(files);
    assert_eq!(
        found.package.templates,
        ["d/top.yaml", "d/a.yaml", "d/b.yaml", "d/c.yaml", "d/d.yaml"]
    );
}

#[test]
fn a_deployable_unit_takes_what_its_containers_take() {
    let found = flavour(
        "    pod:\n      type: tosca.nodes.nfv.Vdu.OsContainerDeployableUnit\n      properties:\n        \
         name: pod\n        vdu_profile: { min_number_of_instances: 1, max_number_of_instances: 3 }\n      \
         requirements:\n        - container: web\n        - container: log\n    \
         web:\n      type: tosca.nodes.nfv.Vdu.OsContainer\n      properties: { name: w, \
         requested_cpu_resources: 500, requested_memory_resources: 256 MiB, \
         requested_ephemeral_storage_resources: 1 GiB }\n      artifacts:\n        image:\n          \
         type: tosca.artifacts.nfv.SwImage\n          file: registry/web:1\n          \
         properties: { name: web, version: '1', container_format: docker }\n    \
         log:\n      type: tosca.nodes.nfv.Vdu.OsContainer\n      properties: { cpu_resource_limit: 250, \
         memory_resource_limit: 64 MiB }\n    \
         chart:\n      type: tosca.nodes.nfv.Mciop\n      artifacts: { helm: { type: \
         tosca.artifacts.nfv.HelmChart, file: charts/a.tgz } }\n      requirements:\n        \
         - associatedVdu: pod\n",
    );
    let pod = &found.vdus[0];
    assert_eq!(
        (pod.kind, pod.vcpu_milli, pod.memory_mib, pod.disk_gib),
        (VduKind::Container, 750, 320, 1)
    );
    let names: Vec<&str> = pod.containers.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["w", "log"]);
    assert_eq!(pod.images, ["web"]);
    assert_eq!(found.mciops[0].artifacts, ["charts/a.tgz"]);
    assert_eq!(found.mciops[0].vdus, ["pod"]);
}

const TWO_UNITS: &str = "    a: { type: tosca.nodes.nfv.Vdu.Compute }\n    \
    b: { type: tosca.nodes.nfv.Vdu.Compute }\n";

#[test]
fn each_step_has_its_own_delta_and_the_last_serves_for_the_rest() {
    let found = flavour(&format!(
        "{TWO_UNITS}  policies:\n    - s: {{ type: tosca.policies.nfv.ScalingAspects, properties: \
         {{ aspects: {{ x: {{ max_scale_level: 4, step_deltas: [ one, two ] }} }} }} }}\n    \
         - i: {{ type: tosca.policies.nfv.VduInitialDelta, properties: {{ initial_delta: \
         {{ number_of_instances: 2 }} }}, targets: [ a ] }}\n    \
         - d: {{ type: tosca.policies.nfv.VduScalingAspectDeltas, properties: {{ aspect: x, deltas: \
         {{ one: {{ number_of_instances: 1 }}, two: {{ number_of_instances: 3 }} }} }}, \
         targets: [ a ] }}\n"
    ));
    let at = |level| found.counts_at(&counts(&[("x", level)]))["a"];
    assert_eq!([at(0), at(1), at(2), at(3), at(4), at(5)], [2, 3, 6, 9, 12, 12]);
    assert_eq!(found.counts_at(&BTreeMap::new())["b"], 1);
}

#[test]
fn a_levels_counts_outrank_its_scale_levels() {
    let found = flavour(&format!(
        "{TWO_UNITS}  policies:\n    - l: {{ type: tosca.policies.nfv.InstantiationLevels, properties: \
         {{ levels: {{ big: {{ description: x }} }} }} }}\n    \
         - a: {{ type: tosca.policies.nfv.VduInstantiationLevels, properties: {{ levels: {{ big: \
         {{ number_of_instances: 7 }} }} }}, targets: [ a ] }}\n"
    ));
    assert_eq!(found.levels[0].counts, counts(&[("a", 7), ("b", 1)]));
    assert_eq!(found.default_level, "big");
}

#[test]
fn groups_in_rules_are_replaced_by_their_members() {
    let found = flavour(&format!(
        "{TWO_UNITS}  groups:\n    inner: {{ type: tosca.groups.nfv.PlacementGroup, members: [ b ] }}\n    \
         outer: {{ type: tosca.groups.nfv.PlacementGroup, members: [ a, inner ] }}\n  policies:\n    \
         - apart: {{ type: tosca.policies.nfv.AntiAffinityRule, properties: {{ scope: zone }}, \
         targets: [ outer ] }}\n    \
         - near: {{ type: tosca.policies.nfv.AffinityRule, properties: {{ scope: nfvi_node }}, \
         targets: [ a, b ] }}\n"
    ));
    let told: Vec<(&str, bool, &str, Vec<&str>)> = found
        .affinity
        .iter()
        .map(|r| {
            let members = r.members.iter().map(String::as_str).collect();
            (r.id.as_str(), r.anti, r.scope.as_str(), members)
        })
        .collect();
    let expected =
        [("near", false, "nfvi_node", vec!["a", "b"]), ("apart", true, "zone", vec!["a", "b"])];
    assert_eq!(told, expected);
}

#[test]
fn inputs_are_filled_in_by_their_defaults() {
    let found = flavour(
        "    a:\n      type: tosca.nodes.nfv.Vdu.Compute\n      properties: { name: { get_input: n } }\n      \
         capabilities: { virtual_compute: { properties: { virtual_memory: { virtual_mem_size: \
         { get_input: m } }, virtual_cpu: { num_virtual_cpu: { get_input: [ c ] } } } } }\n  \
         inputs:\n    n: { default: front }\n    m: { default: { get_input: other } }\n    \
         other: { default: 1 GiB }\n    c: { default: 3 }\n",
    );
    let unit = &found.vdus[0];
    assert_eq!((unit.name.as_str(), unit.memory_mib, unit.vcpu_milli), ("front", 1024, 3000));
}

#[test]
fn ports_are_in_their_order_and_what_is_on_no_link_is_open() {
    let found = flavour(
        "    a: { type: tosca.nodes.nfv.Vdu.Compute }\n    l: { type: tosca.nodes.nfv.VnfVirtualLink }\n    \
         second: { type: tosca.nodes.nfv.VduCp, properties: { order: 1 }, requirements: \
         [ virtual_binding: a, virtual_link: { node: l } ] }\n    \
         first: { type: tosca.nodes.nfv.VduCp, properties: { order: 0 }, requirements: \
         [ virtual_binding: { node: a } ] }\n",
    );
    let ports: Vec<(&str, bool)> =
        found.vdus[0].connection_points.iter().map(|p| (p.id.as_str(), p.external)).collect();
    assert_eq!(ports, [("first", true), ("second", false)]);
    assert_eq!(found.external_cps[0].vdu_cp.as_deref(), Some("first"));
}

#[test]
fn one_image_in_two_flavours_is_one_and_two_of_one_name_are_two() {
    let image = |name: &str| {
        format!(
            "    u:\n      type: tosca.nodes.nfv.Vdu.Compute\n      artifacts: {{ i: {{ type: \
             tosca.artifacts.nfv.SwImage, file: 'http://x/{name}', properties: {{ name: {name}, \
             version: '1', container_format: bare }} }} }}\n"
        )
    };
    let with = |id: &str, name: &str| {
        lower(id, "u").replace("    u: { type: tosca.nodes.nfv.Vdu.Compute }\n", &image(name))
    };
    let ids = |second: &str| {
        let found = package(Files::of([
            META,
            ("d/top.yaml", &*top("types.yaml, one.yaml, two.yaml")),
            ("d/types.yaml", &*format!("{HEAD}{TYPE}")),
            ("d/one.yaml", &*with("one", "linux")),
            ("d/two.yaml", &*with("two", second)),
        ]));
        let used: Vec<String> =
            found.vnfd.flavours.iter().map(|f| f.vdus[0].images[0].clone()).collect();
        let listed: Vec<String> = found.images.into_iter().map(|i| i.id).collect();
        (listed, used)
    };
    assert_eq!(ids("linux"), (vec!["u".to_owned()], vec!["u".to_owned(), "u".to_owned()]));
    let two = vec!["u".to_owned(), "two.u".to_owned()];
    assert_eq!(ids("bsd"), (two.clone(), two));
}

#[test]
fn an_image_described_without_an_artifact_is_listed_without_a_place() {
    let text = format!(
        "{HEAD}topology_template:\n  node_templates:\n    vnf:\n      type: tosca.nodes.nfv.VNF\n      \
         properties: {{ descriptor_id: a }}\n    disk:\n      \
         type: tosca.nodes.nfv.Vdu.VirtualBlockStorage\n      properties: {{ virtual_block_storage_data: \
         {{ size_of_storage: 1 GB }}, sw_image_data: {{ name: linux, version: '6', container_format: \
         bare, min_ram: 256 MB }} }}\n"
    );
    let found = package(Files::of([("a.yaml", &*text)]));
    let image = &found.images[0];
    assert_eq!((image.name.as_str(), image.min_ram), ("linux", 256_000_000));
    assert_eq!((&image.path, &image.uri), (&None, &None));
    assert_eq!(found.vnfd.flavours[0].storages[0].image.as_deref(), Some("disk"));
}

#[test]
fn policies_and_groups_may_be_written_as_maps() {
    let found = flavour(&format!(
        "{TWO_UNITS}  groups:\n    near: {{ type: tosca.groups.nfv.PlacementGroup, members: [ a, b ] }}\n  \
         policies:\n    apart:\n      type: tosca.policies.nfv.AntiAffinityRule\n      \
         targets: [ near ]\n      properties: {{ scope: nfvi_node }}\n"
    ));
    assert_eq!(found.affinity[0].members, ["a", "b"]);
}

#[test]
fn a_service_tells_its_nested_services_from_itself() {
    let found = nsd(
        "    inner:\n      type: tosca.nodes.nfv.NS\n      properties: { descriptor_id: b, flavour_id: g, \
         ns_profile: { ns_instantiation_level: small, min_number_of_instances: 2, \
         max_number_of_instances: 4 } }\n    \
         box: { type: tosca.nodes.nfv.PNF, properties: { descriptor_id: c } }\n    \
         vnf: { type: tosca.nodes.nfv.VNF, properties: { descriptor_id: d }, requirements: \
         [ dependency: inner ] }\n",
    );
    let flavour = &found.flavours[0];
    let kinds: Vec<(&str, Constituent)> =
        flavour.profiles.iter().map(|p| (p.id.as_str(), p.kind)).collect();
    let expected =
        [("inner", Constituent::Ns), ("box", Constituent::Pnf), ("vnf", Constituent::Vnf)];
    assert_eq!(kinds, expected);
    let inner = &flavour.profiles[0];
    assert_eq!((inner.min_instances, inner.max_instances), (2, 4));
    assert_eq!(inner.level_id.as_deref(), Some("small"));
    assert_eq!(inner.descriptor_id, "b");
    assert_eq!(flavour.profiles[2].after, ["inner"]);
    assert_eq!(flavour.levels[0].counts, counts(&[("inner", 2), ("box", 1), ("vnf", 1)]));
}

#[test]
fn a_services_levels_are_numbers_and_its_steps_the_difference() {
    let found = ns_flavour(
        "    v: { type: tosca.nodes.nfv.VNF, properties: { descriptor_id: d } }\n    \
         w: { type: tosca.nodes.nfv.VNF, properties: { descriptor_id: e } }\n  policies:\n    \
         - s: { type: tosca.policies.nfv.NsScalingAspects, properties: { aspects: { x: { \
         ns_scale_levels: { 0: { description: a }, 1: { description: b }, 2: { description: c } } } } } }\n    \
         - m: { type: tosca.policies.nfv.VnfToLevelMapping, properties: { aspect: x, \
         number_of_instances: { 0: 1, 1: 3, 2: 4 } }, targets: [ v ] }\n",
    );
    let aspect = &found.aspects[0];
    assert_eq!(aspect.max_scale_level, 2);
    assert_eq!(aspect.counts[1], counts(&[("v", 3)]));
    assert_eq!(aspect.steps(), [counts(&[("v", 2)]), counts(&[("v", 1)])]);
    assert_eq!(found.levels[0].scale_levels, counts(&[("x", 0)]));
}

#[test]
fn a_descriptor_listed_twice_gives_two_profiles() {
    let text = format!(
        "{HEAD}topology_template:\n  node_templates:\n    ns:\n      type: tosca.nodes.nfv.NS\n      \
         properties: {{ descriptor_id: a, constituent_vnfd: [ x, {{ vnfd_id: y }}, x ] }}\n"
    );
    let bytes = Files::of([("a.yaml", &*text)]).zip();
    let found = inspect_ns(bytes, Mode::Lenient, Limits::default()).expect("lenient");
    let profiles: Vec<(&str, &str)> = found.nsd.flavours[0]
        .profiles
        .iter()
        .map(|p| (p.id.as_str(), p.descriptor_id.as_str()))
        .collect();
    assert_eq!(profiles, [("x", "x"), ("y", "y"), ("x-2", "x")]);
}

#[test]
fn a_descriptor_survives_being_stored_as_json() {
    let found = package(Files::example("edge-router"));
    let stored = serde_json::to_string(&found.vnfd).expect("JSON");
    assert_eq!(serde_json::from_str::<mano_tosca::Vnfd>(&stored).expect("the same"), found.vnfd);
}
