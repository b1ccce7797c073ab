//! The grant: what an operation may make and remove, and where. The intent before any VIM is called.
//!
//! Committed once per operation, together with the reservation of capacity, by the
//! step that also moves the operation on. Retries keep it (SOL003: the grant stays valid).

pub mod place;

use crate::{
    plan::{Document, Kind, Plan},
    resource::{Amounts, Resource, ResourceKind, Want},
    vim::Zone,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose operation a grant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Owner {
    /// A VNF operation ([`Kind::VnfOp`]).
    Vnf,
    /// An NS operation ([`Kind::NsOp`]).
    Ns,
}

/// One resource to make, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// What. Its name occurs once in a grant, adds and removes together.
    pub want: Want,
    /// On which VIM.
    pub vim_id: String,
    /// In which zone.
    pub zone_id: String,
    /// Members of one group are kept on different hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart_group: Option<String>,
}

/// The decision about one operation's resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The operation occurrence; also the grant's own identity.
    pub op_id: String,
    /// Whose operation it is.
    pub owner: Owner,
    /// The VNF or NS instance.
    pub instance_id: String,
    /// What shall be made.
    pub adds: Vec<Placement>,
    /// What shall be removed, as the inventory knew it.
    pub removes: Vec<Resource>,
}

impl Document for Grant {
    const KIND: Kind = Kind::Grant;
    fn id(&self) -> String {
        self.op_id.clone()
    }
}

impl Grant {
    /// The key under which a VIM carries what this grant makes.
    #[must_use]
    pub fn key_of(op: &str, name: &str) -> String {
        format!("{op}/{name}")
    }

    /// The names to make of one kind, in order.
    #[must_use]
    pub fn to_make(&self, kind: ResourceKind) -> Vec<&str> {
        let of_kind = self.adds.iter().filter(|p| p.want.kind == kind);
        of_kind.map(|p| p.want.name.as_str()).collect()
    }

    /// The names to remove of one kind, in order.
    #[must_use]
    pub fn to_remove(&self, kind: ResourceKind) -> Vec<&str> {
        let of_kind = self.removes.iter().filter(|r| r.want.kind == kind);
        of_kind.map(|r| r.want.name.as_str()).collect()
    }

    /// The resource a placement becomes.
    #[must_use]
    pub fn resource(&self, placement: &Placement) -> Resource {
        Resource {
            instance_id: self.instance_id.clone(),
            want: placement.want.clone(),
            key: Self::key_of(&self.op_id, &placement.want.name),
            vim_id: placement.vim_id.clone(),
            zone_id: placement.zone_id.clone(),
            resource_id: None,
            presence: crate::resource::Presence::Suspect,
            op_id: self.op_id.clone(),
        }
    }
}

/// Amounts by zone, to be reserved or given back in one plan.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ByZone(BTreeMap<(String, String), Amounts>);

impl ByZone {
    /// With more in one zone.
    pub fn add(&mut self, vim: &str, zone: &str, amounts: Amounts) {
        let sum = self.0.entry((vim.into(), zone.into())).or_default();
        *sum = *sum + amounts;
    }

    /// Puts the reservation into a plan; `zones` say what each may hold.
    #[must_use]
    pub fn reserve(&self, plan: Plan, zones: &[Zone]) -> Plan {
        self.0.iter().fold(plan, |plan, ((vim, zone), amounts)| {
            let found = zones.iter().find(|z| z.vim_id == *vim && z.zone_id == *zone);
            let capacity = found.map_or_else(Amounts::default, |z| z.capacity);
            plan.add::<Zone>(Zone::id_of(vim, zone), Zone::reserve(capacity, *amounts))
        })
    }

    /// Puts the giving back into a plan.
    #[must_use]
    pub fn give_back(&self, plan: Plan) -> Plan {
        self.0.iter().fold(plan, |plan, ((vim, zone), amounts)| {
            plan.add::<Zone>(Zone::id_of(vim, zone), Zone::give_back(*amounts))
        })
    }
}
