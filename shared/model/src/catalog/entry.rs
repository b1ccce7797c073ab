//! One entry of the catalogue: what VNF packages and NS descriptors have in common.

use super::{onboarding::Onboarding, usage::Descriptor};
use crate::{
    TenantId,
    op::run_name,
    plan::{Document, Index, Kind},
    refusal::{Refusal, Why},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// Whether anyone may make something new of it (SOL005 `OperationalState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OperationalState {
    /// Yes.
    Enabled,
    /// No; what exists goes on.
    Disabled,
}

impl OperationalState {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }
}

/// Something noticed about content, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    /// Number of the rule.
    pub rule: String,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// File inside the archive; empty when the archive itself is meant.
    pub file: String,
    /// Line in that file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// Where the parts of content lie in its archive.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layout {
    /// The files the descriptor is made of, the entry first.
    pub definitions: Vec<String>,
    /// The manifest, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// What distinguishes the families of entries: VNF packages and NS descriptors.
pub trait Family:
    Serialize + DeserializeOwned + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static
{
    /// The family of documents.
    const KIND: Kind;
    /// The family of the descriptor it brings.
    const DESCRIPTOR: Descriptor;
    /// What a person calls an entry.
    const NOUN: &'static str;
    /// How its facts' names begin: `package`, `nsd`.
    const FACTS: &'static str;
    /// The workflow that looks at its content.
    const WORKFLOW: &'static str;
    /// The attribute of its operational state on the wire.
    const OPERATIONAL_STATE: &'static str;
    /// The descriptor as lifecycle decisions need it.
    type Document: Document;
    /// `vnfdId` or `nsdId`.
    fn descriptor_id(&self) -> &str;
}

/// An entry: its states, what its owner noted, and what its content told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound = "F: Family")]
pub struct Entry<F: Family> {
    /// `vnfPkgId` or `nsdInfoId`.
    pub id: String,
    /// How far its content got.
    pub onboarding: Onboarding,
    /// Whether it may be used.
    pub operational_state: OperationalState,
    /// What its owner noted; `mano:mode` is read by on-boarding.
    #[serde(default)]
    pub user_defined_data: Map<String, Value>,
    /// What its content told; there exactly in ONBOARDED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub described: Option<F>,
    /// What was noticed in its content and does not forbid it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Remark>,
}

impl<F: Family> Entry<F> {
    /// The attribute of `userDefinedData` that asks for a way of on-boarding.
    pub const MODE: &'static str = "mano:mode";

    /// Whether deviations from the standards that could be read shall be refused.
    #[must_use]
    pub fn strict(&self) -> bool {
        self.user_defined_data.get(Self::MODE).and_then(Value::as_str) == Some("strict")
    }

    /// The descriptor it brought, once ONBOARDED.
    #[must_use]
    pub fn descriptor_id(&self) -> Option<&str> {
        self.described.as_ref().map(F::descriptor_id)
    }

    /// The content of the fact that starts the run which looks at its content.
    #[must_use]
    pub fn start(&self, tenant: &TenantId) -> Value {
        let run = self.onboarding.run();
        json!({
            "workflow": F::WORKFLOW,
            "run": run_name(&self.id, run),
            "input": { "tenant": tenant, "op": self.id, "run": run },
        })
    }

    /// `VNF package '…'`, for sentences.
    pub(super) fn called(&self) -> String {
        format!("{} '{}'", F::NOUN, self.id)
    }

    /// A fact's name of this family: `package.onboarded`.
    pub(super) fn fact(what: &str) -> String {
        format!("{}.{what}", F::FACTS)
    }
}

impl<F: Family> Document for Entry<F> {
    const KIND: Kind = F::KIND;
    fn id(&self) -> String {
        self.id.clone()
    }
    fn index(&self) -> Vec<(Index, String)> {
        let by = match F::DESCRIPTOR {
            Descriptor::Vnfd => Index::VnfdId,
            Descriptor::Nsd => Index::NsdId,
        };
        self.descriptor_id().map(|id| (by, id.to_owned())).into_iter().collect()
    }
}

/// Checks what an owner wants to note.
///
/// # Errors
/// Unprocessable where `mano:mode` is neither `strict` nor `lenient`, or where it is too much.
pub(super) fn check_user_data(data: &Map<String, Value>) -> Result<(), Refusal> {
    const MOST: usize = 64 << 10;
    let refuse = |detail: String| Err(Refusal::new(Why::Unprocessable, detail));
    if let Some(mode) = data.get("mano:mode")
        && !matches!(mode.as_str(), Some("strict" | "lenient"))
    {
        return refuse(format!("userDefinedData/mano:mode is {mode}; give strict or lenient"));
    }
    let size = serde_json::to_string(data).map_or(usize::MAX, |text| text.len());
    if size > MOST {
        return refuse(format!("userDefinedData takes {size} bytes; at most {MOST} are kept"));
    }
    Ok(())
}
