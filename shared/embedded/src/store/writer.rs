//! The one thread that writes: takes jobs in the order they came, many to a transaction.
//!
//! ```text
//!   commit ─┐                    ┌─ check, apply ─┐
//!   record ─┼─▶ one FIFO ─▶ batch ┼─ check, apply ─┼─▶ one COMMIT (one fsync) ─▶ answers
//!   mark   ─┘                    └─ apply ────────┘
//! ```
//!
//! What is durable is always a prefix of what was submitted. A batch ends when the FIFO is
//! empty and somebody waits, so a lone commit is not delayed and a crowd shares one fsync.

use super::{
    Counters,
    commit::Prepared,
    facts::Due,
    recent::{Known, Recent},
};
use mano_model::plan::Key;
use mano_ports::store::Error;
use rusqlite::{Connection, ErrorCode};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Something written with the connection; run again if its transaction failed.
pub(crate) type Work = Box<dyn FnMut(&Connection) -> rusqlite::Result<()> + Send>;

/// Called by the writing thread once a record is durable; must not block.
pub(crate) type Then = Box<dyn FnOnce() + Send>;

/// One thing to write.
pub(crate) enum Job {
    /// A plan; somebody waits for the answer.
    Commit(Box<Prepared>, oneshot::Sender<Result<(), Error>>),
    /// Rows of a component of ours; somebody waits for the answer.
    Write(Work, oneshot::Sender<Result<(), Error>>),
    /// Rows nobody waits for; they stay in memory at most this long.
    Record(Work, Duration, Option<Then>),
    /// Nothing more will come: write what came before, and end.
    Close,
}

/// At most so many jobs share a transaction: bounds how long the first one waits.
const BATCH: usize = 512;

/// Where facts go, as they are committed.
pub(crate) type Ear = Arc<Mutex<Option<Box<dyn Fn(Vec<Due>) + Send>>>>;

/// The thread's own things.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) ear: Ear,
    pub(crate) recent: Arc<Recent>,
    pub(crate) site: String,
    /// Nobody can submit any more.
    pub(crate) closed: bool,
    #[cfg(any(test, feature = "tap"))]
    pub(crate) tap: Option<Tap>,
}

/// Called between two transactions, in tests that kill the process there.
#[cfg(any(test, feature = "tap"))]
#[derive(Clone)]
pub struct Tap(pub Arc<dyn Fn() + Send + Sync>);

#[cfg(any(test, feature = "tap"))]
impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

/// A job's own answer.
type Verdict = Result<(), Error>;

/// What a transaction leaves to do once it is durable.
#[derive(Default)]
struct Done {
    answers: Vec<(oneshot::Sender<Verdict>, Verdict)>,
    facts: Vec<Due>,
    thens: Vec<Then>,
    changes: Vec<(Key, Known)>,
    plans: u64,
    records: u64,
}

impl Writer {
    /// Works until nobody can submit any more and everything submitted is written.
    pub(crate) fn run(mut self) {
        let mut batch = Vec::new();
        while self.fill(&mut batch) {
            if !batch.is_empty() {
                self.write(&mut batch);
            }
            if self.closed {
                if !batch.is_empty() {
                    let records = batch.len();
                    tracing::error!(records, "closed before the file took writes again");
                }
                return;
            }
        }
    }

    /// Collects a batch; false: nothing is left and nothing will come.
    fn fill(&mut self, batch: &mut Vec<Job>) -> bool {
        if batch.is_empty() {
            let Ok(first) = self.jobs.recv() else { return false };
            self.add(batch, first);
        }
        let begun = Instant::now();
        loop {
            while batch.len() < self.batch() && !self.closed {
                match self.jobs.try_recv() {
                    Ok(job) => self.add(batch, job),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => {
                        self.closed = true;
                        return true;
                    }
                }
            }
            let patience = batch.iter().map(patience).min().unwrap_or_default();
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() || batch.len() >= self.batch() || self.closed {
                return true;
            }
            match self.jobs.recv_timeout(left) {
                Ok(job) => self.add(batch, job),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    fn add(&mut self, batch: &mut Vec<Job>, job: Job) {
        match job {
            Job::Close => self.closed = true,
            Job::Commit(..) | Job::Write(..) | Job::Record(..) => batch.push(job),
        }
    }

    /// The most jobs of one transaction.
    fn batch(&self) -> usize {
        #[cfg(any(test, feature = "tap"))]
        if self.tap.is_some() {
            return 1;
        }
        BATCH
    }

    /// Writes the batch in one transaction; what must not be lost stays in it on failure.
    fn write(&mut self, batch: &mut Vec<Job>) {
        let mut done = Done::default();
        match self.transaction(batch, &mut done) {
            Ok(()) => {
                batch.clear();
                self.finish(done);
            }
            Err(error) => self.one_by_one(batch, &error),
        }
    }

    fn transaction(&self, batch: &mut Vec<Job>, done: &mut Done) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut verdicts = Vec::with_capacity(batch.len());
        for job in batch.iter_mut() {
            verdicts.push(self.apply(&transaction, job, done)?);
        }
        self.recent.hold(done.changes.iter().map(|(key, _)| key));
        if let Err(error) = transaction.commit() {
            self.recent.changed(Vec::new());
            return Err(error);
        }
        self.recent.changed(std::mem::take(&mut done.changes));
        #[cfg(any(test, feature = "tap"))]
        if let Some(tap) = &self.tap {
            (tap.0)();
        }
        for (job, verdict) in batch.drain(..).zip(verdicts) {
            match job {
                Job::Commit(_, answer) | Job::Write(_, answer) => {
                    done.answers.push((answer, verdict));
                }
                Job::Record(_, _, then) => done.thens.extend(then),
                Job::Close => {}
            }
        }
        Ok(())
    }

    /// The job's own verdict inside, a failure of the file outside.
    fn apply(
        &self,
        connection: &Connection,
        job: &mut Job,
        done: &mut Done,
    ) -> rusqlite::Result<Verdict> {
        match job {
            Job::Commit(plan, _) => {
                done.plans += 1;
                plan.apply(connection, &self.site, &mut done.facts, &mut done.changes)
            }
            Job::Write(work, _) | Job::Record(work, ..) => {
                done.records += 1;
                work(connection).map(Ok)
            }
            Job::Close => Ok(Ok(())),
        }
    }

    /// Answers, counts and announces what is now durable.
    fn finish(&self, done: Done) {
        let counters = &self.counters;
        counters.transactions.fetch_add(1, Relaxed);
        counters.plans.fetch_add(done.plans, Relaxed);
        counters.records.fetch_add(done.records, Relaxed);
        counters.facts.fetch_add(done.facts.len() as u64, Relaxed);
        for (answer, verdict) in done.answers {
            if verdict.is_err() {
                counters.refused.fetch_add(1, Relaxed);
            }
            // Whoever asked may have gone; the commit stands.
            let _ = answer.send(verdict);
        }
        for then in done.thens {
            then();
        }
        if !done.facts.is_empty()
            && let Some(ear) = &*self.ear.lock().unwrap_or_else(PoisonError::into_inner)
        {
            ear(done.facts);
        }
    }

    /// After a failed transaction: each job alone, so that only the one at fault fails.
    ///
    /// A record is never passed over while the file fails: later ones would be durable
    /// without it. It stays first in the batch and is tried again; commits are refused, so
    /// their callers decide.
    fn one_by_one(&mut self, batch: &mut Vec<Job>, error: &rusqlite::Error) {
        tracing::warn!(%error, jobs = batch.len(), "a transaction failed; trying each job alone");
        let mut jobs = std::mem::take(batch).into_iter();
        while let Some(job) = jobs.next() {
            let mut alone = vec![job];
            let mut done = Done::default();
            match self.transaction(&mut alone, &mut done) {
                Ok(()) => self.finish(done),
                Err(error) => match alone.pop() {
                    Some(Job::Commit(_, answer) | Job::Write(_, answer)) => {
                        let _ = answer.send(Err(Error::Unavailable(Box::new(error))));
                    }
                    Some(record @ Job::Record(..)) if may_pass(&error) => {
                        tracing::error!(%error, "records wait for the file to take writes again");
                        batch.push(record);
                        batch.extend(jobs.by_ref());
                        refuse_waiting(batch);
                        std::thread::sleep(Duration::from_millis(200));
                    }
                    Some(Job::Record(..) | Job::Close) | None => {
                        tracing::error!(%error, "a record was dropped: it can never be written");
                    }
                },
            }
        }
    }
}

/// Answers those who wait behind a record that cannot be written.
fn refuse_waiting(batch: &mut Vec<Job>) {
    let waiting = std::mem::take(batch);
    for job in waiting {
        match job {
            Job::Commit(_, answer) | Job::Write(_, answer) => {
                let full = "the file takes no writes just now; is the disk full?";
                let _ = answer.send(Err(Error::Unavailable(full.into())));
            }
            record @ Job::Record(..) => batch.push(record),
            Job::Close => {}
        }
    }
}

/// How long a job may wait for others to share its transaction.
fn patience(job: &Job) -> Duration {
    match job {
        Job::Commit(..) | Job::Write(..) | Job::Close => Duration::ZERO,
        Job::Record(_, patience, _) => *patience,
    }
}

/// Whether the failure is of the disk, which may pass, or of the statement, which will not.
fn may_pass(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
        )
    )
}
