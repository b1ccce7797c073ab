//! One deployment flavour: its name, units, storages, links and rules.

use std::sync::Arc;

use super::{Flavour, Mciop, SwImage, Vdu, connect, image, read::VNF, scaling, vdu};
use crate::affinity;
use crate::archive::Archive;
use crate::finding::{Finding, Place};
use crate::rules::{Report, descriptor as rule};
use crate::template::{Document, NodeTemplate, Topology};
use crate::yaml::Node;

/// Types of deployment unit.
pub(super) const COMPUTE: &str = "tosca.nodes.nfv.Vdu.Compute";
pub(super) const CONTAINERS: &str = "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit";
const MCIOP: &str = "tosca.nodes.nfv.Mciop";

pub(crate) fn is_vdu(topology: &Topology<'_>, node: &NodeTemplate<'_>) -> bool {
    topology.is_a(node, COMPUTE) || topology.is_a(node, CONTAINERS)
}

/// What reading the parts of a flavour needs.
pub(super) struct Cx<'a, 't> {
    pub(super) topology: &'a Topology<'t>,
    pub(super) archive: &'a Archive<'a>,
    pub(super) images: &'a mut Vec<SwImage>,
    pub(super) report: &'a mut Report,
    pub(super) flavour: &'a str,
}

/// Reads the flavour that a template describes.
pub(super) fn read(
    topology: &Topology<'_>,
    document: &Document,
    archive: &Archive<'_>,
    images: &mut Vec<SwImage>,
    report: &mut Report,
) -> Result<Flavour, Finding> {
    let mut flavour = Flavour { file: Arc::clone(&document.file), ..Flavour::default() };
    flavour.id = named(topology, document, "flavour_id").unwrap_or_else(|| {
        let place = Place::file(Arc::clone(&document.file));
        report.add(&rule::NO_FLAVOUR, place, "flavour_id is missing");
        "default".to_owned()
    });
    flavour.description = named(topology, document, "flavour_description").unwrap_or_default();
    let mut cx = Cx { topology, archive, images, report, flavour: &flavour.id };
    let units = topology.nodes.iter().filter(|n| is_vdu(topology, n));
    let vdus = units.map(|node| vdu::read(&mut cx, node)).collect();
    let storages = vdu::storages(&mut cx);
    (flavour.vdus, flavour.storages) = (vdus, storages);
    vdu::inline_storages(topology, &mut flavour, report);
    flavour.virtual_links = connect::virtual_links(topology);
    connect::attach(topology, document, &mut flavour, report);
    for node in topology.of_type(MCIOP) {
        flavour.mciops.push(mciop(topology, &node, archive, report));
    }
    if flavour.vdus.is_empty() {
        let place = Place::file(Arc::clone(&document.file));
        report.add(&rule::NO_VDU, place, format!("flavour `{}`", flavour.id));
    }
    scaling::read(topology, document, &mut flavour, report)?;
    flavour.affinity = affinity::read(topology);
    Ok(flavour)
}

/// A property of the VNF as this template gives it: in the mapping, the node, the type.
fn named(topology: &Topology<'_>, document: &Document, name: &str) -> Option<String> {
    let mapping = document.substitution();
    let mapped = mapping.and_then(|s| topology.resolve(s.get("properties")?.get(name)?));
    let node = topology.of_type(VNF).next();
    let own = || node.and_then(|n| topology.property(&n, name));
    let typed = || topology.default(mapping?.get("node_type")?.as_str()?, name);
    let found = mapped.or_else(own).or_else(typed)?;
    found.as_str().map(str::to_owned)
}

fn mciop(
    topology: &Topology<'_>,
    node: &NodeTemplate<'_>,
    archive: &Archive<'_>,
    report: &mut Report,
) -> Mciop {
    let artifacts = node.node.get("artifacts").into_iter().flat_map(Node::entries);
    let artifacts = artifacts.filter_map(|(_, artifact)| {
        let (path, reference) = image::locate(artifact, archive, report);
        path.or(reference)
    });
    Mciop {
        id: node.name.to_owned(),
        artifacts: artifacts.collect(),
        vdus: topology.targets(node, "associatedVdu").into_iter().map(str::to_owned).collect(),
    }
}

impl Flavour {
    pub(super) fn vdu_mut(&mut self, id: &str) -> Option<&mut Vdu> {
        self.vdus.iter_mut().find(|v| v.id == id)
    }
}
