"""What fixes a denial: each fix is tried, by evaluating the request as if it were done, before it is offered.

EKS User Guide, "Learn how EKS Pod Identity grants pods access to AWS services"; AWS CLI Command Reference.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from ekstui.change.policy import version_label
from ekstui.denial.answer import Allower, Fix, Policies, policy_document
from ekstui.denial.assuming import judge_trust, judged_together
from ekstui.denial.deciding import evaluated
from ekstui.denial.own_statement import REDACTED, as_shown
from ekstui.denial.purpose import ADDON_ROLES, CandidatePolicy
from ekstui.denial.remedies import evaluated_by
from ekstui.eks.commands import (
    ROLE_NAME,
    Command,
    attach_policy,
    aws,
    expansions_in,
    put_policy,
    variable,
    with_variables,
)
from ekstui.eks.published import ARNS_OF_TEMPLATE
from ekstui.eks.trust import SERVICE_ACCOUNT_NAME
from ekstui.iam.arn import entity_of, split_arn
from ekstui.iam.condition_operators import operator
from ekstui.iam.document import Document, Statement, parse_text, serialise
from ekstui.iam.evaluation import AppliedPolicy, StatementResult, evaluate
from ekstui.iam.principals import is_assuming, is_own_role
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from ekstui.iam.wildcard import is_wild
from ekstui.named_tuples import NamedTuple

_BY_EKS_OR_SSO = ("AWSReservedSSO_", "AWSServiceRoleFor")
"""Prefixes of the names of roles that IAM Identity Center or a service owns, and that users cannot change."""

_OF_RESOURCE_TAG = re.compile(r"(?:[a-z0-9-]+:ResourceTag)/(.+)", re.IGNORECASE)

_PARAMETER = re.compile(r"\$\{((?:AWS::)?[A-Za-z_.]+)\}")
"""A parameter of a controller's policy; IAM's own variables have a single colon."""


_NOT_IN_A_VARIABLE = re.compile(r"\W+")
_NOT_IN_A_NAME = re.compile(r"[^\w+=,.@-]")

_INLINE, _MANAGED = 10_240, 6_144
"""The most characters of all inline policies of a role together, and of a managed policy ("IAM and AWS STS quotas")."""


class FixCase(NamedTuple):
    """A denied request, and what may fix it."""

    request: Request
    policies: Policies
    statements: Sequence[StatementResult]
    """Those that decide or may decide it."""
    offered: Sequence[Allower]
    """Policies that allow the request or may, best first."""
    candidates: Sequence[CandidatePolicy]
    statement: Statement | None
    """The smallest that would allow it, with the resource as the message has it."""
    component: str | None
    """The controller that probably made the call, if a pod did."""
    text: str
    """The message."""

    def tried(self, *documents: Document, context: Iterable[tuple[str, str]] = ()) -> tuple[str, ...] | None:
        """Return what the request depends on if the caller has these documents too; None if it is not allowed then."""
        extra_context = {key: (value,) for key, value in context}
        extra_keys = {key.lower() for key in extra_context}
        request = self.request._replace(
            resources=self.request.resources or (self.statement.resources if self.statement else ()),
            context={**self.request.context, **extra_context},
            absent=frozenset(key for key in self.request.absent if key.lower() not in extra_keys),
        )
        identity = (*self.policies.identity, *(AppliedPolicy("fix", None, document) for document in documents))
        evaluation = evaluated(request, self.policies._replace(identity=identity))
        return evaluation.missing if evaluation is not None and evaluation.verdict in ("allowed", "depends") else None


def fixes_of(case: FixCase, *, of_pods: bool) -> tuple[Fix, ...]:
    """Return what fixes a denial, surest first; `of_pods` if a pod may have called with its node's role."""
    principal = entity_of(case.request.principal)
    if not ROLE_NAME.fullmatch(principal.name) or principal.name.startswith(_BY_EKS_OR_SSO):
        return ()
    if _is_redacted(principal.name):
        return role_for_pods(case) if of_pods else ()
    kind = "user" if principal.kind == "user" else "role"
    fixes = [*_policies(case, principal.name, kind)]
    # Where nothing is known of the caller's policies, one that needs no tag comes before a tag.
    if case.policies.identity or not any(not fix.depends_on for fix in fixes):
        fixes = [*_tags(case, principal.name, kind)] or fixes
    if of_pods:
        fixes = [*role_for_pods(case), *fixes]
    return tuple(sorted(fixes, key=lambda fix: bool(fix.depends_on)))


def _is_redacted(name: str) -> bool:
    """Return whether a name, or its end, was taken out of the message, so that no command can have it."""
    return REDACTED.fullmatch(name) is not None or name.endswith("...")


def limited_by(case: FixCase) -> str | None:
    """Return what still denies what the smallest statement allows: a `permissions boundary` or `session policy`."""
    if case.statement is None or case.tried(policy_document(case.statement)) is not None:
        return None
    boundary = () if case.policies.boundary is None else (case.policies.boundary,)
    is_blocked = boundary and evaluate(case.request, boundary, reference=reference()).verdict not in (
        "allowed",
        "depends",
    )
    return "permissions boundary" if is_blocked else "session policy" if case.policies.session else None


def checks_of_limit(case: FixCase, limit: str) -> Iterator[Command]:
    """Yield what shows the boundary, or the associations whose session policies limit a role."""
    name = entity_of(case.request.principal).name
    if limit == "permissions boundary" and ROLE_NAME.fullmatch(name):
        arguments = ("--role-name", name, "--query", "Role.PermissionsBoundary")
        yield aws(f"shows the permissions boundary of {name}", "iam", "get-role", *arguments)
    elif limit != "permissions boundary":
        yield _associations(case)


def role_fix(commands: Sequence[Command], request: Request, policies: Policies, assumed_role: str | None) -> Fix | None:
    """Return the commands that fix a finding if they make a request allowed.

    The finding is about a role, or about the trust policy of `assumed_role`.
    """
    if len(commands) != 1:
        return None
    arguments = commands[0].arguments
    if arguments[2] == "update-assume-role-policy" and assumed_role is not None:
        if arguments[4] != entity_of(assumed_role).name:
            return None
        trust = AppliedPolicy("trust", None, parse_text(arguments[-1]), assumed_role)
        judgement = judged_together(judge_trust(request, trust), evaluated(request, policies))
        return Fix(tuple(commands), judgement[1]) if judgement[0] in ("allowed", "depends") else None
    if arguments[2] == "tag-role":
        key, value = (part.partition("=")[2] for part in arguments[-1].split(","))
        context = {**request.context, f"aws:PrincipalTag/{key}": (value,)}
        evaluation = evaluated(request._replace(context=context), policies)
        if evaluation is not None and evaluation.verdict == "allowed":
            return Fix(tuple(commands), evaluation.missing)
    return None


def checks_of(case: FixCase, fixes: Sequence[Fix], *, of_pods: bool) -> tuple[Command, ...]:
    """Return what shows whether the diagnosis is right."""
    checks: list[Command] = []
    principal = entity_of(case.request.principal)
    if of_pods:
        checks.append(_associations(case))
    elif (
        not case.policies.identity_known
        and principal.kind in ("role", "session")
        and ROLE_NAME.fullmatch(principal.name)
        and not _is_redacted(principal.name)
    ):
        about = f"shows which policies {principal.name} has"
        checks.append(aws(about, "iam", "list-attached-role-policies", "--role-name", principal.name))
    if any(command.arguments[2] in ("create-tags", "tag-resources") for fix in fixes for command in fix.commands):
        checks += _showing_tags(case.request.resources[0])
    if is_assuming(case.request.action):
        checks += checks_of_trust(case.request)
    return tuple(checks)


class _Tag(NamedTuple):
    key: str
    """The condition key."""
    value: str


def _tags(case: FixCase, name: str, kind: str) -> Iterator[Fix]:
    """Yield the tags of the resource that are all that is missing, literal values first; at most one fix."""
    missing = [(candidate, tags) for candidate, result in _about_tags(case) if (tags := _missing_tags(result))]
    missing.sort(key=lambda entry: any(tag.value.startswith("${") for tag in entry[1]))
    for candidate, tags in missing:
        context = [(tag.key, "x" if tag.value.startswith("${") else tag.value) for tag in tags]
        documents = () if candidate is None else (candidate.document,)
        if case.tried(*documents, context=context) == ():
            fixes = () if candidate is None else _giving(case, candidate, name, kind)
            yield Fix((*fixes, *_tagging(case.request.resources[0], tags)))
            return


def _about_tags(case: FixCase) -> Iterator[tuple[CandidatePolicy | None, StatementResult]]:
    """Yield the statements of the caller's policies or, if none are known, of those made for it, by policy."""
    if len(case.request.resources) != 1 or not _taggable(case.request.resources[0]):
        return
    if case.policies.identity:
        yield from ((None, result) for result in case.statements)
        return
    own_names = {offer.policy for offer in case.offered if offer.fit == "own"}
    for candidate in case.candidates:
        if candidate.policy.name in own_names:
            evaluation = evaluated_by(case.request, candidate)
            yield from ((candidate, result) for result in evaluation.decisive.statements)


def _missing_tags(result: StatementResult) -> tuple[_Tag, ...]:
    """Return the tags that a statement wants of the resource; empty if it misses something else, or nothing."""
    if result.statement.effect != "Allow":
        return ()
    tags: list[_Tag] = []
    for failure in result.failed:
        definition = operator(failure.operator)
        key = failure.key or ""
        if failure.part != "condition" or definition is None or not _OF_RESOURCE_TAG.fullmatch(key):
            return ()
        if definition.base == "Null":
            if failure.wanted != ("false",):
                return ()
            tags.append(_Tag(key, variable("VALUE")))
            continue
        literal = [value for value in failure.wanted if not is_wild(value)]
        if definition.negated or any("${" in value for value in failure.wanted):
            return ()
        tags.append(_Tag(key, literal[0] if literal else variable("VALUE")))
    return tuple(tags)


def _taggable(resource: str) -> bool:
    parts = split_arn(resource)
    return (
        resource.startswith("arn:")
        and "*" not in parts.resource
        and as_shown(resource, None) == resource  # nothing of it is redacted
        and parts.service != "iam"
    )


def _showing_tags(resource: str) -> Iterator[Command]:
    parts = split_arn(resource)
    if parts.service == "ec2":
        of_one = ("--filters", f"Name=resource-id,Values={parts.resource.rpartition('/')[2]}")
        yield aws("shows the tags that it has", "ec2", "describe-tags", *of_one, region=parts.region)
    else:
        arguments = ("resourcegroupstaggingapi", "get-resources", "--resource-arn-list", resource)
        yield aws("shows the tags that it has", *arguments, region=parts.region)


def _tagging(resource: str, tags: Iterable[_Tag]) -> Iterator[Command]:
    parts = split_arn(resource)
    pairs = {match[1]: tag.value for tag in tags if (match := _OF_RESOURCE_TAG.fullmatch(tag.key))}
    variables = tuple(value for value in pairs.values() if value.startswith("${"))
    identifier = parts.resource.rpartition("/")[2]
    about = f"sets the tag that the policy asks for on {identifier}"
    # The CLI's short form takes commas and equals signs apart.
    is_plain = not any(
        sign in text for pair in pairs.items() for text in pair if text not in variables for sign in ",=[]{}"
    )
    if parts.service == "ec2":
        shorthand_tags = [f"Key={key},Value={value}" for key, value in pairs.items()]
        json_tags = json.dumps([{"Key": key, "Value": value} for key, value in pairs.items()])
        command = ("ec2", "create-tags", "--resources", identifier, "--tags")
    else:
        shorthand_tags = [",".join(f"{key}={value}" for key, value in pairs.items())]
        json_tags = json.dumps(pairs)
        command = ("resourcegroupstaggingapi", "tag-resources", "--resource-arn-list", resource, "--tags")
    arguments = shorthand_tags if is_plain else [json_tags]
    yield aws(about, *command, *arguments, region=parts.region, expansions=variables)


def _policies(case: FixCase, name: str, kind: str) -> Iterator[Fix]:
    """Yield the policies and the statement to give the caller, those made for what it runs before the statement."""
    own_fixes = (_policy(case, allower, name, kind) for allower in case.offered if allower.fit == "own")
    first_own = next(filter(None, own_fixes), None)
    if first_own is not None:
        yield first_own
    if case.statement is not None:
        yield from _statement(case, case.statement, name, kind)
    if first_own is None:
        of_kind = (
            _policy(case, allower, name, kind)
            for allower in case.offered
            if allower.fit == "kind" and not set(allower.meant_for) <= ADDON_ROLES
        )
        yield from islice((fix for fix in of_kind if fix is not None and not fix.depends_on), 1)


def _policy(case: FixCase, allower: Allower, name: str, kind: str) -> Fix | None:
    """Return what gives the caller a policy; None if that would not help."""
    candidate = next(entry for entry in case.candidates if entry.policy.name == allower.policy)
    parameters = parameters_of(candidate.document) if candidate.published else ()
    commands = _giving(case, candidate, name, kind)
    return _fix(case, _without(parameters, case.tried(candidate.document)), *commands) if commands else None


def _fix(case: FixCase, depends_on: tuple[str, ...] | None, *commands: Command) -> Fix | None:
    """Return a fix; None if it would not help, or only with tags that the caller's policies ask for already."""
    if depends_on is None:
        return None
    if case.policies.identity and any(map(_OF_RESOURCE_TAG.fullmatch, depends_on)):
        return None
    policies_elsewhere = (f"a resource policy in account {account}" for account in other_account(case.request))
    other_policies = ("the trust policy of the role",) if is_assuming(case.request.action) else policies_elsewhere
    return Fix(commands, (*depends_on, *other_policies))


def _giving(case: FixCase, candidate: CandidatePolicy, name: str, kind: str) -> tuple[Command, ...]:
    """Return what gives the caller a policy; for what a project publishes, empty if there is no room for it."""
    if not candidate.published:
        return (attach_policy(name, candidate.policy.arn, kind),)
    document = candidate.document
    if len(json.dumps(serialise(document), separators=(",", ":"))) > (_INLINE if kind == "role" else _MANAGED):
        return ()
    caller = split_arn(case.request.principal or "")
    region = next((split_arn(arn).region for arn in case.request.resources if split_arn(arn).region), "")
    parameter_values = {"AWS::AccountId": caller.account, "AWS::Region": region}
    # If the request hangs on the ARN of something that the template makes, it is about that.
    hangs_on = [parameter for parameter in case.tried(document) or () if parameter in ARNS_OF_TEMPLATE]
    parameter_values |= dict(zip(hangs_on[:1], case.request.resources, strict=False))
    values = (
        f" --param {parameter}={parameter_values.get(parameter) or variable(_NOT_IN_A_VARIABLE.sub('_', parameter))}"
        for parameter in parameters_of(document)
        if parameter != "AWS::Partition" and (parameter in parameter_values or parameter not in ARNS_OF_TEMPLATE)
    )
    expansion = f"$(ekstui show {candidate.policy.name} --document{''.join(values)})"
    policy_name = _NOT_IN_A_NAME.sub("-", f"{candidate.policy.name}-{version_label(candidate.policy.default_version)}")
    policy_words = f"the policy that {candidate.policy.name.partition('/')[0]} publishes"
    arguments = ("--policy-name", policy_name, "--policy-document", expansion)
    if kind == "role":
        about = f"gives {name} {policy_words}, as an inline policy"
        return (aws(about, "iam", "put-role-policy", "--role-name", name, *arguments, expansions=(expansion,)),)
    # Inline policies of a user have little room.
    creation = aws(
        f"creates {policy_words} in the account", "iam", "create-policy", *arguments, expansions=(expansion,)
    )
    account = caller.account if caller.account.isdigit() else variable("ACCOUNT")
    attachment = attach_policy(name, f"arn:{caller.partition}:iam::{account}:policy/{policy_name}", kind)
    return creation, attachment._replace(expansions=expansions_in(account))


def parameters_of(document: Document) -> tuple[str, ...]:
    """Return the parameters of a controller's policy that have no value yet."""
    return tuple(dict.fromkeys(_PARAMETER.findall(json.dumps(serialise(document)))))


def _without(parameters: Sequence[str], keys: Iterable[str] | None) -> tuple[str, ...] | None:
    """Return what is not known without the parameters of a controller's policy, which the commands ask for."""
    return None if keys is None else tuple(key for key in keys if key not in parameters)


def _statement(case: FixCase, statement: Statement, name: str, kind: str) -> Iterator[Fix]:
    """Yield the smallest statement, unless it is for every resource for lack of one."""
    resources = case.request.resources
    info = reference().find(case.request.action)
    if statement.resources == ("*",) and resources != ("*",) and not (info is not None and not info.resource_types):
        return
    document = policy_document(statement)
    parameters = parameters_of(document)
    keys = _without(parameters, case.tried(document))
    smallest = with_variables(shown_statement(statement, case.request), parameters)
    about = f"adds only this statement to {name}, as an inline policy"
    fix = _fix(case, keys, put_policy(name, f"allow-{statement.actions[0]}", (smallest,), about, kind))
    if fix is not None:
        yield fix


def shown_statement(statement: Statement, request: Request) -> Statement:
    """Return a statement without what a message does not show of its resources, which would be wildcards in it."""
    if not request.resources:
        return statement
    return statement._replace(
        resources=tuple(as_shown(resource, request.principal) for resource in statement.resources)
    )


def other_account(request: Request) -> Iterator[str]:
    """Yield the account of the resource, if it is known not to be the caller's."""
    own_account = split_arn(request.principal or "").account
    accounts = dict.fromkeys(
        split_arn(resource).account for resource in request.resources if resource.startswith("arn:")
    )
    yield from (
        account for account in accounts if account.isdigit() and own_account.isdigit() and account != own_account
    )


def assumes_itself(request: Request) -> bool:
    """Return whether a session asks for the role that it is of."""
    is_own = len(request.resources) == 1 and is_own_role(request.principal, request.resources[0])
    return is_own and request.action.lower() == "sts:assumerole"


def checks_of_trust(request: Request) -> Iterator[Command]:
    """Yield what shows the trust policy of the role that is to be assumed."""
    for role in map(entity_of, request.resources):
        if role.kind == "role" and ROLE_NAME.fullmatch(role.name):
            arguments = ("--role-name", role.name, "--query", "Role.AssumeRolePolicyDocument")
            account = "".join(f", with credentials of account {owner}" for owner in other_account(request))
            yield aws(f"shows the trust policy of {role.name}{account}", "iam", "get-role", *arguments)


def role_for_pods(case: FixCase) -> tuple[Fix, ...]:
    """Return what gives the pod a role of its own by Pod Identity, with the permission that it lacks."""
    caller = split_arn(case.request.principal or "")
    role = case.component or variable("ROLE")
    (cluster, region), account = _cluster_of(case), caller.account if caller.account.isdigit() else variable("ACCOUNT")
    namespace, service_account = variable("NAMESPACE"), variable("SERVICE_ACCOUNT")
    if (match := SERVICE_ACCOUNT_NAME.search(case.text)) is not None:
        namespace, service_account = match.groups()
    variables = tuple(text for text in (role, cluster, account, namespace, service_account) if text.startswith("$"))
    # The new role has no other policies.
    role_case = case._replace(policies=Policies(), statements=())
    fix = next(_policies(role_case, "ROLE", "role"), None)
    if fix is None or len(fix.commands) != 1:
        return ()
    (gives,) = fix.commands
    arguments = tuple(role if argument == "ROLE" else argument for argument in gives.arguments)
    return (
        Fix(
            (
                aws("creates a role for the pod", "iam", "create-role", "--role-name", role,
                    "--assume-role-policy-document", _TRUST, expansions=variables),
                Command(arguments, "allows it for that role alone", (*gives.expansions, *variables)),
                aws("gives the role to the pod's service account, by the add-on eks-pod-identity-agent; "
                    "then restart the pod",
                    "eks", "create-pod-identity-association", "--cluster-name", cluster, "--namespace", namespace,
                    "--service-account", service_account, "--role-arn",
                    f"arn:{caller.partition}:iam::{account}:role/{role}",
                    region=region, expansions=variables),
            ),
            fix.depends_on,
        ),
    )  # fmt: skip


_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},'
    '"Action":["sts:AssumeRole","sts:TagSession"]}]}'
)
"""The trust policy that the EKS User Guide has for EKS Pod Identity."""


def _associations(case: FixCase) -> Command:
    cluster, region = _cluster_of(case)
    command = ("eks", "list-pod-identity-associations", "--cluster-name", cluster)
    about = "shows which service accounts have a role"
    return aws(about, *command, region=region, expansions=expansions_in(cluster))


def _cluster_of(case: FixCase) -> tuple[str, str | None]:
    """Return the cluster whose nodes have the role, with its Region, or a variable of the shell."""
    places = [(use.cluster, use.region) for use in case.policies.used_by if use.cluster]
    return places[0] if len({cluster for cluster, _ in places}) == 1 else (variable("CLUSTER"), None)
