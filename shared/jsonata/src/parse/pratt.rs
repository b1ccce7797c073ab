//! The grammar: operator precedence after Pratt, one token ahead.

use std::sync::Arc;

use super::{
    DEEPEST,
    lexer::{Lexer, Token, TokenKind},
    raw::{Kind, Raw, too_deep},
    signature::Signature,
};
use crate::{
    error::{Fault, Outcome},
    value::Value,
};

/// Reads the whole source.
pub(super) fn parse(source: &str) -> Outcome<Raw> {
    let mut parser = Parser::new(source);
    parser.advance(false)?;
    let tree = parser.expression(0)?;
    if parser.id() != END {
        return Err(Fault::new("S0201").at(parser.position()).token_value(parser.token_value()));
    }
    Ok(tree)
}

const END: &str = "(end)";

struct Parser<'s> {
    lexer: Lexer<'s>,
    /// The token looked at; `None` is the end.
    node: Option<Token>,
    length: u32,
    depth: u32,
}

/// How strongly an operator binds what stands to its left.
fn power(id: &str) -> u32 {
    match id {
        "[" | "(" | "@" | "#" => 80,
        "." => 75,
        "{" => 70,
        "*" | "/" | "%" => 60,
        "+" | "-" | "&" => 50,
        "=" | "<" | ">" | "^" | "!=" | "<=" | ">=" | "~>" | "in" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    }
}

impl<'s> Parser<'s> {
    #[expect(clippy::cast_possible_truncation, reason = "sources are at most 2^20 bytes")]
    fn new(source: &'s str) -> Self {
        Self { lexer: Lexer::new(source), node: None, length: source.len() as u32, depth: 0 }
    }

    /// The symbol of the token looked at.
    fn id(&self) -> &'static str {
        match self.node.as_ref().map(|token| &token.kind) {
            None => END,
            Some(TokenKind::Operator(operator)) => operator,
            Some(TokenKind::Name(_) | TokenKind::Variable(_)) => "(name)",
            Some(TokenKind::Text(_) | TokenKind::Number(_) | TokenKind::Word(_)) => "(literal)",
            Some(TokenKind::Regex(_)) => "(regex)",
        }
    }

    fn position(&self) -> u32 {
        self.node.as_ref().map_or(self.length, |token| token.position)
    }

    fn token_value(&self) -> Option<Value> {
        Some(match self.node.as_ref().map(|token| &token.kind) {
            None => Value::from(END),
            Some(TokenKind::Operator(operator)) => Value::from(*operator),
            Some(TokenKind::Name(text) | TokenKind::Variable(text) | TokenKind::Text(text)) => {
                Value::String(text.clone())
            }
            Some(TokenKind::Number(number)) => Value::Number(*number),
            Some(TokenKind::Word(word)) => word.clone(),
            Some(TokenKind::Regex(_)) => Value::Object([].into_iter().collect()),
        })
    }

    /// Moves on; `infix` says that an operand was just read.
    fn advance(&mut self, infix: bool) -> Outcome<()> {
        self.node = self.lexer.next(infix)?;
        if let Some(Token { kind: TokenKind::Operator(operator @ ("!" | "~")), position }) =
            &self.node
        {
            return Err(Fault::new("S0204").at(*position).token(operator));
        }
        Ok(())
    }

    /// Moves on past the token that must stand here.
    fn expect(&mut self, id: &'static str, infix: bool) -> Outcome<()> {
        if self.id() == id {
            return self.advance(infix);
        }
        let code = if self.id() == END { "S0203" } else { "S0202" };
        let fault = Fault::new(code).at(self.position()).token_value(self.token_value());
        Err(fault.value(Some(Value::from(id))))
    }

    fn expression(&mut self, power_right: u32) -> Outcome<Raw> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(too_deep(self.position()));
        }
        let result = stacker::maybe_grow(160 * 1_024, 1 << 21, || self.climb(power_right));
        self.depth -= 1;
        result
    }

    fn climb(&mut self, power_right: u32) -> Outcome<Raw> {
        let token = self.node.clone();
        self.advance(true)?;
        let mut left = self.prefix(token)?;
        while power_right < power(self.id()) {
            let id = self.id();
            let position = self.position();
            self.advance(false)?;
            left = self.infix(id, position, left)?;
        }
        Ok(left)
    }

    /// A token at the start of an expression.
    fn prefix(&mut self, token: Option<Token>) -> Outcome<Raw> {
        let Some(Token { kind, position }) = token else {
            return Raw::new(Kind::End, self.length);
        };
        let kind = match kind {
            TokenKind::Name(name) => Kind::Name(name),
            TokenKind::Variable(name) => Kind::Variable(name),
            TokenKind::Text(text) => Kind::Text(text),
            TokenKind::Number(number) => Kind::Number(number),
            TokenKind::Word(word) => Kind::Word(word),
            TokenKind::Regex(regex) => Kind::Regex(regex),
            TokenKind::Operator(operator) => self.prefix_operator(operator, position)?,
        };
        Raw::new(kind, position)
    }

    fn prefix_operator(&mut self, operator: &'static str, position: u32) -> Outcome<Kind> {
        Ok(match operator {
            "and" | "or" | "in" => Kind::Operator(operator),
            "*" => Kind::Wildcard,
            "**" => Kind::Descendants,
            "%" => Kind::Parent,
            "-" => Kind::Negate(Box::new(self.expression(70)?)),
            "(" => self.block()?,
            "[" => self.array()?,
            "{" => Kind::Object(self.pairs()?),
            "|" => self.transform()?,
            _ => return Err(Fault::new("S0211").at(position).token(operator)),
        })
    }

    /// An operator between expressions.
    fn infix(&mut self, id: &'static str, position: u32, left: Raw) -> Outcome<Raw> {
        let kind = match id {
            "(" => return self.call(left, position),
            "[" => return self.filter(left, position),
            "^" => Kind::Sort(Box::new(left), self.terms()?),
            "{" => Kind::Group(Box::new(left), self.pairs()?),
            ":=" => self.bind(left)?,
            "@" | "#" => self.name_step(id, left)?,
            "?" => self.condition(left)?,
            _ => Kind::Binary(id, Box::new(left), Box::new(self.expression(power(id))?)),
        };
        Raw::new(kind, position)
    }

    fn bind(&mut self, left: Raw) -> Outcome<Kind> {
        if !matches!(left.kind, Kind::Variable(_)) {
            return Err(Fault::new("S0212").at(left.position).token_value(left.token()));
        }
        Ok(Kind::Binary(":=", Box::new(left), Box::new(self.expression(9)?)))
    }

    /// `@$name` and `#$name`.
    fn name_step(&mut self, id: &'static str, left: Raw) -> Outcome<Kind> {
        let right = self.expression(80)?;
        if !matches!(right.kind, Kind::Variable(_)) {
            return Err(Fault::new("S0214").at(right.position).token(id));
        }
        Ok(Kind::Binary(id, Box::new(left), Box::new(right)))
    }

    fn condition(&mut self, left: Raw) -> Outcome<Kind> {
        let then = self.expression(0)?;
        let mut otherwise = None;
        if self.id() == ":" {
            self.advance(false)?;
            otherwise = Some(Box::new(self.expression(0)?));
        }
        Ok(Kind::Condition(Box::new(left), Box::new(then), otherwise))
    }

    fn block(&mut self) -> Outcome<Kind> {
        let mut expressions = Vec::new();
        while self.id() != ")" {
            expressions.push(self.expression(0)?);
            if self.id() != ";" {
                break;
            }
            self.advance(false)?;
        }
        self.expect(")", true)?;
        Ok(Kind::Block(expressions))
    }

    fn array(&mut self) -> Outcome<Kind> {
        let mut items = Vec::new();
        while self.id() != "]" || !items.is_empty() {
            let mut item = self.expression(0)?;
            if self.id() == ".." {
                let position = self.position();
                self.advance(false)?;
                let last = self.expression(0)?;
                item = Raw::new(Kind::Binary("..", Box::new(item), Box::new(last)), position)?;
            }
            items.push(item);
            if self.id() != "," {
                break;
            }
            self.advance(false)?;
        }
        self.expect("]", true)?;
        Ok(Kind::Array(items))
    }

    fn pairs(&mut self) -> Outcome<Vec<(Raw, Raw)>> {
        let mut pairs = Vec::new();
        while self.id() != "}" || !pairs.is_empty() {
            let key = self.expression(0)?;
            self.expect(":", false)?;
            pairs.push((key, self.expression(0)?));
            if self.id() != "," {
                break;
            }
            self.advance(false)?;
        }
        self.expect("}", true)?;
        Ok(pairs)
    }

    fn transform(&mut self) -> Outcome<Kind> {
        let pattern = Box::new(self.expression(0)?);
        self.expect("|", false)?;
        let update = Box::new(self.expression(0)?);
        let mut delete = None;
        if self.id() == "," {
            self.advance(false)?;
            delete = Some(Box::new(self.expression(0)?));
        }
        self.expect("|", false)?;
        Ok(Kind::Transform(pattern, update, delete))
    }

    fn terms(&mut self) -> Outcome<Vec<(bool, Raw)>> {
        self.expect("(", false)?;
        let mut terms = Vec::new();
        loop {
            let descending = self.id() == ">";
            if matches!(self.id(), "<" | ">") {
                self.advance(false)?;
            }
            terms.push((descending, self.expression(0)?));
            if self.id() != "," {
                break;
            }
            self.advance(false)?;
        }
        self.expect(")", false)?;
        Ok(terms)
    }

    fn filter(&mut self, mut left: Raw, position: u32) -> Outcome<Raw> {
        if self.id() == "]" {
            let mut step = &mut left;
            while matches!(step.kind, Kind::Binary("[", ..)) {
                let Kind::Binary(_, inner, _) = &mut step.kind else { break };
                step = inner;
            }
            step.keep_array = true;
            self.advance(false)?;
            return Ok(left);
        }
        let inner = self.expression(0)?;
        self.expect("]", true)?;
        Raw::new(Kind::Binary("[", Box::new(left), Box::new(inner)), position)
    }

    fn call(&mut self, left: Raw, position: u32) -> Outcome<Raw> {
        let mut arguments = Vec::new();
        let mut partial = false;
        while self.id() != ")" || !arguments.is_empty() {
            if self.id() == "?" {
                partial = true;
                arguments.push(Raw::new(Kind::Operator("?"), self.position())?);
                self.advance(false)?;
            } else {
                arguments.push(self.expression(0)?);
            }
            if self.id() != "," {
                break;
            }
            self.advance(false)?;
        }
        self.expect(")", true)?;
        if matches!(&left.kind, Kind::Name(name) if matches!(&**name, "function" | "λ")) {
            return self.lambda(arguments, position);
        }
        Raw::new(Kind::Call { procedure: Box::new(left), arguments, partial }, position)
    }

    fn lambda(&mut self, arguments: Vec<Raw>, position: u32) -> Outcome<Raw> {
        let params = arguments.into_iter().enumerate().map(|(at, argument)| param(at, &argument));
        let params = params.collect::<Outcome<Vec<_>>>()?;
        let signature = if self.id() == "<" { Some(self.signature()?) } else { None };
        self.expect("{", false)?;
        let body = Box::new(self.expression(0)?);
        self.expect("}", false)?;
        Raw::new(Kind::Lambda { params, signature, body }, position)
    }

    /// The tokens between `<` and its `>` put together again.
    fn signature(&mut self) -> Outcome<Signature> {
        let position = self.position();
        let mut text = String::from("<");
        let mut depth = 1;
        while depth > 0 && !matches!(self.id(), "{" | END) {
            self.advance(false)?;
            match self.id() {
                ">" => depth -= 1,
                "<" => depth += 1,
                _ => {}
            }
            match self.token_value() {
                Some(Value::String(token)) => text.push_str(&token),
                other => text.push_str(&crate::message::json_or_undefined(other.as_ref())),
            }
        }
        self.expect(">", false)?;
        Signature::parse(&text).map_err(|(fault, offset)| fault.at(position + offset))
    }
}

/// The name of a lambda's parameter.
fn param(at: usize, argument: &Raw) -> Outcome<Arc<str>> {
    if let Kind::Variable(name) = &argument.kind {
        return Ok(name.clone());
    }
    let fault = Fault::new("S0208").at(argument.position).token_value(argument.token());
    #[expect(clippy::cast_precision_loss, reason = "far fewer parameters than 2^53")]
    let number = (at + 1) as f64;
    Err(fault.value(Some(Value::Number(number))))
}
