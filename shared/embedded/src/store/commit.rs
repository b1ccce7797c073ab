//! Carrying one plan out: every expectation is checked before the first row is touched.

use super::{facts::Due, recent::Known};
use mano_model::plan::{Add, Announced, Change, Expect, Index, Key, Plan, Write};
use mano_ports::store::{Error, Stored, check};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// A plan whose texts are rendered already, so that the writing thread only writes.
pub(crate) struct Prepared {
    plan: Plan,
    origin: String,
    facts: Vec<String>,
    /// What each write is found under, as stored.
    found: Vec<String>,
}

/// A document as it is before the plan.
struct Before {
    version: i64,
    found: String,
    /// Only where the change needs it.
    body: Option<String>,
    schema: u32,
}

/// A document as it will be.
enum After {
    Same,
    Gone,
    Is { version: i64, schema: u32, body: String },
}

impl Prepared {
    /// Checks what can be checked without the store.
    pub(crate) fn new(plan: Plan) -> Result<Self, Error> {
        check(&plan)?;
        let origin = json(&plan.origin);
        let facts: Vec<String> = plan.facts.iter().map(json).collect();
        let found = plan.writes.iter().map(|write| found_text(&write.change)).collect();
        Ok(Self { plan, origin, facts, found })
    }

    /// Writes the plan, unless it was written before or an expectation does not hold.
    ///
    /// The outer result is the file's, the inner one the plan's.
    pub(crate) fn apply(
        &mut self,
        db: &Connection,
        site: &str,
        due: &mut Vec<Due>,
        changes: &mut Vec<(Key, Known)>,
    ) -> rusqlite::Result<Result<(), Error>> {
        let id = self.plan.origin.id;
        let known = "SELECT 1 FROM plan WHERE id = ?1";
        if db.prepare_cached(known)?.exists([id.as_bytes().as_slice()])? {
            return Ok(Ok(()));
        }
        let mut steps = Vec::with_capacity(self.plan.writes.len());
        for write in &self.plan.writes {
            let before = read(db, write)?;
            match after(write, before.as_ref()) {
                Ok(after) => steps.push((before, after)),
                Err(error) => return Ok(Err(error)),
            }
        }
        db.prepare_cached("INSERT INTO plan (id) VALUES (?1)")?
            .execute([id.as_bytes().as_slice()])?;
        for (n, (before, after)) in steps.into_iter().enumerate() {
            let write = &self.plan.writes[n];
            if let Some(known) = store(db, site, write, &self.found[n], before, after)? {
                changes.push((write.key.clone(), known));
            }
        }
        for n in 0..self.facts.len() {
            due.push(self.announce(db, site, n)?);
        }
        Ok(Ok(()))
    }

    fn announce(&self, db: &Connection, site: &str, n: usize) -> rusqlite::Result<Due> {
        let fact = &self.plan.facts[n];
        let about = &fact.about;
        let (kind, tenant) = (about.kind.as_str(), about.tenant.as_str());
        let seq: i64 = db
            .prepare_cached(
                "INSERT INTO spoken (kind, tenant, id, seq) VALUES (?1, ?2, ?3, 1)
                 ON CONFLICT DO UPDATE SET seq = seq + 1 RETURNING seq",
            )?
            .query_row(params![kind, tenant, about.id], |row| row.get(0))?;
        let id = self.plan.fact_id(n);
        let at = self.plan.origin.at;
        db.prepare_cached(
            "INSERT INTO fact (kind, tenant, about, seq, at, origin, fact, uuid)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            kind,
            tenant,
            about.id,
            seq,
            at.as_millisecond(),
            self.origin,
            self.facts[n],
            id.as_bytes().as_slice()
        ])?;
        let origin = self.plan.origin.clone();
        Ok(Due {
            place: db.last_insert_rowid(),
            fact: announced(id, seq, site, origin, fact.clone()),
        })
    }
}

/// The envelope of a fact.
pub(crate) fn announced(
    id: Uuid,
    seq: i64,
    site: &str,
    origin: mano_model::plan::Origin,
    fact: mano_model::plan::Fact,
) -> Announced {
    let seq = u64::try_from(seq).unwrap_or_default();
    Announced { id, seq, at: origin.at, site: site.into(), origin, fact }
}

fn read(db: &Connection, write: &Write) -> rusqlite::Result<Option<Before>> {
    let with_body = matches!(write.change, Change::Add(_));
    let sql = if with_body {
        "SELECT version, found, schema, body FROM document
         WHERE kind = ?1 AND tenant = ?2 AND id = ?3"
    } else {
        "SELECT version, found, schema, NULL FROM document
         WHERE kind = ?1 AND tenant = ?2 AND id = ?3"
    };
    let Key { kind, tenant, id } = &write.key;
    db.prepare_cached(sql)?
        .query_row(params![kind.as_str(), tenant.as_str(), id], |row| {
            Ok(Before {
                version: row.get(0)?,
                found: row.get(1)?,
                schema: row.get(2)?,
                body: row.get(3)?,
            })
        })
        .optional()
}

/// What a write makes of a document, if its expectation holds.
fn after(write: &Write, before: Option<&Before>) -> Result<After, Error> {
    let version = before.map(|before| before.version);
    let holds = match write.expect {
        Expect::Absent => version.is_none(),
        Expect::Present => version.is_some(),
        Expect::Version(read_at) => version.is_some_and(|v| u64::try_from(v) == Ok(read_at)),
        Expect::Anything => true,
    };
    if !holds {
        return Err(Error::Conflict(write.key.clone()));
    }
    let next = version.unwrap_or_default() + 1;
    match &write.change {
        Change::Check => Ok(After::Same),
        Change::Delete => Ok(if version.is_some() { After::Gone } else { After::Same }),
        Change::Put { body, schema, .. } => {
            Ok(After::Is { version: next, schema: *schema, body: body.clone() })
        }
        Change::Add(adds) => {
            // An addition to what is not there has nothing to grow.
            let before = before.ok_or_else(|| Error::Conflict(write.key.clone()))?;
            let body = added(&write.key, before.body.as_deref().unwrap_or("{}"), adds)?;
            Ok(After::Is { version: next, schema: before.schema, body })
        }
    }
}

/// The body with its numbers grown.
fn added(key: &Key, body: &str, adds: &[Add]) -> Result<String, Error> {
    let malformed = |source| Error::Malformed { key: key.clone(), source };
    let mut object: serde_json::Map<String, Value> =
        serde_json::from_str(body).map_err(malformed)?;
    for add in adds {
        let stands = match object.get(add.field) {
            None | Some(Value::Null) => 0,
            Some(number) => i64::deserialize(number).map_err(malformed)?,
        };
        let grown = stands.checked_add(add.by).filter(|sum| (0..=add.max).contains(sum));
        let exhausted = || Error::Exhausted { key: key.clone(), field: add.field };
        object.insert(add.field.into(), grown.ok_or_else(exhausted)?.into());
    }
    serde_json::to_string(&object).map_err(malformed)
}

/// Writes one document; what is known of it then, if that changed.
fn store(
    db: &Connection,
    site: &str,
    write: &Write,
    found: &str,
    before: Option<Before>,
    after: After,
) -> rusqlite::Result<Option<Known>> {
    let Key { kind, tenant, id } = &write.key;
    let (kind, tenant) = (kind.as_str(), tenant.as_str());
    let was = before.as_ref().map_or("", |before| &before.found);
    match after {
        After::Same => Ok(None),
        After::Gone => {
            let sql = "DELETE FROM document WHERE kind = ?1 AND tenant = ?2 AND id = ?3";
            db.prepare_cached(sql)?.execute(params![kind, tenant, id])?;
            refind(db, &write.key, was, "")?;
            Ok(Some(None))
        }
        After::Is { version, schema, body } => {
            // An addition leaves the ways to find the document as they are.
            let found = if matches!(write.change, Change::Add(_)) { was } else { found };
            db.prepare_cached(
                "INSERT INTO document (kind, tenant, id, version, schema, site, found, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET version = excluded.version, schema = excluded.schema,
                 site = excluded.site, found = excluded.found, body = excluded.body",
            )?
            .execute(params![kind, tenant, id, version, schema, site, found, body])?;
            refind(db, &write.key, was, found)?;
            let version = u64::try_from(version).unwrap_or_default();
            Ok(Some(Some(Arc::new(Stored { key: write.key.clone(), version, schema, body }))))
        }
    }
}

/// Replaces the rows a document is found by, if they changed.
fn refind(db: &Connection, key: &Key, was: &str, is: &str) -> rusqlite::Result<()> {
    if was == is {
        return Ok(());
    }
    let (kind, tenant) = (key.kind.as_str(), key.tenant.as_str());
    for (name, value) in pairs(was) {
        db.prepare_cached(
            "DELETE FROM found WHERE kind = ?1 AND tenant = ?2 AND name = ?3 AND value = ?4
             AND id = ?5",
        )?
        .execute(params![kind, tenant, name, value, key.id])?;
    }
    for (name, value) in pairs(is) {
        let sql = "INSERT OR IGNORE INTO found (kind, tenant, name, value, id)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        db.prepare_cached(sql)?.execute(params![kind, tenant, name, value, key.id])?;
    }
    Ok(())
}

/// What a document is found under, as text; empty for nothing.
fn found_text(change: &Change) -> String {
    match change {
        Change::Put { index, .. } if !index.is_empty() => {
            let pairs: Vec<(&str, &str)> =
                index.iter().map(|(name, value)| (Index::as_str(*name), value.as_str())).collect();
            json(&pairs)
        }
        Change::Put { .. } | Change::Delete | Change::Check | Change::Add(_) => String::new(),
    }
}

fn pairs(found: &str) -> Vec<(String, String)> {
    serde_json::from_str(found).unwrap_or_default()
}

/// The JSON text of something whose keys are strings.
fn json<T: serde::Serialize>(value: &T) -> String {
    #[expect(clippy::expect_used, reason = "origins, facts and pairs have string keys only")]
    serde_json::to_string(value).expect("string keys")
}
