//! `mano demo`: the whole story, told while it happens, against a server of its own.
//!
//! Everything it does it does through the public interfaces, as any client would.

mod story;
mod timeline;

use super::{
    Mano, client::Client, connection::Connection, failure::Failure, print::Format, serving::runtime,
};
use crate::serve::{Options, serve};
use clap::Args;
use std::{fs, net::SocketAddr, path::Path, path::PathBuf};

include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// `demo`
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Also draw the timeline into this SVG file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// How long a simulated VIM takes for a machine, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 400)]
    pace: u64,
}

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano demo                                 needs nothing: server, VIMs and packages are its own
  mano demo --svg timeline.svg

It ends with exit status 1 if anything went otherwise than told, or if anything was left at a VIM.";

/// Starts a server in a fresh folder, tells the story against it, and stops it.
pub(crate) fn act(asked: &Asked, quiet: bool) -> Result<(), Failure> {
    let room = tempfile::tempdir()
        .map_err(|error| Failure::new(format!("cannot make a temporary folder: {error}")))?;
    let packages = unpacked(room.path())?;
    let runtime = runtime()?;
    let options = Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data: room.path().join("data"),
        ..Options::default()
    };
    let running = runtime.block_on(serve(options)).map_err(|error| Failure::caused(&error))?;
    let to = Connection { endpoint: running.url(), token: None, iam: false, ca: None };
    let told = Client::new(&to).and_then(|client| {
        let mano = Mano { client, format: Format::Table, quiet };
        story::tell(&mano, &packages, asked)
    });
    let stopped = runtime.block_on(running.stop()).map_err(|error| Failure::caused(&error));
    told.and(stopped)
}

/// The example packages as folders.
fn unpacked(room: &Path) -> Result<PathBuf, Failure> {
    let packages = room.join("packages");
    for (name, content) in PACKAGES {
        let path = packages.join(name);
        let folder = path.parent().unwrap_or(&packages);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, content))
            .map_err(|error| Failure::file("write", &path, &error))?;
    }
    Ok(packages)
}
