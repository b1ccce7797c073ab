//! A failure in Lambda's words: the names that workflows retry and catch.

use lambda_runtime::Diagnostic;
use mano_ports::{Error, Fault};

/// How an invocation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Lambda's `errorType`: a [`Fault`] name.
    pub error: &'static str,
    /// Lambda's `errorMessage`.
    pub cause: String,
}

impl Failure {
    /// A defect: of ours, or of whoever deployed us.
    pub(super) fn bug(cause: impl Into<String>) -> Self {
        Self { error: Fault::Bug.name(), cause: cause.into() }
    }

    /// Whether it is an answer that workflows deal with, and no defect.
    pub(super) fn is_expected(&self) -> bool {
        self.error != Fault::Bug.name()
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self { error: error.fault().name(), cause: error.chain() }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.error.into(), error_message: failure.cause }
    }
}
