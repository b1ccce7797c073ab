//! Deciding over what an owner does to an entry: create, enable, disable, note, delete.

use super::{
    entry::{Entry, Family, OperationalState, check_user_data},
    onboarding::{Onboarding, State},
    upload::drop_blobs,
    usage::{self, Usage},
};
use crate::{
    plan::{Change, Expect, Key, Origin, Plan, Versioned},
    refusal::Refusal,
};
use serde_json::{Map, Value, json};

/// What an owner may change (SOL005 `VnfPkgInfoModifications`, `NsdInfoModifications`).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Modifications {
    /// The operational state it shall have.
    pub operational_state: Option<OperationalState>,
    /// A merge patch (RFC 7396) of what the owner noted.
    pub user_defined_data: Option<Map<String, Value>>,
}

/// An entry without content: CREATED, DISABLED.
///
/// # Errors
/// Unprocessable for notes that are not taken.
pub fn create<F: Family>(
    origin: Origin,
    id: String,
    user_defined_data: Map<String, Value>,
) -> Result<(Plan, Entry<F>), Refusal> {
    check_user_data(&user_defined_data)?;
    let entry = Entry {
        id,
        onboarding: Onboarding::default(),
        operational_state: OperationalState::Disabled,
        user_defined_data,
        described: None,
        warnings: Vec::new(),
    };
    Ok((Plan::new(origin).create(&entry), entry))
}

/// The entry with its modifications.
///
/// # Errors
/// Malformed when nothing is asked; conflict when it is not ONBOARDED, or in the state asked
/// for already; unprocessable for notes that are not taken.
pub fn modify<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    asked: &Modifications,
) -> Result<Plan, Refusal> {
    let Versioned { version, value: mut entry } = entry;
    if *asked == Modifications::default() {
        let states = F::OPERATIONAL_STATE;
        let detail = format!("nothing to modify: give {states}, userDefinedData, or both");
        return Err(Refusal::malformed(detail));
    }
    if let Some(patch) = &asked.user_defined_data {
        merge(&mut entry.user_defined_data, patch);
        check_user_data(&entry.user_defined_data)?;
    }
    let Some(state) = asked.operational_state else {
        return Ok(Plan::new(origin).update(version, &entry));
    };
    let descriptor = switch(&mut entry, state)?;
    let plan = Plan::new(origin).update(version, &entry);
    let (plan, fact) = match state {
        OperationalState::Enabled => (usage::enable(plan, F::DESCRIPTOR, &descriptor), "enabled"),
        OperationalState::Disabled => {
            (usage::disable(plan, F::DESCRIPTOR, &descriptor), "disabled")
        }
    };
    let told = json!({ "id": entry.id, "descriptorId": descriptor });
    Ok(plan.tell::<Entry<F>>(&entry.id, &Entry::<F>::fact(fact), told))
}

/// Sets the operational state; answers the descriptor it is of.
fn switch<F: Family>(entry: &mut Entry<F>, to: OperationalState) -> Result<String, Refusal> {
    let at = entry.onboarding.state();
    let Some(descriptor) = entry.descriptor_id().filter(|_| at == State::Onboarded) else {
        let detail = format!(
            "{} is {}; only what is ONBOARDED can be enabled or disabled",
            entry.called(),
            at.as_str()
        );
        return Err(Refusal::conflict(detail));
    };
    if entry.operational_state == to {
        let detail = format!("{} is {} already", entry.called(), to.as_str());
        return Err(Refusal::conflict(detail));
    }
    let descriptor = descriptor.to_owned();
    entry.operational_state = to;
    Ok(descriptor)
}

/// Removes an entry with all it brought.
///
/// `usage` is its descriptor's, read after the entry.
///
/// # Errors
/// Conflict while it is ENABLED, in use, or its content is under way.
pub fn delete<F: Family>(
    origin: Origin,
    entry: &Versioned<Entry<F>>,
    usage: Option<&Versioned<Usage>>,
) -> Result<Plan, Refusal> {
    may_delete(entry, usage.map(|u| &u.value))?;
    let told = json!({ "id": entry.id, "descriptorId": entry.descriptor_id() });
    let tenant = origin.tenant.clone();
    let mut plan = Plan::new(origin).delete::<Entry<F>>(entry.version, &entry.id);
    if let (Some(id), Some(usage)) = (entry.descriptor_id(), usage) {
        let descriptor = Key::of::<F::Document>(&tenant, id);
        plan = plan
            .write(descriptor, Expect::Present, Change::Delete)
            .delete::<Usage>(usage.version, Usage::id_of(F::DESCRIPTOR, id));
    }
    let plan = plan.tell::<Entry<F>>(&entry.id, &Entry::<F>::fact("deleted"), told);
    let content = entry.onboarding.content().map(|content| content.blob.clone());
    let awaited = entry.onboarding.past_us().map(|upload| upload.blob.clone());
    let blobs: Vec<_> = content.into_iter().chain(awaited).collect();
    Ok(drop_blobs::<F>(plan, &entry.id, &blobs))
}

/// Whether an entry may go (SOL005 clauses 5.4.3.3.5, 9.4.3.3.5).
fn may_delete<F: Family>(entry: &Entry<F>, usage: Option<&Usage>) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(Refusal::conflict(format!("{} {why}", entry.called())));
    match entry.onboarding.state() {
        // Nobody here knows whether it goes on; what it still brings is removed.
        State::Uploading if entry.onboarding.past_us().is_some() => Ok(()),
        State::Uploading => refuse("is UPLOADING; wait until the upload ends"),
        State::Processing => refuse("is PROCESSING; wait until its content has been looked at"),
        State::Created | State::Error => Ok(()),
        State::Onboarded if entry.operational_state == OperationalState::Enabled => {
            refuse("is ENABLED; disable it first")
        }
        State::Onboarded if usage.is_some_and(Usage::in_use) => {
            refuse("is IN_USE; delete the instances made of it first")
        }
        State::Onboarded => Ok(()),
    }
}

/// Applies a JSON merge patch (RFC 7396) to an object.
///
/// The depth is that of a request's body, which the reader of JSON bounds.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(inner) => {
                let slot = target.entry(name.clone()).or_insert_with(|| json!({}));
                if !slot.is_object() {
                    *slot = json!({});
                }
                if let Value::Object(object) = slot {
                    merge(object, inner);
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};
    use crate::{plan::Kind, refusal::Why};

    fn to(state: OperationalState) -> Modifications {
        Modifications { operational_state: Some(state), ..Modifications::default() }
    }

    fn note(patch: Value) -> Modifications {
        let Value::Object(patch) = patch else { panic!("a patch is an object") };
        Modifications { user_defined_data: Some(patch), ..Modifications::default() }
    }

    #[test]
    fn only_what_is_onboarded_changes_its_operational_state_and_only_once() {
        use OperationalState::{Disabled, Enabled};
        for (entry, state) in [
            (created(), Enabled),
            (processing(), Disabled),
            (onboarded(), Enabled),
            (disabled(), Disabled),
        ] {
            assert_eq!(modify(at(20), entry, &to(state)).unwrap_err().why, Why::Conflict);
        }
        let plan = modify(at(20), disabled(), &to(Enabled)).unwrap();
        assert_eq!(told(&plan), ["package.enabled"]);
        assert_eq!(left(&plan).operational_state, Enabled);
    }

    #[test]
    fn notes_are_merged_as_rfc_7396_says() {
        let first = json!({ "a": { "b": 1, "c": 2 }, "d": [1] });
        let entry = left(&modify(at(20), created(), &note(first)).unwrap());
        let patch = json!({ "a": { "b": null, "e": 3 }, "d": { "f": null }, "g": "x" });
        let entry = left(&modify(at(21), entry, &note(patch)).unwrap());
        let merged = json!({ "a": { "c": 2, "e": 3 }, "d": {}, "g": "x" });
        assert_eq!(Value::Object(entry.value.user_defined_data), merged);
    }

    #[test]
    fn a_mode_nobody_knows_and_endless_notes_are_refused() {
        let mode = modify(at(20), created(), &note(json!({ "mano:mode": "exact" }))).unwrap_err();
        assert!(mode.detail.contains("strict or lenient"), "{mode}");
        let much = note(json!({ "a": "x".repeat(70_000) }));
        assert_eq!(modify(at(20), created(), &much).unwrap_err().why, Why::Unprocessable);
        let strict =
            left(&modify(at(20), created(), &note(json!({ "mano:mode": "strict" }))).unwrap());
        assert!(strict.strict() && !created().strict());
    }

    #[test]
    fn asking_for_nothing_is_malformed() {
        let refusal = modify(at(20), created(), &Modifications::default()).unwrap_err();
        assert_eq!(refusal.why, Why::Malformed);
    }

    #[test]
    fn what_is_enabled_used_or_under_way_is_not_deleted() {
        for (entry, usage, word) in [
            (uploading(), None, "UPLOADING"),
            (processing(), None, "PROCESSING"),
            (onboarded(), Some(used_by(0)), "ENABLED"),
            (disabled(), Some(used_by(1)), "IN_USE"),
        ] {
            let refusal = delete(at(20), &entry, usage.as_ref()).unwrap_err();
            assert_eq!(refusal.why, Why::Conflict);
            assert!(refusal.detail.contains(word), "{refusal}");
        }
    }

    #[test]
    fn deleting_takes_the_descriptor_the_count_and_the_content_along() {
        let plan = delete(at(20), &disabled(), Some(&used_by(0))).unwrap();
        let kinds: Vec<_> = plan.writes.iter().map(|w| w.key.kind).collect();
        assert_eq!(kinds, [Kind::VnfPackage, Kind::Vnfd, Kind::Note]);
        assert_eq!(plan.writes[2].expect, Expect::Version(3));
        assert_eq!(told(&plan), ["package.deleted", "package.content.dropped"]);
        let plan = delete(at(20), &created(), None).unwrap();
        assert_eq!((plan.writes.len(), told(&plan).len()), (1, 1));
    }
}
