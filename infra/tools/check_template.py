"""Refuses rights without a name in the expanded template, and parts that lack something.

    check_template.py target/sam/expanded.json

A `*` in an action or a resource stands only where ALLOWED says why there is no name. What is
allowed and not used any more is refused, too.
"""

import json
import pathlib
import re
import sys

import calls
import whole

# Resource, action, target: the reason. Patterns match whole texts.
ALLOWED = [
    (r"EveryFunction|EveryWorkflow", r"xray:\w+", r"\*", "X-Ray knows no resources"),
    (r"EveryWorkflow", r"logs:\w+", r"\*", "log delivery knows no resources"),
    (r"InNetwork", r"ec2:\w+", r"\*", "Lambda wants network interfaces that have no name yet"),
    (r"CanaryRole", r"cloudwatch:DescribeAlarms", r"\*", "alarms are described by no name of theirs"),
    (r"ServiceManagementRole|RelayRole", r"states:ListStateMachines", r"\*", "workflows are listed by no name"),
    (r"RelayRole", r"dynamodb:ListStreams", r"\*", "streams are listed by no name"),
    (r"Key", r"kms:.+", r"\*", "in a key's own policy this means the key"),
    (r"QueuePolicy|RuleQueuePolicy", r"sqs:\*", r"\*", "a refusal of everything, in the queues' own policy"),
    (r"BucketPolicy", r"s3:\*", r".+", "a refusal of everything"),
    (r".+Role", r"s3:\w+", r".+/blobs/(content|uploads)/\*", "content gets its name when it comes"),
    (r"RelayRole|EveryFunction", r"s3:\w+", r".+/blobs/documents/\*", "documents get their names when they are written"),
    (r"BucketPolicy", r"s3:\*", r".+/\*", "a refusal of everything"),
    (r"ServiceManagementRole", r"states:\w+", r".+:execution:.+:\*", "runs get their names when they start"),
]


def listed(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text(target):
    """A resource of a statement, as far as it is text."""
    if isinstance(target, str):
        return target
    sub = target.get("Fn::Sub")
    return sub if isinstance(sub, str) else json.dumps(target)


def statements(logical_id, value):
    """Every policy statement below a resource."""
    if isinstance(value, dict):
        for choice in listed(value.get("Statement")):
            branches = choice.get("Fn::If", [None, choice])[1:]
            yield from (s for s in branches if "Effect" in s)
        for child in value.values():
            yield from statements(logical_id, child)
    elif isinstance(value, list):
        for child in value:
            yield from statements(logical_id, child)


def findings(template):
    used = set()
    for logical_id, resource in template["Resources"].items():
        for statement in statements(logical_id, resource.get("Properties", {})):
            if "NotAction" in statement or "NotResource" in statement:
                yield f"{logical_id}: rights are named by what they are not"
            if statement["Effect"] == "Allow" and statement.get("Principal") == "*":
                yield f"{logical_id}: everybody is let in"
            # A role's trust has no resource: it is the role.
            targets = [text(t) for t in listed(statement.get("Resource"))] or ["(itself)"]
            for action in listed(statement["Action"]):
                for target in targets:
                    if "*" not in action and "*" not in target:
                        continue
                    matching = [
                        n for n, (r, a, t, _) in enumerate(ALLOWED)
                        if re.fullmatch(r, logical_id) and re.fullmatch(a, action) and re.fullmatch(t, target)
                    ]
                    if not matching:
                        yield f"{logical_id}: {action} on {target} has no name and no reason"
                    used.update(matching)
    for n in set(range(len(ALLOWED))) - used:
        yield f"the exception {ALLOWED[n][:3]} is not needed any more"


def main(source):
    template = json.loads(pathlib.Path(source).read_text())
    found = [*findings(template), *whole.findings(template), *calls.findings(template, statements)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
