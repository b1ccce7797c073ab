//! SOL004/SOL007 archives and TOSCA descriptors as typed SOL001 values, each with its file and line.
