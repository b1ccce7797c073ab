//! Messages that nobody could handle: an operator's view of them, and a way to send them once more.

use http::StatusCode;
use mano_model::{Refusal, TenantId};
use mano_ports::{
    Cx, Error,
    http::{Reply, Request},
    queue::DeadLetter,
};
use serde_json::{Value, json};

/// Most that are shown; where there are more, the cause matters and not the letters.
const MOST: usize = 1000;

/// `GET /mano/v1/dead-letters`: the oldest first.
pub(crate) async fn list(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let letters = of(cx, request.tenant()).await?;
    Ok(Reply::ok(&letters.iter().map(show).collect::<Vec<_>>()))
}

/// `POST /mano/v1/dead-letters/{letterId}/redrive`: it is handled as if it were new.
pub(crate) async fn redrive(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let id = request.param("letterId");
    let letters = of(cx, request.tenant()).await?;
    let letter = letters.iter().find(|letter| letter.id.to_string() == id);
    let letter = letter.ok_or_else(|| Refusal::absent("dead letter", id))?;
    cx.queue.redrive(letter.id).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Those of one tenant; what names none belongs to the default one.
async fn of(cx: &Cx, tenant: &TenantId) -> Result<Vec<DeadLetter>, Error> {
    let mut letters = cx.queue.dead_letters(MOST).await?;
    letters.retain(|letter| {
        letter.body["tenant"].as_str().unwrap_or(TenantId::DEFAULT) == tenant.as_str()
    });
    Ok(letters)
}

fn show(letter: &DeadLetter) -> Value {
    json!({
        "id": letter.id.to_string(),
        "queue": letter.queue,
        "group": letter.group,
        "at": letter.at,
        "reason": letter.reason,
        "body": letter.body,
    })
}
