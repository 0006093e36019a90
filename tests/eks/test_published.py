"""What controllers publish, from the data that ships: releases in their order, unions, parameters, and what changed."""

import hashlib
import json
import lzma
from datetime import date
from functools import cache
from itertools import pairwise

import pytest

from ekstui import files
from ekstui.change.comparison import changes
from ekstui.eks.published import (
    Component,
    filled,
    read_components,
    readable_text,
    release_numbers,
    united_document,
    values_in,
)


def lines() -> list[bytes]:
    return lzma.decompress((files.assets() / "published.jsonl.xz").read_bytes()).splitlines(keepends=True)


@cache
def components() -> dict[str, Component]:
    return read_components(lines())


def test_the_data_is_that_of_its_manifest() -> None:
    manifest = json.loads((files.assets() / "published.json").read_text())
    assert hashlib.sha256(b"".join(lines())).hexdigest() == manifest["sha256"]
    assert len(lines()) == manifest["documents"]
    newest = {entry["newest"] for entry in manifest["components"].values()}
    assert newest == {component.newest.tag for component in components().values() if "/" not in component.name}


def test_what_ships_of_policies_is_under_half_a_megabyte() -> None:
    """The files of the corpus, of the controllers' policies and of the access policies, as they are in the wheel."""
    file_names = (
        "corpus.jsonl.xz",
        "manifest.json",
        "steps.json.xz",
        "published.jsonl.xz",
        "published.json",
        "access-policy-rules.tsv",
    )
    assert sum((files.assets() / name).stat().st_size for name in file_names) < 500_000


def test_every_document_belongs_to_a_component_and_is_a_policy() -> None:
    rows = [json.loads(line) for line in lines()]
    documents = {
        (policy.name, json.dumps(policy.document, sort_keys=True))
        for component in components().values()
        for version in component.versions
        for policy in version.policies
    }
    assert documents == {(row["policy"], json.dumps(row["document"], sort_keys=True)) for row in rows}
    assert all(version.document().statements for component in components().values() for version in component.versions)


def test_releases_are_in_the_order_of_their_versions_though_patches_of_old_branches_come_later() -> None:
    karpenter = components()["karpenter"]
    releases = [release for version in karpenter.versions for release in version.releases]
    assert releases == sorted(releases, key=lambda release: release_numbers(release.tag))
    days = {release.tag: release.day for release in releases}
    assert days["v1.0.14"] == date(2026, 7, 15) > days["v1.9.0"]
    # The manifest's maker compares tags by code of its own.
    manifest = json.loads((files.assets() / "published.json").read_text())
    assert karpenter.newest.tag == manifest["components"]["Karpenter"]["newest"]


@pytest.mark.parametrize(
    ("component", "release", "label"),
    [
        ("aws-load-balancer-controller", "v3.5.0", "v2.13.0"),
        ("aws-load-balancer-controller", "2.13.0", "v2.13.0"),
        ("vpc-cni", "v1.20.4-eksbuild.1", "v1.18.4"),
        ("cluster-autoscaler", "v1.33.0", "cluster-autoscaler-1.31.0"),
        ("karpenter", "v9.0.0", None),
        ("karpenter", "latest", None),
    ],
)
def test_a_release_leads_to_the_version_that_it_shares(component: str, release: str, label: str | None) -> None:
    version = components()[component].at(release)
    assert (version.label if version else None) == label


def test_what_changed_between_releases_of_the_load_balancer_controller() -> None:
    component = components()["aws-load-balancer-controller"]
    before, after = component.at("v2.12.0"), component.at("v2.13.0")
    assert before
    assert after
    change = changes(before.document(), after.document())
    assert change.reach == "widened"
    assert [group.actions for group in change.added] == [("ec2:DescribeRouteTables",)]
    assert not change.removed


def test_several_policies_are_compared_as_their_union() -> None:
    """Karpenter split one policy into five with v1.9; each action of v1.8 is in the union of v1.9."""
    component = components()["karpenter"]
    before, after = component.at("v1.8.0"), component.at("v1.9.0")
    assert before
    assert after
    assert len(before.policies) == 1
    assert len(after.policies) == 5
    actions = [
        {action for statement in side.document().statements for action in statement.actions} for side in (before, after)
    ]
    assert actions[0] == actions[1]
    assert components()["karpenter/KarpenterControllerPolicy"].newest.tag == "v1.8.8"


def test_parameters_are_filled_in_values_and_in_condition_keys_and_the_rest_stays() -> None:
    component = components()["karpenter"]
    assert "ClusterName" in component.parameters
    document = component.versions[-1].document({"ClusterName": "prod"})
    text = repr(document)
    assert "aws:ResourceTag/kubernetes.io/cluster/prod" in text
    assert "${ClusterName}" not in text
    assert "${AWS::AccountId}" in text
    assert "arn:aws:" in text
    assert filled({"${A}": ["${A}", "${aws:username}"]}, {"A": "x"}) == {"x": ["x", "${aws:username}"]}
    assert (
        readable_text("${AWS::Region}:cluster/${ClusterName}/${aws:username}")
        == "<Region>:cluster/<ClusterName>/${aws:username}"
    )


def test_a_correction_stands_beside_what_was_released() -> None:
    rows = [row for row in map(json.loads, lines()) if any(tag == "v1.12.1" for tag, _ in row["releases"])]
    corrections = {row["policy"]: row["corrected"] for row in rows if "corrected" in row}
    assert corrections.keys() == {"KarpenterControllerZonalShiftPolicy", "KarpenterControllerResourceDiscoveryPolicy"}
    assert all("karpenter-provider-aws" in correction["source"] for correction in corrections.values())


def test_documents_of_several_versions_of_the_language_have_no_union() -> None:
    with pytest.raises(ValueError, match="no union"):
        united_document([{"Version": "2012-10-17", "Statement": []}, {"Version": "2008-10-17", "Statement": []}])


def test_every_neighbouring_pair_has_a_verdict_and_at_most_four_are_open() -> None:
    """Each of those left open was looked at.

    Of the Autoscaler's, the reference lists no resource for the action that would match the document's; of Karpenter, it
    lists only launch templates for `ec2:CreateLaunchTemplate`, but is not known to list all that AWS evaluates. Its v1.13.0
    asks for the cluster in a condition instead of as the resource of arc-zonal-shift:GetManagedResource, for which the
    reference lists load balancers alone.
    """
    pairs: dict[str, str] = {}
    for component in components().values():
        for before, after in pairwise(component.versions):
            reach = changes(before.document(before.named({})), after.document(after.named({}))).reach
            # Until v1.8, Karpenter is its one policy.
            pair = json.dumps([before.json(), after.json()])
            pairs[pair] = f"{component.name.partition('/Karpenter')[0]} {after.label} {reach}"
    left_open = {step for step in pairs.values() if step.endswith("unknown")}
    assert len(pairs) > 80
    assert left_open <= {
        "cluster-autoscaler/minimal cluster-autoscaler-1.24.0 unknown",
        "karpenter v0.31.0 unknown",
        "karpenter v1.13.0 unknown",
        "karpenter v1.9.0 unknown",
    }


def test_parameters_are_found_in_what_somebody_filled_in() -> None:
    """A document filled in by hand, with names that could be taken for others."""
    version = components()["karpenter"].versions[-1]
    values = {
        "ClusterName": "prod-eu",
        "AWS::AccountId": "111122223333",
        "AWS::Region": "eu-central-1",
        "AWS::Partition": "aws-cn",
        "KarpenterNodeRole.Arn": "arn:aws-cn:iam::111122223333:role/KarpenterNodeRole-prod-eu",
        "KarpenterInterruptionQueue.Arn": "arn:aws-cn:sqs:eu-central-1:111122223333:prod-eu",
    }
    parameters = values_in(version, version.document(values))
    # The ARNs are as the template makes them, so they say no more than the rest.
    assert parameters == {name: value for name, value in values.items() if not name.endswith(".Arn")}
    own_arn = {**values, "KarpenterNodeRole.Arn": "arn:aws-cn:iam::111122223333:role/team/our-nodes"}
    assert values_in(version, version.document(own_arn)) == {
        **parameters,
        "KarpenterNodeRole.Arn": own_arn["KarpenterNodeRole.Arn"],
    }
    assert version.document(version.named(parameters)) == version.document(values)
    assert values_in(version, version.document(dict.fromkeys(version.parameters, "*"))).get("ClusterName") is None
