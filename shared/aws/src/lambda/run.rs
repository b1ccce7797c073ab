//! Starting: what is missing is said at once, then one invocation after the other.

use super::{
    failure::Failure,
    host::Host,
    relay::RelayHost,
    surroundings::{Drivers, Surroundings, no_vims},
};
use crate::{clients::Clients, settings::Settings};
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use mano_ports::{error::chain, function::Function};
use serde_json::Value;
use std::{error::Error, process::ExitCode};
use tracing::Instrument;

/// What may keep a function from starting.
type Unstarted = Box<dyn Error + Send + Sync>;

/// Serves the routes, steps, consumers and requests of a function, for as long as Lambda wants.
#[must_use]
pub fn serve(function: &'static Function, drivers: Drivers) -> ExitCode {
    start(async || {
        let around = surroundings(drivers, |settings| {
            settings.demand_queues(function.consumers.iter().map(|row| row.queue))
        })
        .await?;
        let host = Host::new(function, around)?;
        run(async |event, until| host.handle(event, until).await).await
    })
}

/// Relays facts to the listeners of functions, for as long as Lambda wants. Listeners reach no VIM: a
/// slow one must not hold up what others wait for.
#[must_use]
pub fn relay(functions: &'static [&'static Function]) -> ExitCode {
    start(async || {
        let around = surroundings(no_vims, |_| Ok(())).await?;
        let host = RelayHost::new(functions, around);
        run(async |event, until| host.handle(event, until).await).await
    })
}

async fn surroundings(
    drivers: Drivers,
    demand: impl FnOnce(&Settings) -> Result<(), crate::settings::Error>,
) -> Result<Surroundings, Unstarted> {
    let settings = Settings::read(std::env::vars())?;
    demand(&settings)?;
    if settings.get("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err("this program runs as an AWS Lambda function only; see docs/aws.md".into());
    }
    let clients = Clients::new(&settings).await;
    Ok(Surroundings::new(settings, &clients, drivers))
}

/// Runs until Lambda ends us; what kept us from it is the last thing we say.
fn start(work: impl AsyncFnOnce() -> Result<(), Unstarted>) -> ExitCode {
    logs();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(work()),
        Err(error) => Err(error.into()),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    tracing::error!(error = chain(&*error), "the function cannot start");
    ExitCode::FAILURE
}

/// One line of JSON per event, as CloudWatch reads them.
fn logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_ansi(false).init();
}

/// Takes one invocation after the other.
async fn run(
    handle: impl AsyncFn(Value, Timestamp) -> Result<Value, Failure>,
) -> Result<(), Unstarted> {
    let handle = &handle;
    let service = service_fn(async |invocation: LambdaEvent<Value>| {
        let LambdaEvent { payload, context } = invocation;
        let span = tracing::info_span!(
            "invocation",
            request = context.request_id,
            xray = context.xray_trace_id,
        );
        let until = i64::try_from(context.deadline).unwrap_or(i64::MAX);
        let until = Timestamp::from_millisecond(until).unwrap_or(Timestamp::MAX);
        handle(payload, until).instrument(span).await.map_err(Diagnostic::from)
    });
    lambda_runtime::run(service).await
}
