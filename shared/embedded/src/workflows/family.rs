//! How executions stand to each other: children of distributed Maps, nested executions, and
//! what is written of each.

use super::{
    Engine,
    live::{execution_arn, machine_arn},
    rows::{self, About},
};
use mano_asl::{ChildId, Ending, Event, Start, Status};
use mano_ports::store::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What is written of an execution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Keeps {
    /// Standard: everything that came from outside, before anything follows from it.
    #[default]
    Everything,
    /// Asynchronous Express: that it began and how it ended. A crash runs it again from its start.
    Ends,
    /// Synchronous Express: nothing; a crash ends it.
    Nothing,
}

/// An execution that a distributed Map started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Offspring {
    pub(super) parent: i64,
    pub(super) child: ChildId,
    /// How it starts; its input lies in a place of its own.
    pub(super) start: Start,
}

/// Whom the end of a nested execution is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Waiter {
    pub(super) token: String,
    /// `.sync:2`: input and output are JSON, not text.
    pub(super) parsed: bool,
}

/// How an execution stands to others.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    pub(super) keeps: Keeps,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offspring: Option<Box<Offspring>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waiter: Option<Waiter>,
    /// The key of the call that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// The ended execution whose name it takes over.
    #[serde(skip)]
    pub(super) replaces: Option<i64>,
}

impl Link {
    /// An execution that stands alone.
    pub(super) fn alone(keeps: Keeps) -> Self {
        Self { keeps, ..Self::default() }
    }

    pub(super) fn offspring(&self) -> Option<&Offspring> {
        self.offspring.as_deref()
    }

    /// As it is written; most executions stand alone.
    pub(super) fn text(&self) -> Option<String> {
        let alone = self.keeps == Keeps::Everything
            && self.offspring.is_none()
            && self.waiter.is_none()
            && self.key.is_none();
        if alone { None } else { serde_json::to_string(self).ok() }
    }

    pub(super) fn read(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// Whether somebody is told of an end with this status.
    pub(super) fn is_told(&self, status: Status) -> bool {
        self.offspring.is_some() || self.waiter.is_some() || self.is_news(status)
    }

    /// Whether an end with this status is an event for everybody.
    pub(super) fn is_news(&self, status: Status) -> bool {
        status != Status::Succeeded && self.keeps == Keeps::Everything && self.offspring.is_none()
    }
}

impl Engine {
    /// Starts the child of a distributed Map, unless it was started already.
    pub(super) async fn raise(
        &self,
        parent: i64,
        definition: i64,
        child: ChildId,
        mut start: Start,
    ) -> Result<(), Error> {
        let (workflow, name) = (start.state_machine_name.clone(), start.name.clone());
        if self.index().named(&workflow, &name).is_some() {
            return Ok(());
        }
        let replaces = match rows::find(&self.store, &workflow, &name)? {
            None => None,
            Some(old) => match self.is_child(old, parent, child)? {
                Some(over) => {
                    if over {
                        self.tell(old);
                    }
                    return Ok(());
                }
                // The child of an earlier try, before a redrive.
                None => Some(old),
            },
        };
        if let Some(old) = replaces {
            self.event(old, Event::Stop { error: None, cause: None }).await?;
            if self.goes_on(old, parent, child, &start).await? {
                return Ok(());
            }
        }
        let input = std::mem::take(&mut start.input);
        let keeps = match start.kind {
            mano_asl::Kind::Standard => Keeps::Everything,
            mano_asl::Kind::Express => Keeps::Ends,
        };
        let about = About {
            id: self.next_id(),
            workflow,
            name,
            definition,
            seed: start.seed,
            // Not when its parent asked for it: a crash may lie between.
            started: self.now(),
            input,
            link: Link {
                keeps,
                offspring: Some(Box::new(Offspring { parent, child, start })),
                replaces,
                ..Link::default()
            },
        };
        let known = self.definitions.by_id(&self.store, definition)?;
        if let Some((id, next)) = self.launch(about, known, false).await? {
            self.follow(id, next).await;
        }
        Ok(())
    }

    /// Lets the child of an earlier try go on where it failed, with the history it has; whether it
    /// did. Express ones have none, and start anew.
    async fn goes_on(
        &self,
        old: i64,
        parent: i64,
        child: ChildId,
        start: &Start,
    ) -> Result<bool, Error> {
        if start.kind != mano_asl::Kind::Standard {
            return Ok(false);
        }
        // What it went through must be written before it is read.
        self.store.write(|_| Ok(())).await?;
        match self.revive(old, |live| live.becomes(parent, child, &start.input)).await {
            Ok(Some(next)) => {
                self.follow(old, next).await;
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => {
                tracing::warn!(%error, old, "a child cannot go on where it failed; it starts anew");
                Ok(false)
            }
        }
    }

    /// If it is this child: whether it is over.
    fn is_child(&self, id: i64, parent: i64, child: ChildId) -> Result<Option<bool>, Error> {
        let found = rows::link(&self.store, id)?;
        Ok(found.and_then(|(link, over)| {
            let own =
                link.offspring().is_some_and(|one| one.parent == parent && one.child == child);
            own.then_some(over)
        }))
    }

    /// Stops a child whose parent does not wait for it any more.
    pub(super) fn mind_parent(&self, id: i64, parent: i64, child: ChildId) {
        self.spawn(move |engine| async move {
            let awaited = engine.with(parent, move |live| live.awaits(child)).await;
            let stopped = match awaited {
                Ok(Some(true)) => return,
                Ok(Some(false) | None) => {
                    engine.event(id, Event::Stop { error: None, cause: None }).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = stopped {
                tracing::error!(%error, id, "a child whose Map is over cannot be stopped");
            }
        });
    }

    /// Stops executions that nobody waits for any more.
    pub(super) fn stop_orphans(&self, orphans: Vec<(String, String)>) {
        for (workflow, name) in orphans {
            self.spawn(move |engine| async move {
                let here = engine.index().named(&workflow, &name);
                let id = match here {
                    Some(id) => Ok(Some(id)),
                    None => rows::find(&engine.store, &workflow, &name),
                };
                let stop = Event::Stop { error: None, cause: None };
                let stopped = match id {
                    Ok(Some(id)) => engine.event(id, stop).await,
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                if let Err(error) = stopped {
                    tracing::error!(%error, name, "an execution nobody awaits cannot be stopped");
                }
            });
        }
    }

    /// Tells whoever awaits the end of an execution.
    pub(super) async fn tell_family(&self, id: i64, link: &Link) -> Result<(), Error> {
        if let Some(Offspring { parent, child, .. }) = link.offspring() {
            let ending = rows::ending(&self.store, id)?;
            let event = Event::ChildFinished { child: *child, ending };
            self.event_behind(*parent, event).await?;
        }
        if let Some(waiter) = &link.waiter {
            let run = rows::run(&self.store, id)?;
            let ending = rows::ending(&self.store, id)?;
            let told = described(&run, &ending, waiter.parsed);
            let token = waiter.token.clone();
            let event = if ending.status == Status::Succeeded {
                Event::TokenSucceeded { token, output: told }
            } else {
                let error = Some("States.TaskFailed".into());
                Event::TokenFailed { token, error, cause: Some(told) }
            };
            self.token(event, &waiter.token).await?;
        }
        Ok(())
    }
}

/// An ended execution as `.sync` tells it, with the fields in AWS's order.
fn described(run: &mano_ports::workflows::Run, ending: &Ending, parsed: bool) -> String {
    let data = |value: &Value| if parsed { value.clone() } else { value.to_string().into() };
    let included = json!({ "Included": true });
    let mut told = Map::new();
    let mut add = |name: &str, value: Value| told.insert(name.into(), value);
    for (name, text) in [("Cause", &ending.cause), ("Error", &ending.error)] {
        if let Some(text) = text {
            add(name, text.clone().into());
        }
    }
    add("ExecutionArn", execution_arn(&run.workflow, &run.name).into());
    add("Input", data(&run.input));
    add("InputDetails", included.clone());
    add("Name", run.name.clone().into());
    if let Some(output) = &run.output {
        add("Output", data(output));
        add("OutputDetails", included);
    }
    add("StartDate", run.start_date.as_millisecond().into());
    add("StateMachineArn", machine_arn(&run.workflow).into());
    add("Status", run.status.clone().into());
    if let Some(stopped) = run.stop_date {
        add("StopDate", stopped.as_millisecond().into());
    }
    Value::Object(told).to_string()
}
