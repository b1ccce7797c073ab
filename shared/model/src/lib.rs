//! The words and laws of MANO: identities, entities, lifecycles, decisions.
