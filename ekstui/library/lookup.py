"""Search for anything by what is typed or pasted: policies, versions, actions, roles, clusters, symptoms, messages.

Results are ordered: exact names; then names that start with the text or contain all its words, those of EKS first; then
descriptions that contain the words; then names that contain the letters in order.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import islice
from operator import itemgetter
from typing import Literal, TypeAlias, get_args

from ekstui import spelling
from ekstui.change.holders import nearest_actions
from ekstui.eks.knowledge import Symptom
from ekstui.eks.pods import PodPlace
from ekstui.iam import wildcard
from ekstui.iam.text import begins_word
from ekstui.named_tuples import NamedTuple

ThingKind = Literal[
    "denial", "comparison", "version", "policy", "cluster", "role", "access policy", "component", "user", "group",
    "own policy", "pods", "service account", "pod", "action", "command", "symptom",
]  # fmt: skip
"""What can be found, in the order of results that match equally well."""

KINDS: dict[ThingKind, int] = {kind: order for order, kind in enumerate(get_args(ThingKind))}

FEWEST_LETTERS = 3
"""The fewest letters for a search for letters in order and in the names of all actions."""

EXACT, NAMED, _DESCRIBED, LETTERS = range(1, 5)
"""The groups of results, best first: the name, a part of it, the description, the name's letters in order."""


class Thing(NamedTuple):
    """Something that can be found."""

    kind: ThingKind
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

    @property
    def key(self) -> tuple[object, ...]:
        """What no other thing has: pods, which have no ARN, may have the same name in several clusters."""
        return self.kind, self.name, self.value if isinstance(self.value, PodPlace) else self.arn


class PolicyVersion(NamedTuple):
    """The value of a version that was found."""

    policy: Thing
    place: int
    """The index of the version."""


class Sides(NamedTuple):
    """The value of a comparison that was found: both sides as commands take them."""

    before: str
    after: str


class SearchForms(NamedTuple):
    """A thing in the forms that are compared with what was typed."""

    thing: Thing
    name: str
    letters: str
    """The name's letters and digits."""
    bare: str
    """The same without a leading `amazon` or `aws`."""
    other_words: str
    """Aliases and description."""


class Rank(NamedTuple):
    """How well something matches; less is better."""

    group: int
    outside_eks: bool = False
    """Whether it does not belong to EKS."""
    within: bool = False
    """Whether the name contains the text but does not start with it."""
    loose: int = 0
    """How far apart the letters are, or how many words start within other words."""
    kind: int = 0
    place: int = 0


class Query:
    """What was typed, in the forms that are compared with names."""

    def __init__(self, text: str) -> None:
        self.typed = text.strip()
        self.text = self.typed.casefold()
        self.words = self.text.split()
        self._query_letters = letters_in(self.text)
        one_word = len(self.words) == 1 and len(self._query_letters) >= FEWEST_LETTERS
        self._letters = re.compile(".*?".join(map(re.escape, self._query_letters))) if one_word else None

    def rank(self, entry: SearchForms, place: int = 0) -> Rank | None:
        """Return how well a thing matches; None if it does not."""
        fit = self._fit(entry)
        if fit is None:
            return None
        group, within, loose = fit
        thing = entry.thing
        last = place if thing.eks or group == EXACT else len(entry.name)
        return Rank(group, not thing.eks, within, loose, KINDS[thing.kind], last)

    def _fit(self, entry: SearchForms) -> tuple[int, bool, int] | None:
        """Return the group, and whether and how loosely the text lies within the name; None if it does not match."""
        if entry.name == self.text or self.text in map(str.casefold, entry.thing.aliases):
            return EXACT, False, 0
        if self._query_letters and (
            entry.letters.startswith(self._query_letters) or entry.bare.startswith(self._query_letters)
        ):
            return NAMED, False, 0
        if all(word in entry.name for word in self.words):
            return NAMED, True, sum(not begins_word(entry.name, entry.thing.name, word) for word in self.words)
        if self._letters is not None and self._query_letters in entry.letters:
            return NAMED, True, 1
        return self._loose_fit(entry)

    def _loose_fit(self, entry: SearchForms) -> tuple[int, bool, int] | None:
        """Return the same for a text that the name does not contain as it is."""
        if len(self.text) >= FEWEST_LETTERS and all(
            word in entry.name or word in entry.other_words for word in self.words
        ):
            return _DESCRIBED, True, 0
        if self._letters is not None and (match := self._letters.search(entry.letters)):
            return LETTERS, True, match.end() - match.start()
        return None


def search_forms(thing: Thing) -> SearchForms:
    """Return a thing in the forms that are compared; made once, since every key press searches all things."""
    letters = letters_in(thing.name)
    bare = letters.removeprefix("amazon").removeprefix("aws")
    others = " ".join((*thing.aliases, thing.about)).casefold()
    return SearchForms(thing, thing.name.casefold(), letters, bare, others)


def letters_in(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return "".join(filter(str.isalnum, text.casefold()))


def closest(matches: Iterable[tuple[Rank, Thing]]) -> list[tuple[Rank, Thing]]:
    """Return results in order, without those that only contain the letters if anything matches better."""
    in_order = sorted(matches, key=itemgetter(0))
    return [pair for pair in in_order if pair[0].group < LETTERS or in_order[0][0].group == LETTERS]


def ranges(policy: Thing, before: str, after: str) -> Iterator[Thing]:
    """Yield the comparisons that `v5..v6`, `5..6`, `v5..` or `..v6` may mean, newest first."""
    first, second = _release(policy, before), _release(policy, after)
    places = range(len(policy.versions))
    if first is not None and second is not None and first[0] != second[0]:
        yield comparison(policy, first, second)
    elif first is not None and not after:
        for later in reversed(places[first[0] + 1 :]):
            yield comparison(policy, first, (later, policy.versions[later]))
    elif second is not None and not before:
        for earlier in reversed(places[: second[0]]):
            yield comparison(policy, (earlier, policy.versions[earlier]), second)


_Release: TypeAlias = tuple[int, str]
"""The index of a version, and the name that was asked for: its own, or that of a release that did not change it."""


def _release(policy: Thing, typed: str) -> _Release | None:
    """Return a version or release; `v1.8` is the first with the newest document of `v1.8.0`, `v1.8.1` …"""
    label = as_listed(typed)
    if label in policy.versions:
        return policy.versions.index(label), label
    releases = [(place, name) for name, place in policy.releases if name == label or name.startswith(f"{label}.")]
    return max(releases, key=itemgetter(0)) if typed and releases else None


def as_listed(typed: str) -> str:
    """Return a version as it is listed: `v5` for `5`."""
    return typed if typed.startswith("v") or not typed else f"v{typed}"


def comparison(policy: Thing, before: _Release, after: _Release) -> Thing:
    """Return the comparison of two versions of a policy."""
    sides = Sides(f"{policy.name}@{before[1]}", f"{policy.name}@{after[1]}")
    releases = [
        f"{name}, unchanged since {policy.versions[place]}"
        for place, name in (before, after)
        if name != policy.versions[place]
    ]
    about = "; ".join(releases) or policy.about
    return Thing("comparison", f"{policy.name}@{before[1]}..{after[1]}", about, eks=policy.eks, value=sides)


_COMPARED = ("policy", "version", "component", "access policy")
_ACCESS = "access:"
"""Selects the access policy where an IAM policy has the same name."""

_MOST = 200
"""The most results returned; typing more narrows them down."""

_LONGEST = 300
"""A text longer than this, in characters, is a message rather than a name."""

_TYPED = 80
"""How long a text is at most, in characters, that somebody may have typed rather than pasted."""

MESSAGE_PART = 50_000
"""How much of a log is kept, in characters: the lines with a denial and those around them."""


class PastedMessage(NamedTuple):
    """The value of a message: the part of it that is a denial."""

    text: str


class Catalogue:
    """Everything that can be found; fast enough to be searched on every key press."""

    def __init__(
        self,
        things: Iterable[Thing],
        symptoms: Iterable[Symptom] = (),
        names: Callable[[str], Mapping[str, str]] = lambda _: {},
        actions: Sequence[str] = (),
        services: Collection[str] = (),
        requests: Callable[[str], Sequence[object]] = lambda _: (),
        aliases: Mapping[str, Sequence[str]] | None = None,
        synonyms: Mapping[str, str] | None = None,
    ) -> None:
        """`names` returns a service's actions, `requests` the requests to Kubernetes that a text means.

        The actions of `services` come first.
        """
        self._things = [search_forms(thing) for thing in things]
        self._symptoms = [(symptom, symptom.words.casefold()) for symptom in symptoms]
        self._names = names
        self._services = services
        self._requests = requests
        self._aliases = aliases or {}
        self._synonyms = synonyms or {}
        self._actions = [(action.lower(), action) for action in actions]
        self._by_arn: dict[str, Thing] = {}
        for thing in self._things:
            for arn in (thing.thing.arn, *thing.thing.aliases):
                if arn.startswith("arn:"):
                    self._by_arn.setdefault(arn.casefold(), thing.thing)

    def with_things(self, things: Iterable[Thing]) -> "Catalogue":
        """Return a catalogue with more things."""
        catalogue = copy(self)
        catalogue._things = [*self._things, *map(search_forms, things)]
        return catalogue

    def find(self, typed: str, limit: int = _MOST, *, current_policy: str = "") -> tuple[Thing, ...]:
        """Return what a text may mean, likeliest first.

        `current_policy` is the policy whose versions `v5` and `v5..v6` alone mean.
        """
        text = typed.strip()
        if not text:
            return ()
        if current_policy and _VERSIONS.fullmatch(text):
            return (*self.find(f"{current_policy}@{text.removeprefix('@')}", limit), *self.find(text, limit))[:limit]
        if is_message(text):
            return tuple(islice(_each_once(self._message(text)), limit))
        if command := _DIFF.fullmatch(text):
            things = self._comparisons(command[1].split())
        elif (sides := _TWO_NAMES.fullmatch(text)) and not _LABELS.fullmatch(sides[2]):
            things = self._comparisons(sides.groups())
        elif text.startswith("arn:"):
            things = self._of_arn(text)
        else:
            things = self._by_name(text)
        return tuple(islice(_each_once(things), limit))

    def nearest(self, typed: str) -> tuple[Thing, ...]:
        """Return the actions most similar to a text that nothing matches."""
        text = typed.strip()
        if ":" in text:
            actions = () if any(map(str.isspace, text)) else nearest_actions(text)
        else:
            names: dict[str, list[str]] = {}
            for lower, action in self._actions:
                service, _, name = lower.partition(":")
                if service in self._services:
                    names.setdefault(name, []).append(action)
            close = spelling.nearest(letters_in(text), names, 5, 0.8)
            actions = tuple(action for name in close for action in names[name])
        return tuple(_action(action, "nearest") for action in actions)

    # Names

    def _by_name(self, text: str) -> Iterator[Thing]:
        yield from self._by_command(text)
        name, separator, version = text.rpartition("@")
        if separator and name:
            policies = self._policies(name)
            # For an unknown version the policy is returned, which has the others.
            yield from list(self._versions(policies, version)) or policies
            return
        for request in self._requests(text):
            yield _action(str(request), "who can do it in Kubernetes")
        direct_matches = self._matches(text)
        yield from (thing for rank, thing in direct_matches if rank.group == EXACT)
        yield from self.things_meant(text)
        words = text.casefold().split()
        spelt = " ".join(self._synonyms.get(word, word) for word in words)
        otherwise = self._matches(spelt) if spelt != " ".join(words) else []
        yield from (thing for _, thing in closest((*direct_matches, *otherwise)))
        head, _, last = text.rpartition(" ")
        if not direct_matches and head and _LABELS.fullmatch(last):
            yield from self._versions(self._policies(head), last)

    def things_meant(self, text: str) -> Iterator[Thing]:
        """Yield what people call by this text, in the order of the aliases."""
        for name in self._aliases.get(" ".join(text.casefold().split()), ()):
            yield from (entry.thing for entry in self._things if entry.name == name.casefold())
            yield from (_symptom(symptom) for symptom, _ in self._symptoms if symptom.symptom == name)

    def _by_command(self, text: str) -> Iterator[Thing]:
        """Yield what a text means that begins with the name of a command or of a kind, such as `role prod-node`."""
        command, _, argument = text.partition(" ")
        kinds = _COMMANDS.get(command.casefold())
        words = argument.split()
        if kinds is None or not words:
            return
        if command.casefold() == "explain":
            yield Thing("denial", "Explain this", argument.strip(), value=PastedMessage(argument.strip()))
        # What follows an action is the resource.
        name = words[0] if kinds == ("action",) else argument
        yield from (thing for thing in self._by_name(name.strip()) if thing.kind in kinds)

    def _policies(self, text: str) -> list[Thing]:
        if text.startswith("arn:"):
            return [thing for thing in self._of_arn(text) if thing.versions]
        if exact := [thing for thing in self.things_meant(text) if thing.versions]:
            return exact
        return [thing for _, thing in closest(self._ranked_things(Query(text))) if thing.versions]

    def _ranked_things(self, query: Query) -> Iterator[tuple[Rank, Thing]]:
        for place, entry in enumerate(self._things):
            if rank := query.rank(entry, place):
                yield rank, entry.thing

    def _matches(self, text: str) -> list[tuple[Rank, Thing]]:
        query = Query(text)
        matches = [*self._ranked_things(query), *self._ranked_actions(query)]
        close = any(rank.group < LETTERS for rank, _ in matches)
        # Somebody who types an action begins with its name.
        is_action = any(thing.kind == "action" and not rank.within for rank, thing in matches)
        matches += self._ranked_symptoms(query, close=close, last=is_action)
        return closest(matches)

    def _ranked_actions(self, query: Query) -> Iterator[tuple[Rank, Thing]]:
        text = query.text
        if " " in text or len(text) < FEWEST_LETTERS:
            return
        if ":" in text and wildcard.is_wild(text):
            yield Rank(EXACT, kind=KINDS["action"]), _action(query.typed, "a pattern")
            return
        service, colon, _ = text.partition(":")
        pairs = [(action.lower(), action) for action in self._names(service).values()] if colon else self._actions
        for lower, action in pairs:
            # First of all, as it leaves out nearly all of 20,000 actions at each key.
            if text not in lower and (colon or text not in lower.replace(":", "")):
                continue
            prefix, _, name = lower.partition(":")
            begins = lower.startswith(text) or name.startswith(text)
            group = EXACT if text in (lower, name) else NAMED
            in_no_policy = 0 if prefix in self._services else 1
            yield (
                Rank(group, not prefix.startswith("eks"), not begins, in_no_policy, KINDS["action"], len(action)),
                _action(action),
            )

    def _ranked_symptoms(self, query: Query, *, close: bool, last: bool = False) -> Iterator[tuple[Rank, Thing]]:
        """Yield the symptoms with all the words, or with a rare one if nothing is close.

        With `last`, they rank after what has the words in its name.
        """
        stems = [re.sub(r"(?<=\w{3})(?:ing|ed|es|s|e)$", "", word) for word in query.words if word not in _COMMON]
        if not stems:
            return
        for symptom, text in self._symptoms:
            hit = [stem for stem in stems if stem in text]
            rare = any(
                len(stem) >= _RARE and sum(stem in symptom_stems for _, symptom_stems in self._symptoms) <= _FEW
                for stem in hit
            )
            if len(hit) == len(stems) or (rare and not close and 2 * len(hit) >= len(stems)):
                title = symptom.symptom.casefold()
                misses = len(stems) - len(hit) + (not all(stem in title for stem in stems))
                yield Rank(NAMED, last, True, 2 + misses, KINDS["symptom"]), _symptom(symptom)

    # Versions and comparisons

    def _versions(self, policies: Sequence[Thing], typed: str) -> Iterator[Thing]:
        before, dots, after = typed.strip().casefold().partition("..")
        label_start = as_listed(before)
        for policy in policies:
            if dots:
                yield from ranges(policy, before, after)
                continue
            fitting_places = [place for place, label in enumerate(policy.versions) if label.startswith(label_start)]
            places = [(policy.versions[place], place) for place in sorted(fitting_places, reverse=True)]
            places.sort(key=lambda match: match[0] != label_start)
            places += [
                release
                for release in policy.releases
                if release[1] not in fitting_places
                and (release[0] == label_start or release[0].startswith(f"{label_start}."))
            ]
            for label, place in places:
                name, label_of_document = f"{policy.name}@{label}", policy.versions[place]
                about = policy.about if label == label_of_document else f"unchanged since {label_of_document}"
                yield Thing("version", name, about, eks=policy.eks, value=PolicyVersion(policy, place))

    def _comparisons(self, sides: Sequence[str]) -> Iterator[Thing]:
        """Yield the comparisons that `diff A B` may mean; with one side, that of a version with the one before."""
        if len(sides) == 1:
            if ".." in sides[0]:
                yield from self.find(sides[0])
                return
            for thing in self._sides(sides[0]):
                value = thing.value
                policy, place = value if isinstance(value, PolicyVersion) else (thing, len(thing.versions) - 1)
                if place > 0:
                    yield comparison(policy, (place - 1, policy.versions[place - 1]), (place, policy.versions[place]))
        else:
            first = next(self._sides(sides[0]), None)
            before = _as_typed(first) if first else sides[0]
            if not (first or _is_side(sides[0])):
                return
            for thing in self._sides(sides[1]):
                after = _as_typed(thing)
                # An access policy can only be compared with another.
                alike = first is None or (first.kind == "access policy") == (thing.kind == "access policy")
                if after != before and alike:
                    yield Thing("comparison", f"{before} with {after}", value=Sides(before, after))
            if _is_side(sides[1]):
                yield Thing("comparison", f"{before} with {sides[1]}", value=Sides(before, sides[1]))

    def _sides(self, text: str) -> Iterator[Thing]:
        if text.startswith(_ACCESS):
            yield from (side for side in self._by_name(text.removeprefix(_ACCESS)) if side.kind == "access policy")
            return
        name = text.removeprefix("role:")
        for thing in self._of_arn(name) if name.startswith("arn:") else self._by_name(name):
            if thing.kind == "role" or (name == text and thing.kind in _COMPARED):
                yield thing

    # ARNs and messages

    def _of_arn(self, text: str) -> Iterator[Thing]:
        policy_arn, separator, version = text.rpartition("@")
        if not separator or not _LABELS.fullmatch(version):
            policy_arn, version = text, ""
        arn_key = policy_arn.casefold()
        things = [exact] if (exact := self._by_arn.get(arn_key)) else []
        for kind, form in _NAMED_IN_ARNS.items():
            if not things and (match := form.fullmatch(arn_key)):
                things = self._things_named(kind, match["name"])
        if not things:
            things = [thing for arn, thing in self._by_arn.items() if arn.startswith(arn_key)]
        if version:
            yield from self._versions([thing for thing in things if thing.versions], version)
        else:
            yield from things

    def _things_named(self, kind: ThingKind, name: str) -> list[Thing]:
        return [entry.thing for entry in self._things if entry.thing.kind == kind and entry.name == name]

    def _message(self, text: str) -> Iterator[Thing]:
        part = denial_part(text)
        in_one_line = " ".join(part.split()).casefold()
        symptoms = [_symptom(symptom) for symptom, _ in self._symptoms if symptom.is_in(in_one_line)]
        if len(text) <= _TYPED and "\n" not in text:
            # Words such as "karpenter access denied" are not yet a message.
            yield from (thing for _, thing in sorted(self._ranked_symptoms(Query(text), close=True), key=itemgetter(0)))
        lines = len(text.splitlines())
        about = f"{lines} lines" if lines > 1 else f"{len(text):,} characters"
        denial = Thing("denial", "Explain this message", about, value=PastedMessage(part))
        # A symptom comes first if the text does not say that something is not allowed.
        if symptoms and not _DENIED.search(part):
            yield from (*symptoms, denial)
        else:
            yield from (denial, *symptoms)
        for arn in dict.fromkeys(_ARN.findall(part)):
            if arn.casefold() in self._by_arn or _SESSION.fullmatch(arn.casefold()):
                yield from self._of_arn(arn)


def is_message(text: str) -> bool:
    """Return whether a text is a denial, an event or part of a log, rather than a name."""
    if len(text) > _LONGEST or len(text.strip().splitlines()) > 1:
        return True
    return text.startswith("{") or (" " in text and _DENIED.search(text) is not None)


def denial_part(text: str) -> str:
    """Return a message whole, or the lines of a long log that contain a denial with those around them."""
    if len(text) <= MESSAGE_PART:
        return text
    lines = text.splitlines()
    denied_lines = [place for place, line in enumerate(lines) if _DENIED.search(line)]
    context_lines = {
        line_number for place in denied_lines for line_number in range(max(place - 2, 0), min(place + 3, len(lines)))
    }
    room, shown_lines = MESSAGE_PART, set[int]()
    # The denials themselves come first: a long line before one must not push it out.
    for line_number in [*denied_lines, *sorted(context_lines.difference(denied_lines))]:
        if room > 0:
            shown_lines.add(line_number)
            room -= len(lines[line_number][:MESSAGE_PART]) + 1
    return "\n".join(lines[line_number][:MESSAGE_PART] for line_number in sorted(shown_lines)) or text[:MESSAGE_PART]


# fmt: off
_DIFF = re.compile(r"(?:diff|compare)\s+(\S.*)", re.IGNORECASE | re.DOTALL)
_TWO_NAMES = re.compile(r"([^\s/]+?)\.\.([^\s/.]\S*)")
_LABELS = re.compile(r"v?\d[\d.]*(?:\.\.(?:v?[\d.]*)?)?", re.IGNORECASE)
_VERSIONS = re.compile(r"@?(?:v\d[\d.]*(?:\.\.(?:v?[\d.]*)?)?|\d[\d.]*\.\.v?[\d.]*|\.\.v?\d[\d.]*)", re.IGNORECASE)
_SESSION = re.compile(r"arn:[\w-]+:sts::\d*:assumed-role/(?P<name>[^/]+)(?:/.*)?")
_IN_CLUSTER = re.compile(r"arn:[\w-]+:eks:[\w-]*:\d*:(?!cluster/)[\w-]+/(?P<name>[^/]+)/.+")
_AWS_POLICY = re.compile(r"arn:[\w-]+:iam::aws:policy/(?:[\w-]+/)*(?P<name>[^/]+)")
_NAMED_IN_ARNS: Mapping[ThingKind, re.Pattern[str]] = {"role": _SESSION, "cluster": _IN_CLUSTER, "policy": _AWS_POLICY}
"""What ARNs name that are of something else: of a session, of a part of a cluster, of a policy in another partition."""

_ARN = re.compile(r"arn:aws[\w-]*:(?:iam|sts|eks):[\w-]*:(?:\d{12}|aws)?:[\w/+=,.@-]+[\w]")
_DENIED = re.compile(
    r"not authori[sz]ed|access ?denied|unauthori[sz]edoperation|explicit deny|encoded authorization|"
    r"\"?(?:errorCode|eventName)\"?\s*:|forbidden: User",
    re.IGNORECASE,
)
_COMMANDS: Mapping[str, tuple[ThingKind, ...]] = {
    "who-can": ("action",), "action": ("action",), "explain": (), "role": ("role",), "user": ("user",),
    "group": ("group",),
    "cluster": ("cluster",), "policy": ("policy", "own policy", "component", "access policy"),
    "show": ("policy", "version", "component", "access policy"), "versions": ("policy", "component"),
    "attached": ("policy",), "component": ("component",), "symptom": ("symptom",),
    "pod": ("pods", "service account", "pod"),
}
"""The words before a name, and the kinds of things that they select."""
_COMMON = frozenset(
    ("a", "an", "and", "are", "at", "be", "by", "can", "do", "does", "for", "from", "has", "have", "in", "is", "it", "my",
     "no", "not", "of", "on", "or", "the", "to", "up", "was", "what", "why", "with")
)
# fmt: on
_RARE = 4
"""The fewest letters of a word that identifies a symptom alone, if no more than `_FEW` symptoms have it."""
_FEW = 3


def _each_once(things: Iterable[Thing]) -> Iterator[Thing]:
    seen_keys: set[tuple[object, ...]] = set()
    for thing in things:
        if thing.key not in seen_keys:
            seen_keys.add(thing.key)
            yield thing


def _action(name: str, about: str = "") -> Thing:
    return Thing("action", name, about, value=name)


def _symptom(symptom: Symptom) -> Thing:
    return Thing("symptom", symptom.symptom, symptom.answer, eks=True, value=symptom)


def _as_typed(thing: Thing) -> str:
    prefixes = {"role": "role:", "access policy": _ACCESS}
    return prefixes.get(thing.kind, "") + thing.name


def _is_side(text: str) -> bool:
    """Return whether a text is a file, which can be a side of a comparison."""
    return "/" in text or text.endswith(".json")
