"""What a role or a policy was last used for, and its document without what provably was not used."""

from collections.abc import Callable
from datetime import datetime

from ekstui.change.comparison import changes
from ekstui.eks.account_snapshot import AccountSnapshot, LocalPolicy
from ekstui.eks.last_accessed import TRACKED_DAYS, LastAccessed, without_unused
from ekstui.errors import InputError
from ekstui.iam.document import Document
from ekstui.iam.grants import Reach
from ekstui.library.catalog import version_at
from ekstui.library.library import Library
from ekstui.library.notation import PolicyAt, RoleSide, parse_side
from ekstui.library.roles import find_role, role_side
from ekstui.named_tuples import NamedTuple
from ekstui.waiting import Cancelled, Tell, never, silent


class LessAnswer(NamedTuple):
    """A document without what was not used."""

    document: Document | None
    """None if nothing remains."""
    dropped: tuple[str, ...]
    """Action patterns as written."""
    kept: tuple[tuple[str, tuple[str, ...]], ...]
    """Patterns that stay, each with the unused actions that they match too."""
    reach: Reach
    """Of the change; never wider."""


class UsedAnswer(NamedTuple):
    """What a role or a policy was last used for."""

    name: str
    """As `role:NAME`, or the policy's name."""
    report: LastAccessed
    account: str
    days: int
    tracked_days: int
    created: datetime | None
    """When the role was made, if known; use can be known only since then."""
    less: LessAnswer | None = None


def used_answer(
    library: Library,
    text: str,
    days: int = 90,
    *,
    less: bool = False,
    progress: Tell = silent,
    cancelled: Cancelled = never,
) -> UsedAnswer:
    """Return what `role:NAME` or a policy was last used for, by IAM; with `less` the narrower document too."""
    if not 0 < days <= TRACKED_DAYS:
        raise InputError(
            f"IAM tracks the last {TRACKED_DAYS} days, and {days} are asked about.", "For example: --days 90."
        )
    snapshot = library.account.last_snapshot_or_error()
    target = _target_of(library, text, snapshot)
    report = library.account.last_accessed(target.arn, progress, cancelled)
    answer = UsedAnswer(target.name, report, snapshot.identity.account, days, TRACKED_DAYS, target.created)
    return answer._replace(less=_less(target.document(), report, days)) if less else answer


class _Target(NamedTuple):
    """A role or a policy whose use is asked about."""

    name: str
    arn: str
    created: datetime | None
    document: Callable[[], Document]
    """Returns its document, of a role that of all its policies; InputError if that could not be read."""


def _target_of(library: Library, text: str, snapshot: AccountSnapshot) -> _Target:
    """Return what a text names; InputError for anything but a role or a policy."""
    side = parse_side(text)
    if isinstance(side, RoleSide):
        role = find_role(side.name, snapshot)
        if role.arn is None:
            raise InputError(f"The ARN of role {role.name} is not known: its path could not be read.")
        return _Target(
            f"role:{role.name}",
            role.arn,
            role.created,
            lambda: role_side(role.name, snapshot, library.default_versions).document,
        )
    if not isinstance(side, PolicyAt):
        raise InputError(f"{text} is neither a policy nor a role.", "Name role:NAME or a policy.")
    if (local_policy := _customer_managed(library, side.name, snapshot)) is not None:
        return _Target(local_policy.name, local_policy.arn, None, lambda: _own_document(local_policy))
    of_partition = library.in_partition(snapshot.identity.partition)
    policy = of_partition.find(side.name).policy
    return _Target(policy.name, policy.arn, None, lambda: of_partition.document(policy, version_at(policy, side)))


def _customer_managed(library: Library, name: str, snapshot: AccountSnapshot) -> LocalPolicy | None:
    """Return the account's own policy of an ARN, or of a name that AWS has no policy of."""
    for policy in snapshot.local_policies:
        if policy.arn == name or (policy.name == name and name not in library.ask(lambda reader: set(reader.names()))):
            return policy
    return None


def _own_document(policy: LocalPolicy) -> Document:
    if policy.document is None:
        raise InputError(f"The document of {policy.name} could not be read.")
    return policy.document


def _less(document: Document, report: LastAccessed, days: int) -> LessAnswer:
    """Return a document without what was not used; InputError if it cannot be proven to allow no more."""
    less = without_unused(document, report, days)
    remaining = less.trimmed.document
    if not any(statement.effect == "Allow" for statement in remaining.statements):
        return LessAnswer(None, less.trimmed.dropped, less.kept, "narrowed")
    return LessAnswer(remaining, less.trimmed.dropped, less.kept, proven_narrower(document, remaining))


def proven_narrower(before: Document, after: Document) -> Reach:
    """Return the reach of a change that allows no more; InputError if that cannot be proven."""
    reach = changes(before, after).reach
    if reach not in ("same", "narrowed"):
        raise InputError("It cannot be proven that the document allows no more without what was not used.")
    return reach
