"""Condition lines as predicates over the values of a key, so that one line can be shown to imply another.

Every operator comes down to a set of accepted values and one of two shapes: some value of the key is accepted
(`StringEquals`, `ForAnyValue:…`), or every value is (`StringNotEquals`, `ForAllValues:…`, and `Null: true`, which
accepts none). What the line says of an absent key is kept apart. Source: IAM User Guide, "IAM JSON policy elements:
condition operators" and "Set operators for multivalued context keys".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from ekstui.core import arn, wildcard
from ekstui.core.grants import Line

How = Literal["exact", "folded", "like", "arn", "opaque"]

_HOW: dict[str, tuple[How, bool]] = {
    "StringEquals": ("exact", False),
    "StringNotEquals": ("exact", True),
    "StringEqualsIgnoreCase": ("folded", False),
    "StringNotEqualsIgnoreCase": ("folded", True),
    "StringLike": ("like", False),
    "StringNotLike": ("like", True),
    "ArnEquals": ("arn", False),
    "ArnLike": ("arn", False),
    "ArnNotEquals": ("arn", True),
    "ArnNotLike": ("arn", True),
    "Bool": ("folded", False),
}
_OPAQUE_NEGATED = frozenset({"NumericNotEquals", "DateNotEquals", "NotIpAddress"})

# Literal `*` and `?` are kept as characters of the private use area, as in core/arn.py, so that text and pattern meet.
_LITERAL = {"*": "\ue000", "?": "\ue001"}
_CONCRETE = str.maketrans(_LITERAL)
_AS_SENT = str.maketrans({private: sign for sign, private in _LITERAL.items()})
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_ARN_COLONS = 5


class Pattern(NamedTuple):
    """One accepted value or pattern."""

    how: How
    text: str
    """Literal `*` and `?` as private characters, policy variables as `${name}` in lower case."""
    operator: str = ""
    """For `opaque` only, the operator: nothing is known of such patterns but that equal ones accept equal values."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition line as a predicate."""

    key: str
    every: bool
    """Whether each value must be accepted, rather than one of them."""
    absent: bool
    """Whether the line holds where the key is absent."""
    negated: bool
    """Whether the values that no pattern matches are the accepted ones."""
    patterns: frozenset[Pattern]
    single: bool
    """Whether the operator stands without `ForAllValues` or `ForAnyValue`, which is for keys of one value."""

    @property
    def accepts_all(self) -> bool:
        """Whether every value is accepted."""
        return not self.patterns if self.negated else any(_is_everything(each) for each in self.patterns)

    @property
    def accepts_none(self) -> bool:
        """Whether no value is accepted, so that only an absent key can meet the line."""
        return not self.patterns and not self.negated


@lru_cache(maxsize=16384)
def predicate_of(line: Line) -> Predicate:
    """Return a line as a predicate; an operator that is not known becomes one about which little can be shown."""
    operator, quantifier = line.operator, ""
    if ":" in operator:
        quantifier, operator = operator.split(":", 1)
    if operator == "Null":
        wanted = {value.strip().lower() for value in line.values}
        if wanted == {"true"}:
            return Predicate(line.key, True, True, False, frozenset(), True)
        if wanted == {"false"}:
            return Predicate(line.key, False, False, True, frozenset(), True)
        if wanted == {"true", "false"}:
            return Predicate(line.key, True, True, True, frozenset(), True)
    if_exists = operator.endswith("IfExists")
    base = operator.removesuffix("IfExists")
    how, negated = _HOW.get(base, ("opaque", base in _OPAQUE_NEGATED))
    patterns = frozenset(_pattern(how, value, base) for value in line.values)
    if quantifier == "ForAllValues":
        return Predicate(line.key, True, True, negated, patterns, False)
    if quantifier == "ForAnyValue":
        return Predicate(line.key, False, False, negated, patterns, False)
    return Predicate(line.key, negated, negated or if_exists, negated, patterns, True)


@lru_cache(maxsize=16384)
def predicates_of(lines: frozenset[Line]) -> Mapping[str, tuple[Predicate, ...]]:
    """Return a condition block as predicates by key."""
    predicates: dict[str, tuple[Predicate, ...]] = {}
    for line in sorted(lines, key=lambda each: (each.key, each.operator, sorted(each.values))):
        predicates[line.key] = (*predicates.get(line.key, ()), predicate_of(line))
    return predicates


def implies_all(given: frozenset[Line], wanted: frozenset[Line]) -> bool:
    """Return True only if every request that meets the block `given` meets the block `wanted`."""
    if wanted <= given:
        return True
    predicates = predicates_of(given)
    return all(line in given or implies(predicates.get(line.key, ()), predicate_of(line)) for line in wanted)


@lru_cache(maxsize=65536)
def implies(given: tuple[Predicate, ...], wanted: Predicate) -> bool:
    """Return True only if the lines `given`, all on the key of `wanted`, cannot hold without it."""
    present = any(not predicate.absent for predicate in given)
    if wanted.absent and any(predicate.every and predicate.accepts_none for predicate in given):
        return True
    if wanted.accepts_all and (wanted.absent or present):
        return True
    for predicate in given:
        if predicate.every == wanted.every:
            settled = wanted.absent or not predicate.absent or present
        elif predicate.every:
            settled = wanted.absent or present
        else:
            # An operator without quantifier is for keys of one value, of which "some" and "every" say the same.
            settled = (predicate.single or wanted.single) and (wanted.absent or not predicate.absent or present)
        if settled and _accepts_no_more(predicate, wanted):
            return True
    return False


def excludes(given: frozenset[Line], refused: frozenset[Line]) -> bool:
    """Return True only if no request meets both blocks."""
    predicates = predicates_of(given)
    return any(
        line.key in predicates
        and all(implies(predicates[line.key], predicate) for predicate in _negation(predicate_of(line)))
        for line in refused
    )


def holds(predicate: Predicate, values: tuple[str, ...], context: Mapping[str, tuple[str, ...]]) -> bool | None:
    """Return whether the line holds for the values of its key, none meaning absent; None where it cannot be told."""
    if not values:
        return predicate.absent
    accepted = [_accepts(predicate, value, context) for value in values]
    decisive = not predicate.every
    if decisive in accepted:
        return decisive
    return None if None in accepted else predicate.every


def instance(pattern: Pattern, context: Mapping[str, tuple[str, ...]], fill: str) -> str | None:
    """Return a value that the pattern matches, with `fill` for each wildcard; None if none can be told."""
    text = resolve(pattern.text, context)
    if text is None or pattern.how == "opaque":
        return None
    return text.replace("*", fill).replace("?", fill[0]) if pattern.how in ("like", "arn") else text


def resolve(text: str, context: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the text with the values of its policy variables, or None if one of them has no single value."""
    if "${" not in text:
        return text
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        values = context.get(found[1].lower(), ())
        if len(values) != 1:
            missing = True
            return ""
        return values[0]

    resolved = _PLACEHOLDER.sub(value, text)
    return None if missing else resolved


def variables_of(text: str) -> tuple[str, ...]:
    """Return the keys that the policy variables of a resource or value name, in lower case."""
    if "${" not in text:
        return ()
    return tuple(name.lower() for name in _PLACEHOLDER.findall(text) if name not in ("*", "?", "$"))


def literal(text: str) -> str:
    """Return the text with `${*}`, `${?}` and `${$}` as the characters they stand for, kept apart from wildcards."""
    if "${" not in text:
        return text

    def character(found: re.Match[str]) -> str:
        name = found[1]
        return "$" if name == "$" else _LITERAL.get(name, found[0].lower())

    return _PLACEHOLDER.sub(character, text)


def as_sent(value: str) -> str:
    """Return a value with its literal `*` and `?` as a request would carry them."""
    return value.translate(_AS_SENT)


def _pattern(how: How, value: str, operator: str) -> Pattern:
    if how == "opaque":
        return Pattern(how, value, operator)
    text = literal(value if how in ("like", "arn") else _concrete(value))
    return Pattern(how, text.lower() if how == "folded" else text)


def _concrete(value: str) -> str:
    """Return a value without wildcards, its `*` and `?` literal, except where they name a placeholder."""
    pieces = re.split(r"(\$\{[^{}]*\})", value)
    return "".join(piece if index % 2 else piece.translate(_CONCRETE) for index, piece in enumerate(pieces))


def _is_everything(pattern: Pattern) -> bool:
    return pattern.how == "like" and bool(pattern.text) and not pattern.text.strip("*")


def _negation(predicate: Predicate) -> tuple[Predicate, ...]:
    """Return lines that together hold exactly where `predicate` does not."""
    opposite = Predicate(
        predicate.key,
        not predicate.every,
        not predicate.every,
        not predicate.negated,
        predicate.patterns,
        predicate.single,
    )
    if not predicate.every and predicate.absent:
        return opposite, Predicate(predicate.key, False, False, True, frozenset(), True)
    return (opposite,)


def _accepts_no_more(predicate: Predicate, wanted: Predicate) -> bool:
    """Return True only if every value that `predicate` accepts is one that `wanted` accepts."""
    if wanted.accepts_all or predicate.accepts_none:
        return True
    if predicate.negated:
        return wanted.negated and all(
            any(_covers(general, special) for general in predicate.patterns) for special in wanted.patterns
        )
    if wanted.negated:
        return all(_disjoint(one, other) for one in predicate.patterns for other in wanted.patterns)
    return all(any(_covers(general, special) for general in wanted.patterns) for special in predicate.patterns)


@lru_cache(maxsize=65536)
def _covers(general: Pattern, special: Pattern) -> bool:
    """Return True only if every value that `special` matches is matched by `general`."""
    if general == special or _is_everything(general):
        return True
    if "opaque" in (general.how, special.how):
        return False
    plain = not variables_of(special.text) and not wildcard.is_wild(special.text)
    if special.how == "arn" and not _is_arn(special.text):
        plain = False
    if general.how == "exact":
        return general.text == special.text and plain and (special.how != "folded" or _is_caseless(special.text))
    if general.how == "folded":
        return general.text == special.text.lower() and (plain or special.how == "exact")
    if variables_of(general.text):
        return general.text == special.text and special.how == "exact" and general.how == "like"
    if general.how == "like":
        if special.how == "folded" and not _is_caseless(special.text):
            return False
        if special.how == "arn" and not _is_arn(special.text):
            return False
        return wildcard.covers(general.text, _open(special.text))
    if special.how == "arn":
        return arn.resource_covers(general.text, special.text) is True
    return (
        plain and special.how != "folded" and _is_arn(special.text) and bool(_matches_arn(general.text, special.text))
    )


@lru_cache(maxsize=65536)
def _disjoint(one: Pattern, other: Pattern) -> bool:
    """Return True only if no value matches both."""
    if "opaque" in (one.how, other.how):
        return False
    texts = []
    for pattern in (one, other):
        short = pattern.how == "arn" and not _is_arn(pattern.text)
        texts.append("*" if short else _open(pattern.text))
    if "folded" in (one.how, other.how):
        texts = [text.lower() for text in texts]
    return not wildcard.overlaps(*texts)


def _open(text: str) -> str:
    """Return a text as a wildcard pattern in which a variable may have any value."""
    return _PLACEHOLDER.sub("*", text) if "${" in text else text


def _is_caseless(text: str) -> bool:
    return text.lower() == text.upper()


def _is_arn(text: str) -> bool:
    return text.count(":") >= _ARN_COLONS


def _matches_arn(pattern: str, value: str) -> bool | None:
    return _is_arn(value) and arn.matches_resource(pattern, value)


def _accepts(predicate: Predicate, value: str, context: Mapping[str, tuple[str, ...]]) -> bool | None:
    doubtful = False
    for pattern in predicate.patterns:
        text = resolve(pattern.text, context)
        if pattern.how == "opaque" or (text is not None and "${" in text):
            doubtful = True
        elif text is not None and _matches(pattern.how, text, value):
            return not predicate.negated
    return None if doubtful else predicate.negated


@lru_cache(maxsize=65536)
def _matches(how: How, text: str, value: str) -> bool:
    if how == "exact":
        return text == value
    if how == "folded":
        return text.lower() == value.lower()
    return wildcard.matches(text, value) if how == "like" else _matches_arn(text, value) is True
