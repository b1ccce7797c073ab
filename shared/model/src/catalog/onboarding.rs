//! The states of on-boarding, the same for VNF packages and NS descriptors, as one table.
//!
//! ```text
//!   CREATED ──begin──▶ UPLOADING ──received──▶ PROCESSING ──accept──▶ ONBOARDED
//!                        ▲   │ broke                │ refuse
//!                        │   ▼                      ▼
//!                        └─────────── ERROR ◀───────┘
//! ```

use super::entry::Remark;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// SOL005 `PackageOnboardingStateType` and `NsdOnboardingStateType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// The resource exists; no content was taken yet.
    Created,
    /// Content is on its way.
    Uploading,
    /// The content is here and is being looked at.
    Processing,
    /// The content is good and its descriptor known.
    Onboarded,
    /// The content did not arrive, or is no good; content may be sent again.
    Error,
}

impl State {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Uploading => "UPLOADING",
            Self::Processing => "PROCESSING",
            Self::Onboarded => "ONBOARDED",
            Self::Error => "ERROR",
        }
    }
}

/// What happens to an on-boarding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A client begins to send content.
    Begin,
    /// All of it is here.
    Received,
    /// It stopped before its end.
    Broke,
    /// It was looked at and is good.
    Accept,
    /// It was looked at, or could not be, and is not taken.
    Refuse,
}

/// Every legal move: from, event, to.
pub const TABLE: [(State, Event, State); 6] = [
    (State::Created, Event::Begin, State::Uploading),
    (State::Error, Event::Begin, State::Uploading),
    (State::Uploading, Event::Received, State::Processing),
    (State::Uploading, Event::Broke, State::Error),
    (State::Processing, Event::Accept, State::Onboarded),
    (State::Processing, Event::Refuse, State::Error),
];

/// A move that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} is not possible in state {}", .from.as_str())]
pub struct Illegal {
    /// The state it was in.
    pub from: State,
    /// What should have happened.
    pub event: Event,
}

/// The state after an event.
///
/// # Errors
/// The move is not in [`TABLE`].
pub fn next(from: State, event: Event) -> Result<State, Illegal> {
    let row = TABLE.iter().find(|(f, e, _)| *f == from && *e == event);
    row.map(|(_, _, to)| *to).ok_or(Illegal { from, event })
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// The name its content will have in the blob store; no two uploads share one.
    pub blob: String,
    /// Until when its uploader has promised to be alive; renewed while bytes come.
    pub until: Timestamp,
    /// What shall come, where it goes to the blob store past us; none: the bytes come through us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// Content as it was announced before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    /// Bytes.
    pub size: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// Content that is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// Its name in the blob store.
    pub blob: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// How much of the content was read by steps that had not the time to read all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Bytes that need not be read again.
    pub bytes: u64,
    /// What the reader of archives remembers of them; nobody else looks into it.
    pub memory: Value,
}

/// Why an on-boarding ended in ERROR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// HTTP status that comes closest: 4xx the content's fault, 5xx ours.
    pub status: u16,
    /// A heading for a person.
    pub title: String,
    /// What was wrong, where, and what to do.
    pub detail: String,
    /// Everything that was wrong, each with its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Remark>,
}

/// Where the on-boarding of one entry stands. Its parts change only with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Onboarding {
    state: State,
    /// Rises with every upload; names the run of the workflow.
    run: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload: Option<Upload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

impl Default for Onboarding {
    fn default() -> Self {
        let (upload, content, progress, failure) = (None, None, None, None);
        Self { state: State::Created, run: 0, upload, content, progress, failure }
    }
}

impl Onboarding {
    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Which upload this is, from 1; 0 before the first.
    #[must_use]
    pub const fn run(&self) -> u64 {
        self.run
    }

    /// The upload under way; there exactly in UPLOADING.
    #[must_use]
    pub const fn upload(&self) -> Option<&Upload> {
        self.upload.as_ref()
    }

    /// The content; there in PROCESSING and ONBOARDED, and in ERROR after it was looked at.
    #[must_use]
    pub const fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }

    /// How much of the content was read; there at most in PROCESSING.
    #[must_use]
    pub const fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// Why it failed; there exactly in ERROR.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The upload under way that goes past us, so that nobody here knows whether it goes on.
    #[must_use]
    pub fn past_us(&self) -> Option<&Upload> {
        self.upload().filter(|upload| upload.expected.is_some())
    }

    /// A client begins to send; answers the content this replaces.
    pub(super) fn begin(&mut self, upload: Upload) -> Result<Option<Content>, Illegal> {
        self.state = next(self.state, Event::Begin)?;
        self.run += 1;
        self.upload = Some(upload);
        self.failure = None;
        Ok(self.content.take())
    }

    /// The uploader is still alive.
    pub(super) fn renew(&mut self, until: Timestamp) {
        if let Some(upload) = &mut self.upload {
            upload.until = until;
        }
    }

    /// All bytes are here.
    pub(super) fn received(&mut self, content: Content) -> Result<(), Illegal> {
        self.state = next(self.state, Event::Received)?;
        self.upload = None;
        self.content = Some(content);
        Ok(())
    }

    /// The bytes stopped; answers the upload that is over.
    pub(super) fn broke(&mut self, failure: Failure) -> Result<Option<Upload>, Illegal> {
        self.state = next(self.state, Event::Broke)?;
        self.failure = Some(failure);
        Ok(self.upload.take())
    }

    /// The content was read further, which is no move.
    pub(super) fn read_on(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    /// The content is good.
    pub(super) fn accept(&mut self) -> Result<(), Illegal> {
        self.state = next(self.state, Event::Accept)?;
        self.progress = None;
        Ok(())
    }

    /// The content is not taken.
    pub(super) fn refuse(&mut self, failure: Failure) -> Result<(), Illegal> {
        self.state = next(self.state, Event::Refuse)?;
        self.progress = None;
        self.failure = Some(failure);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 5] =
        [State::Created, State::Uploading, State::Processing, State::Onboarded, State::Error];
    const EVENTS: [Event; 5] =
        [Event::Begin, Event::Received, Event::Broke, Event::Accept, Event::Refuse];

    /// SOL005 table 5.5.2.2 and clause 9.5.4.3: what ends without a client's doing.
    const fn goes_on_by_itself(state: State) -> bool {
        match state {
            State::Uploading | State::Processing => true,
            State::Created | State::Onboarded | State::Error => false,
        }
    }

    #[test]
    fn a_state_that_goes_on_by_itself_can_always_end_in_error() {
        for state in STATES {
            let fails = EVENTS.iter().any(|e| next(state, *e) == Ok(State::Error));
            assert_eq!(fails, goes_on_by_itself(state), "{state:?}");
        }
    }

    #[test]
    fn what_is_onboarded_stays_onboarded() {
        for event in EVENTS {
            let illegal = next(State::Onboarded, event).unwrap_err();
            assert!(illegal.to_string().contains("ONBOARDED"), "{illegal}");
        }
    }

    #[test]
    fn a_state_and_an_event_lead_to_one_state() {
        for (i, (from, event, _)) in TABLE.iter().enumerate() {
            assert!(!TABLE[i + 1..].iter().any(|(f, e, _)| f == from && e == event));
        }
    }

    #[test]
    fn names_on_the_wire_are_etsi_s() {
        for state in STATES {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
