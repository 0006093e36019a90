"""What the pane of the attached shows: with the first answer, it is imported in the answer's thread."""

from collections.abc import Sequence
from datetime import UTC, datetime

from ekstui.eks.account_snapshot import AccountSnapshot, RoleAttachment
from ekstui.eks.use_words import use_in_words
from ekstui.errors import EkstuiError
from ekstui.iam.text import clean_line, counted
from ekstui.library.attachments import AttachedAnswer, attached
from ekstui.library.catalog import PolicyEntry
from ekstui.library.cluster_access import PrincipalInCluster, PrincipalsInClusters, principals_in_clusters
from ekstui.library.library import Library
from ekstui.library.notation import RoleSide
from ekstui.named_tuples import NamedTuple
from ekstui.present.access import principals_in_clusters_blocks
from ekstui.present.attachment_report import attached_rows, pane_columns, pane_note
from ekstui.present.rendering import rows
from ekstui.present.styled import Column, Row, Styled
from ekstui.tui.widgets.pane import rows_with, stale_rows
from ekstui.tui.widgets.rows import WHOLE_WIDTH
from ekstui.waiting import Cancelled


class AttachedEntities(NamedTuple):
    """The roles, users and groups that have an IAM policy attached."""

    answer: AttachedAnswer

    @property
    def note(self) -> str:
        """What stands in the pane's frame."""
        return pane_note(self.answer)

    def is_about(self, snapshot: AccountSnapshot) -> bool:
        """Return whether it is about an account."""
        return snapshot.identity.account == self.answer.identity.account

    def rows(self, words: Sequence[str], width: int, error: EkstuiError | None) -> tuple[list[Row], Sequence[Column]]:
        """Return the rows with all words, and their columns; without words, also why they may be out of date."""
        built = attached_rows(self.answer, datetime.now(UTC), width)
        columns = pane_columns(built, width)
        if error is not None:
            built = stale_rows(error, width) + built
        return rows_with(words, (row for row in built if row.selectable)) if words else built, columns

    def about(self, value: object) -> Styled:
        """Return a role's ARN, how it has the policy and all its uses; nothing about anything else."""
        if not isinstance(value, RoleAttachment):
            return ()
        uses = clean_line("; ".join(map(use_in_words, value.used_by))) or "no use was found"
        boundary = "  as its boundary" if "boundary" in value.attached_as else ""
        copies = "" if value.attached_as else f"  {clean_line('; '.join(value.remarks))}"
        return (
            (clean_line(value.role.arn or value.role.name), "strong"),
            (boundary or copies, "warn"),
            (f"  {uses}", ""),
        )

    def role_to_open(self, value: object) -> RoleSide | None:
        """Return the role that a row stands for."""
        return RoleSide(value.role.arn or value.role.name) if isinstance(value, RoleAttachment) else None

    def role_to_compare(self, value: object) -> RoleSide | None:
        """Return the role that can be compared with the policy."""
        return RoleSide(value.role.name) if isinstance(value, RoleAttachment) else None


class EntriesWithPolicy(NamedTuple):
    """The access entries that have an EKS access policy."""

    answer: PrincipalsInClusters

    @property
    def note(self) -> str:
        """What stands in the pane's frame."""
        return counted(len(self.answer.principals), "access entry", "access entries")

    def is_about(self, snapshot: AccountSnapshot) -> bool:  # noqa: ARG002 (read from the snapshot that is shown)
        """Return whether it is about an account."""
        return True

    def rows(self, words: Sequence[str], width: int, error: EkstuiError | None) -> tuple[list[Row], Sequence[Column]]:  # noqa: ARG002
        """Return the rows with all words, and their columns."""
        return rows_with(words, rows(principals_in_clusters_blocks(self.answer), width)), WHOLE_WIDTH

    def about(self, value: object) -> Styled:  # noqa: ARG002
        """Return nothing: a row says all of it."""
        return ()

    def role_to_open(self, value: object) -> RoleSide | None:
        """Return the role that a row stands for."""
        if isinstance(value, PrincipalInCluster) and ":role/" in value.principal:
            return RoleSide(value.principal)
        return None

    def role_to_compare(self, value: object) -> RoleSide | None:  # noqa: ARG002
        """Return the role that can be compared with the policy: an access policy is compared with no role."""
        return None


def attached_content(
    library: Library, entry: PolicyEntry, cancelled: Cancelled
) -> AttachedEntities | EntriesWithPolicy:
    """Return who has a policy attached; AccountError if the account cannot be asked."""
    if entry.access:
        return EntriesWithPolicy(principals_in_clusters(library, {entry.policy.name}, ask=False))
    return AttachedEntities(attached(library, entry.policy, cancelled))
