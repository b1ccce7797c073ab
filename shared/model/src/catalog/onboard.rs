//! Deciding over content that was looked at: ONBOARDED with its descriptor, or ERROR with why.

use super::{
    entry::{Entry, Family, Remark},
    onboarding::{Failure, Progress, State},
    usage::Usage,
};
use crate::plan::{Document, Fact, Origin, Plan, Versioned};
use serde_json::json;

/// What looking at content brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict<F: Family> {
    /// What the entry tells of it.
    pub described: F,
    /// What lifecycle decisions need of it.
    pub descriptor: F::Document,
    /// What was noticed besides.
    pub warnings: Vec<Remark>,
}

/// Whether `run` of the workflow still has something to say.
///
/// A second delivery, or a run that was overtaken by another upload, has not.
#[must_use]
pub fn is_due<F: Family>(entry: &Entry<F>, run: u64) -> bool {
    entry.onboarding.state() == State::Processing && entry.onboarding.run() == run
}

/// The content was read further, but not to its end: whoever looks next goes on from there.
/// `None` where the run is not due any more.
#[must_use]
pub fn read_on<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    run: u64,
    progress: Progress,
) -> Option<Plan> {
    let Versioned { version, value: mut entry } = entry;
    if !is_due(&entry, run) {
        return None;
    }
    entry.onboarding.read_on(progress);
    Some(Plan::new(origin).update(version, &entry))
}

/// The content is good: ONBOARDED, ENABLED, used by nobody.
///
/// `owner` is the entry that brought a descriptor of this identity already, if there is one.
/// The plan itself demands that there is none, so of two that race one is told so later.
///
/// Answers `None` where the run is not due any more.
#[must_use]
pub fn accept<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    run: u64,
    verdict: Verdict<F>,
    owner: Option<&str>,
) -> Option<Plan> {
    if let Some(owner) = owner.filter(|owner| *owner != entry.id) {
        let failure = known_already::<F>(verdict.described.descriptor_id(), owner);
        return refuse(origin, entry, run, failure, verdict.warnings);
    }
    let Versioned { version, value: mut entry } = entry;
    if !is_due(&entry, run) || entry.onboarding.accept().is_err() {
        return None;
    }
    let usage = Usage::none(F::DESCRIPTOR, verdict.described.descriptor_id(), &entry.id);
    let told = json!({
        "id": entry.id,
        "descriptorId": usage.descriptor_id,
        "warnings": verdict.warnings.len(),
    });
    entry.operational_state = super::OperationalState::Enabled;
    entry.described = Some(verdict.described);
    entry.warnings = verdict.warnings;
    let plan = Plan::new(origin).update(version, &entry);
    let plan = plan.create(&verdict.descriptor).create(&usage);
    Some(plan.tell::<Entry<F>>(entry.id(), &Entry::<F>::fact("onboarded"), told))
}

/// The content is not taken: ERROR with the reason. `None` where the run is not due any more.
#[must_use]
pub fn refuse<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    run: u64,
    failure: Failure,
    warnings: Vec<Remark>,
) -> Option<Plan> {
    let Versioned { version, value: mut entry } = entry;
    let told = json!({ "id": entry.id, "detail": Fact::brief(&failure.detail) });
    if !is_due(&entry, run) || entry.onboarding.refuse(failure).is_err() {
        return None;
    }
    entry.warnings = warnings;
    let plan = Plan::new(origin).update(version, &entry);
    Some(plan.tell::<Entry<F>>(entry.id(), &Entry::<F>::fact("onboard.failed"), told))
}

/// Why a descriptor is not taken twice.
fn known_already<F: Family>(descriptor: &str, owner: &str) -> Failure {
    let (kind, noun) = (F::DESCRIPTOR.noun(), F::NOUN);
    Failure {
        status: 409,
        title: "Descriptor known already".into(),
        detail: format!(
            "the {kind} '{descriptor}' was on-boarded before, by {noun} '{owner}'; \
             delete that one first, or give this one a descriptor_id of its own"
        ),
        errors: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};
    use crate::{
        catalog::{OperationalState, upload, vnf_package::VnfPkgContent},
        plan::{Expect, Kind},
    };

    fn bad() -> Failure {
        Failure { detail: "a.yaml:3: no flavour".into(), ..upload::silent() }
    }

    fn half() -> Progress {
        Progress { bytes: 2, memory: json!([{ "file": "a" }]) }
    }

    #[test]
    fn good_content_brings_its_descriptor_and_a_count_in_one_plan() {
        let plan = accept(at(12), processing(), 1, verdict(), None).unwrap();
        let brings =
            |kind| plan.writes.iter().any(|w| w.key.kind == kind && w.expect == Expect::Absent);
        assert!(brings(Kind::Vnfd) && brings(Kind::Note));
        assert_eq!(told(&plan), ["package.onboarded"]);
        let entry = left(&plan);
        assert_eq!(entry.onboarding.state(), State::Onboarded);
        assert_eq!(entry.operational_state, OperationalState::Enabled);
        assert!(!put::<Usage>(&plan).in_use());
    }

    #[test]
    fn a_run_that_was_overtaken_or_delivered_twice_decides_nothing() {
        assert_eq!(accept(at(12), processing(), 2, verdict(), None), None);
        assert_eq!(accept(at(12), onboarded(), 1, verdict(), None), None);
        assert_eq!(refuse(at(12), onboarded(), 1, bad(), Vec::new()), None);
        assert_eq!(read_on(at(12), processing(), 2, half()), None);
        assert_eq!(read_on(at(12), onboarded(), 1, half()), None);
    }

    #[test]
    fn what_was_read_is_known_until_the_verdict_and_told_to_nobody() {
        let reading = || {
            let plan = read_on(at(12), processing(), 1, half()).unwrap();
            assert_eq!((plan.writes.len(), plan.facts.len()), (1, 0));
            left(&plan)
        };
        assert_eq!(reading().onboarding.progress(), Some(&half()));
        assert_eq!(reading().onboarding.state(), State::Processing);
        let good = accept(at(13), reading(), 1, verdict(), None).unwrap();
        assert_eq!(left(&good).onboarding.progress(), None);
        let bad = refuse(at(13), reading(), 1, bad(), Vec::new()).unwrap();
        assert_eq!(left(&bad).onboarding.progress(), None);
    }

    #[test]
    fn an_entry_of_an_older_release_was_read_nowhere_yet() {
        let written = serde_json::to_value(&processing().value).unwrap();
        assert!(written["onboarding"].get("progress").is_none(), "{written}");
        let read: Entry<VnfPkgContent> = serde_json::from_value(written).unwrap();
        assert_eq!(read.onboarding.progress(), None);
        assert_eq!(read, processing().value);
    }

    #[test]
    fn a_descriptor_known_already_is_refused_by_its_owner_s_name() {
        let plan = accept(at(12), processing(), 1, verdict(), Some("p0")).unwrap();
        let entry = left(&plan);
        let failure = entry.onboarding.failure().unwrap();
        assert_eq!(failure.status, 409);
        assert!(failure.detail.contains("'v1'") && failure.detail.contains("'p0'"));
        assert_eq!(entry.described, None);
    }

    #[test]
    fn bad_content_says_why_and_leaves_no_descriptor() {
        let plan = refuse(at(12), processing(), 1, bad(), Vec::new()).unwrap();
        assert_eq!(told(&plan), ["package.onboard.failed"]);
        assert_eq!(plan.writes.len(), 1);
        let entry = left(&plan);
        assert_eq!(entry.onboarding.failure().unwrap().detail, "a.yaml:3: no flavour");
        assert_eq!(entry.operational_state, OperationalState::Disabled);
    }
}
