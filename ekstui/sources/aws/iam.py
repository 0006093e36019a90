"""Reading the whole account, the most useful first (IAM, clusters, Pod Identity), and single questions to IAM.

Shapes and limits: IAM API Reference, GetAccountAuthorizationDetails, ListPolicies, ListEntitiesForPolicy, GetRole,
SimulatePrincipalPolicy.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from ekstui.eks.account_snapshot import (
    AccountSnapshot,
    AttachedAs,
    Attachments,
    CallerIdentity,
    Group,
    PolicyCount,
    Role,
    RoleAttachment,
    SourceError,
    SourceName,
    User,
    UserAttachment,
)
from ekstui.eks.unseen import unread_inside
from ekstui.eks.uses import regions_of_interest
from ekstui.errors import ASK_AGAIN, AccountError
from ekstui.iam.request import Request
from ekstui.named_tuples import NamedTuple
from ekstui.sources.account_file import parse_group, parse_local_policy, parse_role, parse_user
from ekstui.sources.aws.clusters import Failures, read_clusters, read_nodes, read_pod_identity
from ekstui.sources.aws.connection import Connection, in_parallel
from ekstui.sources.aws.failures import account_error, failures, source_error_of
from ekstui.waiting import Cancelled, Progress, Tell, never, silent

ALL_REGIONS = "all"
"""Instead of regions: every region that is enabled in the account."""

_PAGE = 1000
"""Items per page, IAM's maximum."""

SWEEP_FILTER = ("Role", "User", "Group", "LocalManagedPolicy")
"""What the sweep asks for; AWS managed policies would come with all their documents, megabytes each."""


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
    for page in connection.pages("iam:ListPolicies", Scope="AWS", OnlyAttached=True, MaxItems=_PAGE):
        for policy in page["Policies"]:
            counts[policy["Arn"]] = PolicyCount(
                int(policy["AttachmentCount"]), policy.get("PermissionsBoundaryUsageCount")
            )
    return counts


def read_oidc_providers(connection: Connection) -> tuple[str, ...]:
    """Return the ARNs of the account's OIDC providers; raises what the call raises."""
    answer = connection.ask("iam:ListOpenIDConnectProviders")
    return tuple(str(provider["Arn"]) for provider in answer["OpenIDConnectProviderList"])


def _with_sweep(
    connection: Connection, snapshot: AccountSnapshot, report: Tell, cancelled: Cancelled
) -> AccountSnapshot:
    """Return a snapshot with all roles, users, groups and customer managed policies; incomplete if cancelled."""
    action = "iam:GetAccountAuthorizationDetails"
    pages = connection.pages(action, Filter=list(SWEEP_FILTER), MaxItems=_PAGE)
    try:
        for number, page in enumerate(pages, start=1):
            local_policies = (detail for detail in page["Policies"] if ":aws:policy/" not in detail["Arn"])
            snapshot = snapshot._replace(
                roles=(*snapshot.roles, *map(parse_role, page["RoleDetailList"])),
                users=(*snapshot.users, *map(parse_user, page["UserDetailList"])),
                groups=(*snapshot.groups, *map(parse_group, page["GroupDetailList"])),
                local_policies=(*snapshot.local_policies, *map(parse_local_policy, local_policies)),
            )
            report(f"roles, page {number}")
            if cancelled():
                return snapshot
    except failures() as error:
        problem = source_error_of(error, "roles", action, profile=connection.profile)
        return snapshot._replace(errors=(*snapshot.errors, problem))
    return snapshot._replace(complete=True)


def read_entities(connection: Connection, policy_arn: str, cancelled: Cancelled = never) -> Attachments:
    """Return who has a policy attached; IAM is asked twice, as ListEntitiesForPolicy mixes in boundaries."""
    names: dict[str, dict[str, list[AttachedAs]]] = {"Roles": {}, "Users": {}, "Groups": {}}
    errors: list[SourceError] = []
    usages: tuple[tuple[str, AttachedAs], ...] = (
        ("PermissionsPolicy", "permissions"),
        ("PermissionsBoundary", "boundary"),
    )
    action = "iam:ListEntitiesForPolicy"
    for usage, attached_as in usages:
        try:
            for page in connection.pages(action, PolicyArn=policy_arn, PolicyUsageFilter=usage, MaxItems=_PAGE):
                for kind, key in (("Roles", "RoleName"), ("Users", "UserName"), ("Groups", "GroupName")):
                    for entity in page[f"Policy{kind}"]:
                        names[kind].setdefault(str(entity[key]), []).append(attached_as)
        except failures() as error:
            problem = source_error_of(error, "entities", action, profile=connection.profile, subject=policy_arn)
            if problem.kind == "absent" and not any(names.values()):
                absence = problem._replace(message=f"{policy_arn} does not exist, in this partition at least.")
                return Attachments(policy_arn, complete=True, errors=(absence,))
            errors.append(problem)
    roles, role_errors = _roles(connection, tuple(names["Roles"]), cancelled)
    all_deleted = bool(names["Roles"]) and not roles
    if all_deleted:
        # A role may be deleted between list and get, but hardly all of them, so their names are kept.
        roles = {name: Role(name, None, extent="name") for name in names["Roles"]}
        role_errors.append(
            SourceError(
                "entities", "iam:GetRole", "incomplete",
                f"IAM lists {len(roles):,} roles and says of each that it does not exist.", ASK_AGAIN,
                subject=policy_arn,
            )
        )  # fmt: skip
    return Attachments(
        policy_arn,
        tuple(RoleAttachment(role, _once(names["Roles"][name])) for name, role in roles.items()),
        tuple(UserAttachment(User(name, None), _once(kinds)) for name, kinds in names["Users"].items()),
        tuple(Group(name, None) for name in names["Groups"]),
        complete=not errors and not all_deleted,
        errors=(*errors, *role_errors),
    )


def _roles(
    connection: Connection, names: tuple[str, ...], cancelled: Cancelled
) -> tuple[dict[str, Role], list[SourceError]]:
    """Return the details of roles that still exist, and one error for each kind of failure.

    Of a role that cannot be read, the name alone.
    """
    roles = {name: Role(name, None, extent="name") for name in names}
    errors: dict[str, SourceError] = {}

    def get(name: str) -> Role:
        return parse_role(connection.ask("iam:GetRole", RoleName=name)["Role"], "detail")

    for name, answer in in_parallel(get, names, cancelled):
        try:
            roles[name] = answer.result()
        except failures() as error:
            problem = source_error_of(error, "entities", "iam:GetRole", profile=connection.profile, subject=name)
            if problem.kind == "absent":
                del roles[name]
            else:
                errors.setdefault(problem.kind, problem)
    return roles, list(errors.values())


def _once(kinds: list[AttachedAs]) -> tuple[AttachedAs, ...]:
    return tuple(dict.fromkeys(kinds))


class SimulatedDecision(NamedTuple):
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


class Exclusion(NamedTuple):
    """What the simulator is to leave out: a layer, a managed policy, or an inline policy of a role."""

    layer: Literal["scp", "permission-boundary"] | None = None
    arn: str | None = None
    inline: str | None = None
    role: str = ""

    @property
    def identifier(self) -> Mapping[str, Any]:
        """The PolicyIdentifier of the API."""
        if self.layer is not None:
            return {"PolicyType": self.layer}
        if self.arn is not None:
            return {"PolicyArn": self.arn}
        inline = {"PolicyName": self.inline, "AttachmentType": "role", "AttachmentName": self.role}
        return {"InlinePolicyIdentifier": inline}


def can_exclude(connection: Connection) -> bool:
    """Return whether the installed SDK can leave policies out of a simulation."""
    return connection.knows("iam:SimulatePrincipalPolicy", "PolicyExclusionList")


def ask_simulator(
    connection: Connection, role_arn: str, request: Request, exclusions: Sequence[Exclusion] = ()
) -> tuple[SimulatedDecision, ...]:
    """Return the decisions of IAM's own simulator, which knows no resource policies, about a request of a role."""
    action = "iam:SimulatePrincipalPolicy"
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": list(values), "ContextKeyType": "stringList"}
        for key, values in request.context.items()
    ]
    fields: dict[str, list[Any]] = {"ResourceArns": list(request.resources), "ContextEntries": entries}
    fields["PolicyExclusionList"] = [policy.identifier for policy in exclusions]
    parameters: dict[str, Any] = {name: values for name, values in fields.items() if values}
    pages = connection.pages(action, PolicySourceArn=role_arn, ActionNames=[request.action], **parameters)
    try:
        return tuple(_decision(result) for page in pages for result in page["EvaluationResults"])
    except failures() as error:
        raise account_error(error, "simulation", action, connection.profile) from None


def _decision(result: Mapping[str, Any]) -> SimulatedDecision:
    return SimulatedDecision(
        action=result["EvalActionName"],
        resource=result.get("EvalResourceName") or "*",
        decision=result["EvalDecision"],
        missing_context=tuple(result.get("MissingContextValues", ())),
        matched=tuple(entry["SourcePolicyId"] for entry in result.get("MatchedStatements", ())),
        allowed_by_organisation=result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations"),
        allowed_by_boundary=result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary"),
    )


_START: tuple[tuple[SourceName, str, Callable[[Connection], Any]], ...] = (
    ("counts", "iam:ListPolicies", read_counts),
    ("oidc-providers", "iam:ListOpenIDConnectProviders", read_oidc_providers),
)


def sweep_account(
    connection: Connection,
    regions: tuple[str, ...] = (),
    progress: Tell = silent,
    cancelled: Cancelled = never,
) -> AccountSnapshot:
    """Return the account as it is in AWS now, with what failed, or what it has so far if cancelled.

    AccountError without an identity.
    """

    def report(words: str) -> None:
        if not cancelled():
            progress(words)

    snapshot = _start(connection)
    report("roles")
    snapshot = _with_sweep(connection, snapshot, report, cancelled)
    asked_regions, errors = regions_to_ask(connection, snapshot, regions)
    snapshot = snapshot._replace(errors=(*snapshot.errors, *errors))
    report("clusters")
    snapshot = _with_eks(connection, snapshot, asked_regions, report, cancelled)
    return snapshot._replace(not_looked_at=_not_looked_at(snapshot, regions, asked_regions))


def regions_to_ask(
    connection: Connection, snapshot: AccountSnapshot, chosen_regions: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[SourceError, ...]]:
    """Return the regions to search for clusters, and what failed in finding them."""
    if not chosen_regions:
        return regions_of_interest(snapshot), ()
    if ALL_REGIONS not in chosen_regions:
        return chosen_regions, ()
    regions = connection.regions_of("eks", snapshot.identity.partition)
    action = "ec2:DescribeRegions"
    try:
        enabled_regions = {str(region["RegionName"]) for region in connection.ask(action)["Regions"]}
    except failures() as error:
        return regions, (source_error_of(error, "clusters", action, profile=connection.profile, signed_in=True),)
    return tuple(region for region in regions if region in enabled_regions), ()


def _start(connection: Connection) -> AccountSnapshot:
    """Read the caller's identity and then, in parallel, the counts of attachments and the OIDC providers.

    Nothing more if STS refuses the credentials.
    """
    began = datetime.now(UTC)
    answers: dict[str, Any] = {}
    errors: list[SourceError] = []
    try:
        connection.sign_in()
        identity = read_identity(connection)
    except failures() as error:
        raise _unknown_caller(connection, error) from error
    for (source, action, _), answer in in_parallel(lambda job: job[2](connection), _START):
        try:
            answers[source] = answer.result()
        except failures() as error:
            errors.append(source_error_of(error, source, action, profile=connection.profile, signed_in=True))
    return AccountSnapshot(
        identity=identity,
        fetched_at=began,
        complete=False,
        counts=answers.get("counts"),
        oidc_providers=answers.get("oidc-providers"),
        errors=tuple(errors),
    )


def _unknown_caller(connection: Connection, error: Exception) -> AccountError:
    action = "sts:GetCallerIdentity"
    problem = source_error_of(error, "identity", action, profile=connection.profile)
    if problem.kind == "network" and (likely_region := connection.likely_region()):
        return AccountError(problem.message, f"There is no region {connection.region!r}; did you mean {likely_region}?")
    return account_error(error, "identity", action, connection.profile)


def _with_eks(
    connection: Connection,
    snapshot: AccountSnapshot,
    regions: Iterable[str],
    report: Tell,
    cancelled: Cancelled,
) -> AccountSnapshot:
    def counting(words: str) -> Progress:
        return lambda done, total: report(f"{words}, {done} of {total}")

    problems = Failures(connection.profile)
    facts = read_clusters(connection, regions, counting("clusters"), cancelled, problems)
    nodes = read_nodes(connection, facts.clusters, cancelled, problems)
    pods = read_pod_identity(connection, nodes, counting("Pod Identity"), cancelled, problems)
    return snapshot._replace(eks=facts._replace(clusters=pods), errors=(*snapshot.errors, *problems.errors))


def _not_looked_at(
    snapshot: AccountSnapshot, chosen_regions: tuple[str, ...], asked_regions: tuple[str, ...]
) -> tuple[str, ...]:
    notes: list[str] = []
    if ALL_REGIONS not in chosen_regions:
        notes.append(
            f"clusters in regions other than {', '.join(asked_regions)}"
            if asked_regions
            else "clusters: no region is known"
        )
    return (*notes, *unread_inside(snapshot))
