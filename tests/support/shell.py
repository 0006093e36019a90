"""Commands as a shell and the AWS CLI take them: whether they can be pasted, without running any."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import MapShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

_GLOBAL = {"--region", "--query", "--output", "--profile"}
_MODELS = {"s3api": "s3"}
"""Services that the CLI calls otherwise than botocore does."""

_OF_THE_CLI = {("eks", "update-kubeconfig"): {"--name", "--alias"}}
"""Commands that the CLI has beside the service's operations, with options of theirs."""


def commands_in(text: str) -> list[str]:
    """Return the lines of an answer that are commands."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if re.match(r"(?:aws|kubectl|eksctl|ekstui) |[A-Z_]+=\$\(", line)]


def fault_of(command: str) -> str:
    """Return what keeps a command from being pasted or run as it is meant; empty if nothing does."""
    result = subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True, check=False)
    if result.returncode:
        return result.stderr
    if "\n" in command or "…" in command:
        return "not one whole line"
    try:
        words = [_filled(word) for word in shlex.split(command)]
    except ValueError as error:
        return str(error)
    if any(word.startswith(("{", "[")) and not _is_json(word) for word in words):
        return "JSON that is not valid"
    if re.search(r"\b(?:ACCOUNT|CLUSTER|PRINCIPAL_ARN|ROLE)\b(?![:=])", " ".join(words)):
        return "a placeholder that the shell does not refuse"
    return _fault_of_aws(words) if words[0] == "aws" else ""


def _filled(word: str) -> str:
    """Return a word with values for what the shell would expand."""
    word = re.sub(r"\$\(ekstui [^)]*\)", "{}", word)
    word = re.sub(r"\$\(aws [^)]*\)", "arn:aws:iam::111122223333:role/r", word)
    return re.sub(r"\$\{\w+:\?\}", "111122223333", word)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@cache
def _model(service: str) -> ServiceModel:
    name = _MODELS.get(service, service)
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def _fault_of_aws(words: list[str]) -> str:
    _, service, command, *rest = words
    if (service, command) in _OF_THE_CLI:
        unknown = {option for option, _ in _options(rest)} - _OF_THE_CLI[service, command] - _GLOBAL
        return f"{command} has no {', '.join(unknown)}" if unknown else ""
    model = _model(service)
    operation = next((name for name in model.operation_names if xform_name(name, "-") == command), None)
    if operation is None:
        return f"{service} has no {command}"
    shape = model.operation_model(operation).input_shape
    members = {} if shape is None else {xform_name(member, "-"): member for member in shape.members}
    parameters: dict[str, Any] = {}
    for option, values in _options(rest):
        if option in _GLOBAL:
            continue
        member = members.get(option.removeprefix("--"))
        if member is None or shape is None:
            return f"{command} has no {option}"
        try:
            parameters[member] = _value(shape.members[member], values)
        except (ValueError, KeyError) as error:
            return f"{option}: {error}"
    if shape is None:
        return ""
    report = ParamValidator().validate(parameters, shape)
    return report.generate_report() if report.has_errors() else ""


def _options(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    option = ""
    values: list[str] = []
    for word in words:
        if word.startswith("--"):
            if option:
                yield option, values
            option, values = word, []
        else:
            values.append(word)
    if option:
        yield option, values


def _value(shape: Shape, values: list[str]) -> Any:
    if values and values[0].startswith(("{", "[")) and shape.type_name != "string":
        return json.loads(values[0])
    if shape.type_name == "list":
        return [_value(shape.member, [item]) for item in values]
    (value,) = values
    if isinstance(shape, MapShape):
        return dict(pair.split("=", 1) for pair in value.split(","))
    if isinstance(shape, StructureShape):
        return _structure(shape, value)
    return value == "true" if shape.type_name == "boolean" else value


def _structure(shape: StructureShape, text: str) -> dict[str, Any]:
    """Return the CLI's short form of a structure, `a=b,c=d,e`, where `e` is a second value of `c`."""
    values_by_key: dict[str, list[str]] = {}
    name = ""
    for piece in text.split(","):
        key, equals, value = piece.partition("=")
        if equals and key in shape.members:
            name = key
        values_by_key.setdefault(name, []).append(value if equals and key == name else piece)
    return {key: _value(shape.members[key], values) for key, values in values_by_key.items()}
