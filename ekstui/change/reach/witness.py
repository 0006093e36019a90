"""Proof that something is gained: a request, found by search, that one side allows and the other does not.

A request counts only if it is possible in AWS: its resource has a type of the action, the reference lists its condition
keys, and keys that depend on each other (a tag and the list of tag keys, an ARN and its account) are consistent.
Finding none proves nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice, permutations

from ekstui.change.coverage import ActionExtents
from ekstui.change.reach.dependent_keys import ACCOUNT, OTHER_ACCOUNT, KeyValues, Values, agreeing, follow, is_possible
from ekstui.change.reach.feasible import (
    REGION,
    instances_of,
    may_lack,
    principals_of,
    resources_for,
    stand_in,
    takes_key,
)
from ekstui.iam.arn import matches_resource, split_arn
from ekstui.iam.condition_operators import UNKNOWN
from ekstui.iam.conditions.known_keys import ALWAYS_PRESENT, has_several, is_tag, type_of
from ekstui.iam.conditions.predicates import PRINCIPAL_FORMS, Predicate, predicates_of
from ekstui.iam.conditions.spans import ValueSpan, complement, examples
from ekstui.iam.conditions.values import DeferredValue, Text
from ekstui.iam.grants import Effort, Extent, in_order
from ekstui.iam.policy_variables import WholeContext, literal, resolved, template, variables_of, without_encoding
from ekstui.iam.truth import Truth, every, negation, some
from ekstui.named_tuples import NamedTuple

MAX_TRIES = 200
"""The number of requests after which a search gives up."""

MAX_STARTS = 12
"""The most sets of values that meet the wanted conditions from which a search starts."""

MAX_KEYS = 200
"""The most condition keys of a search for a request, each step of which looks at all; IAM accepts a thousand."""

MOST_TOGETHER = 4
"""The most values of a multivalued key that are combined in pairs."""

_ABSENT: Values = ()
_TRUTHS = (("false",), ("true",))
_DERIVED = frozenset({"aws:calledviafirst", "aws:calledvialast", "aws:viaawsservice"})
"""Keys, in lower case, that follow from `aws:CalledVia` unless conditions need them."""


_ACCOUNTS = frozenset({"aws:principalaccount", "aws:resourceaccount"})


class _Request(NamedTuple):
    action: str
    resource: str
    context: KeyValues
    """Values by lower-case key for every key that a condition or variable needs; empty if the key is absent."""


def request_gained(
    action: str, before: ActionExtents, after: ActionExtents, effort: Effort | None = None
) -> _Request | None:
    """Return a request for the action that `after` allows and `before` does not; None if none is found."""
    effort = effort or Effort()
    # Sorting and matching them counts only where they are many: AWS's policies have a few for each action.
    count = len(before.allow) + len(before.deny) + len(after.allow) + len(after.deny)
    effort.spend(count // 16 + count * count // 64)
    for wanted_extents, avoided_extents in _questions(before, after):
        if effort.is_spent:
            return None
        request = _Search(action, wanted_extents, avoided_extents, effort).run()
        if request:
            return request
    return None


def _questions(before: ActionExtents, after: ActionExtents) -> Iterator[tuple[tuple[Extent, ...], frozenset[Extent]]]:
    """Yield the extents that a request has to match and those that it must not, to show that it is gained."""
    avoided_extents = before.allow | after.deny
    for extent in in_order(after.allow - before.allow):
        yield (extent,), avoided_extents
    for deny in in_order(before.deny - after.deny):
        for extent in in_order(after.allow):
            yield (extent, deny), after.deny


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
    ordered_extents = in_order(extents)
    predicates: dict[str, list[Predicate]] = {}
    for extent in ordered_extents:
        for key, lines in predicates_of(extent.conditions).items():
            predicates.setdefault(key, []).extend(lines)
    resources = dict.fromkeys(chain.from_iterable(extent.resources for extent in ordered_extents))
    variables = {variable.key for resource in resources for variable in variables_of(template(resource))}
    variables.update(chain.from_iterable(map(variables_in, chain.from_iterable(predicates.values()))))
    values = chain.from_iterable(line.values for extent in ordered_extents for line in extent.conditions)
    return Mentions(
        ordered_extents,
        {key: tuple(lines) for key, lines in predicates.items()},
        frozenset(variables),
        _defaulted(chain(resources, values)),
        frozenset(chain(_accounts_in_resources(resources), _accounts_in_conditions(predicates))),
        sum(map(_size, ordered_extents)),
    )


@lru_cache(maxsize=16384)
def variables_in(predicate: Predicate) -> tuple[str, ...]:
    """Return the keys of the policy variables in a condition."""
    values = (value for value in predicate.values if isinstance(value, Text | DeferredValue))
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


class _Search:
    """A search for a request that all wanted extents match and no avoided one does."""

    def __init__(
        self, action: str, wanted_extents: tuple[Extent, ...], avoided_extents: frozenset[Extent], effort: Effort
    ) -> None:
        self._action = action
        self._wanted_extents = wanted_extents
        self._effort = effort
        self._tries = 0
        self._resource = ""
        self._type = ""
        # Thousands of searches avoid the same extents, so what these name is read once.
        self._avoided_mentions = named_in(avoided_extents)
        wanted_mentions = [named_in(frozenset({extent})) for extent in wanted_extents]
        self._avoided_extents = self._avoided_mentions.extents
        self._needs: dict[str, tuple[Predicate, ...]] = {}
        for mentions in wanted_mentions:
            for key, predicates in mentions.predicates.items():
                self._needs[key] = (*self._needs.get(key, ()), *predicates)
        everything = (*wanted_mentions, self._avoided_mentions)
        self._variables = frozenset[str]().union(*(mentions.variables for mentions in everything))
        self._variables_with_default = frozenset[str]().union(*(mentions.defaulted for mentions in everything))
        accounts = frozenset[str]().union(*(mentions.accounts for mentions in everything))
        self._accounts = (*sorted(accounts), ACCOUNT, OTHER_ACCOUNT)

    def _conditions_on(self, key: str) -> tuple[Predicate, ...]:
        """Return the wanted and avoided conditions on a key."""
        return (*self._needs.get(key, ()), *self._avoided_mentions.predicates.get(key, ()))

    def run(self) -> _Request | None:
        """Return a request; None if none is found."""
        if (
            any(extent.principals for extent in (*self._wanted_extents, *self._avoided_extents))
            or len(self._needs) > MAX_KEYS
        ):
            return None
        # Keys that are variables elsewhere get their values first, since other values follow from them; then ARNs, and
        # last what is a part of an ARN.
        order = sorted(
            self._needs,
            key=lambda needed_key: (needed_key not in self._variables, not needed_key.endswith("arn"), needed_key),
        )
        start: KeyValues = {}
        for key in sorted(self._variables):
            start = follow({**start, key: (_value_of_variable(key),)}, key)
        starts = [start]
        for key in sorted(self._variables & _ACCOUNTS):
            # A named account may be that of the policy, or another one.
            starts += [
                follow({**start, key: (account,)}, key) for account in self._accounts if start[key] != (account,)
            ]
        if self._variables_with_default:
            starts.append({**start, **dict.fromkeys(sorted(self._variables_with_default), _ABSENT)})
        for start_context in starts:
            for context in islice(self._starts(start_context, order), MAX_STARTS):
                solution = self._from(context)
                if solution is not None:
                    return _Request(self._action, self._resource, solution)
        return None

    @property
    def _is_spent(self) -> bool:
        return self._tries > MAX_TRIES or self._effort.is_spent

    def _starts(self, context: KeyValues, order: list[str]) -> Iterator[KeyValues]:
        """Yield contexts in which each key of `order` meets the wanted conditions."""
        if not order:
            yield context
            return
        key, later_keys = order[0], order[1:]
        for values in self._values(key, context):
            self._effort.spend()
            if self._is_spent:
                return
            if is_possible(key, values) and self._meets(key, values, context):
                trial = follow({**context, key: values}, key)
                if all(
                    needed_key in later_keys or self._meets(needed_key, trial[needed_key], trial)
                    for needed_key in self._needs
                    if needed_key in trial
                ):
                    yield from self._starts(trial, later_keys)

    def _from(self, context: KeyValues) -> KeyValues | None:
        for key in dict.fromkeys((*self._needs, *self._avoided_mentions.predicates)):
            if self._is_spent:
                return None
            if key not in context and key not in _DERIVED:
                values = next((value for value in self._values(key, context) if is_possible(key, value)), _ABSENT)
                context = self._with(context, key, values)
        for resource, resource_type in self._resources(context):
            self._resource, self._type = resource, resource_type
            whole_context = self._escape_avoided(context, frozenset())
            if whole_context is not None:
                return whole_context
        return None

    def _with(self, context: KeyValues, key: str, values: Values) -> KeyValues:
        """Return the context with one more key, adjusted if it contradicts the others."""
        trial = {**context, key: values}
        # Each key is compared with all others: nothing for the few of most policies.
        self._effort.spend(len(context) // 16)
        for known_key in context:
            adjusted_context = follow(trial, known_key)
            if adjusted_context[key] != values and is_possible(key, adjusted_context[key]):
                return {**context, key: adjusted_context[key]}
        return trial

    def _resources(self, context: KeyValues) -> Iterator[tuple[str, str]]:
        """Yield the ARNs to try, each with its resource type."""
        account = next(
            (values[0] for key, values in context.items() if key.endswith(":resourceaccount") and values), ACCOUNT
        )
        region = (context.get("aws:requestedregion") or context.get("ec2:region") or (REGION,))[0]
        # A variable is the caller's account; the resource may belong to another.
        is_open = self._variables & _ACCOUNTS and not any(key.endswith(":resourceaccount") for key in context)
        tried_pairs: set[tuple[str, str]] = set()
        for owner in dict.fromkeys((account, *self._accounts)) if is_open else (account,):
            for pattern in self._patterns(WholeContext(context)):
                if not self._effort.spend():
                    return
                for resource in resources_for(self._action, pattern, owner, region):
                    if resource not in tried_pairs:
                        tried_pairs.add(resource)
                        yield resource

    def _patterns(self, context: WholeContext) -> Iterator[str]:
        """Yield resource patterns that a request may have to match."""
        tried_patterns: set[str] = set()
        # What the other side excludes with NotResource is what it does not allow.
        for element, extents in (("Resource", self._wanted_extents), ("NotResource", self._avoided_extents)):
            for resource in (text for extent in extents if extent.element == element for text in extent.resources):
                value = resolved(template(resource), context)
                if value.resolvable and not value.unknown_keys and (pattern := value.pattern()) not in tried_patterns:
                    tried_patterns.add(pattern)
                    yield pattern
        if "*" not in tried_patterns and any(extent.element == "NotResource" for extent in self._wanted_extents):
            yield "*"

    def _escape_avoided(self, context: KeyValues, fixed_keys: frozenset[str]) -> KeyValues | None:
        """Return a context with the same `fixed_keys` that the wanted extents match and the avoided ones do not."""
        self._tries += 1
        self._effort.spend(1 + self._avoided_mentions.size)
        if self._is_spent:
            return None
        key_values = agreeing(context, self._resource, self._spelled_tags)
        if key_values is None:
            return None
        impossible = [
            key for key, values in key_values.items() if values and not takes_key(self._action, self._type, key)
        ]
        if not self._variables.issuperset(impossible):
            return None
        # A variable whose key no request for the action has stays without a value.
        key_values = {**key_values, **dict.fromkeys(impossible, _ABSENT)}
        whole_context = WholeContext(key_values)
        if not all(self._matches(extent, whole_context) for extent in self._wanted_extents):
            return None
        in_the_way = next(
            (extent for extent in self._avoided_extents if self._matches(extent, whole_context) is not False), None
        )
        if in_the_way is None:
            return key_values
        for trial, changed_key in self._ways_out(in_the_way, context, key_values, fixed_keys):
            solution = self._escape_avoided(trial, fixed_keys | {changed_key})
            if solution is not None:
                return solution
        return None

    def _ways_out(
        self, in_the_way: Extent, context: KeyValues, whole_context: KeyValues, fixed_keys: frozenset[str]
    ) -> Iterator[tuple[KeyValues, str]]:
        """Yield contexts in which a condition of an extent fails, each with the key that was changed."""
        for key, predicates in predicates_of(in_the_way.conditions).items():
            for predicate in predicates:
                for changed_key in dict.fromkeys((key, *variables_in(predicate))):
                    for values in self._values(changed_key, whole_context) if changed_key not in fixed_keys else ():
                        if values == whole_context.get(changed_key) or not is_possible(changed_key, values):
                            continue
                        trial = follow({**context, changed_key: values}, changed_key)
                        self._effort.spend()
                        if predicate.holds(trial.get(key, ()), WholeContext(trial)) is False:
                            yield trial, changed_key

    def _matches(self, extent: Extent, context: WholeContext) -> Truth:
        """Return whether the request on the current resource matches an extent; None if undecided."""
        resource_match = some(self._is_listed(resource, context) for resource in extent.resources)
        if extent.element == "NotResource":
            resource_match = negation(resource_match)
        if resource_match is False:
            return False
        lines = (
            predicate.holds(context.values(key), context)
            for key, predicates in predicates_of(extent.conditions).items()
            for predicate in predicates
        )
        return every((resource_match, *lines))

    def _is_listed(self, resource: str, context: WholeContext) -> Truth:
        text = resolved(template(resource), context)
        if not text.resolvable:
            return False
        is_match = matches_resource(text.pattern(), literal(self._resource))
        return None if is_match and text.unknown_keys else is_match

    def _meets(self, key: str, values: Values, context: KeyValues) -> bool:
        trial = WholeContext({**context, key: values})
        return all(predicate.holds(values, trial) is True for predicate in self._needs.get(key, ()))

    def _values(self, key: str, context: KeyValues) -> list[Values]:
        """Return values to try for a key, starting with those that no policy names."""
        predicates = [predicate for predicate in self._conditions_on(key) if predicate.null is None]
        values: dict[Values, None] = {}
        if key in self._variables:
            values[(_value_of_variable(key),)] = None
        if may_lack(self._action, key):
            values[_ABSENT] = None
        if type_of(key) == "truth" or any(map(_is_of_truths, predicates)):
            return [*values, *_TRUTHS]
        if key == "aws:principaltype":
            return [*values, *((kind,) for kind in PRINCIPAL_FORMS)]
        stand_in_value = stand_in(key)
        if type_of(key) is not None or not any(map(_has_span, predicates)):
            values[(stand_in_value,)] = None
        named_values = _named_values(key, predicates, context, self._accounts)
        self._effort.spend(len(named_values) // 16)
        values.update(dict.fromkeys((text,) for text in named_values))
        if key == "aws:principalarn":
            values.update(
                dict.fromkeys((principal,) for account in self._accounts for principal in principals_of(account))
            )
        plain_lines = list(map(_is_plain, predicates))
        if is_tag(key) and not all(plain_lines):
            values[("",)] = None
        # How an operator without set operator treats several values is not documented.
        if has_several(key) is not False and not any(plain_lines):
            values.update(dict.fromkeys((text, stand_in_value) for text in named_values))
            values.update(dict.fromkeys(permutations(named_values[:MOST_TOGETHER], 2)))
        return list(values)

    @property
    def _spelled_tags(self) -> dict[str, str]:
        """The spelling of tag keys: condition keys ignore case, but the values of aws:TagKeys do not."""
        spelling: dict[str, str] = {}
        for key in ("aws:tagkeys", "kms:encryptioncontextkeys"):
            for predicate in self._conditions_on(key):
                texts = sorted(
                    without_encoding(text) for value in predicate.values if (text := _plain_text(value)) is not None
                )
                spelling.update({text.lower(): text for text in texts})
        return spelling


def _named_values(
    key: str, predicates: Iterable[Predicate], context: KeyValues, accounts: tuple[str, ...]
) -> list[str]:
    """Return values that the conditions on a key accept, and some outside of their spans."""
    values: dict[str, None] = {}
    for predicate in predicates:
        if variables_in(predicate):
            whole_context = WholeContext(context)
            for value in predicate.values:
                values.update(dict.fromkeys(_examples(key, value, whole_context, accounts)))
            values.update(dict.fromkeys(_between(predicate)))
        else:
            values.update(dict.fromkeys(_fixed_examples(predicate, accounts)))
    return list(values)


@lru_cache(maxsize=4096)
def _fixed_examples(predicate: Predicate, accounts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the examples of a condition without policy variables."""
    context = WholeContext({})
    texts = chain.from_iterable(_examples(predicate.key, value, context, accounts) for value in predicate.values)
    return tuple(dict.fromkeys((*texts, *_between(predicate))))


def _examples(key: str, value: object, context: WholeContext, accounts: tuple[str, ...]) -> Iterable[str]:
    if isinstance(value, Text):
        text = resolved(value.parts, context)
        if text.resolvable and not text.unknown_keys:
            return instances_of(key, text.pattern(), accounts)
        return ()
    if isinstance(value, ValueSpan):
        return examples(value)
    if isinstance(value, DeferredValue):
        return ("true", "false")
    return ()


def _plain_text(value: object) -> str | None:
    """Return the text of a value; None if it has variables."""
    return "".join(map(str, value.parts)) if isinstance(value, Text) and not variables_of(value.parts) else None


def _is_plain(predicate: Predicate) -> bool:
    return predicate.operator is not UNKNOWN and predicate.quantifier is None and not predicate.is_null


def _is_of_truths(predicate: Predicate) -> bool:
    return predicate.operator.family.compared_as == "truth" and _is_plain(predicate)


def _has_span(predicate: Predicate) -> bool:
    return any(isinstance(value, ValueSpan) for value in predicate.values)


def _between(predicate: Predicate) -> list[str]:
    """Return values outside of a condition's spans."""
    spans = [value for value in predicate.values if isinstance(value, ValueSpan)]
    if not spans or spans[0].kind in ("truth", "bytes"):
        return []
    return [text for gap in complement(spans[0].kind, spans) for text in examples(gap)]


def _value_of_variable(key: str) -> str:
    name = key.rpartition(":")[2]
    if type_of(key) == "account":
        return ACCOUNT
    if type_of(key) is not None or name.endswith(("arn", "orgid", "orgpaths")):
        return stand_in(key)
    return "zq-" + "".join(c for c in name if c.isalnum())[-20:]
