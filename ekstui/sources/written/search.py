"""Policy documents anywhere in a value, whatever the kind of file."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ekstui.errors import DocumentError
from ekstui.iam.document import Repeated, broken_rules, parse
from ekstui.sources.written import WrittenPolicy
from ekstui.sources.written.values import read_json

COMPUTED = "parts of it are computed by the template"
"""Why a document that a template puts together cannot be judged."""


def search(value: object, place: str, *, computes: bool = False) -> Iterator[WrittenPolicy]:
    """Yield the policy documents anywhere in a JSON value, whatever their kind.

    In a template, which `computes`, what a function may yield is not known.
    """
    if isinstance(value, str):
        yield from _in_text(value, place)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from search(entry, f"{place}[{number}]", computes=computes)
    elif isinstance(value, Mapping):
        if is_document(value):
            yield parsed(place, value)
        elif isinstance(value, Repeated):
            raise DocumentError(f"{value.name}: two elements have this name")
        elif computes and any(map(is_function, value)):
            yield from doubtful(place, value, COMPUTED)
        else:
            for key, entry in value.items():
                yield from search(entry, f"{place} › {key}" if place else str(key), computes=computes)


def _in_text(text: str, place: str) -> Iterator[WrittenPolicy]:
    if seems_to_hold(text):
        value = read_json(text)
        if isinstance(value, Mapping) and "Statement" in value:
            yield parsed(place, value)
        else:
            yield WrittenPolicy(place, None, "it is text that seems to have a policy document", text)


def doubtful(place: str, value: object, reason: str) -> Iterator[WrittenPolicy]:
    """Yield a value that cannot be judged, if it may have a policy document."""
    if seems_to_hold(value):
        yield WrittenPolicy(place, None, reason, json_text(value))


def is_document(value: Mapping[str, Any]) -> bool:
    if "Statement" not in value:
        return False
    statements = value["Statement"]
    entries = statements if isinstance(statements, list) else [statements]
    return any(isinstance(each, Mapping) and ("Effect" in each or any(map(is_function, each))) for each in entries)


def is_function(key: object) -> bool:
    """Return whether a name is that of a CloudFormation function."""
    return isinstance(key, str) and (key == "Ref" or key.startswith("Fn::"))


def seems_to_hold(value: object) -> bool:
    """Return whether a value may have, or become, a policy document."""
    names = ("Statement", "PolicyDocument", "Policies", "Fn::Transform")

    def hints(part: object) -> bool:
        if isinstance(part, str):
            return ("Statement" in part and "Effect" in part) or "AWS::IAM::" in part
        return isinstance(part, Mapping) and any(name in part for name in names)

    return anywhere(hints, value)


def anywhere(test: Callable[[object], bool], value: object) -> bool:
    """Return whether a test holds for a JSON value, or for one inside it."""
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return test(value) or any(map(partial(anywhere, test), inside))


def parsed(place: str, value: object) -> WrittenPolicy:
    """Return the policy document that a value is, or is the text of."""
    if isinstance(value, str):
        written, value = value, read_json(value)
        if value is None:
            return WrittenPolicy(place, None, "it is not JSON", written)
    try:
        written = json_text(value)
    except (TypeError, ValueError, RecursionError):
        return WrittenPolicy(place, None, "it is not JSON", repr(value))
    if is_computed(value):
        return WrittenPolicy(place, None, COMPUTED, written)
    try:
        document = parse(value)
        for broken in broken_rules(document):
            raise broken
    except DocumentError as error:
        return WrittenPolicy(place, None, error.message.rstrip("."), written)
    return WrittenPolicy(place, document)


def is_computed(value: object) -> bool:
    """Return whether a value contains a function or a dynamic reference of CloudFormation."""

    def computes(part: object) -> bool:
        if isinstance(part, Mapping):
            return any(map(is_function, map(str, part)))
        return isinstance(part, str) and "{{resolve:" in part

    return anywhere(computes, value)


def json_text(value: object) -> str:
    """Return a value as text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, default=str)


def checksum(text: str) -> str:
    """Return the SHA-256 of text, in hexadecimal."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
