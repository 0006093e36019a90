"""Roles and other principals of the account: their policies and uses, findings, copies of published policies, what they may do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ekstui.change.comparison import Change, changes
from ekstui.change.holders import parse_action
from ekstui.change.policy import Policy, parse_version, version_label
from ekstui.eks.account_snapshot import AccountSnapshot, CallerIdentity, Group, LocalPolicy, Role, User
from ekstui.eks.commands import Command
from ekstui.eks.findings.looking import findings_of_role, fixing_commands
from ekstui.eks.findings.subjects import AccountContext, RoleInUse, RolePolicy
from ekstui.eks.findings.table import Finding, FixPlace
from ekstui.eks.pod_credentials import PodsWithRole, pods_with_role
from ekstui.eks.principals import NOT_LOOKED_AT, PrincipalsCan, Subject, by_cluster_and_use, principal_can
from ekstui.eks.published import ComponentVersion, policy_of, values_in
from ekstui.eks.unseen import unseen_uses
from ekstui.eks.uses import Uses, uses_in
from ekstui.errors import InputError, NotFoundError
from ekstui.iam.access_levels import SumAccess, sum_access
from ekstui.iam.document import Document, Statement
from ekstui.iam.evaluation import AppliedPolicy
from ekstui.iam.grants import Target, grants, merged_document, statement_may_match
from ekstui.iam.text import counted
from ekstui.iam.trust import trust_in_words
from ekstui.library.catalog import (
    ComparedSide,
    DefaultVersions,
    PolicyReader,
    knowledge,
    not_found,
    parse_stored,
)
from ekstui.library.layers import ceilings, layers_in_settings, not_looked_at, of_account, of_role, under_layers
from ekstui.library.library import Library
from ekstui.sources.levels import NO_LAYERS, LayerFiles
from ekstui.sources.shipped import components

ENOUGH_OVERLAP = 0.8
"""The share of common actions from which one document counts as a copy of the other."""

ENOUGH_ACTIONS = 4
"""The fewest common actions of a copy: small policies are alike by chance."""


@dataclass(frozen=True, slots=True)
class Original:
    """A version of a policy that may have been copied."""

    policy: Policy
    version: int
    document: Document
    """With a controller's parameters left open."""
    template: ComponentVersion | None = None
    """The template whose parameters are left open; None if it has none."""

    def filled(self, copy: Document) -> Document:
        """Return the document with the values of the parameters that a copy has."""
        template = self.template
        return template.document(template.named(values_in(template, copy))) if template else self.document


@dataclass(frozen=True, slots=True)
class Copy:
    """A customer managed policy, and the published policy that it looks like a copy of."""

    local: LocalPolicy
    original: Policy
    version: int
    """The version that it is most like, the newest of several."""
    overlap: float
    """The actions that both have, divided by all actions of either."""
    same_name: bool
    nearness: float = 1.0
    """The same for grants, resources and conditions included."""


@dataclass(frozen=True, slots=True)
class CopyAnswer:
    """A copy, and the change from it to the original's default version."""

    copy: Copy
    change: Change

    def comparison(self, role: str) -> Command:
        """Return the command that compares the copy, or of an inline one the role's policies, with the original's default version."""
        original = self.copy.original
        newest = f"{original.name}@{version_label(original.default_version)}"
        return Command(("ekstui", "diff", self.copy.local.arn or f"role:{role}", newest), "compares them")


@dataclass(frozen=True, slots=True)
class RoleAnswer:
    """A role, and the account and time that it was read from."""

    identity: CallerIdentity
    fetched_at: datetime
    subject: RoleInUse
    trust: tuple[str, ...]
    """Who may assume it, a sentence each."""
    findings: tuple[Finding, ...]
    access: SumAccess
    """What its policies permit together within its boundary, as far as they could be read."""
    complete: bool
    """Whether all roles, and everything about the uses of this one, could be read."""
    copies: tuple[CopyAnswer, ...] = ()
    """Which of its policies started as a copy of AWS's or of a controller's policy."""
    within: tuple[str, ...] = ()
    """The further layers that `access` lies within, by name."""
    pods: tuple[PodsWithRole, ...] | None = None
    """The pods that have its credentials; None if no cluster's pods were read."""


def role_answer(library: Library, name: str, layers: LayerFiles = NO_LAYERS) -> RoleAnswer:
    """Return a role of the last snapshot by name or ARN, and what it may do under the given layers, or those of the settings.

    Raises NotFoundError with the nearest names, AccountError without a snapshot, InputError for a layer that cannot be read.
    """
    snapshot = library.account.last_snapshot_or_error()
    role = find_role(name, snapshot)
    (subject,) = subjects_of([role], snapshot, uses_in(snapshot), library.default_versions)
    account = snapshot.identity.account
    in_force = layers if any(map(any, layers)) else layers_in_settings(library, account)
    above = () if role.service_linked else tuple(ceilings(of_role(in_force, role.arn, account)))
    return RoleAnswer(
        snapshot.identity,
        snapshot.fetched_at,
        subject,
        trust_in_words(role.trust, snapshot.identity.account),
        findings_with_commands(subject, account_context(snapshot, datetime.now(UTC)), library),
        sum_access(
            [policy.document for policy in subject.policies if policy.document is not None],
            subject.boundary.document if subject.boundary else None,
            [merged_document(policy.document for policy in ceiling.policies) for ceiling in above],
        ),
        snapshot.complete and not subject.unseen,
        _all_copies_on(subject, library, snapshot.identity.partition),
        tuple(ceiling.name for ceiling in above),
        pods_with_role(role.arn, snapshot.eks.clusters if snapshot.eks else ()),
    )


def findings_with_commands(subject: RoleInUse, account: AccountContext, library: Library) -> tuple[Finding, ...]:
    """Return the findings about a role, worst first, each with the commands that fix it."""
    return tuple(
        with_commands(
            finding,
            FixPlace(
                subject.role.arn or "",
                subject.role,
                account.cluster(finding.uses[0]) if finding.uses else None,
                account,
            ),
            library,
        )
        for finding in findings_of_role(subject, account)
    )


def with_commands(finding: Finding, place: FixPlace, library: Library) -> Finding:
    """Return a finding with the commands that fix it."""
    paths = {name: library.find(name).policy.path for name in finding.policies}
    arns = {name: f"arn:{place.account.partition}:iam::aws:policy{path}{name}" for name, path in paths.items()}
    commands = fixing_commands(finding, place, arns)
    return replace(finding, commands=commands) if commands else finding


def role_side(name: str, snapshot: AccountSnapshot, defaults: DefaultVersions) -> ComparedSide:
    """Return all policies of a role as one document; InputError if a part of it could not be read.

    The boundary is not included, since it grants nothing; the label names it.
    """
    role = find_role(name, snapshot)
    (subject,) = subjects_of([role], snapshot, {}, defaults)
    unread = [policy.name for policy in subject.policies if policy.document is None]
    if unread or not subject.known_whole:
        what = f"{', '.join(unread)} of role {role.name}" if unread else f"What role {role.name} has attached"
        raise InputError(f"{what} could not be read, so the role cannot be compared as a whole.")
    label = f"role:{role.name}" + (f" (before its boundary {subject.boundary.name})" if subject.boundary else "")
    return ComparedSide(label, merged_document(policy.document for policy in subject.policies if policy.document))


def role_values(name: str, snapshot: AccountSnapshot) -> dict[str, str]:
    """Return a controller's parameters as far as its role determines them: partition, account, region and cluster."""
    role = find_role(name, snapshot)
    uses = uses_in(snapshot).get(role.arn or "", ())
    clusters = {use.cluster for use in uses if use.cluster}
    regions = {use.region for use in uses if use.region}
    return cluster_values(
        clusters.pop() if len(clusters) == 1 else None, regions.pop() if len(regions) == 1 else None, snapshot.identity
    )


def cluster_values(cluster: str | None, region: str | None, identity: CallerIdentity) -> dict[str, str]:
    """Return a controller's parameters as far as an account and a cluster determine them, as all projects call them."""
    values = {
        ("AWS::Partition",): identity.partition,
        ("AWS::AccountId", "YOUR_AWS_ACCOUNT_ID"): identity.account,
        ("ClusterName", "CLUSTER_NAME"): cluster,
        ("AWS::Region", "YOUR_CLUSTER_AWS_REGION"): region,
    }
    return {name: value for names, value in values.items() if value is not None for name in names}


def find_role(name: str, snapshot: AccountSnapshot) -> Role:
    """Return the role of a name, whatever its case, or an ARN; NotFoundError with the nearest names."""
    wanted = name.casefold()
    for role in snapshot.roles:
        if role.arn == name or role.name.casefold() == wanted:
            return role
    account, failed = f"account {snapshot.identity.account}", ""
    if not snapshot.complete:
        account = f"the part of {account} that was read"
        failed = next(
            (f"{error.message} {error.next_step}" for error in snapshot.errors if error.source == "roles"), ""
        )
    error = not_found(f"There is no role {name!r} in {account}.", name, (role.name for role in snapshot.roles))
    raise NotFoundError(error.message, error.nearest, f"{error.next_step} {failed}".strip())


def subjects_of(
    roles: Sequence[Role], snapshot: AccountSnapshot, uses: Uses, defaults: DefaultVersions
) -> tuple[RoleInUse, ...]:
    """Return roles with the documents of all their policies and with every use of them."""
    managed = _managed_policies(roles, snapshot, defaults)
    return tuple(
        RoleInUse(
            role=role,
            policies=(
                *(managed[policy.arn] for policy in role.attached),
                *(RolePolicy(policy.name, None, None, policy.document) for policy in role.inline),
            ),
            boundary=managed[role.boundary_arn] if role.boundary_arn else None,
            uses=uses.get(role.arn, ()) if role.arn else (),
            unseen=unseen_uses(role, snapshot),
        )
        for role in roles
    )


def account_context(snapshot: AccountSnapshot, now: datetime) -> AccountContext:
    """Return what findings consider besides their subject."""
    arns = [*(role.arn for role in snapshot.roles), *(user.arn for user in snapshot.users)]
    principals = frozenset(arn for arn in arns if arn is not None)
    return AccountContext(
        now,
        knowledge(),
        snapshot.eks,
        snapshot.oidc_providers,
        snapshot.identity.account,
        snapshot.identity.partition,
        principals if snapshot.complete else None,
        components(),
    )


def _managed_policies(
    holders: Sequence[Role | User | Group], snapshot: AccountSnapshot, defaults: DefaultVersions
) -> Mapping[str, RolePolicy]:
    """Return the managed policies of some roles, users and groups by ARN, boundaries included."""
    arns = {policy.arn for holder in holders for policy in holder.attached}
    arns |= {holder.boundary_arn for holder in holders if not isinstance(holder, Group) and holder.boundary_arn}
    policies = {arn: RolePolicy(arn.rsplit("/", 1)[-1], arn, None, None) for arn in arns}
    for own in snapshot.local_policies:
        if own.arn in arns:
            policies[own.arn] = RolePolicy(own.name, own.arn, parse_version(own.default_version), own.document)
    for arn, default in defaults(sorted(arns)).items():
        policies[arn] = replace(
            policies[arn], version=default.number, document=default.document, created=default.created
        )
    return policies


def originals_of(histories: Iterable[tuple[Policy, Mapping[int, Document]]]) -> tuple[Original, ...]:
    """Return the versions of AWS's policies, newest first; the documents are by version."""
    return tuple(
        Original(policy, number, document)
        for policy, documents in histories
        for number, document in sorted(documents.items(), reverse=True)
    )


def copies_of(local_policies: Iterable[LocalPolicy], originals: Iterable[Original]) -> tuple[Copy, ...]:
    """Return the policies that are copies, each with the original it is most like.

    A policy of the same name is a copy however it differs; any other needs ENOUGH_OVERLAP and ENOUGH_ACTIONS.
    """
    targets_of = [(original, frozenset(grants(original.document))) for original in originals]
    copies = (_copy(local, targets_of) for local in local_policies)
    return tuple(copy for copy in copies if copy is not None)


def _copy(local: LocalPolicy, originals: list[tuple[Original, frozenset[Target]]]) -> Copy | None:
    if local.document is None:
        return None
    own = frozenset(grants(local.document))
    likely: list[tuple[tuple[bool, float], Original]] = []
    for original, targets in originals:
        common = len(own & targets)
        overlap = common / len(own | targets) if own or targets else 0.0
        same_name = original.policy.name == local.name
        if same_name or (overlap >= ENOUGH_OVERLAP and common >= ENOUGH_ACTIONS):
            likely.append(((same_name, overlap), original))
    if not likely:
        return None
    # Resources and conditions are compared only if the actions leave a choice.
    same_name, overlap = top = max(rank for rank, _ in likely)
    choice = [original for rank, original in likely if rank == top]
    alike = [_likeness(local.document, original.filled(local.document)) for original in choice]
    likeness = max(alike)
    best = choice[alike.index(likeness)]
    return Copy(local, best.policy, best.version, overlap, same_name, likeness[0])


def _likeness(one: Document, other: Document) -> tuple[float, bool]:
    """Return the share of grants that two documents have in common, and whether they are written the same way."""
    own, theirs = (
        {(target, extent) for target, extents in grants(document).items() for extent in extents}
        for document in (one, other)
    )
    return len(own & theirs) / len(own | theirs) if own or theirs else 1.0, one.statements == other.statements


def copies_in(library: Library) -> tuple[CopyAnswer, ...]:
    """Return the copies in the last snapshot: of EKS policies, of AWS policies with the same name, of controllers' policies."""
    snapshot = library.account.last_snapshot_or_error()
    place = library.in_partition(snapshot.identity.partition)
    names = [policy.name for policy in snapshot.local_policies]
    originals = place.ask(lambda reader: originals_of(_of_aws(names, reader)))
    return _answers(snapshot.local_policies, [*originals, *published_originals()])


def copies_on(subject: RoleInUse) -> tuple[CopyAnswer, ...]:
    """Return which inline and customer managed policies of a role are copies of controllers' policies."""
    own = _own_policies(subject)
    return _answers(own, published_originals()) if own else ()


def _all_copies_on(subject: RoleInUse, library: Library, partition: str) -> tuple[CopyAnswer, ...]:
    """Return which of a role's own policies are copies, of AWS's policies as well."""
    own = _own_policies(subject)
    if not own:
        return ()
    names = [policy.name for policy in own]
    originals = library.in_partition(partition).ask(lambda reader: originals_of(_of_aws(names, reader)))
    return _answers(own, [*originals, *published_originals()])


def _own_policies(subject: RoleInUse) -> list[LocalPolicy]:
    """Return the inline and customer managed policies of a role that could be read."""
    return [
        LocalPolicy(policy.name, policy.arn or "", "/", f"v{policy.version or 1}", policy.document)
        for policy in subject.policies
        if not policy.managed_by_aws and policy.document is not None
    ]


def published_originals() -> tuple[Original, ...]:
    """Return controllers' policies, newest version first, whole components before their parts."""
    originals: list[Original] = []
    for component in sorted(components().values(), key=lambda original: original.is_part):
        policy = policy_of(component)
        for version, info in zip(reversed(component.versions), reversed(policy.versions), strict=True):
            originals.append(Original(policy, info.number, version.document(version.named({})), version))
    return tuple(originals)


def _answers(own: Iterable[LocalPolicy], published: Iterable[Original]) -> tuple[CopyAnswer, ...]:
    originals = tuple(published)
    newest = {
        original.policy.arn: original for original in originals if original.version == original.policy.default_version
    }
    return tuple(
        CopyAnswer(copy, changes(copy.local.document, newest[copy.original.arn].filled(copy.local.document)))
        for copy in copies_of(own, originals)
        if copy.local.document is not None
    )


def _of_aws(own: Iterable[str], reader: PolicyReader) -> Iterator[tuple[Policy, Mapping[int, Document]]]:
    family = [policy.name for policy in reader.policies("eks")]
    namesakes = {*own} & set(reader.names())
    for name in dict.fromkeys([*family, *sorted(namesakes)]):
        texts = reader.history(name).texts
        yield reader.policy(name), {number: parse_stored(name, number, text) for number, text in texts.items()}


Documents = Mapping[str, AppliedPolicy]
"""The managed policies whose documents are known, by ARN."""


def principals_can(
    library: Library, action: str, resource: str | None = None, layers: LayerFiles = NO_LAYERS
) -> PrincipalsCan:
    """Return who may do an action or something under a pattern, by the account's last snapshot and the given layers.

    Without layers, those of the settings count. Raises AccountError if there is no snapshot, InputError for an invalid
    action or a layer that cannot be read.
    """
    action, snapshot = parse_action(action), library.account.last_snapshot_or_error()
    account = snapshot.identity.account
    in_force = layers if any(map(any, layers)) else layers_in_settings(library, account)
    applying = of_account(in_force, account, action, resource)
    uses = library.account.uses(snapshot)
    holders: list[Role | User | Group] = [*snapshot.roles, *snapshot.users, *snapshot.groups]
    documents = documents_of(holders, snapshot, library.default_versions)
    subjects = [under_layers(subject, applying, action, resource) for subject in _subjects(snapshot, uses, documents)]
    unseen = not_looked_at(applying)
    answers = [answer for subject in subjects if (answer := principal_can(subject, action, resource)) is not None]
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
        principals=by_cluster_and_use(answer for answer in answers if answer.verdict != "taken"),
        taken=by_cluster_and_use(answer for answer in answers if answer.verdict == "taken"),
        not_looked_at=(*missing, *(words for layer, words in NOT_LOOKED_AT.items() if layer in unseen)),
        notes=applying.notes,
    )


def documents_of(
    holders: Sequence[Role | User | Group], snapshot: AccountSnapshot, defaults: DefaultVersions
) -> Documents:
    """Return the managed policies of some roles, users and groups, boundaries included, whose documents are known."""
    return {
        arn: AppliedPolicy(policy.name, policy.version, policy.document, arn)
        for arn, policy in _managed_policies(holders, snapshot, defaults).items()
        if policy.document is not None
    }


def _subjects(snapshot: AccountSnapshot, uses: Uses, documents: Documents) -> Iterator[Subject]:
    for role in snapshot.roles:
        policies, unread = policies_of((role,), documents)
        yield Subject(
            "role", role.name, role.arn, policies, unread, *boundary_of(role.boundary_arn, documents),
            used_by=uses.get(role.arn, ()) if role.arn else (),
            last_used=role.last_used,
            was_read=role.extent != "name",
            service_linked=role.service_linked,
            tags=() if role.trust is None or any(_lets_tag(statement) for statement in role.trust.statements) else role.tags,
        )  # fmt: skip
    groups = {group.name: group for group in snapshot.groups}
    for user in snapshot.users:
        policies, unread = policies_of((user, *(groups[name] for name in user.groups if name in groups)), documents)
        lost = tuple(f"group {name}" for name in user.groups if name not in groups)
        yield Subject(
            "user", user.name, user.arn, policies, (*unread, *lost), *boundary_of(user.boundary_arn, documents),
            tags=user.tags,
        )  # fmt: skip
    for group in snapshot.groups:
        policies, unread = policies_of((group,), documents)
        yield Subject("group", group.name, group.arn, policies, unread)


def _lets_tag(statement: Statement) -> bool:
    """Return whether sessions of a role with such a statement in its trust policy may have tags of their own."""
    return statement.effect == "Allow" and statement_may_match(statement, "sts:TagSession")


def policies_of(
    holders: Iterable[Role | User | Group], documents: Documents
) -> tuple[tuple[AppliedPolicy, ...], tuple[str, ...]]:
    """Return the policies of some holders, each once, and the names of those whose documents are not known."""
    policies: dict[tuple[str, str], AppliedPolicy] = {}
    unread: list[str] = []
    for holder in holders:
        for policy in holder.attached:
            if policy.arn in documents:
                policies[policy.arn, ""] = documents[policy.arn]
            else:
                unread.append(policy.name)
        for inline in holder.inline:
            if inline.document is None:
                unread.append(inline.name)
            else:
                policies[holder.name, inline.name] = AppliedPolicy(f"{inline.name} (inline)", None, inline.document)
    return tuple(policies.values()), tuple(unread)


def boundary_of(arn: str | None, documents: Documents) -> tuple[AppliedPolicy | None, bool]:
    """Return a permissions boundary, and whether there is one whose document is not known."""
    return documents.get(arn or ""), arn is not None and arn not in documents
