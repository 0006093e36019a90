"""Whether a role's trust policy allows a caller to assume it, with the caller's own policies, and why it does not.

IAM User Guide, "AWS JSON policy elements: Principal" and "Available keys for AWS OIDC federation"; EKS User Guide,
"IAM roles for service accounts" and "EKS Pod Identity".
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from ekstui.denial.answer import Explanation, Policies, TrustJudgement, WantedToken
from ekstui.denial.deciding import TRUST_MUST_ALLOW, evaluated, nearest_statements
from ekstui.denial.message import Denial
from ekstui.eks.trust import (
    POD_IDENTITY_SERVICE,
    SERVICE_ACCOUNT,
    ServiceAccount,
    Trustee,
    accepted_values,
    eks_region,
    trust_in_words,
    trustees,
)
from ekstui.iam import arn
from ekstui.iam.condition_operators import Operator, operator
from ekstui.iam.document import Condition, Document, Statement
from ekstui.iam.evaluation import (
    DENIALS,
    IDENTITY,
    PRINCIPAL,
    RESOURCE,
    STRONGEST_FIRST,
    AppliedPolicy,
    Evaluation,
    Failure,
    StatementResult,
    Verdict,
    any_matches,
    statement_results,
    verdict_by,
)
from ekstui.iam.principals import (
    OF_SESSIONS,
    PROVIDER,
    WEB_IDENTITY,
    Caller,
    NamedAs,
    PrincipalMatch,
    caller_of,
    issuer_of,
    named_by,
    same_service,
)
from ekstui.iam.request import Request
from ekstui.iam.truth import Truth, every, negation
from ekstui.iam.wildcard import is_wild, overlaps

_TAGGING_SERVICES = (POD_IDENTITY_SERVICE, "capabilities.eks.amazonaws.com")
"""Services that tag the session, so that both sts:AssumeRole and sts:TagSession must be allowed."""

_SUBJECT = re.compile(rf"(?i){SERVICE_ACCOUNT}[^:*?]+:[^:*?]+")

TRUST_UNSEEN = "the trust policy of the role"
"""What an explanation lists as not looked at."""

_LITERAL = ("StringEquals", "StringEqualsIgnoreCase")
"""Operators that take wildcards literally and accept what they list."""

_USUAL_AUDIENCE = "sts.amazonaws.com"

_MAX_TRUSTED = 4
"""How many of those who may assume the role are listed."""


def judge_trust(request: Request, trust: AppliedPolicy) -> TrustJudgement:
    """Return what a trust policy decides about assuming its role; `trust.arn` is the role's ARN, if known."""
    caller = caller_of(request)
    role = trust.arn or next((resource for resource in request.resources if ":role/" in resource), None)
    for action in _actions(request, caller):
        results, grant = _results(request._replace(action=action), caller, trust)
        verdict = verdict_by(any_matches(results, "Deny"), any_matches(results, "Allow"))
        if verdict != "allowed":
            break
    missing = tuple(dict.fromkeys(key for result in results for key in result.missing)) if verdict == "depends" else ()
    account = arn.split_arn(role).account if role is not None else None
    whose = arn.split_arn(caller.name or "").account if caller.kind == "aws" else None
    tokens = wanted_tokens(trust.document)
    return TrustJudgement(
        role,
        caller,
        verdict,
        grant,
        None if account is None or whose is None else account == whose,
        action,
        tuple(results),
        missing,
        trust_in_words(trust.document, account or ""),
        tokens,
        tuple(_trust_notes(action, verdict, caller, trust.document, tokens)),
    )


def with_trust(
    explanation: Explanation, request: Request, policies: Policies, trust: AppliedPolicy, *, denial: Denial | None
) -> Explanation:
    """Return an explanation with what the trust policy of the role decides, after the reason that a message gives."""
    judgement = judge_trust(request, trust)
    cause = None if denial is None else denial.cause
    explanation = explanation._replace(
        trust=judgement, not_looked_at=_unseen(explanation, judgement), must_allow_too=None
    )
    notes = [text for text in explanation.notes if text != TRUST_MUST_ALLOW]
    if cause is not None and cause.policy_type not in (None, "trust"):
        if judgement.verdict in DENIALS:
            notes += ["The trust policy of the role does not allow it either.", *judgement.notes]
        return explanation._replace(notes=tuple(notes))
    evaluation = evaluated(request, policies)
    verdict, missing = judged_together(judgement, evaluation) if cause is None else (cause.verdict, ())
    # If the trust policy allows it, only the caller's own policies or the organization's can prevent it.
    by_own = (
        cause is None and judgement.verdict == "allowed" and (judgement.caller.has_policies or verdict != "allowed")
    )
    all_notes = (
        *(notes if by_own else ()), *judgement.notes,
        *_notes_together(judgement, verdict, denied=denial is not None, is_role_known=evaluation is not None),
    )  # fmt: skip
    nearest = nearest_statements(judgement.statements, judgement.verdict, judgement.action)
    explanation = explanation._replace(
        verdict=verdict, missing_context=missing, notes=tuple(dict.fromkeys(all_notes)), judged=cause is None
    )
    if by_own and verdict != "allowed":
        return explanation._replace(nearest=explanation.nearest or nearest)
    return explanation.without_remedies()._replace(nearest=nearest)


def _unseen(explanation: Explanation, trust: TrustJudgement) -> tuple[str, ...]:
    """Return what was not evaluated and matters: only IAM principals have policies of their own."""
    unseen = (part for part in explanation.not_looked_at if part != TRUST_UNSEEN)
    if trust.caller.has_policies:
        return tuple(unseen)
    return tuple(part for part in unseen if part in ("resource control policies", "VPC endpoint policies"))


def _notes_together(trust: TrustJudgement, verdict: Verdict, *, denied: bool, is_role_known: bool) -> Iterator[str]:
    if denied and trust.verdict == "allowed" and (verdict == "allowed" or not trust.caller.has_policies):
        yield (
            "The trust policy looked at allows the caller, so something else denied it: another role was requested, "
            "the policy has changed since, or a policy that was not looked at decides."
        )
    of_service = trust.caller.kind == "service" and trust.action != "sts:TagSession"
    of_people = trust.caller.kind in ("aws", "saml") and trust.action.lower() not in OF_SESSIONS
    if trust.verdict == "implicit-deny" and (of_service or of_people):
        yield from trust.may_assume[:_MAX_TRUSTED]
    if verdict == "depends" and trust.verdict == "allowed" and not is_role_known:
        yield "The trust policy allows the caller if its own policies do too: name its role with --role."
    if (
        verdict == "depends"
        and trust.verdict == "allowed"
        and is_role_known
        and trust.named_as == "open"
        and trust.same_account
    ):
        yield (
            'AWS does not say whether a trust policy that names "*" is enough for callers of its own account. It is if '
            "their own policies allow it too."
        )


def judged_together(trust: TrustJudgement, evaluation: Evaluation | None) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict of the trust policy, the caller's own policies and the organization's, and what it depends on.

    A trust policy that names the caller directly is enough within its account; if it names an account, the caller's own
    policies must allow it too. `evaluation` is None if these are not known.
    """
    layers = () if evaluation is None else evaluation.decisive.layers
    organization_verdicts = [
        layer.verdict for layer in layers if layer.layer in ("service-control", "resource-control")
    ]
    of_organization: Verdict = next(
        (verdict for verdict in STRONGEST_FIRST if verdict in organization_verdicts), "allowed"
    )
    if of_organization in DENIALS:
        return of_organization, ()
    if trust.verdict in DENIALS:
        return trust.verdict, trust.missing
    if evaluation is not None and of_organization == "allowed" and IDENTITY in evaluation.missing:
        evaluation = None
    if not trust.caller.has_policies:
        if trust.verdict == "allowed" and of_organization == "depends" and evaluation is not None:
            return "depends", tuple(key for key in evaluation.missing if key != IDENTITY)
        return trust.verdict, trust.missing
    own_verdict = None if evaluation is None else evaluation.verdict
    if own_verdict == "explicit-deny":
        return own_verdict, ()
    own_must_allow = _own_must_allow(trust)
    if own_verdict == "implicit-deny" and own_must_allow is not False:
        unknown = (RESOURCE,) if trust.same_account is None else ()
        return ("implicit-deny", ()) if own_must_allow else ("depends", unknown)
    if trust.verdict == "allowed" and (own_verdict == "allowed" or _is_enough(trust, evaluation)):
        return "allowed", ()
    account = (RESOURCE,) if own_verdict is None and own_must_allow is None else ()
    own_missing = evaluation.missing if evaluation is not None else ()
    return "depends", tuple(dict.fromkeys((*trust.missing, *account, *own_missing)))


def _is_enough(trust: TrustJudgement, evaluation: Evaluation | None) -> bool:
    """Return whether the trust policy alone allows the caller: named directly, and not limited by its own policies."""
    is_limited = evaluation is not None and (
        evaluation.verdict == "depends" or evaluation.decisive.decided_by in ("boundary", "session")
    )
    return trust.named_as == "direct" and trust.same_account is True and not is_limited


def _own_must_allow(trust: TrustJudgement) -> Truth:
    """Return whether the caller's own policies must allow the request as well; None if the account is not known."""
    if trust.named_as == "open":
        # Whether `*` is enough within the account is not written anywhere.
        return True if trust.same_account is False else None
    return negation(trust.same_account) if trust.named_as == "direct" else trust.named_as == "account"


def _actions(request: Request, caller: Caller) -> tuple[str, ...]:
    if caller.kind == "service" and (caller.name or "").removesuffix(".cn") in _TAGGING_SERVICES:
        return ("sts:AssumeRole", "sts:TagSession")
    return (request.action,)


def _results(request: Request, caller: Caller, trust: AppliedPolicy) -> tuple[list[StatementResult], NamedAs | None]:
    results: list[StatementResult] = []
    grants: set[NamedAs] = set()
    for index, statement in enumerate(trust.document.statements):
        judgements = [
            _judged(request, caller, match, (index, statement), trust) for match in named_by(statement, caller)
        ]
        best = max(judgements, key=lambda entry: ((False, None, True).index(entry[0].matches), -len(entry[0].failed)))
        results.append(best[0])
        grants |= {
            grant
            for result, grant in judgements
            if grant is not None and result.matches is not False and statement.effect == "Allow"
        }
    return results, next((grant for grant in ("direct", "open", "account") if grant in grants), None)


def _judged(
    request: Request, caller: Caller, match: PrincipalMatch, place: tuple[int, Statement], trust: AppliedPolicy
) -> tuple[StatementResult, NamedAs | None]:
    index, statement = place
    issuer = (issuer_of(match.value) or match.value) if match.kind == "Federated" else None
    never = [line for line in statement.conditions if _never_holds(line, issuer, caller)]
    # Conditions and action are evaluated as in an identity policy; only the principal differs.
    identity_statement = statement._replace(resource_element="Resource", resources=("*",), principal_element=None,
        principals=(), conditions=tuple(line for line in statement.conditions if line not in never),
    )  # fmt: skip
    document = Document(trust.document.version, None, (identity_statement,))
    request_with_claims = _with_claims(request, caller, issuer, identity_statement.conditions)
    (result,) = statement_results(request_with_claims, trust._replace(document=document), "trust")
    fits = every((match.is_caller, result.matches, *(False for _ in never)))
    failures = result.failed if result.matches is fits else ()
    if match.is_caller is fits and fits is not True:
        failures = (Failure("principal", None, match.kind, (match.value,), _caller_as_value(caller, match)), *failures)
    if fits is False:
        context = {key.lower(): values for key, values in request_with_claims.context.items()}
        failures += tuple(
            Failure("condition", line.key, line.operator, line.values, context.get(line.key.lower())) for line in never
        )
    missing = result.missing if fits is None else ()
    if fits is None and match.is_caller is None:
        missing = (*_missing(caller, issuer), *missing)
    trust_result = StatementResult("trust", trust, index, statement, fits, failures, missing)
    return trust_result, match.named_as if match.is_caller is not False else None


def _caller_as_value(caller: Caller, match: PrincipalMatch) -> tuple[str, ...] | None:
    if caller.name is not None:
        return (caller.name,)
    # The owner of a token may be unknown, but not that it is one.
    kinds = {"web-identity": ("a web identity token",), "saml": ("a SAML assertion",)}
    return kinds.get(caller.kind) if match.is_caller is False else None


def _missing(caller: Caller, issuer: str | None) -> tuple[str, ...]:
    if caller.kind == "unknown":
        return (PRINCIPAL,)
    if caller.kind == "web-identity" and caller.name is None and issuer is not None:
        return () if caller.subject is None else (f"{issuer}:sub",)
    return (PROVIDER,) if caller.name is None and caller.kind in ("web-identity", "saml") else ()


def _with_claims(request: Request, caller: Caller, issuer: str | None, conditions: Iterable[Condition]) -> Request:
    """Return the request as a statement about that issuer sees it: a token has only the claims of its own issuer."""
    context = dict(request.context)
    for key, value in _context_of(caller, issuer, request):
        context.setdefault(key, (value,))
    absent = request.absent
    if caller.kind == "web-identity":
        keys = {key.lower() for key in context}
        issuers = {(name or "").lower() for name in (issuer, caller.issuer)}
        other_keys = (line.key for line in conditions if line.key.lower() not in keys)
        absent |= {key for key in other_keys if "." in (of := key.lower().rpartition(":")[0]) and of not in issuers}
    is_signed = caller.kind == "aws"
    return request._replace(principal=request.principal if is_signed else None, context=context, absent=absent)


def _context_of(caller: Caller, issuer: str | None, request: Request) -> Iterator[tuple[str, str]]:
    """Yield the context keys that follow from the caller."""
    if caller.kind == "web-identity":
        for claim, value in (("sub", caller.subject), ("aud", caller.audience)):
            yield from ((f"{name}:{claim}", value) for name in (issuer, caller.issuer) if name and value is not None)
    if caller.kind == "service":
        yield "aws:PrincipalIsAWSService", "true"
        yield "aws:PrincipalServiceName", caller.name or ""
        yield from ((f"aws:RequestTag/{key}", value) for key, value in _pod_tags(request, caller))


def _pod_tags(request: Request, caller: Caller) -> Iterator[tuple[str, str]]:
    for resource in request.resources:
        parts = arn.split_arn(resource)
        if parts.service == "eks" and parts.resource.startswith("cluster/"):
            yield "eks-cluster-arn", resource
            yield "eks-cluster-name", parts.resource.removeprefix("cluster/")
    if caller.subject is not None:
        account = ServiceAccount(caller.subject, pattern=False)
        yield "kubernetes-namespace", account.namespace
        yield "kubernetes-service-account", account.name


def _never_holds(line: Condition, issuer: str | None, caller: Caller) -> bool:
    """Return whether a condition on the subject fails for every service account's token."""
    if issuer is None or eks_region(issuer) is None or line.key.lower() != f"{issuer}:sub".lower():
        return False
    definition = operator(line.operator)
    if definition is None or definition.quantifier == "ForAllValues" or caller.subject is not None:
        return False
    if definition.base in _LITERAL:
        return not any("${" in text or _SUBJECT.fullmatch(text) for text in line.values)
    return definition.base == "StringLike" and not any(
        "${" in text or overlaps(text, f"{SERVICE_ACCOUNT}?*:?*") for text in line.values
    )


def wanted_tokens(document: Document) -> tuple[WantedToken, ...]:
    """Return the tokens that a trust policy's Allow statements accept."""
    tokens = []
    for trustee in trustees(document):
        if trustee.kind != "irsa" or not trustee.allows(WEB_IDENTITY):
            continue
        if any(_of_another_issuer(line, (trustee.name,)) for line in trustee.conditions):
            continue
        audiences = [value for value, _ in accepted_values(trustee.conditions, f"{trustee.name}:aud")]
        if audiences and all(text.startswith(SERVICE_ACCOUNT) for text in audiences):
            continue  # a subject in place of the audience
        tokens.append(WantedToken(trustee.name, trustee.service_accounts, tuple(audiences)))
    return tuple(dict.fromkeys(tokens))


def _of_another_issuer(line: Condition, issuers: Iterable[str]) -> bool:
    """Return whether a condition needs a claim of another issuer, which no token of these issuers has."""
    of, _, claim = line.key.lower().rpartition(":")
    definition = operator(line.operator)
    needs_key = definition is not None and definition.needs_key(line.values)
    return needs_key and claim in ("sub", "aud") and "." in of and of not in map(str.lower, issuers)


def _trust_notes(
    action: str, verdict: Verdict, caller: Caller, document: Document, tokens: Sequence[WantedToken]
) -> Iterator[str]:
    """Yield why the caller cannot assume the role, or may not be able to; nothing if the trust policy allows it."""
    if verdict == "allowed":
        return
    trusted_principals = trustees(document)
    if verdict == "implicit-deny":
        yield from _not_trusted(action, caller, trusted_principals)
    elif (
        verdict == "depends"
        and caller.kind in ("web-identity", "saml", "service")
        and any("*" in principal.values for statement in document.statements for principal in statement.principals)
    ):
        yield 'AWS does not say whether the principal "*" includes services and bearers of tokens.'
    if caller.kind == "web-identity":
        yield from filter(None, (_wanted_in_words(token, caller) for token in tokens))
        if not tokens and (caller.issuer is None or eks_region(caller.issuer) is not None):
            yield from _no_token(trusted_principals)
        for statement in document.statements:
            yield from _mistakes(statement)
        yield from _other_token(caller, tokens)


def _not_trusted(action: str, caller: Caller, trusted_principals: Sequence[Trustee]) -> Iterator[str]:
    """Yield which service is not trusted, or which action besides sts:AssumeRole is not allowed."""
    if caller.kind == "service":
        matches = [
            trustee
            for trustee in trusted_principals
            if same_service(trustee.name, caller.name or "") or trustee.kind == "anyone"
        ]
        if not matches:
            yield f"The trust policy does not name {caller.name}."
        elif action == "sts:TagSession" and not any(trustee.allows(action) for trustee in matches):
            yield (
                f"The trust policy does not allow {caller.name} sts:TagSession, which it needs besides sts:AssumeRole."
            )
    elif caller.kind == "aws" and action.lower() in OF_SESSIONS:
        aws_principals = [trustee for trustee in trusted_principals if trustee.kind not in ("irsa", "service")]
        if not any(trustee.allows(action) for trustee in aws_principals):
            yield f"The trust policy does not allow {action}, which the session's tags or source identity need."


def _no_token(trusted_principals: Sequence[Trustee]) -> Iterator[str]:
    irsa = [trustee for trustee in trusted_principals if trustee.kind == "irsa"]
    if not irsa:
        yield "The trust policy accepts no token of an EKS cluster."
    elif not any(trustee.allows(WEB_IDENTITY) for trustee in irsa):
        yield f"The trust policy names the issuer {irsa[0].name}, but does not allow {WEB_IDENTITY}."


def _other_token(caller: Caller, tokens: Sequence[WantedToken]) -> Iterator[str]:
    if caller.issuer is not None and tokens and all(token.issuer.lower() != caller.issuer.lower() for token in tokens):
        yield f"The token's issuer is {caller.issuer}, which belongs to another cluster."
    if caller.audience is None and any(_USUAL_AUDIENCE not in token.audiences and token.audiences for token in tokens):
        yield f"The audience of service account tokens is {_USUAL_AUDIENCE}, unless an annotation says otherwise."


def _is_issued_and_named(token: WantedToken, caller: Caller) -> bool:
    """Return whether the caller's token has the required issuer and one of the service accounts."""
    if caller.issuer is None or caller.subject is None or caller.issuer.lower() != token.issuer.lower():
        return False
    account = ServiceAccount(caller.subject, pattern=False)
    return not token.service_accounts or any(
        subject.fits(account.namespace, account.name) for subject in token.service_accounts
    )


def _wanted_in_words(token: WantedToken, caller: Caller) -> str:
    """Return what is wrong with the caller's token; nothing if the token fits, since something else is then wrong."""
    is_named = _is_issued_and_named(token, caller)
    if is_named and (not token.audiences or caller.audience in token.audiences):
        return ""
    if is_named and caller.audience is not None:
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
    providers = [
        value for principal in statement.principals if principal.kind == "Federated" for value in principal.values
    ]
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


def _takes_literally(definition: Operator | None) -> bool:
    return definition is not None and definition.base in _LITERAL
