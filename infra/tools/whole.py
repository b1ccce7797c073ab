"""What no part of the deployment may be without; `check_template.py` asks for it."""

import json
import pathlib
import re

import expand
import yaml

TEMPLATE = pathlib.Path(__file__).parents[1] / "sam/template.yaml"
HANDBOOK = pathlib.Path(__file__).parents[2] / "docs/aws.md"
# What CloudWatch watches by one alarm, at most.
METRICS_OF_AN_ALARM = 10
# What the relay says every minute, also where there is nothing: of this, silence is the worst that can be heard.
EACH_MINUTE = ("mano", "FactsOverdue")


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
    heard = [p["EventPattern"] for p in of_type(resources, "AWS::Events::Rule").values() if "EventPattern" in p]
    heard = mentioned([pattern["detail"] for pattern in heard if pattern["source"] == ["aws.states"]])
    for machine in set(of_type(resources, "AWS::StepFunctions::StateMachine")) - heard:
        yield f"{machine}: no rule hears of its runs that end by themselves"
    if ("mano", "OldestRunSeconds", [{"Name": "FunctionName", "Value": {"Ref": "Relay"}}]) not in watched:
        yield "no alarm watches how long the oldest run goes on"


def driven(resources):
    """Who starts, shows and stops runs may do so with those of every workflow."""
    for machine, said in of_type(resources, "AWS::StepFunctions::StateMachine").items():
        name = said["StateMachineName"]["Fn::Sub"]
        machine_itself, its_runs = f"stateMachine:{name}", f"execution:{name}:*"
        for role, target in [
            ("RelayRole", machine_itself), ("ServiceManagementRole", machine_itself), ("ServiceManagementRole", its_runs),
            ("AdaptersRole", machine_itself),
        ]:
            if f':{target}"' not in json.dumps(resources[role]["Properties"]["Policies"]):
                yield f"{role}: has no rights to {machine}, which is {target}"


def functions(resources):
    """Every function is traced, logs into a group that forgets, and is called by an alias that a canary moves."""
    logs = of_type(resources, "AWS::Logs::LogGroup")
    groups = of_type(resources, "AWS::CodeDeploy::DeploymentGroup")
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        if function.get("TracingConfig") != {"Mode": "Active"}:
            yield f"{name}: is not traced"
        if function["Architectures"] != [{"Ref": "Architecture"}]:
            yield f"{name}: is of another architecture than it is built for"
        log = logs.get(function["LoggingConfig"]["LogGroup"]["Ref"], {})
        if log.get("RetentionInDays") != {"Ref": "LogDays"} or "KmsKeyId" not in log:
            yield f"{name}: its log is kept for ever, or open"
        alias = resources[f"{name}Live"]
        said = alias.get("UpdatePolicy", {}).get("Fn::If", [None, {}])
        moved = said[1].get("CodeDeployLambdaAliasUpdate", {}).get("DeploymentGroupName", {}).get("Ref")
        if said[0] != "OnAws" or moved not in groups or alias["Properties"]["FunctionName"] != {"Ref": name}:
            yield f"{name}: no canary moves its alias"
        elif mentioned(groups[moved]["AlarmConfiguration"]) != {f"{name}Errors"}:
            yield f"{moved}: watches another function"


def door(resources):
    """What the gateway does is written into our log alone, with what the functions' failures say."""
    logs = of_type(resources, "AWS::Logs::LogGroup")
    for name, stage in of_type(resources, "AWS::ApiGateway::Stage").items():
        if any(method.get("LoggingLevel") != "OFF" for method in stage["MethodSettings"]):
            yield f"{name}: API Gateway makes a log that is kept for ever, without a key"
        said = stage["AccessLogSetting"]
        log = logs.get(said["DestinationArn"]["Fn::GetAtt"][0], {})
        if log.get("RetentionInDays") != {"Ref": "LogDays"} or "KmsKeyId" not in log:
            yield f"{name}: its log is kept for ever, or open"
        for why in ["$context.error.message", "$context.integration.error"]:
            if why not in said["Format"]:
                yield f"{name}: its log does not say {why}"


def storage(resources):
    """What is stored can be had back as it was, is encrypted, and outlives the stack."""
    for name, table in of_type(resources, "AWS::DynamoDB::Table").items():
        if not table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]:
            yield f"{name}: cannot be restored"
        if table["SSESpecification"].get("KMSMasterKeyId") != {"Ref": "Key"}:
            yield f"{name}: is not encrypted with the deployment's key"
    for name, bucket in of_type(resources, "AWS::S3::Bucket").items():
        if bucket["VersioningConfiguration"]["Status"] != "Enabled":
            yield f"{name}: what is written over is lost"
        if "Key" not in mentioned(bucket["BucketEncryption"]):
            yield f"{name}: is not encrypted with the deployment's key"
    for name, resource in resources.items():
        kept = {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")}
        stores = resource["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key")
        if stores and kept != {"Retain"}:
            yield f"{name}: goes with the stack"


def named(resources, dimension, value):
    """Whether there is what a dimension of a metric names."""
    target = next(iter(mentioned(value)), None)
    resource = resources.get(target, {"Type": None, "Properties": {}})
    kinds = {
        "FunctionName": "AWS::Lambda::Function",
        "StateMachineArn": "AWS::StepFunctions::StateMachine",
        "QueueName": "AWS::SQS::Queue",
        "TableName": "AWS::DynamoDB::Table",
        "EventBusName": "AWS::Events::EventBus",
    }
    if dimension in kinds:
        return resource["Type"] == kinds[dimension]
    if dimension == "Resource":
        return resource["Type"] == kinds["FunctionName"] and f"{target}Live" in resources
    kinds = {"ApiName": ("AWS::ApiGateway::RestApi", "Name"), "Stage": ("AWS::ApiGateway::Stage", "StageName"),
             "RuleName": ("AWS::Events::Rule", "Name")}
    kind, field = kinds.get(dimension, (None, None))
    return any(p.get(field) == value for p in of_type(resources, kind).values())


def alarms(resources):
    """Every alarm watches what there is, no more than it may, and tells the operators."""
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        watched = metrics(alarm)
        if not 1 <= len(watched) <= METRICS_OF_AN_ALARM:
            yield f"{name}: watches {len(watched)} metrics"
        for _, metric, dimensions in watched:
            for dimension in dimensions:
                if not named(resources, dimension["Name"], dimension["Value"]):
                    yield f"{name}: there is no {dimension['Name']} {dimension['Value']} for {metric}"
        if alarm["AlarmActions"] != [{"Ref": "Operators"}]:
            yield f"{name}: tells nobody"
        spoken = any((space, metric) == EACH_MINUTE for space, metric, _ in watched)
        if alarm["TreatMissingData"] != ("breaching" if spoken else "notBreaching"):
            yield f"{name}: {'takes silence for health' if spoken else 'is raised where nothing happens'}"
        # Of DynamoDB CloudWatch always ignores what is missing, and so would never call an alarm off.
        filled = any("FILL(" in m.get("Expression", "") for m in alarm.get("Metrics", []))
        if not filled and any(space == "AWS/DynamoDB" for space, _, _ in watched):
            yield f"{name}: stays raised when nothing happens any more"
    every = of_type(resources, "AWS::CloudWatch::Alarm").values()
    if not any(watched[:2] == EACH_MINUTE for alarm in every for watched in metrics(alarm)):
        yield "no alarm watches whether the relay still speaks"


def dashboard(resources):
    """One look shows every function, workflow and queue, and what the relay says every minute."""
    body = [p["DashboardBody"] for p in of_type(resources, "AWS::CloudWatch::Dashboard").values()]
    shown = mentioned(body)
    for metric in ["FactsOverdue", "OldestRunSeconds"]:
        if f'"mano","{metric}"' not in body[0]["Fn::Sub"]:
            yield f"{metric}: no dashboard shows it"
    for kind in ["AWS::Lambda::Function", "AWS::StepFunctions::StateMachine", "AWS::SQS::Queue"]:
        for name in of_type(resources, kind):
            if name not in shown:
                yield f"{name}: no dashboard shows it"


def cost(resources):
    """CloudWatch asks money for every metric of an alarm, and the handbook says how many there are."""
    watched = [metrics(alarm) for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()]
    said = f"{len(watched)} on {sum(map(len, watched))} metrics"
    if said not in HANDBOOK.read_text():
        yield f"docs/aws.md does not say of the alarms that there are {said}"


CHECKS = [order, releases, functions, door, storage, alarms, defects, runs, driven, dashboard, cost]


def findings(template):
    for check in CHECKS:
        yield from check(template["Resources"])
