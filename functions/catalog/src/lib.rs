//! Packages and descriptors: on-boarding, states, content.
