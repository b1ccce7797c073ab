//! `mano backup` and `mano restore`: a data folder as a copy that can be put back.
//!
//! ```text
//!   content that is there ─▶ records, all of one instant ─▶ content that came since ─▶ list
//! ```
//!
//! Content is made and removed, never changed: both looks at it together find all that the records
//! name.

use super::{failure::Failure, print};
use crate::sum;
use clap::Args;
use mano_embedded::{SqliteStore, store};
use mano_ports::hex::hex;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io,
    path::{Component, Path, PathBuf},
};

/// Where large content lies in a data folder.
const BLOBS: &str = "blobs";
/// The memory of simulated VIMs.
const SIMULATED: &str = "sim.db";
/// What a backup holds, in the backup.
const LIST: &str = "backup.json";
/// Where a restore puts what was there.
const REPLACED: &str = "replaced-";

/// `backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The folder to make; it must not be there.
    to: PathBuf,
    /// The data folder; its server may run.
    #[arg(long, value_name = "DIR", default_value = "mano-data", env = "MANO_DATA")]
    data: PathBuf,
}

/// `restore`
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The folder that `mano backup` made.
    from: PathBuf,
    /// The data folder to make; it must not be there.
    #[arg(long, value_name = "DIR", default_value = "mano-data", env = "MANO_DATA")]
    data: PathBuf,
    /// Put the copy in the place of a data folder that is there; what it holds is moved into a
    /// folder within it.
    #[arg(long)]
    replace: bool,
}

/// What `--help` of both ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano backup /backup/monday --data /var/lib/mano     the server may run
  mano doctor --backup /backup/monday                 is it whole?
  mano restore /backup/monday --data /var/lib/mano

A backup holds the records, the memory of simulated VIMs and all content, with a list of digests;
it is checked when it is made and before it is put back. Operations that were under way go on
when a server starts on what was put back.";

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Contents {
    /// What made it.
    software: String,
    /// Every file.
    files: Vec<Part>,
}

/// One file of a backup.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    /// Below the backup's folder, with slashes.
    path: String,
    /// In bytes.
    size: u64,
    /// In hexadecimal digits.
    sha256: String,
}

/// Copies a data folder, whoever uses it.
pub(crate) fn backup(asked: &Backup) -> Result<(), Failure> {
    let main = store::Options::default().file;
    if !asked.data.join(&main).is_file() {
        let what = format!("{} is not a data folder: it has no {main}", asked.data.display());
        return Err(Failure::misuse(what).next("name the folder that `mano serve --data` used"));
    }
    fresh(&asked.to)?;
    let (from, to) = (asked.data.join(BLOBS), asked.to.join(BLOBS));
    add(&from, &to)?;
    let mut stores = vec![&*main];
    stores.extend(asked.data.join(SIMULATED).is_file().then_some(SIMULATED));
    SqliteStore::copy_files(&asked.data, &stores, &asked.to)
        .map_err(|error| Failure::caused(&error.into()))?;
    add(&from, &to)?;
    list(&asked.to)?;
    check(&asked.to)?;
    print::line(&format!("{} is a whole copy of {}", asked.to.display(), asked.data.display()))
}

/// Puts a copy back.
pub(crate) fn restore(asked: &Restore) -> Result<(), Failure> {
    let contents = check(&asked.from)?;
    if !asked.replace {
        fresh(&asked.data)?;
    }
    let main = store::Options::default().file;
    let owned = SqliteStore::hold(&asked.data, &main);
    let _owned = owned.map_err(|error| Failure::caused(&error.into()))?;
    if asked.replace {
        move_aside(&asked.data)?;
    }
    // The records come last: until then, no server would take the folder for a whole one.
    let (records, others): (Vec<_>, Vec<_>) =
        contents.files.iter().partition(|part| part.path == main);
    for part in others.into_iter().chain(records) {
        put(&asked.from.join(&part.path), &asked.data.join(&part.path))?;
    }
    whole(&asked.data.join(&main))?;
    print::line(&format!("{} is as it was at the backup", asked.data.display()))
}

/// Refuses a backup in which anything is missing or other than it was; what it holds.
pub(crate) fn check(folder: &Path) -> Result<Contents, Failure> {
    let list = folder.join(LIST);
    let text = fs::read(&list).map_err(|error| {
        Failure::misuse(format!("{} is not a backup: {LIST}: {error}", folder.display()))
            .next("name the folder that `mano backup` made; a copy that was cut has no list")
    })?;
    let damaged = |what: String| Failure::new(what).next("use another backup");
    let contents: Contents = serde_json::from_slice(&text)
        .map_err(|error| damaged(format!("{} is damaged: {error}", list.display())))?;
    for part in &contents.files {
        let inside = |part| matches!(part, Component::Normal(_));
        if !Path::new(&part.path).components().all(inside) {
            return Err(damaged(format!("{} names '{}'", list.display(), part.path)));
        }
        let found = measured(folder, &part.path)?;
        if (found.size, &found.sha256) != (part.size, &part.sha256) {
            let path = folder.join(&part.path);
            return Err(damaged(format!("{} is not what was copied", path.display())));
        }
    }
    for part in contents.files.iter().filter(|part| part.path.ends_with(".db")) {
        whole(&folder.join(&part.path))?;
    }
    Ok(contents)
}

/// Refuses a store that is not whole.
pub(crate) fn whole(file: &Path) -> Result<(), Failure> {
    let unreadable = format!("{} cannot be read", file.display());
    let found = SqliteStore::check_file(file)
        .map_err(|error| Failure::caused(&anyhow::Error::from(error).context(unreadable)))?;
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{} is damaged: {}", file.display(), found.join("; ")))
        .next("use another backup"))
}

/// Refuses records of a data folder that are not whole.
pub(crate) fn whole_folder(folder: &Path) -> Result<(), Failure> {
    whole(&folder.join(store::Options::default().file))?;
    let simulated = folder.join(SIMULATED);
    if simulated.is_file() { whole(&simulated) } else { Ok(()) }
}

/// Makes a folder that must not hold anything yet.
fn fresh(folder: &Path) -> Result<(), Failure> {
    let unwritable = |error| Failure::file("make", folder, &error);
    fs::create_dir_all(folder).map_err(unwritable)?;
    if fs::read_dir(folder).map_err(unwritable)?.next().is_some() {
        return Err(Failure::misuse(format!("{} is not empty", folder.display())).next(
            "name a folder that is not there yet; `restore` also takes --replace and keeps what \
             was there",
        ));
    }
    Ok(())
}

/// Moves what a data folder holds into a folder within it.
fn move_aside(data: &Path) -> Result<(), Failure> {
    let names = names(data)?;
    let stays = |name: &&String| !name.ends_with(".lock") && !name.starts_with(REPLACED);
    let moving: Vec<_> = names.iter().filter(stays).collect();
    if moving.is_empty() {
        return Ok(());
    }
    let free = (1..).map(|n| data.join(format!("{REPLACED}{n}"))).find(|path| !path.exists());
    let Some(aside) = free else { return Ok(()) };
    fs::create_dir(&aside).map_err(|error| Failure::file("make", &aside, &error))?;
    for name in moving {
        let source = data.join(name);
        fs::rename(&source, aside.join(name))
            .map_err(|error| Failure::file("move", &source, &error))?;
    }
    print::note(&format!("what was there is now in {}", aside.display()));
    Ok(())
}

/// The names in a folder; none if it is not there.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::file("read", folder, &error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // What has another name than text is not ours.
        names.extend(entry.map_err(failed)?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Copies the files below a folder that are not there yet, what is half written excepted.
fn add(from: &Path, to: &Path) -> Result<(), Failure> {
    for name in names(from)?.iter().filter(|name| !name.starts_with('.')) {
        let (source, target) = (from.join(name), to.join(name));
        if source.is_dir() {
            add(&source, &target)?;
        } else if !target.exists() {
            put(&source, &target)?;
        }
    }
    Ok(())
}

/// Copies a file so that it outlives a power cut; one that has just been removed is left out.
fn put(source: &Path, target: &Path) -> Result<(), Failure> {
    let folder = target.parent().unwrap_or(target);
    fs::create_dir_all(folder).map_err(|error| Failure::file("make", folder, &error))?;
    match fs::copy(source, target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        copied => copied
            .and_then(|_| File::open(target)?.sync_all())
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(|error| Failure::file("copy", source, &error)),
    }
}

/// Writes down what a backup holds.
fn list(folder: &Path) -> Result<(), Failure> {
    let mut paths = Vec::new();
    walk(folder, "", &mut paths)?;
    let files: Result<Vec<_>, _> = paths.iter().map(|path| measured(folder, path)).collect();
    let software = format!("mano {}", env!("CARGO_PKG_VERSION"));
    let text = serde_json::to_vec_pretty(&Contents { software, files: files? }).unwrap_or_default();
    let to = folder.join(LIST);
    fs::write(&to, text)
        .and_then(|()| File::open(&to)?.sync_all())
        .map_err(|error| Failure::file("write", &to, &error))
}

/// The paths of all files below a folder.
fn walk(folder: &Path, below: &str, paths: &mut Vec<String>) -> Result<(), Failure> {
    for name in names(&folder.join(below))? {
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        match folder.join(&path).is_dir() {
            true => walk(folder, &path, paths)?,
            false => paths.push(path),
        }
    }
    Ok(())
}

/// A file of a backup as it is.
fn measured(folder: &Path, path: &str) -> Result<Part, Failure> {
    let place = folder.join(path);
    let read = || -> io::Result<Part> {
        let (sum, size) = sum::of_all(&mut File::open(&place)?)?;
        Ok(Part { path: path.to_owned(), size, sha256: hex(&sum) })
    };
    read().map_err(|error| Failure::file("read", &place, &error).next("use another backup"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data folder with some content.
    fn data(room: &Path) -> PathBuf {
        let data = room.join("data");
        drop(SqliteStore::open(&data, &store::Options::default()).unwrap());
        fs::create_dir_all(data.join("blobs/content")).unwrap();
        fs::write(data.join("blobs/content/x"), "content").unwrap();
        data
    }

    fn copy_of(room: &Path) -> PathBuf {
        let to = room.join("copy");
        backup(&Backup { to: to.clone(), data: data(room) }).unwrap();
        to
    }

    #[test]
    fn a_backup_is_put_back_as_it_was() {
        let room = tempfile::tempdir().unwrap();
        let again = room.path().join("again");
        let from = copy_of(room.path());
        restore(&Restore { from, data: again.clone(), replace: false }).unwrap();
        assert_eq!(fs::read(again.join("blobs/content/x")).unwrap(), b"content");
        SqliteStore::open(&again, &store::Options::default()).unwrap();
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_is_invented() {
        let room = tempfile::tempdir().unwrap();
        let (data, full) = (data(room.path()), room.path().join("full"));
        fs::create_dir_all(full.join("x")).unwrap();
        let failure = backup(&Backup { to: full.clone(), data: data.clone() }).unwrap_err();
        assert!(failure.to_string().contains("is not empty"), "{failure}");
        let nothing = Backup { to: room.path().join("copy"), data: full };
        assert_eq!(backup(&nothing).unwrap_err().status(), 2);
        let from = copy_of(&room.path().join("other"));
        let failure = restore(&Restore { from, data, replace: false }).unwrap_err();
        assert!(failure.to_string().contains("--replace"), "{failure}");
    }

    #[test]
    fn what_is_replaced_is_kept() {
        let room = tempfile::tempdir().unwrap();
        let from = copy_of(room.path());
        let data = room.path().join("data");
        fs::write(data.join("blobs/content/y"), "later").unwrap();
        restore(&Restore { from, data: data.clone(), replace: true }).unwrap();
        assert!(!data.join("blobs/content/y").exists());
        assert_eq!(fs::read(data.join("replaced-1/blobs/content/y")).unwrap(), b"later");
    }

    #[test]
    fn a_folder_in_use_is_copied_and_not_replaced() {
        let room = tempfile::tempdir().unwrap();
        let data = data(room.path());
        let _owner = SqliteStore::open(&data, &store::Options::default()).unwrap();
        let from = room.path().join("copy");
        backup(&Backup { to: from.clone(), data: data.clone() }).unwrap();
        let failure = restore(&Restore { from, data, replace: true }).unwrap_err();
        assert!(failure.to_string().contains("in use by another process"), "{failure}");
    }

    #[test]
    fn a_backup_that_is_not_whole_is_refused() {
        let room = tempfile::tempdir().unwrap();
        let from = copy_of(room.path());
        fs::write(from.join("blobs/content/x"), "CONTENT").unwrap();
        let said = check(&from).unwrap_err().to_string();
        assert!(said.contains("content/x is not what was copied"), "{said}");
        fs::remove_file(from.join("blobs/content/x")).unwrap();
        assert!(check(&from).unwrap_err().to_string().contains("cannot read"));
        fs::remove_file(from.join(LIST)).unwrap();
        assert_eq!(check(&from).unwrap_err().status(), 2);
    }
}
