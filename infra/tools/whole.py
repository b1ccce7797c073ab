"""What no part of the deployment may be without; `check_template.py` asks for it."""

import re

# What CloudWatch watches by one alarm, at most.
METRICS_OF_AN_ALARM = 10


def mentioned(value):
    """The logical names that a value refers to."""
    if isinstance(value, list):
        return set().union(*map(mentioned, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = set().union(set(), *(mentioned(child) for child in value.values()))
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        attribute = value["Fn::GetAtt"]
        found.add((attribute.split(".") if isinstance(attribute, str) else attribute)[0])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"] if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"][0]
        found.update(name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text))
    return found


def of_type(resources, kind):
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


def order(resources):
    """What must be there before something else is made, and is not there by itself."""
    for name, stage in of_type(resources, "AWS::ApiGateway::Stage").items():
        if "ApiGatewayAccount" not in mentioned(stage):
            yield f"{name}: asks for logs, and may be made before ApiGatewayAccount lets API Gateway write them"


CHECKS = [order]


def findings(template):
    for check in CHECKS:
        yield from check(template["Resources"])
