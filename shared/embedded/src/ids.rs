//! Identities nobody has.

use mano_ports::clock::Ids;
use uuid::Uuid;

/// Random identities (UUID version 4).
#[derive(Debug, Default, Clone, Copy)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn fresh(&self) -> Uuid {
        Uuid::new_v4()
    }
}
