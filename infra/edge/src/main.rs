//! One process that serves every function, and the command line that talks to it.

fn main() {}
