//! How much of a stranger's archive or YAML is read before it is refused.

/// Bounds on one inspection. Every bound has a default that real packages stay far below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most entries (files and folders) in an archive.
    pub entries: u64,
    /// Most bytes that all files of an archive may inflate to.
    pub total_bytes: u64,
    /// Most inflated bytes per compressed byte, for files larger than `ratio_from`.
    pub ratio: u64,
    /// Inflated size in bytes from which `ratio` is looked at.
    pub ratio_from: u64,
    /// Largest YAML, manifest or metadata file in bytes; such files are held in memory.
    pub text_bytes: u64,
    /// Most YAML files that one package may bring into a descriptor.
    pub yaml_files: usize,
    /// Most YAML nodes of all files of a package, aliases expanded and long texts weighing more.
    pub yaml_nodes: usize,
    /// Deepest nesting of YAML lists and maps.
    pub yaml_depth: usize,
    /// Bytes of an inner archive (OPTION_2) kept in memory before a temporary file takes over.
    pub spool_bytes: usize,
    /// Size in bytes from which a file need not be read twice, where an archive is read in pieces.
    pub remember_from: u64,
    /// Most files that are remembered so.
    pub remembered: usize,
    /// Most findings listed; what comes after them is counted only.
    pub findings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 20_000,
            total_bytes: 64 << 30,
            ratio: 300,
            ratio_from: 1 << 20,
            text_bytes: 4 << 20,
            yaml_files: 500,
            yaml_nodes: 500_000,
            yaml_depth: 64,
            spool_bytes: 8 << 20,
            remember_from: 16 << 20,
            remembered: 256,
            findings: 500,
        }
    }
}
