//! The executions in memory, by id, by name and by token.

use super::live::Live;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// What is known of an execution's value.
pub(super) enum State {
    /// It lies in the file.
    Unloaded,
    /// It is here.
    Live(Box<Live>),
    /// It was let go; whoever holds this looks it up again.
    Gone,
}

/// One execution; its lock orders what happens to it. A step that takes long holds it for long,
/// so whoever must not wait only tries.
pub(super) struct Entry {
    pub(super) id: i64,
    state: Arc<Mutex<State>>,
}

/// The lock of an execution, held.
pub(super) type Own = OwnedMutexGuard<State>;

impl Entry {
    pub(super) fn new(id: i64, state: State) -> Arc<Self> {
        Arc::new(Self { id, state: Arc::new(Mutex::new(state)) })
    }

    /// The lock, as soon as it is free; first come, first served.
    pub(super) async fn own(&self) -> Own {
        Arc::clone(&self.state).lock_owned().await
    }

    /// The lock, if it is free now.
    pub(super) fn try_own(&self) -> Option<Own> {
        Arc::clone(&self.state).try_lock_owned().ok()
    }
}

/// Ways to the executions in memory.
///
/// Lock order: an entry before the index, never after; so the two never say different things.
#[derive(Default)]
pub(super) struct Index {
    entries: HashMap<i64, Arc<Entry>>,
    names: HashMap<(String, String), i64>,
    tokens: HashMap<String, i64>,
}

impl Index {
    /// Takes in an execution that just began.
    pub(super) fn insert(&mut self, entry: &Arc<Entry>, workflow: &str, run: &str) {
        self.entries.insert(entry.id, Arc::clone(entry));
        self.name(workflow, run, entry.id);
    }

    /// The entry of an execution, made if it is not there.
    pub(super) fn enter(&mut self, id: i64) -> Arc<Entry> {
        let entry = self.entries.entry(id);
        Arc::clone(entry.or_insert_with(|| Entry::new(id, State::Unloaded)))
    }

    /// The entry of an execution, if it is here.
    pub(super) fn get(&self, id: i64) -> Option<Arc<Entry>> {
        self.entries.get(&id).map(Arc::clone)
    }

    pub(super) fn named(&self, workflow: &str, run: &str) -> Option<i64> {
        self.names.get(&(workflow.to_owned(), run.to_owned())).copied()
    }

    pub(super) fn name(&mut self, workflow: &str, run: &str, id: i64) {
        self.names.insert((workflow.to_owned(), run.to_owned()), id);
    }

    pub(super) fn waiter(&self, token: &str) -> Option<i64> {
        self.tokens.get(token).copied()
    }

    pub(super) fn wait(&mut self, tokens: Vec<String>, id: i64) {
        self.tokens.extend(tokens.into_iter().map(|token| (token, id)));
    }

    pub(super) fn wait_no_more(&mut self, tokens: &[String]) {
        for token in tokens {
            self.tokens.remove(token);
        }
    }

    /// Forgets an execution and its tokens.
    pub(super) fn let_go(&mut self, live: &Live) {
        for token in live.pending.tokens.keys() {
            self.tokens.remove(token);
        }
        self.names.remove(&(live.about.workflow.clone(), live.about.name.clone()));
        self.entries.remove(&live.about.id);
    }

    /// Forgets an entry that turned out to be of nothing.
    pub(super) fn forget(&mut self, id: i64) {
        self.entries.remove(&id);
    }

    /// Everything that is here.
    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        self.entries.values().map(Arc::clone).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
