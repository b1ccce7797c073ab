//! The VIMs the orchestrator may use, and the capacity of their zones.

pub mod breaker;
pub mod register;

use crate::{
    plan::{Add, Document, Kind},
    resource::Amounts,
};
use serde::{Deserialize, Serialize};

/// A VIM as an operator registered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vim {
    /// Its identity, chosen by the operator.
    pub id: String,
    /// The driver that speaks to it: `sim`.
    pub vim_type: String,
    /// The names of its zones; each has a [`Zone`].
    pub zones: Vec<String>,
    /// How to reach it: never shown to a client.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub access_info: serde_json::Value,
}

impl Document for Vim {
    const KIND: Kind = Kind::Vim;
    fn id(&self) -> String {
        self.id.clone()
    }
}

/// What a zone has, and what is reserved of it.
///
/// The reserved numbers are changed only by [`Add`], within the capacity: of two
/// grants racing for the last vCPU the store lets one through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Zone {
    /// The VIM.
    pub vim_id: String,
    /// Its name within the VIM.
    pub zone_id: String,
    /// What it has.
    pub capacity: Amounts,
    /// Thousandths of a vCPU reserved.
    pub vcpu_milli_reserved: i64,
    /// MiB of memory reserved.
    pub memory_mib_reserved: i64,
    /// GiB of storage reserved.
    pub storage_gib_reserved: i64,
}

impl Zone {
    /// The identity of a zone.
    #[must_use]
    pub fn id_of(vim: &str, zone: &str) -> String {
        format!("{vim}/{zone}")
    }

    /// What is reserved.
    #[must_use]
    pub const fn reserved(&self) -> Amounts {
        Amounts {
            vcpu_milli: self.vcpu_milli_reserved,
            memory_mib: self.memory_mib_reserved,
            storage_gib: self.storage_gib_reserved,
        }
    }

    /// What is left.
    #[must_use]
    pub fn free(&self) -> Amounts {
        self.capacity + -self.reserved()
    }

    /// The additions that reserve `by` within the capacity.
    #[must_use]
    pub fn reserve(capacity: Amounts, by: Amounts) -> Vec<Add> {
        by.take(capacity, ["vcpuMilliReserved", "memoryMibReserved", "storageGibReserved"])
    }

    /// The additions that give `amounts` back; a zone that shrank meanwhile takes them all the same.
    #[must_use]
    pub fn give_back(amounts: Amounts) -> Vec<Add> {
        let unbounded =
            Amounts { vcpu_milli: i64::MAX, memory_mib: i64::MAX, storage_gib: i64::MAX };
        Self::reserve(unbounded, -amounts)
    }
}

impl Document for Zone {
    const KIND: Kind = Kind::Zone;
    fn id(&self) -> String {
        Self::id_of(&self.vim_id, &self.zone_id)
    }
}
