//! Carrying one plan out as one transaction: again after a collision, once for ever.
//!
//! ```text
//!   spill large documents ─▶ read counters of facts ─▶ transaction ─▶ done
//!                                   ▲                      │ collision, or a counter moved
//!                                   └──────────────────────┤
//!                        the plan's own row is there: done ┤
//!                           an expectation does not hold: refused
//! ```

use super::{
    DynamoStore, failed,
    item::{Item, keyed, n, s},
    keys,
    write::{At, built, refusal, row},
};
use crate::pause::jittered;
use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, Put, TransactWriteItem, Update},
};
use mano_model::plan::{Announced, Plan};
use mano_ports::store::{self, Error};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

/// `DynamoDB` takes so many rows in one transaction.
const MOST: usize = 100;
/// How often a transaction is tried that collides with others.
const ATTEMPTS: u32 = 24;
/// The first pause between attempts is at most this.
const BASE: Duration = Duration::from_millis(10);
/// The longest pause between attempts.
const LONGEST: Duration = Duration::from_millis(800);

/// A plan that passed what can be checked without the store.
pub(super) struct Prepared {
    plan: Plan,
    /// The blob of each write's document, where it is large.
    blobs: Vec<Option<String>>,
    /// The documents the facts are about, by their names in the table.
    abouts: Vec<String>,
}

/// What a row of a transaction is there for.
enum Role {
    /// The plan was not carried out before.
    Once,
    /// A write of the plan.
    Write(usize),
    /// Nobody else spoke of the same document at the same time.
    Counter,
    /// A fact.
    Fact,
}

/// How an attempt ended that did not succeed.
enum Failed {
    /// Trying again may help.
    Again(Error),
    /// It was carried out before.
    Before,
    /// It will not be.
    Refused(Error),
}

impl Prepared {
    /// Checks the plan's bounds.
    pub(super) fn new(plan: Plan) -> Result<Self, Error> {
        let (rows, bytes) = store::check(&plan)?;
        let abouts: Vec<_> = plan.facts.iter().map(|fact| keys::about(&fact.about)).collect();
        let counters = abouts.iter().collect::<HashSet<_>>().len();
        let fit = plan.writes.iter().all(|write| keys::fits(&write.key));
        if rows + counters + 1 > MOST || !fit {
            return Err(Error::TooLarge { rows, bytes });
        }
        Ok(Self { blobs: vec![None; plan.writes.len()], plan, abouts })
    }
}

impl DynamoStore {
    pub(super) async fn carry_out(&self, mut prepared: Prepared) -> Result<(), Error> {
        prepared.blobs = self.spill(&prepared.plan).await?;
        let mut attempt = 0;
        loop {
            match self.attempt(&prepared).await {
                Ok(()) | Err(Failed::Before) => return Ok(()),
                Err(Failed::Refused(error)) => return Err(error),
                Err(Failed::Again(error)) if attempt + 1 >= ATTEMPTS => return Err(error),
                Err(Failed::Again(_)) => {}
            }
            self.clock.sleep(jittered(attempt, BASE, LONGEST)).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, prepared: &Prepared) -> Result<(), Failed> {
        let spoken = self.spoken(&prepared.abouts).await.map_err(Failed::Refused)?;
        let rows = self.rows(prepared, spoken).map_err(Failed::Refused)?;
        let (roles, items): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let sent = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        sent.map(drop).map_err(|error| meaning(&prepared.plan, &roles, error))
    }

    /// How many facts were told about each document.
    async fn spoken(&self, abouts: &[String]) -> Result<BTreeMap<String, u64>, Error> {
        let mut spoken = BTreeMap::new();
        for about in abouts {
            if !spoken.contains_key(about) {
                let found = self.item(keyed(keys::spoken(about), about)).await?;
                let seq = found.map(|item| super::item::number(&item, "seq")).unwrap_or_default();
                spoken.insert(about.clone(), seq);
            }
        }
        Ok(spoken)
    }

    /// The rows of the transaction, the plan's own first.
    fn rows(
        &self,
        prepared: &Prepared,
        before: BTreeMap<String, u64>,
    ) -> Result<Vec<(Role, TransactWriteItem)>, Error> {
        let plan = &prepared.plan;
        let at = At { table: &self.table, site: &self.site, now: self.clock.now().as_second() };
        let mut rows = vec![(Role::Once, self.once(plan)?)];
        for (place, write) in plan.writes.iter().enumerate() {
            let blob = prepared.blobs[place].as_deref();
            rows.extend(row(&at, write, blob)?.map(|row| (Role::Write(place), row)));
        }
        let mut spoken = before.clone();
        for (place, about) in prepared.abouts.iter().enumerate() {
            let seq = spoken.entry(about.clone()).or_default();
            *seq += 1;
            rows.push((Role::Fact, self.fact(plan, place, about, *seq)?));
        }
        for (about, seq) in spoken {
            let old = before.get(&about).copied().unwrap_or_default();
            rows.push((Role::Counter, self.counter(&about, old, seq)?));
        }
        Ok(rows)
    }

    /// The row that lets a plan happen once.
    fn once(&self, plan: &Plan) -> Result<TransactWriteItem, Error> {
        let mut item = keyed(keys::plan(&plan.origin.id), "plan");
        let until = self.clock.now().as_second().saturating_add(Plan::REMEMBERED.as_secs());
        item.insert(keys::TTL.into(), n(until));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(format!("attribute_not_exists({})", keys::PK));
        Ok(TransactWriteItem::builder().put(built(put.build())?).build())
    }

    /// The row of a fact, due until it is relayed.
    fn fact(
        &self,
        plan: &Plan,
        place: usize,
        about: &str,
        seq: u64,
    ) -> Result<TransactWriteItem, Error> {
        let announced = Announced {
            id: plan.fact_id(place),
            seq,
            at: plan.origin.at,
            site: self.site.clone(),
            origin: plan.origin.clone(),
            fact: plan.facts[place].clone(),
        };
        let key = || plan.facts[place].about.clone();
        let text = serde_json::to_string(&announced)
            .map_err(|source| Error::Malformed { key: key(), source })?;
        let mut item = keyed(keys::facts(about), keys::fact(about, seq));
        item.insert("fact".into(), s(text));
        item.insert("at".into(), n(self.clock.now().as_millisecond()));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        Ok(TransactWriteItem::builder().put(built(put.build())?).build())
    }

    /// The counter of a document's facts moves, unless somebody moved it meanwhile.
    fn counter(&self, about: &str, old: u64, new: u64) -> Result<TransactWriteItem, Error> {
        let mut values = HashMap::from([(":new".to_owned(), n(new))]);
        let condition = if old == 0 {
            format!("attribute_not_exists({})", keys::PK)
        } else {
            values.insert(":old".into(), n(old));
            "seq = :old".into()
        };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keyed(keys::spoken(about), about)))
            .update_expression("SET seq = :new")
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values));
        Ok(TransactWriteItem::builder().update(built(update.build())?).build())
    }
}

/// What the failure of a transaction means for the plan.
fn meaning(plan: &Plan, roles: &[Role], error: SdkError<TransactWriteItemsError>) -> Failed {
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons().to_vec()
        }
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
            return Failed::Again(Error::Unavailable(Box::new(error)));
        }
        _ if passes(error.code()) => return Failed::Again(Error::Unavailable(Box::new(error))),
        Some(_) | None => return Failed::Refused(failed(error)),
    };
    let broken = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let (mut refused, mut counter) = (None, false);
    for (role, reason) in roles.iter().zip(&reasons) {
        match role {
            Role::Once if broken(reason) => return Failed::Before,
            // The same plan is under way, and may be what broke the other conditions.
            Role::Once if passes(reason.code()) => {
                return Failed::Again(Error::Unavailable(Box::new(error)));
            }
            Role::Write(place) if broken(reason) && refused.is_none() => {
                let old: Option<&Item> = reason.item().filter(|item| !item.is_empty());
                refused = Some(refusal(&plan.writes[*place], old));
            }
            Role::Counter if broken(reason) => counter = true,
            Role::Once | Role::Write(_) | Role::Counter | Role::Fact => {}
        }
    }
    let collided = counter || reasons.iter().any(|reason| passes(reason.code()));
    match refused {
        Some(refusal) => Failed::Refused(refusal),
        None if collided => Failed::Again(Error::Unavailable(Box::new(error))),
        None => Failed::Refused(Error::Rejected(Box::new(error))),
    }
}

/// Whether a failure of this name passes by itself.
fn passes(code: Option<&str>) -> bool {
    const PASSING: [&str; 7] = [
        "TransactionConflict",
        "TransactionInProgressException",
        "ThrottlingError",
        "ThrottlingException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    ];
    code.is_some_and(|code| PASSING.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::{
        config::http::HttpResponse, types::error::TransactionCanceledException,
    };
    use mano_model::{
        TenantId,
        plan::{Change, Expect, Key, Kind, Origin},
    };

    /// What it means that a transaction of a new plan with one write and one fact is cancelled.
    fn cancelled(codes: [&str; 4]) -> Failed {
        let tenant = TenantId::default();
        let key = Key { kind: Kind::Note, tenant: tenant.clone(), id: "a".into() };
        let origin = Origin {
            id: uuid::Uuid::nil(),
            at: jiff::Timestamp::UNIX_EPOCH,
            tenant,
            actor: String::new(),
            correlation: None,
            causation: None,
            trace: None,
        };
        let plan = Plan::new(origin).write(key, Expect::Absent, Change::Check);
        let roles = [Role::Once, Role::Write(0), Role::Fact, Role::Counter];
        let reason = |code: &str| CancellationReason::builder().code(code).build();
        let exception = TransactionCanceledException::builder()
            .set_cancellation_reasons(Some(codes.map(reason).to_vec()))
            .build();
        let answer =
            HttpResponse::new(400.try_into().unwrap(), aws_sdk_s3::primitives::SdkBody::empty());
        let error = TransactWriteItemsError::TransactionCanceledException(exception);
        meaning(&plan, &roles, SdkError::service_error(error, answer))
    }

    #[test]
    fn a_cancelled_transaction_says_whether_the_plan_may_still_happen() {
        let (none, broken, collided) = ("None", "ConditionalCheckFailed", "TransactionConflict");
        for (codes, means) in [
            ([broken, broken, none, broken], "before"),
            ([none, broken, none, none], "refused"),
            ([none, broken, none, collided], "refused"),
            ([none, none, none, broken], "again"),
            ([none, collided, none, none], "again"),
            // The same plan at the same time: whether it commits, its own row will say.
            ([collided, broken, none, broken], "again"),
        ] {
            let meant = match cancelled(codes) {
                Failed::Again(_) => "again",
                Failed::Before => "before",
                Failed::Refused(_) => "refused",
            };
            assert_eq!(meant, means, "{codes:?}");
        }
    }
}
