"""Policy documents anywhere in a JSON value, whatever kind of file it is from."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ekstui.core.document import Document, Repeated, broken_rules, parse
from ekstui.errors import DocumentError
from ekstui.sources.embedded.contents import read_json

COMPUTED = "parts of it are computed by the template"
"""Why a document that a template puts together cannot be judged."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A policy document in a file."""

    place: str
    """Where in the file, such as `aws_iam_policy.cni`; empty for a file that is one document."""
    document: Document | None
    """None if it cannot be judged."""
    reason: str = ""
    """Why it cannot be judged."""
    written: str = ""
    """The JSON of one that cannot be judged, with a checksum of what it is computed from, to detect changes."""
    condition: str = ""
    """A checksum of what decides whether it exists; empty if nothing does."""


def by_place(found: Iterable[Embedded]) -> dict[str, Embedded]:
    """Return documents by place, with a number for a further one in the same place."""
    places: dict[str, Embedded] = {}
    counts: dict[str, int] = {}
    for each in found:
        place = each.place
        while place in places:
            counts[each.place] = counts.get(each.place, 1) + 1
            place = f"{each.place} ({counts[each.place]})"
        places[place] = replace(each, place=place)
    return places


def search(value: object, place: str, *, computes: bool = False) -> Iterator[Embedded]:
    """Yield the policy documents anywhere in a JSON value, whatever their kind.

    In a template, which `computes`, what a function may yield is not known.
    """
    if isinstance(value, str):
        if hints(value) and isinstance(read := read_json(value), Mapping) and "Statement" in read:
            yield parsed(place, read)
        elif hints(value):
            yield Embedded(place, None, "it is text that seems to have a policy document", value)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from search(entry, f"{place}[{number}]", computes=computes)
    elif isinstance(value, Mapping):
        if _is_document(value):
            yield parsed(place, value)
        elif isinstance(value, Repeated):
            raise DocumentError(f"{value.name}: two elements have this name")
        elif computes and any(map(is_function, value)):
            if hints(value):
                yield Embedded(place, None, COMPUTED, json_text(value))
        else:
            for key, entry in value.items():
                yield from search(entry, f"{place} › {key}" if place else str(key), computes=computes)


def _is_document(value: Mapping[str, Any]) -> bool:
    if "Statement" not in value:
        return False
    statements = value["Statement"]
    entries = statements if isinstance(statements, list) else [statements]
    return any(isinstance(each, Mapping) and ("Effect" in each or any(map(is_function, each))) for each in entries)


def is_function(key: object) -> bool:
    """Return whether a name is that of a CloudFormation function."""
    return isinstance(key, str) and (key == "Ref" or key.startswith("Fn::"))


def hints(value: object) -> bool:
    """Return whether a value may have, or become, a policy document."""
    if isinstance(value, str):
        return ("Statement" in value and "Effect" in value) or "AWS::IAM::" in value
    if isinstance(value, Mapping):
        names = ("Statement", "PolicyDocument", "Policies", "Fn::Transform")
        return any(name in value for name in names) or any(map(hints, value.values()))
    return isinstance(value, list) and any(map(hints, value))


def parsed(place: str, value: object) -> Embedded:
    """Return the policy document that a value is, or is the text of."""
    if isinstance(value, str):
        written, value = value, read_json(value)
        if value is None:
            return Embedded(place, None, "it is not JSON", written)
    try:
        written = json_text(value)
    except (TypeError, ValueError, RecursionError):
        return Embedded(place, None, "it is not JSON", repr(value))
    if _is_computed(value):
        return Embedded(place, None, COMPUTED, written)
    try:
        document = parse(value)
        for broken in broken_rules(document):
            raise broken
    except DocumentError as error:
        return Embedded(place, None, error.message.rstrip("."), written)
    return Embedded(place, document)


def _is_computed(value: object) -> bool:
    """Return whether a value contains a function or a dynamic reference of CloudFormation."""
    if isinstance(value, Mapping):
        return any(map(is_function, map(str, value))) or any(map(_is_computed, value.values()))
    if isinstance(value, list):
        return any(map(_is_computed, value))
    return isinstance(value, str) and "{{resolve:" in value


def json_text(value: object) -> str:
    """Return a value as text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, default=str)


def checksum(text: str) -> str:
    """Return the SHA-256 of text, in hexadecimal."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
