//! Objects, ordered as JavaScript orders them.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{DROP_DEPTH, Value, drop_deep};

/// An object; cloning it shares the members.
#[derive(Clone)]
pub struct Object(Arc<Members>);

struct Members {
    members: Vec<(Arc<str>, Value)>,
    depth: u32,
    /// Positions sorted by key, made when a large object is asked often.
    sorted: OnceLock<Box<[u32]>>,
    asked: AtomicU32,
}

/// Up to this many members are looked through one by one.
const FEW: usize = 12;
/// A larger object is sorted once it has been asked this often.
const OFTEN: u32 = 4;

impl Object {
    /// The member of that name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let members = &self.0.members;
        if members.len() <= FEW || !self.asked_often() {
            return members.iter().find(|(name, _)| &**name == key).map(|(_, value)| value);
        }
        let sorted = self.0.sorted.get_or_init(|| sort(members));
        let found = sorted.binary_search_by(|at| members[*at as usize].0.as_ref().cmp(key)).ok()?;
        Some(&members[sorted[found] as usize].1)
    }

    fn asked_often(&self) -> bool {
        self.0.sorted.get().is_some() || self.0.asked.fetch_add(1, Ordering::Relaxed) >= OFTEN
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.0.members.iter().map(|(key, value)| (key, value))
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.0.members.len()
    }

    /// Whether it is `{}`.
    pub fn is_empty(&self) -> bool {
        self.0.members.is_empty()
    }

    pub(crate) fn depth(&self) -> u32 {
        self.0.depth
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Where it is kept: tells this very object from equal ones while it lives.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    pub(crate) fn dismantle(mut self, waiting: &mut Vec<Value>) {
        if let Some(members) = Arc::get_mut(&mut self.0) {
            waiting.extend(members.members.drain(..).map(|(_, value)| value));
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "an object has fewer than 2^32 members")]
fn sort(members: &[(Arc<str>, Value)]) -> Box<[u32]> {
    let mut sorted: Vec<u32> = (0..members.len() as u32).collect();
    sorted.sort_unstable_by(|a, b| members[*a as usize].0.cmp(&members[*b as usize].0));
    sorted.into_boxed_slice()
}

impl Drop for Members {
    fn drop(&mut self) {
        if self.depth > DROP_DEPTH {
            drop_deep(self.members.drain(..).map(|(_, value)| value).collect());
        }
    }
}

impl FromIterator<(Arc<str>, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(members: I) -> Self {
        let mut builder = Builder::default();
        for (key, value) in members {
            builder.put(key, value);
        }
        builder.finish()
    }
}

/// An object being made: a key put twice keeps its first place and its last value.
#[derive(Default)]
pub(crate) struct Builder {
    members: Vec<(Arc<str>, Value)>,
    places: HashMap<Arc<str>, usize>,
}

impl Builder {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { members: Vec::with_capacity(capacity), places: HashMap::new() }
    }

    pub(crate) fn put(&mut self, key: Arc<str>, value: Value) {
        match self.place(&key) {
            Some(place) => self.members[place].1 = value,
            None => {
                if !self.places.is_empty() {
                    self.places.insert(key.clone(), self.members.len());
                }
                self.members.push((key, value));
            }
        }
    }

    pub(crate) fn place(&mut self, key: &str) -> Option<usize> {
        if self.members.len() <= FEW {
            return self.members.iter().position(|(name, _)| &**name == key);
        }
        if self.places.is_empty() {
            let keys = self.members.iter().enumerate();
            self.places = keys.map(|(place, (name, _))| (name.clone(), place)).collect();
        }
        self.places.get(key).copied()
    }

    pub(crate) fn finish(mut self) -> Object {
        if self.members.iter().any(|(key, _)| array_index(key).is_some()) {
            // Stable: the others keep the order they came in.
            self.members.sort_by_key(|(key, _)| array_index(key).unwrap_or(u32::MAX));
        }
        let depth = 1 + self.members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0);
        Object(Arc::new(Members {
            members: self.members,
            depth,
            sorted: OnceLock::new(),
            asked: AtomicU32::new(0),
        }))
    }
}

/// The number a key such as `7` stands for, which JavaScript lists before other keys.
pub(crate) fn array_index(key: &str) -> Option<u32> {
    let bytes = key.as_bytes();
    if bytes.len() > 10 || !bytes.first()?.is_ascii_digit() || (bytes[0] == b'0' && key != "0") {
        return None;
    }
    key.parse::<u32>().ok().filter(|index| *index != u32::MAX)
}
