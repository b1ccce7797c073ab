//! Who uses a descriptor, and whether anyone new may: safe between creating, disabling, deleting.
//!
//! A descriptor and its package are large and rarely written; how often it is used changes
//! with every instance. So the count is a small document of its own, written only by
//! additions, which commute: creating many instances at once never conflicts.
//!
//! ```text
//!   on-board   create the document            { instances: 0, disabled: 0 }
//!   create     disabled + 0 within 0..=0, instances + 1      refused by the store once DISABLED
//!   delete     instances - 1
//!   disable    disabled + 1 within 0..=1      enable: disabled - 1
//!   remove     delete at the version at which instances = 0 and disabled = 1 were read
//! ```
//!
//! * Creating against disabling: both are additions to one document, so one comes first. If
//!   it is the disabling, the check `disabled = 0` fails the whole plan of the creation.
//! * Creating against removing: removing demands the version it read. A creation in between
//!   has raised it; a creation afterwards finds no document.

use crate::{
    plan::{Add, Document, Kind, Plan},
    refusal::Refusal,
};
use serde::{Deserialize, Serialize};

/// The largest number of instances of one descriptor that is counted.
const MAX_INSTANCES: i64 = 1_000_000_000;

/// The number that an addition cannot leave at 0 once a descriptor is DISABLED.
pub const DISABLED: &str = "disabled";

/// Which family of descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Descriptor {
    /// A VNF descriptor, by `vnfdId`.
    Vnfd,
    /// An NS descriptor, by `nsdId`.
    Nsd,
}

impl Descriptor {
    /// What a person calls it.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Vnfd => "VNF descriptor",
            Self::Nsd => "NS descriptor",
        }
    }
}

/// How often a descriptor is used; exists exactly while the descriptor is on-boarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// The family.
    pub descriptor: Descriptor,
    /// `vnfdId` or `nsdId`.
    pub descriptor_id: String,
    /// The VNF package, or NSD information, that brought it.
    pub info_id: String,
    /// Instances created from it and not yet deleted.
    pub instances: i64,
    /// 1 while its operational state is DISABLED, else 0: a number, so that an addition
    /// can check it.
    pub disabled: i64,
}

impl Usage {
    /// A descriptor just on-boarded: ENABLED, and used by nobody.
    #[must_use]
    pub fn none(descriptor: Descriptor, id: &str, info: &str) -> Self {
        Self {
            descriptor,
            descriptor_id: id.into(),
            info_id: info.into(),
            instances: 0,
            disabled: 0,
        }
    }

    /// The identity of the count of a descriptor.
    #[must_use]
    pub fn id_of(descriptor: Descriptor, id: &str) -> String {
        match descriptor {
            Descriptor::Vnfd => format!("{id}/vnfd-usage"),
            Descriptor::Nsd => format!("{id}/nsd-usage"),
        }
    }

    /// Whether an instance exists (`usageState` IN_USE).
    #[must_use]
    pub const fn in_use(&self) -> bool {
        self.instances > 0
    }
}

impl Document for Usage {
    const KIND: Kind = Kind::Note;
    fn id(&self) -> String {
        Self::id_of(self.descriptor, &self.descriptor_id)
    }
}

/// Whether a new instance may be made, as far as was read: for a sentence before the plan.
///
/// [`take`] decides for good, in the store.
///
/// # Errors
/// Unprocessable when there is no such descriptor, or it is DISABLED.
pub fn may_take(descriptor: Descriptor, id: &str, usage: Option<&Usage>) -> Result<(), Refusal> {
    match usage {
        None => Err(Refusal::unprocessable(format!(
            "there is no {} '{id}'; on-board its package first",
            descriptor.noun()
        ))),
        Some(usage) if usage.disabled != 0 => Err(disabled(descriptor, id)),
        Some(_) => Ok(()),
    }
}

/// Why nothing new is made of a descriptor that is DISABLED.
#[must_use]
pub fn disabled(descriptor: Descriptor, id: &str) -> Refusal {
    let noun = descriptor.noun();
    Refusal::unprocessable(format!("the {noun} '{id}' is DISABLED; enable it, or use another"))
}

/// The plan, counting `instances` new instances of a descriptor, refused once it is DISABLED.
///
/// A key occurs once in a plan: a plan that makes several instances of one descriptor says
/// so in one call. When the store answers `Exhausted` for the field [`DISABLED`], the
/// descriptor was disabled since it was read.
#[must_use]
pub fn take(plan: Plan, descriptor: Descriptor, id: &str, instances: i64) -> Plan {
    let open = Add { field: DISABLED, by: 0, max: 0 };
    let more = Add { field: "instances", by: instances, max: MAX_INSTANCES };
    plan.add::<Usage>(Usage::id_of(descriptor, id), vec![open, more])
}

/// The plan, counting `instances` instances less of a descriptor; also while it is DISABLED.
#[must_use]
pub fn give_back(plan: Plan, descriptor: Descriptor, id: &str, instances: i64) -> Plan {
    let fewer = Add { field: "instances", by: -instances, max: MAX_INSTANCES };
    plan.add::<Usage>(Usage::id_of(descriptor, id), vec![fewer])
}

/// The plan, closing a descriptor to new instances; fails when it is closed.
pub(super) fn disable(plan: Plan, descriptor: Descriptor, id: &str) -> Plan {
    let close = Add { field: DISABLED, by: 1, max: 1 };
    plan.add::<Usage>(Usage::id_of(descriptor, id), vec![close])
}

/// The plan, opening a descriptor to new instances; fails when it is open.
pub(super) fn enable(plan: Plan, descriptor: Descriptor, id: &str) -> Plan {
    let open = Add { field: DISABLED, by: -1, max: 1 };
    plan.add::<Usage>(Usage::id_of(descriptor, id), vec![open])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{Change, Expect, Origin},
        refusal::Why,
    };

    fn plan() -> Plan {
        Plan::new(Origin::test())
    }

    /// The document after the additions of a plan, by the law of the store, or `None`
    /// where an addition leaves its bounds.
    fn carried_out(plan: &Plan, usage: &Usage) -> Option<Usage> {
        let mut body = serde_json::to_value(usage).unwrap();
        for write in &plan.writes {
            assert_eq!(write.expect, Expect::Present);
            let Change::Add(adds) = &write.change else { panic!("only additions commute") };
            for add in adds {
                let sum = body[add.field].as_i64().unwrap() + add.by;
                if !(0..=add.max).contains(&sum) {
                    return None;
                }
                body[add.field] = sum.into();
            }
        }
        Some(serde_json::from_value(body).unwrap())
    }

    #[test]
    fn a_disabled_descriptor_takes_no_new_instance_but_lets_old_ones_go() {
        let one = Usage { instances: 1, ..Usage::none(Descriptor::Vnfd, "v", "p") };
        let closed = carried_out(&disable(plan(), Descriptor::Vnfd, "v"), &one).unwrap();
        assert_eq!(carried_out(&take(plan(), Descriptor::Vnfd, "v", 1), &closed), None);
        assert!(may_take(Descriptor::Vnfd, "v", Some(&closed)).is_err());
        let gone = carried_out(&give_back(plan(), Descriptor::Vnfd, "v", 1), &closed).unwrap();
        assert!(!gone.in_use());
        let open = carried_out(&enable(plan(), Descriptor::Vnfd, "v"), &gone).unwrap();
        assert!(carried_out(&take(plan(), Descriptor::Vnfd, "v", 1), &open).unwrap().in_use());
    }

    #[test]
    fn disabling_twice_fails_in_the_store() {
        let open = Usage::none(Descriptor::Nsd, "n", "i");
        let closed = carried_out(&disable(plan(), Descriptor::Nsd, "n"), &open).unwrap();
        assert_eq!(carried_out(&disable(plan(), Descriptor::Nsd, "n"), &closed), None);
        assert_eq!(carried_out(&enable(plan(), Descriptor::Nsd, "n"), &open), None);
    }

    #[test]
    fn an_unknown_descriptor_is_refused_by_name() {
        let refusal = may_take(Descriptor::Nsd, "n1", None).unwrap_err();
        assert_eq!(refusal.why, Why::Unprocessable);
        assert!(refusal.detail.contains("NS descriptor 'n1'"), "{refusal}");
    }

    #[test]
    fn the_counts_of_a_vnfd_and_an_nsd_of_one_name_are_two() {
        assert_ne!(Usage::id_of(Descriptor::Vnfd, "x"), Usage::id_of(Descriptor::Nsd, "x"));
    }
}
