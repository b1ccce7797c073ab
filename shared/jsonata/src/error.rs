//! What is said when an expression cannot be read or evaluated: JSONata's codes and sentences.

use std::sync::Arc;

use crate::{message, value::Value};

/// Why an expression was refused or its evaluation stopped.
///
/// `Display` is the sentence alone; [`Error::code`] is JSONata's code for it (`T2001`, `D3141`),
/// `U1001` when a limit of the [`Budget`](crate::Budget) was reached, and `TypeError`,
/// `RangeError` or `SyntaxError` where the language itself only passes on such a failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The code, stable between versions.
    pub code: &'static str,
    /// The sentence, with the offending values put in.
    pub message: String,
    /// Where in the source, counted in UTF-16 units from 0, if it can be told.
    pub position: Option<usize>,
    /// The operator, function or name it is about, if there is one.
    pub token: Option<String>,
}

/// An error on its way up: details may still be added by the calls it passes.
#[derive(Debug)]
pub(crate) struct Fault(Box<Details>);

/// What is known about a fault; the names are those the sentences refer to.
#[derive(Debug, Default)]
pub(crate) struct Details {
    pub(crate) code: &'static str,
    /// Byte offset in the source.
    pub(crate) position: Option<u32>,
    pub(crate) token: Option<Value>,
    pub(crate) value: Option<Value>,
    pub(crate) value2: Option<Value>,
    pub(crate) exponent: Option<Value>,
    pub(crate) index: Option<usize>,
    pub(crate) item_type: Option<&'static str>,
    pub(crate) function: Option<&'static str>,
    pub(crate) text: Option<Arc<str>>,
}

pub(crate) type Outcome<T> = Result<T, Fault>;

impl Fault {
    pub(crate) fn new(code: &'static str) -> Self {
        Self(Box::new(Details { code, ..Details::default() }))
    }

    /// A failure with a sentence of its own.
    pub(crate) fn said(code: &'static str, text: &str) -> Self {
        let mut fault = Self::new(code);
        fault.0.text = Some(Arc::from(text));
        fault
    }

    /// A limit was reached: nothing may catch or reword this.
    pub(crate) fn limit(text: &str) -> Self {
        Self::said("U1001", text)
    }

    /// A builtin was handed something it cannot work on, past its signature.
    pub(crate) fn type_error(text: &str) -> Self {
        Self::said("TypeError", text)
    }

    pub(crate) fn value(mut self, value: Option<Value>) -> Self {
        self.0.value = value;
        self
    }

    pub(crate) fn value2(mut self, value: Option<Value>) -> Self {
        self.0.value2 = value;
        self
    }

    pub(crate) fn at(mut self, position: u32) -> Self {
        self.0.position = Some(position);
        self
    }

    pub(crate) fn token(mut self, token: &str) -> Self {
        self.0.token = Some(Value::from(token));
        self
    }

    pub(crate) fn token_value(mut self, token: Option<Value>) -> Self {
        self.0.token = token;
        self
    }

    pub(crate) fn index(mut self, index: usize) -> Self {
        self.0.index = Some(index);
        self
    }

    pub(crate) fn with(mut self, set: impl FnOnce(&mut Details)) -> Self {
        set(&mut self.0);
        self
    }

    pub(crate) fn details(&self) -> &Details {
        &self.0
    }

    /// The sentence is written here, once, when nobody adds to the fault any more.
    pub(crate) fn into_error(self, source: &str) -> Error {
        let position = self.0.position.map(|byte| utf16_offset(source, byte as usize));
        let token = match &self.0.token {
            Some(Value::String(text)) => Some(text.to_string()),
            Some(other) => Some(message::json_or_undefined(Some(other))),
            None => None,
        };
        Error { code: self.0.code, message: message::render(&self.0, position), position, token }
    }
}

/// JSONata counts positions in UTF-16 units; sources are kept in UTF-8.
fn utf16_offset(source: &str, byte: usize) -> usize {
    let head = source.get(..byte.min(source.len())).unwrap_or(source);
    head.encode_utf16().count()
}
