"""How well a typed text matches the names of things, so that the likeliest come first; and which versions it means."""

import re
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Literal, NamedTuple

Kind = Literal[
    "denial", "comparison", "version", "policy", "cluster", "role", "access policy", "component", "user", "group",
    "own policy", "action", "command", "symptom",
]  # fmt: skip
KINDS: dict[Kind, int] = {
    "denial": 0, "comparison": 1, "version": 2, "policy": 3, "cluster": 4, "role": 5, "access policy": 6, "component": 7,
    "user": 8, "group": 9, "own policy": 10, "action": 11, "command": 12, "symptom": 13,
}  # fmt: skip
"""The order of results that match equally well."""

FEWEST_LETTERS = 3
"""The fewest letters for a search for letters in order and in the names of all actions."""

EXACT, NAMED, _DESCRIBED, LETTERS = range(1, 5)
"""The groups of results, best first: the name, a part of it, the description, the name's letters in order."""


class Thing(NamedTuple):
    """Something that can be found."""

    kind: Kind
    name: str
    about: str = ""
    """A short description."""
    arn: str = ""
    eks: bool = False
    """Whether it belongs to EKS and so comes first."""
    aliases: tuple[str, ...] = ()
    """Other names and ARNs."""
    versions: tuple[str, ...] = ()
    """The known versions of a policy or component, such as `v5`, oldest first."""
    releases: tuple[tuple[str, int], ...] = ()
    """Every release of a component with the index of its version."""
    value: object = None
    """Anything that the caller wants back."""


class PolicyVersion(NamedTuple):
    """The value of a version that was found."""

    policy: Thing
    place: int
    """The index of the version."""


class Sides(NamedTuple):
    """The value of a comparison that was found: both sides as commands take them."""

    before: str
    after: str


class Spelled(NamedTuple):
    """A thing in the forms that are compared with what was typed."""

    thing: Thing
    name: str
    squeezed: str
    """The name's letters and digits."""
    bare: str
    """The same without a leading `amazon` or `aws`."""
    others: str
    """Aliases and description."""


class Rank(NamedTuple):
    """How well something matches; less is better."""

    group: int
    other: bool = False
    """Whether it does not belong to EKS."""
    within: bool = False
    """Whether the name contains the text but does not start with it."""
    loose: int = 0
    """How far apart the letters are, or how many words start within other words."""
    kind: int = 0
    place: int = 0


class Wanted:
    """What was typed, in the forms that are compared with names."""

    def __init__(self, text: str) -> None:
        self.typed = text.strip()
        self.text = self.typed.casefold()
        self.words = self.text.split()
        self._squeezed = letters_in(self.text)
        one_word = len(self.words) == 1 and len(self._squeezed) >= FEWEST_LETTERS
        self._letters = re.compile(".*?".join(map(re.escape, self._squeezed))) if one_word else None

    def rank(self, each: Spelled, place: int = 0) -> Rank | None:
        """Return how well a thing matches; None if it does not."""
        fit = self._fit(each)
        if fit is None:
            return None
        group, within, loose = fit
        thing = each.thing
        last = place if thing.eks or group == EXACT else len(each.name)
        return Rank(group, not thing.eks, within, loose, KINDS[thing.kind], last)

    def _fit(self, each: Spelled) -> tuple[int, bool, int] | None:
        """Return the group, and whether and how loosely the text lies within the name; None if it does not match."""
        if each.name == self.text or self.text in map(str.casefold, each.thing.aliases):
            return EXACT, False, 0
        if self._squeezed and (each.squeezed.startswith(self._squeezed) or each.bare.startswith(self._squeezed)):
            return NAMED, False, 0
        if all(word in each.name for word in self.words):
            return NAMED, True, sum(not _begins_word(each.name, each.thing.name, word) for word in self.words)
        if self._letters is not None and self._squeezed in each.squeezed:
            return NAMED, True, 1
        return self._loose_fit(each)

    def _loose_fit(self, each: Spelled) -> tuple[int, bool, int] | None:
        """Return the same for a text that the name does not contain as it is."""
        if len(self.text) >= FEWEST_LETTERS and all(word in each.name or word in each.others for word in self.words):
            return _DESCRIBED, True, 0
        if self._letters is not None and (match := self._letters.search(each.squeezed)):
            return LETTERS, True, match.end() - match.start()
        return None


def spelled_out(thing: Thing) -> Spelled:
    """Return a thing in the forms that are compared; made once, since every key press searches all things."""
    squeezed = letters_in(thing.name)
    bare = squeezed.removeprefix("amazon").removeprefix("aws")
    others = " ".join((*thing.aliases, thing.about)).casefold()
    return Spelled(thing, thing.name.casefold(), squeezed, bare, others)


def letters_in(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return "".join(filter(str.isalnum, text.casefold()))


def _begins_word(name: str, spelled: str, word: str) -> bool:
    """Return whether a typed word starts a word of the name: at its start, after punctuation, or at a capital letter."""
    at = name.find(word)
    while at >= 0:
        # In EKSLoadBalancing the L starts a word, because lower-case letters follow.
        capital = spelled[at : at + 1].isupper()
        if at == 0 or not name[at - 1].isalnum():
            return True
        if capital and (not spelled[at - 1].isupper() or spelled[at + 1 : at + 2].islower()):
            return True
        at = name.find(word, at + 1)
    return False


def closest(found: Iterable[tuple[Rank, Thing]]) -> list[tuple[Rank, Thing]]:
    """Return results in order, without those that only contain the letters if anything matches better."""
    ranked = sorted(found, key=itemgetter(0))
    return [pair for pair in ranked if pair[0].group < LETTERS or ranked[0][0].group == LETTERS]


def ranges(policy: Thing, before: str, after: str) -> Iterator[Thing]:
    """Yield the comparisons that `v5..v6`, `5..6`, `v5..` or `..v6` may mean, newest first."""
    labels = policy.versions
    first, second = _place(policy, before), _place(policy, after)
    if first is not None and second is not None and first != second:
        yield comparison(policy, labels[first], labels[second])
    elif first is not None and not after:
        for later in reversed(labels[first + 1 :]):
            yield comparison(policy, labels[first], later)
    elif second is not None and not before:
        for earlier in reversed(labels[:second]):
            yield comparison(policy, earlier, labels[second])


def _place(policy: Thing, typed: str) -> int | None:
    """Return the index of a version or release; `v1.8` is the newest of `v1.8.0`, `v1.8.1` …"""
    wanted = as_listed(typed)
    if wanted in policy.versions:
        return policy.versions.index(wanted)
    known = [place for release, place in policy.releases if release == wanted or release.startswith(f"{wanted}.")]
    return max(known, default=None) if typed else None


def as_listed(typed: str) -> str:
    """Return a version as it is listed: `v5` for `5`."""
    return typed if typed.startswith("v") or not typed else f"v{typed}"


def comparison(policy: Thing, before: str, after: str) -> Thing:
    """Return the comparison of two versions of a policy."""
    sides = Sides(f"{policy.name}@{before}", f"{policy.name}@{after}")
    return Thing("comparison", f"{policy.name}@{before}..{after}", policy.about, eks=policy.eks, value=sides)
