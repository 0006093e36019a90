"""The values of HCL's expressions, and Terraform's operators and functions on them.

Source: Terraform, "Expressions" and "Built-in functions".
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from typing import Any

from ekstui.change.holes import has_hole, hole
from ekstui.named_tuples import NamedTuple

MOST_VALUES = 2_000
"""The most values that one `for` or `range` makes."""


class Unknown(NamedTuple):
    """A value that is not known before Terraform runs; equal names are equal values."""

    name: str

    @property
    def text(self) -> str:
        """The value as a hole in a text."""
        return hole(self.name)


def indexed(value: Any, path: tuple[Any, ...], name: tuple[Any, ...]) -> Any:
    """Return a part of a value; `name` is what it is called."""
    for number, part in enumerate(path):
        if isinstance(value, Unknown):
            return Unknown(value.name + "".join(map(_in_path, path[number:])))
        if isinstance(value, dict) and isinstance(part, str) and part not in value and not any(map(has_hole, value)):
            # An attribute that is optional is null.
            value = None
            continue
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return Unknown("".join([str(name[0]), *map(_in_path, (*name[1:], *path))]))
    return value


def _in_path(part: Any) -> str:
    if isinstance(part, str) and re.fullmatch(r"[\w-]+", part):
        return f".{part}"
    return f"[{part.name if isinstance(part, Unknown) else json.dumps(part, default=str)}]"


def path_name(path: tuple[Any, ...]) -> str:
    """Return a name as it is written, such as `aws_iam_role.node[0].name`."""
    return "".join([str(path[0]), *map(_in_path, path[1:])])


def as_text(value: Any) -> str:
    """Return a value as a template has it."""
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    return json.dumps(value, default=as_text) if isinstance(value, list | dict) else str(value)


def joined(pieces: list[Any]) -> str:
    """Return the text that pieces of a template make."""
    return "".join(map(as_text, pieces))


def is_known(value: Any) -> bool:
    """Return whether all of a value is known."""
    if isinstance(value, list):
        return all(map(is_known, value))
    if isinstance(value, dict):
        return all(map(is_known, value.values())) and all(map(is_known, value))
    return not isinstance(value, Unknown) and not (isinstance(value, str) and has_hole(value))


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
    "&&": lambda left, right: left and right, "||": lambda left, right: left or right,
}  # fmt: skip


def _flat(*values: Any) -> list[Any]:
    """Return lists as one; a list that is not known is one entry, which may be any number."""
    flat: list[Any] = []
    for value in values:
        if isinstance(value, list):
            flat += _flat(*value)
        else:
            flat.append(value)
    return flat


def _concat(*lists: Any) -> list[Any]:
    return [entry for part in lists for entry in (part if isinstance(part, list) else [_a_list(part)])]


def _a_list(value: Any) -> Unknown:
    if not isinstance(value, Unknown):
        raise TypeError("not a list")
    return value


def _merge(*maps: Any) -> dict[Any, Any]:
    fields: dict[Any, Any] = {}
    for mapping in maps:
        fields.update({mapping.text: mapping} if isinstance(mapping, Unknown) else mapping or {})
    return fields


def _unique(values: Any) -> list[Any]:
    unique: list[Any] = []
    for value in values if isinstance(values, list) else [_a_list(values)]:
        if value not in unique:
            unique.append(value)
    return unique


def _of_known_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of values that must all be known."""

    def call(*values: Any) -> Any:
        if not all(map(is_known, values)):
            raise ValueError("not known")
        return function(*values)

    return call


def _format(form: str, *values: Any) -> str:
    arguments = iter(values)
    text = re.sub(
        r"%(%|\[\d+\]?[svd]|[svdq])", lambda match: "%" if match[1] == "%" else as_text(next(arguments)), form
    )
    if "[" in form or re.search(r"%[^%svdq]", form):
        raise ValueError("a form that is not known")
    return text


def _join(separator: str, *lists: Any) -> str:
    return separator.join(map(as_text, _concat(*lists)))


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        raise ValueError("a regular expression")
    return text.replace(old, new)


def _lookup(table: Any, key: Any, *default: Any) -> Any:
    if (
        isinstance(key, Unknown)
        or isinstance(table, Unknown)
        or (key not in table and any(isinstance(value, Unknown) for value in table.values()))
    ):
        raise ValueError("not known")
    return table[key] if key in table else default[0]


def _coalesce(*values: Any) -> Any:
    for value in values:
        if value not in (None, "", []):
            return value
    raise ValueError("nothing")


def _one(values: Any) -> Any:
    return None if not values else values[0] if not isinstance(values, Unknown) else Unknown(f"one({values.name})")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "jsonencode": lambda value: value,
    "jsondecode": lambda value: json.loads(value) if isinstance(value, str) else value,
    "concat": _concat, "flatten": _flat, "merge": _merge, "toset": _unique, "distinct": _unique,
    "tolist": lambda value: value, "tomap": lambda value: value, "tostring": as_text, "sensitive": lambda value: value,
    "nonsensitive": lambda value: value,
    "compact": lambda values: [value for value in values if value not in (None, "")],
    "format": _format, "join": _join, "split": lambda by, text: text.split(by), "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(), "title": lambda text: text.title(), "trimspace": lambda text: text.strip(),
    "trimprefix": lambda text, part: text.removeprefix(part), "trimsuffix": lambda text, part: text.removesuffix(part),
    "trim": lambda text, signs: text.strip(signs), "chomp": lambda text: text.rstrip("\r\n"),
    "replace": _of_known_values(_replace),
    "lookup": _lookup, "element": lambda values, at: values[at % len(values)], "one": _one,
    "length": _of_known_values(len), "contains": _of_known_values(lambda values, value: value in values),
    "coalesce": _coalesce,
    "coalescelist": _coalesce, "keys": lambda table: sorted(table),
    "values": lambda table: [table[key] for key in sorted(table)],
    "zipmap": lambda keys, values: dict(zip(keys, values, strict=True)),
    "setunion": lambda *sets: _unique(_concat(*sets)),
    "setsubtract": _of_known_values(lambda left, right: [value for value in left if value not in right]),
    "setintersection": _of_known_values(lambda one, *lists: [value for value in one if all(value in text for text in lists)]),
    "formatlist": _of_known_values(lambda form, values: [_format(form, value) for value in values]),
    "sort": _of_known_values(sorted),
    "reverse": lambda values: values[::-1], "slice": lambda values, start, end: values[start:end],
    "startswith": _of_known_values(lambda text, part: text.startswith(part)),
    "endswith": _of_known_values(lambda text, part: text.endswith(part)),
    "substr": _of_known_values(lambda text, at, length: text[at:] if length < 0 else text[at : at + length]),
    "range": _of_known_values(lambda *bounds: list(range(*bounds))[:MOST_VALUES]),
    "tobool": lambda value: {"true": True, "false": False}.get(value, value),
    "tonumber": lambda value: int(value), "max": _of_known_values(max), "min": _of_known_values(min),
    "can": lambda _: True,
    "anytrue": _of_known_values(any), "alltrue": _of_known_values(all),
}  # fmt: skip
"""Terraform's functions on values that are known; any of them may raise for values that are not."""
