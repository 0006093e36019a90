"""The encoder of values as the commands' JSON; the fields listed here are a stable interface for scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter
from pathlib import PurePath
from typing import TYPE_CHECKING

from ekstui.change.policy import format_time, name_in, version_label
from ekstui.eks.trust import ServiceAccount, trust_word
from ekstui.iam.document import Statement, serialise, serialise_conditions, serialise_statement
from ekstui.library.catalog import knowledge

if TYPE_CHECKING:
    # Every command imports this module, but none needs the modules of all these values.
    from ekstui.denial.access_entries import ForbiddenExplanation
    from ekstui.denial.answer import WantedToken
    from ekstui.eks.account_snapshot import Group, RecordedAttachment, Role, RoleAttachment, User
    from ekstui.eks.cluster import Cluster, HealthIssue
    from ekstui.eks.kubernetes import AccessPolicyRules
    from ekstui.eks.principals import PrincipalCan
    from ekstui.library.attachments import AttachedAnswer
    from ekstui.settings import Effective

Shape = dict[str, object]

FIELDS: dict[str, str] = {
    "AccessDifference": "before after kind=reach reach added removed",
    "AccessEntry": "principal=principal_arn type=kind username groups",
    "AccessPolicyRules": "name=policy.name arn content=policy.content reserved=policy.reserved "
    "introduced=policy.introduced kind= scope=",
    "AccessPolicyRules.shown": "policy=policy.name arn kind= content=policy.content reserved=policy.reserved "
    "introduced=policy.introduced text=policy.text rules lacks",
    "AccountSnapshot": "account=identity.account partition=identity.partition arn=identity.arn "
    "profile=identity.profile fetched_at complete= roles users groups policies=local_policies regions=eks.regions "
    "clusters=eks.clusters not_looked_at errors",
    "AccountSnapshot.of_clusters": "account=identity.account partition=identity.partition fetched_at complete= "
    "regions=eks.regions clusters=eks.clusters not_looked_at errors",
    "ActionAccess": "action last_used by region",
    "ActionSummary": "action level grants patterns sids denied warnings",
    "AppliedPolicy": "policy=name version",
    "Allower": "policy version since depends_on=missing wildcard scope meant_for fit",
    "AttachedAnswer": "policy=attachments.policy_arn arn=attachments.policy_arn account=identity.account "
    "partition=identity.partition fetched_at complete roles= users=attachments.users groups=attachments.groups copies= "
    "not_looked_at=attachments.not_looked_at errors=attachments.errors",
    "Caller": "kind name subject audience",
    "RolePolicy": "name arn version",
    "Cause": "policy_type explicit policy",
    "Cluster": "name region version auto_mode issues=",
    "ClusterAnswer": "cluster=cluster.name region=cluster.region account=identity.account partition=identity.partition "
    "fetched_at complete not_judged health=cluster.all_issues recent_changes=recent "
    "authentication_mode=cluster.authentication_mode findings entries roles kubernetes_read_at pods service_accounts "
    "not_looked_at errors",
    "ClusterRole": "arn uses policies=subject findings",
    "Credentials": "source role=role_arn containers reason",
    "CredentialsAnswer": "source=credentials.source role=credentials.role_arn containers=credentials.containers "
    "reason=credentials.reason since trust",
    "ComparedSide": "label policy=policy.name arn=policy.arn version created parameters",
    "Comparison": "before after kind=change.kind reach=change.reach denies=change.denies verdict=change.verdict "
    "notes=change.notes added:GrantDifference.one_sided_difference=change.added "
    "removed:GrantDifference.one_sided_difference=change.removed "
    "changed:GrantDifference.changed_difference=change.changed",
    "Component": "name component=title repository releases=versions newest= newest_date=newest.day parameters kind= scope=",
    "ComponentUpgrade": "component from=before_release to=after_release role before optional after besides reasons "
    "not_known commands checks",
    "CopyAnswer": "policy=copy.local.name original=copy.original.name version=copy.version overlap=copy.overlap "
    "nearness=copy.nearness newest=copy.original.default_version kind=change.kind reach=change.reach "
    "verdict=change.verdict",
    "DataStatus": "source partition newest synced_at reference",
    "DependentActions": "action needs text source",
    "Effective": "path exists=file_found settings= warnings",
    "ExpectedCredentials": "source role=role_arn not_before not_after",
    "Explanation": "verdict action resource principal cause nearest missing_context allowed_by allowed_by_more "
    "newer_version smallest_statement not_looked_at used_by notes hints also_authorised_on role findings symptoms "
    "fetched_at must_allow_too times resources layers",
    "Failure": "part key operator wanted given=actual",
    "EntriesAnswer": "cluster region authentication_mode read_at rbac_read change_of_mode lines",
    "EntryAnswer": "principal=entry.principal_arn type=entry.kind username=entry.username groups=entry.groups "
    "policies=entry.policies findings",
    "ForbiddenExplanation": "verdict reason principal= cluster fetched_at entry verb=request.verb resource= "
    "api_group=request.api_group namespace=request.namespace policies missing_rule= allowed_by not_looked_at commands "
    "rbac times",
    "AssociatedPolicy": "policy scope namespaces",
    "JudgedPolicy": "policy=associated.policy scope=associated.scope namespaces=associated.namespaces covers applies",
    "FeedStep": "policy family version= previous created kind=change.kind reach=change.reach denies=change.denies "
    "added=change.added removed=change.removed changed=change.changed",
    "Finding": "code severity title text evidence only_if commands",
    "Grant": "resource_element resources conditions",
    "GrantDifference.changed_difference": "effect element actions before after",
    "GrantDifference.one_sided_difference": "effect element actions grants=",
    "Group": "name arn path=",
    "HealthIssue": "kind name code message resources commands=",
    "Holder": "policy=policy.name version since wider kind=policy.kind pattern via grants denied covers lacks",
    "LayerEvaluation": "layer level verdict decided_by",
    "LessAnswer": "document dropped kept reach",
    "LevelCount": "granted total",
    "PinChange": "policy=pin.name from=pin.version to=version kind=change.kind reach=change.reach",
    "NewerVersion": "policy current version created depends_on=missing conditional",
    "OptionalNeed": "only_if statements",
    "OrganisationAnswer": "policy=policy_arn arn=policy_arn aggregator account=identity.account "
    "partition=identity.partition complete roles=attachments users=attachments groups=attachments not_looked_at errors",
    "PrincipalsCan": "account=identity.account fetched_at complete principals taken_away=taken not_looked_at",
    "PrincipalInCluster": "cluster principal policy scope namespaces",
    "Permission": "api_group resource verb",
    "PodAnswer": "pod=title namespace=workload.namespace kind=workload.kind name=workload.name "
    "service_account=workload.service_account pods=workload.pods cluster region account fetched_at kubernetes_read_at "
    "credentials expected findings restart not_looked_at",
    "PodsAnswer": "namespace=workload.namespace kind=workload.kind name=workload.name "
    "service_account=workload.service_account pods=workload.pods credentials expected findings",
    "PodsWithRole": "cluster region namespace=workload.namespace kind=workload.kind name=workload.name "
    "service_account=workload.service_account source pods=workload.pods",
    "PolicyEntry": "name=policy.name arn=policy.arn path=policy.path default_version=policy.default_version "
    "versions=policy.versions created=policy.created updated=policy.updated kind=policy.kind scope "
    "attachable=policy.attachable superseded_by",
    "PrincipalCan": "kind=subject.kind name=subject.name arn=subject.arn used_by=subject.used_by through verdict "
    "depends_on=reasons last_used=subject.last_used",
    "ReleaseNeed": "component release path place line because required published",
    "RecentChange": "policy version created roles",
    "RecordedAttachment": "account name arn path as=attached_as recorded_at used_by",
    "PeelStep": "without decision decisions",
    "LayerSimulation": "verdict steps complete error",
    "Remedy": "policy permissions",
    "ReplacedLine": "aws_auth=line type=kind principal username groups policies rbac=roles gives_the_same only_by_rbac notes commands",
    "AuthMapping": "kind principal username groups",
    "RoleToMake": "name namespace rules subject_kind subject manifest",
    "ResourceUse": "resource_type=name required",
    "RoleAnswer": "role=subject.role.name arn=subject.role.arn account=identity.account partition=identity.partition "
    "fetched_at complete service_linked=subject.role.service_linked created=subject.role.created "
    "last_used=subject.role.last_used last_used_region=subject.role.last_used_region tags=subject.role.tags findings "
    "trust access policies=subject.policies boundary=subject.boundary copies used_by=subject.uses pods "
    "not_read=subject.policies_not_read within not_looked_at=subject.unseen",
    "RoleAttachment": "name=role.name arn=role.arn path=role service_linked=role "
    "last_used=role.last_used last_used_region=role.last_used_region as=attached_as used_by remarks",
    "Review": "files read documents not_read exceptions needs",
    "ReviewedDocument": "path place line use state kind=change.kind reach=change.reach verdict= statements rights",
    "Rule": "api_groups resources verbs non_resource_urls",
    "ServiceAccountAnswer": "namespace=service_account.namespace name=service_account.name role=service_account.role_arn findings",
    "ServiceAccount": "namespace name pattern never_matches",
    "ServiceAccess": "service name last_used by region actions",
    "ServiceSummary": "service effect access levels resource condition warnings",
    "ServiceSummary.sum_of_service": "service access levels resource condition",
    "SimulatedDecision": "action resource decision missing_context matched allowed_by_organisation allowed_by_boundary",
    "Since": "version created at_latest",
    "SkippedPart": "place reason",
    "SourceError": "source action kind region message next_step",
    "StatementChange": "name reach",
    "StatementResult": "policy=policy.name version=policy.version sid=statement.sid index=position "
    "effect=statement.effect layer matches failed",
    "Step": "version created default missing_before change",
    "StepCounts": "kind reach denies added removed changed",
    "StoredAccount": "account partition fetched_at",
    "UnreadFile": "path reason allowed_by",
    "Symptom": "symptom answer policies actions source",
    "SumAccess": "services:ServiceSummary.sum_of_service denied withheld_by_boundary=withheld "
    "withheld_by_layers=withheld_above",
    "SyncReport": "source partition complete known_until new_policies new_versions conflicts withdrawn skipped",
    "TrustJudgement": "role verdict caller may_assume service_accounts=wanted",
    "UpgradeAnswer": "cluster components",
    "Use": "kind cluster region name namespace service_account certainty pods not_used=overruled",
    "UsedAnswer": "name arn=report.arn account fetched_at=report.fetched_at days tracked_days created "
    "services=report.services less",
    "UserAttachment": "name=user.name arn=user.arn path=user as=attached_as",
    "WhoCan": "action level policies=holders",
    "Wider": "version created without",
}
"""The JSON fields of each class, or of a form of one (`Class.form`), in order.

`name=path` stands for an attribute of another name, `name=` for the value itself; `name:Class.form` is a field whose
values are encoded in that form. A command whose answer is of a class of its own adds that class's line beside it.
"""

VERSION_FIELDS = frozenset({"version", "previous", "current", "default_version", "missing_before", "from", "to"})
"""Fields with version numbers, which become labels such as `v5`."""


def arn_or_none(arn: str | None) -> str | None:
    """Return an ARN, or None for a policy without one, such as a controller's."""
    return arn if arn is not None and arn.startswith("arn:") else None


def issues_of(cluster: Cluster) -> int | None:
    """Return how many issues EKS reports; None if there is none in what was read, but not everything was."""
    return len(cluster.all_issues) if cluster.all_issues or cluster.issues_known else None


def _with_trust(roles: Iterable[RoleAttachment], answer: AttachedAnswer) -> list[Shape]:
    account = answer.identity.account
    return [{**shape(entry), "trust": trust_word(entry.role.trust, account)} for entry in roles]


def _path_if_read(entity: Role | User | Group) -> str | None:
    """Return the path of a role, user or group; None for one of which only the name was read."""
    return entity.path if entity.arn else None


def _service_accounts(tokens: Sequence[WantedToken]) -> list[Shape]:
    return [
        {"issuer": token.issuer} | shape(account)
        for token in tokens
        for account in token.service_accounts or (ServiceAccount("*", pattern=True),)
    ]


def _access_side(side: AccessPolicyRules) -> Shape:
    return {"label": side.policy.name, "policy": side.policy.name, "arn": side.arn, "kind": "access"}


def _policy_versions(pairs: Sequence[tuple[str, int]]) -> list[Shape]:
    return [{"policy": name, "version": version_label(version)} for name, version in pairs]


def _taken_away(principals: Sequence[PrincipalCan]) -> list[Shape]:
    subjects_and_reasons = ((principal.subject, principal.reasons) for principal in principals)
    return [{"kind": who.kind, "name": who.name, "arn": who.arn, "by": list(by)} for who, by in subjects_and_reasons]


def _settings(effective: Effective) -> Shape:
    return {
        name: {"value": getattr(effective.settings, name), "from": origin} for name, origin in effective.origins.items()
    }


def _of_kind(kind: str) -> Callable[[Sequence[RecordedAttachment]], object]:
    return lambda attachments: [attachment for attachment in attachments if attachment.kind == kind]


def _commands_about(issue: HealthIssue) -> list[list[str]]:
    from ekstui.eks.findings.health import general_command  # needed only by answers about clusters

    return [list(command)] if (command := general_command(issue, knowledge())) else []


def _principal(explanation: ForbiddenExplanation) -> str | None:
    return explanation.principal or (explanation.subject.username if explanation.subject else None)


CONVERSIONS: Mapping[tuple[str, str], Callable[..., object]] = {
    ("AccessDifference", "before"): _access_side,
    ("AccessDifference", "after"): _access_side,
    ("AccessDifference", "kind"): lambda reach: "none" if reach == "same" else "scope",
    **{("AccessPolicyRules", name): lambda _: "access" for name in ("kind", "scope")},
    ("AccessPolicyRules.shown", "kind"): lambda _: "access",
    **{
        (form, "complete"): lambda answer: answer.complete and not answer.errors
        for form in ("AccountSnapshot", "AccountSnapshot.of_clusters")
    },
    **{("AccountSnapshot", name): len for name in ("roles", "users", "groups", "policies")},
    ("AttachedAnswer", "policy"): name_in,
    **{(name, "path"): _path_if_read for name in ("Group", "RoleAttachment", "UserAttachment")},
    ("RoleAttachment", "service_linked"): lambda role: role.service_linked if role.arn else None,
    ("AttachedAnswer", "arn"): arn_or_none,
    ("AttachedAnswer", "roles"): lambda answer: _with_trust(answer.attachments.roles, answer),
    ("AttachedAnswer", "copies"): lambda answer: _with_trust(answer.copies, answer),
    ("Cluster", "issues"): issues_of,
    ("ClusterRole", "policies"): lambda subject: subject.policies if subject else (),
    ("ComparedSide", "arn"): arn_or_none,
    ("Component", "kind"): lambda _: "published",
    ("Component", "newest"): lambda component: component.short(component.newest),
    ("Component", "releases"): lambda versions: sum(len(version.releases) for version in versions),
    ("Component", "scope"): lambda _: "controllers",
    **{("CopyAnswer", name): lambda share: round(share, 4) for name in ("overlap", "nearness")},
    ("CopyAnswer", "newest"): version_label,
    ("HealthIssue", "commands"): _commands_about,
    ("Effective", "settings"): _settings,
    ("FeedStep", "version"): lambda step: None if step.family == "access-policy" else step.version,
    **{
        ("ForbiddenExplanation", name): lambda commands: [command.text for command in commands]
        for name in ("commands", "rbac")
    },
    ("ForbiddenExplanation", "missing_rule"): lambda explanation: (
        None if explanation.verdict == "allowed" else explanation.missing_rule
    ),
    ("ForbiddenExplanation", "principal"): _principal,
    ("ForbiddenExplanation", "resource"): lambda explanation: (
        explanation.request and (explanation.request.path or explanation.request.whole_resource)
    ),
    **{(name, "namespaces"): lambda names: names or () for name in ("AssociatedPolicy", "JudgedPolicy")},
    ("Grant", "conditions"): serialise_conditions,
    ("GrantDifference.one_sided_difference", "grants"): lambda difference: difference.before or difference.after,
    ("LessAnswer", "document"): lambda document: None if document is None else serialise(document),
    ("LessAnswer", "kept"): lambda kept: [{"pattern": pattern, "unused": actions} for pattern, actions in kept],
    **{(name, "reach"): lambda reach: reach or "unknown" for name in ("PinChange", "ReviewedDocument")},
    ("OrganisationAnswer", "policy"): name_in,
    **{("OrganisationAnswer", f"{kind}s"): _of_kind(kind) for kind in ("role", "user", "group")},
    ("PodsAnswer", "pods"): len,
    ("PolicyEntry", "arn"): arn_or_none,
    ("PolicyEntry", "versions"): len,
    ("PrincipalsCan", "taken_away"): _taken_away,
    ("Review", "not_read"): lambda files: [f"{file.path}: {file.reason}" for file in files],
    ("ReleaseNeed", "required"): lambda pairs: [{"action": action, "without": words} for action, words in pairs],
    ("ReviewedDocument", "verdict"): lambda document: (
        document.change.verdict if document.change else f"not judged: {document.reason}"
    ),
    ("RoleAnswer", "tags"): dict,
    ("SyncReport", "conflicts"): _policy_versions,
    ("SyncReport", "new_versions"): _policy_versions,
    ("TrustJudgement", "service_accounts"): _service_accounts,
}
"""Conversions of fields before they are encoded."""

BY_ATTRIBUTE = {"Command": "arguments", "Pod": "name"}
"""The classes of which the JSON has one attribute alone."""


Plan = tuple[tuple[str, str, Callable[[object], object], Callable[..., object] | None], ...]
"""How to encode a class: each field's name in the JSON, the form of its values, its reader, and its conversion."""

_plans: dict[str, Plan] = {}


def encode(value: object, form: str = "") -> object:
    """Return a value as JSON: a class with fields as an object, in a form if one is named, a time in ISO 8601."""
    match value:
        case None | str() | int() | float():
            return value
        case datetime():
            return format_time(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {key: encode(entry) for key, entry in value.items()}
        case PurePath():
            return str(value)
        case Statement():
            return serialise_statement(value)
    name = type(value).__name__
    if isinstance(value, Sequence) and not hasattr(value, "_fields"):
        return [encode(entry, form) for entry in value]
    if form or name in FIELDS:
        return shape(value, form)
    if name in BY_ATTRIBUTE:
        return encode(getattr(value, BY_ATTRIBUTE[name]))
    raise TypeError(f"{name} cannot be encoded as JSON")


def shape(value: object, form: str = "") -> Shape:
    """Return a value with fields as an object, in the given form, else that of its class."""
    fields: Shape = {}
    form = form or type(value).__name__
    if form not in _plans:
        _plans[form] = _plan(form)
    for name, form_of_part, get, special in _plans[form]:
        part = special(get(value)) if special else get(value)
        fields[name] = _versions(part) if name in VERSION_FIELDS else encode(part, form_of_part)
    return fields


def _versions(numbers: object) -> object:
    if isinstance(numbers, tuple):
        return [version_label(number) for number in numbers]
    return version_label(numbers) if isinstance(numbers, int) else numbers


def _plan(form: str) -> Plan:
    return tuple((name, part, _reader(path), CONVERSIONS.get((form, name))) for name, part, path in fields_of(form))


def fields_of(form: str) -> Iterator[tuple[str, str, str]]:
    """Yield each field of a class or form: its name in the JSON, the form of its values if any, and its path."""
    for word in FIELDS[form].split():
        name_and_form, equals, path = word.partition("=")
        name, _, part = name_and_form.partition(":")
        yield name, part, path if equals else name


def _reader(path: str) -> Callable[[object], object]:
    """Return a reader of an attribute, or of `one.other` (None if `one` is); an empty path reads the value itself."""
    first, _, rest = path.partition(".")
    if not first:
        return lambda value: value
    read_outer = attrgetter(first)
    if not rest:
        return read_outer
    read_inner = attrgetter(rest)

    def through(value: object) -> object:
        inner = read_outer(value)
        return None if inner is None else read_inner(inner)

    return through
