//! `mano op list`: the newest operations of both kinds.

use super::{Kind, Mano};
use crate::cli::{
    descriptor,
    failure::Failure,
    find::text,
    print::{self, Column, note},
};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::Value;
use std::cmp::Reverse;

/// `list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only operations of network services, or only of network functions.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Only those in this state.
    #[arg(long, value_name = "STATE", value_enum, ignore_case = true)]
    state: Option<State>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
}

/// The states of both kinds, as ETSI writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
enum State {
    /// It waits for its grant; network functions only.
    Starting,
    /// Work is under way.
    Processing,
    /// Everything asked for exists.
    Completed,
    /// Enough of what was asked for exists; network services only.
    PartiallyCompleted,
    /// Work stopped; it waits for a decision.
    FailedTemp,
    /// Closed without success.
    Failed,
    /// What was done is being undone.
    RollingBack,
    /// Everything done has been undone.
    RolledBack,
}

impl State {
    /// As it stands in an occurrence.
    fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

const COLUMNS: &[Column] = &[
    ("ID", &["/id"]),
    ("KIND", &["/kind"]),
    ("OPERATION", &["/lcmOperationType", "/operation"]),
    ("INSTANCE", &["/nsInstanceId", "/vnfInstanceId"]),
    ("STATE", &["/operationState"]),
    ("STARTED", &["/startTime"]),
];

/// The newest of what comes in any order; no more is held than twice what is wanted, and a page.
struct Newest {
    limit: usize,
    found: Vec<Value>,
    more: bool,
}

impl Newest {
    const fn new(limit: usize) -> Self {
        Self { limit, found: Vec::new(), more: false }
    }

    /// Takes a page.
    fn take(&mut self, page: impl IntoIterator<Item = Value>) {
        self.found.extend(page);
        if self.found.len() / 2 > self.limit {
            self.cut();
        }
    }

    /// Leaves no more than is wanted, the newest first.
    fn cut(&mut self) {
        let started = |op: &Value| text(op, "startTime").parse::<Timestamp>().ok();
        self.found.sort_by_cached_key(|op| Reverse(started(op)));
        self.more |= self.found.len() > self.limit;
        self.found.truncate(self.limit);
    }
}

/// Lists both kinds together.
pub(super) fn list(mano: &Mano, asked: &List) -> Result<(), Failure> {
    let mut newest = Newest::new(asked.limit);
    for kind in [Kind::Ns, Kind::Vnf] {
        if asked.kind.is_some_and(|only| only != kind) {
            continue;
        }
        let filter = asked.state.map(|state| format!("(eq,operationState,{})", state.word()));
        let noun = kind.noun();
        let path = descriptor::List { filter, limit: asked.limit }.path(noun.path);
        // The server has them in the order of their ids, which tells nothing of their age.
        mano.client.pages(noun.api, &path, |mut page, _| {
            page.iter_mut().for_each(|op| op["kind"] = kind.label().into());
            newest.take(page);
            true
        })?;
    }
    newest.cut();
    print::many(mano.format, &newest.found, COLUMNS)?;
    if newest.more {
        note(&format!("these are the newest {}; see more with --limit", newest.found.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mano_model::{ns, op::state::Lifecycle, vnf};
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn the_states_are_those_of_both_kinds() {
        let ours: BTreeSet<String> = State::value_variants().iter().map(|s| s.word()).collect();
        let ns = ns::op_state::State::ALL.iter().map(|state| state.as_str().to_owned());
        let vnf = vnf::op_state::State::ALL.iter().map(|state| state.as_str().to_owned());
        assert_eq!(ours, ns.chain(vnf).collect());
    }

    /// Operations that began so many seconds, tenths even, after another.
    fn began(at: &[&str]) -> Vec<Value> {
        at.iter().map(|at| json!({"startTime": format!("2026-01-01T00:00:{at}Z")})).collect()
    }

    fn newest(limit: usize, pages: &[&[&str]]) -> (Vec<Value>, bool) {
        let mut newest = Newest::new(limit);
        pages.iter().for_each(|page| newest.take(began(page)));
        newest.cut();
        (newest.found, newest.more)
    }

    #[test]
    fn the_newest_are_told_whatever_page_they_are_on() {
        let pages: &[&[&str]] = &[&["03", "01"], &["09", "02"], &["04"], &["08", "05"]];
        assert_eq!(newest(2, pages), (began(&["09", "08"]), true));
        assert_eq!(newest(7, pages).0, began(&["09", "08", "05", "04", "03", "02", "01"]));
        assert!(!newest(7, pages).1);
        assert_eq!(newest(0, pages), (Vec::new(), true));
        assert!(!newest(0, &[]).1);
    }

    #[test]
    fn a_time_with_fewer_digits_is_not_taken_for_a_later_one() {
        assert_eq!(newest(2, &[&["03", "03.25", "03.2"]]).0, began(&["03.25", "03.2"]));
    }
}
