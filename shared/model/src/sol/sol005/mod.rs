//! The wire forms of SOL005 `nslcm` v2: requests as they come, resources as they go.

mod shapes;
mod wire;

pub use shapes::{NS_INSTANCES, NS_LCM_OP_OCCS};
pub use wire::{ns_instance, ns_lcm_op_occ};

use crate::sol::sol003::ScaleType;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `CreateNsRequest` (clause 6.5.2.9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateNsRequest {
    /// The descriptor to make it from.
    pub nsd_id: String,
    /// A name for people.
    pub ns_name: String,
    /// A description for people.
    #[serde(default)]
    pub ns_description: String,
}

/// `InstantiateNsRequest` (clause 6.5.2.11), as far as decisions need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstantiateNsRequest {
    /// The deployment flavour, which the standard demands; none: the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_flavour_id: Option<String>,
    /// The level; none: the flavour's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_instantiation_level_id: Option<String>,
}

/// `ScaleNsRequest` (clause 6.5.2.14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleNsRequest {
    /// `SCALE_NS` or `SCALE_VNF`.
    pub scale_type: String,
    /// Whole network functions.
    #[serde(default)]
    pub scale_ns_data: Option<ScaleNsData>,
    /// Inside network functions.
    #[serde(default)]
    pub scale_vnf_data: Option<Vec<ScaleVnfData>>,
}

/// `ScaleNsData` (clause 6.5.3.10): one of its attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleNsData {
    /// Along an aspect.
    #[serde(default)]
    pub scale_ns_by_steps_data: Option<ScaleNsByStepsData>,
    /// To a level.
    #[serde(default)]
    pub scale_ns_to_level_data: Option<ScaleNsToLevelData>,
}

/// `ScaleNsByStepsData` (clause 6.5.3.11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleNsByStepsData {
    /// Out or in.
    pub scaling_direction: ScaleType,
    /// The aspect.
    pub aspect_id: String,
    /// How many levels; none: one.
    #[serde(default)]
    pub number_of_steps: Option<u32>,
}

/// `ScaleNsToLevelData` (clause 6.5.3.12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleNsToLevelData {
    /// The level.
    pub ns_instantiation_level: String,
}

/// `ScaleVnfData` (clause 6.5.3.13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleVnfData {
    /// Which network function.
    pub vnf_instance_id: String,
    /// `SCALE_OUT`, `SCALE_IN`, …
    pub scale_vnf_type: String,
    /// Along an aspect.
    #[serde(default)]
    pub scale_by_step_data: Option<ScaleByStepData>,
}

/// `ScaleByStepData` (clause 6.5.3.14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleByStepData {
    /// The aspect.
    pub aspect_id: String,
    /// How many levels; none: one.
    #[serde(default)]
    pub number_of_steps: Option<u32>,
}

/// `HealNsRequest` (clause 6.5.2.13): one of its attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealNsRequest {
    /// The whole service.
    #[serde(default)]
    pub heal_ns_data: Option<Value>,
    /// Some of its network functions.
    #[serde(default)]
    pub heal_vnf_data: Option<Vec<HealVnfData>>,
}

/// `HealVnfData` (clause 6.5.3.44).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealVnfData {
    /// Which network function.
    pub vnf_instance_id: String,
    /// Why, for people.
    #[serde(default)]
    pub cause: Option<String>,
}

/// `TerminateNsRequest` (clause 6.5.2.15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminateNsRequest {
    /// When; none: now.
    #[serde(default)]
    pub termination_time: Option<String>,
}
