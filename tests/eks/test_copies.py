"""A copy is told from a chance likeness, with the version that it started from."""

import pytest

from ekstui.change.comparison import changes
from ekstui.change.policy import Policy, VersionInfo
from ekstui.eks.account_snapshot import LocalPolicy
from ekstui.iam.document import Document, parse
from ekstui.iam.grants import grants
from ekstui.library.copies import ENOUGH_ACTIONS, copies_of, originals_of, published_originals
from ekstui.sources.shipped import components
from tests.support.documents import allow, document_of

FIRST = [f"ec2:Describe{name}" for name in ("Instances", "Subnets", "Vpcs", "Images", "Tags")]
SECOND = [*FIRST, "ec2:CreateTags"]


def local(name: str, actions: list[str] | None) -> LocalPolicy:
    document = None if actions is None else document_of(allow(actions))
    return LocalPolicy(name, f"arn:aws:iam::111122223333:policy/{name}", "/", "v1", document)


ORIGINAL = Policy("Original", "arn:aws:iam::aws:policy/Original", 2, (VersionInfo(1, None), VersionInfo(2, None)))
KNOWN = [(ORIGINAL, {1: document_of(allow(FIRST)), 2: document_of(allow(SECOND))})]


def versions(policy: LocalPolicy) -> list[tuple[int, bool]]:
    return [(copy.version, copy.same_name) for copy in copies_of([policy], originals_of(KNOWN))]


def test_the_version_it_is_most_like_is_told() -> None:
    assert versions(local("ours", FIRST)) == [(1, False)]
    assert versions(local("ours", SECOND)) == [(2, False)]
    assert versions(local("ours", list(reversed(SECOND)))) == [(2, False)]


def test_a_namesake_is_a_copy_whatever_it_has_become() -> None:
    assert versions(local("Original", ["s3:GetObject"])) == [(2, True)]


def test_a_chance_likeness_is_none() -> None:
    assert versions(local("ours", FIRST[:3])) == []
    assert versions(local("ours", [*FIRST[:4], *[f"s3:Get{n}" for n in range(4)]])) == []
    assert versions(local("ours", None)) == []


def test_every_document_of_a_controller_is_recognised_as_a_copy_of_its_release_or_of_one_that_means_the_same() -> None:
    originals = published_originals()
    for component in components().values():
        for version in component.versions:
            values = dict.fromkeys(version.to_fill_in, "prod-eu")
            values |= {"AWS::AccountId": "111122223333", "AWS::Region": "eu-central-1"}
            document = version.document(version.named(values))
            if len(grants(document)) < ENOUGH_ACTIONS:
                continue
            ours = LocalPolicy("ours", "arn:aws:iam::111122223333:policy/ours", "/", "v1", document)
            (copy,) = copies_of([ours], originals)
            assert copy.original.name.partition("/")[0] == component.name.partition("/")[0]
            assert (copy.overlap, copy.nearness) == (1.0, 1.0), (component.name, version.label)
            release = components()[copy.original.name].versions[copy.version - 1]
            assert changes(document, release.document(release.named(values))).reach == "same"


def original(name: str, *documents: Document) -> tuple[Policy, dict[int, Document]]:
    versions = tuple(VersionInfo(number, None) for number in range(1, len(documents) + 1))
    return Policy(name, f"arn:aws:iam::aws:policy/{name}", len(documents), versions), dict(enumerate(documents, 1))


def on(resource: str, actions: list[str]) -> Document:
    return parse({"Statement": {"Effect": "Allow", "Action": actions, "Resource": resource}})


TEN = [f"ec2:Describe{name}" for name in "ABCDEFGHIJ"]


@pytest.mark.parametrize(
    ("ours", "of_original", "original_name"),
    [
        # Four common actions of five are enough, three are not, whatever their share.
        (TEN[:5], TEN[:4], "A"),
        (TEN[:4], TEN[:5], "A"),
        (TEN[:3], TEN[:3], None),
        (TEN[:4], TEN[:4], "A"),
        (TEN[:6], TEN[:4], None),
        (TEN[:8], TEN, "A"),
        (TEN[:7], TEN[:9], None),
    ],
)
def test_four_of_five_actions_make_a_copy(ours: list[str], of_original: list[str], original_name: str | None) -> None:
    copies = copies_of([local("ours", ours)], originals_of([original("A", document_of(allow(of_original)))]))
    assert [copy.original.name for copy in copies] == ([] if original_name is None else [original_name])
    for copy in copies:
        assert copy.overlap == len({*ours} & {*of_original}) / len({*ours} | {*of_original})


def test_of_several_originals_the_namesake_then_the_likest_in_actions_and_then_in_resources_is_meant() -> None:
    ours = LocalPolicy("ours", "arn:aws:iam::111122223333:policy/ours", "/", "v1", on("arn:aws:ec2:*:*:vpc/a", TEN[:5]))
    longer_original, equal_original = (
        original("Less", document_of(allow(TEN[:6]))),
        original("More", document_of(allow(TEN[:5]))),
    )
    exact = original("Exact", on("arn:aws:ec2:*:*:vpc/a", TEN[:5]))
    namesake = original("ours", document_of(allow(["s3:GetObject"])))
    for originals, original_name in (
        ([longer_original, equal_original], "More"), ([equal_original, longer_original], "More"), ([equal_original, exact], "Exact"), ([exact, equal_original], "Exact"),
        ([longer_original, exact, equal_original], "Exact"), ([exact, namesake], "ours"), ([namesake, exact], "ours"),
    ):  # fmt: skip
        (copy,) = copies_of([ours], originals_of(originals))
        assert (copy.original.name, copy.same_name) == (original_name, original_name == "ours")
        assert copy.nearness == {"Exact": 1.0, "More": 0.0, "ours": 0.0}[original_name]
    # Of versions that mean the same, the one that is written the same way; else the newest.
    single, halves = document_of(allow(TEN[:5])), parse({"Statement": [
        {"Effect": "Allow", "Action": TEN[:2], "Resource": "*"}, {"Effect": "Allow", "Action": TEN[2:5], "Resource": "*"}]})  # fmt: skip
    for documents, version in (((single, halves), 1), ((halves, single), 2), ((halves, halves), 2)):
        (copy,) = copies_of([local("ours", TEN[:5])], originals_of([original("A", *documents)]))
        assert (copy.version, copy.nearness) == (version, 1.0)


def test_two_documents_without_grants_are_alike_by_name_alone() -> None:
    nothing = parse({"Statement": []})
    empty = LocalPolicy("A", "arn:aws:iam::111122223333:policy/A", "/", "v1", nothing)
    (copy,) = copies_of([empty], originals_of([original("A", nothing)]))
    assert (copy.overlap, copy.nearness, copy.same_name) == (0.0, 1.0, True)
    assert copies_of([empty], originals_of([original("B", nothing)])) == ()
