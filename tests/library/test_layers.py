"""Layers above an account's principals, given to an answer or named in the settings."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ekstui.denial.answer import Explanation
from ekstui.denial.question import Question
from ekstui.errors import InputError
from ekstui.library import AccountChoice, Library
from ekstui.library.explaining import Inquiry, explain_all
from ekstui.library.principals_can import principals_can
from ekstui.library.roles import role_answer
from ekstui.sources.levels import read_layers

ACCOUNT = "111122223333"
NODE = f"arn:aws:iam::{ACCOUNT}:role/prod-node"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"


def write_document(path: Path, *statements: dict[str, Any]) -> str:
    filled_statements = [{"Effect": "Allow", "Resource": "*", **statement} for statement in statements]
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": filled_statements}), encoding="utf-8")
    return str(path)


def demo_with(layers: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None) -> Library:
    return Library.open(AccountChoice(offline=True, demo=True, layers=layers or {}))


def verdicts(answer: Any) -> dict[str, str]:
    return {principal.subject.name: principal.verdict for principal in (*answer.principals, *answer.taken)}


def test_service_control_policies_limit_who_can_and_what_a_role_may_do(tmp_path: Path) -> None:
    library, scp = demo_with(), write_document(tmp_path / "scp.json", {"Action": ["ec2:Describe*", "ecr:*"]})
    layers = read_layers([scp])
    before = verdicts(principals_can(library, "ec2:CreateTags"))
    answer = principals_can(library, "ec2:CreateTags", layers=layers)
    assert "allowed" in before.values()
    linked_names = {principal.subject.name for principal in answer.principals if principal.subject.service_linked}
    assert linked_names and {name for name, verdict in verdicts(answer).items() if verdict != "taken"} <= linked_names
    assert (
        "service control policies" not in answer.not_looked_at and "resource control policies" in answer.not_looked_at
    )
    role = role_answer(library, "prod-node", layers)
    allowed_actions = {action.action for row in role.access.services for action in row.actions if action.is_granted}
    assert {name.partition(":")[0] for name in allowed_actions} == {"ec2", "ecr"}
    assert (role.within, role.access.withheld) == (("service control policy",), 0)
    services_alone = role_answer(library, "prod-node").access.services
    actions_alone = [action for row in services_alone for action in row.actions if action.is_granted]
    assert role.access.withheld_above == len(actions_alone) - len(allowed_actions) > 0


def test_a_key_policy_decides_who_can_use_the_key(tmp_path: Path) -> None:
    library = demo_with()
    path = write_document(
        tmp_path / "key.json",
        {"Action": "kms:*", "Principal": {"AWS": NODE}},
        {"Effect": "Deny", "Action": "kms:*", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"}},
    )
    answer = principals_can(library, "kms:Decrypt", KEY, read_layers(resource_policy=[path]))
    assert [principal.subject.name for principal in answer.principals] == ["prod-node"]
    assert not any("resource policies" in note for note in answer.not_looked_at)
    # The policy of a resource of another account grants nothing alone.
    answer_of_other_account = principals_can(
        library, "kms:Decrypt", KEY.replace(ACCOUNT, "444455556666"), read_layers(resource_policy=[path])
    )
    assert not answer_of_other_account.principals


@pytest.mark.parametrize(
    ("resources", "is_allowed"),
    [
        ({"Resource": "*"}, True),
        ({"Resource": KEY}, True),
        ({"Resource": f"{KEY}2"}, False),
        ({"NotResource": KEY}, False),
        ({"NotResource": f"{KEY}2"}, True),
        # The policies of repositories name no resource: it is the one that they are attached to.
        ({}, True),
    ],
)
def test_a_statement_of_a_resources_policy_is_of_what_it_names(
    resources: dict[str, str], is_allowed: bool, tmp_path: Path
) -> None:
    statement = {"Effect": "Allow", "Action": "kms:*", "Principal": {"AWS": NODE}, **resources}
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}), encoding="utf-8")
    answer = principals_can(demo_with(), "kms:Decrypt", KEY, read_layers(resource_policy=[str(path)]))
    assert [principal.subject.name for principal in answer.principals] == ["prod-node"] * is_allowed


def test_layers_of_the_settings_count_for_their_account_unless_others_are_given(tmp_path: Path) -> None:
    s3_only, everything = (
        write_document(tmp_path / "scp.json", {"Action": "s3:*"}),
        write_document(tmp_path / "full.json", {"Action": "*"}),
    )
    settings = {ACCOUNT: {"scp": (s3_only,)}, "444455556666": {"scp": ("missing.json",)}}
    library = demo_with(settings)
    assert role_answer(library, "prod-node").access.services == ()
    assert role_answer(library, "prod-node", read_layers([everything])).access.services
    question = Question(action="ec2:DescribeInstances", resources=("*",))
    (answer,) = explain_all(library, Inquiry(question, principal="prod-node"))
    assert isinstance(answer, Explanation)
    assert (answer.verdict, [layer.layer for layer in answer.layers]) == (
        "implicit-deny",
        ["service-control", "identity"],
    )
    with pytest.raises(InputError, match=r"missing\.json cannot be read"):
        role_answer(demo_with({ACCOUNT: {"scp": ("missing.json",)}}), "prod-node")


def test_a_bucket_is_taken_to_be_of_the_account(tmp_path: Path) -> None:
    path = write_document(tmp_path / "bucket.json", {"Action": "s3:*", "Principal": {"AWS": NODE}})
    answer = principals_can(demo_with(), "s3:GetObject", "arn:aws:s3:::logs/a", read_layers(resource_policy=[path]))
    assert "prod-node" in [principal.subject.name for principal in answer.principals]
    # Those with a policy of their own need no other.
    before = verdicts(principals_can(demo_with(), "s3:GetObject", "arn:aws:s3:::logs/a"))
    assert verdicts(answer) == {**before, "prod-node": "allowed"}
    assert any("taken to be one of account" in note for note in answer.notes)
