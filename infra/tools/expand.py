"""Writes the SAM template as CloudFormation will see it: checks see nothing in the unexpanded one.

    expand.py infra/sam/template.yaml target/sam/expanded.json

Code and workflows stay where they are on this machine; their addresses are placeholders.
"""

import json
import logging
import os
import pathlib
import sys

import yaml
from samtranslator.parser.parser import Parser
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.translator import Translator

# It would tell of features it could have.
logging.getLogger("samtranslator").setLevel(logging.ERROR)

# What the translator wants to be in S3 already, by type.
LOCAL = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


class NoManagedPolicies(ManagedPolicyLoader):
    """The template names its policies whole; nobody is asked for their addresses."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def expand(template, parameters=None):
    for resource in template["Resources"].values():
        name = LOCAL.get(resource["Type"])
        uri = name and resource["Properties"][name]
        if uri:
            path = uri.removeprefix("../../").rstrip("/")
            resource["Properties"][name] = f"s3://local/{path}"
    # The translator asks for a region and does nothing there.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    translator = Translator({}, Parser())
    return translator.translate(template, parameters or {}, feature_toggle=None, passthrough_metadata=True)


def main(source, target):
    template = yaml.safe_load(pathlib.Path(source).read_text())
    expanded = expand(template)
    target = pathlib.Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(expanded, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
