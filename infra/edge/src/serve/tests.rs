//! The server as a whole: it starts, answers, says how it is, and stops.
