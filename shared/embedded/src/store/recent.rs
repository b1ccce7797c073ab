//! Documents written or read a moment ago, or missed, so that the next step need not read again.
//!
//! ```text
//!   writer:  hold(keys) ─▶ COMMIT ─▶ changed(documents)   a held key is read from the file
//!   reader:  find ─▶ miss, epoch ─▶ reads the file ─▶ keep, unless something changed meanwhile
//! ```
//!
//! The file is the truth. One lock over everything, so that several documents asked for at once
//! are told as they were at one instant.

use lru::LruCache;
use mano_model::plan::Key;
use mano_ports::store::Stored;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// So many bytes of documents are kept.
const BYTES: usize = 16 << 20;

/// A document, or that there is none.
pub(crate) type Known = Option<Arc<Stored>>;

/// When something was looked for in vain: what is read then may be kept, if nothing changed since.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoch(u64);

/// The documents kept, shared by the writer and all readers.
pub(crate) struct Recent(Mutex<Inner>);

struct Inner {
    documents: LruCache<Key, Known>,
    bytes: usize,
    /// Keys of the transaction that is being committed: only the file knows what they are.
    held: HashSet<Key>,
    epoch: u64,
}

impl Default for Recent {
    fn default() -> Self {
        let documents = LruCache::unbounded();
        Self(Mutex::new(Inner { documents, bytes: 0, held: HashSet::new(), epoch: 0 }))
    }
}

impl Recent {
    /// What is known of all these documents, in order, if it is known of every one.
    pub(crate) fn find(&self, keys: &[Key]) -> Result<Vec<Known>, Epoch> {
        let mut inner = self.lock();
        let epoch = Epoch(inner.epoch);
        keys.iter().map(|key| inner.documents.get(key).cloned().ok_or(epoch)).collect()
    }

    /// Keeps what was read from the file, unless anything changed since the epoch.
    pub(crate) fn keep(&self, read: impl Iterator<Item = (Key, Known)>, since: Epoch) {
        let mut inner = self.lock();
        if inner.epoch == since.0 {
            for (key, known) in read {
                if !inner.held.contains(&key) {
                    inner.put(key, known);
                }
            }
        }
    }

    /// These documents are about to change.
    pub(crate) fn hold<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        let mut inner = self.lock();
        inner.epoch += 1;
        for key in keys {
            inner.forget(key);
            inner.held.insert(key.clone());
        }
    }

    /// They have changed, or (with nothing) they have not after all.
    pub(crate) fn changed(&self, changes: Vec<(Key, Known)>) {
        let mut inner = self.lock();
        inner.epoch += 1;
        inner.held.clear();
        for (key, known) in changes {
            inner.put(key, known);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn put(&mut self, key: Key, known: Known) {
        self.forget(&key);
        self.bytes += size(&key, &known);
        self.documents.put(key, known);
        while self.bytes > BYTES
            && let Some((key, known)) = self.documents.pop_lru()
        {
            self.bytes -= size(&key, &known);
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some(known) = self.documents.pop(key) {
            self.bytes -= size(key, &known);
        }
    }
}

/// What an entry takes, its key twice and the list's own included.
fn size(key: &Key, known: &Known) -> usize {
    known.as_ref().map_or(0, |stored| stored.body.len()) + 2 * key.id.len() + 256
}

#[cfg(test)]
mod tests {
    use super::*;
    use mano_model::{TenantId, plan::Kind};

    fn key(id: &str) -> Key {
        Key { kind: Kind::Vim, tenant: TenantId::new("t"), id: id.into() }
    }

    fn document(id: &str, version: u64, body: &str) -> (Key, Known) {
        let stored = Stored { key: key(id), version, schema: 1, body: body.into() };
        (key(id), Some(Arc::new(stored)))
    }

    fn version(recent: &Recent, id: &str) -> Option<u64> {
        let found = recent.find(&[key(id)]).ok()?;
        found[0].as_ref().map(|stored| stored.version)
    }

    fn missed(recent: &Recent, id: &str) -> Epoch {
        recent.find(&[key(id)]).expect_err("not known")
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let recent = Recent::default();
        let before = missed(&recent, "a");
        recent.hold([key("b")].iter());
        recent.changed(vec![document("b", 1, "{}")]);
        recent.keep([document("a", 1, "old")].into_iter(), before);
        missed(&recent, "a");
    }

    #[test]
    fn a_document_being_committed_is_read_from_the_file_and_not_kept() {
        let recent = Recent::default();
        recent.changed(vec![document("a", 1, "old")]);
        recent.hold([key("a")].iter());
        let during = missed(&recent, "a");
        recent.keep([document("a", 1, "old")].into_iter(), during);
        missed(&recent, "a");
        recent.changed(vec![document("a", 2, "new")]);
        assert_eq!(version(&recent, "a"), Some(2));
    }

    #[test]
    fn documents_are_told_together_or_not_at_all_and_their_absence_too() {
        let recent = Recent::default();
        recent.changed(vec![document("a", 1, "{}")]);
        assert!(recent.find(&[key("a"), key("b")]).is_err());
        recent.changed(vec![(key("b"), None)]);
        let found = recent.find(&[key("a"), key("b")]).expect("both known");
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn the_oldest_documents_make_room() {
        let recent = Recent::default();
        let large = "x".repeat(BYTES / 4);
        for id in ["a", "b", "c", "d"] {
            let epoch = missed(&recent, id);
            recent.keep([document(id, 1, &large)].into_iter(), epoch);
            assert_eq!(version(&recent, "a"), Some(1));
        }
        let kept = ["a", "b", "c", "d"].map(|id| version(&recent, id).is_some());
        assert_eq!(kept, [true, false, true, true]);
    }
}
