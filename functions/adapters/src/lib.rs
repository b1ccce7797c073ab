//! The hands of the orchestrator: the relay of facts, and the drivers of VIMs and VNFMs.

pub mod vim;
