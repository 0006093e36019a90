"""What follows from the parameters of a recorded call: the tags that it sets and the resources that it concerns.

Services write parameters in many shapes; only what is unambiguous is used.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from ekstui.iam import arn
from ekstui.iam.policy_variables import literal
from ekstui.iam.reference import ActionInfo, reference
from ekstui.named_tuples import NamedTuple

_TAG_NAMES = frozenset(("tag", "tags", "taglist", "tagset"))
_TAG_CONTAINERS = frozenset(("tagspecification", "tagspecifications", "tagspecificationset"))
_TEMPLATES = frozenset(("launchtemplate", "launchtemplatedata", "launchtemplateconfigs", "launchtemplatespecification"))
"""Parts about a launch template, whose tags are not those of the request but may be added to them."""

PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
KMS_KEY_ID = re.compile(r"(?:mrk-)?[0-9a-f-]{32,36}")
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_MAX_RESOURCES = 50
_MAX_DEPTH = 20
"""The depth to which parameters are read; EC2's are up to seven levels deep."""

# Services whose identifiers are those in their ARNs. The name of a secret, for example, lacks the suffix of its ARN.
_BY_IDENTIFIER = frozenset(("dynamodb", "ec2", "ecr", "eks", "elasticfilesystem", "fsx", "kms", "s3", "ssm"))

# Parameters that have another name in the reference's ARN formats, by service.
_PLACEHOLDER_NAMES = {
    ("ec2", "groupid"): "securitygroupid",
    ("ec2", "keyname"): "keypairname",
    ("eks", "name"): "clustername",
    ("s3", "key"): "objectname",
}

# Prefixes of EC2 identifiers, for calls such as CreateTags that take any of them, and their names in ARN formats.
_OF_ANY_TYPE = "resourceid"
_BY_PREFIX = {
    "ami": "imageid", "eipalloc": "allocationid", "eni": "networkinterfaceid", "i": "instanceid",
    "igw": "internetgatewayid", "lt": "launchtemplateid", "nat": "natgatewayid", "rtb": "routetableid",
    "sg": "securitygroupid", "snap": "snapshotid", "subnet": "subnetid", "vol": "volumeid", "vpc": "vpcid",
}  # fmt: skip

# What else a call creates, besides what its name says.
_ALSO_MADE = {"ec2:runinstances": ("instance", "network-interface")}


class RequestTags(NamedTuple):
    """The tags that a call sets."""

    tags: Mapping[str, str | None]
    """By key; None for a key without a value, as in a call that removes tags."""
    known_whole: bool
    """Whether these are all."""


def request_tags(parameters: object, resources: tuple[str, ...]) -> RequestTags:
    """Return the tags that a call sets on the denied resources; EC2 calls may set others for each type."""
    # CloudTrail omits parameters that are too large, and says so.
    if not isinstance(parameters, dict) or parameters.get("omitted") is True:
        return RequestTags({}, known_whole=False)
    tags = list(_tag_sets(parameters, None))
    clear = all(tags is not None for _, tags in tags)
    tags_by_type = {kind: tags or {} for kind, tags in tags if kind is not None}
    common_tags = {key: value for kind, tags in tags if kind is None for key, value in (tags or {}).items()}
    if not tags_by_type:
        return RequestTags(common_tags, known_whole=clear)
    kinds = {arn.split_arn(resource).resource.partition("/")[0] for resource in resources} or set(tags_by_type)
    first = tags_by_type.get(min(kinds), {})
    if all(tags_by_type.get(kind) == first for kind in kinds):
        return RequestTags(common_tags | first, known_whole=clear and bool(resources))
    return RequestTags(common_tags, known_whole=False)


def resources_named(parameters: object, info: ActionInfo, place: tuple[str, str, str]) -> tuple[str, ...]:
    """Return the ARNs of the resources that a call concerns; `place` is the partition, region and account."""
    if not isinstance(parameters, dict):
        return ()
    service = info.name.partition(":")[0]
    values = _identifiers(parameters, service)
    arns = [value for entries in values.values() for value in entries if value.startswith("arn:")]
    new_types = made_by(info.name)
    resources: dict[str, None] = {}
    for use in info.resource_types:
        kind = reference().resource_type(service, use.name)
        for form in kind.arn_formats if kind is not None else ():
            pattern = arn.open_variables(form)
            of_kind = [text for text in arns if arn.matches_resource(pattern, literal(text))]
            if not of_kind and service in _BY_IDENTIFIER:
                of_kind = list(_filled(form, values, place, service))
            if not of_kind and service == "ec2" and use.name in new_types:
                of_kind = [of_place(form, place).partition("${")[0] + "*"]
            resources.update(dict.fromkeys(of_kind))
    return tuple(resources)[:_MAX_RESOURCES]


def _identifiers(parameters: object, service: str) -> dict[str, dict[str, None]]:
    """Return the text parameters by their name in ARN formats."""
    values: dict[str, dict[str, None]] = {}
    for name, value in _scalars(parameters):
        if value not in ("", "*", _HIDDEN):
            values.setdefault(_PLACEHOLDER_NAMES.get((service, name), name), {})[value] = None
    if service == "ec2":
        kinds = {text: _BY_PREFIX.get(text.partition("-")[0]) for text in values.get(_OF_ANY_TYPE, ())}
        # If one of a list is not known, the others decide nothing.
        for text, kind in kinds.items() if None not in kinds.values() else ():
            values.setdefault(str(kind), {})[text] = None
    if service == "ssm":
        values["parameternamewithoutleadingslash"] = {name.lstrip("/"): None for name in values.get("name", ())}
    return values


_Tags = dict[str, str | None]


def _tag_sets(value: object, kind: str | None, depth: int = _MAX_DEPTH) -> Iterator[tuple[str | None, _Tags | None]]:
    """Yield the tags in a part of the parameters by resource type; None for a part that is not understood."""
    if depth == 0:
        yield None, None
    elif isinstance(value, list):
        for entry in value:
            yield from _tag_sets(entry, kind, depth - 1)
    elif isinstance(value, dict):
        lower = _lower(value)
        type_name = lower.get("resourcetype")
        kind = type_name if isinstance(type_name, str) else kind
        for name, entry in lower.items():
            if isinstance(entry, bool | int | float | None) and name not in _TEMPLATES:
                continue
            if name in _TAG_NAMES:
                yield kind, _tags(entry)
            elif name in ("tagkeys", "tagkeylist"):
                keys = _texts(entry)
                yield kind, None if keys is None else dict.fromkeys(keys)
            elif name in _TEMPLATES or ("tag" in name and name not in _TAG_CONTAINERS):
                yield None, None
            else:
                yield from _tag_sets(entry, kind, depth - 1)


def _tags(value: object) -> _Tags | None:
    """Return tags from a list of keys and values, in `items` or not, from one such pair, or from a map; else None."""
    if isinstance(value, dict):
        if isinstance(items := _lower(value).get("items"), list):
            return _tags(items)
        if (pair := _pair(value)) is not None:
            return dict([pair])
        texts = all(isinstance(entry, str) for entry in value.values()) and _HIDDEN not in value.values()
        return dict(value) if texts else None
    pairs = [_pair(entry) for entry in value] if isinstance(value, list) else [None]
    tags = [pair for pair in pairs if pair is not None]
    return dict(tags) if len(tags) == len(pairs) else None


def _lower(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): entry for name, entry in value.items()}


def _pair(value: object) -> tuple[str, str | None] | None:
    entry = _lower(value) if isinstance(value, dict) else {}
    for key, text in ((entry.get("key"), entry.get("value")), (entry.get("tagkey"), entry.get("tagvalue"))):
        if isinstance(key, str) and text != _HIDDEN:
            return key, text if isinstance(text, str) else None
    return None


def _texts(value: object) -> list[str] | None:
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        value = value["items"]
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return value
    return None


def _scalars(value: object, name: str = "", depth: int = _MAX_DEPTH) -> Iterator[tuple[str, str]]:
    """Yield the lower-case name and the text of each parameter, except tags, filters and templates."""
    if isinstance(value, str):
        yield name, value
    elif depth == 0:
        return
    elif isinstance(value, list):
        for entry in value:
            yield from _scalars(entry, name, depth - 1)
    elif isinstance(value, dict):
        for inner, entry in value.items():
            lower = inner.lower()
            if "tag" not in lower and "filter" not in lower and lower != "launchtemplatedata":
                yield from _scalars(entry, lower, depth - 1)


def _filled(
    form: str, values: Mapping[str, Mapping[str, None]], place: tuple[str, str, str], service: str
) -> Iterator[str]:
    """Yield the ARNs of a format whose placeholders are all among the parameters."""
    text = of_place(form, place)
    names = [name.lower() for name in PLACEHOLDER.findall(text)]
    choices = [[value for value in values.get(name, ()) if not value.startswith("arn:")] for name in names]
    # It is not known which entries of two lists belong together.
    if not names or not all(choices) or sum(len(choice) > 1 for choice in choices) > 1:
        return
    for combination in product(*choices):
        if service == "kms" and not KMS_KEY_ID.fullmatch(combination[0]):
            continue
        filled_arn = text
        for value in combination:
            filled_arn = PLACEHOLDER.sub(lambda _, value=value: value, filled_arn, count=1)  # type: ignore[misc]
        yield filled_arn


def of_place(form: str, place: tuple[str, str, str]) -> str:
    """Return an ARN format with the partition, Region and account filled in."""
    for name, value in zip(("Partition", "Region", "Account"), place, strict=True):
        form = form.replace(f"${{{name}}}", value)
    return form


def made_by(action: str) -> tuple[str, ...]:
    """Return the resource types that an EC2 action creates; IAM evaluates `volume/*` before the volume exists."""
    name = action.partition(":")[2]
    if name.startswith("Create"):
        return (re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name.removeprefix("Create")).lower(),)
    return _ALSO_MADE.get(action.lower(), ())
