"""What an account tells about a denied request: who made it, with which policies, and what is wrong with their role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ekstui.denial.answer import OldCopy
from ekstui.denial.purpose import Purpose
from ekstui.eks.account_snapshot import AccountSnapshot, Role
from ekstui.eks.findings.looking import table
from ekstui.eks.findings.subjects import RoleInUse
from ekstui.eks.findings.table import Finding
from ekstui.eks.uses import Uses
from ekstui.errors import NotFoundError
from ekstui.iam import arn
from ekstui.iam.request import Request
from ekstui.library.catalog import PolicyReader, default_versions, knowledge
from ekstui.library.library import Library
from ekstui.library.requester import PodOfSession, Requester, is_target, requester_of
from ekstui.library.role_purposes import old_copies, purpose_of
from ekstui.library.roles import account_context, findings_with_commands, subject_of
from ekstui.named_tuples import NamedTuple


class AccountOfCase(NamedTuple):
    """The account that an inquiry is about."""

    snapshot: AccountSnapshot
    library: Library
    principal: str | None
    """The principal that the inquiry names; None for the message's own."""
    pod: PodOfSession | None
    now: datetime

    @property
    def _uses(self) -> Uses:
        return self.library.account.uses(self.snapshot)

    def principal_assumed_by(self, request: Request) -> str | None:
        """Return the inquiry's principal if it is the role to be assumed."""
        role = self.principal
        return role if role is not None and is_target(request, role, self.snapshot) else None

    def requester(self, principal: str | None, reader: PolicyReader, *, others: bool) -> Requester | None:
        """Return the inquiry's principal with its policies; with `others` else the request's, if in the account."""
        session = arn.entity_of(principal).session
        if self.principal is not None:
            return requester_of(self.principal, session, self.snapshot, self._uses, reader, self.pod)
        if not others or principal is None or arn.split_arn(principal).account != self.snapshot.identity.account:
            return None
        try:
            return requester_of(principal, session, self.snapshot, self._uses, reader)
        except NotFoundError:
            # The role is gone or was not read; the message alone is still useful.
            return None

    def purpose_of(self, role: Role) -> Purpose | None:
        """Return what a role is for, by its uses."""
        return purpose_of(role, self.snapshot, self._uses, knowledge(), self.now)

    def findings(self, role: Role, reader: PolicyReader) -> list[Finding]:
        """Return what is wrong with a role and may be why it is denied, and the commands that fix it."""
        subject = self._subject(role, self._uses, reader)
        findings = findings_with_commands(subject, account_context(self.snapshot, self.now), self.library)
        return [
            finding for finding in findings if finding.severity == "problem" or table()[finding.code].explains_denials
        ]

    def old_copies(self, role: Role, request: Request, reader: PolicyReader) -> Iterator[OldCopy]:
        """Yield the policies of a role that are copies of older releases, if a later one helps."""
        customer_managed = [policy for policy in role.attached if not arn.is_of_aws(policy.arn)]
        if customer_managed or role.inline:
            yield from old_copies(self._subject(role, {}, reader), request)

    def _subject(self, role: Role, uses: Uses, reader: PolicyReader) -> RoleInUse:
        return subject_of(role, self.snapshot, uses, lambda arns: default_versions(arns, reader))
