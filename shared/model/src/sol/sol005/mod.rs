//! The wire forms of SOL005 `nslcm` v2: requests as they come, resources as they go.

mod shapes;
mod wire;

pub use shapes::{NS_INSTANCES, NS_LCM_OP_OCCS};
pub use wire::{ns_instance, ns_lcm_op_occ};

use crate::sol::sol003::ScaleType;
use serde::{Deserialize, Serialize};

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
    /// Which of the two.
    pub scale_type: NsScaleType,
    /// Whole network functions.
    #[serde(default)]
    pub scale_ns_data: Option<ScaleNsData>,
    /// Inside network functions.
    #[serde(default)]
    pub scale_vnf_data: Option<Vec<ScaleVnfData>>,
}

/// What a service is scaled by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NsScaleType {
    /// Whole network functions come or go.
    ScaleNs,
    /// Network functions become larger or smaller.
    ScaleVnf,
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
    /// Out or in; to a level is not offered.
    pub scale_vnf_type: ScaleType,
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
    pub heal_ns_data: Option<HealNsData>,
    /// Some of its network functions.
    #[serde(default)]
    pub heal_vnf_data: Option<Vec<HealVnfData>>,
}

/// `HealNsData` (clause 6.5.3.43).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealNsData {
    /// How far; none: what there is.
    #[serde(default)]
    pub degree_healing: Option<DegreeHealing>,
}

/// How far a service is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DegreeHealing {
    /// What was lost is made again.
    HealRestore,
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
