//! Intrinsic functions of JSONPath templates: `States.Format('Hello {}', $.name)`.

mod array;
mod parse;
mod text;

use serde_json::Value;

use crate::{env::Env, fault::Fault, query::Query};

/// Deepest nesting of calls.
const MAX_NESTING: usize = 10;

/// A call, ready to be made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    source: String,
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Debug, Clone)]
enum Argument {
    Text(Vec<Piece>),
    Literal(Value),
    Query(Query),
    Call(Call),
}

/// A part of a quoted string: only `States.Format` tells holes from text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole,
}

/// The functions AWS has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Array,
    ArrayPartition,
    ArrayContains,
    ArrayRange,
    ArrayGetItem,
    ArrayLength,
    ArrayUnique,
    Base64Encode,
    Base64Decode,
    Hash,
    JsonMerge,
    JsonToString,
    StringToJson,
    MathRandom,
    MathAdd,
    StringSplit,
    Uuid,
    Format,
}

/// Name, function, fewest and most arguments.
const FUNCTIONS: [(&str, Function, usize, usize); 18] = [
    ("Array", Function::Array, 0, usize::MAX),
    ("ArrayPartition", Function::ArrayPartition, 2, 2),
    ("ArrayContains", Function::ArrayContains, 2, 2),
    ("ArrayRange", Function::ArrayRange, 3, 3),
    ("ArrayGetItem", Function::ArrayGetItem, 2, 2),
    ("ArrayLength", Function::ArrayLength, 1, 1),
    ("ArrayUnique", Function::ArrayUnique, 1, 1),
    ("Base64Encode", Function::Base64Encode, 1, 1),
    ("Base64Decode", Function::Base64Decode, 1, 1),
    ("Hash", Function::Hash, 2, 2),
    ("JsonMerge", Function::JsonMerge, 3, 3),
    ("JsonToString", Function::JsonToString, 1, 1),
    ("StringToJson", Function::StringToJson, 1, 1),
    ("MathRandom", Function::MathRandom, 2, 3),
    ("MathAdd", Function::MathAdd, 2, 2),
    ("StringSplit", Function::StringSplit, 2, 2),
    ("UUID", Function::Uuid, 0, 0),
    ("Format", Function::Format, 1, usize::MAX),
];

impl Call {
    /// Reads a call; `None` if the text is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        parse::call(text)
    }

    /// Makes the call.
    pub(crate) fn value(&self, env: &Env<'_>) -> Result<Value, Fault> {
        self.made(env).map_err(|reason| {
            Fault::runtime(format!(
                "The function '{}' had the following error: {reason}",
                self.source
            ))
        })
    }

    fn made(&self, env: &Env<'_>) -> Result<Value, String> {
        if self.function == Function::Format {
            return self.format(env);
        }
        let arguments = self
            .arguments
            .iter()
            .map(|argument| argument.value(env))
            .collect::<Result<Vec<_>, _>>()?;
        let argument = |index: usize| arguments.get(index).unwrap_or(&Value::Null);
        match self.function {
            Function::Array => Ok(Value::Array(arguments)),
            Function::ArrayPartition => array::partition(argument(0), argument(1)),
            Function::ArrayContains => array::contains(argument(0), argument(1)),
            Function::ArrayRange => array::range(argument(0), argument(1), argument(2)),
            Function::ArrayGetItem => array::item(argument(0), argument(1)),
            Function::ArrayLength => array::length(argument(0)),
            Function::ArrayUnique => array::unique(argument(0)),
            Function::Base64Encode => text::base64_encode(argument(0)),
            Function::Base64Decode => text::base64_decode(argument(0)),
            Function::Hash => text::hash(argument(0), argument(1)),
            Function::JsonMerge => text::merge(argument(0), argument(1), argument(2)),
            Function::JsonToString => Ok(Value::String(argument(0).to_string())),
            Function::StringToJson => text::to_json(argument(0)),
            Function::MathRandom => {
                array::random(argument(0), argument(1), arguments.get(2), &env.entropy)
            }
            Function::MathAdd => array::add(argument(0), argument(1)),
            Function::StringSplit => text::split(argument(0), argument(1)),
            Function::Uuid => Ok(Value::String(env.entropy.uuid())),
            Function::Format => Ok(Value::Null),
        }
    }

    /// `States.Format`: the one function that looks at its template's pieces.
    fn format(&self, env: &Env<'_>) -> Result<Value, String> {
        let (template, arguments) =
            self.arguments.split_first().ok_or("a template is required as the first argument")?;
        let pieces = match template {
            Argument::Text(pieces) => pieces.clone(),
            Argument::Literal(_) | Argument::Query(_) | Argument::Call(_) => parse::pieces(
                template.value(env)?.as_str().ok_or("the first argument must be a string")?,
            ),
        };
        let holes = pieces.iter().filter(|piece| **piece == Piece::Hole).count();
        if holes != arguments.len() {
            return Err(format!(
                "number of arguments do not match the occurrences of {{}}: {} given for {holes}",
                arguments.len()
            ));
        }
        let mut arguments = arguments.iter();
        let mut out = String::new();
        for piece in &pieces {
            match piece {
                Piece::Text(part) => out.push_str(part),
                Piece::Hole => {
                    if let Some(argument) = arguments.next() {
                        let before = out.len();
                        text::java(&argument.value(env)?, &mut out);
                        if !env.may_copy(out.len() - before) {
                            return Err("the text is too long".to_owned());
                        }
                    }
                }
            }
        }
        Ok(Value::String(out))
    }
}

impl Argument {
    fn value(&self, env: &Env<'_>) -> Result<Value, String> {
        match self {
            Self::Text(pieces) => Ok(Value::String(plain(pieces))),
            Self::Literal(value) => Ok(value.clone()),
            Self::Call(call) => call.made(env),
            Self::Query(query) => query.value(env).map_err(|_| {
                format!(
                    "The JsonPath argument for the field '{}' could not be found in the input '{}'",
                    query.source(),
                    env.root.text()
                )
            }),
        }
    }
}

fn plain(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Hole => "{}",
        })
        .collect()
}
