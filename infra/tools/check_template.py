"""Refuses rights without a name in the expanded template, and parts that lack something.

    check_template.py target/sam/expanded.json

A `*` in an action or a resource stands only where `allowed.json` says why there is no name. What is
allowed and not used any more is refused, too.
"""

import json
import pathlib
import re
import sys

import calls
import whole

# Whose rights, which action on which target (patterns that match whole texts), and why. The CDK's rules read it, too.
ALLOWED = json.loads((pathlib.Path(__file__).parent / "allowed.json").read_text())


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
                    matching = {
                        (n, logical_id) for n, row in enumerate(ALLOWED) if logical_id in row["resources"]
                        and re.fullmatch(row["action"], action) and re.fullmatch(row["target"], target)
                    }
                    if not matching:
                        yield f"{logical_id}: {action} on {target} has no name and no reason"
                    used.update(matching)
    for n, name in sorted({(n, name) for n, row in enumerate(ALLOWED) for name in row["resources"]} - used):
        row = ALLOWED[n]
        yield f"{name} needs the exception for {row['action']} on {row['target']} no more"


def main(source):
    template = json.loads(pathlib.Path(source).read_text())
    found = [*findings(template), *whole.findings(template), *calls.findings(template, statements)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
