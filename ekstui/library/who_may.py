"""Who in the account may do something, by its last snapshot and the documents of the attached policies."""

from collections.abc import Iterable, Iterator, Mapping

from ekstui.core.account_snapshot import AccountSnapshot, Group, Role, User
from ekstui.core.evaluation import AppliedPolicy
from ekstui.core.holders import parse_action
from ekstui.core.policy import parse_version
from ekstui.core.principals import NOT_LOOKED_AT, PrincipalsCan, Subject, by_cluster_and_use, principal_can
from ekstui.core.text import counted
from ekstui.core.uses import Uses
from ekstui.library.catalog import DefaultVersions
from ekstui.library.library import Library

Documents = Mapping[str, AppliedPolicy]
"""The managed policies whose documents are known, by ARN."""


def principals_can(library: Library, action: str, resource: str | None = None) -> PrincipalsCan:
    """Return who may do an action or something under a pattern, by the account's last snapshot.

    Raises AccountError if there is no snapshot, InputError for an invalid action.
    """
    action, snapshot = parse_action(action), library.account.required()
    uses, documents = (
        library.account.uses(snapshot),
        documents_of([*snapshot.roles, *snapshot.users, *snapshot.groups], snapshot, library.default_versions),
    )
    subjects = list(_subjects(snapshot, uses, documents))
    found = [each for subject in subjects if (each := principal_can(subject, action, resource)) is not None]
    unknown = [role.name for role in snapshot.roles if role.extent != "full"]
    unread = dict.fromkeys(name for subject in subjects for name in subject.unread)
    missing = [] if snapshot.complete else ["roles, users, groups and policies that could not be read"]
    if unknown:
        missing.append(f"the policies of {counted(len(unknown), 'role')}, which could not be read")
    missing += [f"the policy {name}, whose document could not be read" for name in unread]
    return PrincipalsCan(
        identity=snapshot.identity,
        fetched_at=snapshot.fetched_at,
        complete=snapshot.complete and not unknown and not unread,
        principals=by_cluster_and_use(each for each in found if each.verdict != "taken"),
        taken=by_cluster_and_use(each for each in found if each.verdict == "taken"),
        not_looked_at=(*missing, *NOT_LOOKED_AT),
    )


def documents_of(
    holders: Iterable[Role | User | Group], snapshot: AccountSnapshot, defaults: DefaultVersions
) -> Documents:
    """Return the managed policies of some roles, users and groups, boundaries included, whose documents are known."""
    holders = tuple(holders)
    arns = {policy.arn for holder in holders for policy in holder.attached}
    arns |= {each.boundary_arn for each in holders if not isinstance(each, Group) and each.boundary_arn}
    known = {
        policy.arn: AppliedPolicy(policy.name, parse_version(policy.default_version), policy.document, policy.arn)
        for policy in snapshot.local_policies
        if policy.document is not None
    }
    for arn, default in defaults(sorted(arns)).items():
        known[arn] = AppliedPolicy(arn.rpartition("/")[2], default.number, default.document, arn)
    return known


def _subjects(snapshot: AccountSnapshot, uses: Uses, documents: Documents) -> Iterator[Subject]:
    for role in snapshot.roles:
        policies, unread = policies_of((role,), documents)
        yield Subject(
            "role", role.name, role.arn, policies, unread, *boundary_of(role.boundary_arn, documents),
            used_by=uses.get(role.arn, ()) if role.arn else (),
            last_used=role.last_used,
            service_linked=role.service_linked,
        )  # fmt: skip
    groups = {group.name: group for group in snapshot.groups}
    for user in snapshot.users:
        policies, unread = policies_of((user, *(groups[name] for name in user.groups if name in groups)), documents)
        lost = tuple(f"group {name}" for name in user.groups if name not in groups)
        yield Subject(
            "user", user.name, user.arn, policies, (*unread, *lost), *boundary_of(user.boundary_arn, documents)
        )
    for group in snapshot.groups:
        policies, unread = policies_of((group,), documents)
        yield Subject("group", group.name, group.arn, policies, unread)


def policies_of(
    holders: Iterable[Role | User | Group], documents: Documents
) -> tuple[tuple[AppliedPolicy, ...], tuple[str, ...]]:
    """Return the policies of some holders, each once, and the names of those whose documents are not known."""
    found: dict[tuple[str, str], AppliedPolicy] = {}
    unread: list[str] = []
    for holder in holders:
        for policy in holder.attached:
            if policy.arn in documents:
                found[policy.arn, ""] = documents[policy.arn]
            else:
                unread.append(policy.name)
        for inline in holder.inline:
            if inline.document is None:
                unread.append(inline.name)
            else:
                found[holder.name, inline.name] = AppliedPolicy(f"{inline.name} (inline)", None, inline.document)
    return tuple(found.values()), tuple(unread)


def boundary_of(arn: str | None, documents: Documents) -> tuple[AppliedPolicy | None, bool]:
    """Return a permissions boundary, and whether there is one whose document is not known."""
    return documents.get(arn or ""), arn is not None and arn not in documents
