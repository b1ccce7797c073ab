//! What happened in a run, as the engine's own JSON: its client knows sixty shapes of it, and
//! nobody here needs any.

use aws_sdk_sfn::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::AfterDeserializationInterceptorContextRef,
    },
    error::{BoxError, SdkError},
    operation::get_execution_history::{
        GetExecutionHistoryError, builders::GetExecutionHistoryFluentBuilder,
    },
};
use jiff::Timestamp;
use mano_ports::workflows::Listing;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the answer as it came over the wire.
#[derive(Debug, Clone, Default)]
struct Keep(Arc<Mutex<Value>>);

impl Intercept for Keep {
    fn name(&self) -> &'static str {
        "KeepAnswer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            let read = serde_json::from_slice(bytes).unwrap_or_default();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = read;
        }
        Ok(())
    }
}

/// One page.
pub(super) async fn read(
    ask: GetExecutionHistoryFluentBuilder,
) -> Result<Listing<Value>, SdkError<GetExecutionHistoryError>> {
    let keep = Keep::default();
    let answer = ask.customize().interceptor(keep.clone()).send().await?;
    let mut whole = std::mem::take(&mut *keep.0.lock().unwrap_or_else(PoisonError::into_inner));
    let events = whole.get_mut("events").map(Value::take).unwrap_or_default();
    let mut items: Vec<Value> = serde_json::from_value(events).unwrap_or_default();
    items.iter_mut().for_each(readable);
    Ok(Listing { items, next: answer.next_token })
}

/// The wire counts seconds; people read dates.
fn readable(event: &mut Value) {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit 64 bits")]
    let millis = |seconds: f64| (seconds * 1000.0).round() as i64;
    let at = event["timestamp"].as_f64().map(millis);
    if let Some(at) = at.and_then(|at| Timestamp::from_millisecond(at).ok()) {
        event["timestamp"] = json!(at);
    }
}
