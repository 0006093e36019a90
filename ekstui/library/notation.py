"""How users write policies and times: `POLICY`, `POLICY@v5..v6`, a file, standard input, `role:NAME`, `7d`."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ekstui.change.policy import is_version, parse_time, parse_version, version_label
from ekstui.eks.published import is_component, release_numbers
from ekstui.errors import InputError
from ekstui.named_tuples import NamedTuple


class PolicyAt(NamedTuple):
    """A policy at a version."""

    name: str
    """A name, part of a name, or an ARN."""
    version: int | None = None
    """None for the default version, or if a release is given."""
    release: str | None = None
    """A release of a controller's policy, such as `v2.13.0`."""

    def __str__(self) -> str:
        version = self.release or (None if self.version is None else version_label(self.version))
        return self.name if version is None else f"{self.name}@{version}"


class VersionRange(NamedTuple):
    """Two versions of one policy to compare."""

    before: PolicyAt
    after: PolicyAt

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.after.name


class _NamedSide:
    """A side with one name, equal to another of its kind with that name: a file and a role never are."""

    # As dataclasses they would cost `show` 10 ms: it needs no other one.
    __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _NamedSide) and (type(self), self.name) == (type(other), other.name)

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class FileSide(_NamedSide):
    """A file that contains a policy document; its name is its path."""


class StandardInput(_NamedSide):
    """A policy document on standard input."""

    def __init__(self) -> None:
        super().__init__("standard input")


class RoleSide(_NamedSide):
    """Everything that a role of the account is allowed to do."""

    def __str__(self) -> str:
        return f"role:{self.name}"


Side = PolicyAt | FileSide | StandardInput | RoleSide

_RANGE = re.compile(r"(?P<before>(?:[^.]|\.(?!\.))*)\.\.(?P<after>(?!\.)(?:[^.]|\.(?!\.))*)")


def parse_policy_or_range(text: str) -> PolicyAt | VersionRange:
    """Return the policy or versions of `POLICY`, `POLICY@v5` or `POLICY@v5..v6`; InputError if malformed."""
    name, separator, tail = text.rpartition("@")
    # Names of customer-managed policies may contain an @, so in an ARN it need not be followed by a version.
    if not separator or (name.startswith("arn:") and parse_version(tail) is None and ".." not in tail):
        name, separator, tail = text, "", ""
    if not name:
        raise InputError("A policy's name is missing.", "Write POLICY, POLICY@v5 or POLICY@v5..v6.")
    if not separator:
        return PolicyAt(name)
    if match := _RANGE.fullmatch(tail):
        return VersionRange(_at(name, match["before"]), _at(name, match["after"]))
    return _at(name, tail)


def parse_policy(text: str) -> PolicyAt:
    """Return the policy that `POLICY` or `POLICY@v5` names; InputError for a range or a malformed version."""
    place = parse_policy_or_range(text)
    if isinstance(place, VersionRange):
        raise InputError(f"One version is expected, not {text!r}.", "Write POLICY@v5, or use diff for two versions.")
    return place


def parse_side(text: str) -> Side:
    """Return one side of a diff: `POLICY[@V]`, a file (with a `/`, or ending in `.json`), `-`, or `role:NAME`."""
    if text == "-":
        return StandardInput()
    if text.startswith("role:"):
        if not text[5:]:
            raise InputError("A role's name is missing.", "Write role:NAME.")
        return RoleSide(text[5:])
    if not text.startswith("arn:") and ("/" in text or text.endswith(".json")) and not is_component(text):
        return FileSide(text)
    return parse_policy(text)


def parse_sides(texts: Sequence[str]) -> tuple[Side, Side]:
    """Return the two sides of a diff: `A B`, or one `POLICY@v5..v6`; versions after a policy are that policy's."""
    match texts:
        case [policy, versions] if (
            "@" not in policy and all(map(is_version, versions.split("..", 1))) and ".." in versions
        ):
            return parse_sides([f"{policy}@{versions}"])
        case [before, after]:
            sides = parse_side(before), parse_side(after)
            if isinstance(sides[0], PolicyAt) and is_version(after):
                sides = sides[0], _at(sides[0].name, after)
            if sides == (StandardInput(), StandardInput()):
                raise InputError("Standard input can be one side of a diff, not both.")
            return sides
        case [both] if isinstance(versions_of := parse_policy_or_range(both), VersionRange):
            return versions_of.before, versions_of.after
        case _:
            raise InputError("A diff has two sides.", "Write diff A B, or diff POLICY@v5..v6.")


def _at(name: str, label: str) -> PolicyAt:
    if release_numbers(label) or (label and is_component(name)):
        return PolicyAt(name, release=label)
    number = parse_version(label)
    if number is None:
        raise InputError(
            f"{label!r} is not a version.", "Versions are written v1, v2 and so on, releases of a controller v2.13.0."
        )
    return PolicyAt(name, number)


_AGO = re.compile(r"(\d{1,5})([hdwmy])", re.IGNORECASE)
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30, "y": 365}


def parse_since(text: str, now: datetime) -> datetime:
    """Return the UTC time of `2026-02-01`, `2026-02-01T10:00Z`, or `7d` before `now`; InputError otherwise.

    The units are `h`, `d`, `w`, `m` and `y`.
    """
    if match := _AGO.fullmatch(text.strip()):
        try:
            return now - timedelta(days=int(match[1]) * _DAYS[match[2].lower()])
        except OverflowError:
            return datetime(1, 1, 1, tzinfo=UTC)
    try:
        return parse_time(text.strip())
    except (ValueError, OverflowError):
        raise InputError(f"{text!r} is not a date.", "Write 2026-02-01, or 7d for the last seven days.") from None
