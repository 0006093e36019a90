"""What changed in the policy documents of a repository since a base."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ekstui.core.change import Change, changes
from ekstui.core.document import Document, load_json, object_of
from ekstui.core.embedded import Embedded, documents_in, plan_sides
from ekstui.errors import DocumentError
from ekstui.sources.repository import MOST_BYTES, ChangedFile, changed_files

_NOTHING = Document(version="2012-10-17", id=None, statements=())
"""What is on the other side of a document that is new or gone: it allows nothing."""


@dataclass(frozen=True, slots=True)
class ReviewedDocument:
    """A policy document that changed."""

    path: str
    place: str
    """Where in the file it is; empty for a file that is one document."""
    state: str
    """`new`, `changed` or `removed`."""
    change: Change | None
    """None where it cannot be judged."""
    reason: str = ""
    """Why it cannot be judged."""


@dataclass(frozen=True, slots=True)
class Review:
    """All policy documents that changed, and what was not read."""

    documents: tuple[ReviewedDocument, ...]
    not_read: tuple[str, ...]


def review(folder: Path, base: str, paths: tuple[str, ...] = ()) -> Review:
    """Return what changed in the documents below a folder of a git repository; InputError where git cannot tell."""
    documents: list[ReviewedDocument] = []
    not_read: list[str] = []
    for file in changed_files(folder, base, paths):
        try:
            documents.extend(_in_file(file))
        except DocumentError as error:
            not_read.append(f"{file.path}: {error.message}")
    return Review(tuple(documents), tuple(not_read))


def _in_file(file: ChangedFile) -> Iterator[ReviewedDocument]:
    before, after = _value(file.path, file.before), _value(file.path, file.after)
    sides = plan_sides(after)
    old, new = sides if sides is not None else (documents_in(before), documents_in(after))
    for place in sorted({*old, *new}):
        document = _reviewed(file.path, place, old, new)
        if document is not None:
            yield document


def _reviewed(
    path: str, place: str, old: Mapping[str, Embedded], new: Mapping[str, Embedded]
) -> ReviewedDocument | None:
    one, other = old.get(place), new.get(place)
    state = "changed" if one and other else "new" if other else "removed"
    unknown = next((each for each in (other, one) if each is not None and each.document is None), None)
    if unknown is not None:
        return None if one == other else ReviewedDocument(path, place, state, None, unknown.reason)
    change = changes(_document(one), _document(other))
    return None if change.kind == "none" else ReviewedDocument(path, place, state, change)


def _document(side: Embedded | None) -> Document:
    return side.document if side is not None and side.document is not None else _NOTHING


def _value(path: str, content: bytes | None) -> object:
    """Return what a file holds, None for nothing; DocumentError for what cannot be read."""
    if content is None:
        return None
    if len(content) > MOST_BYTES:
        raise DocumentError(f"it has more than {MOST_BYTES:,} bytes")
    if not path.endswith((".yaml", ".yml", ".template")) or content.lstrip()[:1] in (b"{", b"["):
        try:
            return json.loads(content, object_pairs_hook=object_of) if path.endswith(".json") else load_json(content)
        except (ValueError, RecursionError):
            raise DocumentError("it is no JSON") from None
    return _template(content)


def _template(content: bytes) -> object:
    """Return a YAML template of CloudFormation; other YAML is no concern of ours."""
    if b"AWS::" not in content:
        return None
    try:
        import yaml
    except ImportError:
        raise DocumentError("reading a YAML template needs the extra `ci`") from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        """CloudFormation's short forms, kept as the functions that they are."""

    Loader.add_multi_constructor("!", lambda _, name, __: {f"Fn::{name}": None})
    try:
        return yaml.load(content, Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise DocumentError("it is no YAML") from None
