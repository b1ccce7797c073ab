//! Reading the rules of a Choice.

use serde_json::Value;

use super::{
    Kind, Language, Rule,
    build::{Builder, Surroundings},
    fields::Fields,
};
use crate::{
    choice::{Against, Comparison, Operator, Test},
    query::Query,
};

/// Deepest nesting of `And`, `Or` and `Not`.
const MAX_NESTING: usize = 64;

impl Builder {
    pub(super) fn choice(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        around: &mut Surroundings,
    ) -> Option<Kind> {
        if !fields.require(&["Choices"], &mut self.findings) {
            return None;
        }
        let list = fields.objects("Choices", &mut self.findings)?;
        if list.is_empty() {
            self.findings.error(&fields.place("Choices"), "Choices must not be empty");
        }
        let mut rules = Vec::new();
        for rule in list.iter().flatten() {
            rules.extend(self.rule(rule, language, around));
        }
        let default = fields.has("Default").then(|| {
            let name = fields.text("Default", &mut self.findings);
            let at = fields.place("Default");
            around.target(name, &at, &mut self.findings)
        });
        Some(Kind::Choice { rules, default })
    }

    fn rule(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        around: &mut Surroundings,
    ) -> Option<Rule> {
        fields.require(&["Next"], &mut self.findings);
        let name = fields.text("Next", &mut self.findings);
        let at = fields.place("Next");
        let next = around.target(name, &at, &mut self.findings);
        let test = match language {
            Language::JsonPath => self.test(fields, 0),
            Language::Jsonata => self.condition(fields),
        }?;
        let assign = self.assign(fields, language);
        let output = match language {
            Language::JsonPath => None,
            Language::Jsonata => self.expressions(fields, "Output"),
        };
        Some(Rule { test, next, assign, output })
    }

    fn condition(&mut self, fields: &Fields<'_>) -> Option<Test> {
        if !fields.require(&["Condition"], &mut self.findings) {
            return None;
        }
        match fields.get("Condition") {
            Some(Value::Bool(fixed)) => Some(Test::Fixed(*fixed)),
            _ => self.expression(fields, "Condition").map(Test::Condition),
        }
    }

    fn test(&mut self, fields: &Fields<'_>, depth: usize) -> Option<Test> {
        if depth > MAX_NESTING {
            self.findings.error(&fields.at, format!("Nested deeper than {MAX_NESTING} levels"));
            return None;
        }
        if fields.has("And") {
            return self.tests(fields, "And", depth).map(Test::And);
        }
        if fields.has("Or") {
            return self.tests(fields, "Or", depth).map(Test::Or);
        }
        if fields.has("Not") {
            let inner = fields.object("Not", &mut self.findings)?;
            return self.test(&inner, depth + 1).map(|test| Test::Not(Box::new(test)));
        }
        if !fields.require(&["Variable"], &mut self.findings) {
            return None;
        }
        let variable = self.query(fields, "Variable")?;
        let mut operators = fields
            .object
            .iter()
            .filter_map(|(name, value)| Operator::parse(name).map(|found| (name, found, value)));
        let (Some((name, (operator, is_path), value)), None) = (operators.next(), operators.next())
        else {
            self.findings.error(&fields.at, "Exactly one comparison operator is required");
            return None;
        };
        let against = self.against(fields, name, operator, is_path, value)?;
        Some(Test::Compare(Comparison { variable, operator, against }))
    }

    fn against(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        operator: Operator,
        is_path: bool,
        value: &Value,
    ) -> Option<Against> {
        if is_path {
            return match value.as_str().and_then(Query::parse) {
                Some(query) => Some(Against::Path(query)),
                None => self.query(fields, name).map(Against::Path),
            };
        }
        if !operator.fits(value) {
            let kind = operator.expects();
            self.findings.error(&fields.place(name), format!("Expected value of type {kind}"));
            return None;
        }
        Some(operator.against(value))
    }

    fn tests(&mut self, fields: &Fields<'_>, name: &str, depth: usize) -> Option<Vec<Test>> {
        let list = fields.list(name, &mut self.findings)?;
        if list.is_empty() {
            self.findings.error(&fields.place(name), format!("{name} must not be empty"));
        }
        let mut tests = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = format!("{}[{index}]", fields.place(name));
            let inner = Fields::of(value, at, &mut self.findings)?;
            if inner.has("Next") {
                self.findings.error(&inner.place("Next"), "Field 'Next' is not supported here");
            }
            tests.push(self.test(&inner, depth + 1)?);
        }
        Some(tests)
    }
}
