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
const LOOKS: [&str; 2] = ["/operations/redrive", "/onboardings/redrive"];

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
    next: Option<String>,
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
            let told = closed.iter().map(|run| row(run, "over, unheard", "told to its record"));
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
    let mut asked = path.to_owned();
    loop {
        let answer = mano.client.ask(Method::POST, Api::Mano, &asked, None)?.body;
        let told: Told = serde_json::from_value(answer).map_err(|error| {
            Failure::new(format!("the answer is not what was asked for: {error}"))
                .at(format!("POST {asked}"))
        })?;
        all.started.extend(told.started);
        all.closed.extend(told.closed);
        all.running += told.running;
        let Some(next) = told.next else { return Ok(()) };
        asked = format!("{path}?after={}", segment(&next));
        if !mano.quiet {
            note(&format!("{}; more are looked at", summary(all)));
        }
    }
}

fn summary(told: &Told) -> String {
    let Told { started, closed, running, .. } = told;
    format!(
        "{} started again, {} told to their records, {running} go on",
        started.len(),
        closed.len()
    )
}
