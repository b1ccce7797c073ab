//! A VNF operation that came to rest: whoever waits for it goes on.

use super::advance::{self, By};
use crate::runs;
use mano_model::{
    ns::op::NsOp,
    plan::{Announced, Kind},
    vnf::op::VnfOp,
};
use mano_ports::{Cx, Error};

/// Hears every `….ended`; those of VNF operations that an NS run waits for move that run on.
pub(crate) async fn vnf_rests(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    let about = &fact.fact.about;
    if about.kind != Kind::VnfOp {
        return Ok(());
    }
    let Some(vnf_op) = cx.store.find::<VnfOp>(&about.tenant, &about.id).await? else {
        return Ok(());
    };
    let Some(waiter) = &vnf_op.waiter else { return Ok(()) };
    let run = runs::open_run::<NsOp>(cx, &about.tenant, &waiter.op, waiter.run).await?;
    let Some(op) = run else { return Ok(()) };
    let item = op.items.iter().find(|item| item.vnf_instance_id == vnf_op.vnf_instance_id);
    match item {
        Some(item) => {
            advance::advance(cx, &about.tenant, &op, item, (By::Listener, &waiter.token)).await
        }
        None => Ok(()),
    }
}
