//! Deciding over content that arrives: beginning, staying alive, being whole, breaking off.
//!
//! An upload holds a lease that its uploader renews while bytes come. When the uploader
//! dies, the lease runs out, and a watcher puts the entry into ERROR.
//!
//! Content may also go to the blob store past us, to an address that was given for it. Nobody
//! renews anything then: it is there, or the time for it is over. Since nobody knows whether such
//! an upload goes on, another may take its place at any time.

use super::{
    entry::{Entry, Family},
    onboarding::{Content, Expected, Failure, State, Upload},
};
use crate::{
    plan::{Fact, Origin, Plan, Versioned},
    refusal::Refusal,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// How long an uploader may be silent.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// How long an address takes content after it was given.
pub const ADDRESS: SignedDuration = SignedDuration::from_hours(1);

/// How long an upload may go on that began just before its address ran out.
pub const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Takes the entry for an upload: UPLOADING.
///
/// # Errors
/// Conflict unless it is CREATED or ERROR, or its uploader has died.
pub fn begin<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    blob: &str,
) -> Result<Plan, Refusal> {
    let until = after(origin.at, LEASE);
    take(origin, entry, Upload { blob: blob.into(), until, expected: None })
}

/// Takes the entry for content that goes to the blob store past us: UPLOADING.
///
/// # Errors
/// As [`begin`].
pub fn expect<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    blob: &str,
    expected: Expected,
) -> Result<Plan, Refusal> {
    let until = after(origin.at, ADDRESS + MARGIN);
    take(origin, entry, Upload { blob: blob.into(), until, expected: Some(expected) })
}

fn take<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    upload: Upload,
) -> Result<Plan, Refusal> {
    let Versioned { version, value: mut entry } = entry;
    let mut dropped = Vec::new();
    if gives_way(&entry, origin.at)
        && let Ok(Some(upload)) = entry.onboarding.broke(silent())
    {
        dropped.push(upload.blob);
    }
    let replaced = entry.onboarding.begin(upload).map_err(|illegal| taken(&entry, illegal.from))?;
    dropped.extend(replaced.map(|content| content.blob));
    entry.warnings.clear();
    let plan = Plan::new(origin).update(version, &entry);
    Ok(drop_blobs::<F>(plan, &entry.id, &dropped))
}

/// The uploader of `blob` is alive.
///
/// # Errors
/// Conflict when this upload is over.
pub fn renew<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    blob: &str,
) -> Result<Plan, Refusal> {
    let Versioned { version, value: mut entry } = own(entry, blob)?;
    entry.onboarding.renew(after(origin.at, LEASE));
    Ok(Plan::new(origin).update(version, &entry))
}

/// All bytes are here: PROCESSING, and the workflow begins.
///
/// # Errors
/// Conflict when this upload is over.
pub fn received<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    content: Content,
) -> Result<Plan, Refusal> {
    let Versioned { version, value: mut entry } = own(entry, &content.blob)?;
    entry.onboarding.received(content).map_err(|illegal| taken(&entry, illegal.from))?;
    let started = entry.start(&origin.tenant);
    let plan = Plan::new(origin).update(version, &entry);
    Ok(plan.tell::<Entry<F>>(&entry.id, &Entry::<F>::fact("onboard.started"), started))
}

/// Content of `size` bytes lies under `blob`; none: nobody waits for that.
///
/// The address took nothing but what was announced, so its sum is known.
#[must_use]
pub fn arrived<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    blob: &str,
    size: u64,
) -> Option<Plan> {
    let upload = entry.onboarding.past_us().filter(|upload| upload.blob == blob)?;
    let Expected { sha256, .. } = upload.expected.clone().filter(|e| e.size == size)?;
    received(origin, entry, Content { blob: blob.into(), size, sha256 }).ok()
}

/// Whether the entry waits for this blob or has it as its content.
#[must_use]
pub fn names<F: Family>(entry: &Entry<F>, blob: &str) -> bool {
    let content = entry.onboarding.content().is_some_and(|content| content.blob == blob);
    content || awaits(entry, blob).is_some()
}

/// The bytes of `blob` stopped before their end: ERROR with the reason.
///
/// # Errors
/// Conflict when this upload is over.
pub fn broke<F: Family>(
    origin: Origin,
    entry: Versioned<Entry<F>>,
    blob: &str,
    reason: Failure,
) -> Result<Plan, Refusal> {
    let Versioned { version, value: mut entry } = own(entry, blob)?;
    let failed = json!({ "id": entry.id, "detail": Fact::brief(&reason.detail) });
    entry.onboarding.broke(reason).map_err(|illegal| taken(&entry, illegal.from))?;
    let plan = Plan::new(origin).update(version, &entry);
    let plan = plan.tell::<Entry<F>>(&entry.id, &Entry::<F>::fact("onboard.failed"), failed);
    Ok(drop_blobs::<F>(plan, &entry.id, &[blob.to_owned()]))
}

/// Whether the entry waits for bytes of `blob`, and until when its uploader promised to live.
#[must_use]
pub fn awaits<F: Family>(entry: &Entry<F>, blob: &str) -> Option<Timestamp> {
    let upload = entry.onboarding.upload().filter(|upload| upload.blob == blob)?;
    Some(upload.until)
}

/// Why an upload whose lease ran out is over.
#[must_use]
pub fn silent() -> Failure {
    Failure {
        status: 500,
        title: "Upload interrupted".into(),
        detail: "the upload was interrupted on our side before its end; send the content again"
            .into(),
        errors: Vec::new(),
    }
}

/// Why an upload past us is over whose content never came.
#[must_use]
pub fn never_came() -> Failure {
    Failure {
        status: 408,
        title: "Upload never finished".into(),
        detail: "the announced content did not arrive at the address that was given for it before \
                 that ran out; announce it again, and send it to the new address"
            .into(),
        errors: Vec::new(),
    }
}

/// Tells that blobs belong to nobody any more, so that they are removed.
pub(super) fn drop_blobs<F: Family>(plan: Plan, id: &str, blobs: &[String]) -> Plan {
    blobs.iter().fold(plan, |plan, blob| {
        let body = json!({ "blob": blob });
        plan.tell::<Entry<F>>(id, &Entry::<F>::fact("content.dropped"), body)
    })
}

/// So long after an instant.
fn after(now: Timestamp, long: SignedDuration) -> Timestamp {
    now.checked_add(long).unwrap_or(Timestamp::MAX)
}

/// Whether it waits for an uploader that is gone, or that nobody knows of.
fn gives_way<F: Family>(entry: &Entry<F>, now: Timestamp) -> bool {
    let past_us = entry.onboarding.past_us().is_some();
    past_us || entry.onboarding.upload().is_some_and(|upload| upload.until < now)
}

/// The entry, if it is this upload that it waits for.
fn own<F: Family>(entry: Versioned<Entry<F>>, blob: &str) -> Result<Versioned<Entry<F>>, Refusal> {
    if awaits(&entry.value, blob).is_some() {
        return Ok(entry);
    }
    let detail =
        format!("{} no longer waits for this upload; look at its state", entry.value.called());
    Err(Refusal::conflict(detail))
}

/// Why content is not taken in this state.
fn taken<F: Family>(entry: &Entry<F>, state: State) -> Refusal {
    let help = match state {
        State::Uploading => "wait until the upload under way ends",
        State::Processing => "wait until its content has been looked at",
        State::Onboarded => "create another for other content",
        State::Created | State::Error => "read it again",
    };
    Refusal::conflict(format!("{} is {}; {help}", entry.called(), state.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};
    use crate::{catalog::VnfPackage, refusal::Why};

    #[test]
    fn content_is_taken_once() {
        for entry in [uploading(), processing(), onboarded()] {
            let state = entry.onboarding.state();
            let refusal = begin(at(20), entry, "second").unwrap_err();
            assert_eq!(refusal.why, Why::Conflict);
            assert!(refusal.detail.contains(state.as_str()), "{refusal}");
        }
    }

    #[test]
    fn whole_content_starts_the_workflow_under_a_name_of_its_own() {
        let plan = received(at(11), uploading(), content()).unwrap();
        assert_eq!(told(&plan), ["package.onboard.started"]);
        let body = &plan.facts[0].body;
        assert_eq!(body["workflow"], "package-onboard");
        assert_eq!(body["run"], "p1-1");
        assert_eq!(body["input"], json!({ "tenant": "default", "op": "p1", "run": 1 }));
        let nsd = begin(at(1), nsd(), "first").unwrap();
        let nsd = Versioned { version: 2, value: put::<super::super::NsdInfo>(&nsd) };
        let plan = received(at(2), nsd, content()).unwrap();
        assert_eq!(plan.facts[0].body["workflow"], "nsd-onboard");
    }

    #[test]
    fn broken_content_is_dropped_and_may_be_sent_again() {
        let plan = broke(at(11), uploading(), "first", silent()).unwrap();
        assert_eq!(told(&plan), ["package.onboard.failed", "package.content.dropped"]);
        assert_eq!(plan.facts[1].body["blob"], "first");
        let error = left(&plan);
        assert!(error.onboarding.failure().unwrap().detail.contains("interrupted"));
        let again = left(&begin(at(12), error, "second").unwrap());
        assert_eq!((again.onboarding.run(), again.onboarding.failure()), (2, None));
    }

    #[test]
    fn a_dead_uploader_gives_way_but_a_renewed_one_does_not() {
        assert!(begin(at(39), uploading(), "second").is_err());
        let renewed = left(&renew(at(39), uploading(), "first").unwrap());
        assert!(begin(at(41), renewed, "second").is_err());
        let plan = begin(at(41), uploading(), "second").unwrap();
        assert_eq!(plan.facts[0].body["blob"], "first");
        assert!(awaits(&left(&plan).value, "second").is_some());
    }

    #[test]
    fn an_upload_that_was_given_up_changes_nothing_any_more() {
        let taken = left(&begin(at(41), uploading(), "second").unwrap());
        assert!(renew(at(42), taken.clone(), "first").is_err());
        assert!(received(at(42), taken.clone(), content()).is_err());
        assert!(broke(at(42), taken, "first", silent()).is_err());
    }

    /// A package that waits for three bytes past us, since second 10.
    fn expecting() -> Versioned<VnfPackage> {
        let expected = Expected { size: 3, sha256: "abc".into() };
        left(&expect(at(10), created(), "past", expected).unwrap())
    }

    #[test]
    fn content_past_us_is_taken_as_if_it_had_come_through_us() {
        let plan = arrived(at(11), expecting(), "past", 3).unwrap();
        assert_eq!(told(&plan), ["package.onboard.started"]);
        let content = Content { blob: "past".into(), size: 3, sha256: "abc".into() };
        assert_eq!(left(&plan).onboarding.content(), Some(&content));
    }

    #[test]
    fn what_nobody_waits_for_changes_nothing() {
        assert_eq!(arrived(at(11), expecting(), "past", 4), None, "not as it was announced");
        assert_eq!(arrived(at(11), expecting(), "other", 3), None);
        assert_eq!(arrived(at(11), uploading(), "first", 3), None, "it comes through us");
        let taken = left(&arrived(at(11), expecting(), "past", 3).unwrap());
        assert!(names(&taken, "past") && !names(&taken, "first"));
        assert_eq!(arrived(at(12), taken, "past", 3), None, "it is here already");
    }

    #[test]
    fn content_past_us_gives_way_and_what_it_brings_later_is_nobodys() {
        for plan in [
            begin(at(12), expecting(), "second").unwrap(),
            expect(at(12), expecting(), "second", Expected { size: 4, sha256: "d".into() })
                .unwrap(),
        ] {
            assert_eq!(plan.facts[0].body["blob"], "past");
            let left = left(&plan);
            assert!(names(&left, "second") && !names(&left, "past"));
            assert_eq!(left.onboarding.run(), 2);
        }
        let until = awaits(&expecting(), "past").unwrap();
        assert_eq!(until.as_second(), 10 + 2 * 3600);
    }
}
