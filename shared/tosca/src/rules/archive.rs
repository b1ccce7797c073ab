//! Rules on archives, integrity and YAML: broken ones refuse the package in both modes.

use super::Rule;
use super::Weight::{Always, Deviation};

macro_rules! rules {
    ($($name:ident = $id:literal $weight:ident, $says:literal, $help:literal;)*) => {
        $(
            #[doc = $says]
            pub const $name: Rule = Rule { id: $id, weight: $weight, says: $says, help: $help };
        )*
        /// The rules of this file, in order.
        pub const RULES: &[&Rule] = &[$(&$name),*];
    };
}
pub(in crate::rules) use rules;

rules! {
    NOT_ZIP = "A01" Always, "The file is not a ZIP archive, or it is cut off.",
        "Send the complete CSAR (a ZIP file).";
    ZIP_BROKEN = "A02" Always, "The ZIP's directory or an entry is damaged.",
        "Pack the archive again.";
    TOO_MANY_ENTRIES = "A03" Always, "The archive has more entries than allowed.",
        "Remove files, or have the limit raised.";
    TOO_LARGE = "A04" Always, "The archive's files are larger than allowed.",
        "Reference large images by URI, or have the limit raised.";
    BOMB = "A05" Always, "A file inflates far beyond what its packed size makes likely.",
        "Store highly compressible images as qcow2, or have the limit raised.";
    BAD_NAME = "A06" Always, "An entry's name leaves the archive or is not portable.",
        "Use relative names with `/`, without `..`, drive letters or backslashes.";
    LINK = "A07" Always, "An entry is a link or a special file.",
        "Pack the file itself.";
    DUPLICATE = "A08" Always, "Two entries have the same name.",
        "Keep one of them.";
    ENCRYPTED = "A09" Always, "An entry is encrypted.",
        "Pack without a password.";
    METHOD = "A10" Always, "An entry uses a compression that SOL004 readers do not share.",
        "Use deflate or no compression.";
    TEXT_TOO_LARGE = "A11" Always, "A descriptor, manifest or metadata file is larger than allowed.",
        "Split the file, or have the limit raised.";
    READ_FAILED = "A12" Always, "The archive could not be read.",
        "Try again; if it stays, the storage is at fault.";
    NO_ENTRY = "A13" Always, "The archive does not say, or not clearly, which file is its entry.",
        "Name it as Entry-Definitions in TOSCA-Metadata/TOSCA.meta, or keep exactly one YAML file at the root.";
    OUTER_ARCHIVE = "A14" Always, "The outer archive does not hold exactly one CSAR and its signature.",
        "Pack one .csar with its .cms and, optionally, .cert.";
    META_LINE = "A15" Always, "A line of the metadata file is not `key: value`.",
        "Correct the line.";
    META_KEY = "A16" Deviation, "The metadata file lacks a key or repeats one.",
        "Give TOSCA-Meta-File-Version, CSAR-Version, Created-By and Entry-Definitions once each.";
    META_FILE = "A17" Deviation, "The metadata file names a file or folder that is not there.",
        "Add the file, or remove the key.";
    WRONG_KIND = "A18" Always, "The archive holds another kind of descriptor.",
        "Upload it to the resource for its kind.";

    MANIFEST_MISSING = "I01" Always, "The manifest that TOSCA.meta names is not there.",
        "Add the manifest, or correct ETSI-Entry-Manifest.";
    MANIFEST_LINE = "I02" Always, "A line of the manifest cannot be understood.",
        "Correct the line.";
    FILE_MISSING = "I03" Always, "A file that the manifest or TOSCA.meta lists is not in the archive.",
        "Add the file, or remove its entry.";
    DIGEST_DIFFERS = "I04" Always, "A file's content is not what its digest says.",
        "Pack again and write the digests anew; if you did not change it, the file was tampered with.";
    ALGORITHM_UNKNOWN = "I05" Always, "A digest's algorithm is not supported.",
        "Use SHA-256 or SHA-512 (SHA-224 and SHA-384 work, too).";
    KEY_MISSING = "I06" Always, "A digest is incomplete: Source, Algorithm and Hash go together.",
        "Give all of them.";
    VALUE_MISSING = "I07" Always, "A key of a digest has no value.",
        "Give the value, or remove the entry.";
    HASH_MALFORMED = "I08" Always, "A hash is not hexadecimal, or not as long as its algorithm makes it.",
        "Write the hash anew.";
    LISTED_TWICE = "I09" Always, "A file is listed with two different digests.",
        "Keep the right one.";
    SIGNATURE_BROKEN = "I10" Always, "A signature block begins but does not end, or stands in the wrong place.",
        "Put the complete CMS block at the end of the manifest.";
    SIGNATURE_FILE = "I11" Always, "A signature or certificate that the manifest names is not there.",
        "Add the file, or remove the key.";
    NOT_LISTED = "I12" Deviation, "A file of the archive is not in the manifest, or without a digest.",
        "List it with Source, Algorithm and Hash.";
    NO_MANIFEST = "I13" Deviation, "The archive has no manifest.",
        "Add one and name it as ETSI-Entry-Manifest.";
    MANIFEST_METADATA = "I14" Deviation, "The manifest's metadata block is missing or lacks a key.",
        "Give the four (NS: five) keys that SOL004 and SOL007 ask for.";
    ARTIFACT_SET = "I15" Deviation, "The manifest or TOSCA.meta has an unknown key, or an empty artifact set.",
        "List the set's files with Source, or remove the line.";

    YAML_SYNTAX = "Y01" Always, "The file is not YAML.",
        "Correct the syntax at this line.";
    YAML_DUPLICATE = "Y02" Deviation, "A key stands twice in one map; the last one counts.",
        "Keep one.";
    YAML_TOO_MUCH = "Y03" Always, "The YAML nests or expands beyond the bound.",
        "Use fewer aliases and less nesting.";
    YAML_KEY = "Y04" Always, "A map's key is not a plain value.",
        "Use text as the key.";
    YAML_DOCUMENTS = "Y05" Deviation, "The file holds more than one YAML document.",
        "Keep one document per file; only the first is read.";
    NOT_UTF8 = "Y06" Always, "The file is not UTF-8 text.",
        "Save it as UTF-8.";
    YAML_INDENT = "Y07" Deviation, "A list, map or text within brackets or quotes goes on too far left.",
        "Indent the line further than the key above it.";
}
