"""Who in the account may do an action, by the policies of its roles, users and groups."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ekstui.change.holders import parse_action
from ekstui.eks.account_snapshot import AccountSnapshot, Group, Role, User
from ekstui.eks.principals import (
    NOT_LOOKED_AT,
    TOO_LARGE,
    PrincipalsCan,
    Subject,
    by_cluster_and_use,
    principal_can,
    within_work,
)
from ekstui.eks.uses import Uses
from ekstui.iam.document import Statement
from ekstui.iam.evaluation import AppliedPolicy
from ekstui.iam.grants import statement_may_match
from ekstui.iam.text import counted
from ekstui.library.catalog import DefaultVersions
from ekstui.library.layers import layers_in_force, layers_not_seen, of_account, under_layers
from ekstui.library.library import Library
from ekstui.library.roles import managed_policies
from ekstui.sources.levels import NO_LAYERS, LayerFiles

Documents = Mapping[str, AppliedPolicy]
"""The managed policies whose documents are known, by ARN."""


def principals_can(
    library: Library, action: str, resource: str | None = None, layers: LayerFiles = NO_LAYERS
) -> PrincipalsCan:
    """Return who may do an action or pattern by the last snapshot, under the given layers or those of the settings."""
    action, snapshot = parse_action(action), library.account.last_snapshot_or_error()
    account = snapshot.identity.account
    applying = of_account(layers_in_force(layers, library, account), account, action, resource)
    uses = library.account.uses(snapshot)
    entities: list[Role | User | Group] = [*snapshot.roles, *snapshot.users, *snapshot.groups]
    documents = documents_of(entities, snapshot, library.default_versions)
    subjects = within_work(
        (under_layers(subject, applying, action, resource) for subject in _subjects(snapshot, uses, documents)), action
    )
    unseen = layers_not_seen(applying)
    answers = [answer for subject in subjects if (answer := principal_can(subject, action, resource)) is not None]
    unknown = [role.name for role in snapshot.roles if role.extent != "full"]
    unread = dict.fromkeys(name for subject in subjects for name in subject.unread)
    missing = [] if snapshot.complete else ["roles, users, groups and policies that could not be read"]
    if unknown:
        missing.append(f"the policies of {counted(len(unknown), 'role')}, which could not be read")
    missing += [f"the policy {name}, whose document could not be read" for name in unread]
    if too_large := sum(TOO_LARGE in answer.reasons for answer in answers):
        missing.append(f"what {counted(too_large, 'principal')} may do, whose policies are {TOO_LARGE} together")
    return PrincipalsCan(
        identity=snapshot.identity,
        fetched_at=snapshot.fetched_at,
        complete=snapshot.complete and not unknown and not unread,
        principals=by_cluster_and_use(answer for answer in answers if answer.verdict != "taken"),
        taken=by_cluster_and_use(answer for answer in answers if answer.verdict == "taken"),
        not_looked_at=(*missing, *(words for layer, words in NOT_LOOKED_AT.items() if layer in unseen)),
        notes=applying.notes,
    )


def documents_of(
    entities: Sequence[Role | User | Group], snapshot: AccountSnapshot, defaults: DefaultVersions
) -> Documents:
    """Return the managed policies of some roles, users and groups, boundaries included, whose documents are known."""
    return {
        arn: AppliedPolicy(policy.name, policy.version, policy.document, arn)
        for arn, policy in managed_policies(entities, snapshot, defaults).items()
        if policy.document is not None
    }


def _subjects(snapshot: AccountSnapshot, uses: Uses, documents: Documents) -> Iterator[Subject]:
    for role in snapshot.roles:
        policies, unread = policies_of((role,), documents)
        yield Subject(
            "role", role.name, role.arn, policies, unread, *boundary_of(role.boundary_arn, documents),
            used_by=uses.get(role.arn, ()) if role.arn else (),
            last_used=role.last_used,
            was_read=role.was_read,
            service_linked=role.service_linked,
            tags=(
                () if role.trust is None or any(_lets_tag(statement) for statement in role.trust.statements)
                else role.tags
            ),
        )  # fmt: skip
    groups = {group.name: group for group in snapshot.groups}
    for user in snapshot.users:
        policies, unread = policies_of((user, *(groups[name] for name in user.groups if name in groups)), documents)
        unread_groups = tuple(f"group {name}" for name in user.groups if name not in groups)
        yield Subject(
            "user", user.name, user.arn, policies, (*unread, *unread_groups), *boundary_of(user.boundary_arn, documents),
            tags=user.tags,
        )  # fmt: skip
    for group in snapshot.groups:
        policies, unread = policies_of((group,), documents)
        yield Subject("group", group.name, group.arn, policies, unread)


def _lets_tag(statement: Statement) -> bool:
    """Return whether sessions of a role with such a statement in its trust policy may have tags of their own."""
    return statement.effect == "Allow" and statement_may_match(statement, "sts:TagSession")


def policies_of(
    entities: Iterable[Role | User | Group], documents: Documents
) -> tuple[tuple[AppliedPolicy, ...], tuple[str, ...]]:
    """Return the policies of some entities, each once, and the names of those whose documents are not known."""
    policies: dict[tuple[str, str], AppliedPolicy] = {}
    unread: list[str] = []
    for entity in entities:
        for policy in entity.attached:
            if policy.arn in documents:
                policies[policy.arn, ""] = documents[policy.arn]
            else:
                unread.append(policy.name)
        for inline in entity.inline:
            if inline.document is None:
                unread.append(inline.name)
            else:
                policies[entity.name, inline.name] = AppliedPolicy(f"{inline.name} (inline)", None, inline.document)
    return tuple(policies.values()), tuple(unread)


def boundary_of(arn: str | None, documents: Documents) -> tuple[AppliedPolicy | None, bool]:
    """Return a permissions boundary, and whether there is one whose document is not known."""
    return documents.get(arn or ""), arn is not None and arn not in documents
