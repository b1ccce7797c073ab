//! Partial application: functions with some of their arguments given.

use std::sync::Arc;

use super::{
    Evaluator,
    frame::{Found, checked},
};
use crate::{
    error::{Fault, Outcome},
    functions::Builtin,
    parse::tree::{Call, Kind, Node, Symbol},
    value::{
        Function, Value,
        function::{self, Lambda, What},
    },
};

impl<'e> Evaluator<'e> {
    /// `procedure(?, argument)`
    pub(super) fn partial(
        &mut self,
        call: &'e Call,
        position: u32,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let mut given: Vec<Option<Option<Value>>> = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            given.push(match argument.kind {
                Kind::Open => None,
                _ => Some(self.eval(argument, input, frame)?),
            });
        }
        let procedure = match self.procedure(&call.procedure, input, frame)? {
            Found::Builtin(builtin) => return self.partial_builtin(builtin, given),
            Found::Value(value) => value,
        };
        if procedure.is_none()
            && let Some(name) = self.forgotten_dollar(&call.procedure, frame)
        {
            return Err(Fault::new("T1007").at(position).token(&name));
        }
        let refused = || {
            let fault = Fault::new("T1008").at(position);
            fault.token_value(call.procedure.token().map(Value::String))
        };
        let Some(Value::Function(function)) = procedure else { return Err(refused()) };
        match (&function.what, function.kind()) {
            (What::Builtin(builtin), _) => self.partial_builtin(*builtin, given),
            (_, Some(function::Kind::Lambda(lambda))) => self.partial_lambda(lambda, given),
            (_, Some(function::Kind::Partial { builtin, given: before })) => {
                let mut given = given.into_iter();
                let filled = before.iter().map(|slot| match slot {
                    Some(value) => Some(value.clone()),
                    None => given.next().unwrap_or(Some(None)),
                });
                let filled = filled.collect();
                self.partial_builtin(*builtin, filled)
            }
            _ => Err(refused()),
        }
    }

    fn partial_builtin(
        &mut self,
        builtin: Builtin,
        mut given: Vec<Option<Option<Value>>>,
    ) -> Outcome<Option<Value>> {
        given.resize(builtin.row().params.into(), Some(None));
        self.budget.alloc(96 + given.len() * 24)?;
        checked(Value::Function(Function::made(function::Kind::Partial { builtin, given })))
            .map(Some)
    }

    fn partial_lambda(
        &mut self,
        lambda: &Lambda,
        given: Vec<Option<Option<Value>>>,
    ) -> Outcome<Option<Value>> {
        if Some(lambda.of.evaluation) != self.evaluation {
            return Err(Fault::new("T1006"));
        }
        let program = self.program;
        let params = lambda.open.as_ref().unwrap_or(&program.lambdas[lambda.index].params);
        let inside = self.open_frame(lambda.of.frame)?;
        let mut open: Vec<Symbol> = Vec::new();
        let mut given = given.into_iter();
        for param in params {
            match given.next().unwrap_or(Some(None)) {
                Some(value) => self.bind(*param, value, inside),
                None => open.push(*param),
            }
        }
        self.budget.alloc(128 + open.len() * 8)?;
        let of = self.origin(inside);
        let lambda =
            Lambda { of, index: lambda.index, input: lambda.input.clone(), open: Some(open) };
        Ok(Some(Value::Function(Function::made(function::Kind::Lambda(lambda)))))
    }

    /// The name, if what was called would be a function with a `$` before it.
    pub(super) fn forgotten_dollar(&self, procedure: &Node, frame: usize) -> Option<Arc<str>> {
        if !matches!(procedure.kind, Kind::Path(_)) {
            return None;
        }
        let name = procedure.token()?;
        match self.find_by_name(&name, frame)? {
            Value::Null | Value::Bool(false) => None,
            Value::Number(number) if number == 0.0 || number.is_nan() => None,
            Value::String(text) if text.is_empty() => None,
            _ => Some(name),
        }
    }
}
