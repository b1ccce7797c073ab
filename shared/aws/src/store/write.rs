//! One write of a plan as one row of a transaction, and what its refusal means.

use super::{
    item::{
        BLOB, BODY, BYTES, FORM, GROWN, Item, NUMBERS, SITE, VERSION, keyed, n, number, numbers,
        numbers_of, s,
    },
    keys,
};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem, Update,
};
use mano_model::plan::{Add, Change, Expect, Index, Key, Write};
use mano_ports::store::Error;
use std::collections::HashMap;

/// Names and values of an expression, as they are gathered.
#[derive(Default)]
struct Words {
    names: HashMap<String, String>,
    values: Item,
}

impl Words {
    /// A placeholder for an attribute's name, whatever words are reserved.
    fn name(&mut self, name: &str) -> String {
        let found = self.names.iter().find(|(_, known)| *known == name);
        if let Some((placeholder, _)) = found {
            return placeholder.clone();
        }
        let placeholder = format!("#n{}", self.names.len());
        self.names.insert(placeholder.clone(), name.into());
        placeholder
    }

    /// A placeholder for a value.
    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// What must be true of the row.
    fn expectation(&mut self, expect: Expect) -> Option<String> {
        match expect {
            Expect::Absent => Some(format!("attribute_not_exists({})", self.name(keys::PK))),
            Expect::Present => Some(format!("attribute_exists({})", self.name(keys::PK))),
            Expect::Version(version) => {
                let (name, value) = (self.name(VERSION), self.value(n(version)));
                Some(format!("{name} = {value}"))
            }
            Expect::Anything => None,
        }
    }

    fn names(self) -> (Option<HashMap<String, String>>, Option<Item>) {
        let values = (!self.values.is_empty()).then_some(self.values);
        ((!self.names.is_empty()).then_some(self.names), values)
    }
}

/// Where the transaction runs.
pub(super) struct At<'a> {
    pub(super) table: &'a str,
    pub(super) site: &'a str,
    /// Seconds since 1970.
    pub(super) now: i64,
}

/// The row of a write; none: it changes nothing and demands nothing. `blob` has the document,
/// where it is large.
pub(super) fn row(
    at: &At<'_>,
    write: &Write,
    blob: Option<&str>,
) -> Result<Option<TransactWriteItem>, Error> {
    let transact = TransactWriteItem::builder();
    let item = match &write.change {
        Change::Put { body, schema, index, kept_for } => {
            let until = kept_for.map(|kept| at.now.saturating_add(kept.as_secs()));
            transact.update(put(at, write, (body, *schema, index), blob, until)?)
        }
        Change::Add(adds) => transact.update(add(at, write, adds)?),
        Change::Delete => transact.delete(delete(at, write)?),
        Change::Check if write.expect == Expect::Anything => return Ok(None),
        Change::Check => transact.condition_check(check(at, write)?),
    };
    Ok(Some(item.build()))
}

fn row_key(key: &Key) -> Item {
    keyed(keys::partition(key), &key.id)
}

/// The document becomes this; its version rises.
fn put(
    at: &At<'_>,
    write: &Write,
    (body, schema, index): (&str, u32, &[(Index, String)]),
    blob: Option<&str>,
    until: Option<i64>,
) -> Result<Update, Error> {
    let mut words = Words::default();
    let condition = words.expectation(write.expect);
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    let (version, zero, one) = (words.name(VERSION), words.value(n(0)), words.value(n(1)));
    set.push(format!("{version} = if_not_exists({version}, {zero}) + {one}"));
    let (there, away) = match blob {
        Some(blob) => (vec![(BLOB, s(blob)), (BYTES, n(body.len()))], vec![BODY, GROWN]),
        None => (vec![(BODY, s(body))], vec![BLOB, BYTES, GROWN]),
    };
    let known =
        [(FORM, n(schema)), (SITE, s(at.site)), (NUMBERS, AttributeValue::M(numbers_of(body)))];
    let expiry = until.map(|until| (keys::TTL, n(until)));
    for (name, value) in known.into_iter().chain(there).chain(expiry) {
        set.push(format!("{} = {}", words.name(name), words.value(value)));
    }
    remove.extend(away.into_iter().map(|name| words.name(name)));
    for known in Index::ALL {
        let name = words.name(known.as_str());
        match index.iter().find(|(index, _)| *index == known) {
            Some((_, value)) => {
                let Key { kind, tenant, id } = &write.key;
                let under = keys::under(known, *kind, tenant, value, keys::shard(id));
                set.push(format!("{name} = {}", words.value(s(under))));
            }
            None => remove.push(name),
        }
    }
    let change = format!("SET {} REMOVE {}", set.join(", "), remove.join(", "));
    update(at, write, words, change, condition)
}

/// Its numbers grow within their bounds; its version rises.
fn add(at: &At<'_>, write: &Write, adds: &[Add]) -> Result<Update, Error> {
    let mut words = Words::default();
    // An addition to what is not there has nothing to grow.
    let expect = if write.expect == Expect::Anything { Expect::Present } else { write.expect };
    let mut conditions: Vec<_> = words.expectation(expect).into_iter().collect();
    let (version, zero, one) = (words.name(VERSION), words.value(n(0)), words.value(n(1)));
    let mut set = vec![format!("{version} = {version} + {one}")];
    set.push(format!("{} = {one}", words.name(GROWN)));
    for Add { field, by, max } in adds {
        let number = format!("{}.{}", words.name(NUMBERS), words.name(field));
        let by_value = words.value(n(by));
        set.push(format!("{number} = if_not_exists({number}, {zero}) + {by_value}"));
        // What stands there plus `by` shall be within 0..=max, without leaving 64 bits on the way.
        let (by, max) = (i128::from(*by), i128::from(*max));
        let (least, most) = (words.value(n(-by)), words.value(n(max - by)));
        let within = format!("({number} >= {least} AND {number} <= {most})");
        conditions.push(if (0..=max).contains(&by) {
            format!("(attribute_not_exists({number}) OR {within})")
        } else {
            within
        });
    }
    let change = format!("SET {}", set.join(", "));
    update(at, write, words, change, Some(conditions.join(" AND ")))
}

fn update(
    at: &At<'_>,
    write: &Write,
    words: Words,
    change: String,
    condition: Option<String>,
) -> Result<Update, Error> {
    let (names, values) = words.names();
    let update = Update::builder()
        .table_name(at.table)
        .set_key(Some(row_key(&write.key)))
        .update_expression(change)
        .set_condition_expression(condition)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values)
        .return_values_on_condition_check_failure(OnFailure::AllOld);
    built(update.build())
}

fn delete(at: &At<'_>, write: &Write) -> Result<Delete, Error> {
    let mut words = Words::default();
    let condition = words.expectation(write.expect);
    let (names, values) = words.names();
    let delete = Delete::builder()
        .table_name(at.table)
        .set_key(Some(row_key(&write.key)))
        .set_condition_expression(condition)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values);
    built(delete.build())
}

fn check(at: &At<'_>, write: &Write) -> Result<ConditionCheck, Error> {
    let mut words = Words::default();
    let condition = words.expectation(write.expect);
    let (names, values) = words.names();
    let check = ConditionCheck::builder()
        .table_name(at.table)
        .set_key(Some(row_key(&write.key)))
        .set_condition_expression(condition)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values);
    built(check.build())
}

/// A row that lacks a part that every one of them is given.
pub(super) fn built<T>(row: Result<T, aws_sdk_dynamodb::error::BuildError>) -> Result<T, Error> {
    row.map_err(|error| Error::Rejected(Box::new(error)))
}

/// What it means that the condition of a write did not hold; `old` is the row as it was.
pub(super) fn refusal(write: &Write, old: Option<&Item>) -> Error {
    let conflict = || Error::Conflict(write.key.clone());
    let (Change::Add(adds), Some(old)) = (&write.change, old) else { return conflict() };
    let expected = match write.expect {
        Expect::Version(read_at) => number::<u64>(old, VERSION) == read_at,
        Expect::Present | Expect::Anything => true,
        Expect::Absent => false,
    };
    let numbers = numbers(old);
    let beyond = |add: &&Add| {
        let stands = numbers.get(add.field).copied().unwrap_or_default();
        !stands.checked_add(add.by).is_some_and(|sum| (0..=add.max).contains(&sum))
    };
    match adds.iter().find(beyond) {
        Some(add) if expected => Error::Exhausted { key: write.key.clone(), field: add.field },
        Some(_) | None => conflict(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use mano_model::{
        TenantId,
        catalog::usage::{Descriptor, Usage},
        plan::{Document, Origin, Plan},
        request::Heard,
    };
    use uuid::Uuid;

    /// When the row of a document that is written at second 1000 expires.
    fn expiry<T: Document>(document: &T) -> Option<String> {
        let origin = Origin {
            id: Uuid::nil(),
            at: Timestamp::UNIX_EPOCH,
            tenant: TenantId::default(),
            actor: String::new(),
            correlation: None,
            causation: None,
            trace: None,
        };
        let plan = Plan::new(origin).create(document);
        let at = At { table: "t", site: "s", now: 1000 };
        let update = row(&at, &plan.writes[0], None).unwrap().unwrap().update.unwrap();
        let names = update.expression_attribute_names.unwrap();
        let name = names.into_iter().find(|(_, name)| name == keys::TTL)?.0;
        let set = update.update_expression.split_once(" REMOVE ").unwrap().0.to_owned();
        let value = set.split(", ").find_map(|set| set.strip_prefix(&format!("{name} = ")))?;
        Some(update.expression_attribute_values.unwrap()[value].as_n().unwrap().clone())
    }

    #[test]
    fn that_a_request_was_heard_is_forgotten_after_400_days_and_what_a_document_says_never() {
        let (request, digest, at) = (Uuid::nil(), Uuid::nil(), Timestamp::UNIX_EPOCH);
        let heard = Heard { request, digest, at, refused: None };
        assert_eq!(expiry(&heard), Some((1000 + 400 * 24 * 3600).to_string()));
        let usage = Usage::none(Descriptor::Vnfd, "v", "p");
        assert_eq!(expiry(&usage), None);
    }
}
