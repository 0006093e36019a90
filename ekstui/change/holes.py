"""Parts of a policy document that are not known, and what can be said about a change all the same.

A hole is a name between two characters that no policy has, in place of a value or of a part of one: what a template
computes has no value before it is applied. A hole that both documents have is one unknown value: it is judged as such.
One that only one of them has may be anything, so the change is judged for the least and for the most that it may allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final, Literal, TypeAlias

from ekstui.change.comparison import Change, changes
from ekstui.iam.condition_operators import operator
from ekstui.iam.document import Condition, Document, Statement
from ekstui.iam.grants import Reach
from ekstui.iam.text import listed
from ekstui.named_tuples import NamedTuple

_OPEN, _CLOSE = "\ue000", "\ue001"
DIGEST = "\ue002"
"""What separates a hole's name from a digest of what it is computed from."""

_IN_JSON = {ord(sign): replacement for sign, replacement in zip((*'"\\\n\r\t', _OPEN, _CLOSE), "'/   ??", strict=True)}
_HOLE = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")

PARTITION: Final = "partition"
"""The name of the hole for the partition, which is `aws` wherever it matters."""

_TAG = "aws:PrincipalTag/unknown-"
"""The condition that stands for an unknown part: a key that every action has, so that it is either met or not."""

_MOST_PARTS = 64
"""The most statements that one becomes, so that each of its parts has its own condition."""


def hole(name: str) -> str:
    """Return the text for a value that is not known; equal names are equal values, and it can stand in JSON."""
    return f"{_OPEN}{name.translate(_IN_JSON)}{_CLOSE}"


def has_hole(text: str) -> bool:
    """Return whether part of a text is not known."""
    return _OPEN in text


def is_hole(text: str) -> bool:
    """Return whether nothing of a text is known."""
    return _HOLE.fullmatch(text) is not None


def plainly(text: str) -> str:
    """Return a text with its holes as people read them: `arn:aws:s3:::<var.bucket>/*`."""
    return _HOLE.sub(lambda match: f"<{match[1].partition(DIGEST)[0]}>", text)


def without_hole_marks(text: str) -> str:
    """Return text of a file without the characters that mark a hole."""
    return text if text.isascii() else re.sub(f"[{_OPEN}{_CLOSE}{DIGEST}]", "\ufffd", text)


def with_quotes(text: str) -> str:
    """Return JSON with quotes around the holes that stand in place of whole values."""
    return re.sub(
        rf'"(?:\\.|[^"\\])*"|{_HOLE.pattern}', lambda match: match[0] if match[0][0] == '"' else f'"{match[0]}"', text
    )


def changes_around(before: Document, after: Document) -> Change:
    """Return what differs between two documents that may have holes, and what that means whatever the holes are.

    `reach` is unknown only if it depends on a hole that one of the documents lacks, or there are too many in a statement.
    """
    try:
        return _changes_around(before, after)
    except _TooManyPartsError:
        if before == after:
            return Change("none", "same", None, (), (), (), "same access", ())
        words = f"cannot tell whether wider: a statement has more than {_MOST_PARTS} unknown parts"
        return Change("actions", "unknown", None, (), (), (), words, (), "otherwise")


class _TooManyPartsError(Exception):
    """A statement has too many actions and resources that are not known for each to have its own condition."""


_Names: TypeAlias = Literal["own", "any"]
"""Which names the unknown parts of ARNs have: of each one of its own, or of each one that may be any other."""


class _Extremes(NamedTuple):
    """What differs where what only one document does not know allows the most that it may add, and the least."""

    most: Change
    least: Change


def _changes_around(before: Document, after: Document) -> Change:
    atoms = _atoms(before), _atoms(after)
    if not atoms[0] and not atoms[1]:
        return _changes(before, after)
    shared_atoms, numbers = atoms[0] & atoms[1], _Numbers()

    def judged(names: _Names) -> _Extremes:
        extremes = [
            (
                _assigned(before, _Filling(shared_atoms, numbers, names, wide=not wide)),
                _assigned(after, _Filling(shared_atoms, numbers, names, wide=wide)),
            )
            for wide in (True, False)
        ]
        most = _changes(*extremes[0])
        return _Extremes(most, most if extremes[1] == extremes[0] else _changes(*extremes[1]))

    judgements = [judged("own")]
    if _has_exceptions(before) or _has_exceptions(after):
        # What is denied on one name, or excepted, may be the very one that is not known.
        judgements.append(judged("any"))
    return _reworded(_combined(judgements, sorted(map(plainly, atoms[0] ^ atoms[1] or shared_atoms))), numbers)


def _has_exceptions(document: Document) -> bool:
    return any(
        statement.effect == "Deny" or statement.resource_element == "NotResource" for statement in document.statements
    )


_MOST_SERVICES = 200
"""A document that names fewer services lacks some: the reference has more than twice as many."""


def _changes(before: Document, after: Document) -> Change:
    """Return what differs between two documents without holes; at once where one of them allows everything."""
    everything = allows_everything(before), allows_everything(after)
    if everything == (True, True):
        return Change("none", "same", None, (), (), (), "same access: everything", ())
    if everything[0] != everything[1] and _is_limited(after if everything[0] else before):
        reach: Reach = "narrowed" if everything[0] else "widened"
        words = "no longer everything" if everything[0] else "everything: all actions on all resources"
        return Change("actions", reach, None, (), (), (), f"{reach}: {words}", ())
    return changes(before, after)


def allows_everything(document: Document) -> bool:
    """Return whether a document allows every action on every resource, and denies nothing."""
    return all(statement.effect == "Allow" for statement in document.statements) and any(
        statement.action_element == "Action"
        and statement.resource_element == "Resource"
        and not statement.conditions
        and not statement.principals
        and any(not action.strip("*:") for action in statement.actions)
        and any(not resource.strip("*") for resource in statement.resources)
        for statement in document.statements
    )


def _is_limited(document: Document) -> bool:
    """Return whether a document surely lacks something: it denies nothing, and names the services of all its actions.

    What it allows under the condition of an unknown part alone, it allows not always.
    """
    services: set[str] = set()
    for statement in document.statements:
        if statement.effect == "Allow" and any(map(_is_of_unknown_part, statement.conditions)):
            continue
        if statement.effect == "Deny" or statement.action_element == "NotAction":
            return False
        services.update(action.partition(":")[0] for action in statement.actions)
    return len(services) < _MOST_SERVICES and not any(set("*?") & set(service) for service in services)


def _is_of_unknown_part(condition: Condition) -> bool:
    return condition.operator == "StringEquals" and condition.key.startswith(_TAG)


def _combined(judgements: Sequence[_Extremes], unknown: Sequence[str]) -> Change:
    """Return one change for the most and the least that it may add, of parts with names of their own and with any."""
    most, least = judgements[0]
    may_widen = any(extremes.most.reach not in ("same", "narrowed") for extremes in judgements)
    may_narrow = any(extremes.least.reach not in ("same", "widened") for extremes in judgements)
    widens, narrows = least.reach in ("widened", "mixed"), most.reach in ("narrowed", "mixed")
    denies = most.denied if most.denied == least.denied else "otherwise"
    kind = most.kind if most.kind != "none" else least.kind
    if may_widen and may_narrow:
        if widens and narrows:
            return most._replace(kind=kind, denied=denies)
        depends = f"it depends on {listed(unknown[:3])}{f' and {len(unknown) - 3} more' if len(unknown) > 3 else ''}"
        words = (
            "widened, and cannot tell whether also narrowed"
            if widens
            else ("narrowed, and cannot tell whether also widened" if narrows else "cannot tell whether wider")
        )
        return most._replace(kind=kind, reach="unknown", denied=denies, verdict=f"{words}: {depends}")
    if may_widen:
        candidates = [change for most, least in judgements for change in (least, most)]
    else:
        candidates = [change for most, least in judgements for change in (most, least)]
    change = next((change for change in candidates if change.reach != "same"), most)
    return change._replace(kind=kind, denied=denies)


class _Numbers:
    """The number of each unknown part of a comparison, which its condition has."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def condition(self, atom: str, *, negated: bool = False) -> Condition:
        """Return the condition that an unknown part stands for."""
        number = self._numbers.setdefault(atom, len(self._numbers) + 1)
        return Condition("StringNotEquals" if negated else "StringEquals", f"{_TAG}{number}", ("yes",))

    def in_words(self, text: str) -> str:
        """Return a sentence with the parts themselves in place of their conditions."""
        by_number = {number: plainly(atom) for atom, number in self._numbers.items()}

        def part(match: re.Match[str]) -> str:
            lead = {
                "now needs the condition ": "is now limited to ",
                "no longer needs the condition ": "is no longer limited to ",
            }
            return lead.get(match[1], "") + by_number[int(match[2])]

        words = (
            r"(now needs the condition |no longer needs the condition |the condition )?" + re.escape(_TAG) + r"(\d+)"
        )
        return re.sub(words, part, text)


def _reworded(change: Change, numbers: _Numbers) -> Change:
    return change._replace(
        verdict=numbers.in_words(plainly(change.verdict)),
        notes=tuple(numbers.in_words(plainly(note)) for note in change.notes),
    )


def _atoms(document: Document) -> frozenset[str]:
    """Return the texts of a document that have holes, each of which is one unknown part; for ARNs the holes in them."""
    atoms: set[str] = set()
    for statement in document.statements:
        for text in _texts(statement):
            if has_hole(text):
                atoms.update(_HOLE.findall(_known_partition(text)) if _is_arn(text) else (text,))
    return frozenset(atoms)


def _texts(statement: Statement) -> Iterator[str]:
    yield from statement.actions
    yield from statement.resources
    for condition in statement.conditions:
        yield condition.key
        yield from (f"{condition.operator} {condition.key} {value}" for value in condition.values if has_hole(value))


def _known_partition(text: str) -> str:
    """Return an ARN whose partition is `aws`, if that is a hole."""
    return re.sub(rf"^arn:{_OPEN}[^:]*{_CLOSE}:", "arn:aws:", text)


def _is_arn(text: str) -> bool:
    """Return whether a text is an ARN of a known service, so that its holes are names or numbers in it."""
    parts = text.split(":", 5)
    return len(parts) == 6 and parts[0] == "arn" and not has_hole(parts[2]) and not is_hole(parts[5])


def _assigned(document: Document, filling: _Filling) -> Document:
    """Return a document whose shared holes are conditions or names, and whose others allow the most, or the least."""
    return document._replace(
        statements=tuple(part for statement in document.statements for part in filling.parts(statement))
    )


class _Part(NamedTuple):
    """Elements of a statement that are matched under a condition of their own."""

    texts: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()


class _Filling:
    def __init__(self, shared_atoms: frozenset[str], numbers: _Numbers, names: _Names, *, wide: bool) -> None:
        self._shared_atoms = shared_atoms
        self._numbers = numbers
        self._names = names
        self._wide = wide

    def parts(self, statement: Statement) -> Iterator[Statement]:
        """Yield the statements that one with holes becomes."""
        if not any(map(has_hole, _texts(statement))):
            yield statement
            return
        # What makes a Deny match more lets the document allow less.
        may_widen = self._wide == (statement.effect == "Allow")
        actions = list(self._parts_of(statement.actions, may_widen, negated=statement.action_element == "NotAction"))
        resources = (
            list(self._parts_of(statement.resources, may_widen, negated=statement.resource_element == "NotResource"))
            if statement.resource_element
            else [_Part(())]
        )
        conditions = [list(self._condition(condition, may_widen)) for condition in statement.conditions]
        if len(actions) * len(resources) > _MOST_PARTS:
            raise _TooManyPartsError
        for of_actions, of_resources in product(actions, resources):
            for lines in product(*conditions):
                own_conditions = tuple(line for variants in lines for line in variants)
                part = statement._replace(
                    actions=of_actions.texts,
                    resources=of_resources.texts,
                    conditions=(*of_actions.conditions, *of_resources.conditions, *own_conditions),
                )
                # What excepts nothing is everything.
                if not part.actions:
                    part = part._replace(action_element="Action", actions=("*",))
                if part.resource_element and not part.resources:
                    part = part._replace(resource_element="Resource", resources=("*",))
                yield part

    def _parts_of(self, texts: Sequence[str], wide: bool, *, negated: bool) -> Iterator[_Part]:
        plain_texts: list[str] = []
        unknown_conditions: list[Condition] = []
        for text in texts:
            filled_text = _known_partition(text)
            if not has_hole(filled_text):
                plain_texts.append(filled_text)
            elif _is_arn(filled_text) and self._shared_atoms.issuperset(_HOLE.findall(filled_text)):
                plain_texts.append(plainly(filled_text) if self._names == "own" else _pattern(filled_text))
            elif text in self._shared_atoms:
                condition = self._numbers.condition(text, negated=negated)
                if negated:
                    unknown_conditions.append(condition)
                else:
                    yield _Part((_pattern(filled_text),), (condition,))
            elif wide != negated:
                plain_texts.append(_pattern(filled_text))
        if plain_texts or negated:
            yield _Part(tuple(plain_texts), tuple(unknown_conditions))

    def _condition(self, condition: Condition, wide: bool) -> Iterator[tuple[Condition, ...]]:
        """Yield the alternatives for a condition, each of which is enough."""
        unknown_values = [value for value in condition.values if has_hole(value)]
        if not unknown_values and not has_hole(condition.key):
            yield (condition,)
            return
        by_value = _by_value(condition)
        atoms = {value: f"{condition.operator} {condition.key} {value}" for value in unknown_values}
        is_shared = self._shared_atoms.issuperset(
            [*atoms.values(), *([condition.key] if has_hole(condition.key) else [])]
        )
        if wide and not is_shared and by_value != "and":
            yield ()
        elif by_value is not None:
            known_values = tuple(value for value in condition.values if value not in atoms)
            lines = [condition._replace(values=known_values)] if known_values else []
            lines += [self._numbers.condition(atom) for atom in atoms.values() if atom in self._shared_atoms]
            if by_value == "or":
                yield from ((line,) for line in lines)
            elif wide or is_shared:
                yield tuple(lines)
        elif is_shared and condition.operator.strip().startswith("ForAllValues:") and not has_hole(condition.key):
            yield (condition._replace(values=tuple(map(plainly, condition.values))),)
        elif is_shared:
            text = f"{condition.operator} {condition.key} {' '.join(sorted(condition.values))}"
            yield (self._numbers.condition(text),)


def _by_value(condition: Condition) -> Literal["or", "and"] | None:
    """Return how a condition is put together from one for each of its values, if it can be.

    Source: IAM User Guide, "Set operators for multivalued context keys".
    """
    definition = operator(condition.operator.strip())
    if definition is None or has_hole(condition.key):
        return None
    if definition.lists_accepted:
        return "or" if definition.quantifier != "ForAllValues" else None
    return "and" if definition.negated and definition.quantifier != "ForAnyValue" else None


_ACTION = re.compile(r"(?!arn:)[A-Za-z0-9-]+:")


def _pattern(text: str) -> str:
    """Return a pattern of all that a text with holes may be."""
    return re.sub(r"\*+", "*", _HOLE.sub("*", text)) if _is_arn(text) or _ACTION.match(text) else "*"
