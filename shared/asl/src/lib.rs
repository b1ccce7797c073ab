//! The Amazon States Language: reads, checks and steps workflow definitions.
