//! What a simulated VIM remembers: its things, what is taken of its zones, who may still act.

use crate::{
    ids,
    plan::{Add, Document, Kind},
    resource::{Amounts, ResourceKind},
    vim::Vim,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A zone of a simulated VIM: nobody but its registration can say what it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SimSite {
    /// Its name.
    pub id: String,
    /// What it has.
    pub capacity: Amounts,
    /// Its hosts, for what must be kept apart.
    pub hosts: u32,
}

impl SimSite {
    /// Hosts of a zone whose registration names no number.
    pub const HOSTS: u32 = 16;

    /// The zones as a simulated VIM is told them (`accessInfo.zones`).
    #[must_use]
    pub fn all_of(vim: &Vim) -> Vec<Self> {
        let zones = vim.access_info.get("zones").cloned();
        zones.and_then(|z| serde_json::from_value(z).ok()).unwrap_or_default()
    }

    /// The access information that tells a simulated VIM its zones.
    #[must_use]
    pub fn told(sites: &[Self], mut rest: serde_json::Map<String, Value>) -> Value {
        let zones = serde_json::to_value(sites).unwrap_or_default();
        rest.insert("zones".into(), zones);
        Value::Object(rest)
    }
}

/// A thing in the memory of a simulated VIM: `{vim}/{resourceId}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SimResource {
    /// The VIM.
    pub vim_id: String,
    /// The VIM's own name of it.
    pub resource_id: String,
    /// The key its maker gave it.
    pub key: String,
    /// The name its maker gave it.
    pub name: String,
    /// Its kind.
    pub kind: ResourceKind,
    /// Its zone.
    pub zone: String,
    /// Its host, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The group it is kept apart in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What it takes.
    pub amounts: Amounts,
    /// What it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The VIM's own names of what it is joined to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<String>,
    /// How many things are joined to it.
    pub users: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it is, or was, whole.
    pub ready_at: Timestamp,
    /// Whether it will end in `ERROR` instead.
    #[serde(default)]
    pub fails: bool,
    /// When it is gone, once its removal was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
}

/// What a simulated VIM says of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is being made.
    Building,
    /// It is whole.
    Active,
    /// Making it failed.
    Error,
    /// It is being removed.
    Deleting,
    /// It is no more; its row is only not swept yet.
    Gone,
}

impl Status {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Building => "BUILDING",
            Self::Active => "ACTIVE",
            Self::Error => "ERROR",
            Self::Deleting => "DELETING",
            Self::Gone => "GONE",
        }
    }
}

impl SimResource {
    /// The identity of a thing.
    #[must_use]
    pub fn id_of(vim: &str, resource_id: &str) -> String {
        format!("{vim}/{resource_id}")
    }

    /// The beginning of the names of everything with this key, so that a key is found by a range.
    #[must_use]
    pub fn stem(key: &str) -> String {
        let hash = ids::derived(&[key]).simple().to_string();
        hash.get(..12).unwrap_or_default().into()
    }

    /// Where it stands now.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        match self.gone_at {
            Some(at) if at <= now => Status::Gone,
            Some(_) => Status::Deleting,
            None if self.ready_at > now => Status::Building,
            None if self.fails => Status::Error,
            None => Status::Active,
        }
    }

    /// When it stops being under way.
    #[must_use]
    pub fn due(&self) -> Timestamp {
        self.gone_at.unwrap_or(self.ready_at)
    }
}

impl Document for SimResource {
    const KIND: Kind = Kind::SimResource;
    fn id(&self) -> String {
        Self::id_of(&self.vim_id, &self.resource_id)
    }
}

/// What is taken of a zone: `{vim}/zone/{zone}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SimZone {
    /// The VIM.
    pub vim_id: String,
    /// The zone.
    pub zone: String,
    /// What is taken.
    #[serde(flatten)]
    pub taken: Amounts,
}

impl SimZone {
    /// The identity of a zone's account.
    #[must_use]
    pub fn id_of(vim: &str, zone: &str) -> String {
        format!("{vim}/zone/{zone}")
    }

    pub(super) fn take(by: Amounts, most: Amounts) -> Vec<Add> {
        by.take(most, ["vcpuMilli", "memoryMib", "storageGib"])
    }
}

impl Document for SimZone {
    const KIND: Kind = Kind::SimVim;
    fn id(&self) -> String {
        Self::id_of(&self.vim_id, &self.zone)
    }
}

/// Who is where in a group that is kept apart: `{vim}/group/{group}`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SimGroup {
    /// The VIM.
    pub vim_id: String,
    /// The group.
    pub group: String,
    /// The host of each member, by the VIM's own names.
    pub members: BTreeMap<String, String>,
}

impl SimGroup {
    /// The identity of a group.
    #[must_use]
    pub fn id_of(vim: &str, group: &str) -> String {
        format!("{vim}/group/{group}")
    }
}

impl Document for SimGroup {
    const KIND: Kind = Kind::SimVim;
    fn id(&self) -> String {
        Self::id_of(&self.vim_id, &self.group)
    }
}

/// The number below which nobody may make a thing of this key: `{vim}/{key}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SimFence {
    /// The VIM.
    pub vim_id: String,
    /// The key.
    pub key: String,
    /// The highest number a removal came with.
    pub fence: u64,
}

impl SimFence {
    /// The identity of a fence.
    #[must_use]
    pub fn id_of(vim: &str, key: &str) -> String {
        format!("{vim}/{key}")
    }
}

impl Document for SimFence {
    const KIND: Kind = Kind::SimFence;
    fn id(&self) -> String {
        Self::id_of(&self.vim_id, &self.key)
    }
}
