"""A copy is told from a chance likeness, with the version that it started from."""

from ekstui.core.account import LocalPolicy
from ekstui.core.document import Document, parse
from ekstui.core.policy import Policy, VersionInfo
from ekstui.library.copies import copies_of

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
    return [(copy.version, copy.same_name) for copy in copies_of([policy], KNOWN)]


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
