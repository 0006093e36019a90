"""How the grants of one action differ, in a few words that follow their structure: ways are "or", conditions "and"."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ekstui.core import arn
from ekstui.core.grants import Extent, Line
from ekstui.core.reach.coverage import Held

Spelling = Mapping[str, str]
"""The documents' spelling of actions and condition keys, by lower case."""

MOST_WAYS = 4
"""How many ways a phrase spells out before it only says that there are several."""

MOST_PLACES = 2
"""How many resources a phrase names before it only says that they are some."""

MOST_PARTS = 2
"""How many things a phrase says before it only says that there are more cases, or fewer."""

Way = frozenset[Line]
_Ways = frozenset[Way]
_Place = tuple[str, tuple[str, ...]]


class Phrase(NamedTuple):
    """What happened to an action, said of one and of several."""

    of_one: str
    of_several: str


class Names(NamedTuple):
    """What the two sides are called where they are two policies rather than two versions of one."""

    before: str
    after: str


def gain(before: Held, after: Held, spelling: Spelling, names: Names | None = None) -> Phrase:
    """Return in what more is allowed after than before."""
    if not before.allow:
        return _plain(f"only in {names.after}" if names else "added")
    if before.allow == after.allow:
        return _plain(f"less denied in {names.after}" if names else "no longer denied in some cases")
    return _of_places(before.allow, after.allow, spelling, names, wider=True)


def loss(before: Held, after: Held, spelling: Spelling, names: Names | None = None) -> Phrase:
    """Return in what less is allowed after than before."""
    if not after.allow:
        return _plain(f"only in {names.before}" if names else "removed")
    if before.allow == after.allow:
        return _plain(f"more denied in {names.after}" if names else "newly denied in some cases")
    return _of_places(before.allow, after.allow, spelling, names, wider=False)


def _of_places(
    before: frozenset[Extent], after: frozenset[Extent], spelling: Spelling, names: Names | None, *, wider: bool
) -> Phrase:
    old, new = _by_place(before), _by_place(after)
    said: dict[Phrase, list[_Place]] = {}
    elsewhere = False
    resources = False
    for place in sorted({*old, *new}):
        had, has = _ways_on(place, old), _ways_on(place, new)
        if had == has:
            elsewhere = True
        elif not has:
            resources = resources or not wider
            elsewhere = True
        elif not had:
            resources = resources or wider
            elsewhere = True
        else:
            phrase = _of_ways(had, has, spelling, names, wider=wider)
            if phrase is None:
                elsewhere = True
            else:
                said.setdefault(phrase, []).append(place)
    in_cases = _plain(f"allowed in {'more' if wider else 'fewer'} cases" + (f" in {names.after}" if names else ""))
    on = _plain(f"allowed on {'more' if wider else 'fewer'} resources" + (f" in {names.after}" if names else ""))
    parts = [_on(phrase, places if elsewhere or resources or len(said) > 1 else []) for phrase, places in said.items()]
    if resources:
        parts.insert(0, on)
    if not parts or len(parts) > MOST_PARTS:
        return in_cases
    return Phrase(" and ".join(part.of_one for part in parts), " and ".join(part.of_several for part in parts))


def _of_ways(had: _Ways, has: _Ways, spelling: Spelling, names: Names | None, *, wider: bool) -> Phrase | None:
    """Return what became of the ways in which an action is allowed on a resource; None if not in that direction."""
    common = frozenset.intersection(*had, *has)
    old, new = ({way - common for way in ways} for ways in (had, has))
    gone, fresh = old - new, new - old
    nothing: Way = frozenset()
    width = "wider" if wider else "narrower"
    twice = _keys(common) & {line.key for way in gone | fresh for line in way}
    if nothing in (old if wider else new):
        return None
    if twice and nothing in old | new:
        # A key that another line still asks about is neither new nor gone.
        keys = _joined(sorted(spelling.get(key, key) for key in twice))
        return _plain(f"allowed under {width} conditions on {keys}" + (f" in {names.after}" if names else ""))
    if nothing in old:
        return _needs(_listed(new, spelling), names and names.after)
    if nothing in new:
        return _needs_no_more(_listed(old, spelling), names and names.before)
    if not gone:
        ways = _listed(fresh, spelling)
        return _plain(f"also allowed under {ways}" + (f" in {names.after}" if names else "")) if wider else None
    if not fresh:
        ways = _listed(gone, spelling)
        if names:
            return None if wider else _plain(f"also allowed under {ways} in {names.before}")
        return None if wider else _plain(f"no longer allowed where only {ways} holds")
    if _keys_of(gone) == _keys_of(fresh):
        keys = _joined(sorted({spelling.get(key, key) for way in gone for key in _keys(way ^ _nearest(way, fresh))}))
        return _plain(f"allowed under {width} conditions on {keys}" + (f" in {names.after}" if names else ""))
    if all(any(one < other for one in gone) for other in fresh) and len(gone) == 1:
        (one,) = gone
        return None if wider else _needs(_listed({way - one for way in fresh}, spelling), names and names.after)
    if len(fresh) == 1 and all(any(other < one for other in fresh) for one in gone):
        (other,) = fresh
        dropped = {way - other for way in gone}
        still = {line.key for way in new for line in way} & {line.key for way in dropped for line in way}
        if not still:
            return _needs_no_more(_listed(dropped, spelling), names and names.before) if wider else None
    if names:
        of = f"{_listed(gone, spelling)} in {names.before}, {_listed(fresh, spelling)} in {names.after}"
        return Phrase(f"needs {of}", f"need {of}")
    of = f"{_listed(fresh, spelling)} instead of {_listed(gone, spelling)}"
    return Phrase(f"needs {of}", f"need {of}")


def _needs(ways: str, where: str | None) -> Phrase:
    if where:
        return Phrase(f"needs {ways} in {where}", f"need {ways} in {where}")
    return Phrase(f"now needs {ways}", f"now need {ways}")


def _needs_no_more(ways: str, where: str | None) -> Phrase:
    if where:
        return Phrase(f"needs {ways} in {where} only", f"need {ways} in {where} only")
    return Phrase(f"no longer needs {ways}", f"no longer need {ways}")


def _by_place(extents: Iterable[Extent]) -> dict[_Place, _Ways]:
    found: dict[_Place, set[Way]] = {}
    for extent in extents:
        found.setdefault((extent.element, extent.resources), set()).add(extent.conditions)
    return {place: frozenset(ways) for place, ways in found.items()}


def _ways_on(place: _Place, held: Mapping[_Place, _Ways]) -> _Ways:
    """Return the ways in which an action is allowed on a resource, without those that ask for more than another."""
    element, resources = place
    ways: set[Way] = set()
    for other, of_other in held.items():
        if other == place or (
            element == other[0] == "Resource"
            and resources
            and other[1]
            and arn.resource_covers(other[1][0], resources[0]) is True
        ):
            ways |= of_other
    return frozenset(way for way in ways if not any(other < way for other in ways))


def _keys(way: Way) -> frozenset[str]:
    return frozenset(line.key for line in way)


def _keys_of(ways: Iterable[Way]) -> set[frozenset[str]]:
    return {_keys(way) for way in ways}


def _nearest(way: Way, among: Iterable[Way]) -> Way:
    return max(among, key=lambda other: (_keys(other) == _keys(way), len(other & way)))


def _listed(ways: Iterable[Way], spelling: Spelling) -> str:
    """Return ways as `the conditions a and b, or c`."""
    named = sorted({tuple(sorted(spelling.get(key, key) for key in _keys(way))) for way in ways})
    if len(named) > MOST_WAYS:
        return f"one of {len(named)} sets of conditions"
    several = any(len(keys) > 1 for keys in named)
    texts = (", or " if several else " or ").join(_joined(keys) for keys in named)
    return f"the condition{'s' if several else ''} {texts}"


def _joined(keys: Iterable[str]) -> str:
    names = list(keys)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _on(phrase: Phrase, places: list[_Place]) -> Phrase:
    """Return a phrase with the resources that it is about; none stand for all that the action is allowed on."""
    if not places:
        return phrase
    names = [short_resource(resources[0]) for element, resources in places if element == "Resource" and resources]
    where = f"on {' and '.join(names)}" if len(names) == len(places) <= MOST_PLACES else "on some resources"
    return Phrase(f"{where} {phrase.of_one}", f"{where} {phrase.of_several}")


def short_resource(resource: str) -> str:
    """Return a resource without what all of its ARNs share: `volume/*` of `arn:aws:ec2:*:*:volume/*`."""
    parts = arn.split_arn(resource)
    return parts.resource if resource.startswith("arn:") and parts.resource else resource


def _plain(text: str) -> Phrase:
    return Phrase(text, text)
