//! Reading beside the writer: a few connections, their statements prepared once.

use super::{SqliteStore, open, recent::Known};
use mano_model::plan::Key;
use mano_ports::store::{Error, Page, Query, Stored};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Value};
use std::sync::{Arc, PoisonError};

/// A page holds at most so many bytes of documents, however many were asked for.
const PAGE_BYTES: usize = 4 << 20;

/// At most so many idle connections are kept.
const IDLE: usize = 8;

impl SqliteStore {
    /// Reads with a connection of the pool; every call sees all commits answered before it.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let failed = |error| Error::Unavailable(Box::new(error));
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open::reader(&self.path).map_err(failed)?,
        };
        let result = work(&connection).map_err(failed);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE {
            readers.push(connection);
        }
        result
    }

    pub(crate) fn get_one(&self, key: &Key) -> Result<Option<Stored>, Error> {
        let found = self.get_all(std::slice::from_ref(key))?;
        Ok(found.into_iter().next().flatten().map(Arc::unwrap_or_clone))
    }

    /// The documents in the order of the keys, all as they were at one instant.
    pub(crate) fn get_all(&self, keys: &[Key]) -> Result<Vec<Known>, Error> {
        let since = match self.recent.find(keys) {
            Ok(found) => return Ok(found),
            Err(since) => since,
        };
        let read: Vec<Known> = self.read(|db| {
            // A single statement is its own snapshot.
            let _snapshot = if keys.len() > 1 { Some(db.unchecked_transaction()?) } else { None };
            keys.iter().map(|key| Ok(one(db, key)?.map(Arc::new))).collect()
        })?;
        self.recent.keep(keys.iter().cloned().zip(read.iter().cloned()), since);
        Ok(read)
    }

    pub(crate) fn get_page(&self, query: &Query) -> Result<Page, Error> {
        let (sql, arguments) = select(query);
        self.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(arguments))?;
            let mut page = Page::default();
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let full = page.documents.len() >= query.limit.max(1) || bytes > PAGE_BYTES;
                if full {
                    page.next = page.documents.last().map(|last| last.key.id.clone());
                    break;
                }
                let id = row.get(3)?;
                let key = Key { kind: query.kind, tenant: query.tenant.clone(), id };
                let stored = stored(row, key)?;
                bytes += stored.body.len();
                page.documents.push(stored);
            }
            Ok(page)
        })
    }
}

fn one(db: &Connection, key: &Key) -> rusqlite::Result<Option<Stored>> {
    let sql = "SELECT version, schema, body FROM document
               WHERE kind = ?1 AND tenant = ?2 AND id = ?3";
    db.prepare_cached(sql)?
        .query_row(params![key.kind.as_str(), key.tenant.as_str(), key.id], |row| {
            stored(row, key.clone())
        })
        .optional()
}

fn stored(row: &Row<'_>, key: Key) -> rusqlite::Result<Stored> {
    let version: i64 = row.get(0)?;
    let version = u64::try_from(version).unwrap_or_default();
    Ok(Stored { key, version, schema: row.get(1)?, body: row.get(2)? })
}

/// The statement of a page and what it is asked with; one of few texts, so it stays prepared.
fn select(query: &Query) -> (String, Vec<Value>) {
    let mut arguments: Vec<Value> =
        vec![query.kind.as_str().to_owned().into(), query.tenant.as_str().to_owned().into()];
    let mut ask = |value: String| {
        arguments.push(value.into());
        arguments.len()
    };
    let mut sql = String::from("SELECT d.version, d.schema, d.body, d.id FROM ");
    let by = match &query.index {
        Some((name, value)) => {
            let (name, value) = (ask(name.as_str().into()), ask(value.clone()));
            sql += &format!(
                "found f CROSS JOIN document d ON d.kind = f.kind AND d.tenant = f.tenant \
                 AND d.id = f.id WHERE f.name = ?{name} AND f.value = ?{value} AND "
            );
            "f"
        }
        None => {
            sql += "document d WHERE ";
            "d"
        }
    };
    sql += &format!("{by}.kind = ?1 AND {by}.tenant = ?2");
    let first = query.within.as_ref().map(|parent| format!("{parent}/"));
    match (&query.after, first) {
        (Some(after), Some(first)) if *after < first => {
            sql += &format!(" AND {by}.id >= ?{}", ask(first));
        }
        (None, Some(first)) => sql += &format!(" AND {by}.id >= ?{}", ask(first)),
        (Some(after), _) => sql += &format!(" AND {by}.id > ?{}", ask(after.clone())),
        (None, None) => {}
    }
    if let Some(parent) = &query.within {
        // The byte after '/' is '0': everything below it begins with the parent.
        sql += &format!(" AND {by}.id < ?{}", ask(format!("{parent}0")));
    }
    let limit = i64::try_from(query.limit.max(1)).unwrap_or(i64::MAX).saturating_add(1);
    arguments.push(limit.into());
    sql += &format!(" ORDER BY {by}.id LIMIT ?{}", arguments.len());
    (sql, arguments)
}
