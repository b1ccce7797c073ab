//! `mano op`: operations under way and done, of network services and network functions alike.

mod list;
mod redrive;

use super::{
    Mano,
    client::{Answer, Api},
    descriptor::Which,
    failure::Failure,
    find::{Noun, text},
    print::{self, Column, Format, note},
    tree::{Node, reason},
    watch::{Sink, follow},
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use ureq::http::Method;

/// Operations searched through for the beginning of an id.
const MOST: usize = 10_000;

/// The two kinds of operation occurrences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Of a network service.
    Ns,
    /// Of a network function.
    Vnf,
}

impl Kind {
    /// How its occurrences are found.
    const fn noun(self) -> Noun {
        let (api, path, what) = match self {
            Self::Ns => (Api::NsLcm, "/ns_lcm_op_occs", "NS operation"),
            Self::Vnf => (Api::VnfLcm, "/vnf_lcm_op_occs", "VNF operation"),
        };
        Noun { api, path, what, names: &[], listed_by: "mano op list" }
    }

    /// `NS` or `VNF`.
    const fn label(self) -> &'static str {
        match self {
            Self::Ns => "NS",
            Self::Vnf => "VNF",
        }
    }
}

/// Whether to stay until an operation rests.
#[derive(Debug, Clone, Args)]
pub(crate) struct Wait {
    /// Follow the operation until it rests; the exit status tells how it ended. This is the default.
    #[arg(long, overrides_with = "no_wait")]
    wait: bool,
    /// Print the operation's id and return at once.
    #[arg(long, overrides_with = "wait")]
    no_wait: bool,
}

impl Wait {
    /// Whether not to stay.
    pub(crate) const fn returns_at_once(&self) -> bool {
        self.no_wait
    }
}

/// What can be done with operations.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// List operations, the newest first.
    List(list::List),
    /// Show one in full.
    Show(Which),
    /// Follow one until it rests: a live tree on a terminal, a line per change elsewhere.
    Watch(Which),
    /// Try a failed one (FAILED_TEMP) again; what is done stays done.
    Retry(Handle),
    /// Undo what a failed one (FAILED_TEMP) did.
    Rollback(Handle),
    /// Give a failed one (FAILED_TEMP) up; what it made stays until it is released.
    Fail(Which),
    /// List the messages that nobody could handle, with the reason of the last attempt.
    DeadLetters,
    /// Send a message once more that nobody could handle; with --runs, drive on what stands still.
    Redrive(redrive::Redrive),
}

/// Error handling of an operation.
#[derive(Debug, Args)]
pub(crate) struct Handle {
    /// The operation's id, or its beginning.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    wait: Wait,
}

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano op list --state FAILED_TEMP          what waits for a decision
  mano op watch 3f2a                        by the beginning of the id
  mano op retry 3f2a                        the cause is gone: go on where it stopped
  mano op rollback 3f2a                     undo it
  mano op fail 3f2a                         give it up; mano ns release takes what it left
  mano op dead-letters                      messages that nobody could handle
  mano op redrive 17                        the cause is gone: handle it once more
  mano op redrive --runs                    executions were lost, or a table was restored

Exit status of `watch` and of commands that follow an operation:
  0  it did what it should    1  it ended otherwise, or could not be followed";

const LETTERS: &[Column] = &[
    ("ID", &["/id"]),
    ("QUEUE", &["/queue"]),
    ("OPERATION", &["/body/op"]),
    ("SINCE", &["/at"]),
    ("REASON", &["/reason"]),
];

/// Carries a command out.
pub(crate) fn act(mano: &Mano, action: &Action) -> Result<(), Failure> {
    match action {
        Action::List(asked) => list::list(mano, asked),
        Action::Show(which) => {
            let (_, occurrence) = find(mano, &which.id)?;
            print::one(mano.format, &occurrence)
        }
        Action::Watch(which) => watch(mano, &which.id),
        Action::Retry(asked) => handle(mano, asked, "retry", "COMPLETED"),
        Action::Rollback(asked) => handle(mano, asked, "rollback", "ROLLED_BACK"),
        Action::Fail(which) => fail(mano, &which.id),
        Action::DeadLetters => print::many(mano.format, &dead_letters(mano)?, LETTERS),
        Action::Redrive(asked) => redrive::redrive(mano, asked),
    }
}

/// Says what became of an operation that a command started.
pub(crate) fn started(
    mano: &Mano,
    kind: Kind,
    answer: &Answer,
    wait: &Wait,
) -> Result<(), Failure> {
    ended(mano, kind, answer.created_id()?, wait, "COMPLETED")
}

/// Follows an operation, if that is wanted, and compares its end with what was wanted of it.
fn ended(mano: &Mano, kind: Kind, id: &str, wait: &Wait, goal: &str) -> Result<(), Failure> {
    if wait.returns_at_once() {
        return match mano.format {
            Format::Table => print::line(id),
            Format::Json | Format::Yaml => print::one(mano.format, &json!({ "id": id })),
        };
    }
    if !mano.quiet {
        note(&format!("operation {id}"));
    }
    let tree = follow(mano, id, Sink::Progress)?;
    match mano.format {
        Format::Table if tree.state == goal => print::line(&summary(kind, &tree))?,
        Format::Table => {}
        Format::Json | Format::Yaml => {
            let noun = kind.noun();
            print::one(mano.format, &mano.client.get(noun.api, &noun.at(id))?)?;
        }
    }
    judged(kind, &tree, goal)
}

/// Success, if the operation rests where it should.
pub(crate) fn judged(kind: Kind, tree: &Node, goal: &str) -> Result<(), Failure> {
    if tree.state == goal || (goal == "COMPLETED" && tree.state == "PARTIALLY_COMPLETED") {
        return Ok(());
    }
    let because = tree.reason().map(|r| format!(": {r}")).unwrap_or_default();
    let failure = Failure::new(format!("{}{because}", summary(kind, tree)));
    let id = &tree.id;
    Err(match tree.state.as_str() {
        "FAILED_TEMP" => failure.next(format!(
            "decide: `mano op retry {id}`, `mano op rollback {id}` or `mano op fail {id}`"
        )),
        "FAILED" => failure.next("give back what is left with the `release` command of its kind"),
        _ => failure,
    })
}

/// One sentence about an operation at rest.
fn summary(kind: Kind, tree: &Node) -> String {
    let operation = tree.operation.as_deref().unwrap_or("operation");
    let took = tree.elapsed(None).map(|s| format!(" after {s:.1} s")).unwrap_or_default();
    format!(
        "{operation} of {} {} is {}{took} (operation {})",
        kind.label(),
        tree.called(),
        tree.state,
        tree.id
    )
}

/// The occurrence that `typed` means, whichever kind it is of.
fn find(mano: &Mano, typed: &str) -> Result<(Kind, Value), Failure> {
    let whole = uuid::Uuid::try_parse(typed).is_ok();
    let mut all = Vec::new();
    for kind in [Kind::Ns, Kind::Vnf] {
        let noun = kind.noun();
        if whole {
            if let Some(found) = mano.client.find(noun.api, &noun.at(typed))? {
                return Ok((kind, found));
            }
        } else {
            all.extend(mano.client.list(noun.api, noun.path, MOST)?.0);
        }
    }
    let either = Noun { what: "operation", ..Kind::Ns.noun() };
    let found = either.pick(&all, typed)?;
    let kind = if found.get("nsInstanceId").is_some() { Kind::Ns } else { Kind::Vnf };
    let noun = kind.noun();
    let occurrence = mano.client.get(noun.api, &noun.at(text(found, "id")))?;
    Ok((kind, occurrence))
}

/// Follows one; the tree is the result.
fn watch(mano: &Mano, typed: &str) -> Result<(), Failure> {
    let (kind, occurrence) = find(mano, typed)?;
    let tree = follow(mano, text(&occurrence, "id"), Sink::Result)?;
    judged(kind, &tree, "COMPLETED")
}

/// Retries or rolls back.
fn handle(mano: &Mano, asked: &Handle, task: &str, goal: &str) -> Result<(), Failure> {
    let (kind, occurrence) = find(mano, &asked.id)?;
    let (noun, id) = (kind.noun(), text(&occurrence, "id"));
    mano.client.ask(Method::POST, noun.api, &format!("{}/{task}", noun.at(id)), None)?;
    ended(mano, kind, id, &asked.wait, goal)
}

/// The messages that nobody could handle.
pub(crate) fn dead_letters(mano: &Mano) -> Result<Vec<Value>, Failure> {
    let found = mano.client.get(Api::Mano, "/dead-letters")?;
    Ok(found.as_array().cloned().unwrap_or_default())
}

/// Gives one up.
fn fail(mano: &Mano, typed: &str) -> Result<(), Failure> {
    let (kind, occurrence) = find(mano, typed)?;
    let (noun, id) = (kind.noun(), text(&occurrence, "id"));
    let path = format!("{}/fail", noun.at(id));
    let answer = mano.client.ask(Method::POST, noun.api, &path, None)?;
    match mano.format {
        Format::Json | Format::Yaml => print::one(mano.format, &answer.body),
        Format::Table => {
            let because = answer.body.get("error").and_then(reason);
            let because = because.map(|r| format!(": {r}")).unwrap_or_default();
            print::line(&format!("operation {id} is FAILED{because}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(state: &str) -> Node {
        serde_json::from_value(json!({
            "id": "op-1", "kind": "NS", "operation": "SCALE", "name": "edge", "state": state,
            "startTime": "2026-01-01T00:00:00Z", "stateEnteredTime": "2026-01-01T00:00:03Z",
            "error": {"detail": "no room in east/zone-1"}
        }))
        .unwrap()
    }

    #[test]
    fn a_failed_operation_says_why_and_which_decisions_there_are() {
        let text = judged(Kind::Ns, &node("FAILED_TEMP"), "COMPLETED").unwrap_err().to_string();
        assert_eq!(
            text,
            "error: SCALE of NS edge is FAILED_TEMP after 3.0 s (operation op-1): \
             no room in east/zone-1\n  \
             next:  decide: `mano op retry op-1`, `mano op rollback op-1` or `mano op fail op-1`"
        );
    }

    #[test]
    fn an_operation_is_judged_by_what_was_wanted_of_it() {
        assert!(judged(Kind::Ns, &node("ROLLED_BACK"), "ROLLED_BACK").is_ok());
        assert!(judged(Kind::Ns, &node("ROLLED_BACK"), "COMPLETED").is_err());
        assert!(judged(Kind::Ns, &node("PARTIALLY_COMPLETED"), "COMPLETED").is_ok());
    }
}
