"""What a review finds: documents and attachments that changed, and files that were not read."""

from __future__ import annotations

from typing import Literal

from ekstui.change.comparison import Change
from ekstui.change.holes import plainly
from ekstui.iam.document import Document
from ekstui.iam.grants import Reach
from ekstui.library.needs import ReleaseNeed
from ekstui.named_tuples import NamedTuple

NOTHING = Document(version="2012-10-17", id=None, statements=())
"""The other side of what is new or removed: it allows nothing."""

ReviewState = Literal["new", "changed", "removed"]
ReviewedUse = Literal["policy", "trust policy", "resource policy", "attachment"]


class StatementChange(NamedTuple):
    """A statement that differs, and what that means for it alone."""

    name: str
    """Its Sid, or its number."""
    reach: Reach


class ReviewedDocument(NamedTuple):
    """A policy document, or what is attached to one role, that changed."""

    path: str
    place: str
    """Where in the file it is; empty for a file that is one document."""
    state: ReviewState
    change: Change | None
    """None if it cannot be judged."""
    reason: str = ""
    """Why it cannot be judged."""
    line: int = 0
    """Its line in the file as it is now, from 1; 0 if that is not known."""
    use: ReviewedUse = "policy"
    statements: tuple[StatementChange, ...] = ()
    """The statements that differ, if there are several."""
    rights: tuple[str, ...] = ()
    """What of the change can change or pass on rights: actions of iam and sts, or `everything`."""


class UnreadFile(NamedTuple):
    """A changed file that may hold a policy and was not read."""

    path: str
    reason: str
    allowed_by: str = ""
    """The pattern that makes an exception of it; empty if it counts as undecided."""


class Review(NamedTuple):
    """All policy documents that changed, and what was not read."""

    documents: tuple[ReviewedDocument, ...]
    unread: tuple[UnreadFile, ...]
    files: int = 0
    """How many files changed."""
    read: int = 0
    """How many of them were read; the others that are not in `unread` cannot hold a policy."""
    needs: tuple[ReleaseNeed, ...] = ()
    """What the repository's policies lack for the releases that were asked for; only those that lack something."""

    @property
    def not_read(self) -> tuple[UnreadFile, ...]:
        """The files that were not read, without those that are exceptions."""
        return tuple(file for file in self.unread if not file.allowed_by)

    @property
    def exceptions(self) -> tuple[UnreadFile, ...]:
        """The files that were not read and need not be."""
        return tuple(file for file in self.unread if file.allowed_by)


def rights_in(change: Change) -> tuple[str, ...]:
    """Return which actions that a change adds, or allows in more cases, can change or pass on rights."""
    if change.reach in ("same", "narrowed"):
        return ()
    if "everything" in change.verdict:
        return ("everything",)
    actions = (
        action
        for difference in (*change.added, *change.changed)
        if difference.effect == "Allow" and difference.element == "Action"
        for action in difference.actions
    )
    return tuple(
        dict.fromkeys(action for action in actions if action.lower().startswith(_RIGHTS) or action.strip("*:") == "")
    )


_RIGHTS = ("iam:", "sts:", "organizations:", "sso:", "eks:createaccessentry", "eks:associateaccesspolicy")
"""Actions that change or pass on rights start so."""


def plain_change(reach: Reach, verdict: str) -> Change:
    """Return a change that is no difference between documents."""
    return Change("scope", reach, None, (), (), (), plainly(verdict), ())
