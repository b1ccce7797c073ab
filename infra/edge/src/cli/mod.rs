//! The command line: what `mano` understands, and where each word leads.
//!
//! Everything but `serve` and `demo` is a client of the public interfaces: what
//! the command line can do, any other program can do as well.

mod archive;
mod backup;
mod blobs;
mod client;
mod connection;
mod content;
mod definition;
mod demo;
mod descriptor;
mod doctor;
mod failure;
mod find;
#[cfg(test)]
mod golden;
mod instance;
mod ns;
mod nsd;
mod op;
mod package;
mod papers;
mod print;
mod rehearsal;
mod serving;
mod tree;
mod vim;
mod vnf;
mod watch;
mod workflow;

use clap::{Parser, Subcommand};
use client::Client;
use connection::Connection;
use failure::Failure;
use print::Format;
use std::process::ExitCode;

/// A workflow engine and NFV orchestrator in one program.
///
/// `mano serve` runs the orchestrator; the other commands talk to one, through its public
/// interfaces (ETSI NFV-SOL 003 and 005, and /mano/v1).
#[derive(Debug, Parser)]
#[command(name = "mano", version, arg_required_else_help = true)]
#[command(after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    connection: Connection,
    /// How results are written.
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t = Format::Table,
        help_heading = "Output"
    )]
    output: Format,
    /// No progress, only results and errors.
    #[arg(short, long, global = true, help_heading = "Output")]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

/// What `--help` ends with.
const EXAMPLES: &str = "\
A first walk:
  mano serve                                in one terminal; in another:
  mano vim add east                         a simulated VIM
  mano package onboard router.csar          a VNF package (or its folder)
  mano nsd onboard service.csar             an NS made of it
  mano ns create edge-service --name east-1
  mano ns instantiate east-1                follows the operation until it rests
  mano ns show east-1
  mano ns terminate east-1

Things are named by id, by the beginning of an id, or by name.

Exit status:
  0  done    1  not done: the error says what, where, and what to do next    2  misused";

/// The nouns.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the orchestrator: every function and every workflow in this process.
    #[command(after_help = serving::EXAMPLES)]
    Serve(Box<crate::serve::Options>),
    /// Show the whole story on this machine: deploy, scale, lose, heal, fail, roll back, clean up.
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::Asked),
    /// VNF packages.
    #[command(
        subcommand,
        after_help = package::EXAMPLES,
        mut_subcommand("list", |list| filtered_like(list, package::FILTER))
    )]
    Package(descriptor::Action),
    /// NS descriptors.
    #[command(
        subcommand,
        after_help = nsd::EXAMPLES,
        mut_subcommand("list", |list| filtered_like(list, nsd::FILTER))
    )]
    Nsd(descriptor::Action),
    /// Network services.
    #[command(
        subcommand,
        after_help = ns::EXAMPLES,
        mut_subcommand("list", |list| filtered_like(list, ns::FILTER))
    )]
    Ns(ns::Action),
    /// Network functions.
    #[command(
        subcommand,
        after_help = vnf::EXAMPLES,
        mut_subcommand("list", |list| filtered_like(list, vnf::FILTER))
    )]
    Vnf(vnf::Action),
    /// Operations: follow, retry, roll back.
    #[command(subcommand, after_help = op::EXAMPLES)]
    Op(op::Action),
    /// Infrastructure managers.
    #[command(subcommand, after_help = vim::EXAMPLES)]
    Vim(vim::Action),
    /// Workflows and their runs.
    #[command(subcommand, after_help = workflow::EXAMPLES)]
    Workflow(workflow::Action),
    /// Look for what needs a person: undecided operations, resources nobody accounts for.
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::Asked),
    /// Copy a data folder, also while its server runs.
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::Backup),
    /// Put a copy of a data folder back.
    #[command(after_help = backup::EXAMPLES)]
    Restore(backup::Restore),
    /// Write the completions of a shell.
    #[command(after_help = papers::COMPLETIONS)]
    Completions(papers::Completions),
    /// Write the manual page.
    #[command(after_help = papers::MAN)]
    Man(papers::Man),
}

/// Gives a `list` command an example of a filter that its own kind of thing understands.
fn filtered_like(list: clap::Command, example: &'static str) -> clap::Command {
    list.mut_arg("filter", |filter| {
        let help = filter.get_help().map(ToString::to_string).unwrap_or_default();
        filter.help(format!("{help}, like '{example}'"))
    })
}

/// What every client command works with.
struct Mano {
    client: Client,
    format: Format,
    quiet: bool,
}

/// Reads the arguments, does what they say, and tells how it went.
#[must_use]
pub fn run() -> ExitCode {
    match act(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::note(&failure.to_string());
            ExitCode::from(failure.status())
        }
    }
}

/// Does what the arguments say.
fn act(cli: &Cli) -> Result<(), Failure> {
    let client = Client::new(&cli.connection)?;
    let mano = &Mano { client, format: cli.output, quiet: cli.quiet };
    match &cli.command {
        Command::Serve(options) => serving::act(options),
        Command::Demo(asked) => demo::act(asked, cli.quiet),
        Command::Package(action) => package::FAMILY.act(mano, action),
        Command::Nsd(action) => nsd::FAMILY.act(mano, action),
        Command::Ns(action) => ns::act(mano, action),
        Command::Vnf(action) => vnf::act(mano, action),
        Command::Op(action) => op::act(mano, action),
        Command::Vim(action) => vim::act(mano, action),
        Command::Workflow(action) => workflow::act(mano, action),
        Command::Doctor(asked) => doctor::act(mano, asked),
        Command::Backup(asked) => backup::backup(asked),
        Command::Restore(asked) => backup::restore(asked),
        Command::Completions(asked) => papers::completions(asked),
        Command::Man(asked) => papers::man(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, error::ErrorKind};

    /// Every command, with the words that lead to it.
    fn walk(command: &clap::Command, path: &str, see: &mut impl FnMut(&str, &clap::Command)) {
        see(path, command);
        for sub in command.get_subcommands() {
            walk(sub, &format!("{path} {}", sub.get_name()), see);
        }
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_argument_says_what_it_is_for() {
        walk(&Cli::command(), "mano", &mut |path, command| {
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path} {}", argument.get_id());
            }
        });
    }

    #[test]
    fn every_noun_gives_examples_that_parse() {
        let mut seen = 0;
        walk(&Cli::command(), "mano", &mut |path, command| {
            let Some(help) = command.get_after_help() else { return };
            for line in help.to_string().replace("\\\n", " ").lines() {
                let Some(words) = line.trim().strip_prefix("mano ") else { continue };
                let example = words.split("  ").next().unwrap_or_default();
                let example = example.split([';', '|', '>']).next().unwrap_or_default();
                for one in example.split("&& mano ") {
                    seen += 1;
                    let args = format!("mano {}", one.replace("'a machine is gone'", "gone"));
                    let args = args.split_whitespace().filter(|w| *w != "&&");
                    let parsed = Cli::try_parse_from(args);
                    assert!(parsed.is_ok(), "{path}: {one}: {}", parsed.unwrap_err());
                }
            }
        });
        assert!(seen > 30, "{seen}");
    }

    #[test]
    fn options_may_stand_anywhere() {
        let cli =
            Cli::try_parse_from(["mano", "ns", "list", "-o", "json", "--endpoint", "http://h"]);
        let cli = cli.unwrap();
        assert_eq!((cli.output, cli.connection.endpoint.as_str()), (Format::Json, "http://h"));
    }

    #[test]
    fn what_cannot_be_meant_is_misuse() {
        for words in [
            "ns scale x out --aspect a --steps 0",
            "vnf scale x in --aspect a --steps 0",
            "serve --connections 0",
            "serve --connections 99999999999999999999",
            "serve --api-root foo",
            "serve --api-root mano.example",
            "serve --api-root ftp://mano.example",
            "serve --api-root http://",
            "serve --api-root https://mano.example/?a=b",
            "serve --api-root https://mano.example/#a",
            "op list --state DONE",
        ] {
            let error = Cli::try_parse_from(format!("mano {words}").split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{words}: {error}");
        }
        for words in [
            "ns scale x out --aspect a --steps 2",
            "serve --connections 1",
            "serve --api-root https://mano.example:8443/prefix/",
            "serve --api-root http://[::1]:8080",
            "op list --state starting",
        ] {
            let parsed = Cli::try_parse_from(format!("mano {words}").split(' '));
            assert!(parsed.is_ok(), "{words}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn the_last_word_on_waiting_counts() {
        for (args, no_wait) in
            [(&["--wait", "--no-wait"][..], true), (&["--no-wait", "--wait"], false), (&[], false)]
        {
            let all = ["mano", "ns", "terminate", "x"].iter().chain(args);
            let cli = Cli::try_parse_from(all).unwrap();
            let Command::Ns(ns::Action::Terminate(task)) = cli.command else { panic!() };
            assert_eq!(task.no_wait(), no_wait, "{args:?}");
        }
    }

    #[test]
    fn a_word_that_is_not_known_is_misuse() {
        let error = Cli::try_parse_from(["mano", "ns", "instanciate", "x"]).unwrap_err();
        assert_eq!((error.kind(), error.exit_code()), (ErrorKind::InvalidSubcommand, 2));
        assert!(error.to_string().contains("instantiate"), "{error}");
    }
}
