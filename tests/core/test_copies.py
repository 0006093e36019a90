"""A copy is told from a chance likeness, with the version that it started from."""

from ekstui.core.account_snapshot import LocalPolicy
from ekstui.core.change import changes
from ekstui.core.document import Document, parse
from ekstui.core.grants import grants
from ekstui.core.policy import Policy, VersionInfo
from ekstui.library.roles import ENOUGH_ACTIONS, copies_of, originals_of, published_originals
from ekstui.sources.shipped import components

FIRST = [f"ec2:Describe{name}" for name in ("Instances", "Subnets", "Vpcs", "Images", "Tags")]
SECOND = [*FIRST, "ec2:CreateTags"]


def allowing(actions: list[str]) -> Document:
    return parse({"Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}})


def local(name: str, actions: list[str] | None) -> LocalPolicy:
    document = None if actions is None else allowing(actions)
    return LocalPolicy(name, f"arn:aws:iam::111122223333:policy/{name}", "/", "v1", document)


ORIGINAL = Policy("Original", "arn:aws:iam::aws:policy/Original", 2, (VersionInfo(1, None), VersionInfo(2, None)))
KNOWN = [(ORIGINAL, {1: allowing(FIRST), 2: allowing(SECOND)})]


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
            found = components()[copy.original.name].versions[copy.version - 1]
            assert changes(document, found.document(found.named(values))).reach == "same"
