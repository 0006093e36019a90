"""A judgement in words: one sentence that names the actions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from ekstui.change.coverage import ActionExtents
from ekstui.change.reach import NAMES_SHOWN, Denies, Judgement, Outcome, Spelling
from ekstui.iam import arn, wildcard
from ekstui.iam.grants import ConditionLine, Effort, Extent, Reach
from ekstui.iam.text import listed
from ekstui.named_tuples import NamedTuple

MOST_WAYS = 4
"""The most ways that a phrase spells out rather than counts."""

MOST_PLACES = 2
"""The most resources that a phrase names rather than summarises."""

MOST_PARTS = 2
"""The most changes that a phrase lists rather than summarises."""

_LONGEST = 450
"""The approximate length of a verdict, in characters, beyond which the remaining actions are counted."""

MOST_PAIRS = 100_000
"""The most pairs of resources that one verdict compares, beyond which it summarises; AWS's policies need fewer."""

_Way = frozenset[ConditionLine]
_Ways = frozenset[_Way]
_Place = tuple[str, tuple[str, ...]]
_UNCONDITIONAL: _Way = frozenset()


class Phrase(NamedTuple):
    """What happened to an action, in the singular and the plural."""

    of_one: str
    of_several: str

    def replaced(self, old: str, new: str) -> "Phrase":
        """Return the phrase with another word."""
        return Phrase(self.of_one.replace(old, new), self.of_several.replace(old, new))


class Names(NamedTuple):
    """The names of the two sides, if they are two policies rather than two versions of one."""

    before: str
    after: str


class _Wording(NamedTuple):
    """Phrases for what an action gained, if `wider`, or lost."""

    spelling: Spelling
    names: Names | None
    wider: bool
    effort: Effort

    def parts(self, before: ActionExtents, after: ActionExtents) -> list[Phrase]:
        """Return what more, or less, is allowed after than before."""
        narrower_side, wider_side = (before, after) if self.wider else (after, before)
        if not narrower_side.allow:
            if self.names:
                return [_plain(f"only in {self.names.after if self.wider else self.names.before}")]
            return [_plain("added" if self.wider else "removed")]
        if before.allow != after.allow:
            return self._of_places(before.allow, after.allow)
        if self.names:
            return [_plain(f"{'less' if self.wider else 'more'} denied in {self.names.after}")]
        in_cases = "" if _is_whole(narrower_side) and not wider_side.deny else " in some cases"
        return [_plain(f"{'no longer' if self.wider else 'newly'} denied{in_cases}")]

    def _of_places(self, before: frozenset[Extent], after: frozenset[Extent]) -> list[Phrase]:
        amount = "more" if self.wider else "fewer"
        old, new = _by_place(before), _by_place(after)
        self.effort.spend((len(old) + len(new)) ** 2)
        if self.effort.is_spent:
            return [self._in_after(f"allowed in {amount} cases")]
        places: dict[Phrase, list[_Place]] = {}
        unphrased_ways: list[tuple[_Ways, _Ways]] = []
        for place in sorted({*old, *new}):
            old_ways, new_ways = _ways_on(place, old), _ways_on(place, new)
            phrase = self._of_ways(old_ways, new_ways)
            if phrase is None:
                unphrased_ways.append((old_ways, new_ways))
            else:
                places.setdefault(phrase, []).append(place)
        with_places = bool(unphrased_ways) or len(places) > 1
        parts = [_on(phrase, places if with_places else []) for phrase, places in places.items()]
        if any(
            old_ways != new_ways and not (old_ways if self.wider else new_ways) for old_ways, new_ways in unphrased_ways
        ):
            parts.insert(0, self._in_after(f"allowed on {amount} resources"))
        return parts if 0 < len(parts) <= MOST_PARTS else [self._in_after(f"allowed in {amount} cases")]

    def _of_ways(self, ways_before: _Ways, ways_after: _Ways) -> Phrase | None:
        """Return how the ways to allow an action on a resource changed; None if not in that direction."""
        if not ways_before or not ways_after or ways_before == ways_after:
            return None
        common = frozenset.intersection(*ways_before, *ways_after)
        old, new = ({way - common for way in ways} for ways in (ways_before, ways_after))
        if _UNCONDITIONAL in (old if self.wider else new):
            return None
        removed_ways, added_ways = old - new, new - old
        if _UNCONDITIONAL in old | new:
            # A key that another condition still needs is neither new nor gone.
            needed_keys = _keys_in(common) & {line.key for way in removed_ways | added_ways for line in way}
            if needed_keys:
                return self._other_conditions(needed_keys)
            return self._needs_no_more(old) if self.wider else self._needs(new)
        return self._other_ways(removed_ways, added_ways, new)

    def _fewer_ways(self, removed_ways: set[_Way]) -> Phrase | None:
        if self.wider:
            return None
        ways = self._listed(removed_ways)
        if self.names:
            return _plain(f"also allowed under {ways} in {self.names.before}")
        return _plain(
            f"no longer allowed where only {ways} {'hold' if ways.startswith('the conditions ') else 'holds'}"
        )

    def _other_ways(self, removed_ways: set[_Way], added_ways: set[_Way], new: set[_Way]) -> Phrase | None:
        if not removed_ways or not added_ways:
            if self.wider and added_ways:
                return self._in_after(f"also allowed under {self._listed(added_ways)}")
            return self._fewer_ways(removed_ways) if removed_ways else None
        if _keys_of(removed_ways) == _keys_of(added_ways):
            return self._other_conditions(
                {key for way in removed_ways for key in _keys_in(way ^ _nearest(way, added_ways))}
            )
        if (required_ways := _beyond(removed_ways, added_ways)) is not None:
            return None if self.wider else self._needs(required_ways)
        dropped_ways = _beyond(added_ways, removed_ways)
        if dropped_ways is not None and not _all_keys(new) & _all_keys(dropped_ways):
            return self._needs_no_more(dropped_ways) if self.wider else None
        before, after = self._listed(removed_ways), self._listed(added_ways)
        if self.names:
            return _needing(f"{before} in {self.names.before}, {after} in {self.names.after}")
        return _needing(f"{after} instead of {before}")

    def _needs(self, ways: set[_Way]) -> Phrase:
        text = self._listed(ways)
        if self.names:
            return _needing(f"{text} in {self.names.after}")
        return Phrase(f"now needs {text}", f"now need {text}")

    def _needs_no_more(self, ways: set[_Way]) -> Phrase:
        text = self._listed(ways)
        if self.names:
            return _needing(f"{text} in {self.names.before} only")
        return Phrase(f"no longer needs {text}", f"no longer need {text}")

    def _other_conditions(self, keys: Iterable[str]) -> Phrase:
        key_names = listed(sorted({self.spelling.get(key, key) for key in keys}))
        return self._in_after(f"allowed under {'wider' if self.wider else 'narrower'} conditions on {key_names}")

    def _in_after(self, text: str) -> Phrase:
        return _plain(f"{text} in {self.names.after}" if self.names else text)

    def _listed(self, ways: Iterable[_Way]) -> str:
        """Return ways as `the conditions a and b, or c`."""
        key_lists = sorted({tuple(sorted(self.spelling.get(key, key) for key in _keys_in(way))) for way in ways})
        if len(key_lists) > MOST_WAYS:
            return f"one of {len(key_lists)} sets of conditions"
        several = any(len(keys) > 1 for keys in key_lists)
        texts = (", or " if several else " or ").join(map(listed, key_lists))
        return f"the condition{'s' if several else ''} {texts}"


def _needing(what: str) -> Phrase:
    return Phrase(f"needs {what}", f"need {what}")


def _is_whole(extents: ActionExtents) -> bool:
    """Return whether an action is denied unconditionally on all resources."""
    return any(
        extent.element == "Resource" and extent.resources == ("*",) and not extent.conditions for extent in extents.deny
    )


def _by_place(extents: Iterable[Extent]) -> dict[_Place, _Ways]:
    ways: dict[_Place, set[_Way]] = {}
    for extent in extents:
        ways.setdefault((extent.element, extent.resources), set()).add(extent.conditions)
    return {place: frozenset(of_place) for place, of_place in ways.items()}


# Thousands of actions have their resources in common.
_resource_covers = lru_cache(maxsize=65536)(arn.resource_covers)


def _ways_on(place: _Place, by_place: Mapping[_Place, _Ways]) -> _Ways:
    """Return the ways in which an action is allowed on a resource, without those that require more than another."""
    element, resources = place
    ways: set[_Way] = set()
    for by_place_key, of_other in by_place.items():
        if by_place_key == place or (
            element == by_place_key[0] == "Resource"
            and resources
            and by_place_key[1]
            and _resource_covers(by_place_key[1][0], resources[0]) is True
        ):
            ways |= of_other
    return frozenset(way for way in ways if not any(smaller < way for smaller in ways))


def _keys_in(way: _Way) -> frozenset[str]:
    return frozenset(line.key for line in way)


def _all_keys(ways: Iterable[_Way]) -> set[str]:
    return {line.key for way in ways for line in way}


def _keys_of(ways: Iterable[_Way]) -> set[frozenset[str]]:
    return {_keys_in(way) for way in ways}


def _nearest(way: _Way, among: Iterable[_Way]) -> _Way:
    return max(among, key=lambda candidate: (_keys_in(candidate) == _keys_in(way), len(candidate & way)))


def _beyond(common_ways: set[_Way], longer_ways: set[_Way]) -> set[_Way] | None:
    """Return what each of many ways requires beyond the only one of a few; None unless all require it and more."""
    if len(common_ways) != 1:
        return None
    (one,) = common_ways
    return {way - one for way in longer_ways} if all(one < way for way in longer_ways) else None


def _on(phrase: Phrase, places: list[_Place]) -> Phrase:
    """Return a phrase with its resources; an empty list stands for all resources of the action."""
    if not places:
        return phrase
    names = [_short(resources[0]) for element, resources in places if element == "Resource" and resources]
    place_words = f"on {' and '.join(names)}" if len(names) == len(places) <= MOST_PLACES else "on some resources"
    return Phrase(f"{place_words} {phrase.of_one}", f"{place_words} {phrase.of_several}")


def _short(resource: str) -> str:
    """Return the last part of a resource's ARN: `volume/*` of `arn:aws:ec2:*:*:volume/*`."""
    parts = arn.split_arn(resource)
    return parts.resource if resource.startswith("arn:") and parts.resource else resource


def _plain(text: str) -> Phrase:
    return Phrase(text, text)


_BESIDES: dict[tuple[Reach, Denies], str] = {
    ("narrowed", "less"): "less", ("narrowed", "otherwise"): "something else",
    ("widened", "more"): "more", ("widened", "otherwise"): "something else",
}  # fmt: skip
"""What a change of Denies means that goes against the rest, as they revoke what other policies allow too."""


def verdict_on(judgement: Judgement, spelling: Spelling, names: Names | None = None) -> str:
    """Return one sentence on what a change of grants means for the requests allowed."""
    if judgement.reach == "same":
        if judgement.denies:
            deny_changes = [outcome for outcome in judgement.outcomes if outcome.before.deny != outcome.after.deny]
            return _of_denies(judgement.denies, deny_changes, spelling, names)
        return "same access: the same requests are allowed, written differently"
    phrases = _phrases(judgement.outcomes, spelling, names)
    unsettled_outcomes = [outcome for outcome in judgement.outcomes if not outcome.is_settled and not outcome.is_new]
    if judgement.reach == "unknown" and unsettled_outcomes:
        phrase = "changed in a way that cannot be judged"
        phrases.append(_counted(unsettled_outcomes, Phrase(phrase, phrase), spelling))
    if judgement.denied is not None and (judgement.reach, judgement.denied) in _BESIDES:
        phrases.append(f"{_BESIDES[judgement.reach, judgement.denied]} is denied besides")
    return f"{_opening(judgement.reach, names)}: {'; '.join(phrases)}"


def _opening(reach: Reach, names: Names | None) -> str:
    if names is None:
        return reach
    words = {
        "widened": f"{names.after} allows more",
        "narrowed": f"{names.after} allows less",
        "mixed": "each allows something that the other does not",
        "same": "same access",
        "unknown": "which allows more cannot be decided",
    }
    return words[reach]


def _of_denies(denies: Denies, outcomes: list[Outcome], spelling: Spelling, names: Names | None) -> str:
    """Return what changed Deny statements mean if the same requests are allowed, as in a policy that only denies."""
    cases = {"more": "in more cases", "less": "in fewer cases", "otherwise": "otherwise"}[denies]
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        words = (
            "newly denied"
            if not outcome.before.deny
            else "no longer denied"
            if not outcome.after.deny
            else f"denied {cases}"
        )
        groups.setdefault(words, []).append(outcome)
    phrases = [_counted(group, Phrase(words, words), spelling) for words, group in groups.items()]
    subject = f"{names.after} " if names else ""
    return f"{subject}denies {denies}{': ' if phrases else ''}{'; '.join(phrases)}"


def _phrases(outcomes: Iterable[Outcome], spelling: Spelling, names: Names | None) -> list[str]:
    """Return what happened to the actions, grouped by phrase: added and removed ones, then wider ones, then by size."""
    groups: dict[tuple[Phrase, bool], list[Outcome]] = {}
    phrases: dict[tuple[object, ...], Phrase | None] = {}
    effort = Effort(MOST_PAIRS)
    for outcome in outcomes:
        # Of thousands of actions, most have their grants in common.
        kind_of_outcome = outcome._replace(action="", too_large=False)
        if kind_of_outcome not in phrases:
            phrases[kind_of_outcome] = _phrase_of(outcome, spelling, names, effort)
        if phrase := phrases[kind_of_outcome]:
            groups.setdefault((phrase, wildcard.is_wild(outcome.action)), []).append(outcome)
    sentences: list[str] = []
    remaining_outcomes: list[Outcome] = []

    def importance(group: list[Outcome]) -> tuple[bool, bool, int]:
        # Between two versions, a wider access must not be what is left out for lack of space.
        return not group[0].is_new, names is None and not group[0].gained, -len(group)

    ordered_groups = sorted(groups.items(), key=lambda entry: importance(entry[1]))
    for (phrase, _), group in ordered_groups:
        text = _counted(group, phrase, spelling)
        if not sentences or sum(map(len, sentences)) + len(text) <= _LONGEST:
            sentences.append(text)
        else:
            remaining_outcomes += group
    return [*sentences, *_of_rest(remaining_outcomes, spelling, names)]


def _of_rest(outcomes: Iterable[Outcome], spelling: Spelling, names: Names | None) -> Iterator[str]:
    """Yield how many further actions are allowed in more cases, in fewer cases, or both."""
    groups: dict[str, list[Outcome]] = {"more": [], "fewer": [], "other": []}
    kinds = {(True, False): "more", (False, True): "fewer"}
    for outcome in outcomes:
        groups[kinds.get((outcome.gained, outcome.lost), "other")].append(outcome)
    place_words = f" in {names.after}" if names else ""
    for kind, group in groups.items():
        if group:
            yield f"{len(group):,} more allowed in {kind} cases{place_words} ({_first_of(group, spelling)})"


def _phrase_of(outcome: Outcome, spelling: Spelling, names: Names | None, effort: Effort) -> Phrase | None:
    """Return what an action lost and gained as one phrase, so that neither is stated alone."""
    before, after = outcome.before, outcome.after
    is_lost, is_gained = outcome.lost, outcome.gained
    if outcome.is_new:
        is_lost |= bool(before.allow) and not outcome.nothing_lost
        is_gained |= bool(after.allow) and not outcome.nothing_gained
    losses = _Wording(spelling, names, wider=False, effort=effort).parts(before, after) if is_lost else []
    gains = _Wording(spelling, names, wider=True, effort=effort).parts(before, after) if is_gained else []
    phrase_lists = _without_opposites(losses, [phrase for phrase in gains if phrase not in losses])
    place_words = f" in {names.after}" if names else ""
    sides = [_joined(", and ", part, place_words) for part in phrase_lists if part]
    return _joined(", but ", sides) if sides else None


def _without_opposites(losses: list[Phrase], gains: list[Phrase]) -> tuple[list[Phrase], list[Phrase]]:
    """Return both sides with `fewer` on one and `more` on the other as `other` on the first."""
    phrases = list(losses)
    for index, phrase in enumerate(losses):
        for less_word, more_word in (("fewer ", "more "), ("narrower ", "wider ")):
            opposite = phrase.replaced(less_word, more_word)
            if less_word in phrase.of_one and opposite in gains:
                phrases[index] = phrase.replaced(less_word, "other ")
                gains = [counterpart for counterpart in gains if counterpart != opposite]
    return phrases, gains


def _joined(separator: str, phrases: Sequence[Phrase], place_words: str = "") -> Phrase:
    """Return phrases as one, which ends with `place_words` only once if all of them do."""
    end = place_words if all(phrase.of_one.endswith(place_words) for phrase in phrases) else ""
    one, several = (separator.join(form.removesuffix(end) for form in forms) for forms in zip(*phrases, strict=True))
    return Phrase(one + end, several + end)


def _counted(outcomes: list[Outcome], phrase: Phrase, spelling: Spelling) -> str:
    """Return a phrase with the number of its actions and the names of the first ones."""
    names, one = _first_of(outcomes, spelling), len(outcomes) == 1
    words = phrase.of_one if one else phrase.of_several
    if wildcard.is_wild(outcomes[0].action):
        # It matters only if AWS has, or adds, such actions.
        noun = "pattern that matches" if one else "patterns that match"
        return f"{len(outcomes):,} {noun} no known action {words} ({names})"
    return f"{len(outcomes):,} {'action' if one else 'actions'} {words} ({names})"


def _first_of(outcomes: Sequence[Outcome], spelling: Spelling) -> str:
    names = ", ".join(spelling.get(outcome.action, outcome.action) for outcome in outcomes[:NAMES_SHOWN])
    return f"{names} and {len(outcomes) - NAMES_SHOWN:,} more" if len(outcomes) > NAMES_SHOWN else names
