//! Calling functions: arguments, signatures, tail calls, partial application.

use std::sync::Arc;

use super::{
    Evaluator,
    frame::{Found, checked},
};
use crate::{
    error::{Fault, Outcome},
    functions::{self, Builtin},
    parse::{
        signature::Arguments,
        tree::{Call, Kind, Node},
    },
    value::{
        Function, Value,
        function::{self, Lambda, What},
    },
};

/// The site of a call, for messages.
struct Site {
    token: Option<Arc<str>>,
    position: u32,
}

impl<'e> Evaluator<'e> {
    /// `procedure(arguments)`; `first` is what `~>` hands over.
    pub(super) fn call(
        &mut self,
        call: &'e Call,
        position: u32,
        input: Option<&Value>,
        frame: usize,
        first: Option<Option<Value>>,
    ) -> Outcome<Option<Value>> {
        let procedure = self.procedure(&call.procedure, input, frame)?;
        if matches!(procedure, Found::Value(None))
            && let Some(name) = self.forgotten_dollar(&call.procedure, frame)
        {
            return Err(Fault::new("T1005").at(position).token(&name));
        }
        let mut arguments = Arguments::new();
        arguments.extend(first);
        for argument in &call.arguments {
            let value = self.eval(argument, input, frame)?;
            arguments.push(match value {
                Some(Value::Function(function)) => Some(Value::Function(function.into_argument())),
                other => other,
            });
        }
        let result = match procedure {
            Found::Builtin(builtin) => {
                self.builtin(builtin, arguments, input, true, &call.procedure, position)
            }
            Found::Value(Some(Value::Function(function))) => {
                let known = !function.native;

                self.apply_known(&function, arguments, input, known, &call.procedure, position)
            }
            Found::Value(_) => Err(Fault::new("T1006")),
        };
        result.map_err(|fault| from_call(fault, &call.procedure, position))
    }

    /// A function value, or the builtin a name stands for, without making a value of it.
    pub(super) fn procedure(
        &mut self,
        node: &'e Node,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Found> {
        match (&node.kind, &node.more) {
            (Kind::Variable(symbol, _), None) => {
                self.budget.step(1)?;
                Ok(self.find(*symbol, frame))
            }
            _ => self.eval(node, input, frame).map(Found::Value),
        }
    }

    fn builtin(
        &mut self,
        builtin: Builtin,
        arguments: Arguments,
        context: Option<&Value>,
        known: bool,
        procedure: &Node,
        position: u32,
    ) -> Outcome<Option<Value>> {
        let result = self.run_builtin(builtin, arguments, context);
        result
            .map_err(|fault| if known { from_procedure(fault, procedure, position) } else { fault })
    }

    fn apply_known(
        &mut self,
        function: &Function,
        arguments: Arguments,
        context: Option<&Value>,
        known: bool,
        procedure: &Node,
        position: u32,
    ) -> Outcome<Option<Value>> {
        let result = self.apply_once(function, arguments, context);
        let result = result.map_err(|fault| {
            if known { from_procedure(fault, procedure, position) } else { fault }
        })?;
        self.trampoline(result, context)
    }

    fn run_builtin(
        &mut self,
        builtin: Builtin,
        arguments: Arguments,
        context: Option<&Value>,
    ) -> Outcome<Option<Value>> {
        let row = builtin.row();
        let arguments = row.signature().validate(arguments, context, self.budget)?;
        (row.run)(self, &arguments)
    }

    /// Applies a function and whatever calls it ends in.
    pub(crate) fn apply(
        &mut self,
        function: &Function,
        arguments: Arguments,
        context: Option<&Value>,
    ) -> Outcome<Option<Value>> {
        // Counted: a tail call may lead back here without a node in between.
        self.nested(|evaluator| {
            let result = evaluator.apply_once(function, arguments, context)?;
            evaluator.trampoline(result, context)
        })
    }

    /// Works off calls left in tail position, one after the other.
    fn trampoline(
        &mut self,
        mut result: Option<Value>,
        context: Option<&Value>,
    ) -> Outcome<Option<Value>> {
        while let Some(Value::Function(function)) = &result
            && let Some(function::Kind::TailCall { procedure, arguments, token, position }) =
                function.kind()
        {
            self.budget.step(1)?;
            let Some(Value::Function(next)) = procedure else {
                return Err(unknown(token.as_ref(), *position));
            };
            let arguments = arguments.iter().cloned().collect();
            let site = Site { token: token.clone(), position: *position };
            let next = next.clone();
            result = self
                .apply_once(&next, arguments, context)
                .map_err(|fault| from_site(fault, &site))?;
        }
        Ok(result)
    }

    fn apply_once(
        &mut self,
        function: &Function,
        arguments: Arguments,
        context: Option<&Value>,
    ) -> Outcome<Option<Value>> {
        // A function handed over as an argument has lost sight of the context.
        let context = if function.native { Some(&Value::Null) } else { context };
        match &function.what {
            What::Builtin(builtin) => self.run_builtin(*builtin, arguments, context),
            What::Regex(regex) => functions::regex::call(self, regex, &arguments),
            What::Made(made) => match &made.kind {
                function::Kind::Lambda(lambda) => self.apply_lambda(lambda, arguments, context),
                function::Kind::Partial { builtin, given } => {
                    let all = fill(given, arguments);
                    (builtin.row().run)(self, &all)
                }
                function::Kind::Chain { first, then } => self.apply_chain(first, then, arguments),
                function::Kind::Transform { of, index }
                    if Some(of.evaluation) == self.evaluation =>
                {
                    let arguments = functions::transform_signature().validate(
                        arguments,
                        context,
                        self.budget,
                    )?;
                    self.transform(*index, arguments.into_iter().next().flatten(), of.frame)
                }
                function::Kind::Next { regex, text, from } => {
                    functions::regex::next(self, regex, text, *from)
                }
                function::Kind::Transform { .. }
                | function::Kind::TailCall { .. }
                | function::Kind::Tuple(_) => Err(Fault::new("T1006")),
            },
        }
    }

    fn apply_lambda(
        &mut self,
        lambda: &Lambda,
        arguments: Arguments,
        context: Option<&Value>,
    ) -> Outcome<Option<Value>> {
        if Some(lambda.of.evaluation) != self.evaluation {
            // It was made by another evaluation, whose variables are gone.
            return Err(Fault::new("T1006"));
        }
        let program = self.program;
        let definition = &program.lambdas[lambda.index];
        let arguments = match (&definition.signature, &lambda.open) {
            (Some(signature), None) => signature.validate(arguments, context, self.budget)?,
            _ => arguments,
        };
        let inside = self.open_frame(lambda.of.frame)?;
        let params = lambda.open.as_deref().unwrap_or(&definition.params);
        let mut arguments = arguments.into_iter();
        for param in params {
            self.bind_new(*param, arguments.next().flatten(), inside);
        }
        let result = self.eval(&definition.body, lambda.input.as_ref(), inside)?;
        self.close_frame(inside);
        Ok(result)
    }

    fn apply_chain(
        &mut self,
        first: &Value,
        then: &Value,
        arguments: Arguments,
    ) -> Outcome<Option<Value>> {
        let (Value::Function(first), Value::Function(then)) = (first, then) else {
            return Err(Fault::new("T1006"));
        };
        self.budget.step(4)?;
        let argument = arguments.into_iter().next().flatten().map(as_argument);
        let between =
            self.nested(|evaluator| evaluator.apply(first, Arguments::from_iter([argument]), None));
        let between = between.map_err(|fault| {
            if fault.details().token.is_none() { fault.token("f") } else { fault }
        })?;
        let between = self.unwrap_sequence(between).map(as_argument);
        let result =
            self.nested(|evaluator| evaluator.apply(then, Arguments::from_iter([between]), None));
        result
            .map_err(|fault| if fault.details().token.is_none() { fault.token("g") } else { fault })
    }

    /// What the end of a node does to its result.
    fn unwrap_sequence(&self, value: Option<Value>) -> Option<Value> {
        match value {
            Some(Value::Array(array))
                if array.is(crate::value::array::SEQUENCE) && array.len() < 2 =>
            {
                array.first().cloned()
            }
            other => other,
        }
    }

    /// Counts a level of depth for calls that no node stands for.
    fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.depth += 1;
        if self.depth > self.deepest {
            self.go_deeper()?;
        }
        let result = if self.depth % 8 == 1 {
            stacker::maybe_grow(super::RED_ZONE, super::STACK, || work(self))
        } else {
            work(self)
        };
        self.depth -= 1;
        result
    }

    /// A call in tail position: arguments now, the call itself when the caller gets to it.
    pub(super) fn tail_call(
        &mut self,
        node: &'e Node,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let Kind::Call(call) = &node.kind else { return Ok(None) };
        let procedure = match self.procedure(&call.procedure, input, frame)? {
            Found::Value(value) => value,
            Found::Builtin(builtin) => Some(Value::Function(Function::builtin(builtin))),
        };
        let arguments = call.arguments.iter().map(|argument| self.eval(argument, input, frame));
        let arguments = arguments.collect::<Outcome<Vec<_>>>()?;
        let token = match &call.procedure.kind {
            Kind::Variable(_, name) => Some(name.clone()),
            _ => None,
        };
        self.budget.alloc(96 + arguments.len() * 24)?;
        let position = call.procedure.position;
        let kind = function::Kind::TailCall { procedure, arguments, token, position };
        checked(Value::Function(Function::made(kind))).map(Some)
    }

    /// `left ~> right`
    pub(super) fn apply_operator(
        &mut self,
        (left, right): &'e (Node, Node),
        position: u32,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let left = self.eval(left, input, frame)?;
        if let Kind::Call(call) = &right.kind {
            return self.call(call, right.position, input, frame, Some(left));
        }
        let function = match self.eval(right, input, frame)? {
            Some(Value::Function(function)) => function,
            other => return Err(Fault::new("T2006").at(position).value(other)),
        };
        if let Some(first @ Value::Function(_)) = left {
            self.budget.alloc(96)?;
            let kind = function::Kind::Chain { first, then: Value::Function(function) };
            return checked(Value::Function(Function::made(kind))).map(Some);
        }
        self.apply(&function, Arguments::from_iter([left]), None)
    }

    /// How many arguments a function would like.
    pub(crate) fn arity(&self, function: &Function) -> usize {
        match &function.what {
            What::Builtin(builtin) => builtin.row().arity.into(),
            What::Regex(_) => 2,
            What::Made(made) => match &made.kind {
                function::Kind::Lambda(lambda) => match &lambda.open {
                    Some(open) => open.len(),
                    None => self
                        .program
                        .lambdas
                        .get(lambda.index)
                        .map_or(0, |lambda| lambda.params.len()),
                },
                function::Kind::Partial { given, .. } => {
                    given.iter().filter(|slot| slot.is_none()).count()
                }
                function::Kind::Chain { .. } | function::Kind::Transform { .. } => 1,
                function::Kind::Next { .. }
                | function::Kind::TailCall { .. }
                | function::Kind::Tuple(_) => 0,
            },
        }
    }
}

fn as_argument(value: Value) -> Value {
    match value {
        Value::Function(function) => Value::Function(function.into_argument()),
        other => other,
    }
}

/// The arguments of a builtin: those given before, the open places filled in order.
fn fill(given: &[Option<Option<Value>>], arguments: Arguments) -> Arguments {
    let mut arguments = arguments.into_iter();
    given.iter().map(|slot| slot.clone().unwrap_or_else(|| arguments.next().flatten())).collect()
}

fn unknown(token: Option<&Arc<str>>, position: u32) -> Fault {
    let fault = Fault::new("T1006").at(position);
    match token {
        Some(token) => fault.token(token),
        None => fault,
    }
}

/// A fault that passed the procedure itself: the call's position is the one to show.
fn from_procedure(fault: Fault, procedure: &Node, position: u32) -> Fault {
    let site = Site { token: procedure.token(), position };
    from_site(fault, &site)
}

fn from_site(fault: Fault, site: &Site) -> Fault {
    fault.with(|details| {
        if details.token.is_none() {
            details.token = site.token.clone().map(Value::String);
        }
        if site.position > 0 {
            details.position = Some(site.position);
        }
    })
}

/// A fault on its way out of a call: what is not known yet is added.
fn from_call(fault: Fault, procedure: &Node, position: u32) -> Fault {
    fault.with(|details| {
        if details.position.unwrap_or(0) == 0 {
            details.position = Some(position);
        }
        let empty = matches!(&details.token, Some(Value::String(text)) if text.is_empty());
        if details.token.is_none() || empty {
            details.token = procedure.token().map(Value::String);
        }
    })
}
