//! The blobs of a folder in the order of their names, a page at a time.
//!
//! Folders are read in no order, so a page keeps the first names that fit and lets the others go:
//! it takes memory for itself, whatever lies there.

use jiff::Timestamp;
use mano_ports::{blobs::Listed, workflows::Listing};
use std::{collections::BTreeSet, fs, io, path::Path};

/// Which names are wanted, and the first of them that were found.
struct Page<'a> {
    prefix: &'a str,
    after: Option<&'a str>,
    /// One more than the page holds, to know whether there is another.
    most: usize,
    found: BTreeSet<String>,
}

/// A page of at most `most` blobs.
pub(super) fn page(
    root: &Path,
    prefix: &str,
    after: Option<&str>,
    most: usize,
) -> io::Result<Listing<Listed>> {
    let most = most.max(1);
    let mut page = Page { prefix, after, most: most.saturating_add(1), found: BTreeSet::new() };
    page.walk(root, "")?;
    let more = page.found.len() > most;
    let names: Vec<_> = page.found.into_iter().take(most).collect();
    let next = names.last().filter(|_| more).cloned();
    let mut items = Vec::with_capacity(names.len());
    for name in names {
        // What is deleted meanwhile is not there.
        items.extend(unless_gone(root.join(&name).metadata())?.map(|about| listed(name, &about)));
    }
    Ok(Listing { items, next })
}

impl Page<'_> {
    /// Looks at everything in a folder, whose blobs' names begin with `name`.
    fn walk(&mut self, folder: &Path, name: &str) -> io::Result<()> {
        for entry in unless_gone(fs::read_dir(folder))?.into_iter().flatten() {
            let entry = entry?;
            // What is no name of a blob was not put here as one.
            let Ok(part) = entry.file_name().into_string() else { continue };
            let Some(kind) = unless_gone(entry.file_type())?.filter(|_| !part.starts_with('.'))
            else {
                continue;
            };
            let path = format!("{name}{part}");
            if kind.is_file() {
                self.take(path);
            } else if kind.is_dir() && self.may_hold(&format!("{path}/")) {
                self.walk(&entry.path(), &format!("{path}/"))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, name: String) {
        if name.starts_with(self.prefix) && self.after.is_none_or(|after| *name > *after) {
            self.found.insert(name);
            if self.found.len() > self.most {
                self.found.pop_last();
            }
        }
    }

    /// Whether a name that begins with this may be on the page.
    fn may_hold(&self, beginning: &str) -> bool {
        let fits = beginning.starts_with(self.prefix) || self.prefix.starts_with(beginning);
        let past = self.after.is_some_and(|a| a > beginning && !a.starts_with(beginning));
        let last = self.found.last().filter(|_| self.found.len() >= self.most);
        fits && !past && last.is_none_or(|last| **last > *beginning)
    }
}

fn unless_gone<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

fn listed(name: String, about: &fs::Metadata) -> Listed {
    let modified = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    Listed { name, size: about.len(), modified: modified.unwrap_or(Timestamp::UNIX_EPOCH) }
}
