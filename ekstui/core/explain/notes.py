"""What an explanation says in further sentences: on the message, the caller, uncertain ARNs, and trust policies.

EKS User Guide, "IAM roles for service accounts" and "EKS Pod Identity".
"""

from collections.abc import Iterable, Iterator, Sequence

from ekstui.core.arn import is_uncertain
from ekstui.core.conditions.operators import Operator, operator
from ekstui.core.denial import Denial
from ekstui.core.denial.parameters import made_by
from ekstui.core.document import Condition, Document, Statement
from ekstui.core.evaluation import Evaluation, Request, Verdict
from ekstui.core.explain.answer import (
    NearStatement,
    Policies,
    WantedToken,
    cause_in_words,
    refused_tags,
    statement_in_words,
)
from ekstui.core.explain.callers import (
    UNSIGNED,
    WEB_IDENTITY,
    Caller,
    is_instance_session,
    is_unsigned,
    same_service,
)
from ekstui.core.explain.deciding import Decision
from ekstui.core.explain.purpose import Purpose
from ekstui.core.holders import nearest_actions
from ekstui.core.reference import Reference
from ekstui.core.trust import SERVICE_ACCOUNT, ServiceAccount, Trustee, eks_region, issuer_of, trustees
from ekstui.core.wildcard import is_wild

TRUST_MUST_ALLOW = (
    "The trust policy of the role must allow this. So must the caller's own policies, unless the role is in the same "
    "account and its trust policy names the caller directly."
)
"""What an explanation says if the trust policy is not known."""

OF_SESSIONS = frozenset({"sts:tagsession", "sts:setsourceidentity"})
"""Actions that must be allowed as well if a caller tags the session or sets its source identity."""

_USUAL_AUDIENCE = "sts.amazonaws.com"


def unknown_action(action: str, reference: Reference) -> tuple[str, ...]:
    """Return that the reference lacks an action, with the nearest names; empty if it has it."""
    if not action or reference.find(action) is not None:
        return ()
    nearest = nearest_actions(action)
    meant = f" Nearest: {', '.join(nearest)}." if nearest else ""
    return (f"AWS's reference has no action {action}, so it is new or mistyped.{meant}",)


def notes_on(request: Request, policies: Policies, decision: Decision, denial: Denial | None) -> Iterator[str]:
    """Yield what else to know about what decides a request."""
    evaluation = None if decision.lacks_only_foreign_tags else decision.evaluation
    if denial is not None and denial.called is not None:
        yield f"The call was {denial.called}; it needs {denial.action} to be allowed."
    yield from _on_who_decides(decision, evaluation)
    if evaluation is not None and denial is not None:
        yield from _against_the_message(evaluation, denial, policies, request)
    yield from _on_signing(request)
    if evaluation is not None:
        yield from _on_uncertain_resources(evaluation)
    if request.action.lower() in ("sts:assumerole", "sts:tagsession") and decision.cause is None:
        yield TRUST_MUST_ALLOW
    if denial is not None and not request.resources:
        yield from _on_resource_name(request, denial, evaluation)


def _on_who_decides(decision: Decision, evaluation: Evaluation | None) -> Iterator[str]:
    """Yield that something else decides than an identity policy."""
    if decision.cause is not None and decision.is_by_message:
        yield cause_in_words(decision.cause)
    elif evaluation is not None and decision.is_elsewhere:
        layer = "permissions boundary" if evaluation.decisive.decided_by == "boundary" else "session policy"
        verb = "denies" if evaluation.verdict == "explicit-deny" else "does not allow"
        yield f"The {layer} {verb} it: no identity policy changes that."


def _on_resource_name(request: Request, denial: Denial, evaluation: Evaluation | None) -> Iterator[str]:
    """Yield how a message without an ARN names the resource."""
    name = denial.resource_name
    if evaluation is not None and evaluation.decisive.resource is None:
        yield "The message names no resource." if name is None else "The message names the resource, but not its ARN."
    if name is not None and request.action.lower().startswith("secretsmanager:"):
        yield "The ARN of a secret ends in a hyphen and six characters; in a policy, -?????? matches them and nothing else."


def notes_on_foreign_tags(request: Request, keys: Sequence[str]) -> Iterator[str]:
    """Yield that tags of a request are not those of the resource that was denied, where `keys` are about them."""
    if keys:
        made = " or ".join(made_by(request.action))
        yield (
            f"The tags of the request are those of the {made} that is made, not of the resource that the message names: "
            f"{', '.join(keys)} cannot allow it there."
        )


def notes_on_refused_tags(nearest: Sequence[NearStatement]) -> Iterator[str]:
    """Yield which tags of the request keep the nearest statement from allowing it."""
    for near in nearest[:1]:
        for tags in filter(None, map(refused_tags, near.failed)):
            yield f"Refused for the tag {' and '.join(tags)}: {statement_in_words(near)} allows no other tags than its own."


def notes_on_owner(request: Request, *, is_helped: bool) -> Iterator[str]:
    """Yield who alone may change the caller's role, if a remedy is offered."""
    if is_helped and ":assumed-role/AWSReservedSSO_" in (request.principal or ""):
        yield "The role belongs to IAM Identity Center, which makes it from a permission set: change that."


def notes_on_node_role(request: Request, purpose: Purpose, misplaced: Sequence[str], *, of_node: bool) -> Iterator[str]:
    """Yield who may have made a call with a node role; `misplaced` are controllers that make such calls."""
    of_instance = is_instance_session(request.principal)
    if not of_instance and not purpose.is_of_nodes:
        return
    by = "The session is named after an EC2 instance, so the call was made" if of_instance else "The call was made"
    text = f"{by} with the node role."
    if of_node:
        if of_instance:
            yield text
        return
    if not misplaced:
        yield f"{text} If a pod made it, the pod has no role of its own."
        return
    expected = [each for each in purpose.apart if each.component in misplaced]
    callers = " or ".join(dict.fromkeys(each.component for each in expected) or misplaced)
    roles = "; ".join(f"{each.role} in {each.cluster}, by {each.by}" for each in expected)
    yield f"{text} {callers} makes such calls; if it made this one, it did not get its own role{f': {roles}' if roles else ''}."
    yield (
        "The node role is not the place to allow it: all pods on its nodes could do it too. A pod keeps the credentials "
        "that it started with: check its service account, then restart it."
    )


def _against_the_message(evaluation: Evaluation, denial: Denial, policies: Policies, request: Request) -> Iterator[str]:
    """Yield how the known policies fit a message that says that the request was denied."""
    verdict, cause = evaluation.verdict, denial.cause
    if verdict == "depends" and cause is not None and cause.has_remedy:
        yield (
            "The message says that no identity policy allowed it. If these are all of them, a condition on something that "
            "is not given did not hold."
        )
    if verdict != "allowed":
        return
    if cause is not None and cause.policy_type != "identity":
        yield "The policies looked at allow it, which agrees with the message: something else denied it."
        return
    if cause is not None and cause.explicit:
        yield "The message names a Deny in an identity policy, and the policies looked at have none that applies."
    elif cause is not None:
        yield (
            "The message says that no identity policy allowed it, and the policies looked at do. So it is not a service "
            "control policy, boundary or session policy, which AWS would have named."
        )
    else:
        yield "The policies looked at allow it, and the message does not say what denied it."
    for number, likely in enumerate(_likely(evaluation, denial, policies, request)):
        yield f"{'Or' if number else 'Most likely'} {likely}"


def _likely(evaluation: Evaluation, denial: Denial, policies: Policies, request: Request) -> Iterator[str]:
    """Yield why a request that today's policies allow may have been denied, likeliest first."""
    if not policies.identity_known:
        yield "one of them is not attached to the caller, or in another version."
    yield (
        "they were attached or changed after the denial, or had not taken effect yet: IAM changes take a while "
        "to take effect. Try again."
    )
    allowing = [each for each in evaluation.decisive.statements if each.matches and each.statement.effect == "Allow"]
    if allowing and all(each.statement.conditions for each in allowing):
        yield "the request had other tags or context than was given here, and a condition did not hold."
    if request.principal is None:
        yield "the call was made with the credentials of another role or user."
    elif ":assumed-role/" in request.principal:
        yield "the role was deleted and recreated, and the session is one of the old role: start a new session."
    if denial.cause is None:
        yield "a policy that was not looked at denied it."


def _on_signing(request: Request) -> Iterator[str]:
    if request.action.lower() in UNSIGNED:
        yield (
            "The caller has no IAM identity yet, so no identity policy counts: the trust policy of the role decides. "
            "Name the role, or give its trust policy, to see why."
        )
    elif is_unsigned(request):
        yield "Nobody signed the request, so no identity policy counts: only a resource policy can allow it."


def _on_uncertain_resources(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.verdict != "depends":
        return
    undecided = [result for result in evaluation.decisive.statements if result.matches is None]
    failures = [failure for result in undecided for failure in result.failed if failure.part == "resource"]
    uncertain = dict.fromkeys(each for failure in failures for each in failure.wanted if is_uncertain(each))
    if uncertain:
        yield (
            f"Whether {', '.join(uncertain)} matches is not certain: IAM's documentation allows two readings of an ARN "
            "with missing parts. Write all six parts to settle it."
        )


def wanted_tokens(document: Document) -> tuple[WantedToken, ...]:
    """Return the tokens that a trust policy's Allow statements accept."""
    wanted = []
    for trustee in trustees(document):
        if trustee.kind != "irsa" or not trustee.allows(WEB_IDENTITY):
            continue
        if any(_of_another_issuer(line, (trustee.name,)) for line in trustee.conditions):
            continue
        audiences = [
            value
            for line in trustee.conditions
            if line.key.lower() == f"{trustee.name}:aud".lower() and _lists_accepted(line.operator)
            for value in line.values
        ]
        if audiences and all(text.startswith(SERVICE_ACCOUNT) for text in audiences):
            continue  # a subject in place of the audience
        wanted.append(WantedToken(trustee.name, trustee.service_accounts, tuple(audiences)))
    return tuple(dict.fromkeys(wanted))


def _lists_accepted(name: str) -> bool:
    known = operator(name)
    return known is None or known.lists_accepted


def _of_another_issuer(line: Condition, issuers: Iterable[str]) -> bool:
    """Return whether a condition needs a claim of another issuer, which no token of these issuers has."""
    of, _, claim = line.key.lower().rpartition(":")
    known = operator(line.operator)
    needs_key = known is not None and known.needs_key(line.values)
    return needs_key and claim in ("sub", "aud") and "." in of and of not in map(str.lower, issuers)


def trust_notes(
    action: str, verdict: Verdict, caller: Caller, document: Document, wanted: Sequence[WantedToken]
) -> Iterator[str]:
    """Yield why the caller cannot assume the role, or may not be able to; nothing if the trust policy allows it."""
    if verdict == "allowed":
        return
    trusted = trustees(document)
    if verdict == "implicit-deny":
        yield from _not_trusted(action, caller, trusted)
    elif verdict == "depends" and caller.kind in ("web-identity", "saml", "service") and _names_everybody(document):
        yield 'AWS does not say whether the principal "*" includes services and bearers of tokens.'
    if caller.kind == "web-identity":
        yield from (_wanted_in_words(token, caller) for token in wanted if not _is_met(token, caller))
        if not wanted and (caller.issuer is None or eks_region(caller.issuer) is not None):
            yield from _no_token(trusted)
        for statement in document.statements:
            yield from _mistakes(statement)
        yield from _other_token(caller, wanted)


def _not_trusted(action: str, caller: Caller, trusted: Sequence[Trustee]) -> Iterator[str]:
    """Yield which service is not trusted, or which action besides sts:AssumeRole is not allowed."""
    if caller.kind == "service":
        meant = [each for each in trusted if same_service(each.name, caller.name or "") or each.kind == "anyone"]
        if not meant:
            yield f"The trust policy does not name {caller.name}."
        elif action == "sts:TagSession" and not any(each.allows(action) for each in meant):
            yield f"The trust policy does not allow {caller.name} sts:TagSession, which it needs besides sts:AssumeRole."
    elif caller.kind == "aws" and action.lower() in OF_SESSIONS:
        named = [each for each in trusted if each.kind not in ("irsa", "service")]
        if not any(each.allows(action) for each in named):
            yield f"The trust policy does not allow {action}, which the session's tags or source identity need."


def _no_token(trusted: Sequence[Trustee]) -> Iterator[str]:
    irsa = [each for each in trusted if each.kind == "irsa"]
    if not irsa:
        yield "The trust policy accepts no token of an EKS cluster."
    elif not any(each.allows(WEB_IDENTITY) for each in irsa):
        yield f"The trust policy names the issuer {irsa[0].name}, but does not allow {WEB_IDENTITY}."


def _other_token(caller: Caller, wanted: Sequence[WantedToken]) -> Iterator[str]:
    if caller.issuer is not None and wanted and all(token.issuer.lower() != caller.issuer.lower() for token in wanted):
        yield f"The token's issuer is {caller.issuer}, which belongs to another cluster."
    if caller.audience is None and any(_USUAL_AUDIENCE not in token.audiences and token.audiences for token in wanted):
        yield f"The audience of service account tokens is {_USUAL_AUDIENCE}, unless an annotation says otherwise."


def _is_issued_and_named(token: WantedToken, caller: Caller) -> bool:
    """Return whether the caller's token has the required issuer and one of the service accounts."""
    if caller.issuer is None or caller.subject is None or caller.issuer.lower() != token.issuer.lower():
        return False
    account = ServiceAccount(caller.subject, pattern=False)
    return not token.service_accounts or any(
        each.fits(account.namespace, account.name) for each in token.service_accounts
    )


def _is_met(token: WantedToken, caller: Caller) -> bool:
    """Return whether the caller has such a token, so that something else is wrong."""
    return _is_issued_and_named(token, caller) and (not token.audiences or caller.audience in token.audiences)


def _names_everybody(document: Document) -> bool:
    return any("*" in each.values for statement in document.statements for each in statement.principals)


def _wanted_in_words(token: WantedToken, caller: Caller) -> str:
    if caller.audience is not None and _is_issued_and_named(token, caller):
        return f"The token's audience would have to be {' or '.join(token.audiences)}, not {caller.audience}."
    usable = [account for account in token.service_accounts if not account.never_matches]
    if not token.service_accounts:
        return f"Any service account of the cluster with issuer {token.issuer} may assume it."
    if not usable:
        return f"No service account of the cluster with issuer {token.issuer} matches."
    names = " or ".join(f"{account.namespace}/{account.name}" for account in usable)
    return f"It would have to be service account {names} of the cluster with issuer {token.issuer}."


def _mistakes(statement: Statement) -> Iterator[str]:
    """Yield why a statement matches no service account's token at all."""
    providers = [value for each in statement.principals if each.kind == "Federated" for value in each.values]
    issuers = [issuer for value in providers if eks_region(issuer := issuer_of(value))]
    for line in statement.conditions if issuers else ():
        of, _, claim = line.key.rpartition(":")
        wild = [text for text in line.values if is_wild(text)]
        if of in issuers and wild and _takes_literally(operator(line.operator)):
            yield f"{line.operator} takes * and ? in {' or '.join(wild)} literally; StringLike supports wildcards."
        elif _of_another_issuer(line, issuers):
            yield f"No token of the issuer that the statement trusts has {line.key}, which belongs to another issuer."
        elif of in issuers and claim == "aud" and any(value.startswith(SERVICE_ACCOUNT) for value in line.values):
            yield f"{line.key} is compared with a service account, which a token has in :sub."


def _takes_literally(known: Operator | None) -> bool:
    return known is not None and known.base in ("StringEquals", "StringEqualsIgnoreCase") and not known.negated
