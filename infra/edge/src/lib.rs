//! Every function and every workflow in one process, and the command line that talks to it.

pub mod cli;
mod roots;
pub mod serve;
pub mod sign;
pub mod sum;
