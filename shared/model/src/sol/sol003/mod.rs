//! The wire forms of SOL003 `vnflcm` v2: requests as they come, resources as they go.

mod shapes;
mod wire;

pub use shapes::{VNF_INSTANCES, VNF_LCM_OP_OCCS};
pub use wire::{vnf_instance, vnf_lcm_op_occ};

use crate::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `CreateVnfRequest` (clause 5.5.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateVnfRequest {
    /// The descriptor to make it from.
    pub vnfd_id: String,
    /// A name for people.
    pub vnf_instance_name: Option<String>,
    /// A description for people.
    pub vnf_instance_description: Option<String>,
    /// Free content.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// `InstantiateVnfRequest` (clause 5.5.2.4), as far as decisions need it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstantiateVnfRequest {
    /// The deployment flavour, which the standard demands; none: the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavour_id: Option<String>,
    /// The level; none: the flavour's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instantiation_level_id: Option<String>,
    /// Levels aspect by aspect, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_scale_level_info: Option<Vec<ScaleInfo>>,
}

impl InstantiateVnfRequest {
    /// The levels asked for aspect by aspect.
    #[must_use]
    pub fn scale_levels(&self) -> BTreeMap<String, u32> {
        let info = self.target_scale_level_info.iter().flatten();
        info.map(|i| (i.aspect_id.clone(), i.scale_level)).collect()
    }
}

/// `ScaleInfo`: a level of an aspect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleInfo {
    /// The aspect.
    pub aspect_id: String,
    /// The level, from 0.
    pub scale_level: u32,
}

/// `ScaleVnfRequest` (clause 5.5.2.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaleVnfRequest {
    /// Out or in.
    #[serde(rename = "type")]
    pub scale_type: ScaleType,
    /// The aspect.
    pub aspect_id: String,
    /// How many levels; none: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_of_steps: Option<u32>,
}

/// The directions of scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ScaleType {
    /// More.
    ScaleOut,
    /// Less.
    ScaleIn,
}

impl ScaleType {
    /// By so many levels it goes up, or down, in so many steps; none: one.
    ///
    /// # Errors
    ///
    /// The steps are none at all.
    pub fn levels(self, steps: Option<u32>) -> Result<i64, Refusal> {
        match (self, i64::from(steps.unwrap_or(1))) {
            (_, 0) => Err(Refusal::unprocessable("numberOfSteps must be at least 1")),
            (Self::ScaleOut, steps) => Ok(steps),
            (Self::ScaleIn, steps) => Ok(-steps),
        }
    }
}

/// `HealVnfRequest` (clause 5.5.2.9).
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealVnfRequest {
    /// VNFC instances to make again; none: whatever the VIM lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vnfc_instance_id: Option<Vec<String>>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// `TerminateVnfRequest` (clause 5.5.2.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminateVnfRequest {
    /// At once, or in peace.
    pub termination_type: TerminationType,
    /// Seconds of peace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graceful_termination_timeout: Option<u32>,
}

/// How to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TerminationType {
    /// At once.
    Forceful,
    /// The VNF may finish what it does.
    Graceful,
}
