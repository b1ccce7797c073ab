//! What an operator asks of a running store: does it take writes, and how many documents stand
//! where.

use crate::store::SqliteStore;
use mano_model::plan::{Index, Kind};
use mano_ports::store::Error;
use std::path::Path;

impl SqliteStore {
    /// Writes and waits as a commit does, and changes nothing.
    ///
    /// # Errors
    /// The writer is gone, or the disk takes nothing.
    pub async fn writable(&self) -> Result<(), Error> {
        let same = |db: &rusqlite::Connection| {
            let form = db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
            db.pragma_update(None, "user_version", form)
        };
        self.write(same).await
    }

    /// How many documents of a kind each value of an index has, over all tenants.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn tally(&self, kind: Kind, index: Index) -> Result<Vec<(String, u64)>, Error> {
        self.read(|db| {
            let sql = "SELECT value, count(*) FROM found WHERE kind = ?1 AND name = ?2 \
                       GROUP BY value ORDER BY value";
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map([kind.as_str(), index.as_str()], |row| {
                let count: i64 = row.get(1)?;
                Ok((row.get(0)?, u64::try_from(count).unwrap_or_default()))
            })?;
            rows.collect()
        })
    }

    /// Bytes of the store's files on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let log = self.path().with_extension("db-wal");
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        size(self.path()) + size(&log)
    }
}
