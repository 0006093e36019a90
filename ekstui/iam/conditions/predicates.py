"""A condition as a predicate over its key's values: whether it holds, and what conditions on a key imply or exclude.

A key is in one of three states: absent, an empty set (which a set operator also takes an empty string for), or with
values. A condition implies another only if it does so in each state. How an operator without set operator treats
several values is not documented, so on multivalued keys only what holds for any treatment is used.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from ekstui.iam import wildcard
from ekstui.iam.condition_operators import NULL, OPERATOR_FAMILIES, UNKNOWN, Operator, Quantifier, operator
from ekstui.iam.conditions.arn_values import ANY_ARN, as_arns, form_of_values, named_partitions
from ekstui.iam.conditions.known_keys import ALWAYS_PRESENT, KeyType, has_several, type_of
from ekstui.iam.conditions.spans import MalformedValue, ValueSpan, complement, intersection, union, without_network
from ekstui.iam.conditions.values import (
    Text,
    Value,
    covered_by,
    disjoint,
    has_only_type,
    is_everything,
    is_nothing,
    is_unresolvable,
    literal_form,
    only_match,
    value_matches,
    value_of,
)
from ekstui.iam.document import Condition
from ekstui.iam.grants import ConditionLine, line_order
from ekstui.iam.policy_variables import NOTHING_KNOWN, Context, variables_of
from ekstui.iam.truth import Truth, every, negation, some
from ekstui.named_tuples import NamedTuple


class Predicate:
    """A condition, parsed; like no other, since comparing values would take longer than parsing them."""

    # Not a dataclass: importing those would be a tenth of the time of `who-can`.
    __slots__ = ("key", "null", "operator", "values")

    def __init__(
        self, key: str, operator: Operator, values: tuple[Value, ...], null: tuple[Truth, Truth] | None = None
    ) -> None:
        self.key: Final = key
        self.operator: Final = operator
        """The result of an unknown one is always unknown."""
        self.values: Final = values
        self.null: Final = null
        """Only for `Null`: whether it holds with the key and without it."""

    @property
    def quantifier(self) -> Quantifier | None:
        """Its set operator, if any."""
        return self.operator.quantifier

    @property
    def is_null(self) -> bool:
        """Whether it is about the presence of its key."""
        return self.null is not None

    @property
    def negated(self) -> bool:
        """Whether the accepted values are those that match nothing."""
        return self.operator.negated

    @property
    def is_understood(self) -> bool:
        """Whether its meaning is known: not for an unknown operator, nor for a negated value of the wrong type."""
        return self.operator is not UNKNOWN and not (
            self.negated and any(isinstance(value, MalformedValue) for value in self.values)
        )

    @property
    def accepts_all(self) -> bool:
        """Whether every value is accepted."""
        if self.null is not None:
            return self.null[0] is True
        return not self.values if self.negated else any(map(is_everything, self.values))

    @property
    def accepts_none(self) -> bool:
        """Whether no value is accepted, so that the condition can only hold if the key is absent."""
        if self.operator is UNKNOWN:
            return False
        if self.null is not None:
            return self.null[0] is False
        return any(map(is_everything, self.values)) if self.negated else all(map(is_nothing, self.values))

    def holds(self, actual: tuple[str, ...], context: Context) -> Truth:
        """Return whether it holds for the values of its key, which is absent if there are none; None if unknown."""
        if self.operator is UNKNOWN:
            return None
        if self.null is not None:
            return self.null[not actual]
        if not actual:
            return self.operator.holds_without_key()
        if self.quantifier is not None and all(value == "" for value in actual):
            # IAM treats an empty string as an empty set. IfExists makes no difference.
            return self.quantifier == "ForAllValues"
        verdicts = [self._accepts(value, context) for value in actual]
        if self.quantifier == "ForAllValues":
            return every(verdicts)
        if self.quantifier == "ForAnyValue":
            return some(verdicts)
        # Several values without a set operator: IAM's manual is silent, so only an answer that all share counts.
        return verdicts[0] if len(set(verdicts)) == 1 else None

    def holds_whatever(self, context: Context) -> Truth:
        """Return whether it holds for all values of its key, even if the key is absent; None if the values decide.

        Nothing equals a policy variable that the request lacks.
        """
        if self.operator is UNKNOWN or self.null is not None:
            return None
        if not all(is_unresolvable(value, context) for value in self.values):
            return None
        without = self.operator.holds_without_key()
        return without if without is self.operator.negated else None

    def deciding_keys(self, actual: tuple[str, ...], context: Context) -> tuple[str, ...]:
        """Return the keys of policy variables whose values would decide it."""
        keys: dict[str, None] = {}
        for value in self.values:
            for entry in actual:
                matches, unknown = value_matches(value, entry, context)
                if matches is None:
                    keys.update(dict.fromkeys(unknown))
        return tuple(keys)

    def _accepts(self, actual: str, context: Context) -> Truth:
        values = self.values
        if len(values) > FEW:
            # Of hundreds of values, most are texts that only an equal one matches.
            texts, values = _texts_and_others(self)
            if literal_form(self.operator.family.compared_as, actual) in texts:
                return not self.negated
        results = (value_matches(value, actual, context) for value in values)
        if self.negated:
            return negation(some(matches for matches, _ in results))
        # A value of another type equals nothing; what negation makes of it is not documented.
        return some(matches if unknown else bool(matches) for matches, unknown in results)


FEW = 8
"""The most values of a condition that are compared with that of a request one by one."""


@lru_cache(maxsize=4096)
def _texts_and_others(line: Predicate) -> tuple[frozenset[str], tuple[Value, ...]]:
    """Return the values of a condition that only an equal text matches, in `literal_form`, and the others."""
    texts = {value: only_match(value) for value in line.values}
    other_values = tuple(value for value, text in texts.items() if text is None)
    return frozenset(text for text in texts.values() if text is not None), other_values


@lru_cache(maxsize=16384)
def predicate(name: str, key: str, values: tuple[str, ...], *, has_variables: bool = True) -> Predicate:
    """Return a condition, parsed; `has_variables` tells whether the document's version has policy variables."""
    definition = operator(name)
    if definition is None:
        return Predicate(key, UNKNOWN, ())
    parsed_values = tuple(value_of(definition.family, value, has_variables=has_variables) for value in values)
    if definition.base != NULL:
        return Predicate(key, definition, parsed_values)
    if any(map(is_nothing, parsed_values)):
        return Predicate(key, definition, parsed_values, (None, None))
    with_key, without = (
        any(value_matches(value, absent, NOTHING_KNOWN)[0] for value in parsed_values) for absent in ("false", "true")
    )
    return Predicate(key, definition, parsed_values, (with_key, without))


@lru_cache(maxsize=16384)
def predicate_of(line: ConditionLine) -> Predicate:
    """Return a condition of a grant, parsed."""
    return predicate(line.operator, line.key, tuple(sorted(line.values)))


@lru_cache(maxsize=16384)
def predicates_of(lines: frozenset[ConditionLine]) -> Mapping[str, tuple[Predicate, ...]]:
    """Return a condition block as predicates by key."""
    predicates: dict[str, tuple[Predicate, ...]] = {}
    for line in sorted(lines, key=line_order):
        predicates[line.key] = (*predicates.get(line.key, ()), predicate_of(line))
    return predicates


class ConditionResult(NamedTuple):
    """The result of one condition."""

    holds: Truth
    missing: tuple[str, ...]
    """Keys that would decide it; empty if it is decided, or if no key could decide it (unknown operator)."""


def condition_holds(condition: Condition, context: Context, *, has_variables: bool) -> ConditionResult:
    """Return whether `condition` holds, by the rules for absent keys, several values and set operators.

    The result is unknown for an operator that IAM does not document and for a key that was not given.
    """
    line = predicate(condition.operator, condition.key, condition.values, has_variables=has_variables)
    actual = context.values(condition.key)
    if line.operator is UNKNOWN:
        return ConditionResult(None, ())
    if actual is None:
        holds = line.holds_whatever(context)
        return ConditionResult(holds, () if holds is not None else (condition.key, *line.deciding_keys(("",), context)))
    holds = line.holds(actual, context)
    return ConditionResult(holds, line.deciding_keys(actual, context) if holds is None else ())


_ABSENT: tuple[str, ...] = ()
_EMPTY = ("",)

_FORMS: dict[KeyType | None, tuple[str, tuple[str, ...]]] = {
    "account": ("StringLikeIfExists", ("????????????",)),
    "truth": ("BoolIfExists", ("false", "true")),
}


def implies_all(premises: frozenset[ConditionLine], conclusions: frozenset[ConditionLine]) -> bool:
    """Return True only if every request that meets the block `premises` also meets the block `conclusion`."""
    if conclusions <= premises:
        return True
    predicates = predicates_of(premises)
    return all(
        line in premises or implies((*predicates.get(line.key, ()), *_listed(predicates, line.key)), predicate_of(line))
        for line in conclusions
    )


def _listed(predicates: Mapping[str, tuple[Predicate, ...]], key: str) -> Iterable[Predicate]:
    """Yield what conditions on other keys imply for a key: a tag for the list of tags, a principal for another."""
    if key == "aws:tagkeys":
        for entry, lines in predicates.items():
            if entry.startswith("aws:requesttag/") and any(line.holds((), NOTHING_KNOWN) is False for line in lines):
                tag = entry.removeprefix("aws:requesttag/")
                yield predicate("ForAnyValue:StringEqualsIgnoreCase", key, (tag,), has_variables=False)
    elif key in PRINCIPAL_KEYS:
        for principal_key in PRINCIPAL_KEYS:
            for line in predicates.get(principal_key, ()) if principal_key != key else ():
                implication = _of_principal(line, key)
                if implication is not None:
                    yield implication


PRINCIPAL_KEYS = ("aws:principalaccount", "aws:principalarn", "aws:principaltype")
"""Keys, in lower case, that say who asks; every request has each of them."""

PRINCIPAL_FORMS = {
    "AssumedRole": "arn:*:iam::*:role/*",
    "User": "arn:*:iam::*:user/*",
    "Account": "arn:*:iam::*:root",
    "FederatedUser": "arn:*:sts::*:federated-user/*",
}
"""The ARNs of principals by the value of aws:PrincipalType."""


def _of_principal(line: Predicate, key: str) -> Predicate | None:
    """Return what a condition on one of the keys about the principal implies for another; None if nothing is known."""
    texts = [value for value in line.values if isinstance(value, Text) and not variables_of(value.parts)]
    if line.negated or line.is_null or not line.is_understood or line.quantifier or len(texts) != len(line.values):
        return None
    if line.key == "aws:principalarn":
        arns = [
            str(arn.parts[0]).split(":", 5) for arn in as_arns(tuple(texts), line.key, None) if isinstance(arn, Text)
        ]
        if key == "aws:principalaccount":
            return predicate("StringLike", key, tuple(parts[4] for parts in arns if len(parts) == 6))
        kinds = [
            kind
            for kind, form in PRINCIPAL_FORMS.items()
            if any(len(parts) == 6 and all(map(wildcard.overlaps, parts, form.split(":", 5))) for parts in arns)
        ]
        return predicate("StringEquals", key, tuple(kinds))
    if key != "aws:principalarn":
        return None
    patterns = [str(text.parts[0]) for text in texts if text.comparison != "folded"]
    if line.key == "aws:principalaccount":
        forms = [f"arn:*:*:*:{pattern}:*" for pattern in patterns if ":" not in pattern]
    else:
        forms = [
            form
            for kind, form in PRINCIPAL_FORMS.items()
            if any(wildcard.matches(pattern, kind) for pattern in patterns)
        ]
    return predicate("ArnLike", key, tuple(forms)) if len(patterns) == len(texts) else None


@lru_cache(maxsize=65536)
def implies(premises: tuple[Predicate, ...], conclusion: Predicate) -> bool:
    """Return True only if the conditions `premises`, all on the key of `conclusion`, hold only where that does."""
    if not conclusion.is_understood:
        return False
    lines = [line for line in (*premises, *facts(conclusion.key)) if line.is_understood]
    if type_of(conclusion.key) == "arn":
        *lines, conclusion = _on_arns([*lines, conclusion])
    if not _implied_in(_ABSENT, lines, conclusion):
        return False
    alike = any(_alike(line, conclusion) and _accepts_no_more(line, conclusion) for line in lines)
    if not alike and not _implied_in(_EMPTY, lines, conclusion):
        return False
    if conclusion.accepts_all or any(line.accepts_none for line in lines):
        return True
    stronger = [line for line in lines if _stronger(line, conclusion)]
    if any(_accepts_no_more(line, conclusion) for line in stronger):
        return True
    return len(stronger) > 1 and _together_accept_no_more(stronger, conclusion)


def _implied_in(state: tuple[str, ...], lines: list[Predicate], conclusion: Predicate) -> bool:
    """Return whether `conclusion` holds for these values of the key, or one of the lines does not."""
    return conclusion.holds(state, NOTHING_KNOWN) is True or any(
        line.holds(state, NOTHING_KNOWN) is False for line in lines
    )


def excludes(premises: frozenset[ConditionLine], other_block: frozenset[ConditionLine]) -> bool:
    """Return True only if both blocks never hold for the same request."""
    predicates = predicates_of(premises)
    return any(
        excluded((*predicates.get(line.key, ()), *_listed(predicates, line.key), *facts(line.key)), predicate_of(line))
        for line in other_block
        if line.key in predicates or facts(line.key)
    )


@lru_cache(maxsize=65536)
def excluded(premises: tuple[Predicate, ...], other: Predicate) -> bool:
    """Return True only if the conditions `premises` cannot hold together with `other`, which is on the same key."""
    lines = [line for line in premises if line.is_understood]
    if not other.is_understood:
        return False
    if type_of(other.key) == "arn":
        *lines, other = _on_arns([*lines, other])
    for state in (_ABSENT, _EMPTY):
        possible = all(line.holds(state, NOTHING_KNOWN) is not False for line in (*lines, other))
        are_apart = state == _EMPTY and any(_alike(line, other) and _accept_apart(line, other) for line in lines)
        if possible and not are_apart:
            return False
    if other.accepts_none or any(line.accepts_none for line in lines):
        return True
    return any(_meet(line, other) and _accept_apart(line, other) for line in lines)


@lru_cache(maxsize=4096)
def facts(key: str) -> tuple[Predicate, ...]:
    """Return conditions on a key, in lower case, that hold for every request."""
    present = (predicate("Null", key, ("false",)),) if key in ALWAYS_PRESENT else ()
    kind = type_of(key)
    if kind == "arn":
        arn_operator = "ForAllValues:ArnLike" if has_several(key) else "ArnLikeIfExists"
        form: tuple[str, tuple[str, ...]] | None = (arn_operator, (form_of_values(key),))
    else:
        form = _FORMS.get(kind)
    return present if form is None else (*present, predicate(form[0], key, form[1]))


def _on_arns(lines: list[Predicate]) -> list[Predicate]:
    """Return conditions on a key of ARNs with values that are patterns of ARNs; the same if they have variables."""
    key = lines[-1].key
    values = [value for line in lines for value in line.values]
    if any(isinstance(value, Text) and variables_of(value.parts) for value in values):
        return lines
    partitions = named_partitions(values)
    # Principals, and what a service's own key holds, are in the partition of the policy.
    partition = next(iter(partitions)) if len(partitions) == 1 and form_of_values(key) != ANY_ARN else None
    return [
        line if line.is_null else Predicate(line.key, line.operator, as_arns(line.values, key, partition))
        for line in lines
    ]


def _alike(predicate_a: Predicate, predicate_b: Predicate) -> bool:
    """Return whether both treat an empty string like any other value."""
    return predicate_a.quantifier is predicate_b.quantifier is None


def _stronger(line: Predicate, conclusion: Predicate) -> bool:
    """Return whether `line` implies `conclusion` for several values too.

    It does if `conclusion` accepts every single value that `line` accepts.
    """
    several = has_several(line.key)
    if several is False:
        return True
    if (
        line.quantifier == "ForAllValues"
        or conclusion.quantifier == "ForAnyValue"
        or line.is_null
        or conclusion.is_null
    ):
        return True
    return _alike(line, conclusion) and (line.negated == conclusion.negated or not several)


def _meet(line: Predicate, other: Predicate) -> bool:
    """Return whether `line` and `other` exclude each other, provided that no value is accepted by both."""
    several = has_several(line.key)
    if several is False:
        return True
    return "ForAllValues" in (line.quantifier, other.quantifier) or (_alike(line, other) and not several)


def _accepts_no_more(line: Predicate, conclusion: Predicate) -> bool:
    """Return True only if every value that `line` accepts is one that `conclusion` accepts."""
    if conclusion.accepts_all or line.accepts_none:
        return True
    if line.is_null or conclusion.is_null or (conclusion.negated and not _is_typed(line, conclusion)):
        return False
    if line.negated:
        return conclusion.negated and all(covered_by(special, line.values) for special in conclusion.values)
    if conclusion.negated:
        return all(disjoint(value, conclusion_value) for value in line.values for conclusion_value in conclusion.values)
    return all(covered_by(special, conclusion.values) for special in line.values)


def _is_typed(line: Predicate, conclusion: Predicate) -> bool:
    """Return whether `line` accepts only values of `conclusion`'s type; negation of other types is not documented."""
    comparison = conclusion.operator.family.compared_as
    if comparison in ("exact", "folded", "like") or line.operator.family.compared_as == comparison:
        return True
    return not line.negated and all(has_only_type(value, comparison) for value in line.values)


def _accept_apart(line: Predicate, other: Predicate) -> bool:
    """Return True only if no value is accepted by both."""
    if line.accepts_none or other.accepts_none:
        return True
    if line.is_null or other.is_null or (line.negated and other.negated):
        return False
    if other.negated:
        return all(covered_by(special, other.values) for special in line.values)
    if line.negated:
        return all(covered_by(special, line.values) for special in other.values)
    return all(disjoint(value, other_value) for value in line.values for other_value in other.values)


def _together_accept_no_more(lines: list[Predicate], conclusion: Predicate) -> bool:
    """Return True only if every value that all lines accept is one that `conclusion` accepts."""
    several = has_several(conclusion.key)
    quantifiers = {line.quantifier for line in lines}
    if several is not False and quantifiers != {"ForAllValues"} and (several or quantifiers != {None}):
        return False  # different values may satisfy different lines
    positive = [line for line in lines if not line.negated and not line.is_null]
    exclusions = [line for line in lines if line.negated]
    return any(_accepts_no_more_but(line, exclusions, conclusion) for line in positive) or _spans_within(
        positive, exclusions, conclusion
    )


def _accepts_no_more_but(line: Predicate, exclusions: list[Predicate], conclusion: Predicate) -> bool:
    """Return True only if `conclusion` accepts every value that `line` accepts and no exclusion covers."""
    remaining_values = [
        value for value in line.values if not any(covered_by(value, exclusion.values) for exclusion in exclusions)
    ]
    if conclusion.is_null:
        return not remaining_values  # it asks whether there is a value, not which
    if conclusion.negated and remaining_values:
        return _is_typed(line, conclusion) and all(
            disjoint(allowed_value, conclusion_value)
            for allowed_value in remaining_values
            for conclusion_value in conclusion.values
        )
    return all(covered_by(special, conclusion.values) for special in remaining_values)


def _spans_within(positive: list[Predicate], exclusions: list[Predicate], conclusion: Predicate) -> bool:
    """Return True only if the intersection of the lines' spans of one type contains only what `conclusion` accepts."""
    lines_with_spans = [(line, spans) for line in positive if (spans := _spans(line)) is not None]
    if not lines_with_spans:
        return False
    kind = lines_with_spans[0][1][0].kind
    common = union(lines_with_spans[0][1])
    for _, spans in lines_with_spans[1:]:
        if spans[0].kind == kind:
            common = intersection(common, spans)
    for line in exclusions:
        spans = _spans(line)
        if spans is not None and spans[0].kind == kind:
            common = intersection(common, complement(kind, spans))
    limits = _spans(conclusion)
    if not common:
        return True
    if limits is None or limits[0].kind != kind:
        return False
    if conclusion.negated:
        return not intersection(common, limits)
    return all(covered_by(span, limits) for span in common)


def _spans(line: Predicate) -> list[ValueSpan] | None:
    """Return the values that a line compares, if all of them are spans and there is at least one."""
    if line.is_null:
        return None
    values = [value for value in line.values if not is_nothing(value)]
    spans = [value for value in values if isinstance(value, ValueSpan)]
    return spans if spans and len(spans) == len(values) else None


def union_of_values(line: ConditionLine) -> bool:
    """Return whether a condition holds if and only if one of its values alone would do, even for an absent key."""
    line_predicate = predicate_of(line)
    return (
        line_predicate.is_understood
        and not (line_predicate.negated or line_predicate.is_null or any(map(is_nothing, line_predicate.values)))
        and (
            line_predicate.quantifier == "ForAnyValue"
            or (line_predicate.quantifier is None and has_several(line.key) is not True)
        )
    )


def split_values(line: ConditionLine, cuts: Iterable[str]) -> list[str]:
    """Return the values of a condition, networks as those that `cuts` contain and what these leave of them."""
    if predicate_of(line).operator.family.compared_as != "address":
        return sorted(line.values)
    pieces = sorted(line.values)
    networks = set(cuts)
    if len(networks) > _MAX_NETWORKS // 4:
        return pieces
    for cut in sorted(networks):
        pieces = [piece for part in pieces for piece in without_network(part, cut)]
        if len(pieces) > _MAX_NETWORKS:
            return sorted(line.values)
    return pieces


_MAX_NETWORKS = 64
"""The most networks into which a condition's networks are split."""

_COMPARED = {
    "LessThan": "GreaterThanEquals",
    "GreaterThanEquals": "LessThan",
    "LessThanEquals": "GreaterThan",
    "GreaterThan": "LessThanEquals",
}


@lru_cache(maxsize=16384)
def opposite(line: ConditionLine) -> ConditionLine | None:
    """Return the condition that holds for exactly those requests for which another does not; None if there is none."""
    line_predicate = predicate_of(line)
    if not line_predicate.is_understood or line_predicate.quantifier or any(map(is_nothing, line_predicate.values)):
        return None
    base, values = line_predicate.operator.base, line.values
    if line_predicate.null is not None:
        return (
            None
            if None in line_predicate.null or len(values) != 1
            else line._replace(values=frozenset({str(not line_predicate.null[1]).lower()}))
        )
    if has_several(line.key) is not False or (line_predicate.operator.if_exists and not line_predicate.negated):
        return None
    if line_predicate.negated:
        return line._replace(operator=base.replace("Not", "", 1))
    if base in _NEGATED:
        return line._replace(operator=_NEGATED[base])
    if len(values) != 1:
        return None
    (value,) = values
    if base == "Bool" and value.lower() in ("true", "false"):
        return ConditionLine("BoolIfExists", line.key, frozenset({"false" if value.lower() == "true" else "true"}))
    kind = next((prefix for prefix in ("Numeric", "Date") if base.startswith(prefix)), None)
    if kind is None:
        return None
    return line._replace(operator=f"{kind}{_COMPARED[base.removeprefix(kind)]}IfExists")


_NEGATED = {name.replace("Not", "", 1): name for name, family in OPERATOR_FAMILIES.items() if family.negated}
