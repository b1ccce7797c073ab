//! The memory in one SQLite file: one thread writes for everybody, readers stand beside it.
//!
//! ```text
//!   commit(plan) ──▶ FIFO ──▶ writer: many plans, one transaction, one fsync ──▶ answers
//!   get          ──▶ what was written or read a moment ago, else a read connection
//!   page         ──▶ a few read connections (WAL: they never wait for the writer)
//! ```

mod commit;
mod copy;
mod facts;
mod open;
mod read;
mod recent;
#[cfg(test)]
mod tests;
pub(crate) mod writer;

pub use facts::Due;
pub use open::{Lock, OpenError};
#[cfg(any(test, feature = "tap"))]
pub use writer::Tap;

use async_trait::async_trait;
use commit::Prepared;
use mano_model::{
    SiteId,
    plan::{Key, Plan},
};
use mano_ports::store::{Error, Page, Query, Store, Stored};
use recent::Recent;
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::oneshot;
use writer::{Ear, Job, Writer};

/// How a file is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file's name in the data folder.
    pub file: String,
    /// What a commit waits for.
    pub synchronous: Synchronous,
    /// The site that writes.
    pub site: SiteId,
    /// Looks at the file between two transactions, which then hold one job each.
    /// Called after each transaction, which then holds one job only.
    #[cfg(any(test, feature = "tap"))]
    pub tap: Option<Tap>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file: "mano.db".into(),
            synchronous: Synchronous::Full,
            site: SiteId::default(),
            #[cfg(any(test, feature = "tap"))]
            tap: None,
        }
    }
}

/// What a commit waits for (`PRAGMA synchronous`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// Nothing: a power cut may lose or break the file.
    Off,
    /// The operating system: a power cut may lose the last commits, never break the file.
    Normal,
    /// The disk: what was answered is never lost.
    Full,
}

impl Synchronous {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Normal => "NORMAL",
            Self::Full => "FULL",
        }
    }
}

/// What the writer did since the file was opened.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) plans: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) transactions: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) facts: AtomicU64,
}

/// One reading of [`Counters`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Plans taken, carried out or refused.
    pub plans: u64,
    /// Plans refused, because someone else wrote first or a bound was reached.
    pub refused: u64,
    /// Transactions: one fsync each, under [`Synchronous::Full`].
    pub transactions: u64,
    /// Rows written for the engine, the queue and the relay.
    pub records: u64,
    /// Facts announced.
    pub facts: u64,
}

/// Documents, facts, messages and executions in one SQLite file, owned by this process.
///
/// Dropping it closes it.
pub struct SqliteStore {
    path: PathBuf,
    site: String,
    jobs: mpsc::Sender<Job>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Mutex<Vec<Connection>>,
    recent: Arc<Recent>,
    ear: Ear,
    counters: Arc<Counters>,
    /// Released after the writer ended.
    lock: Mutex<Option<open::Lock>>,
}

impl SqliteStore {
    /// Opens the file in the data folder, making both if they are not there and bringing an
    /// older form to today's.
    ///
    /// # Errors
    /// Another process owns the file, or it is foreign, newer, broken, or cannot be written.
    pub fn open(folder: &Path, options: &Options) -> Result<Self, OpenError> {
        let lock = open::lock(folder, &options.file)?;
        let path = folder.join(&options.file);
        let connection = open::writer(&path, options)?;
        let (jobs, receiver) = mpsc::channel();
        let counters = Arc::new(Counters::default());
        let ear = Ear::default();
        let recent = Arc::new(Recent::default());
        let site = options.site.0.clone();
        let writer = Writer {
            connection,
            jobs: receiver,
            counters: Arc::clone(&counters),
            ear: Arc::clone(&ear),
            recent: Arc::clone(&recent),
            site: site.clone(),
            closed: false,
            #[cfg(any(test, feature = "tap"))]
            tap: options.tap.clone(),
        };
        let thread = std::thread::Builder::new().name("store-writer".into());
        let writer = thread
            .spawn(move || writer.run())
            .map_err(|error| OpenError::Folder(folder.to_owned(), error))?;
        Ok(Self {
            path,
            site,
            jobs,
            writer: Mutex::new(Some(writer)),
            readers: Mutex::default(),
            recent,
            ear,
            counters,
            lock: Mutex::new(Some(lock)),
        })
    }

    /// Copies the file while it is used; the copy is a whole store of its own.
    ///
    /// Blocks; call it from a thread that may.
    ///
    /// # Errors
    /// The target cannot be written or the source not read.
    pub fn backup(&self, to: &Path) -> Result<(), Error> {
        let failed = |error| Error::Unavailable(Box::new(error));
        let mut target = Connection::open(to).map_err(failed)?;
        self.read(|db| copy::all(db, &mut target))
    }

    /// Copies files of a folder, all as they were at one instant, while another process may own
    /// them; its commits to the first of them are held for that instant.
    ///
    /// Blocks; call it from a thread that may.
    ///
    /// # Errors
    /// A file is not there or cannot be read, or the target cannot be written.
    pub fn copy_files(from: &Path, files: &[&str], to: &Path) -> Result<(), Error> {
        copy::copy(from, files, to).map_err(|error| Error::Unavailable(Box::new(error)))
    }

    /// Takes a file's lock and holds it until the result is dropped: nobody opens the file meanwhile.
    ///
    /// # Errors
    /// Another process owns the file, or the folder cannot be made.
    pub fn hold(folder: &Path, file: &str) -> Result<Lock, OpenError> {
        open::lock(folder, file)
    }

    /// What is wrong with the file, as SQLite's own check tells it; nothing, if it is whole.
    ///
    /// Blocks, and reads the whole file.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn check(&self) -> Result<Vec<String>, Error> {
        self.read(integrity)
    }

    /// As [`Self::check`], for a file that another process may own.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn check_file(path: &Path) -> Result<Vec<String>, Error> {
        let failed = |error| Error::Unavailable(Box::new(error));
        integrity(&open::reader(path).map_err(failed)?).map_err(failed)
    }

    /// What the writer did since the file was opened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counters = &self.counters;
        Counts {
            plans: counters.plans.load(Relaxed),
            refused: counters.refused.load(Relaxed),
            transactions: counters.transactions.load(Relaxed),
            records: counters.records.load(Relaxed),
            facts: counters.facts.load(Relaxed),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    /// Writes rows nobody waits for: with the next transaction, or after `patience`.
    ///
    /// Everything submitted goes through one FIFO: what is durable is a prefix of it.
    pub(crate) fn record(
        &self,
        patience: Duration,
        work: impl FnMut(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) {
        self.submit(Job::Record(Box::new(work), patience, None));
    }

    /// As [`Self::record`]; `then` is called by the writing thread once the rows are durable.
    pub(crate) fn record_then(
        &self,
        patience: Duration,
        work: impl FnMut(&Connection) -> rusqlite::Result<()> + Send + 'static,
        then: impl FnOnce() + Send + 'static,
    ) {
        self.submit(Job::Record(Box::new(work), patience, Some(Box::new(then))));
    }

    /// Writes rows and returns once they are durable.
    pub(crate) async fn write(
        &self,
        work: impl FnMut(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), Error> {
        self.write_later(work).await
    }

    /// As [`Self::write`], but its place in the FIFO is taken at once.
    pub(crate) fn write_later(
        &self,
        work: impl FnMut(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let (answer, verdict) = oneshot::channel();
        self.submit(Job::Write(Box::new(work), answer));
        async { verdict.await.unwrap_or_else(|_| Err(closed())) }
    }

    /// Writes everything submitted and lets the file go; whatever comes later is refused.
    ///
    /// Blocks for as long as the last transaction takes.
    pub fn close(&self) {
        self.submit(Job::Close);
        // The writer is the last to close the file, so it can empty the log into it.
        held(&self.readers).clear();
        // The last handle may go inside a call by the writer itself, which cannot await its end.
        let own = |writer: &JoinHandle<()>| writer.thread().id() == std::thread::current().id();
        let writer = held(&self.writer).take().filter(|writer| !own(writer));
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the store's writer ended by a panic");
        }
        held(&self.lock).take();
    }

    fn submit(&self, job: Job) {
        // A writer that ended drops the job, and with it the answer's sender.
        let _ = self.jobs.send(job);
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close();
    }
}

/// A lock whose holder may have panicked: everything behind these is whole at any time.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, Error> {
        self.get_one(key)
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, Error> {
        let found = self.get_all(keys)?;
        Ok(found.into_iter().map(|known| known.map(Arc::unwrap_or_clone)).collect())
    }

    async fn page(&self, query: &Query) -> Result<Page, Error> {
        self.get_page(query)
    }

    async fn commit(&self, plan: Plan) -> Result<(), Error> {
        let plan = Box::new(Prepared::new(plan)?);
        let (answer, verdict) = oneshot::channel();
        self.submit(Job::Commit(plan, answer));
        verdict.await.unwrap_or_else(|_| Err(closed()))
    }
}

fn closed() -> Error {
    Error::Unavailable("the store is closed".into())
}

fn integrity(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare("PRAGMA integrity_check")?;
    let found: Vec<String> =
        statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}
