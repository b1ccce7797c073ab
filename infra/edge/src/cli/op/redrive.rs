//! `mano op redrive`: what fell out of the engine's hands is taken up again.

use super::super::{
    Mano,
    client::{Api, segment},
    failure::Failure,
    print::{self, Column, Format, note},
};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Method;

/// What looks at runs, and drives on those that stand still.
const LOOKS: [&str; 1] = ["/operations/redrive"];

const COLUMNS: &[Column] = &[("RUN", &["/run"]), ("WAS", &["/was"]), ("NOW", &["/now"])];

/// `redrive`
#[derive(Debug, Args)]
pub(crate) struct Redrive {
    /// The message's id, as `dead-letters` shows it.
    #[arg(value_name = "ID", required_unless_present = "runs")]
    id: Option<String>,
    /// Not a message, but all that is under way and stands still, as after a restore: a run that is
    /// gone is started again, the end of one that nobody heard of is told.
    #[arg(long, conflicts_with = "id")]
    runs: bool,
}

/// What a look found.
#[derive(Debug, Default, Deserialize)]
struct Told {
    started: Vec<String>,
    closed: Vec<String>,
    running: u64,
    more: bool,
}

/// Carries the command out.
pub(super) fn redrive(mano: &Mano, asked: &Redrive) -> Result<(), Failure> {
    match &asked.id {
        Some(id) => message(mano, id),
        None => runs(mano),
    }
}

fn message(mano: &Mano, id: &str) -> Result<(), Failure> {
    let path = format!("/dead-letters/{}/redrive", segment(id));
    mano.client.ask(Method::POST, Api::Mano, &path, None)?;
    print::line(&format!("message {id} is handled once more"))
}

fn runs(mano: &Mano) -> Result<(), Failure> {
    let mut all = Told::default();
    for path in LOOKS {
        look(mano, path, &mut all)?;
    }
    let Told { started, closed, running, .. } = &all;
    match mano.format {
        Format::Json | Format::Yaml => print::one(
            mano.format,
            &json!({ "started": started, "closed": closed, "running": running }),
        ),
        Format::Table => {
            let row = |run: &String, was, now| json!({ "run": run, "was": was, "now": now });
            let anew = started.iter().map(|run| row(run, "gone", "started again"));
            let told = closed.iter().map(|run| row(run, "over, unheard", "told to its operation"));
            let rows: Vec<Value> = anew.chain(told).collect();
            if !rows.is_empty() {
                print::many(mano.format, &rows, COLUMNS)?;
            }
            print::line(&summary(&all))
        }
    }
}

/// Asks until all that is under way was looked at.
fn look(mano: &Mano, path: &str, all: &mut Told) -> Result<(), Failure> {
    loop {
        let answer = mano.client.ask(Method::POST, Api::Mano, path, None)?.body;
        let told: Told = serde_json::from_value(answer).map_err(|error| {
            Failure::new(format!("the answer is not what was asked for: {error}"))
                .at(format!("POST {path}"))
        })?;
        let (came_further, more) = (!told.started.is_empty() || !told.closed.is_empty(), told.more);
        all.started.extend(told.started);
        all.closed.extend(told.closed);
        if !more {
            // Each look begins anew, and counts what goes on since the one before.
            all.running += told.running;
            return Ok(());
        }
        if !came_further {
            let what =
                format!("looking at {} runs that go on takes all of a request", told.running);
            let next = "ask again when some of them are over: mano op redrive --runs";
            return Err(Failure::new(format!("{what}: {}", summary(all))).next(next));
        }
        if !mano.quiet {
            note(&format!("{}; more are looked at", summary(all)));
        }
    }
}

fn summary(told: &Told) -> String {
    let Told { started, closed, running, .. } = told;
    format!(
        "{} started again, {} told to their operations, {running} go on",
        started.len(),
        closed.len()
    )
}
