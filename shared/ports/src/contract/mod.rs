//! The laws of the ports as tests, stamped out for each implementation.
