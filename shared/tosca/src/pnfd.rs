//! A PNF descriptor (SOL001 clause 8): who a physical network function is and where it connects.

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Located, Place};
use crate::identity::Identity;
use crate::rules::{Report, descriptor as rule};
use crate::template::Templates;
use crate::vnfd::protocols;

/// A PNF descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pnfd {
    /// `descriptor_id`.
    pub pnfd_id: Located<String>,
    /// `descriptor_invariant_id`.
    pub invariant_id: String,
    /// `provider`.
    pub provider: String,
    /// `name`.
    pub name: String,
    /// `version`.
    pub version: String,
    /// `function_description`.
    pub function_description: String,
    /// External connection points.
    pub external_cps: Vec<PnfExtCp>,
}

/// An external connection point of a PNF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PnfExtCp {
    /// Name of the node template.
    pub id: String,
    /// `layer_protocols`.
    pub layer_protocols: Vec<String>,
}

/// Reads the descriptor.
pub(crate) fn read(templates: &Templates, report: &mut Report) -> Result<Pnfd, Finding> {
    let nothing = |file: &str| {
        Finding::new(&rule::NOTHING_DESCRIBED, "there is no PNF in it", Place::file(file))
    };
    let entry = templates.entry().ok_or_else(|| nothing(""))?;
    let identity = Identity::find(templates, entry, "tosca.nodes.nfv.PNF");
    let identity = identity.ok_or_else(|| nothing(&entry.file))?;
    let topology = &identity.topology;
    let cps = topology.of_type("tosca.nodes.nfv.PnfExtCp").map(|node| PnfExtCp {
        id: node.name.to_owned(),
        layer_protocols: protocols(topology, &node),
    });
    Ok(Pnfd {
        pnfd_id: identity.id(report)?,
        invariant_id: identity.required("descriptor_invariant_id", report),
        provider: identity.required("provider", report),
        name: identity.required("name", report),
        version: identity.required("version", report),
        function_description: identity.required("function_description", report),
        external_cps: cps.collect(),
    })
}
