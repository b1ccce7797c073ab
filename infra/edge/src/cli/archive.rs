//! Archives (CSAR) on this machine: made of folders, checked, opened to be sent.

use super::{failure::Failure, find::text, print};
use clap::Args;
use mano_tosca::{Limits, Mode, Package, Refusal, inspect_ns, inspect_vnf, pack::PackError};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Seek,
    path::{Path, PathBuf},
};

/// `pack`
#[derive(Debug, Args)]
pub(crate) struct Pack {
    /// The folder that holds TOSCA-Metadata/TOSCA.meta, or the one .yaml file.
    folder: PathBuf,
    /// Where to write the archive [default: the folder's name with .csar, here].
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Archives (.csar, .zip), or folders, which are packed first.
    #[arg(required = true, value_name = "ARCHIVE|FOLDER")]
    paths: Vec<PathBuf>,
    /// Take nothing that deviates from the standard.
    #[arg(long)]
    strict: bool,
}

/// What an archive must hold to be on-boarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A VNF package.
    Vnf,
    /// An NS descriptor.
    Ns,
}

impl Kind {
    /// What a person calls it.
    const fn what(self) -> &'static str {
        match self {
            Self::Vnf => "a VNF package",
            Self::Ns => "an NS descriptor",
        }
    }

    /// Reads an archive as on-boarding does.
    fn inspect(self, file: File, mode: Mode) -> Result<Package, Refusal> {
        match self {
            Self::Vnf => inspect_vnf(file, mode, Limits::default()).map(|found| found.package),
            Self::Ns => inspect_ns(file, mode, Limits::default()).map(|found| found.package),
        }
    }
}

/// Packs a folder into a file, its manifest's digests made anew.
pub(crate) fn pack(asked: &Pack) -> Result<(), Failure> {
    let to = match &asked.to {
        Some(to) => to.clone(),
        None => default_name(&asked.folder)?,
    };
    // Before the file is made, or a mistyped folder would leave an empty archive.
    mano_tosca::pack::plan(&asked.folder).map_err(unpackable)?;
    let file = File::create(&to).map_err(|error| Failure::file("write", &to, &error))?;
    let packed = mano_tosca::pack::pack(&asked.folder, file).map_err(|error| {
        // Half an archive is worse than none.
        let _ = fs::remove_file(&to);
        unpackable(error)
    })?;
    if packed.signature_removed {
        print::note("warning: the manifest's signature was left out: new digests make it void");
    }
    print::line(&format!("{} holds {} files", to.display(), packed.files.len()))
}

/// Checks archives, all of them, and tells everything that was found.
pub(crate) fn check(kind: Kind, asked: &Check) -> Result<(), Failure> {
    let mode = if asked.strict { Mode::Strict } else { Mode::Lenient };
    let mut wrong = 0;
    for path in &asked.paths {
        let (file, _) = open(path)?;
        let name = path.display();
        match kind.inspect(file, mode) {
            Ok(found) => {
                warn(path, &found.warnings)?;
                let (what, files) = (kind.what(), found.artifacts.len());
                print::line(&format!("{name}: {what} of {files} files, fit for on-boarding"))?;
            }
            Err(refusal) => {
                wrong += 1;
                warn(path, &refusal.warnings)?;
                for error in &refusal.errors {
                    print::line(&format!("{name}: error: {}", remark(&json(error))))?;
                }
            }
        }
    }
    match wrong {
        0 => Ok(()),
        1 => Err(Failure::new("one archive would not be on-boarded").next("mend what is named")),
        many => Err(Failure::new(format!("{many} archives would not be on-boarded"))
            .next("mend what is named")),
    }
}

/// Tells what was found odd but taken.
fn warn(path: &Path, warnings: &[mano_tosca::Finding]) -> Result<(), Failure> {
    let tell = |w| print::line(&format!("{}: warning: {}", path.display(), remark(&json(w))));
    warnings.iter().try_for_each(tell)
}

/// A finding as servers send it.
fn json(finding: &mano_tosca::Finding) -> Value {
    serde_json::to_value(finding).unwrap_or_default()
}

/// `file:line: what was found (what to do) [rule]`, as far as each is known.
pub(crate) fn remark(remark: &Value) -> String {
    let place = match (text(remark, "file"), remark.get("line").and_then(Value::as_u64)) {
        ("", _) => String::new(),
        (file, None) => format!("{file}: "),
        (file, Some(line)) => format!("{file}:{line}: "),
    };
    let help = match text(remark, "help") {
        "" => String::new(),
        help => format!(" ({help})"),
    };
    format!("{place}{}{help} [{}]", text(remark, "message"), text(remark, "rule"))
}

/// The folder's name with `.csar`, in the current folder.
fn default_name(folder: &Path) -> Result<PathBuf, Failure> {
    let full = folder.canonicalize().map_err(|error| Failure::file("read", folder, &error))?;
    let name = full.file_name().ok_or_else(|| {
        Failure::misuse(format!("{} has no name", folder.display())).next("give one with --to")
    })?;
    Ok(PathBuf::from(format!("{}.csar", name.to_string_lossy())))
}

/// The archive to send, and its length; a folder is packed into a file that vanishes after use.
pub(crate) fn open(path: &Path) -> Result<(File, u64), Failure> {
    let unreadable = |error| Failure::file("read", path, &error);
    let file = if path.is_dir() {
        let mut packed = tempfile::tempfile().map_err(unreadable)?;
        mano_tosca::pack::pack(path, &packed).map_err(unpackable)?;
        packed.rewind().map_err(unreadable)?;
        packed
    } else {
        File::open(path).map_err(|error| {
            unreadable(error).next("give a .csar or .zip file, or the folder of a package")
        })?
    };
    let length = file.metadata().map_err(unreadable)?.len();
    Ok((file, length))
}

/// Why a folder is not packed.
fn unpackable(error: PackError) -> Failure {
    Failure::caused(&error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example packages.
    fn example(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
    }

    #[test]
    fn a_folder_is_packed_and_what_is_packed_is_fit() {
        let room = tempfile::tempdir().unwrap();
        let to = room.path().join("router.csar");
        pack(&Pack { folder: example("edge-router"), to: Some(to.clone()) }).unwrap();
        check(Kind::Vnf, &Check { paths: vec![to], strict: false }).unwrap();
        check(Kind::Ns, &Check { paths: vec![example("edge-service")], strict: false }).unwrap();
    }

    #[test]
    fn a_folder_that_is_no_package_leaves_no_file() {
        let room = tempfile::tempdir().unwrap();
        let to = room.path().join("x.csar");
        let failure = pack(&Pack { folder: room.path().into(), to: Some(to.clone()) }).unwrap_err();
        assert!(failure.to_string().contains("TOSCA-Metadata/TOSCA.meta"), "{failure}");
        assert!(!to.exists());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let failure = open(Path::new("no-such.csar")).unwrap_err().to_string();
        assert!(failure.contains("no-such.csar") && failure.contains(".csar or .zip"), "{failure}");
    }

    #[test]
    fn bytes_that_are_no_archive_are_told_and_not_taken() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("x.csar");
        fs::write(&path, b"not a zip").unwrap();
        let failure = check(Kind::Vnf, &Check { paths: vec![path], strict: false }).unwrap_err();
        assert!(failure.to_string().contains("would not be on-boarded"), "{failure}");
    }
}
