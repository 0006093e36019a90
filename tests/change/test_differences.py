"""What differs, action by action, in AWS's own documents."""

from itertools import pairwise
from typing import Any

import pytest

from ekstui.change.differences import MAX_STEPS, STEPS_OF_ARNS, Differences, differences
from ekstui.iam import arn
from ekstui.iam.document import parse
from ekstui.iam.grants import grants
from tests.support.corpus import raw_corpus, raw_document
from tests.support.documents import document_of

EBS = "AmazonEBSCSIDriverPolicy"


def between(before: tuple[str, int], after: tuple[str, int]) -> Differences:
    return differences(parse(raw_document(*before)), parse(raw_document(*after)))


def test_one_value_added_to_two_actions_is_one_difference() -> None:
    name = "AmazonEKSServiceRolePolicy"
    comparison = between((name, 25), (name, 26))
    assert comparison.counts == (0, 0, 2)
    (difference,) = comparison.changed
    assert difference.actions == ("eks:AssociateAccessPolicy", "eks:DisassociateAccessPolicy")
    (line,) = difference.conditions[0].revised[0].lines
    assert (line.before.key, line.removed) == ("eks:policyArn", ())
    assert line.added == ("arn:aws:eks::aws:cluster-access-policy/AmazonEKSPodIdentityPolicy",)
    assert difference.conditions[0].everywhere


def test_a_resource_within_one_of_the_other_side_has_other_conditions_and_is_not_new() -> None:
    """Version 3 of the EBS driver's policy names resources: on snapshots one action is held to tags, another no more."""
    comparison = between((EBS, 2), (EBS, 3))
    by_action = {action: difference for difference in comparison.changed for action in difference.actions}
    snapshots = ("arn:aws:ec2:*:*:snapshot/*",)
    (snapshot_change,) = by_action["ec2:CreateSnapshot"].resources
    assert (snapshot_change.removed, snapshot_change.added, snapshot_change.ways) == (
        ("*",),
        ("arn:aws:ec2:*:*:volume/*",),
        ((),),
    )
    (narrower,) = by_action["ec2:CreateSnapshot"].conditions
    assert (narrower.place.resources, narrower.gone) == (snapshots, ((),))
    assert [[line.key for line in way] for way in narrower.new] == [
        ["aws:RequestTag/CSIVolumeSnapshotName"], ["aws:RequestTag/ebs.csi.aws.com/cluster"],
    ]  # fmt: skip
    (volume_change,) = by_action["ec2:CreateVolume"].resources
    (wider,) = by_action["ec2:CreateVolume"].conditions
    assert (volume_change.removed, volume_change.added, len(volume_change.ways)) == (
        ("*",),
        ("arn:aws:ec2:*:*:volume/*",),
        2,
    )
    assert (wider.place.resources, len(wider.gone), wider.new) == (snapshots, 2, ((),))
    assert by_action["ec2:AttachVolume"] is by_action["ec2:DetachVolume"]


def test_a_comparison_takes_resources_as_written_once_it_took_all_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of patterns on both sides would be compared each with each, for minutes."""

    def patterns(name: str) -> Any:
        resources = [f"arn:aws:s3:::*{name}*{number}*" for number in range(400)]
        return document_of({"Effect": "Allow", "Action": [f"s3:X{n}" for n in range(9)], "Resource": resources})

    calls: list[str] = []
    compare = arn.resource_covers

    def counting(general: str, special: str) -> bool | None:
        calls.append(general)
        return compare(general, special)

    monkeypatch.setattr(arn, "resource_covers", counting)
    comparison = differences(patterns("a"), patterns("b"))
    assert comparison.counts == (0, 0, 9)
    assert len(calls) <= MAX_STEPS / STEPS_OF_ARNS


def test_two_statements_are_two_ways_and_one_is_one() -> None:
    comparison = between((EBS, 15), (f"{EBS}V2", 1))
    by_action = {action: difference for difference in comparison.changed for action in difference.actions}
    (change,) = by_action["ec2:ModifyVolume"].conditions
    assert (change.gone, len(change.new), change.revised) == (((),), 2, ())
    (tags,) = by_action["ec2:DeleteTags"].conditions
    assert (tags.gone, [len(way) for way in tags.new], tags.revised) == (((),), [3], ())


def test_what_the_other_side_has_by_a_pattern_is_unchanged() -> None:
    literal = {"Effect": "Allow", "Action": ["ec2:DescribeVpcs", "ec2:DescribeSubnets"], "Resource": "*"}
    wild = {"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:RunInstances"], "Resource": "*"}
    comparison = differences(document_of(literal), document_of(wild))
    assert comparison.removed == comparison.changed == ()
    (covering_pattern,) = comparison.covered
    assert (covering_pattern.actions, covering_pattern.by) == (
        ("ec2:DescribeSubnets", "ec2:DescribeVpcs"),
        "ec2:Describe*",
    )
    assert [difference.actions for difference in comparison.added] == [("ec2:Describe*",), ("ec2:RunInstances",)]
    assert "ec2:DescribeVpcs" not in comparison.added[0].part


def test_a_pattern_on_fewer_resources_is_a_change() -> None:
    literal = {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}
    wild = {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "arn:aws:ec2:*:*:vpc/*"}
    comparison = differences(document_of(literal), document_of(wild))
    assert [difference.actions for difference in comparison.changed] == [("ec2:DescribeVpcs",)]


def test_no_condition_is_called_gone_that_another_way_still_needs() -> None:
    base = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    a, b = {"aws:PrincipalTag/a": "1"}, {"aws:PrincipalTag/b": "1"}
    joint = document_of({**base, "Condition": {"StringEquals": {**a, **b}}})
    either_statement = document_of(
        {**base, "Condition": {"StringEquals": a}}, {**base, "Condition": {"StringEquals": b}}
    )
    for before, after, counts in ((joint, either_statement, (1, 2)), (either_statement, joint, (2, 1))):
        (difference,) = differences(before, after).changed
        (change,) = difference.conditions
        assert (len(change.gone), len(change.new)) == counts
        assert change.revised == ()


def test_a_list_of_exceptions_that_grew_says_by_what() -> None:
    comparison = between(("PowerUserAccess", 1), ("PowerUserAccess", 5))
    (difference,) = comparison.changed
    assert difference.names_added == ("organizations:*", "account:*")
    assert difference.names_removed == ()
    assert {action for difference in comparison.added for action in difference.actions} == {
        "iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles",
    }  # fmt: skip


def test_every_step_of_the_eks_policies_says_something_exactly_where_grants_differ() -> None:
    steps = 0
    for raw in raw_corpus():
        if "EKS" not in raw["name"] and "EBSCSI" not in raw["name"]:
            continue
        for version, next_version in pairwise(raw["versions"]):
            before, after = parse(version["document"]), parse(next_version["document"])
            comparison, grants_differ = differences(before, after), grants(before) != grants(after)
            has_differences = bool(comparison.added or comparison.removed or comparison.changed or comparison.covered)
            assert has_differences == grants_differ, (raw["name"], next_version["version"])
            back = differences(after, before)
            assert comparison.counts == (back.counts[1], back.counts[0], back.counts[2])
            steps += 1
    assert steps > 80


def test_the_ways_that_have_most_in_common_are_one_that_changed() -> None:
    def either(*ways: tuple[str, str]) -> Any:
        base = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
        keys = ("aws:PrincipalTag/a", "aws:PrincipalTag/b")
        return document_of(
            *({**base, "Condition": {"StringEquals": dict(zip(keys, way, strict=True))}} for way in ways)
        )

    # By the values in common the first became the second, and the other way round.
    (difference,) = differences(either(("1", "1"), ("2", "2")), either(("0", "2"), ("9", "1"))).changed
    (change,) = difference.conditions
    assert (change.gone, change.new) == ((), ())
    value_pairs = {(line.before.values, line.after.values) for way in change.revised for line in way.lines}
    assert value_pairs == {(("1",), ("9",)), (("2",), ("0",))}
    assert [len(way.lines) for way in change.revised] == [1, 1]


def get(*buckets: str, element: str = "Resource", action: str = "s3:GetObject", **tags: str) -> dict[str, Any]:
    """A statement on buckets by name, under conditions on tags of the principal."""
    resources = [bucket if bucket == "*" else f"arn:aws:s3:::{bucket}/*" for bucket in buckets]
    condition = {"StringEquals": {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}} if tags else {}
    return {"Effect": "Allow", "Action": action, element: resources, "Condition": condition}


def buckets(resources: tuple[str, ...]) -> list[str]:
    return [resource.removeprefix("arn:aws:s3:::").removesuffix("/*") for resource in resources]


def keys(ways: Any) -> list[list[str]]:
    return [[line.key.rpartition("/")[2] for line in way] for way in ways]


def test_what_is_added_is_said_with_where_and_how_it_is_allowed() -> None:
    statements = [
        get("a", "b"),
        get("c", t="1"),
        get("c", u="1"),
        get("d", t="1"),
        get("d", u="1"),
        get("e", "f", element="NotResource", v="1"),
    ]
    (difference,) = differences(
        document_of(get(action="sqs:SendMessage")), document_of(get(action="sqs:SendMessage"), *statements)
    ).added
    places = [(grant.place.element, buckets(grant.place.resources), keys(grant.ways)) for grant in difference.granted]
    assert sorted(places) == [
        ("NotResource", ["e", "f"], [["v"]]),
        ("Resource", ["a", "b"], [[]]),
        ("Resource", ["c", "d"], [["t"], ["u"]]),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([get("x", "*")], [get("*")]),
        ([get("*"), get("x", t="1")], [get("*")]),
        ([get("*", t="1"), get("x", t="1", u="1")], [get("*", t="1")]),
        ([get("x"), get("x", t="1")], [get("x")]),
        ([get("x", element="NotResource"), get("x", element="NotResource", t="1")], [get("x", element="NotResource")]),
    ],
)
def test_a_way_that_needs_more_than_another_makes_no_difference(before: list[Any], after: list[Any]) -> None:
    assert differences(document_of(*before), document_of(*after)).counts == (0, 0, 0)
    assert differences(document_of(*after), document_of(*before)).counts == (0, 0, 0)


def test_conditions_that_changed_on_all_resources_or_on_some() -> None:
    def change(before: list[Any], after: list[Any]) -> Any:
        (difference,) = differences(document_of(*before), document_of(*after)).changed
        assert difference.resources == ()
        (condition,) = difference.conditions
        return condition

    whole_change = change([get("x", "y", t="1")], [get("x", "y", t="2")])
    assert (buckets(whole_change.place.resources), whole_change.everywhere, whole_change.kept) == (["x", "y"], True, ())
    part = change([get("x", "y", t="1")], [get("x", t="2"), get("y", t="1")])
    assert (buckets(part.place.resources), part.everywhere) == (["x"], False)
    # One way that needs one thing more, or less, is still that way; one that needed nothing became another.
    addition = change([get("x", t="1")], [get("x", t="1", u="1")])
    assert [(way.lines, keys([way.gone]), keys([way.new])) for way in addition.revised] == [((), [[]], [["u"]])]
    removal = change([get("x", t="1", u="1")], [get("x", t="1")])
    assert [(way.lines, keys([way.gone]), keys([way.new])) for way in removal.revised] == [((), [["u"]], [[]])]
    first = change([get("x")], [get("x", t="1")])
    assert (first.revised, keys(first.gone), keys(first.new)) == ((), [[]], [["t"]])
    # Beside another way, both are shown whole.
    two_ways = change([get("x", t="1"), get("x", v="1")], [get("x", t="1", u="1"), get("x", v="1")])
    assert (two_ways.revised, keys(two_ways.gone), keys(two_ways.new), keys(two_ways.kept)) == (
        (),
        [["t"]],
        [["t", "u"]],
        [["v"]],
    )
    assert change([get("x", t="1")], [get("x", t="1"), get("x", u="1")]).kept != ()


def test_a_condition_is_compared_with_that_of_its_operator_before_others_of_its_key() -> None:
    key = "aws:PrincipalTag/t"
    before = {**get("x"), "Condition": {"StringLike": {key: "a*"}, "StringNotLike": {key: "ab*"}}}
    after = {**get("x"), "Condition": {"StringNotLike": {key: "ac*"}, "StringEquals": {key: "ad"}}}
    (difference,) = differences(document_of(before), document_of(after)).changed
    (way,) = difference.conditions[0].revised
    assert {(line.before.operator, line.after.operator) for line in way.lines} == {
        ("StringNotLike", "StringNotLike"), ("StringLike", "StringEquals"),
    }  # fmt: skip
    assert (way.gone, way.new) == ((), ())


def test_resources_that_only_one_side_has_are_together_by_how_they_are_allowed() -> None:
    def changed(before: list[Any], after: list[Any]) -> list[tuple[str, list[str], list[str], bool]]:
        (difference,) = differences(document_of(*before), document_of(*after)).changed
        assert difference.conditions == ()
        return [
            (resource.element, buckets(resource.removed), buckets(resource.added), resource.listed)
            for resource in difference.resources
        ]

    assert changed([get("a", "b"), get("c", t="1")], [get("a", "d")]) == [
        ("Resource", ["b"], ["d"], False), ("Resource", ["c"], [], False),
    ]  # fmt: skip
    # Of a list of exceptions only the entries that differ are said.
    assert changed([get("a", "b", element="NotResource")], [get("b", "c", element="NotResource")]) == [
        ("NotResource", ["a"], ["c"], True)
    ]
    assert changed([get("a", element="NotResource", t="1"), get("b")], [get("b")]) == [
        ("NotResource", ["a"], [], False)
    ]


def test_lists_of_exceptions_are_each_one_difference() -> None:
    def all_but(*names: str) -> dict[str, Any]:
        return {"Effect": "Allow", "NotAction": list(names), "Resource": "*"}

    comparison = differences(document_of(), document_of(all_but("iam:*"), all_but("s3:*", "ec2:*")))
    assert (comparison.counts, {difference.actions for difference in comparison.added}) == (
        (2, 0, 0),
        {("iam:*",), ("s3:*", "ec2:*")},
    )
    # One that became two, or two that became two, are not paired.
    comparison = differences(document_of(all_but("iam:*")), document_of(all_but("s3:*"), all_but("ec2:*")))
    assert comparison.counts == (2, 1, 0)
    comparison = differences(document_of(all_but("iam:*", "s3:*")), document_of(all_but("s3:*", "ec2:*", "sqs:*")))
    (one,) = comparison.changed
    assert (one.names_removed, one.names_added, one.actions) == (
        ("iam:*",),
        ("ec2:*", "sqs:*"),
        ("s3:*", "ec2:*", "sqs:*"),
    )


def test_a_pattern_that_is_spelled_out_is_covered_only_if_all_its_actions_are_there_alike() -> None:
    actions = ["sns:ListTopics", "sns:ListTagsForResource"]
    wild = {"Effect": "Allow", "Action": "sns:ListT*", "Resource": "*"}
    literal = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    comparison = differences(document_of(wild), document_of(literal))
    assert {
        (covering_pattern.side, covering_pattern.by): sorted(covering_pattern.actions)
        for covering_pattern in comparison.covered
    } == {
        ("before", "its actions by name"): ["sns:ListT*"],
        ("after", "sns:ListT*"): sorted(actions),
    }
    assert (comparison.counts, dict(comparison.alike)) == ((0, 0, 0), {"Allow": ("sns:ListT*", *sorted(actions))})
    (removal,) = differences(document_of(wild), document_of({**literal, "Action": actions[:1]})).removed
    assert (removal.actions, removal.part) == (("sns:ListT*",), ("sns:ListTagsForResource",))
    with_topic = differences(document_of(wild), document_of({**literal, "Resource": "arn:aws:sns:*:*:a"}))
    assert ([difference.actions for difference in with_topic.removed], with_topic.covered) == ([("sns:ListT*",)], ())
