//! Requests over the event bus: load, decide, commit; the answer is a fact.

pub(crate) mod entrance;

use crate::{ns, vnf};
use http::StatusCode;
use mano_model::{
    Refusal, TenantId,
    plan::{Origin, Plan},
    refusal::Why,
    request::{Asked, Heard, Letter, USED, What},
    sol::sol013::ProblemDetails,
};
use mano_ports::{Cx, Error, Fault, function::Event, store};

/// Whose an answer is to somebody nobody knows: the name of no tenant.
const NOBODY: &str = "?";
/// A decision is taken anew so often when another one came first.
const RACES: u32 = 3;

/// What a request was answered: none, and it is carried out; or why not.
type Answer = Option<ProblemDetails>;

/// `mano.request.*`: the same decision as of the HTTP route; the answer is a fact.
pub(crate) async fn take(cx: &Cx, event: &Event) -> Result<(), Error> {
    answer(cx, event).await.map(drop)
}

/// Decides, and says so.
///
/// What can only be answered by no is answered so, once; anything else brings the event again.
async fn answer(cx: &Cx, event: &Event) -> Result<Answer, Error> {
    let letter = |tenant, sender| Letter {
        tenant,
        sender,
        event: &event.id,
        source: &event.source,
        detail_type: &event.detail_type,
        detail: &event.detail,
    };
    let Some(principal) = &event.principal else {
        let detail = format!(
            "no tenant is named for who sends events as '{}' from this account; whoever runs the \
             orchestrator names it (on AWS in the parameter Tenants)",
            event.source
        );
        let unknown = Refusal::new(Why::Forbidden, detail).into();
        let nobody = TenantId::new(NOBODY);
        return refuse(cx, &letter(&nobody, &event.source), None, &unknown).await;
    };
    let letter = letter(&principal.tenant, &principal.name);
    let asked = match letter.read() {
        Ok(asked) => asked,
        Err(refusal) => return refuse(cx, &letter, None, &refusal.into()).await,
    };
    let heard = cx.store.find::<Heard>(&principal.tenant, &Heard::id_of(asked.id)).await?;
    match heard {
        Some(heard) if heard.digest == asked.digest => Ok(heard.value.refused),
        Some(_) => {
            cx.store.commit(letter.refuse_reuse(&asked, cx.clock.now())).await?;
            Ok(Some(ProblemDetails::new(StatusCode::CONFLICT.as_u16(), USED)))
        }
        None => carry_out(cx, &letter, &asked).await,
    }
}

async fn carry_out(cx: &Cx, letter: &Letter<'_>, asked: &Asked) -> Result<Answer, Error> {
    let mut races = 0;
    loop {
        let origin = letter.origin(asked.id, cx.clock.now());
        let done = match decide(cx, origin, asked).await {
            Ok(plan) => cx.store.commit(asked.heard(plan)).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        match done {
            Err(Error::Store(store::Error::Conflict(_))) if races < RACES => races += 1,
            Err(error) if error.fault() == Fault::Refused => {
                return refuse(cx, letter, Some(asked), &error).await;
            }
            done => return done.map(|()| None),
        }
    }
}

async fn decide(cx: &Cx, origin: Origin, asked: &Asked) -> Result<Plan, Error> {
    let id = asked.offspring();
    match &asked.what {
        What::CreateNs(body) => Ok(ns::instances::creation(cx, origin, id, body.clone()).await?.1),
        What::CreateVnf(body) => {
            Ok(vnf::instances::creation(cx, origin, id, body.clone()).await?.1)
        }
        What::Ns(instance, operation, params) => {
            ns::tasks::plan(cx, origin, instance, id, *operation, params.clone()).await
        }
        What::Vnf(instance, operation, params) => {
            vnf::tasks::plan(cx, origin, instance, id, *operation, params.clone()).await
        }
    }
}

/// Says no, once.
async fn refuse(
    cx: &Cx,
    letter: &Letter<'_>,
    asked: Option<&Asked>,
    error: &Error,
) -> Result<Answer, Error> {
    let problem = ProblemDetails::new(error.status().as_u16(), error.to_string());
    cx.store.commit(letter.refuse(asked, cx.clock.now(), &problem)).await?;
    Ok(Some(problem))
}
