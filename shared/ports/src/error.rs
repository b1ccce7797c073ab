//! One failure, told to two audiences: a status for clients, a fault for workflows.

use crate::{blobs, bus, queue, store, vim, workflows};
use mano_model::{Refusal, refusal::Why};

/// Everything a handler can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The memory failed.
    #[error("the store did not carry this out")]
    Store(#[from] store::Error),
    /// The workflow engine failed.
    #[error("the workflow engine did not carry this out")]
    Workflows(#[from] workflows::Error),
    /// The event bus failed.
    #[error("the event bus did not take the event")]
    Bus(#[from] bus::Error),
    /// The queue failed.
    #[error("the queue did not take the message")]
    Queue(#[from] queue::Error),
    /// The blob store failed.
    #[error("the blob store did not carry this out")]
    Blobs(#[from] blobs::Error),
    /// A VIM failed or refused.
    #[error("the VIM did not carry this out")]
    Vim(#[from] vim::Error),
    /// Our own code is wrong; the sentence says what cannot be.
    #[error("{0}")]
    Bug(String),
}

/// What a workflow may catch. The set is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The same call may succeed later.
    Transient,
    /// Read again and decide again.
    Conflict,
    /// Trying again cannot help.
    Refused,
    /// A defect.
    Bug,
}

impl Fault {
    /// All of them, for checks of workflows.
    pub const ALL: [Self; 4] = [Self::Transient, Self::Conflict, Self::Refused, Self::Bug];

    /// The name, as in `ErrorEquals`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transient => "Mano.Transient",
            Self::Conflict => "Mano.Conflict",
            Self::Refused => "Mano.Refused",
            Self::Bug => "Mano.Bug",
        }
    }
}

impl Error {
    /// For a workflow.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Refused(Refusal { why: Why::Unavailable | Why::TooMany, .. }) => Fault::Transient,
            Self::Refused(_) => Fault::Refused,
            Self::Store(error) => match error {
                store::Error::Conflict(_) => Fault::Conflict,
                store::Error::Exhausted { .. } => Fault::Refused,
                store::Error::Unavailable(_) => Fault::Transient,
                store::Error::Twice(_)
                | store::Error::Rejected(_)
                | store::Error::TooLarge { .. }
                | store::Error::FactTooLarge { .. }
                | store::Error::Malformed { .. }
                | store::Error::Newer { .. } => Fault::Bug,
            },
            Self::Workflows(workflows::Error::Unavailable(_))
            | Self::Bus(bus::Error::Unavailable(_))
            | Self::Queue(queue::Error::Unavailable(_))
            | Self::Blobs(blobs::Error::Unavailable(_))
            | Self::Vim(vim::Error::Transient(_) | vim::Error::AnswerLost(_)) => Fault::Transient,
            Self::Blobs(blobs::Error::Absent(_))
            | Self::Workflows(workflows::Error::Absent(_))
            | Self::Vim(vim::Error::Refused(_) | vim::Error::NoCapacity(_)) => Fault::Refused,
            Self::Bug(_) => Fault::Bug,
        }
    }

    /// For a client.
    #[must_use]
    pub fn status(&self) -> ::http::StatusCode {
        use ::http::StatusCode as S;
        match self {
            Self::Refused(refusal) => status_of(refusal.why),
            Self::Store(store::Error::Conflict(_) | store::Error::Exhausted { .. }) => S::CONFLICT,
            Self::Blobs(blobs::Error::Absent(_)) | Self::Workflows(workflows::Error::Absent(_)) => {
                S::NOT_FOUND
            }
            Self::Store(_)
            | Self::Workflows(_)
            | Self::Bus(_)
            | Self::Queue(_)
            | Self::Blobs(_)
            | Self::Vim(_)
            | Self::Bug(_) => match self.fault() {
                Fault::Transient => S::SERVICE_UNAVAILABLE,
                Fault::Conflict | Fault::Refused => S::CONFLICT,
                Fault::Bug => S::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// This error and everything it came from, outermost first: for logs and operators.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// An error and everything it came from, outermost first.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// The status of a refusal (SOL013 clause 6).
const fn status_of(why: Why) -> ::http::StatusCode {
    use ::http::StatusCode as S;
    match why {
        Why::Malformed => S::BAD_REQUEST,
        Why::Unauthorized => S::UNAUTHORIZED,
        Why::Forbidden => S::FORBIDDEN,
        Why::Absent => S::NOT_FOUND,
        Why::NotAcceptable => S::NOT_ACCEPTABLE,
        Why::Conflict => S::CONFLICT,
        Why::Changed => S::PRECONDITION_FAILED,
        Why::TooLarge => S::PAYLOAD_TOO_LARGE,
        Why::Unsupported => S::UNSUPPORTED_MEDIA_TYPE,
        Why::Range => S::RANGE_NOT_SATISFIABLE,
        Why::Unprocessable => S::UNPROCESSABLE_ENTITY,
        Why::TooMany => S::TOO_MANY_REQUESTS,
        Why::Unavailable => S::SERVICE_UNAVAILABLE,
    }
}

/// An error from outside, of any type.
pub type Source = Box<dyn std::error::Error + Send + Sync>;
