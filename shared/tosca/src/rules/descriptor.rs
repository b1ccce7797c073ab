//! Rules on service templates: `T…` refuse in both modes, `W…` are deviations.

use super::Rule;
use super::Weight::{Always, Deviation};
use super::archive::rules;

rules! {
    IMPORT_MISSING = "T01" Always, "A file that is imported is not in the archive.",
        "Add the file, or correct the import.";
    IMPORT_CYCLE = "T02" Always, "Files import each other in a circle.",
        "Move what both need into a third file.";
    TYPE_CYCLE = "T03" Always, "A type derives from itself.",
        "Correct derived_from.";
    NOT_A_TEMPLATE = "T04" Always, "The entry definition is not a TOSCA service template.",
        "Name the file with topology_template as Entry-Definitions.";
    NOTHING_DESCRIBED = "T05" Always, "The templates describe no network function or service of the wanted kind.",
        "Give a node template of tosca.nodes.nfv.VNF (or NS, PNF), or a substitution mapping to one.";
    ID_MISSING = "T06" Always, "The descriptor has no descriptor_id.",
        "Give descriptor_id.";
    TOO_MUCH = "T07" Always, "The descriptor is larger than any real one.",
        "Split it, lower the number, or shorten the name.";
    FLAVOUR_TWICE = "T08" Always, "Two templates describe the same flavour.",
        "Give each its own flavour_id.";

    TOSCA_VERSION = "W01" Deviation, "tosca_definitions_version is missing or unknown.",
        "Write tosca_simple_yaml_1_3 (1_2 and 1_1 are known, too) as the first line.";
    IMPORT_REMOTE = "W02" Deviation, "An import names a URL that is not one of SOL001's; it is not fetched.",
        "Put the file into the archive.";
    SOL001_VERSION = "W03" Deviation, "An import names a SOL001 version that is not known; the newest known one is used.",
        "Import one of the published versions from 2.5.1 to 4.4.1.";
    SOL001_NOT_IMPORTED = "W04" Deviation, "The template uses SOL001's types without importing them.",
        "Import etsi_nfv_sol001_vnfd_types.yaml (or nsd, pnfd).";
    TYPE_UNKNOWN = "W05" Deviation, "A type is declared nowhere.",
        "Declare it, or import the file that does.";
    TYPE_DRAFT = "W06" Deviation, "A type's name comes from a draft of SOL001.",
        "Use the published name.";
    TYPE_VERSION = "W07" Deviation, "A type is not in the SOL001 version that is imported.",
        "Import a version that has it.";
    PROPERTY_UNKNOWN = "W08" Deviation, "A property is not one of its type's.",
        "Remove it, or declare it in a derived type.";
    PROPERTY_MISSING = "W09" Deviation, "A required property is missing.",
        "Give it.";
    PROPERTY_SHAPE = "W10" Deviation, "A property's value is not of its type.",
        "Write it as its type asks.";
    VALUE_NOT_ALLOWED = "W11" Deviation, "A value is not among those its type allows.",
        "Use one of the valid_values.";
    SECTION_SHAPE = "W12" Deviation, "A section has another shape than TOSCA gives it.",
        "Write requirements and policies as lists of single-key maps, the others as maps.";
    REFERENCE = "W13" Deviation, "A name refers to nothing in the template.",
        "Correct the name, or add what it names.";
    KUBERNETES_QUANTITY = "W14" Deviation, "A size or number of processors is in Kubernetes' notation.",
        "Write sizes with a unit, as in `512 MiB`, and processors as whole numbers.";
    QUANTITY = "W15" Deviation, "A size or number cannot be read; it counts as nothing.",
        "Write sizes as in `8 GB`, counts as whole numbers.";
    NO_FLAVOUR = "W16" Deviation, "There is no deployment flavour; one called `default` is assumed.",
        "Give flavour_id.";
    NO_LEVEL = "W17" Deviation, "There is no instantiation level; one called `default` is assumed.",
        "Add a policy of tosca.policies.nfv.InstantiationLevels (NS: NsInstantiationLevels).";
    NO_DEFAULT_LEVEL = "W18" Deviation, "There are several levels and none is the default; the first is taken.",
        "Give default_level.";
    LEVEL_UNKNOWN = "W19" Deviation, "A level names an aspect or a scale level that does not exist.",
        "Correct the level.";
    LEVEL_DISAGREES = "W20" Deviation, "A level's count is not what its scale levels come to; the count is taken.",
        "Make both agree.";
    ASPECT_DELTA = "W21" Deviation, "A scaling aspect has no usable delta for a step.",
        "Give step_deltas, and the deltas of that name.";
    COUNT_RANGE = "W22" Deviation, "A number of instances is outside the profile's minimum and maximum.",
        "Correct the profile or the level.";
    NO_INITIAL_DELTA = "W23" Deviation, "A VDU has no initial delta; its profile's minimum is taken.",
        "Add a policy of tosca.policies.nfv.VduInitialDelta.";
    STORAGE_INLINE = "W24" Deviation, "A storage is written inside the requirement for it.",
        "Write it as a node template of its own.";
    IMAGE_MISSING = "W25" Deviation, "An artifact's file is not in the archive; its name is taken for a reference.",
        "Add the file, or give a URI.";
    IMAGE_DATA = "W26" Deviation, "A software image lacks data that SOL001 asks for.",
        "Give name, version and container_format.";
    CONSTITUENT_VNFD = "W27" Deviation, "The constituents are a `constituent_vnfd` list, not node templates.",
        "Give one node template of tosca.nodes.nfv.VNF for each.";
    NAME_DISAGREES = "W28" Deviation, "Manifest and descriptor do not agree.",
        "Make both agree.";
    METADATA_ID = "W29" Deviation, "The descriptor's identity is taken from the template's metadata.",
        "Give the properties of tosca.nodes.nfv.VNF (or NS, PNF).";
    OTHER_TEMPLATE = "W30" Deviation, "A template that nothing imports cannot be read; it is left out.",
        "Correct or remove it.";
    CONSTITUENT_ID = "W31" Deviation, "A constituent does not say which descriptor it is; its name is taken.",
        "Give its descriptor_id.";
    NO_VDU = "W32" Deviation, "A flavour has no deployment unit.",
        "Add its VDUs.";
    INPUT_UNKNOWN = "W33" Deviation, "get_input names an input that is not declared.",
        "Declare it under topology_template.inputs.";
    ORDER_CIRCLE = "W34" Deviation, "Constituents wait for each other in a circle; their order is dropped.",
        "Correct the dependency requirements.";
}
