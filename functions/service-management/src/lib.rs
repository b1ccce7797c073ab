//! The life of network services and network functions, from request to record.
