"""What changed in the policy documents of a repository since a base, wherever they are in its files.

A document that may have changed and cannot be judged is reported as such, never as unchanged.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ekstui.core.change import Change, changes
from ekstui.core.document import Document
from ekstui.errors import DocumentError
from ekstui.sources.embedded import Embedded, before_and_after
from ekstui.sources.repository import ChangedFile, changed_files

_TRUST = ("AssumeRolePolicyDocument", "assume_role_policy")
"""The attributes with the trust policy of a role: with the role gone, it allows nothing."""

_NOTHING = Document(version="2012-10-17", id=None, statements=())
"""The other side of a document that is new or removed: it allows nothing."""


@dataclass(frozen=True, slots=True)
class ReviewedDocument:
    """A policy document that changed."""

    path: str
    place: str
    """Where in the file it is; empty for a file that is one document."""
    state: str
    """`new`, `changed` or `removed`."""
    change: Change | None
    """None if it cannot be judged."""
    reason: str = ""
    """Why it cannot be judged."""


@dataclass(frozen=True, slots=True)
class Review:
    """All policy documents that changed, and what was not read."""

    documents: tuple[ReviewedDocument, ...]
    not_read: tuple[str, ...]


def review(folder: Path, base: str, paths: tuple[str, ...] = ()) -> Review:
    """Return what changed in the documents below a folder of a git repository; InputError if git fails."""
    documents: list[ReviewedDocument] = []
    not_read: list[str] = []
    for file in changed_files(folder, base, paths):
        try:
            documents.extend(_in_file(file))
        except DocumentError as error:
            not_read.append(f"{file.path}: {error.message}")
    return Review(tuple(documents), tuple(not_read))


def _in_file(file: ChangedFile) -> Iterator[ReviewedDocument]:
    if file.unread:
        raise DocumentError(file.unread)
    old, new = before_and_after(file)
    if "" in old and not new and file.after is not None and re.search(rb"(?i)statement|\\u", file.after):
        yield ReviewedDocument(
            file.path, "", "changed", None, "it is no longer a policy document, or written otherwise"
        )
        return
    for place in sorted({*old, *new}):
        document = _reviewed(file.path, place, old, new)
        if document is not None:
            yield document


def _reviewed(
    path: str, place: str, old: Mapping[str, Embedded], new: Mapping[str, Embedded]
) -> ReviewedDocument | None:
    one, other = old.get(place), new.get(place)
    state = "changed" if one and other else "new" if other else "removed"
    if other is None and place.endswith(_TRUST):
        return None
    unknown = next((each for each in (other, one) if each is not None and each.document is None), None)
    if unknown is not None:
        return None if one == other else ReviewedDocument(path, place, state, None, unknown.reason)
    if one and other and one.condition != other.condition:
        return ReviewedDocument(path, place, state, None, "a condition of the template decides whether it exists")
    change = changes(_document(one), _document(other))
    return None if change.kind == "none" else ReviewedDocument(path, place, state, change)


def _document(side: Embedded | None) -> Document:
    return side.document if side is not None and side.document is not None else _NOTHING
