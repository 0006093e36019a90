"""Who has a policy attached in the account, or in all accounts of an organisation, and what of EKS uses them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.change.policy import Policy, name_in, version_label
from ekstui.eks.account_snapshot import (
    NOT_IN_CONFIG,
    AccountSnapshot,
    Attachments,
    CallerIdentity,
    Group,
    OrganisationAnswer,
    Role,
    RoleAttachment,
    User,
    in_partition,
    managed_arns,
)
from ekstui.eks.uses import attachments_with_uses, uses_in, uses_running
from ekstui.errors import AccountError, InputError
from ekstui.iam.arn import is_of_aws
from ekstui.library.catalog import is_own, own_policy
from ekstui.named_tuples import NamedTuple
from ekstui.sources.aws.aggregator import read_attachments
from ekstui.sources.aws.failures import account_error, failures
from ekstui.sources.aws.iam import read_identity
from ekstui.waiting import Cancelled, never

if TYPE_CHECKING:
    from ekstui.library.library import Library
    from ekstui.library.own_account import Account


class AttachedAnswer(NamedTuple):
    """Who has a policy attached, in which account, and as of when."""

    identity: CallerIdentity
    fetched_at: datetime
    attachments: Attachments
    copies: tuple[RoleAttachment, ...] = ()
    """The roles that have a customer managed policy like it instead, with a remark on each copy; for AWS's policies."""

    @property
    def complete(self) -> bool:
        """Whether everything is known: who has it attached, and what uses the roles among them."""
        attachments = self.attachments
        return attachments.complete and (attachments.uses_complete or not attachments.roles)


def attached(library: Library, policy: Policy | str, cancelled: Cancelled = never) -> AttachedAnswer:
    """Return who has a policy attached by the newest snapshot.

    By IAM if reading the account is denied; AccountError if neither tells.
    """
    if isinstance(policy, str) and not is_own(policy):
        policy = library.find(policy).policy
    if isinstance(policy, Policy) and policy.home:
        return _roles_running(library.account, policy)
    account = library.account
    snapshot = account.last_snapshot_or_error()
    arn = _arn_in_account(policy if isinstance(policy, str) else policy.arn, snapshot)
    is_denied = any(error.source == "roles" and error.kind == "denied" for error in snapshot.errors)
    if is_denied and not snapshot.complete and not account.choice.offline:
        attachments = _asked_alone(account, snapshot, arn, cancelled)
    else:
        attachments = attachments_with_uses(snapshot, arn, account.uses(snapshot))
    if not attachments.complete and not (
        attachments.roles or attachments.users or attachments.groups or snapshot.roles
    ):
        read_error = next((error for error in attachments.errors if error.source in ("roles", "entities")), None)
        if read_error is not None:
            raise AccountError(read_error.message, read_error.advice)
    copies = _copies(library, policy, snapshot) if isinstance(policy, Policy) else ()
    return AttachedAnswer(snapshot.identity, snapshot.fetched_at, attachments, copies)


def _arn_in_account(policy_arn: str, snapshot: AccountSnapshot) -> str:
    """Return a policy's ARN in the account's partition.

    InputError for another account's, NotFoundError for one that is gone.
    """
    identity = snapshot.identity
    arn = in_partition(policy_arn, identity.partition)
    owner = arn.split(":", 5)[4]
    if owner not in ("aws", identity.account):
        raise InputError(f"{policy_arn} is not a policy of account {identity.account} or of AWS.")
    if owner == identity.account and snapshot.complete:
        own_policy(arn, snapshot)
    return arn


def _roles_running(account: Account, policy: Policy) -> AttachedAnswer:
    """Return the roles that run a controller, or that have a copy of its policy."""
    from ekstui.library.copies import copies_on
    from ekstui.library.roles import subjects_of

    snapshot = account.last_snapshot_or_error()
    uses, component = account.uses(snapshot), policy.name.partition("/")[0]
    roles: list[RoleAttachment] = []
    for subject in subjects_of(snapshot.roles, snapshot, uses, lambda _: {}):
        if subject.role.service_linked:
            continue
        running = uses_running(policy.name, subject.uses)
        copies = [copy.copy for copy in copies_on(subject) if copy.copy.original.name.partition("/")[0] == component]
        if not running and not copies:
            continue
        remarks = tuple(
            f"{copy.local.name} is like {copy.original.name} {version_label(copy.version)} ({copy.nearness:.0%})"
            for copy in copies
        )
        roles.append(RoleAttachment(subject.role, ("permissions",), running or subject.uses, remarks))
    errors = tuple(error for error in snapshot.errors if error.source not in ("counts", "simulation"))
    unseen = "service accounts with other names, and policies that share few actions with it"
    attachments = Attachments(
        policy.arn,
        tuple(sorted(roles, key=lambda entry: entry.role.name.lower())),
        complete=snapshot.complete,
        uses_complete=snapshot.eks is not None and not errors,
        not_looked_at=(unseen, *snapshot.not_looked_at),
        errors=errors,
    )
    return AttachedAnswer(snapshot.identity, snapshot.fetched_at, attachments)


def _copies(library: Library, policy: Policy, snapshot: AccountSnapshot) -> tuple[RoleAttachment, ...]:
    """Return the roles that have a customer managed policy which looks like a copy of this one."""
    from ekstui.library.copies import copies_of, originals_of

    documents = {info.number: library.document(policy, info.number) for info in policy.versions}
    copies = {
        copy.local.arn: f"the account's own {copy.local.name} is like AWS's v{copy.version} ({copy.nearness:.0%})"
        for copy in copies_of(snapshot.local_policies, originals_of([(policy, documents)]))
    }
    uses = library.account.uses(snapshot)
    remarks_by_role = (
        (role, [copies[entry.arn] for entry in role.attached if entry.arn in copies]) for role in snapshot.roles
    )
    return tuple(
        RoleAttachment(role, (), uses.get(role.arn or "", ()), tuple(remarks))
        for role, remarks in remarks_by_role
        if remarks
    )


def attached_names(snapshot: AccountSnapshot) -> Counter[str]:
    """Return the names of the AWS managed policies in the account, with how many roles, users and groups have each."""
    entities: tuple[Role | User | Group, ...] = (*snapshot.roles, *snapshot.users, *snapshot.groups)
    counts: Counter[str] = Counter()
    for entity in entities:
        counts.update(name_in(arn) for arn in managed_arns(entity) if is_of_aws(arn))
    return counts


def _asked_alone(account: Account, snapshot: AccountSnapshot, arn: str, cancelled: Cancelled) -> Attachments:
    attachments = account.attachments(arn, cancelled)
    uses = uses_in(snapshot._replace(roles=tuple(entry.role for entry in attachments.roles)))
    known_attachments = attachments_with_uses(snapshot, arn, uses)
    roles = [entry._replace(used_by=uses.get(entry.role.arn or "", ())) for entry in attachments.roles]
    # IAM counts attachments in another call; if that finds some, an empty list does not prove that there are none.
    is_contradicted = arn in (snapshot.counts or {}) and not (
        attachments.roles or attachments.users or attachments.groups
    )
    by_profile = [cluster.name for cluster in snapshot.clusters if cluster.nodes]
    unseen = (f"instance profiles, which name the roles of nodes of {', '.join(by_profile)}",) if by_profile else ()
    return known_attachments._replace(
        roles=tuple(sorted(roles, key=lambda entry: entry.role.name.lower())),
        users=attachments.users,
        groups=attachments.groups,
        complete=attachments.complete and not is_contradicted,
        uses_complete=known_attachments.uses_complete and not unseen,
        not_looked_at=(*known_attachments.not_looked_at, *unseen),
        errors=(*known_attachments.errors, *attachments.errors),
    )


def attached_everywhere(library: Library, policy: Policy, aggregator: str) -> OrganisationAnswer:
    """Return who has the policy attached in every account of an aggregator of AWS Config.

    NotFoundError for an unknown aggregator.
    """
    account = library.account
    if not account.choice.asks_aws and not account.choice.demo:
        raise AccountError("AWS Config has to be asked for an aggregator.", "Leave out --offline and --account-file.")
    connection = account.connection()
    try:
        identity = read_identity(connection)
    except failures() as error:
        raise account_error(error, "identity", "sts:GetCallerIdentity", connection.profile) from None
    arn = in_partition(policy.arn, identity.partition)
    attachments, errors = read_attachments(connection, aggregator, arn)
    if errors and not attachments:
        raise AccountError(errors[0].message, errors[0].advice)
    return OrganisationAnswer(identity, aggregator, arn, attachments, not errors, NOT_IN_CONFIG, errors)
