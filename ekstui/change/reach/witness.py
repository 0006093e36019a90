"""Proof that something is gained: a request, found by search, that one side allows and the other does not.

A request counts only if it is possible in AWS: its resource has a type of the action, the reference lists its condition
keys, and keys that depend on each other (a tag and the list of tag keys, an ARN and its account) are consistent.
Finding none proves nothing.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice, permutations
from typing import NamedTuple

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
from ekstui.iam.conditions import Truth, every, negation, some
from ekstui.iam.conditions.known_keys import ALWAYS_PRESENT, has_several, is_tag, type_of
from ekstui.iam.conditions.operators import UNKNOWN
from ekstui.iam.conditions.predicates import PRINCIPAL_FORMS, Predicate, predicates_of
from ekstui.iam.conditions.spans import ValueSpan, complement, examples
from ekstui.iam.conditions.values import Deferred, Text
from ekstui.iam.conditions.variables import WholeContext, literal, resolved, template, variables_of, without_encoding
from ekstui.iam.grants import Effort, Extent

MAX_TRIES = 200
"""The number of requests after which a search gives up."""

MAX_STARTS = 12
"""The most sets of values that meet the wanted conditions from which a search starts."""

MOST_TOGETHER = 4
"""The most values of a multivalued key that are combined in pairs."""

_ABSENT: Values = ()
_TRUTHS = (("false",), ("true",))
_DERIVED = frozenset({"aws:calledviafirst", "aws:calledvialast", "aws:viaawsservice"})
"""Keys, in lower case, that follow from `aws:CalledVia` unless conditions need them."""


_ACCOUNTS = frozenset({"aws:principalaccount", "aws:resourceaccount"})


class _Request(NamedTuple):
    """A concrete request."""

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
    for extent in _sorted(after.allow - before.allow):
        request = _Search(action, (extent,), before.allow | after.deny, effort).run()
        if request:
            return request
    for deny in _sorted(before.deny - after.deny):
        for extent in _sorted(after.allow):
            request = _Search(action, (extent, deny), after.deny, effort).run()
            if request:
                return request
    return None


class _Search:
    """A search for a request that all wanted extents match and no avoided one does."""

    def __init__(self, action: str, wanted: tuple[Extent, ...], avoided: frozenset[Extent], effort: Effort) -> None:
        self._action = action
        self._wanted = wanted
        self._avoided = _sorted(avoided)
        self._effort = effort
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
        self._variables = _variables((*wanted, *self._avoided))
        self._accounts = self._named_accounts()

    def run(self) -> _Request | None:
        """Return a request; None if none is found."""
        if any(extent.principals for extent in (*self._wanted, *self._avoided)):
            return None
        # Keys that are variables elsewhere get their values first, since other values follow from them; then ARNs, and last
        # what is a part of an ARN.
        order = sorted(
            self._needs, key=lambda needed: (needed not in self._variables, not needed.endswith("arn"), needed)
        )
        start: KeyValues = {}
        for key in sorted(self._variables):
            start = follow({**start, key: (_value_of_variable(key),)}, key)
        starts = [start]
        for key in self._variables & _ACCOUNTS:
            # A named account may be that of the policy, or another one.
            starts += [
                follow({**start, key: (account,)}, key) for account in self._accounts if start[key] != (account,)
            ]
        if self._defaulted:
            starts.append({**start, **dict.fromkeys(self._defaulted, _ABSENT)})
        for begun in starts:
            for context in islice(self._starts(begun, order), MAX_STARTS):
                full = self._from(context)
                if full is not None:
                    return _Request(self._action, self._resource, full)
        return None

    @property
    def _defaulted(self) -> frozenset[str]:
        """The keys of variables with a default, which only matters if a request lacks the key."""
        extents = (*self._wanted, *self._avoided)
        texts = {text for extent in extents for text in extent.resources}
        texts.update(value for extent in extents for line in extent.conditions for value in line.values)
        variables = (variable for text in texts if "," in text for variable in variables_of(template(text)))
        return frozenset(variable.key for variable in variables if variable.default is not None) - ALWAYS_PRESENT

    @property
    def _is_spent(self) -> bool:
        return self._tries > MAX_TRIES or self._effort.is_spent

    def _starts(self, context: KeyValues, order: list[str]) -> Iterator[KeyValues]:
        """Yield contexts in which each key of `order` meets the wanted conditions."""
        if not order:
            yield context
            return
        key, rest = order[0], order[1:]
        for values in self._values(key, context):
            self._effort.spend()
            if self._is_spent:
                return
            if is_possible(key, values) and self._meets(key, values, context):
                trial = follow({**context, key: values}, key)
                if all(
                    needed in rest or self._meets(needed, trial[needed], trial)
                    for needed in self._needs
                    if needed in trial
                ):
                    yield from self._starts(trial, rest)

    def _from(self, context: KeyValues) -> KeyValues | None:
        for key in self._asked:
            if self._is_spent:
                return None
            if key not in context and key not in _DERIVED:
                values = next((value for value in self._values(key, context) if is_possible(key, value)), _ABSENT)
                context = self._with(context, key, values)
        for resource, resource_type in self._resources(context):
            self._resource, self._type = resource, resource_type
            full = self._escape_avoided(context, frozenset())
            if full is not None:
                return full
        return None

    def _with(self, context: KeyValues, key: str, values: Values) -> KeyValues:
        """Return the context with one more key, adjusted if it contradicts the others."""
        trial = {**context, key: values}
        # Each key is compared with all others: nothing for the few of most policies.
        self._effort.spend(len(context) // 16)
        for other in context:
            followed = follow(trial, other)
            if followed[key] != values and is_possible(key, followed[key]):
                return {**context, key: followed[key]}
        return trial

    def _resources(self, context: KeyValues) -> tuple[tuple[str, str], ...]:
        account = next(
            (values[0] for key, values in context.items() if key.endswith(":resourceaccount") and values), ACCOUNT
        )
        region = (context.get("aws:requestedregion") or context.get("ec2:region") or (REGION,))[0]
        whole = WholeContext(context)
        patterns: list[str] = []
        # What the other side excludes with NotResource is what it does not allow.
        for element, extents in (("Resource", self._wanted), ("NotResource", self._avoided)):
            for extent in extents:
                if extent.element == element:
                    texts = [resolved(template(resource), whole) for resource in extent.resources]
                    patterns += [text.pattern() for text in texts if text.resolvable and not text.unknown_keys]
        if any(extent.element == "NotResource" for extent in self._wanted):
            patterns.append("*")
        self._effort.spend(len(patterns) // 16)
        wanted = tuple(dict.fromkeys(patterns))
        # A variable is the caller's account; the resource may belong to another.
        is_open = self._variables & _ACCOUNTS and not any(key.endswith(":resourceaccount") for key in context)
        accounts = dict.fromkeys((account, *self._accounts)) if is_open else (account,)
        made = (resources_for(self._action, wanted, owner, region) for owner in accounts)
        return tuple(dict.fromkeys(chain.from_iterable(made)))

    def _escape_avoided(self, context: KeyValues, fixed: frozenset[str]) -> KeyValues | None:
        """Return a context with the same `fixed` keys that the wanted extents match and the avoided ones do not."""
        self._tries += 1
        self._effort.spend(1 + len(self._avoided))
        if self._is_spent:
            return None
        full = agreeing(context, self._resource, self._spelled_tags)
        if full is None:
            return None
        impossible = [key for key, values in full.items() if values and not takes_key(self._action, self._type, key)]
        if not self._variables.issuperset(impossible):
            return None
        # A variable whose key no request for the action has stays without a value.
        full = {**full, **dict.fromkeys(impossible, _ABSENT)}
        whole = WholeContext(full)
        if not all(self._matches(extent, whole) for extent in self._wanted):
            return None
        in_the_way = next((extent for extent in self._avoided if self._matches(extent, whole) is not False), None)
        if in_the_way is None:
            return full
        for trial, changed in self._ways_out(in_the_way, context, full, fixed):
            escaped = self._escape_avoided(trial, fixed | {changed})
            if escaped is not None:
                return escaped
        return None

    def _ways_out(
        self, in_the_way: Extent, context: KeyValues, full: KeyValues, fixed: frozenset[str]
    ) -> Iterator[tuple[KeyValues, str]]:
        """Yield contexts in which a condition of an extent fails, each with the key that was changed."""
        for key, predicates in predicates_of(in_the_way.conditions).items():
            for predicate in predicates:
                for changed in dict.fromkeys((key, *_variables_of(predicate))):
                    for values in self._values(changed, full) if changed not in fixed else ():
                        if values == full.get(changed) or not is_possible(changed, values):
                            continue
                        trial = follow({**context, changed: values}, changed)
                        self._effort.spend()
                        if predicate.holds(trial.get(key, ()), WholeContext(trial)) is False:
                            yield trial, changed

    def _matches(self, extent: Extent, whole: WholeContext) -> Truth:
        """Return whether the request on the current resource matches an extent; None if undecided."""
        listed = some(self._is_listed(resource, whole) for resource in extent.resources)
        if extent.element == "NotResource":
            listed = negation(listed)
        if listed is False:
            return False
        lines = (
            predicate.holds(whole.values(key), whole)
            for key, predicates in predicates_of(extent.conditions).items()
            for predicate in predicates
        )
        return every((listed, *lines))

    def _is_listed(self, resource: str, whole: WholeContext) -> Truth:
        text = resolved(template(resource), whole)
        if not text.resolvable:
            return False
        matched = matches_resource(text.pattern(), literal(self._resource))
        return None if matched and text.unknown_keys else matched

    def _meets(self, key: str, values: Values, context: KeyValues) -> bool:
        trial = WholeContext({**context, key: values})
        return all(predicate.holds(values, trial) is True for predicate in self._needs.get(key, ()))

    def _values(self, key: str, context: KeyValues) -> list[Values]:
        """Return values to try for a key, starting with those that no policy names."""
        predicates = [predicate for predicate in self._asked.get(key, []) if predicate.null is None]
        values: dict[Values, None] = {}
        if key in self._variables:
            values[(_value_of_variable(key),)] = None
        if may_lack(self._action, key):
            values[_ABSENT] = None
        if type_of(key) == "truth" or any(map(_is_of_truths, predicates)):
            return [*values, *_TRUTHS]
        if key == "aws:principaltype":
            return [*values, *((kind,) for kind in PRINCIPAL_FORMS)]
        other = stand_in(key)
        if type_of(key) is not None or not any(map(_has_span, predicates)):
            values[(other,)] = None
        named = self._named_values(key, predicates, context)
        values.update(dict.fromkeys((text,) for text in named))
        if key == "aws:principalarn":
            values.update(
                dict.fromkeys((principal,) for account in self._accounts for principal in principals_of(account))
            )
        plain_lines = list(map(_is_plain, predicates))
        if is_tag(key) and not all(plain_lines):
            values[("",)] = None
        # How an operator without set operator treats several values is not documented.
        if has_several(key) is not False and not any(plain_lines):
            values.update(dict.fromkeys((text, other) for text in named))
            values.update(dict.fromkeys(permutations(named[:MOST_TOGETHER], 2)))
        return list(values)

    def _named_values(self, key: str, predicates: list[Predicate], context: KeyValues) -> list[str]:
        """Return values that the conditions on a key accept, and some outside of their spans."""
        whole = WholeContext(context)
        named: dict[str, None] = {}
        for predicate in predicates:
            for value in predicate.values:
                named.update(dict.fromkeys(self._examples(key, value, whole)))
            named.update(dict.fromkeys(_between(predicate)))
        return list(named)

    def _examples(self, key: str, value: object, whole: WholeContext) -> Iterable[str]:
        if isinstance(value, Text):
            text = resolved(value.parts, whole)
            if text.resolvable and not text.unknown_keys:
                return instances_of(key, text.pattern(), self._accounts)
            return ()
        if isinstance(value, ValueSpan):
            return examples(value)
        if isinstance(value, Deferred):
            return ("true", "false")
        return ()

    def _named_accounts(self) -> tuple[str, ...]:
        """Return the account numbers in conditions and resources, and two others."""
        in_arns = (
            split_arn(resource).account for extent in (*self._wanted, *self._avoided) for resource in extent.resources
        )
        named = {account for account in in_arns if is_possible("aws:principalaccount", (account,))}
        named |= {
            without_encoding(part)
            for key, predicates in self._asked.items()
            if type_of(key) == "account"
            for predicate in predicates
            for value in predicate.values
            if isinstance(value, Text)
            for part in value.parts
            if isinstance(part, str) and is_possible(key, (part,))
        }
        return (*sorted(named), ACCOUNT, OTHER_ACCOUNT)

    @property
    def _spelled_tags(self) -> dict[str, str]:
        """The spelling of tag keys: condition keys ignore case, but the values of aws:TagKeys do not."""
        spelled: dict[str, str] = {}
        for key in ("aws:tagkeys", "kms:encryptioncontextkeys"):
            for predicate in self._asked.get(key, ()):
                texts = sorted(
                    without_encoding(text) for value in predicate.values if (text := _whole(value)) is not None
                )
                spelled.update({text.lower(): text for text in texts})
        return spelled


def _whole(value: object) -> str | None:
    """Return the text of a value; None if it has variables."""
    return "".join(map(str, value.parts)) if isinstance(value, Text) and not variables_of(value.parts) else None


def _is_plain(predicate: Predicate) -> bool:
    return predicate.operator is not UNKNOWN and predicate.quantifier is None and not predicate.is_null


def _is_of_truths(predicate: Predicate) -> bool:
    return predicate.operator.family.how == "truth" and _is_plain(predicate)


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


def _variables(extents: Iterable[Extent]) -> frozenset[str]:
    variables: set[str] = set()
    for extent in extents:
        for resource in extent.resources:
            variables.update(variable.key for variable in variables_of(template(resource)))
        for predicates in predicates_of(extent.conditions).values():
            for predicate in predicates:
                variables.update(_variables_of(predicate))
    return frozenset(variables)


def _variables_of(predicate: Predicate) -> tuple[str, ...]:
    values = (value for value in predicate.values if isinstance(value, Text | Deferred))
    return tuple(sorted({variable.key for value in values for variable in variables_of(value.parts)}))


def _sorted(extents: Iterable[Extent]) -> list[Extent]:
    """Return extents in a stable order, fewest conditions first."""
    return sorted(extents, key=_order)


@lru_cache(maxsize=65536)
def _order(extent: Extent) -> tuple[object, ...]:
    lines = sorted((line.operator, line.key, tuple(sorted(line.values))) for line in extent.conditions)
    return len(lines), extent.element, extent.resources, lines
