"""What no part of the deployment may be without; `check_template.py` asks for it."""

import pathlib
import re

import expand
import yaml

TEMPLATE = pathlib.Path(__file__).parents[1] / "sam/template.yaml"
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


def releases(resources):
    """Another release is another version of every function, on SAM's side and on Lambda's."""
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        if function["Environment"]["Variables"].get("MANO_RELEASE") != {"Ref": "Release"}:
            yield f"{name}: Lambda sees no difference between releases and publishes nothing"

    def versions(release):
        template = yaml.safe_load(TEMPLATE.read_text())
        found = expand.expand(template, {"Release": release})["Resources"]
        return {p["FunctionName"]["Ref"]: name for name, p in of_type(found, "AWS::Lambda::Version").items()}

    one, same, other = versions("0123456789ab"), versions("0123456789ab"), versions("a123456789ab")
    for name in of_type(resources, "AWS::Lambda::Function"):
        if one.get(name) != same.get(name) or one.get(name) == other.get(name):
            yield f"{name}: its version does not go by the release"


def metrics(alarm):
    """What an alarm watches: namespace, name, dimensions."""
    if "Metrics" not in alarm:
        return [(alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"])]
    stats = [m["MetricStat"]["Metric"] for m in alarm["Metrics"] if "MetricStat" in m]
    return [(m["Namespace"], m["MetricName"], m["Dimensions"]) for m in stats]


def defects(resources):
    """Lambda counts as errors also what steps answer on purpose, which the functions count themselves."""
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        watched = {(space, metric): dimensions for space, metric, dimensions in metrics(alarm)}
        errors = watched.get(("AWS/Lambda", "Errors"))
        if errors is None:
            continue
        function = [d for d in errors if d["Name"] == "FunctionName"]
        expected = watched.get(("mano", "ExpectedFailures"))
        said = [m.get("Expression") for m in alarm.get("Metrics", []) if m["ReturnData"]]
        if expected != function or said != ["errors - FILL(expected, 0)"]:
            yield f"{name}: takes for defects what steps answer on purpose"


def runs(resources):
    """However a run of whichever workflow ends without success, an alarm hears of it, and if it does not end, too."""
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    watched = [watching for alarm in alarms for watching in metrics(alarm)]
    for machine in of_type(resources, "AWS::StepFunctions::StateMachine"):
        for end in ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"]:
            if ("AWS/States", end, [{"Name": "StateMachineArn", "Value": {"Ref": machine}}]) not in watched:
                yield f"{machine}: no alarm watches {end}"
    if ("mano", "OldestRunSeconds", [{"Name": "Site", "Value": {"Ref": "Site"}}]) not in watched:
        yield "no alarm watches how long the oldest run goes on"


CHECKS = [order, releases, defects, runs]


def findings(template):
    for check in CHECKS:
        yield from check(template["Resources"])
