"""Proof that something is gained: one request, found by search, that one side allows and the other does not.

A request counts only if AWS could send it: its resource is of a type that the action takes, its condition keys are
ones that the reference lists for it, and keys that hang together (a tag and the list of tag keys, an ARN and its
account) agree. Finding none proves nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ekstui.core.arn import matches_resource
from ekstui.core.conditions.patterns import as_sent, instance, literal, resolve, variables_of
from ekstui.core.conditions.predicates import Predicate, holds, predicates_of
from ekstui.core.grants import Extent
from ekstui.core.reach.coverage import Held
from ekstui.core.reach.feasible import (
    ACCOUNT,
    ALWAYS_PRESENT,
    DERIVED,
    STAND_IN,
    Context,
    agreeing,
    resources_for,
    stand_in,
    takes_key,
)

MAX_TRIES = 200
"""How many requests are tried before a search gives up."""

REGION = "zq-east-1"

_ABSENT: tuple[str, ...] = ()
_TRUTHS = {"false", "true"}


@dataclass(frozen=True, slots=True)
class Request:
    """A concrete request."""

    action: str
    resource: str
    context: Context
    """The values of each key that a condition or variable asks for, in lower case; none where the key is absent."""


def request_gained(action: str, before: Held, after: Held) -> Request | None:
    """Return a request for the action that `after` allows and `before` does not, or None if none is found."""
    for extent in _sorted(after.allow - before.allow):
        found = _Search(action, (extent,), before.allow | after.deny).run()
        if found:
            return found
    for deny in _sorted(before.deny - after.deny):
        for extent in _sorted(after.allow):
            found = _Search(action, (extent, deny), after.deny).run()
            if found:
                return found
    return None


class _Search:
    """A search for a request that some extents match and others do not."""

    def __init__(self, action: str, wanted: tuple[Extent, ...], avoided: frozenset[Extent]) -> None:
        self._action = action
        self._wanted = wanted
        self._avoided = _sorted(avoided)
        self._tries = 0
        self._resource = ""
        self._type = ""
        self._needs: dict[str, tuple[Predicate, ...]] = {}
        for extent in wanted:
            for key, predicates in predicates_of(extent.conditions).items():
                self._needs[key] = (*self._needs.get(key, ()), *predicates)
        self._asked = {key: list(predicates) for key, predicates in self._needs.items()}
        for extent in self._avoided:
            for key, predicates in predicates_of(extent.conditions).items():
                self._asked.setdefault(key, []).extend(predicates)
        self._variables = _variables(wanted, self._avoided, self._asked)

    def run(self) -> Request | None:
        """Return a request, or None if none is found."""
        if any(extent.principals for extent in (*self._wanted, *self._avoided)):
            return None
        context: dict[str, tuple[str, ...]] = {key: (_value_of_variable(key),) for key in self._variables}
        # A key that is a variable elsewhere takes its value first, since the values of the others follow from it.
        for key in sorted(self._needs, key=lambda each: (each not in self._variables, each)):
            values = next((each for each in self._values(key, context) if self._meets(key, each, context)), None)
            if values is None:
                return None
            context[key] = values
        for key in self._asked:
            if key not in context and key not in DERIVED:
                context[key] = next(iter(self._values(key, context)))
        for resource, resource_type in self._resources(context):
            self._resource, self._type = resource, resource_type
            found = self._step_out(context, frozenset())
            if found is not None:
                sent = {key: tuple(map(as_sent, values)) for key, values in found.items()}
                return Request(self._action, as_sent(self._resource), sent)
        return None

    def _resources(self, context: Context) -> tuple[tuple[str, str], ...]:
        account = (context.get("aws:resourceaccount") or (ACCOUNT,))[0]
        region = (context.get("aws:requestedregion") or (REGION,))[0]
        patterns: list[str] = []
        for extent in self._wanted:
            if extent.element == "Resource":
                resolved = (resolve(literal(resource), context) for resource in extent.resources)
                patterns += [resource for resource in resolved if resource is not None]
        # What the other side leaves out is what it does not allow.
        for extent in self._avoided:
            if extent.element == "NotResource":
                resolved = (resolve(literal(resource), context) for resource in extent.resources)
                patterns += [resource for resource in resolved if resource is not None]
        if any(extent.element == "NotResource" for extent in self._wanted):
            patterns.append("*")
        return resources_for(self._action, tuple(dict.fromkeys(patterns)), account, region)

    def _step_out(self, context: Context, fixed: frozenset[str]) -> Context | None:
        """Return a context like this one, `fixed` keys unchanged, that the wanted extents match and the others do not."""
        self._tries += 1
        if self._tries > MAX_TRIES:
            return None
        full = agreeing(context, self._resource, self._spelled_tags)
        if full is None:
            return None
        impossible = [key for key, values in full.items() if values and not takes_key(self._action, self._type, key)]
        if not self._variables.issuperset(impossible):
            return None
        # A variable that no request for the action gives a value is one that stays without.
        full = {**full, **dict.fromkeys(impossible, _ABSENT)}
        if not all(self._matches(extent, full) for extent in self._wanted):
            return None
        in_the_way = next((each for each in self._avoided if self._matches(each, full) is not False), None)
        if in_the_way is None:
            return full
        for key, predicates in predicates_of(in_the_way.conditions).items():
            for predicate in predicates:
                for changed in dict.fromkeys((key, *_variables_of(predicate))):
                    if changed in fixed:
                        continue
                    for values in self._values(changed, full):
                        trial = {**context, changed: values}
                        if values != full.get(changed) and holds(predicate, trial.get(key, ()), trial) is False:
                            found = self._step_out(trial, fixed | {changed})
                            if found is not None:
                                return found
        return None

    def _matches(self, extent: Extent, context: Context) -> bool | None:
        """Return whether the request on the current resource matches an extent; None if it cannot be told."""
        doubtful = False
        matched = False
        for resource in extent.resources:
            resolved = resolve(literal(resource), context)
            if resolved is None:
                continue
            matched = matched or matches_resource(resolved, self._resource) is True
        if matched != (extent.element == "Resource"):
            return False
        for key, predicates in predicates_of(extent.conditions).items():
            for predicate in predicates:
                answer = holds(predicate, context.get(key, ()), context)
                if answer is False:
                    return False
                doubtful = doubtful or answer is None
        return None if doubtful else True

    def _meets(self, key: str, values: tuple[str, ...], context: Context) -> bool:
        trial = {**context, key: values}
        return all(holds(predicate, values, trial) is True for predicate in self._needs.get(key, ()))

    def _values(self, key: str, context: Context) -> list[tuple[str, ...]]:
        """Return values worth trying for a key, those that nobody names first."""
        predicates = self._asked.get(key, [])
        found: dict[tuple[str, ...], None] = {}
        if key in self._variables:
            found[(_value_of_variable(key),)] = None
        if key not in ALWAYS_PRESENT:
            found[_ABSENT] = None
        other = stand_in(key)
        texts = {pattern.text for predicate in predicates for pattern in predicate.patterns}
        if texts and texts <= _TRUTHS:
            return [*found, *((truth,) for truth in sorted(_TRUTHS))]
        found[(other,)] = None
        # What an operator without quantifier makes of several values is not documented.
        several = not any(predicate.single and predicate.patterns for predicate in predicates)
        for predicate in predicates:
            for pattern in sorted(predicate.patterns):
                value = instance(pattern, context, STAND_IN)
                if value is not None:
                    found[(value,)] = None
                    if several:
                        found[value, other] = None
        return list(found)

    @property
    def _spelled_tags(self) -> dict[str, str]:
        """The spelling of tag keys, which condition keys fold and the values of aws:TagKeys do not."""
        spelled: dict[str, str] = {}
        for key in ("aws:tagkeys", "kms:encryptioncontextkeys"):
            for predicate in self._asked.get(key, ()):
                spelled.update({pattern.text.lower(): pattern.text for pattern in sorted(predicate.patterns)})
        return spelled


def _value_of_variable(key: str) -> str:
    name = key.rpartition(":")[2]
    if name.endswith("account"):
        return ACCOUNT
    return stand_in(key) if name.endswith("arn") else "zq-" + "".join(c for c in name if c.isalnum())[-20:]


def _variables(
    wanted: Iterable[Extent], avoided: Iterable[Extent], asked: dict[str, list[Predicate]]
) -> frozenset[str]:
    found: set[str] = set()
    for extent in (*wanted, *avoided):
        for resource in extent.resources:
            found.update(variables_of(resource))
    for predicates in asked.values():
        for predicate in predicates:
            found.update(_variables_of(predicate))
    return frozenset(found)


def _variables_of(predicate: Predicate) -> tuple[str, ...]:
    return tuple(sorted({name for pattern in predicate.patterns for name in variables_of(pattern.text)}))


def _sorted(extents: Iterable[Extent]) -> list[Extent]:
    """Return extents in a stable order, those with the fewest conditions first."""
    return sorted(extents, key=_order)


@lru_cache(maxsize=65536)
def _order(extent: Extent) -> tuple[object, ...]:
    lines = sorted((line.operator, line.key, tuple(sorted(line.values))) for line in extent.conditions)
    return len(lines), extent.element, extent.resources, lines
