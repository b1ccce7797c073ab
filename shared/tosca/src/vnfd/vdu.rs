//! Deployment units, their containers, and the storages beside them.

use super::flavour::{COMPUTE, Cx};
use super::{Container, Flavour, Storage, StorageKind, Vdu, VduKind, image};
use crate::quantity::{self, Quantity};
use crate::rules::{Report, descriptor as rule};
use crate::template::{NodeTemplate, Topology};
use crate::yaml::Node;

const OS_CONTAINER: &str = "tosca.nodes.nfv.Vdu.OsContainer";
const STORAGES: [(&str, StorageKind, &[&str]); 3] = [
    (
        "tosca.nodes.nfv.Vdu.VirtualBlockStorage",
        StorageKind::Block,
        &["virtual_block_storage_data", "size_of_storage"],
    ),
    (
        "tosca.nodes.nfv.Vdu.VirtualObjectStorage",
        StorageKind::Object,
        &["virtual_object_storage_data", "max_size_of_storage"],
    ),
    (
        "tosca.nodes.nfv.Vdu.VirtualFileStorage",
        StorageKind::File,
        &["virtual_file_storage_data", "size_of_storage"],
    ),
];

/// A size or number of processors; what cannot be read counts as nothing and is reported.
fn measure(node: Option<&Node>, read: fn(&str) -> Option<Quantity>, report: &mut Report) -> u64 {
    let Some(node) = node else { return 0 };
    let text = node.as_str().unwrap_or_default();
    match read(text) {
        Some(quantity) => {
            if quantity.kubernetes {
                report.add(&rule::KUBERNETES_QUANTITY, node.place(), format!("`{text}`"));
            }
            quantity.amount
        }
        None => {
            report.add(&rule::QUANTITY, node.place(), format!("`{text}`"));
            0
        }
    }
}

/// A count within 32 bits; what cannot be read is `default` and is reported.
pub(crate) fn count(node: Option<&Node>, default: u32, report: &mut Report) -> u32 {
    let Some(node) = node else { return default };
    let read = node.as_u64().and_then(|n| u32::try_from(n).ok());
    read.unwrap_or_else(|| {
        let said = format!("`{}`", node.as_str().unwrap_or(node.kind()));
        report.add(&rule::QUANTITY, node.place(), said);
        default
    })
}

fn gib_each(bytes: impl Iterator<Item = u64>) -> u64 {
    bytes.map(quantity::gib).fold(0, u64::saturating_add)
}

pub(super) fn read(cx: &mut Cx<'_, '_>, node: &NodeTemplate<'_>) -> Vdu {
    let topology = cx.topology;
    let text = |name: &str| topology.text(node, name).map(|l| l.value);
    let kind = if topology.is_a(node, COMPUTE) { VduKind::Compute } else { VduKind::Container };
    let profile = topology.property(node, "vdu_profile");
    let part = |key: &str| topology.at(profile?, &[key]);
    let min_instances = count(part("min_number_of_instances"), 1, cx.report);
    let max_instances =
        count(part("max_number_of_instances"), min_instances.max(1), cx.report).max(min_instances);
    let mut vdu = Vdu {
        id: node.name.to_owned(),
        name: text("name").unwrap_or_else(|| node.name.to_owned()),
        description: text("description").unwrap_or_default(),
        kind,
        vcpu_milli: 0,
        memory_mib: 0,
        disk_gib: 0,
        storages: topology
            .targets(node, "virtual_storage")
            .into_iter()
            .map(str::to_owned)
            .collect(),
        images: image::read(cx, node),
        connection_points: vec![],
        min_instances,
        max_instances,
        initial_instances: min_instances,
        containers: vec![],
        line: node.node.line,
    };
    match kind {
        VduKind::Compute => compute(topology, node, &mut vdu, cx.report),
        VduKind::Container => containers(cx, node, &mut vdu),
    }
    vdu
}

fn compute(topology: &Topology<'_>, node: &NodeTemplate<'_>, vdu: &mut Vdu, report: &mut Report) {
    let path = ["capabilities", "virtual_compute", "properties"];
    let Some(compute) = node.node.at(&path) else { return };
    let cpu = topology.at(compute, &["virtual_cpu", "num_virtual_cpu"]);
    vdu.vcpu_milli = measure(cpu, quantity::processors, report);
    let memory = topology.at(compute, &["virtual_memory", "virtual_mem_size"]);
    vdu.memory_mib = quantity::mib(measure(memory, quantity::size, report));
    let disks = topology.at(compute, &["virtual_local_storage"]).map_or(&[][..], Node::items);
    let sizes = disks.iter().map(|d| d.get("size_of_storage"));
    vdu.disk_gib = gib_each(sizes.map(|s| measure(s, quantity::size, report)));
}

/// A deployable unit takes what its containers take together.
fn containers(cx: &mut Cx<'_, '_>, node: &NodeTemplate<'_>, vdu: &mut Vdu) {
    for name in cx.topology.targets(node, "container") {
        let Some(found) = cx.topology.node(name) else {
            let said = format!("container `{name}` of `{}`", node.name);
            cx.report.add(&rule::REFERENCE, node.node.place(), said);
            continue;
        };
        if !cx.topology.is_a(&found, OS_CONTAINER) {
            continue;
        }
        let property = |name: &str| cx.topology.property(&found, name);
        let either = |asked: &str, limit: &str| property(asked).or_else(|| property(limit));
        let cpu = either("requested_cpu_resources", "cpu_resource_limit");
        // SOL001 counts a container's processors in thousandths already.
        let whole = cpu.and_then(Node::as_u64);
        let milli = whole.unwrap_or_else(|| measure(cpu, quantity::processors, cx.report));
        let memory = either("requested_memory_resources", "memory_resource_limit");
        let memory = measure(memory, quantity::size, cx.report);
        let disk = property("requested_ephemeral_storage_resources");
        let disk = quantity::gib(measure(disk, quantity::size, cx.report));
        let title = cx.topology.text(&found, "name").map(|l| l.value);
        let container = Container {
            id: name.to_owned(),
            name: title.unwrap_or_else(|| name.to_owned()),
            vcpu_milli: milli,
            memory_mib: quantity::mib(memory),
            images: image::read(cx, &found),
        };
        vdu.vcpu_milli = vdu.vcpu_milli.saturating_add(milli);
        vdu.memory_mib = vdu.memory_mib.saturating_add(container.memory_mib);
        vdu.disk_gib = vdu.disk_gib.saturating_add(disk);
        vdu.images.extend(container.images.iter().cloned());
        vdu.containers.push(container);
    }
}

/// The storages that are node templates of their own.
pub(super) fn storages(cx: &mut Cx<'_, '_>) -> Vec<Storage> {
    let mut found = vec![];
    for node in &cx.topology.nodes {
        let kind = STORAGES.iter().find(|(name, ..)| cx.topology.is_a(node, name));
        if let Some((_, kind, path)) = kind {
            found.push(storage(cx, node, *kind, path));
        }
    }
    found
}

fn storage(
    cx: &mut Cx<'_, '_>,
    node: &NodeTemplate<'_>,
    kind: StorageKind,
    path: &[&str],
) -> Storage {
    let topology = cx.topology;
    let whole = topology.property(node, path[0]).and_then(|d| topology.at(d, &path[1..]));
    // Drafts of SOL001 had one type for all, with the size as a property.
    let size = whole.or_else(|| topology.property(node, "size_of_storage"));
    let drafted = topology.text(node, "type_of_storage").map(|l| l.value);
    let per_instance = topology.property(node, "per_vnfc_instance").and_then(Node::as_bool);
    Storage {
        id: node.name.to_owned(),
        kind: drafted.map_or(kind, |d| drafted_kind(&d)),
        size_gib: quantity::gib(measure(size, quantity::size, cx.report)),
        image: image::read(cx, node).into_iter().next(),
        per_instance: per_instance.unwrap_or(true),
    }
}

fn drafted_kind(text: &str) -> StorageKind {
    let lower = text.to_ascii_lowercase();
    match () {
        () if lower.contains("object") => StorageKind::Object,
        () if lower.contains("file") => StorageKind::File,
        () => StorageKind::Block,
    }
}

/// Storages written inside a unit's requirement get a node of their own in the result.
pub(super) fn inline_storages(topology: &Topology<'_>, flavour: &mut Flavour, report: &mut Report) {
    let mut found = vec![];
    for vdu in &mut flavour.vdus {
        let Some(node) = topology.node(&vdu.id) else { continue };
        let requirements = topology.requirements(&node);
        let inline = requirements.into_iter().filter(|(name, _)| *name == "virtual_storage");
        for (_, body) in inline.filter_map(|(n, body)| Some((n, body.get("properties")?))) {
            let id = format!("{}-storage-{}", vdu.id, vdu.storages.len() + 1);
            report.add(&rule::STORAGE_INLINE, body.place(), format!("`{id}` of `{}`", vdu.id));
            let kind = body.get("type_of_storage").and_then(Node::as_str).map(drafted_kind);
            let size = measure(body.get("size_of_storage"), quantity::size, report);
            vdu.storages.push(id.clone());
            found.push(Storage {
                id,
                kind: kind.unwrap_or(StorageKind::Block),
                size_gib: quantity::gib(size),
                image: None,
                per_instance: true,
            });
        }
    }
    flavour.storages.extend(found);
    check_storages(flavour, topology, report);
}

/// A storage that is named must be there; what is not is left out.
fn check_storages(flavour: &mut Flavour, topology: &Topology<'_>, report: &mut Report) {
    let known: Vec<String> = flavour.storages.iter().map(|s| s.id.clone()).collect();
    for vdu in &mut flavour.vdus {
        let Some(node) = topology.node(&vdu.id) else { continue };
        vdu.storages.retain(|id| {
            let there = known.contains(id);
            if !there {
                let said = format!("storage `{id}` of `{}`", node.name);
                report.add(&rule::REFERENCE, node.node.place(), said);
            }
            there
        });
    }
}
