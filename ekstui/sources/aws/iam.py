"""Reading the whole account, the most useful first: IAM, then the clusters in EKS, Pod Identity last; and single questions to IAM.

Shapes and limits: IAM API Reference, GetAccountAuthorizationDetails, ListPolicies, ListEntitiesForPolicy, GetRole,
SimulatePrincipalPolicy.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ekstui.core.account_snapshot import (
    AccountSnapshot,
    AttachedAs,
    CallerIdentity,
    Group,
    LocalPolicy,
    PolicyCount,
    Role,
    RoleAttachment,
    SourceError,
    SourceName,
    User,
    UserAttachment,
)
from ekstui.core.eks import EksFacts
from ekstui.core.eks_coverage import regions_of_interest
from ekstui.errors import AccountError
from ekstui.sources.account_file import parse_group, parse_local_policy, parse_role, parse_user
from ekstui.sources.aws.cluster_details import read_nodes, read_pod_identity
from ekstui.sources.aws.cluster_parts import Report, read_clusters
from ekstui.sources.aws.connection import Cancelled, Connection, each, never
from ekstui.sources.aws.failures import as_account_error, explain, failures

PAGE = 1000
"""Items per page, IAM's maximum."""

SWEEP_FILTER = ("Role", "User", "Group", "LocalManagedPolicy")
"""What the sweep asks for; AWS managed policies would come with all their documents, megabytes each."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What GetAccountAuthorizationDetails has returned so far."""

    roles: tuple[Role, ...] = ()
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    local_policies: tuple[LocalPolicy, ...] = ()
    pages: int = 0
    complete: bool = False
    error: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Entities:
    """Who has one policy attached, asked for that policy alone."""

    roles: tuple[RoleAttachment, ...]
    users: tuple[UserAttachment, ...]
    groups: tuple[Group, ...]
    complete: bool
    errors: tuple[SourceError, ...]


def read_identity(connection: Connection) -> CallerIdentity:
    """Return who the credentials belong to; raises what the call raises."""
    answer = connection.ask("sts:GetCallerIdentity")
    arn = str(answer["Arn"])
    return CallerIdentity(
        account=str(answer["Account"]),
        partition=arn.split(":", 2)[1],
        arn=arn,
        user_id=str(answer["UserId"]),
        method=connection.credential_method(),
        profile=connection.profile,
        region=connection.region,
        endpoint=connection.custom_endpoints(),
    )


def read_counts(connection: Connection) -> dict[str, PolicyCount]:
    """Return how many entities have each attached AWS managed policy, by ARN; raises what a call raises."""
    counts: dict[str, PolicyCount] = {}
    for page in connection.pages("iam:ListPolicies", Scope="AWS", OnlyAttached=True, MaxItems=PAGE):
        for policy in page["Policies"]:
            counts[policy["Arn"]] = PolicyCount(
                int(policy["AttachmentCount"]), policy.get("PermissionsBoundaryUsageCount")
            )
    return counts


def read_oidc_providers(connection: Connection) -> tuple[str, ...]:
    """Return the ARNs of the account's OIDC providers; raises what the call raises."""
    answer = connection.ask("iam:ListOpenIDConnectProviders")
    return tuple(str(provider["Arn"]) for provider in answer["OpenIDConnectProviderList"])


def read_sweep(
    connection: Connection, report: Callable[[Sweep], None] | None = None, cancelled: Cancelled = never
) -> Sweep:
    """Return all roles, users, groups and customer managed policies; `report` gets what is read after each page.

    Pages before a failure are kept, and `error` says what happened. A cancelled sweep is incomplete.
    """
    action = "iam:GetAccountAuthorizationDetails"
    sweep = Sweep()
    try:
        for page in connection.pages(action, Filter=list(SWEEP_FILTER), MaxItems=PAGE):
            sweep = _with_page(sweep, page)
            if report:
                report(sweep)
            if cancelled():
                return sweep
    except failures() as error:
        return replace(sweep, error=explain(error, "roles", action, profile=connection.profile))
    return replace(sweep, complete=True)


def read_entities(connection: Connection, policy_arn: str, cancelled: Cancelled = never) -> Entities:
    """Return who has one policy attached, each role with its details if GetRole is allowed.

    ListEntitiesForPolicy mixes attachments and boundaries unless asked for one of them, so it is asked twice.
    """
    names: dict[str, dict[str, list[AttachedAs]]] = {"Roles": {}, "Users": {}, "Groups": {}}
    errors: list[SourceError] = []
    usages: tuple[tuple[str, AttachedAs], ...] = (
        ("PermissionsPolicy", "permissions"),
        ("PermissionsBoundary", "boundary"),
    )
    action = "iam:ListEntitiesForPolicy"
    for usage, attached_as in usages:
        try:
            for page in connection.pages(action, PolicyArn=policy_arn, PolicyUsageFilter=usage, MaxItems=PAGE):
                for kind, key in (("Roles", "RoleName"), ("Users", "UserName"), ("Groups", "GroupName")):
                    for entity in page[f"Policy{kind}"]:
                        names[kind].setdefault(str(entity[key]), []).append(attached_as)
        except failures() as error:
            problem = explain(error, "entities", action, profile=connection.profile, subject=policy_arn)
            if problem.kind == "absent" and not any(names.values()):
                gone = replace(problem, message=f"{policy_arn} does not exist, in this partition at least.")
                return Entities((), (), (), complete=True, errors=(gone,))
            errors.append(problem)
    complete = not errors
    details = read_roles(connection, tuple(names["Roles"]), cancelled)
    if names["Roles"] and details.deleted.issuperset(names["Roles"]):
        # A role may be deleted between list and get, but hardly all of them, so their names are kept.
        details = RoleDetails({}, frozenset(), (*details.errors, _all_deleted(len(names["Roles"]), policy_arn)))
        complete = False
    errors.extend(details.errors)
    return Entities(
        roles=tuple(
            RoleAttachment(details.roles.get(name, Role(name, None, extent="name")), _once(kinds))
            for name, kinds in names["Roles"].items()
            if name not in details.deleted
        ),
        users=tuple(UserAttachment(User(name, None), _once(kinds)) for name, kinds in names["Users"].items()),
        groups=tuple(Group(name, None) for name in names["Groups"]),
        complete=complete,
        errors=tuple(errors),
    )


def _all_deleted(count: int, policy_arn: str) -> SourceError:
    return SourceError(
        "entities", "iam:GetRole", "incomplete",
        f"IAM lists {count:,} roles and says of each that it does not exist.", "Refresh to ask again.",
        subject=policy_arn,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RoleDetails:
    """What GetRole returned for some roles."""

    roles: Mapping[str, Role]
    deleted: frozenset[str]
    """Roles that no longer exist: deleted between list and get."""
    errors: tuple[SourceError, ...]
    """One for each action and kind of failure, not one for each role."""


def read_roles(connection: Connection, names: tuple[str, ...], cancelled: Cancelled = never) -> RoleDetails:
    """Return the details of roles by name, without their policies."""
    roles: dict[str, Role] = {}
    deleted: set[str] = set()
    errors: dict[str, SourceError] = {}

    def get(name: str) -> Role:
        return parse_role(connection.ask("iam:GetRole", RoleName=name)["Role"], "detail")

    for outcome in each(get, names, cancelled):
        try:
            roles[outcome.item] = outcome.answer()
        except failures() as error:
            words = explain(error, "entities", "iam:GetRole", profile=connection.profile, subject=outcome.item)
            if words.kind == "absent":
                deleted.add(outcome.item)
            else:
                errors.setdefault(words.kind, words)
    return RoleDetails(roles, frozenset(deleted), tuple(errors.values()))


def _with_page(sweep: Sweep, page: Mapping[str, Any]) -> Sweep:
    return replace(
        sweep,
        roles=sweep.roles + tuple(parse_role(detail) for detail in page["RoleDetailList"]),
        users=sweep.users + tuple(parse_user(detail) for detail in page["UserDetailList"]),
        groups=sweep.groups + tuple(parse_group(detail) for detail in page["GroupDetailList"]),
        local_policies=sweep.local_policies
        + tuple(parse_local_policy(detail) for detail in page["Policies"] if ":aws:policy/" not in detail["Arn"]),
        pages=sweep.pages + 1,
    )


def _once(kinds: list[AttachedAs]) -> tuple[AttachedAs, ...]:
    return tuple(dict.fromkeys(kinds))


@dataclass(frozen=True, slots=True)
class SimulatedDecision:
    """The simulator's decision about one action on one resource."""

    action: str
    resource: str
    decision: str
    """`allowed`, `explicitDeny` or `implicitDeny`."""
    missing_context: tuple[str, ...]
    """Condition keys in the policies that the request has no values for."""
    matched: tuple[str, ...]
    """Ids of the policies whose statements matched."""
    allowed_by_organisation: bool | None
    """What service control policies decide; None if IAM does not report it."""
    allowed_by_boundary: bool | None
    """What the permissions boundary decides; None if there is none."""


def simulate(
    connection: Connection,
    role_arn: str,
    actions: tuple[str, ...],
    resources: tuple[str, ...] = (),
    context: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[SimulatedDecision, ...]:
    """Return the decisions of IAM's own simulator about a role; AccountError if it cannot be asked.

    It knows identity policies, the boundary and the organisation, but no resource policies.
    """
    action = "iam:SimulatePrincipalPolicy"
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": list(values), "ContextKeyType": "stringList"}
        for key, values in (context or {}).items()
    ]
    parameters: dict[str, Any] = {"PolicySourceArn": role_arn, "ActionNames": list(actions)}
    if resources:
        parameters["ResourceArns"] = list(resources)
    if entries:
        parameters["ContextEntries"] = entries
    try:
        return tuple(
            _decision(result) for page in connection.pages(action, **parameters) for result in page["EvaluationResults"]
        )
    except failures() as error:
        problem = explain(error, "simulation", action, profile=connection.profile, subject=role_arn)
        raise as_account_error(problem, error) from None


def _decision(result: Mapping[str, object]) -> SimulatedDecision:
    missing = result.get("MissingContextValues") or ()
    matched = result.get("MatchedStatements") or ()
    return SimulatedDecision(
        action=str(result["EvalActionName"]),
        resource=str(result.get("EvalResourceName") or "*"),
        decision=str(result["EvalDecision"]),
        missing_context=tuple(str(key) for key in missing) if isinstance(missing, list | tuple) else (),
        matched=tuple(str(entry["SourcePolicyId"]) for entry in matched) if isinstance(matched, list) else (),
        allowed_by_organisation=_flag(result, "OrganizationsDecisionDetail", "AllowedByOrganizations"),
        allowed_by_boundary=_flag(result, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary"),
    )


def _flag(result: Mapping[str, object], detail: str, key: str) -> bool | None:
    found = result.get(detail)
    return bool(found[key]) if isinstance(found, Mapping) and key in found else None


Progress = Callable[[str], None]
"""Takes what is known of the account so far, and in a few words what is being read; called in the reading thread."""

ALL_REGIONS = "all"
"""Instead of regions: every region that is enabled in the account."""

_START: tuple[tuple[SourceName, str, Callable[[Connection], Any]], ...] = (
    ("identity", "sts:GetCallerIdentity", read_identity),
    ("counts", "iam:ListPolicies", read_counts),
    ("oidc-providers", "iam:ListOpenIDConnectProviders", read_oidc_providers),
)


def read_account(
    connection: Connection,
    regions: tuple[str, ...] = (),
    progress: Progress | None = None,
    cancelled: Cancelled = never,
) -> AccountSnapshot:
    """Return the account as it is in AWS now; AccountError if not even the caller's identity can be read.

    Clusters are searched for in `regions` or, without any, in those that the account itself points to. Other failures
    are in the snapshot's errors. If cancelled, it returns what it has so far.
    """

    def report(words: str) -> None:
        if progress and not cancelled():
            progress(words)

    snapshot = _start(connection)
    report("roles")
    snapshot = _with_sweep(connection, snapshot, report, cancelled)
    asked, errors = regions_to_ask(connection, snapshot, regions)
    snapshot = replace(snapshot, errors=(*snapshot.errors, *errors))
    report("clusters")
    snapshot = _with_eks(connection, snapshot, asked, report, cancelled)
    return replace(snapshot, not_looked_at=_not_looked_at(snapshot, regions, asked))


def regions_to_ask(
    connection: Connection, snapshot: AccountSnapshot, chosen: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[SourceError, ...]]:
    """Return the regions to search for clusters, and what failed in finding them."""
    if not chosen:
        return regions_of_interest(snapshot), ()
    if ALL_REGIONS not in chosen:
        return chosen, ()
    known = connection.regions_of("eks", snapshot.identity.partition)
    action = "ec2:DescribeRegions"
    try:
        enabled = {str(region["RegionName"]) for region in connection.ask(action)["Regions"]}
    except failures() as error:
        return known, (explain(error, "clusters", action, profile=connection.profile, signed_in=True),)
    return tuple(region for region in known if region in enabled), ()


def _start(connection: Connection) -> AccountSnapshot:
    """Read the caller's identity, the counts of attachments and the OIDC providers in parallel."""
    began = datetime.now(UTC)
    answers: dict[str, Any] = {}
    errors: list[SourceError] = []
    try:
        connection.sign_in()
    except failures() as error:
        raise _unknown_caller(connection, error) from error
    for outcome in each(lambda job: job[2](connection), _START):
        source, action, _ = outcome.item
        try:
            answers[source] = outcome.answer()
        except failures() as error:
            if source == "identity":
                raise _unknown_caller(connection, error) from error
            errors.append(explain(error, source, action, profile=connection.profile, signed_in=True))
    identity: CallerIdentity = answers["identity"]
    counts: dict[str, PolicyCount] | None = answers.get("counts")
    return AccountSnapshot(
        identity=identity,
        fetched_at=began,
        complete=False,
        counts=counts,
        oidc_providers=answers.get("oidc-providers"),
        errors=tuple(errors),
    )


def _unknown_caller(connection: Connection, error: Exception) -> AccountError:
    problem = explain(error, "identity", "sts:GetCallerIdentity", profile=connection.profile)
    if problem.kind == "network" and (likely := connection.likely_region()):
        problem = replace(problem, next_step=f"There is no region {connection.region!r}; did you mean {likely}?")
    return as_account_error(problem, error)


def _with_sweep(
    connection: Connection, snapshot: AccountSnapshot, report: Progress, cancelled: Cancelled
) -> AccountSnapshot:
    def taken(sweep: Sweep) -> AccountSnapshot:
        return replace(
            snapshot,
            complete=sweep.complete,
            roles=sweep.roles,
            users=sweep.users,
            groups=sweep.groups,
            local_policies=sweep.local_policies,
            errors=(*snapshot.errors, *((sweep.error,) if sweep.error else ())),
        )

    return taken(read_sweep(connection, lambda sweep: report(f"roles, page {sweep.pages}"), cancelled))


def _with_eks(
    connection: Connection,
    snapshot: AccountSnapshot,
    regions: Iterable[str],
    report: Progress,
    cancelled: Cancelled,
) -> AccountSnapshot:
    def counting(words: str) -> Report:
        return lambda done, total: report(f"{words}, {done} of {total}")

    read = read_clusters(connection, regions, counting("clusters"), cancelled)
    nodes = read_nodes(connection, read.facts.clusters, cancelled)
    pods = read_pod_identity(connection, nodes.clusters, counting("Pod Identity"), cancelled)
    return replace(
        snapshot,
        eks=EksFacts(pods.clusters, read.facts.regions),
        errors=(*snapshot.errors, *read.errors, *nodes.errors, *pods.errors),
    )


def _not_looked_at(snapshot: AccountSnapshot, chosen: tuple[str, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
    notes: list[str] = []
    if ALL_REGIONS not in chosen:
        notes.append(f"clusters in regions other than {', '.join(asked)}" if asked else "clusters: no region is known")
    clusters = snapshot.eks.clusters if snapshot.eks else ()
    by_map = [
        cluster.name for cluster in clusters if cluster.authentication_mode in ("CONFIG_MAP", "API_AND_CONFIG_MAP")
    ]
    if by_map:
        notes.append(f"the aws-auth ConfigMap inside {', '.join(by_map)}, which may name more roles of nodes")
    if any(not role.service_linked for role in snapshot.roles):
        notes.append("service accounts' annotations inside the clusters, so IRSA is inferred from trust policies")
    return tuple(notes)
