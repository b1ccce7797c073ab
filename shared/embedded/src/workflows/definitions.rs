//! The workflow files of this installation, and the older texts that running executions still use.

use crate::store::SqliteStore;
use mano_asl::Definition;
use mano_ports::{store, workflows::Error};
use rusqlite::params;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

/// What may stand in braces in a workflow file: the names of functions, and nothing else.
const PLACEHOLDERS: [(&str, &str); 4] = [
    ("${ServiceManagement}", "service-management"),
    ("${Catalog}", "catalog"),
    ("${Inventory}", "inventory"),
    ("${Adapters}", "adapters"),
];

/// Why the engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A workflow file is wrong.
    #[error("workflow '{workflow}' is wrong: {problems}")]
    Definition {
        /// The file's name.
        workflow: String,
        /// Everything that is wrong with it, and where.
        problems: String,
    },
    /// The file with the executions failed.
    #[error("the executions cannot be read")]
    Store(#[from] store::Error),
}

/// One workflow file.
pub(super) struct File {
    /// The row that keeps its text.
    pub(super) id: i64,
    pub(super) text: String,
    pub(super) definition: Definition,
}

/// The files by workflow, and every text ever run by its row.
pub(super) struct Definitions {
    files: BTreeMap<String, File>,
    by_id: Mutex<HashMap<i64, Definition>>,
}

impl Definitions {
    /// Checks the files and keeps their texts.
    pub(super) async fn open(
        store: &SqliteStore,
        files: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, OpenError> {
        let mut read = BTreeMap::new();
        let mut by_id = HashMap::new();
        for (workflow, text) in files {
            let text =
                PLACEHOLDERS.iter().fold(text, |text, (hole, name)| text.replace(hole, name));
            let definition =
                Definition::parse(&text).map_err(|problems| wrong(&workflow, &problems))?;
            let id = keep(store, &text).await?;
            by_id.insert(id, definition.clone());
            read.insert(workflow, File { id, text, definition });
        }
        Ok(Self { files: read, by_id: Mutex::new(by_id) })
    }

    pub(super) fn file(&self, workflow: &str) -> Result<&File, Error> {
        self.files.get(workflow).ok_or_else(|| Error::Absent(workflow.into()))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// The definition an execution was started with, though its file may have changed since.
    pub(super) fn by_id(&self, store: &SqliteStore, id: i64) -> Result<Definition, store::Error> {
        if let Some(known) = self.known().get(&id) {
            return Ok(known.clone());
        }
        let text: String = store.read(|db| {
            let sql = "SELECT text FROM definition WHERE id = ?1";
            db.prepare_cached(sql)?.query_row([id], |row| row.get(0))
        })?;
        let definition = Definition::parse(&text).map_err(|problems| {
            store::Error::Unavailable(Box::new(wrong(&format!("definition {id}"), &problems)))
        })?;
        self.known().insert(id, definition.clone());
        Ok(definition)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Definition>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a text once; the row it has.
async fn keep(store: &SqliteStore, text: &str) -> Result<i64, store::Error> {
    let digest = Sha256::digest(text.as_bytes());
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let row = (hash.clone(), text.to_owned());
    let kept = store.write(move |db| {
        let sql = "INSERT OR IGNORE INTO definition (hash, text) VALUES (?1, ?2)";
        db.execute(sql, params![row.0, row.1])?;
        Ok(())
    });
    kept.await?;
    store.read(|db| {
        db.query_row("SELECT id FROM definition WHERE hash = ?1", [&hash], |row| row.get(0))
    })
}

fn wrong(workflow: &str, problems: &[mano_asl::Diagnostic]) -> OpenError {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    OpenError::Definition { workflow: workflow.into(), problems: problems.join("; ") }
}
