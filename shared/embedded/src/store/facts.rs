//! The facts that were committed and not yet relayed, in the order of their commits.

use super::{SqliteStore, commit::announced};
use mano_model::plan::{Announced, Key};
use mano_ports::store::Error;
use rusqlite::{Row, params};
use std::time::Duration;
use uuid::Uuid;

/// A fact that somebody still has to hear.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its place among all facts of this file; rises with every commit.
    pub place: i64,
    /// The fact.
    pub fact: Announced,
}

/// A mark may wait this long for company: losing it only means a second delivery.
const MARK: Duration = Duration::from_secs(1);

const COLUMNS: &str = "place, uuid, seq, origin, fact";

impl SqliteStore {
    /// Calls `ear` with the facts of every commit from now on, in order.
    ///
    /// It is called by the writing thread and must not block.
    pub fn on_facts(&self, ear: impl Fn(Vec<Due>) + Send + 'static) {
        *self.ear.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Box::new(ear));
    }

    /// At most `limit` due facts whose place is greater than `after`, in order.
    pub fn due(&self, after: i64, limit: usize) -> Result<Vec<Due>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!("SELECT {COLUMNS} FROM fact WHERE place > ?1 ORDER BY place LIMIT ?2");
        self.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            statement.query_map([after, limit], |row| self.due_row(row))?.collect()
        })
    }

    /// At most `limit` due facts about one document whose place is greater than `after`, in
    /// order.
    pub fn due_about(&self, about: &Key, after: i64, limit: usize) -> Result<Vec<Due>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM fact WHERE kind = ?1 AND tenant = ?2 AND about = ?3
             AND place > ?4 ORDER BY seq LIMIT ?5"
        );
        let (kind, tenant) = (about.kind.as_str(), about.tenant.as_str());
        self.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let arguments = params![kind, tenant, about.id, after, limit];
            statement.query_map(arguments, |row| self.due_row(row))?.collect()
        })
    }

    /// At most `limit` due facts up to a place, of plans made before an instant (milliseconds
    /// since 1970), in order.
    pub(crate) fn due_since(
        &self,
        before: i64,
        up_to: i64,
        limit: usize,
    ) -> Result<Vec<Due>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM fact WHERE place <= ?1 AND at < ?2 ORDER BY place LIMIT ?3"
        );
        self.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            statement.query_map([up_to, before, limit], |row| self.due_row(row))?.collect()
        })
    }

    /// How many facts are due.
    pub fn due_count(&self) -> Result<u64, Error> {
        let count = |row: &Row<'_>| row.get::<_, i64>(0);
        let count =
            self.read(|db| db.prepare_cached("SELECT count(*) FROM fact")?.query_row([], count))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Remembers that every listener heard the fact at `place`.
    pub fn relayed(&self, place: i64) {
        self.record(MARK, move |db| {
            db.prepare_cached("DELETE FROM fact WHERE place = ?1")?.execute([place])?;
            Ok(())
        });
    }

    fn due_row(&self, row: &Row<'_>) -> rusqlite::Result<Due> {
        let id = Uuid::from_slice(row.get_ref(1)?.as_blob()?).unwrap_or_default();
        let origin = parse(3, row.get_ref(3)?.as_str()?)?;
        let fact = parse(4, row.get_ref(4)?.as_str()?)?;
        Ok(Due { place: row.get(0)?, fact: announced(id, row.get(2)?, self.site(), origin, fact) })
    }
}

/// A JSON column.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    column: usize,
    text: &str,
) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}
