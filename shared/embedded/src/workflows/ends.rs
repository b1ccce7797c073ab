//! The ends of executions: letting them go, and telling whoever is interested.

use super::{
    Engine,
    index::State,
    live::{execution_arn, machine_arn},
    rows::{self, About},
};
use mano_asl::Ending;
use mano_ports::{function, store::Error, workflows::Run};
use serde_json::json;
use std::time::Duration;

impl Engine {
    /// The end of an execution is durable, or needs not be; called by the store's writing thread
    /// or under the execution's lock, so it waits for nothing.
    pub(super) fn ended(&self, about: &About, ending: Ending) {
        let id = about.id;
        let entry = self.index().get(id);
        if let Some(entry) = entry {
            match entry.try_own() {
                Some(mut state) => self.dismiss(id, &mut state),
                None => self.spawn(move |engine| async move {
                    let mut state = entry.own().await;
                    engine.dismiss(id, &mut state);
                }),
            }
        }
        let told = about.link.is_told(ending.status);
        let listener = self.listeners().remove(&id);
        if let Some(listener) = listener {
            // Whoever waited may have gone.
            let _ = listener.send(ending);
        }
        if told {
            self.tell(id);
        }
    }

    /// Lets an execution go that is over.
    pub(super) fn dismiss(&self, id: i64, state: &mut State) {
        match state {
            State::Live(live) if live.is_over() => self.index().let_go(live),
            // It was redriven.
            State::Live(_) => return,
            State::Unloaded | State::Gone => self.index().forget(id),
        }
        *state = State::Gone;
        self.wheel().forget(id);
    }

    /// Tells of an end, until everybody interested has heard it.
    pub(super) fn tell(&self, id: i64) {
        self.spawn(move |engine| async move {
            let mut pause = Duration::from_millis(100);
            while let Some(world) = engine.world.get() {
                let Some(inside) = world.gate.enter() else { return };
                match engine.say(id).await {
                    Ok(true) => {
                        engine.store.record(Duration::from_secs(1), move |db| rows::told(db, id));
                        return;
                    }
                    Ok(false) => {}
                    Err(error) => tracing::error!(%error, id, "an execution cannot be read"),
                }
                drop(inside);
                tokio::select! {
                    () = engine.clock.sleep(pause) => {}
                    () = world.gate.closing() => return,
                }
                pause = (pause * 2).min(Duration::from_secs(60));
            }
        });
    }

    /// Tells of an end once; whether everybody has heard it.
    async fn say(&self, id: i64) -> Result<bool, Error> {
        let Some((link, over)) = rows::link(&self.store, id)? else { return Ok(true) };
        if !over {
            // It was redriven; its next end is told.
            return Ok(true);
        }
        self.tell_family(id, &link).await?;
        if !link.is_news(rows::ending(&self.store, id)?.status) {
            return Ok(true);
        }
        let event = change(&rows::run(&self.store, id)?);
        let dispatch = self.world.get().and_then(|world| world.dispatch.upgrade());
        match dispatch {
            Some(dispatch) => Ok(dispatch.event(&event).await.is_ok()),
            None => Ok(false),
        }
    }
}

/// The status-change event of an execution, as EventBridge brings it.
fn change(run: &Run) -> function::Event {
    let arn = execution_arn(&run.workflow, &run.name);
    let mut detail = json!({
        "executionArn": arn,
        "stateMachineArn": machine_arn(&run.workflow),
        "stateMachineName": run.workflow,
        "name": run.name,
        "status": run.status,
        "startDate": run.start_date.as_millisecond(),
        "stopDate": run.stop_date.map(jiff::Timestamp::as_millisecond),
        "input": run.input.to_string(),
    });
    for (name, text) in [("error", &run.error), ("cause", &run.cause)] {
        if let Some(text) = text {
            detail[name] = text.clone().into();
        }
    }
    function::Event {
        id: format!("{arn}#{}", run.status),
        source: "aws.states".into(),
        detail_type: "Step Functions Execution Status Change".into(),
        detail,
        principal: None,
    }
}
