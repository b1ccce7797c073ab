//! `mano backup` and `mano restore`: a data folder as a copy that can be put back.

use super::{failure::Failure, print};
use clap::Args;
use mano_embedded::{SqliteStore, store};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where large content lies in a data folder.
const BLOBS: &str = "blobs";

/// `backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The folder to make; it must not be there.
    to: PathBuf,
    /// The data folder of a server that is not running.
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
}

/// What `--help` of both ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano backup /backup/monday --data /var/lib/mano
  mano restore /backup/monday --data /var/lib/mano

A backup is a data folder of its own: both are checked before they are said to be good.";

/// Copies a data folder.
pub(crate) fn backup(asked: &Backup) -> Result<(), Failure> {
    let options = store::Options::default();
    if !asked.data.join(&options.file).is_file() {
        let what =
            format!("{} is not a data folder: it has no {}", asked.data.display(), options.file);
        return Err(Failure::misuse(what).next("name the folder that `mano serve --data` used"));
    }
    fresh(&asked.to)?;
    let store = SqliteStore::open(&asked.data, &options).map_err(|e| Failure::caused(&e.into()))?;
    let target = asked.to.join(&options.file);
    store.backup(&target).map_err(|error| Failure::caused(&error.into()))?;
    // After the records, or they might name content that was not copied.
    copy(&asked.data.join(BLOBS), &asked.to.join(BLOBS))?;
    drop(store);
    whole(&target)?;
    print::line(&format!("{} is a whole copy of {}", asked.to.display(), asked.data.display()))
}

/// Puts a copy back.
pub(crate) fn restore(asked: &Restore) -> Result<(), Failure> {
    let file = store::Options::default().file;
    let source = asked.from.join(&file);
    if !source.is_file() {
        let what = format!("{} is not a backup: it has no {file}", asked.from.display());
        return Err(Failure::misuse(what).next("name the folder that `mano backup` made"));
    }
    whole(&source)?;
    fresh(&asked.data)?;
    let target = asked.data.join(&file);
    fs::copy(&source, &target).map_err(|error| Failure::file("write", &target, &error))?;
    copy(&asked.from.join(BLOBS), &asked.data.join(BLOBS))?;
    whole(&target)?;
    print::line(&format!("{} is as it was at the backup", asked.data.display()))
}

/// Refuses a store that is not whole.
pub(crate) fn whole(file: &Path) -> Result<(), Failure> {
    let found = SqliteStore::check_file(file).map_err(|error| Failure::caused(&error.into()))?;
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{} is damaged: {}", file.display(), found.join("; ")))
        .next("use another backup"))
}

/// Makes a folder that must not hold anything yet.
fn fresh(folder: &Path) -> Result<(), Failure> {
    let unwritable = |error| Failure::file("make", folder, &error);
    fs::create_dir_all(folder).map_err(unwritable)?;
    if fs::read_dir(folder).map_err(unwritable)?.next().is_some() {
        return Err(Failure::misuse(format!("{} is not empty", folder.display()))
            .next("name a folder that is not there yet, so that nothing is overwritten"));
    }
    Ok(())
}

/// Copies the files of a folder and of the folders in it, what is half written excepted.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::file("read", from, &error)),
    };
    fs::create_dir_all(to).map_err(|error| Failure::file("make", to, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file("read", from, &error))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(|error| Failure::file("copy", &source, &error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_put_back_as_it_was() {
        let room = tempfile::tempdir().unwrap();
        let [data, copy, again] = ["data", "copy", "again"].map(|name| room.path().join(name));
        let options = store::Options::default();
        drop(SqliteStore::open(&data, &options).unwrap());
        fs::create_dir_all(data.join("blobs/vnf")).unwrap();
        fs::write(data.join("blobs/vnf/x.csar"), "content").unwrap();
        backup(&Backup { to: copy.clone(), data }).unwrap();
        restore(&Restore { from: copy, data: again.clone() }).unwrap();
        assert_eq!(fs::read(again.join("blobs/vnf/x.csar")).unwrap(), b"content");
        SqliteStore::open(&again, &options).unwrap();
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_is_invented() {
        let room = tempfile::tempdir().unwrap();
        let (data, full) = (room.path().join("data"), room.path().join("full"));
        drop(SqliteStore::open(&data, &store::Options::default()).unwrap());
        fs::create_dir_all(full.join("x")).unwrap();
        let failure = backup(&Backup { to: full.clone(), data }).unwrap_err();
        assert!(failure.to_string().contains("is not empty"), "{failure}");
        let nothing = Backup { to: room.path().join("copy"), data: full };
        assert_eq!(backup(&nothing).unwrap_err().status(), 2);
    }

    #[test]
    fn a_store_in_use_is_left_alone() {
        let room = tempfile::tempdir().unwrap();
        let data = room.path().join("data");
        let _owner = SqliteStore::open(&data, &store::Options::default()).unwrap();
        let failure = backup(&Backup { to: room.path().join("copy"), data }).unwrap_err();
        assert!(failure.to_string().contains("in use by another process"), "{failure}");
    }
}
