"""Numbers, lists, versions and causes in words, and how well a text matches names."""

from datetime import UTC, datetime

import pytest

from ekstui.change.holders import Since
from ekstui.denial.answer import Allower, NewerVersion, OldCopy
from ekstui.denial.deciding import cause_in_words
from ekstui.denial.message import Cause
from ekstui.eks.account_snapshot import Use
from ekstui.eks.use_words import use_in_words
from ekstui.iam.text import counted, listed
from ekstui.library.lookup import (
    EXACT,
    KINDS,
    LETTERS,
    NAMED,
    Query,
    Rank,
    Thing,
    ThingKind,
    closest,
    search_forms,
)
from ekstui.present.explanation import copy_in_words, newer_in_words, since_in_words

DESCRIBED = 3


def test_lists_and_counts() -> None:
    lists = [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")]
    assert lists == ["", "a", "a and b", "a, b or c"]
    counts = [counted(0, "role"), counted(1, "role"), counted(1200, "role"), counted(2, "policy", "policies")]
    assert counts == ["0 roles", "1 role", "1,200 roles", "2 policies"]
    assert counted(1, "policy", "policies") == "1 policy"


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        # The name or an alias, whatever the case; then its start, with or without the vendor.
        ("My-Role", "my-role", (EXACT, False, 0)),
        ("Other Name", "my-role", (EXACT, False, 0)),
        ("my", "my-role", (NAMED, False, 0)),
        ("myrole", "my-role", (NAMED, False, 0)),
        ("eksc", "AmazonEKS_CNI_Policy", (NAMED, False, 0)),
        ("service", "AWSServiceRole", (NAMED, False, 0)),
        ("amazoneks", "AmazonEKS_CNI_Policy", (NAMED, False, 0)),
        # Words within the name, loose by each that starts in the middle of a word.
        ("role", "my-role", (NAMED, True, 0)),
        ("ole", "my-role", (NAMED, True, 1)),
        ("bar", "fooBar", (NAMED, True, 0)),
        ("bar", "foobar", (NAMED, True, 1)),
        ("bar", "foobar-bar", (NAMED, True, 0)),
        ("b", "aB", (NAMED, True, 0)),
        ("load", "EKSLoadBalancing", (NAMED, True, 0)),
        ("sload", "EKSLoadBalancing", (NAMED, True, 1)),
        ("balancing load", "EKSLoadBalancing", (NAMED, True, 0)),
        ("oad ing", "EKSLoadBalancing", (NAMED, True, 2)),
        ("sl", "EKSL", (NAMED, True, 1)),
        ("sl", "EKSLx", (NAMED, True, 1)),
        ("l", "xEKSL", (NAMED, True, 1)),
        # Over the signs of the name: one word of three letters.
        ("scn", "AmazonEKS_CNI_Policy", (NAMED, True, 1)),
        ("sc", "AmazonEKS_CNI_Policy", None),
        ("ksc ni", "AmazonEKS_CNI_Policy", None),
        # In the description and the aliases, three letters and each word somewhere.
        ("tra", "my-role", (DESCRIBED, True, 0)),
        ("tr", "my-role", None),
        ("role traffic", "my-role", (DESCRIBED, True, 0)),
        ("role nothing", "my-role", None),
        # Letters in order, as far apart as they are; three of one word.
        ("aei", "abcdefghij", (LETTERS, True, 9)),
        ("bdf", "abcdefghij", (LETTERS, True, 5)),
        ("bd", "abcdefghij", None),
        ("fdb", "abcdefghij", None),
        ("bdf gh", "abcdefghij", None),
    ],
)  # fmt: skip
def test_how_well_a_text_matches_a_name(text: str, name: str, expected: tuple[int, bool, int] | None) -> None:
    thing = Thing(
        "role", name, "carries traffic" if "-" in name else "", aliases=("other name",) if "-" in name else ()
    )
    rank = Query(f" {text} ").rank(search_forms(thing))
    assert (None if rank is None else (rank.group, rank.within, rank.loose)) == expected


def test_equal_matches_come_by_kind_and_those_of_eks_first_in_their_order() -> None:
    kinds: tuple[ThingKind, ...] = ("policy", "role")
    for kind in kinds:
        of_eks, neighbour = (search_forms(Thing(kind, "abc-def", eks=eks)) for eks in (True, False))
        assert Query("abc").rank(of_eks, 7) == Rank(NAMED, False, False, 0, KINDS[kind], 7)
        assert Query("abc").rank(neighbour, 4) == Rank(NAMED, True, False, 0, KINDS[kind], len("abc-def"))
        assert Query("abc-def").rank(neighbour, 4) == Rank(EXACT, True, False, 0, KINDS[kind], 4)
    assert list(KINDS.values()) == list(range(len(KINDS)))


def test_letters_in_order_are_shown_only_if_nothing_matches_better() -> None:
    loose_match, close_match, described_match = ((rank, Thing("role", name)) for rank, name in (
        (Rank(LETTERS, loose=9), "far"), (Rank(LETTERS, loose=2), "near"), (Rank(DESCRIBED), "named"),
    ))  # fmt: skip
    assert closest([loose_match, close_match]) == [close_match, loose_match]
    assert closest([loose_match, described_match, close_match]) == [described_match]
    assert closest([]) == []


def test_versions_in_words() -> None:
    day = datetime(2024, 6, 2, tzinfo=UTC)
    newer = NewerVersion("P", 3, 5, day)
    assert newer_in_words(newer) == "P v5 (2024-06-02); in force is v3"
    assert (
        newer_in_words(newer._replace(created=None, missing=("a:b", "c:d"))) == "P v5, if a:b, c:d fits; in force is v3"
    )
    copy = OldCopy("own", "r", newer)
    assert copy_in_words(copy, "s3:Get") == "own is like P v3; v5 (2024-06-02) allows s3:Get"
    open_ = copy._replace(newer=newer._replace(created=None, missing=("a:b",)))
    assert copy_in_words(open_, "s3:Get") == "own is like P v3; v5 has a further statement for s3:Get"
    allower = Allower("P", 7, Since(5, day, at_latest=False), (), False, "aws")
    assert since_in_words(allower) == "since v5 (2024-06-02)"
    assert since_in_words(allower._replace(since=Since(1, None, at_latest=True))) == "since at latest v1"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause("boundary", explicit=True), "an explicit deny in a permissions boundary:"),
        (Cause("identity", explicit=True, policy="arn:p"), "an explicit deny in an identity policy (arn:p):"),
        (Cause("session", explicit=False), "says that no session policy allows it"),
        (Cause("service-control", explicit=False), "says that no service control policy allows it"),
        (Cause("trust", explicit=False), "says that the trust policy of the role does not allow it"),
        (Cause("trust", explicit=True), "an explicit deny in the trust policy of the role:"),
        (Cause(None, explicit=True), "an explicit deny in a policy:"),
        (
            Cause("resource", explicit=False, is_one_of_several=True),
            "leaves open whether no resource policy allows it",
        ),
    ],
)
def test_a_cause_in_words(cause: Cause, words: str) -> None:
    assert words in cause_in_words(cause)
    assert cause.verdict == ("explicit-deny" if cause.explicit else "implicit-deny")
    assert not cause.has_remedy
    assert Cause("identity", explicit=False).has_remedy


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (Use("cluster", "confirmed", "prod"), "cluster prod"),
        (Use("nodegroup", "confirmed", "prod", name="workers"), "nodes workers of prod"),
        (Use("nodegroup", "inferred", "prod"), "nodes of prod (inferred)"),
        (Use("addon", "confirmed", "prod", name="vpc-cni", namespace="n", service_account="sa"), "add-on vpc-cni of prod"),
        (Use("pod-identity", "confirmed", "prod", name="x", namespace="n", service_account="sa"), "Pod Identity n/sa of prod"),
        (Use("pod-identity-target", "confirmed", "prod", namespace="n", service_account="sa"), "Pod Identity target n/sa of prod"),
        (Use("pod-identity", "confirmed", "prod", name="x"), "Pod Identity x of prod"),
        # The name of a use by IRSA is its issuer, which says less than the service account.
        (Use("irsa", "confirmed", "prod", name="issuer", namespace="n", service_account="sa"), "IRSA n/sa of prod"),
        (Use("irsa", "inferred", name="issuer"), "IRSA (inferred)"),
    ],
)  # fmt: skip
def test_a_use_in_words(use: Use, words: str) -> None:
    assert use_in_words(use) == words
