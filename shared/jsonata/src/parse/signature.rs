//! Function signatures such as `<s-nn?:s>`: read once, checked at each call.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::{
    budget::Budget,
    error::{Fault, Outcome},
    value::{Array, Value},
};

/// The arguments of a call; `None` is a missing one.
pub(crate) type Arguments = SmallVec<[Option<Value>; 4]>;

/// What a function takes.
#[derive(Clone)]
pub(crate) struct Signature {
    params: Vec<Param>,
}

#[derive(Clone)]
struct Param {
    /// The kinds of values accepted, as bits.
    accepts: u8,
    count: Count,
    /// The symbol it was written as; `(` for a choice.
    symbol: char,
    /// The kinds of context accepted in its stead.
    context: Option<u8>,
    subtype: Option<Arc<str>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    One,
    Maybe,
    MaybeLazy,
    Some,
    SomeLazy,
}

/// The kinds of values; the last one is "missing".
const KINDS: &str = "asnblfom";
const MISSING: u8 = 1 << 7;
const MOST_PARAMS: usize = 64;

impl Signature {
    /// Reads a signature; a failure comes with its offset.
    pub(crate) fn parse(text: &str) -> Result<Self, (Fault, u32)> {
        let chars: Vec<char> = text.chars().collect();
        let mut params: Vec<Param> = Vec::new();
        let mut at = 1;
        while at < chars.len() && chars[at] != ':' {
            at = read_symbol(&chars, at, &mut params)?;
            if params.len() > MOST_PARAMS {
                let why = "A signature has more than 64 parameters; take an array instead";
                return Err((Fault::limit(why), offset(at)));
            }
        }
        Ok(Self { params })
    }

    /// Checks the arguments, puts the context in where it may stand, wraps single items as arrays.
    pub(crate) fn validate(
        &self,
        arguments: Arguments,
        context: Option<&Value>,
        budget: &mut Budget,
    ) -> Outcome<Arguments> {
        let kinds: SmallVec<[u8; 8]> = arguments.iter().map(|value| kind(value.as_ref())).collect();
        let mut lengths = SmallVec::<[usize; 8]>::new();
        if !self.walk(&kinds, &mut lengths) {
            budget.step(self.params.len() * (kinds.len() + 1) * (kinds.len() + 1))?;
            lengths = match longest(&self.params, &kinds, true) {
                Some(lengths) => lengths,
                None => return Err(self.mismatch(&arguments, &kinds)),
            };
        }
        self.assign(arguments, &kinds, &lengths, context, budget)
    }

    /// The usual case: every parameter takes what it can, and it fits.
    fn walk(&self, kinds: &[u8], lengths: &mut SmallVec<[usize; 8]>) -> bool {
        let mut at = 0;
        for param in &self.params {
            let run = kinds[at..].iter().take_while(|kind| param.accepts & **kind != 0).count();
            let Some(length) = param.count.preferred(run) else { return false };
            lengths.push(length);
            at += length;
        }
        at == kinds.len()
    }

    fn assign(
        &self,
        arguments: Arguments,
        kinds: &[u8],
        lengths: &[usize],
        context: Option<&Value>,
        budget: &mut Budget,
    ) -> Outcome<Arguments> {
        let mut out = Arguments::new();
        let mut next = 0;
        let mut start = 0;
        for (param, length) in self.params.iter().zip(lengths) {
            if *length == 0 {
                if let Some(accepted) = param.context {
                    if accepted & kind(context) == 0 {
                        let fault = Fault::new("T0411").value(context.cloned());
                        return Err(fault.index(next + 1));
                    }
                    out.push(context.cloned());
                    continue;
                }
                out.push(arguments.get(next).cloned().flatten());
                next += 1;
                continue;
            }
            let matched = &kinds[start..start + length];
            let first = arguments.get(next);
            for kind in matched {
                let argument = if param.symbol == 'a' {
                    let argument = arguments.get(next).cloned().flatten();
                    param.as_array(argument, *kind, matched, next, budget)?
                } else {
                    // Version 2.0.6 repeats the first one where a parameter takes several.
                    first.cloned().flatten()
                };
                out.push(argument);
                next += 1;
            }
            start += length;
        }
        Ok(out)
    }

    /// Finds the argument to blame: where the first parameter that cannot be met begins.
    fn mismatch(&self, arguments: &Arguments, kinds: &[u8]) -> Fault {
        let mut good = 0;
        for count in 1..=self.params.len() {
            match longest(&self.params[..count], kinds, false) {
                Some(lengths) => good = lengths.iter().sum(),
                None => break,
            }
        }
        Fault::new("T0410").value(arguments.get(good).cloned().flatten()).index(good + 1)
    }
}

impl Param {
    fn as_array(
        &self,
        argument: Option<Value>,
        kind: u8,
        matched: &[u8],
        at: usize,
        budget: &mut Budget,
    ) -> Outcome<Option<Value>> {
        let Some(argument) = argument else { return Ok(None) };
        if let Some(subtype) = &self.subtype {
            let fits = match &argument {
                Value::Array(items) => items_fit(items, subtype, budget)?,
                _ => matched.len() == 1 && subtype.len() == 1 && bit_of(subtype) == kind,
            };
            if !fits {
                let fault = Fault::new("T0412").value(Some(argument)).index(at + 1);
                return Err(fault.with(|details| details.item_type = plural(subtype)));
            }
        }
        if matches!(argument, Value::Array(_)) {
            return Ok(Some(argument));
        }
        budget.alloc(80)?;
        Ok(Some(Value::from(vec![argument])))
    }
}

fn items_fit(items: &Array, subtype: &str, budget: &mut Budget) -> Outcome<bool> {
    budget.step(items.len() / 8)?;
    let wanted = subtype.get(..1).map_or(0, bit_of);
    Ok(items.iter().all(|item| kind(Some(item)) == wanted))
}

fn bit_of(symbol: &str) -> u8 {
    symbol.chars().next().and_then(|symbol| KINDS.find(symbol)).map_or(0, |at| 1 << at)
}

fn plural(subtype: &str) -> Option<&'static str> {
    Some(match subtype {
        "a" => "arrays",
        "b" => "booleans",
        "f" => "functions",
        "n" => "numbers",
        "o" => "objects",
        "s" => "strings",
        _ => return None,
    })
}

fn kind(value: Option<&Value>) -> u8 {
    match value {
        Some(Value::Array(_)) => 1,
        Some(Value::String(_)) => 1 << 1,
        Some(Value::Number(_)) => 1 << 2,
        Some(Value::Bool(_)) => 1 << 3,
        Some(Value::Null) => 1 << 4,
        Some(Value::Function(_)) => 1 << 5,
        Some(Value::Object(_)) => 1 << 6,
        None => MISSING,
    }
}

impl Count {
    /// How many of `run` fitting arguments it takes if it may choose.
    fn preferred(self, run: usize) -> Option<usize> {
        match self {
            Self::One | Self::SomeLazy => (run >= 1).then_some(1),
            Self::Maybe => Some(run.min(1)),
            Self::MaybeLazy => Some(0),
            Self::Some => (run >= 1).then_some(run),
        }
    }

    /// All it could take, the best first.
    fn choices(self, run: usize) -> Box<dyn Iterator<Item = usize>> {
        match self {
            Self::One => Box::new(1..=run.min(1)),
            Self::Maybe => Box::new((0..=run.min(1)).rev()),
            Self::MaybeLazy => Box::new(0..=run.min(1)),
            Self::Some => Box::new((1..=run).rev()),
            Self::SomeLazy => Box::new(1..=run),
        }
    }
}

/// How many arguments each parameter takes, trying the preferred ways first.
fn longest(params: &[Param], kinds: &[u8], to_the_end: bool) -> Option<SmallVec<[usize; 8]>> {
    let run = |param: &Param, from: usize| {
        kinds[from..].iter().take_while(|kind| param.accepts & **kind != 0).count()
    };
    // can[i][j]: the parameters from i on can take the arguments from j on.
    let mut can = vec![vec![false; kinds.len() + 1]; params.len() + 1];
    for (from, last) in can[params.len()].iter_mut().enumerate() {
        *last = !to_the_end || from == kinds.len();
    }
    for at in (0..params.len()).rev() {
        for from in 0..=kinds.len() {
            let mut choices = params[at].count.choices(run(&params[at], from));
            can[at][from] = choices.any(|taken| can[at + 1][from + taken]);
        }
    }
    let mut from = 0;
    let mut lengths = SmallVec::new();
    for (at, param) in params.iter().enumerate() {
        let taken =
            param.count.choices(run(param, from)).find(|taken| can[at + 1][from + taken])?;
        lengths.push(taken);
        from += taken;
    }
    can[0][0].then_some(lengths)
}

#[expect(clippy::cast_possible_truncation, reason = "sources are at most 2^20 bytes")]
fn offset(at: usize) -> u32 {
    at as u32
}

/// Reads the symbol at `at`; answers where the next one is.
fn read_symbol(chars: &[char], at: usize, params: &mut Vec<Param>) -> Result<usize, (Fault, u32)> {
    let symbol = chars[at];
    match symbol {
        's' | 'n' | 'b' | 'l' | 'o' => params.push(Param::new(symbol, bit(symbol) | MISSING)),
        'a' | 'x' => params.push(Param::new(symbol, u8::MAX)),
        'f' => params.push(Param::new(symbol, bit('f'))),
        'j' => params.push(Param::new(symbol, !bit('f'))),
        '-' | '?' | '+' => {
            if let Some(param) = params.last_mut() {
                param.modify(symbol);
            }
        }
        '(' => return choice(chars, at, params),
        '<' => return subtype(chars, at, params),
        _ => {}
    }
    Ok(at + 1)
}

fn choice(chars: &[char], at: usize, params: &mut Vec<Param>) -> Result<usize, (Fault, u32)> {
    let end = closing(chars, at, '(', ')');
    let choice: String = chars[at + 1..end.max(at + 1)].iter().collect();
    if choice.contains('<') {
        return Err((Fault::new("S0402").value(Some(Value::from(choice))), offset(at)));
    }
    let accepts = choice.chars().map(bit).fold(MISSING, |all, one| all | one);
    params.push(Param::new('(', accepts));
    Ok(end + 1)
}

fn subtype(chars: &[char], at: usize, params: &mut [Param]) -> Result<usize, (Fault, u32)> {
    let Some(param) = params.last_mut().filter(|param| matches!(param.symbol, 'a' | 'f')) else {
        return Err((Fault::new("S0401"), offset(at)));
    };
    let end = closing(chars, at, '<', '>');
    let inner: String = chars[at + 1..end.max(at + 1)].iter().collect();
    param.subtype = Some(Arc::from(inner));
    Ok(end + 1)
}

/// Where the bracket opened at `start` closes; the end if it does not.
fn closing(chars: &[char], start: usize, open: char, close: char) -> usize {
    let mut depth = 1;
    for (at, char) in chars.iter().enumerate().skip(start + 1) {
        if *char == close {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        } else if *char == open {
            depth += 1;
        }
    }
    chars.len()
}

fn bit(symbol: char) -> u8 {
    KINDS.find(symbol).map_or(0, |at| 1 << at)
}

impl Param {
    fn new(symbol: char, accepts: u8) -> Self {
        Self { accepts, count: Count::One, symbol, context: None, subtype: None }
    }

    fn modify(&mut self, modifier: char) {
        if modifier == '-' {
            self.context = Some(if self.count == Count::One { self.accepts } else { u8::MAX });
        }
        self.count = match (self.count, modifier) {
            (Count::One, '+') => Count::Some,
            (Count::One, _) => Count::Maybe,
            (Count::Some, _) => Count::SomeLazy,
            (Count::Maybe, _) => Count::MaybeLazy,
            (lazy, _) => lazy,
        };
    }
}
