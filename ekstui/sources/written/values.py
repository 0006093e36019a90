"""Files of a repository as values: JSON, JSON with comments and YAML, with the lines where objects start.

Files come from branches of others, so everything that could take long to read has a limit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ekstui.errors import DocumentError
from ekstui.iam.document import ObjectWithRepeatedName, object_of

MOST_BYTES = 16 * 1024 * 1024
"""The largest file that is read, in bytes; a Terraform plan has a few megabytes."""

MOST_YAML = 1_000_000
"""The largest file of YAML, in bytes: the quota of a CloudFormation template. It limits how long reading takes."""

_MOST_NODES = 200_000
"""The most values in a file of YAML: nested aliases can expand a few lines to gigabytes."""


class ObjectWithLine(dict[str, Any]):
    """An object that knows the line where it starts, from 1."""

    line: int = 0


def line_of(value: object) -> int:
    """Return the line where an object starts, 0 if it is not known."""
    return value.line if isinstance(value, ObjectWithLine) else 0


def json_value(content: bytes) -> object:
    """Return the value of a JSON file, with comments and trailing commas allowed; DocumentError otherwise."""
    try:
        text = content.decode(json.detect_encoding(content), "surrogatepass")
        return json.loads(text, object_pairs_hook=json_object)
    except (ValueError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError) and (plain_text := _without_comments(text)) is not None:
            value = read_json(plain_text)
            if value is not None:
                return value
        raise DocumentError("it is not JSON") from None


def read_json(text: str) -> object:
    """Return the value of JSON text, None if it is none."""
    try:
        return json.loads(text, object_pairs_hook=json_object)
    except (ValueError, RecursionError):
        return None


def json_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; one with repeated names keeps all its elements, since any may be what changed."""
    fields = object_of(pairs)
    if isinstance(fields, ObjectWithRepeatedName):
        fields[""] = pairs
    return fields


# An end that is missing is left out, so that no text is looked at twice.
_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"?|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_LAST_COMMA = re.compile(r'"(?:\\.|[^"\\\n])*"?|,(?=\s*[}\]])', re.DOTALL)


def _without_comments(text: str) -> str | None:
    """Return JSON without comments and trailing commas; None if it has neither."""

    def kept(match: re.Match[str]) -> str:
        return match[0] if match[0][0] == '"' else " "

    plain_text = _LAST_COMMA.sub(kept, _COMMENT.sub(kept, text.lstrip("\ufeff")))
    return None if plain_text == text else plain_text


def yaml_values(content: bytes) -> Iterator[object]:
    """Yield the values of a YAML file's documents, with scalars as text but null and booleans.

    A Version is no date to IAM.
    """
    if len(content) > MOST_YAML:
        raise DocumentError(f"it is YAML of more than {MOST_YAML:,} bytes")
    try:
        import yaml
    except ImportError:
        raise DocumentError("reading YAML needs the extra `ci`") from None
    try:
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        events = yaml.parse(content.decode(encoding), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        reading = _Reading(yaml, events)
        yield from reading.documents()
    except (yaml.YAMLError, UnicodeDecodeError):
        raise DocumentError("it is not YAML") from None
    except RecursionError:
        raise DocumentError("it is nested too deep") from None


_NULLS = ("", "~", "null", "Null", "NULL")
_SWITCHES = {word: truth for truth, words in ((True, "true yes on"), (False, "false no off")) for word in words.split()}
_STANDARD = "tag:yaml.org,2002:"


class _Reading:
    """Composes values from YAML's events, and counts them, repetitions by aliases included."""

    def __init__(self, yaml: Any, events: Iterator[Any]) -> None:
        self._yaml = yaml
        self._events = events
        self._anchors: dict[str, tuple[object, int]] = {}
        self._size = 0

    def documents(self) -> Iterator[object]:
        for event in self._events:
            if isinstance(event, self._yaml.DocumentStartEvent):
                self._anchors.clear()
                yield self._value(next(self._events))

    def _value(self, event: Any) -> object:
        before = self._size
        if isinstance(event, self._yaml.AliasEvent):
            # An anchor that is still being read is a cycle.
            value, size = self._anchors.get(event.anchor, (None, _MOST_NODES))
            self._count(size)
            return value
        self._count(1)
        if isinstance(event, self._yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, self._yaml.SequenceStartEvent):
            value = self._tagged(event, list(self._until(self._yaml.SequenceEndEvent)))
        else:
            value = self._tagged(event, self._mapping(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._size - before
        return value

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > _MOST_NODES:
            raise DocumentError(f"it has more than {_MOST_NODES:,} values, repetitions by aliases included")

    def _until(self, end: Any) -> Iterator[object]:
        while not isinstance(event := next(self._events), end):
            yield self._value(event)

    def _mapping(self, event: Any) -> ObjectWithLine:
        entries = list(self._until(self._yaml.MappingEndEvent))
        fields, merged_fields = ObjectWithLine(), ObjectWithLine()
        for key, value in zip(entries[::2], entries[1::2], strict=True):
            if key == "<<":
                for mapping in value if isinstance(value, list) else [value]:
                    merged_fields = ObjectWithLine(
                        {**(mapping if isinstance(mapping, Mapping) else {}), **merged_fields}
                    )
                continue
            name = key if isinstance(key, str) else json.dumps(key)
            if name in fields:
                raise DocumentError("two of its elements have the same name")
            fields[name] = value
        if merged_fields:
            fields = ObjectWithLine({**merged_fields, **fields})
        fields.line = event.start_mark.line + 1
        return fields

    def _scalar(self, event: Any) -> object:
        text: str = event.value
        if event.tag is not None and event.tag not in ("!", f"{_STANDARD}str"):
            return self._tagged(event, text)
        if event.implicit[0] and event.tag is None:
            return None if text in _NULLS else _SWITCHES.get(text.lower(), text)
        return text

    def _tagged(self, event: Any, value: object) -> object:
        tag: str | None = event.tag
        if tag is None or tag == "!" or tag in (f"{_STANDARD}map", f"{_STANDARD}seq"):
            return value
        if tag.startswith(_STANDARD):
            raise DocumentError("it has a value with a tag of YAML's own, which is not read")
        name = tag.removeprefix("!")
        function = ObjectWithLine({name if name in ("Ref", "Condition") else f"Fn::{name}": value})
        function.line = event.start_mark.line + 1
        return function
