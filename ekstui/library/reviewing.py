"""What a change to a repository changes in the access that its files give.

A document that may have changed and cannot be judged is reported as such, never as unchanged; so is a file that may hold
one and was not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from ekstui.change.comparison import Change, changes
from ekstui.errors import DocumentError
from ekstui.iam.document import Document
from ekstui.library.gate_file import read_gate_file

if TYPE_CHECKING:
    from ekstui.sources.repository import ChangedFile
    from ekstui.sources.written import WrittenPolicy

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
class UnreadFile:
    """A changed file that may hold a policy and was not read."""

    path: str
    reason: str
    allowed_by: str = ""
    """The pattern that makes an exception of it; empty if it counts as undecided."""


@dataclass(frozen=True, slots=True)
class Review:
    """All policy documents that changed, and what was not read."""

    documents: tuple[ReviewedDocument, ...]
    unread: tuple[UnreadFile, ...]
    files: int = 0
    """How many files changed."""
    read: int = 0
    """How many of them were read; the others that are not in `unread` cannot hold a policy."""

    @property
    def not_read(self) -> tuple[UnreadFile, ...]:
        """The files that were not read, without those that are exceptions."""
        return tuple(file for file in self.unread if not file.allowed_by)

    @property
    def exceptions(self) -> tuple[UnreadFile, ...]:
        """The files that were not read and need not be."""
        return tuple(file for file in self.unread if file.allowed_by)


def review(folder: Path, base: str, paths: tuple[str, ...] = (), allow_unread: Sequence[str] = ()) -> Review:
    """Return what changed in the access that the files below a folder of a git repository give; InputError if git fails.

    Files whose path matches a pattern in `allow_unread`, or in the repository's own ekstui.toml, need not be read; `*`
    matches slashes too.
    """
    from ekstui.sources.repository import Changes  # 8 ms with what reads documents, which pins do without

    documents: list[ReviewedDocument] = []
    unread: list[UnreadFile] = []
    files = read = 0
    changed = Changes(folder, base, paths)
    patterns = (*allow_unread, *read_gate_file(changed.root).allow_unread)
    for file in changed.files():
        files += 1
        try:
            found = _in_file(file)
            if found is not None:
                read += 1
                documents += found
        except DocumentError as error:
            pattern = next((each for each in patterns if fnmatchcase(file.path, each)), "")
            unread.append(UnreadFile(file.path, error.message, pattern))
    return Review(tuple(documents), tuple(unread), files, read)


def _in_file(file: ChangedFile) -> list[ReviewedDocument] | None:
    """Return the documents of a file that changed; None for a file that cannot hold one."""
    from ekstui.sources.written.files import sides_of

    sides = sides_of(file)
    if sides is None:
        return None
    old, new = _by_place(sides.before), _by_place(sides.after)
    if "" in old and not new and file.after is not None and re.search(rb"(?i)statement|\\u", file.after):
        reason = "it is no longer a policy document, or written otherwise"
        return [ReviewedDocument(file.path, "", "changed", None, reason)]
    return list(_reviewed(file.path, old, new))


def _by_place(written: Iterable[WrittenPolicy]) -> dict[str, WrittenPolicy]:
    """Return policies by place, with a number for a further one in the same place."""
    places: dict[str, WrittenPolicy] = {}
    counts: dict[str, int] = {}
    for each in written:
        place = each.place
        while place in places:
            counts[each.place] = counts.get(each.place, 1) + 1
            place = f"{each.place} ({counts[each.place]})"
        places[place] = replace(each, place=place)
    return places


def _reviewed(
    path: str, old: Mapping[str, WrittenPolicy], new: Mapping[str, WrittenPolicy]
) -> Iterator[ReviewedDocument]:
    for place in sorted({*old, *new}):
        document = _compared(path, place, old.get(place), new.get(place))
        if document is not None:
            yield document


def _compared(path: str, place: str, one: WrittenPolicy | None, other: WrittenPolicy | None) -> ReviewedDocument | None:
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


def _document(side: WrittenPolicy | None) -> Document:
    return side.document if side is not None and side.document is not None else _NOTHING
