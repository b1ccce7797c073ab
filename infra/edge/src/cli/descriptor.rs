//! What VNF packages and NS descriptors have in common: pack, on-board, enable, disable, delete.

use super::{
    Mano, archive,
    client::{Api, segment},
    content,
    failure::Failure,
    find::{Noun, text},
    print::{self, Column, note},
};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};
use tempfile::NamedTempFile;
use ureq::http::Method;

/// What differs between a VNF package and an NS descriptor.
pub(crate) struct Family {
    /// How it is found.
    pub(crate) noun: Noun,
    /// The sub-resource the archive goes to.
    pub(crate) content: &'static str,
    /// The attribute of the on-boarding state.
    pub(crate) onboarding: &'static str,
    /// The attribute of the operational state, as PATCH takes it.
    pub(crate) operational: &'static str,
    /// What its archives hold.
    pub(crate) kind: archive::Kind,
    /// The columns of a list.
    pub(crate) columns: &'static [Column],
}

/// What can be done with one.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make one archive (.csar) of a folder.
    Pack(archive::Pack),
    /// Check archives or folders here, by the same rules as on-boarding, without a server.
    Check(archive::Check),
    /// Upload an archive, or a folder, and wait until it is on-boarded.
    Onboard(Onboard),
    /// List what there is.
    List(List),
    /// Show one in full.
    Show(Which),
    /// Fetch the archive it came as.
    Download(Download),
    /// Allow new instances of it.
    Enable(Which),
    /// Forbid new instances of it; those that exist go on.
    Disable(Which),
    /// Delete it; it must be disabled and not in use.
    Delete(Delete),
}

/// `onboard`
#[derive(Debug, Args)]
pub(crate) struct Onboard {
    /// Archives (.csar, .zip), or folders, which are packed first.
    #[arg(required = true, value_name = "ARCHIVE|FOLDER")]
    paths: Vec<PathBuf>,
    /// Keep the record of an archive that was refused, instead of deleting it.
    #[arg(long)]
    keep: bool,
}

/// `list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only what matches: a filter of SOL013 clause 5.2.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) limit: usize,
}

/// Which one.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its id, the beginning of its id, or its name.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

/// `download`
#[derive(Debug, Args)]
pub(crate) struct Download {
    /// Its id, the beginning of its id, or its name.
    #[arg(value_name = "ID")]
    id: String,
    /// Where to write the archive [default: the id with .csar, here].
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// `delete`
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Its id, the beginning of its id, or its name.
    #[arg(value_name = "ID")]
    id: String,
    /// Disable it first, if it is enabled.
    #[arg(long)]
    disable: bool,
}

impl List {
    /// The path of a container with the filter in it.
    pub(crate) fn path(&self, container: &str) -> String {
        match &self.filter {
            None => container.to_owned(),
            Some(filter) => format!("{container}?filter={}", segment(filter)),
        }
    }
}

impl Family {
    /// Carries a command out.
    pub(crate) fn act(&self, mano: &Mano, action: &Action) -> Result<(), Failure> {
        match action {
            Action::Pack(asked) => archive::pack(asked),
            Action::Check(asked) => archive::check(self.kind, asked),
            Action::Onboard(onboard) => self.onboard(mano, onboard),
            Action::List(list) => list_of(mano, &self.noun, self.columns, list),
            Action::Show(which) => self.show(mano, &which.id),
            Action::Download(asked) => self.download(mano, asked),
            Action::Enable(which) => self.switch(mano, &which.id, "ENABLED"),
            Action::Disable(which) => self.switch(mano, &which.id, "DISABLED"),
            Action::Delete(delete) => self.delete(mano, delete),
        }
    }

    /// On-boards one after the other; the first that is refused ends it.
    fn onboard(&self, mano: &Mano, asked: &Onboard) -> Result<(), Failure> {
        let mut done = Vec::new();
        for path in &asked.paths {
            let info = self.onboard_one(mano, path, asked.keep)?;
            for warning in warnings(&info) {
                note(&format!("warning: {warning}"));
            }
            done.push(info);
        }
        print::many(mano.format, &done, self.columns)
    }

    /// From a path to an on-boarded descriptor.
    pub(crate) fn onboard_one(
        &self,
        mano: &Mano,
        path: &Path,
        keep: bool,
    ) -> Result<Value, Failure> {
        let (mut file, length) = archive::open(path)?;
        let created = mano.client.post(self.noun.api, self.noun.path, &json!({}))?;
        let id = text(&created.body, "id").to_owned();
        let bar = progress(mano, path, length);
        let target = format!("{}/{}", self.noun.at(&id), self.content);
        let uploaded =
            content::send(&mano.client, (self.noun.api, &target), &mut file, length, &bar);
        bar.set_message("checking");
        let onboarded = uploaded.and_then(|()| self.settled(mano, &id, path));
        bar.finish_and_clear();
        if onboarded.is_err() && !keep {
            // The reason is told already; what is left of a refused upload helps nobody.
            let _ = mano.client.delete(self.noun.api, &self.noun.at(&id));
        }
        onboarded
    }

    /// Waits until the archive is on-boarded or refused.
    fn settled(&self, mano: &Mano, id: &str, path: &Path) -> Result<Value, Failure> {
        let mut pause = Duration::from_millis(50);
        loop {
            let info = mano.client.get(self.noun.api, &self.noun.at(id))?;
            let failed = info.get("onboardingFailureDetails").filter(|d| !d.is_null());
            match (text(&info, self.onboarding), failed) {
                ("ONBOARDED", _) => return Ok(info),
                ("ERROR", details) => return Err(refused(path, details)),
                (_, Some(details)) => return Err(refused(path, Some(details))),
                (_, None) => {}
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// One in full.
    fn show(&self, mano: &Mano, typed: &str) -> Result<(), Failure> {
        let id = self.noun.id(&mano.client, typed)?;
        print::one(mano.format, &mano.client.get(self.noun.api, &self.noun.at(&id))?)
    }

    /// Fetches the archive; a file of this name is replaced once all of it is here.
    fn download(&self, mano: &Mano, asked: &Download) -> Result<(), Failure> {
        let id = self.noun.id(&mano.client, &asked.id)?;
        let to = asked.to.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.csar")));
        let unwritable = |error: &io::Error| Failure::file("write", &to, error);
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = NamedTempFile::new_in(folder.unwrap_or_else(|| Path::new(".")))
            .map_err(|error| unwritable(&error))?;
        let bar = progress(mano, &to, 0);
        let source = format!("{}/{}", self.noun.at(&id), self.content);
        let fetched = content::fetch(&mano.client, (self.noun.api, &source), &mut file, &bar);
        bar.finish_and_clear();
        let bytes = fetched?;
        file.persist(&to).map_err(|failed| unwritable(&failed.error))?;
        print::line(&format!("{} holds {bytes} bytes", to.display()))
    }

    /// Enables or disables.
    fn switch(&self, mano: &Mano, typed: &str, state: &str) -> Result<(), Failure> {
        let id = self.noun.id(&mano.client, typed)?;
        self.set(mano, &id, state)?;
        print::line(&format!("{} {id} is {state}", self.noun.what))
    }

    /// Asks for an operational state.
    pub(crate) fn set(&self, mano: &Mano, id: &str, state: &str) -> Result<(), Failure> {
        let body = json!({ self.operational: state });
        let path = self.noun.at(id);
        mano.client.ask(Method::PATCH, self.noun.api, &path, Some(&body)).map(|_| ())
    }

    /// Deletes one.
    fn delete(&self, mano: &Mano, asked: &Delete) -> Result<(), Failure> {
        let id = self.noun.id(&mano.client, &asked.id)?;
        let path = self.noun.at(&id);
        if asked.disable {
            let info = mano.client.get(self.noun.api, &path)?;
            if text(&info, self.operational) == "ENABLED" {
                self.set(mano, &id, "DISABLED")?;
            }
        }
        mano.client.delete(self.noun.api, &path).map_err(|failure| {
            failure.next("disable it first, or use --disable; delete the instances made from it")
        })?;
        print::line(&format!("{} {id} is deleted", self.noun.what))
    }
}

/// Lists a container.
pub(crate) fn list_of(
    mano: &Mano,
    noun: &Noun,
    columns: &[Column],
    asked: &List,
) -> Result<(), Failure> {
    let (found, more) = mano.client.list(noun.api, &asked.path(noun.path), asked.limit)?;
    print::many(mano.format, &found, columns)?;
    if more {
        note(&format!("these are the first {}; see more with --limit", found.len()));
    }
    Ok(())
}

/// A progress bar; indicatif draws none where standard error is not a terminal.
fn progress(mano: &Mano, path: &Path, length: u64) -> ProgressBar {
    if mano.quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes} {msg}");
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let bar = ProgressBar::new(length).with_prefix(name);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// The sentences of a refused archive, each with its file and line where known.
fn refused(path: &Path, details: Option<&Value>) -> Failure {
    let errors = details.and_then(|d| d.get("errors")?.as_array()).filter(|all| !all.is_empty());
    let lines = match errors {
        Some(errors) => errors.iter().map(archive::remark).collect::<Vec<_>>().join("\n       "),
        None => details.map_or("the server does not say why", |d| text(d, "detail")).to_owned(),
    };
    Failure::new(format!("{} was not on-boarded:\n       {lines}", path.display()))
        .next("mend what is named, and on-board it again")
}

/// What on-boarding found odd but took.
fn warnings(info: &Value) -> Vec<String> {
    let found = info.pointer("/_mano/warnings").and_then(Value::as_array);
    found.map(|all| all.iter().map(archive::remark).collect()).unwrap_or_default()
}

/// A noun of the interfaces that hold descriptors.
pub(crate) const fn noun(
    api: Api,
    path: &'static str,
    what: &'static str,
    names: &'static [&'static str],
    listed_by: &'static str,
) -> Noun {
    Noun { api, path, what, names, listed_by }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_archive_says_what_where_and_next() {
        let details = json!({"detail": "first", "errors": [
            {"rule": "T1", "file": "a.yaml", "line": 3, "message": "no vdu 'x'", "help": "Add it."},
            {"rule": "T2", "file": "", "message": "no manifest", "help": ""}]});
        assert_eq!(
            refused(Path::new("router.csar"), Some(&details)).to_string(),
            "error: router.csar was not on-boarded:\n       \
             a.yaml:3: no vdu 'x' (Add it.) [T1]\n       no manifest [T2]\n  \
             next:  mend what is named, and on-board it again"
        );
        let bare = refused(Path::new("x"), Some(&json!({"detail": "first"}))).to_string();
        assert!(bare.contains("first"), "{bare}");
    }

    #[test]
    fn a_filter_travels_encoded() {
        let list = List { filter: Some("(eq,nsdName,a b)".into()), limit: 1 };
        assert_eq!(list.path("/x"), "/x?filter=%28eq%2CnsdName%2Ca%20b%29");
    }
}
