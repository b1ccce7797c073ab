//! What SQLite and the disk can do at best, in the same run.

use rusqlite::{Connection, params};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Rows of a turn's size, in transactions of one, 64 and 512, each with its fsync.
pub(crate) fn raw(folder: &Path) {
    let db = Connection::open(folder.join("raw.db")).unwrap();
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    db.pragma_update(None, "synchronous", "FULL").unwrap();
    db.pragma_update(None, "wal_autocheckpoint", 4000).unwrap();
    db.execute_batch("CREATE TABLE turn (place INTEGER PRIMARY KEY, rows TEXT NOT NULL)").unwrap();
    let text = "x".repeat(1000);
    let mut place = 0_i64;
    for batch in [1, 64, 512] {
        let (begun, mut rows) = (Instant::now(), 0_u64);
        while begun.elapsed() < Duration::from_secs(2) {
            let transaction = db.unchecked_transaction().unwrap();
            for _ in 0..batch {
                place += 1;
                let sql = "INSERT INTO turn (place, rows) VALUES (?1, ?2)";
                db.prepare_cached(sql).unwrap().execute(params![place, text]).unwrap();
            }
            transaction.commit().unwrap();
            rows += batch;
        }
        let rate = rows as f64 / begun.elapsed().as_secs_f64();
        println!(
            "| raw SQLite: rows of 1 KB, {batch} a transaction, fsync each | {rate:.0}/s | - |"
        );
    }
}
