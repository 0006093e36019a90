"""Layers in files: plain ones, and a folder as iam-collect 0.1 writes it (its docs/Storage.md)."""

import json
from pathlib import Path
from typing import Any

import pytest

from ekstui.errors import InputError
from ekstui.iam.request import Request
from ekstui.sources.levels import read_layers
from tests.support.documents import document

ACCOUNT, MANAGEMENT = "111122223333", "999999999999"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/App"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/App/one"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"
FULL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    """An organization of three levels, a role with a boundary, a bucket and a queue, in the layout of iam-collect."""
    base = tmp_path / "iam-data" / "aws" / "aws"
    org = base / "organizations" / "o-1"
    scp = "arn:aws:organizations::999999999999:policy/o-1/service_control_policy/p-Regions"
    everything = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"
    rcp = "arn:aws:organizations::999999999999:policy/o-1/resource_control_policy/p-Tls"
    write_json(org / "metadata.json", {"id": "o-1", "rootOu": "r-1", "rootAccountId": MANAGEMENT})
    write_json(
        org / "ous.json",
        {
            "r-1": {"scps": [everything], "rcps": []},
            "ou-1": {"parent": "r-1", "scps": [everything, scp], "rcps": [rcp]},
        },
    )
    write_json(
        org / "accounts.json",
        {
            ACCOUNT: {"ou": "ou-1", "scps": [everything], "rcps": []},
            MANAGEMENT: {"ou": "r-1", "scps": [everything], "rcps": []},
        },
    )
    write_json(org / "ous" / "ou-1" / "metadata.json", {"arn": "…", "name": "Workloads"})
    write_json(org / "ous" / "r-1" / "metadata.json", {"arn": "…", "name": "Root"})
    write_json(org / "scps" / "p-fullawsaccess" / "policy.json", document(FULL))
    write_json(org / "scps" / "p-fullawsaccess" / "metadata.json", {"name": "FullAWSAccess"})
    write_json(org / "scps" / "p-regions" / "policy.json", document({**FULL, "Sid": "Regions", "Effect": "Deny"}))
    write_json(org / "scps" / "p-regions" / "metadata.json", {"name": "regions"})
    write_json(
        org / "rcps" / "p-tls" / "policy.json", document({**FULL, "Effect": "Deny", "Principal": "*", "Action": "s3:*"})
    )
    mine = base / "accounts" / ACCOUNT
    role = mine / "iam" / "role" / "team%2fapp"
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/Limit"
    write_json(role / "metadata.json", {"arn": ROLE, "name": "App", "permissionBoundary": boundary})
    write_json(
        role / "trust-policy.json",
        document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}),
    )
    write_json(
        mine / "iam" / "role" / "plain" / "metadata.json",
        {"arn": f"arn:aws:iam::{ACCOUNT}:role/plain", "name": "plain"},
    )
    write_json(mine / "iam" / "policy" / "limit" / "metadata.json", {"arn": boundary, "name": "Limit"})
    write_json(mine / "iam" / "policy" / "limit" / "current-policy.json", document(FULL))
    write_json(mine / "s3" / "logs" / "metadata.json", {"arn": "arn:aws:s3:::logs", "name": "logs"})
    write_json(mine / "s3" / "logs" / "policy.json", document({**FULL, "Principal": "*"}))
    write_json(mine / "sqs" / "eu-west-1" / "jobs" / "metadata.json", {"arn": QUEUE, "name": "jobs"})
    return tmp_path / "iam-data"


def of_options(folder: Path, request: Request, *, assumes: bool = False) -> Any:
    paths = [str(folder)]
    return read_layers(paths, paths, paths, paths).for_request(request, assumes=assumes)


def test_levels_of_the_callers_and_the_resources_account(collected: Path) -> None:
    layers = of_options(collected, Request("s3:GetObject", ("arn:aws:s3:::logs/a/b",), SESSION))
    assert [(level.name, [policy.name for policy in level.policies]) for level in layers.organization.service_control] == [
        ("Root", ["FullAWSAccess"]), ("Workloads", ["FullAWSAccess", "regions"]), (f"account {ACCOUNT}", ["FullAWSAccess"]),
    ]  # fmt: skip
    # A bucket's ARN has no account: iam-collect knows it, and so which resource control policies apply.
    assert layers.resource_account == ACCOUNT
    assert [policy.name for level in layers.organization.resource_control for policy in level.policies] == ["p-Tls"]
    assert [policy.name for policy in layers.resource.values()] == ["policy of logs"]
    assert layers.boundary is not None and layers.boundary.name == "Limit"
    assert layers.notes == ()


def test_what_applies_to_nothing_is_known_not_to(collected: Path) -> None:
    of_plain = f"arn:aws:sts::{ACCOUNT}:assumed-role/plain/one"
    layers = of_options(collected, Request("sqs:SendMessage", (QUEUE,), of_plain))
    # A queue without a policy leaves requests of its account to their own policies, and refuses those of others.
    assert [policy.document.statements for policy in layers.resource.values()] == [()]
    assert (layers.boundary, layers.without) == (None, {"boundary"})
    levels_of_management = of_options(
        collected, Request("sqs:SendMessage", (QUEUE,), f"arn:aws:iam::{MANAGEMENT}:role/x")
    )
    assert levels_of_management.organization.service_control == ()
    assert "service-control" in levels_of_management.without
    assert any("management account" in note for note in levels_of_management.notes)
    levels_of_other_account = of_options(
        collected, Request("sqs:SendMessage", (QUEUE,), "arn:aws:iam::123123123123:role/x")
    )
    assert "service-control" not in levels_of_other_account.without and any(
        "no organization of account" in note for note in levels_of_other_account.notes
    )
    nobody = of_options(collected, Request("sqs:SendMessage", (QUEUE,)))
    assert any("account of the caller is not known" in note for note in nobody.notes)


def test_the_trust_policy_of_a_role_that_is_assumed(collected: Path) -> None:
    layers = of_options(collected, Request("sts:AssumeRole", (ROLE,), SESSION), assumes=True)
    assert layers.trust is not None and (layers.trust.arn, len(layers.trust.document.statements)) == (ROLE, 1)
    assert layers.resource == {}


def test_what_iam_collect_wrote_only_in_part(collected: Path) -> None:
    (collected / "aws/aws/organizations/o-1/scps/p-regions/policy.json").unlink()
    with pytest.raises(InputError, match="is missing"):
        of_options(collected, Request("sqs:SendMessage", (QUEUE,), SESSION))


def test_plain_files_are_the_policies_of_the_resources_that_they_name(tmp_path: Path) -> None:
    for name in ("logs", "data"):
        write_json(
            tmp_path / f"{name}.json", document({**FULL, "Principal": "*", "Resource": f"arn:aws:s3:::{name}/*"})
        )
    layers = read_layers(resource_policy=[str(tmp_path)])
    applied_layers = layers.for_request(
        Request("s3:ListBucket", ("arn:aws:s3:::logs", "arn:aws:s3:::else")), assumes=False
    )
    assert {resource: policy.name for resource, policy in applied_layers.resource.items()} == {
        "arn:aws:s3:::logs": "logs"
    }
    assert applied_layers.notes == ("None of the given policies is that of arn:aws:s3:::else.",)
    # A single file is the policy of the resource that is asked about, as the user says.
    one = read_layers(resource_policy=[str(tmp_path / "data.json")])
    assert list(one.for_request(Request("s3:ListBucket", ("arn:aws:s3:::logs",)), assumes=False).resource) == [None]
    statement = {**FULL, "Principal": "*", "Resource": "*"}
    write_json(tmp_path / "more.json", document(statement))
    with pytest.raises(InputError, match="may both be the policy"):
        read_layers(resource_policy=[str(tmp_path)]).for_request(
            Request("s3:ListBucket", ("arn:aws:s3:::logs",)), assumes=False
        )


def test_one_boundary_and_no_session_policy_of_iam_collect(tmp_path: Path, collected: Path) -> None:
    for name in "ab":
        write_json(tmp_path / "limits" / f"{name}.json", document(FULL))
    with pytest.raises(InputError, match="one permissions boundary"):
        read_layers(boundary=[str(tmp_path / "limits")])
    assert len(read_layers(session_policy=[str(tmp_path / "limits")]).session.policies) == 2
    with pytest.raises(InputError, match="no session policies"):
        read_layers(session_policy=[str(collected)])
