//! What exists: instances, their resources, the VIMs and what they hold.
