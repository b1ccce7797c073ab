//! The rules of the door, one test each.
