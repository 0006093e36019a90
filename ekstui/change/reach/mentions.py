"""What extents name that a request may have to have: conditions by key, policy variables and account numbers."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain

from ekstui.change.reach.dependent_keys import is_possible
from ekstui.iam.arn import split_arn
from ekstui.iam.conditions.known_keys import ALWAYS_PRESENT, type_of
from ekstui.iam.conditions.predicates import Predicate, predicates_of
from ekstui.iam.conditions.values import Deferred, Text
from ekstui.iam.grants import Extent, in_order
from ekstui.iam.policy_variables import template, variables_of, without_encoding
from ekstui.named_tuples import NamedTuple


class Mentions(NamedTuple):
    """What some extents name."""

    extents: tuple[Extent, ...]
    """In a stable order."""
    predicates: Mapping[str, tuple[Predicate, ...]]
    """The conditions on each key."""
    variables: frozenset[str]
    """The keys of policy variables."""
    defaulted: frozenset[str]
    """The keys of variables with a default, which only matters if a request lacks the key."""
    accounts: frozenset[str]
    """The account numbers in conditions and resources."""
    size: int
    """The work of matching a request with all of them, in steps."""


@lru_cache(maxsize=1024)
def named_in(extents: frozenset[Extent]) -> Mentions:
    """Return what extents name."""
    ordered = in_order(extents)
    predicates: dict[str, list[Predicate]] = {}
    for extent in ordered:
        for key, lines in predicates_of(extent.conditions).items():
            predicates.setdefault(key, []).extend(lines)
    resources = dict.fromkeys(chain.from_iterable(extent.resources for extent in ordered))
    variables = {variable.key for resource in resources for variable in variables_of(template(resource))}
    variables.update(chain.from_iterable(map(variables_in, chain.from_iterable(predicates.values()))))
    values = chain.from_iterable(line.values for extent in ordered for line in extent.conditions)
    return Mentions(
        ordered,
        {key: tuple(lines) for key, lines in predicates.items()},
        frozenset(variables),
        _defaulted(chain(resources, values)),
        frozenset(chain(_accounts_in_resources(resources), _accounts_in_conditions(predicates))),
        sum(map(_size, ordered)),
    )


@lru_cache(maxsize=16384)
def variables_in(predicate: Predicate) -> tuple[str, ...]:
    """Return the keys of the policy variables in a condition."""
    values = (value for value in predicate.values if isinstance(value, Text | Deferred))
    return tuple(sorted({variable.key for value in values for variable in variables_of(value.parts)}))


def _size(extent: Extent) -> int:
    return max(1, len(extent.resources)) + sum(len(line.values) for line in extent.conditions) // 16


def _defaulted(texts: Iterable[str]) -> frozenset[str]:
    variables = (variable for text in texts if "," in text for variable in variables_of(template(text)))
    return frozenset(variable.key for variable in variables if variable.default is not None) - ALWAYS_PRESENT


def _accounts_in_resources(resources: Iterable[str]) -> Iterator[str]:
    accounts = (split_arn(resource).account for resource in resources)
    return (account for account in accounts if is_possible("aws:principalaccount", (account,)))


def _accounts_in_conditions(predicates: Mapping[str, Iterable[Predicate]]) -> Iterator[str]:
    for key, lines in predicates.items():
        if type_of(key) == "account":
            texts = (value for line in lines for value in line.values if isinstance(value, Text))
            parts = (part for text in texts for part in text.parts if isinstance(part, str))
            yield from (without_encoding(part) for part in parts if is_possible(key, (part,)))
