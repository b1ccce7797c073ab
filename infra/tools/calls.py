"""What the code asks of AWS, against what the roles let it; `check_template.py` asks for it."""

import pathlib
import re

import whole

CODE = pathlib.Path(__file__).parents[2] / "shared/aws/src"

EVERY = ("ServiceManagement", "Catalog", "Inventory", "Adapters", "Relay")

# Which service the calls of a file go to, and whose functions make them.
FILES = {
    "blobs.rs": ("s3", ("Catalog", "Relay")),
    "blobs/address.rs": ("s3", ("Catalog",)),
    "blobs/upload.rs": ("s3", ("Catalog",)),
    "bus.rs": ("events", ("Relay",)),
    "queue.rs": ("sqs", ("Catalog", "Adapters")),
    "queue/dead.rs": ("sqs", ("Inventory",)),
    "store/commit.rs": ("dynamodb", EVERY),
    "store/facts.rs": ("dynamodb", ("Relay",)),
    "store/page.rs": ("dynamodb", EVERY),
    "store/read.rs": ("dynamodb", EVERY),
    "store/spill.rs": ("dynamodb", EVERY),
    "store/tries.rs": ("dynamodb", ("Relay",)),
    "workflows.rs": ("states", ("ServiceManagement",)),
    "workflows/ended.rs": ("states", ("Relay",)),
    "workflows/oldest.rs": ("states", ("Relay",)),
    "workflows/one.rs": ("states", ("ServiceManagement", "Catalog", "Relay")),
}

# Calls whose rights are called otherwise.
OTHERWISE = {
    "change_message_visibility_batch": ["ChangeMessageVisibility"],
    "complete_multipart_upload": ["PutObject"],
    "create_multipart_upload": ["PutObject"],
    "head_object": ["GetObject"],
    "list_objects_v2": ["ListBucket"],
    "transact_write_items": ["ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"],
    "upload_part": ["PutObject"],
}


def made(text):
    """The calls in a source file."""
    return set(re.findall(r"\bclient\s*\.\s*(\w+)\(\)", text)) - {"clone"}


def actions(call):
    return OTHERWISE.get(call) or ["".join(word.capitalize() for word in call.split("_"))]


def allowed(resources, function, statements):
    """What a function's role lets it do, by its own policy and those it shares."""
    role = resources[f"{function}Role"]["Properties"]
    shared = [resources[name]["Properties"] for name in whole.mentioned(role["ManagedPolicyArns"]) if name in resources]
    said = [s for policy in [role["Policies"], *shared] for s in statements(function, policy)]
    listed = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in said if s["Effect"] == "Allow"]
    return {action for some in listed for action in some}


def findings(template, statements):
    for source in sorted(CODE.rglob("*.rs")):
        file = str(source.relative_to(CODE))
        calls = made(source.read_text())
        if calls and file not in FILES:
            yield f"shared/aws/src/{file} calls AWS, and calls.py does not say for whom"
            continue
        service, functions = FILES.get(file, (None, ()))
        for function in functions:
            may = allowed(template["Resources"], function, statements)
            for call in sorted(calls):
                for action in actions(call):
                    if f"{service}:{action}" not in may:
                        yield f"{function}Role lacks {service}:{action}, which shared/aws/src/{file} asks for"
