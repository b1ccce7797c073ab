//! Doing what executions ask for outside, and telling them what came of it.

use super::{Engine, pending::Work};
use mano_asl::{
    Call, Doc, Event, Integration, TaskId,
    host::{self, Answer, Service},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

impl Engine {
    /// Does a piece of work, and what it leads to, one after the other on one task.
    pub(super) fn spawn_work(&self, id: i64, work: Arc<Work>) {
        self.spawn(move |engine| async move {
            let mut next = Some(work);
            while let Some(work) = next {
                next = engine.perform(id, &work).await;
            }
        });
    }

    /// Does one piece of work; the last of what follows, while the others go their own way.
    async fn perform(&self, id: i64, work: &Work) -> Option<Arc<Work>> {
        let world = self.world.get()?;
        let _inside = world.gate.enter()?;
        let _permit = self.permits.acquire().await.ok()?;
        let timeout = match work {
            Work::Call(call) => call.timeout_seconds,
            Work::Read { .. } | Work::Write { .. } => None,
        };
        let event = match timeout {
            None => self.answer(id, work).await?,
            // The engine's own timer tells the execution; a call that hangs is given up here.
            Some(seconds) => tokio::select! {
                event = self.answer(id, work) => event?,
                () = self.clock.sleep(Duration::from_secs(seconds.unsigned_abs())) => return None,
            },
        };
        match self.happen(id, event, false).await {
            Ok(next) => self.go_on(id, next?).await,
            Err(error) => {
                tracing::error!(%error, id, "an execution cannot be read; its call is lost");
                None
            }
        }
    }

    /// What an execution is told of its work; nothing, if its end comes another way.
    async fn answer(&self, id: i64, work: &Work) -> Option<Event> {
        match work {
            Work::Call(call) => self.ask(call).await.event(call),
            Work::Read { task, resource, arguments } => {
                Some(self.read_items(id, *task, resource, arguments).await)
            }
            Work::Write { task, arguments, files } => {
                Some(self.write_results(id, *task, arguments, files).await)
            }
        }
    }

    /// Makes a call of the service that offers it.
    async fn ask(&self, call: &Call) -> Answer {
        let name = host::name(call);
        match self.service(&name) {
            Some(service) => service.call(call).await,
            // Refused when the machine is created; so it was created by a host that offered it.
            None => Answer::failed(
                "States.TaskFailed",
                format!("this host does not offer '{}' any more", call.resource),
            ),
        }
    }

    fn service(&self, name: &str) -> Option<&dyn Service> {
        let offers =
            |service: &&dyn Service| service.offers().iter().any(|offer| host::covers(offer, name));
        self.services.iter().map(|service| &**service).find(offers)
    }

    async fn read_items(&self, id: i64, task: TaskId, resource: &str, arguments: &Doc) -> Event {
        let api = resource.rsplit(':').next().unwrap_or_default();
        let call = request(id, task, 0, api, arguments.clone());
        match self.ask(&call).await {
            Answer::Returned(output) => Event::ItemsRead { task, content: body(output) },
            Answer::Failed { cause, .. } => {
                Event::TaskFailed { task, error: None, cause: Some(cause) }
            }
            Answer::Later => Event::TaskFailed { task, error: None, cause: None },
        }
    }

    async fn write_results(
        &self,
        id: i64,
        task: TaskId,
        arguments: &Doc,
        files: &[mano_asl::ResultFile],
    ) -> Event {
        let given = arguments.value();
        let prefix = given["Prefix"].as_str().map(|prefix| format!("{prefix}/"));
        for (n, file) in files.iter().enumerate() {
            let key = format!("{}{}", prefix.as_deref().unwrap_or_default(), file.key);
            let put = json!({ "Bucket": given["Bucket"], "Key": key, "Body": file.content });
            let call = request(id, task, n, "putObject", Doc::new(put));
            if let Answer::Failed { cause, .. } = self.ask(&call).await {
                return Event::TaskFailed { task, error: None, cause: Some(cause) };
            }
        }
        Event::ResultsWritten { task }
    }
}

/// The call that a reader or a writer stands for.
fn request(id: i64, task: TaskId, n: usize, api: &str, arguments: Doc) -> Call {
    Call {
        task,
        state: Arc::from(""),
        resource: Arc::from(format!("arn:aws:states:::s3:{api}")),
        integration: Integration::Service,
        service: Arc::from("s3"),
        api: Arc::from(api),
        arguments,
        credentials: None,
        token: None,
        attempt: 0,
        key: format!("{id}#{}#{n}", task.0),
        timeout_seconds: None,
        heartbeat_seconds: None,
    }
}

/// The object's text; a listing is its own text.
fn body(output: String) -> String {
    match serde_json::from_str::<Value>(&output) {
        Ok(Value::Object(mut fields)) => match fields.remove("Body") {
            Some(Value::String(body)) => body,
            _ => output,
        },
        _ => output,
    }
}
