//! The ports on one machine, and the host that serves every function in one process.
