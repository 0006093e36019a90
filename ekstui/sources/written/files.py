"""The access that a changed file gives, before and after its change, by the format of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ekstui.errors import DocumentError
from ekstui.sources.repository import ChangedFile
from ekstui.sources.written import WrittenPolicy
from ekstui.sources.written.cloudformation import is_template, of_template
from ekstui.sources.written.plan import is_plan, plan_sides
from ekstui.sources.written.search import is_document, parsed, search
from ekstui.sources.written.sorting import has_reader, is_known_not_to_hold, mentions_access, why_not_read
from ekstui.sources.written.values import MOST_BYTES, json_value, yaml_values


class Sides(NamedTuple):
    """What a file gives before and after."""

    before: list[WrittenPolicy]
    after: list[WrittenPolicy]


def sides_of(file: ChangedFile) -> Sides | None:
    """Return what a changed file gives on both sides; None if it cannot hold a policy.

    Raises DocumentError, with the reason, if it may hold one and cannot be read.
    """
    if file.unread:
        if is_known_not_to_hold(file.path):
            return None
        raise DocumentError(file.unread)
    contents = file.before, file.after
    if file.before == file.after and not has_reader(file.path):
        return None
    if any(content is not None and len(content) > MOST_BYTES for content in contents):
        raise DocumentError(f"it has more than {MOST_BYTES:,} bytes")
    if not has_reader(file.path) and not any(map(_is_json, contents)):
        if reason := why_not_read(file.path, contents):
            raise DocumentError(reason)
        return None
    if not any(map(mentions_access, contents)):
        return None
    try:
        before, after = (_values(file.path, content) for content in contents)
        if len(after) == 1 and is_plan(after[0]):
            return Sides(*plan_sides(after[0]))
        # A plan that is gone, or was replaced, applied to a state of its own.
        return Sides([] if len(before) == 1 and is_plan(before[0]) else list(_written(before)), list(_written(after)))
    except RecursionError:
        raise DocumentError("it is nested too deep") from None
    except DocumentError as error:
        raise DocumentError(error.message if has_reader(file.path) else why_not_read(file.path, contents)) from None


def _is_json(content: bytes | None) -> bool:
    return content is not None and content.lstrip()[:1] in (b"{", b"[")


def _values(path: str, content: bytes | None) -> list[object]:
    """Return the values in a file, one unless it has several documents of YAML; none if it is absent or holds no policy."""
    if content is None or not mentions_access(content):
        return []
    try:
        return [json_value(content)]
    except DocumentError:
        if path.lower().endswith((".json", ".jsonc")) or not has_reader(path):
            raise
    if b"{{" in content:
        raise DocumentError("it is a template, such as Helm's, and seems to give access")
    return list(yaml_values(content))


def _written(values: list[object]) -> Iterator[WrittenPolicy]:
    for value in values:
        if isinstance(value, Mapping) and is_document(value):
            yield parsed("", value)
        elif is_template(value):
            yield from of_template(value)
        else:
            yield from search(value, "")
