//! The workflow files of this installation, and the older texts that running executions still use.

use super::{activities, family::Keeps, weight};
use crate::store::SqliteStore;
use mano_asl::{Definition, Diagnostic, Kind, host};
use mano_ports::{hex::hex, store, workflows::Error};
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

/// A workflow of an installation.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// Its definition.
    pub text: String,
    /// Standard: every step outlives the process. Express: an asynchronous run that a crash
    /// interrupts begins anew, a synchronous one ends with the process; neither has a history.
    pub kind: Kind,
}

/// A definition, ready to be stepped.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) definition: Definition,
    /// A step of it may take long.
    pub(super) heavy: bool,
}

impl Known {
    fn of(definition: Definition, text: &str) -> Self {
        Self { definition, heavy: weight::is_heavy(text) }
    }
}

/// One workflow file.
pub(super) struct File {
    /// The row that keeps its text.
    pub(super) id: i64,
    pub(super) text: String,
    pub(super) known: Known,
    kind: Kind,
}

impl File {
    /// What is written of its executions.
    pub(super) const fn keeps(&self) -> Keeps {
        match self.kind {
            Kind::Standard => Keeps::Everything,
            Kind::Express => Keeps::Ends,
        }
    }
}

/// The files by workflow, and every text ever run by its row.
pub(super) struct Definitions {
    files: BTreeMap<String, File>,
    by_id: Mutex<HashMap<i64, Known>>,
}

impl Definitions {
    /// Checks the files against the language and against what the host offers, and keeps their
    /// texts.
    pub(super) async fn open(
        store: &SqliteStore,
        machines: impl IntoIterator<Item = Machine>,
        offers: &[&str],
        now: i64,
    ) -> Result<Self, OpenError> {
        let mut read = BTreeMap::new();
        let mut by_id = HashMap::new();
        for Machine { name, text, kind } in machines {
            let text =
                PLACEHOLDERS.iter().fold(text, |text, (hole, name)| text.replace(hole, name));
            let definition =
                check(&text, kind, offers).map_err(|problems| wrong(&name, &problems))?;
            let resources = host::resources(&text).into_iter();
            let activities = resources.filter(|(_, arn)| arn.contains(":activity:"));
            let activities = activities.map(|(_, arn)| activities::name(&arn).to_owned());
            activities::create(store, activities.collect(), now).await?;
            let id = keep(store, &text).await?;
            let known = Known::of(definition, &text);
            by_id.insert(id, known.clone());
            read.insert(name, File { id, text, known, kind });
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
    pub(super) fn by_id(&self, store: &SqliteStore, id: i64) -> Result<Known, store::Error> {
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
        let known = Known::of(definition, &text);
        self.known().insert(id, known.clone());
        Ok(known)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Known>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a definition and refuses what is wrong with it, or cannot be done here.
fn check(text: &str, kind: Kind, offers: &[&str]) -> Result<Definition, Vec<Diagnostic>> {
    let definition = Definition::parse_as(text, kind)?;
    let problems = host::unoffered(text, offers);
    if problems.is_empty() { Ok(definition) } else { Err(problems) }
}

/// Keeps a text once; the row it has.
async fn keep(store: &SqliteStore, text: &str) -> Result<i64, store::Error> {
    let hash = hex(&Sha256::digest(text.as_bytes()));
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
