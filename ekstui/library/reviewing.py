"""What a change to a repository changes in the access that its files give.

A document that may have changed and cannot be judged is reported as such, never as unchanged; so is a file that may
hold one and was not read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from ekstui.change.comparison import Change
from ekstui.change.holes import changes_around, has_hole, plainly
from ekstui.change.permitted import principal_changes
from ekstui.eks.trust import trust_in_words
from ekstui.errors import InputError
from ekstui.files import MAX_STATE, read_regular
from ekstui.iam.document import Document, Statement
from ekstui.library.attached_changes import attached_changes
from ekstui.library.library import Library
from ekstui.library.needs import ReleaseNeed, release_needs
from ekstui.library.reviewed import (
    NOTHING,
    Review,
    ReviewedDocument,
    ReviewedUse,
    ReviewState,
    StatementChange,
    UnreadFile,
    plain_change,
    rights_in,
)
from ekstui.named_tuples import NamedTuple
from ekstui.sources.repository import Changes
from ekstui.sources.written import Written, WrittenAttachment, WrittenPolicy
from ekstui.sources.written.reading import read_changes


def review(
    folder: Path,
    base: str,
    paths: tuple[str, ...] = (),
    allow_unread: Sequence[str] = (),
    library: Library | None = None,
    needs: Sequence[str] = (),
) -> Review:
    """Return what changed in the access that the files below a folder of a git repository give.

    With what its policies lack for `needs`.
    """
    changes = Changes(folder, base, paths)
    gate = read_gate_file(changes.root)
    patterns = (*allow_unread, *gate.allow_unread)
    reading = read_changes(changes)

    def policies(entries: list[Written]) -> list[WrittenPolicy]:
        return [entry for entry in entries if isinstance(entry, WrittenPolicy)]

    def attachments(entries: list[Written]) -> list[WrittenAttachment]:
        return [entry for entry in entries if isinstance(entry, WrittenAttachment)]

    before, after = policies(reading.before), policies(reading.after)
    documents = [
        *(change for pair in _pairs(before, after) if (change := _reviewed_document(*pair)) is not None),
        *attached_changes((attachments(reading.before), attachments(reading.after)), (before, after), library),
    ]
    unread = tuple(
        UnreadFile(path, reason, next((pattern for pattern in patterns if fnmatchcase(path, pattern)), ""))
        for path, reason in sorted(reading.unread.items())
    )
    lacking: tuple[ReleaseNeed, ...] = ()
    if demands := (*needs, *gate.needs):
        everything = read_changes(Changes(folder, _NO_COMMIT), documents=True)
        lacking = tuple(need for need in release_needs(demands, policies(everything.after)) if need.lacks_something)
    return Review(tuple(documents), unread, reading.files, reading.read, lacking)


_NO_COMMIT = "0" * 40
"""The base that has no files."""

_GATE_FILE = "ekstui.toml"
"""The exceptions and demands of a repository's own gate, at its root."""

_GATE_KEYS = ("allow_unread", "needs")


class GateFile(NamedTuple):
    """What `ekstui review` reads from it."""

    allow_unread: tuple[str, ...] = ()
    """Patterns of paths that need not be read."""
    needs: tuple[str, ...] = ()
    """Releases whose needs the repository's policies have to meet, such as `karpenter@v1.14`."""


def read_gate_file(root: Path) -> GateFile:
    """Return the file below a repository's root, empty if there is none; InputError says what is wrong with it."""
    path = root / _GATE_FILE
    try:
        content = read_regular(path, MAX_STATE, follow=False)
        values = tomllib.loads(content.decode("utf-8-sig")) if len(content) <= MAX_STATE else {}
    except FileNotFoundError:
        return GateFile()
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{_GATE_FILE} cannot be read as TOML: {error}.") from None
    for key, value in values.items():
        if key not in _GATE_KEYS:
            raise InputError(
                f"{_GATE_FILE}: there is no setting {key!r}.", f"The settings are {' and '.join(_GATE_KEYS)}."
            )
        if not isinstance(value, list) or not all(isinstance(entry, str) and entry for entry in value):
            raise InputError(f"{_GATE_FILE}: {key} must be a list of strings.")
    return GateFile(**{key: tuple(value) for key, value in values.items()})


Pair = tuple["WrittenPolicy | None", "WrittenPolicy | None"]


def _pairs(before: Sequence[WrittenPolicy], after: Sequence[WrittenPolicy]) -> list[Pair]:
    """Return each policy with what it was: first by its place, then by where its contents or name moved to."""
    old, new = _by_place(before), _by_place(after)
    pairs: list[Pair] = [(old.pop(place), new.pop(place)) for place in [*old] if place in new]
    only_before, only_after = list(old.values()), list(new.values())
    entities = {entry.attached_to for entry in before}, {entry.attached_to for entry in after}

    def is_renamed(old_policy: WrittenPolicy, new_policy: WrittenPolicy) -> bool:
        """Return whether two policies may be one: an inline policy that moves to another role gives it to that role."""
        return old_policy.use == new_policy.use and (
            old_policy.attached_to == new_policy.attached_to
            or (
                not _moves_to_other_role(old_policy, new_policy)
                and old_policy.attached_to not in entities[1]
                and new_policy.attached_to not in entities[0]
            )
        )

    for test in _SUCCESSORS:
        for old_policy in list(only_before):
            new_policy = next(
                (
                    candidate
                    for candidate in only_after
                    if test(old_policy, candidate) and is_renamed(old_policy, candidate)
                ),
                None,
            )
            if new_policy is not None:
                only_before.remove(old_policy)
                only_after.remove(new_policy)
                pairs.append((old_policy, new_policy))
    return [
        *pairs,
        *((old_policy, None) for old_policy in only_before),
        *((None, new_policy) for new_policy in only_after),
    ]


def _moves_to_other_role(old: WrittenPolicy, new: WrittenPolicy) -> bool:
    """Return whether an inline policy moves between roles that are written as names, not as resources of the files."""
    return (
        old.attached_to != new.attached_to
        and bool(old.attached_to and new.attached_to)
        and not has_hole(old.attached_to + new.attached_to)
    )


_ALIKE = 0.5
"""The share of statements that two documents have in common if one is the other's successor."""


def _likeness(old: WrittenPolicy, new: WrittenPolicy) -> float:
    if old.document is None or new.document is None:
        return 0
    mine, theirs = set(old.document.statements), set(new.document.statements)
    return 2 * len(mine & theirs) / max(1, len(mine) + len(theirs))


def _last(place: str) -> str:
    return place.rpartition(" › ")[2]


_SUCCESSORS: tuple[Callable[[WrittenPolicy, WrittenPolicy], bool], ...] = (
    lambda old, new: old.document is not None and old.document == new.document,
    lambda old, new: bool(old.name) and (old.name, _last(old.place)) == (new.name, _last(new.place)),
    lambda old, new: bool(old.place) and old.place == new.place,
    lambda old, new: (
        bool(old.path)
        and (old.path.rpartition("/")[2], _last(old.place)) == (new.path.rpartition("/")[2], _last(new.place))
    ),
    lambda old, new: _likeness(old, new) >= _ALIKE,
)
"""What makes a policy the successor of another, surest first: document, name, place, file, most statements."""


def _by_place(policies: Sequence[WrittenPolicy]) -> dict[tuple[str, str, int], WrittenPolicy]:
    """Return policies by file and place, with a number for a further one in the same place."""
    counts: dict[tuple[str, str], int] = {}
    by_place: dict[tuple[str, str, int], WrittenPolicy] = {}
    for entry in policies:
        place = entry.path, entry.place
        counts[place] = counts.get(place, 0) + 1
        by_place[(*place, counts[place])] = entry
    return by_place


_KINDS: dict[str, ReviewedUse] = {"identity": "policy", "trust": "trust policy", "resource": "resource policy"}


def _reviewed_document(old: WrittenPolicy | None, new: WrittenPolicy | None) -> ReviewedDocument | None:
    policy = new or old
    assert policy is not None  # noqa: S101 (a pair has one at least)
    state: ReviewState = "changed" if old and new else "new" if new else "removed"
    if new is None and policy.use == "trust":
        # With the role gone, its trust policy allows nothing.
        return None

    def reviewed(
        change: Change | None, reason: str = "", statements: tuple[StatementChange, ...] = ()
    ) -> ReviewedDocument:
        line = new.line if new else 0
        rights = tuple(map(plainly, rights_in(change))) if change and policy.use == "identity" else ()
        return ReviewedDocument(
            policy.path,
            policy.place,
            state,
            change,
            plainly(reason),
            line,
            _KINDS[policy.use],
            statements,
            rights,
        )

    unknown = next((side for side in (new, old) if side is not None and side.document is None), None)
    if unknown is not None:
        is_same = old and new and (old.written, old.reason, old.condition) == (new.written, new.reason, new.condition)
        return None if is_same else reviewed(None, unknown.reason)
    if old and new and old.condition != new.condition:
        return reviewed(None, "a condition of the template decides whether it exists")
    before, after = _document(old), _document(new)
    if old and new and _moves_to_other_role(old, new):
        return reviewed(
            plain_change(
                "unknown", f"cannot tell whether wider: given to {new.attached_to} instead of {old.attached_to}"
            )
        )
    if before == after:
        return None
    change = document_changes(before, after, is_for_principals=policy.use != "identity")
    return None if change.kind == "none" else reviewed(change, "", _statements(before, after, policy.use != "identity"))


def document_changes(before: Document, after: Document, *, is_for_principals: bool) -> Change:
    """Return what differs between two documents, which may have holes or be trust or resource policies."""
    return principal_changes(before, after, trust_in_words) if is_for_principals else changes_around(before, after)


def _document(side: WrittenPolicy | None) -> Document:
    return side.document if side is not None and side.document is not None else NOTHING


def _statements(before: Document, after: Document, is_for_principals: bool) -> tuple[StatementChange, ...]:
    """Return what each statement that differs means by itself; none if there is only one."""
    only_before = [statement for statement in before.statements if statement not in after.statements]
    only_after = [
        (number, statement)
        for number, statement in enumerate(after.statements, start=1)
        if statement not in before.statements
    ]
    if len(only_before) + len(only_after) < 2 or len(only_before) + len(only_after) > _MOST_STATEMENTS:
        return ()
    changes: list[StatementChange] = []

    def compare(name: str, old: Statement | None, new: Statement | None) -> None:
        sides = (
            NOTHING._replace(statements=(statement,) if statement else (), version=after.version)
            for statement in (old, new)
        )
        changes.append(StatementChange(name, document_changes(*sides, is_for_principals=is_for_principals).reach))

    for number, new in only_after:
        old = next(
            (candidate for candidate in only_before if candidate.sid and candidate.sid == new.sid), None
        ) or next(
            (
                candidate
                for candidate in only_before
                if candidate.actions == new.actions or candidate.resources == new.resources
            ),
            None,
        )
        if old is not None:
            only_before.remove(old)
        compare(plainly(new.sid or "") or f"statement {number}", old, new)
    for old in only_before:
        compare(
            plainly(old.sid or "") or f"statement {before.statements.index(old) + 1} of before",
            old,
            None,
        )
    return tuple(changes)


_MOST_STATEMENTS = 20
"""The most statements that are compared one by one."""
