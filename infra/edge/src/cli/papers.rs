//! `mano completions` and `mano man`: made from the command line's own definition.

use super::{Cli, failure::Failure, print};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::{fs, path::PathBuf};

/// `completions`
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// `man`
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for every command into this folder, instead of the first page to the output.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

/// What `completions --help` ends with.
pub(crate) const COMPLETIONS: &str = "\
Examples:
  mano completions bash > /etc/bash_completion.d/mano
  mano completions zsh > ~/.zfunc/_mano
  mano completions fish > ~/.config/fish/completions/mano.fish";

/// What `man --help` ends with.
pub(crate) const MAN: &str = "\
Examples:
  mano man | man -l -
  mano man --dir /usr/local/share/man/man1";

/// Writes the completions of a shell.
pub(crate) fn completions(asked: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut Cli::command(), "mano", &mut script);
    print::line(String::from_utf8_lossy(&script).trim_end())
}

/// Writes the manual.
pub(crate) fn man(asked: &Man) -> Result<(), Failure> {
    let Some(folder) = &asked.dir else {
        let mut page = Vec::new();
        let written = clap_mangen::Man::new(Cli::command()).render(&mut page);
        written.map_err(|error| Failure::new(format!("cannot make the page: {error}")))?;
        return print::line(String::from_utf8_lossy(&page).trim_end());
    };
    let unwritable = |error| Failure::file("write to", folder, &error);
    fs::create_dir_all(folder).map_err(unwritable)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(unwritable)?;
    print::line(&format!("the pages are in {}", folder.display()))
}
