"""Whether a role's trust policy lets somebody assume it, and who that would have to be.

IAM User Guide, "AWS JSON policy elements: Principal" and "Available keys for AWS OIDC federation"; EKS User Guide,
"IAM roles for service accounts" and "EKS Pod Identity".
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ekstui.core import arn
from ekstui.core.conditions.operators import operator
from ekstui.core.conditions.truth import Truth, every, negation, some
from ekstui.core.denial import Denial
from ekstui.core.document import Condition, Document, Statement
from ekstui.core.evaluation import (
    PRINCIPAL,
    RESOURCE,
    AppliedPolicy,
    Evaluation,
    Failure,
    Request,
    StatementResult,
    Verdict,
    evaluate,
)
from ekstui.core.explain.answer import (
    Caller,
    Explanation,
    HowNamed,
    Policies,
    TrustJudgement,
    WantedToken,
)
from ekstui.core.explain.remedies import nearest_statements
from ekstui.core.reference import Reference
from ekstui.core.trust import POD_IDENTITY_SERVICE, ServiceAccount, eks_region, issuer_of, trust_in_words, trustees
from ekstui.core.wildcard import is_wild, overlaps

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
POD_IDENTITY = "eks-auth:AssumeRoleForPodIdentity"
UNSIGNED = frozenset({WEB_IDENTITY.lower(), "sts:assumerolewithsaml"})
"""Calls that nobody signs: no identity policy takes part in them."""

ANONYMOUS = "anonymous"
"""What services call the principal of a request that nobody signed."""

_ASSUMING = UNSIGNED | {POD_IDENTITY.lower(), "sts:assumerole", "sts:tagsession", "sts:setsourceidentity"}
_OF_SESSIONS = frozenset({"sts:tagsession", "sts:setsourceidentity"})
_TAGGING_SERVICES = (POD_IDENTITY_SERVICE, "capabilities.eks.amazonaws.com")
"""Services that give the session tags, so that both sts:AssumeRole and sts:TagSession must be allowed."""

TRUST_UNSEEN = "the trust policy of the role"
"""How an explanation names what was not looked at."""

TRUST_MUST_ALLOW = (
    "The trust policy of the role must allow this. So must the caller's own policies, unless the role is of the same "
    "account and its trust policy names the caller itself."
)
"""What an explanation says where the trust policy is not known."""

_MAX_TRUSTED = 4
"""How many of those whom a trust policy lets in are said."""

_PROVIDER = "aws:FederatedProvider"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_SUBJECT = re.compile(r"(?i)system:serviceaccount:[^:*?]+:[^:*?]+")
_USUAL_AUDIENCE = "sts.amazonaws.com"
_SERVICE_NAME = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?")
_REGIONAL = re.compile(r"\.[a-z]{2}(?:-[a-z]+)+-\d+(?=\.amazonaws\.com)")


def is_assuming(action: str) -> bool:
    """Return whether a trust policy has a say in an action."""
    return action.lower() in _ASSUMING


def caller_of(request: Request) -> Caller:
    """Return who makes the request: a principal, a service, or the bearer of a provider's token."""
    action, principal = request.action.lower(), request.principal
    context = {key.lower(): values for key, values in request.context.items()}
    provider = next(iter(context.get(_PROVIDER.lower(), ())), None)
    if action == "sts:assumerolewithsaml":
        return Caller("saml", provider, next(iter(context.get("saml:sub", ())), None))
    if action == WEB_IDENTITY.lower():
        claims = {key: values for key, values in context.items() if "." in key.rpartition(":")[0]}
        issuers = list(dict.fromkeys(key.rpartition(":")[0] for key in claims))
        if provider is None and len(issuers) == 1:
            provider = issuers[0]
        issuer = (issuer_of(provider or "") or provider or "").lower()
        subject = next(iter(claims.get(f"{issuer}:sub", ())), None)
        if subject is None and principal is not None and principal.startswith(_SERVICE_ACCOUNT):
            subject = principal
        return Caller("web-identity", provider, subject, next(iter(claims.get(f"{issuer}:aud", ())), None))
    if action == POD_IDENTITY.lower():
        of_pod = principal if principal is not None and principal.startswith(_SERVICE_ACCOUNT) else None
        return Caller("service", POD_IDENTITY_SERVICE, of_pod)
    if principal is None:
        return Caller("unknown")
    if _SERVICE_NAME.fullmatch(principal):
        return Caller("service", principal)
    return Caller("aws", principal) if principal.startswith("arn:") else Caller("unknown", principal)


def judge_trust(request: Request, trust: AppliedPolicy, reference: Reference | None) -> TrustJudgement:
    """Return what a trust policy says of a request to assume its role; `trust.arn` is the role's ARN, if known."""
    caller = caller_of(request)
    role = trust.arn or next((each for each in request.resources if ":role/" in each), None)
    verdict: Verdict = "allowed"
    results: list[StatementResult] = []
    grant: HowNamed | None = None
    action = request.action
    for action in _actions(request, caller):
        results, granted = _results(replace(request, action=action), caller, trust, reference)
        denied = some(result.matches for result in results if result.statement.effect == "Deny")
        allowed = some(result.matches for result in results if result.statement.effect == "Allow")
        grant = granted
        if denied or allowed is False or denied is None or allowed is None:
            verdict = "explicit-deny" if denied else "implicit-deny" if allowed is False else "depends"
            break
    missing = tuple(dict.fromkeys(key for result in results for key in result.missing)) if verdict == "depends" else ()
    account = arn.split_arn(role).account if role is not None else None
    whose = arn.split_arn(caller.name or "").account if caller.kind == "aws" else None
    wanted = _wanted(trust.document)
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
        wanted,
        tuple(_notes(action, verdict, caller, trust.document, wanted)),
    )


def with_trust(
    explanation: Explanation,
    request: Request,
    policies: Policies,
    trust: AppliedPolicy,
    *,
    denial: Denial | None,
    reference: Reference | None,
) -> Explanation:
    """Return an explanation of a request to assume a role, judged by the role's trust policy as well.

    What a message names as the reason goes before what is found here.
    """
    judgement = judge_trust(request, trust, reference)
    cause = None if denial is None else denial.cause
    explanation = explanation._replace(trust=judgement, not_looked_at=_unseen(explanation, judgement))
    notes = [text for text in explanation.notes if text != TRUST_MUST_ALLOW]
    if cause is not None and cause.policy_type not in (None, "trust"):
        if judgement.verdict in ("explicit-deny", "implicit-deny"):
            notes += ["The trust policy of the role does not allow it either.", *judgement.notes]
        return explanation._replace(notes=tuple(notes))
    known = bool(policies.identity_known or policies.identity)
    own = evaluate(request, policies.identity, policies.boundary, policies.session, reference) if known else None
    verdict, missing = judged_together(judgement, own)
    if cause is not None:
        verdict, missing = ("explicit-deny" if cause.explicit else "implicit-deny"), ()
    # Where the trust policy is met, what keeps the caller from it are its own policies.
    by_own = cause is None and judgement.caller.kind in ("aws", "unknown") and judgement.verdict == "allowed"
    said = (
        *(notes if by_own else ()), *judgement.notes,
        *_notes_together(judgement, verdict, denied=denial is not None, known=known),
    )  # fmt: skip
    nearest = nearest_statements(judgement.statements, judgement.verdict, judgement.action)
    explanation = explanation._replace(
        verdict=verdict, missing_context=missing, notes=tuple(dict.fromkeys(said)), judged=cause is None
    )
    if by_own and verdict != "allowed":
        return explanation._replace(nearest=explanation.nearest or nearest)
    return explanation._replace(
        nearest=nearest, allowed_by=(), allowed_by_more=0, newer_version=None, smallest_statement=None
    )


def _unseen(explanation: Explanation, trust: TrustJudgement) -> tuple[str, ...]:
    """Return what was not looked at and counts: who is no principal of IAM has no policies of its own."""
    unseen = (each for each in explanation.not_looked_at if each != TRUST_UNSEEN)
    if trust.caller.kind in ("aws", "unknown"):
        return tuple(unseen)
    return tuple(each for each in unseen if each in ("resource control policies", "VPC endpoint policies"))


def _notes_together(trust: TrustJudgement, verdict: Verdict, *, denied: bool, known: bool) -> Iterator[str]:
    if denied and trust.verdict == "allowed" and (verdict == "allowed" or trust.caller.kind not in ("aws", "unknown")):
        yield (
            "The trust policy looked at lets the caller in, so something else denied it: another role was asked for, "
            "the policy has changed since, or a policy that was not looked at."
        )
    of_service = trust.caller.kind == "service" and trust.action != "sts:TagSession"
    of_people = trust.caller.kind in ("aws", "saml") and trust.action.lower() not in _OF_SESSIONS
    if trust.verdict == "implicit-deny" and (of_service or of_people):
        yield from trust.may_assume[:_MAX_TRUSTED]
    if verdict == "depends" and trust.verdict == "allowed" and not known:
        yield "The trust policy lets the caller in if the caller's own policies allow it: name its role with --role."


def judged_together(trust: TrustJudgement, evaluation: Evaluation | None) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict of trust policy and the caller's own policies, and what would have to be given for one.

    A trust policy that names the caller itself is enough in its own account; one that names an account lets those in
    whose own policies allow it. No evaluation: the caller's policies are not known.
    """
    if trust.verdict in ("explicit-deny", "implicit-deny") or trust.caller.kind not in ("aws", "unknown"):
        return trust.verdict, trust.missing
    own: Verdict | None = None if evaluation is None else evaluation.verdict
    if own == "explicit-deny":
        return own, ()
    enough = trust.grant == "direct" and trust.same_account
    limited = evaluation is not None and evaluation.decisive.decided_by in ("boundary", "session")
    if own == "implicit-deny" and (trust.grant == "account" or (trust.grant == "direct" and not trust.same_account)):
        certain = trust.grant == "account" or trust.same_account is False
        return ("implicit-deny", ()) if certain else ("depends", (RESOURCE,))
    if trust.verdict == "allowed" and (own == "allowed" or (enough and not limited and own != "depends")):
        return "allowed", ()
    unknown_place = (RESOURCE,) if trust.grant == "direct" and trust.same_account is None and own is None else ()
    own_missing = evaluation.missing if evaluation is not None else ()
    return "depends", tuple(dict.fromkeys((*trust.missing, *unknown_place, *own_missing)))


def _actions(request: Request, caller: Caller) -> tuple[str, ...]:
    if caller.kind == "service" and (caller.name or "").removesuffix(".cn") in _TAGGING_SERVICES:
        return ("sts:AssumeRole", "sts:TagSession")
    return (request.action,)


def _results(
    request: Request, caller: Caller, trust: AppliedPolicy, reference: Reference | None
) -> tuple[list[StatementResult], HowNamed | None]:
    results: list[StatementResult] = []
    grants: set[HowNamed] = set()
    for index, statement in enumerate(trust.document.statements):
        judged = [
            _judged(request, caller, named, (index, statement), trust, reference) for named in _named(statement, caller)
        ]
        best = max(judged, key=lambda entry: (_rank(entry[0].matches), -len(entry[0].failed)))
        results.append(best[0])
        grants |= {
            grant
            for result, grant in judged
            if grant is not None and result.matches is not False and statement.effect == "Allow"
        }
    return results, next((grant for grant in ("direct", "open", "account") if grant in grants), None)


def _rank(matches: Truth) -> int:
    return 0 if matches is False else 1 if matches is None else 2


class _Named(NamedTuple):
    """One principal of a statement, and whether the caller is it."""

    kind: str
    value: str
    is_caller: Truth
    grant: HowNamed | None


def _named(statement: Statement, caller: Caller) -> list[_Named]:
    entries = [
        _Named(principal.kind, value, *_is_caller(principal.kind, value, caller))
        for principal in statement.principals
        for value in principal.values
    ]
    if statement.principal_element == "NotPrincipal":
        meant = some(entry.is_caller for entry in entries)
        # A Deny spares a session only if its role and account are named as well.
        is_caller = None if statement.effect == "Deny" and meant is not False else negation(meant)
        return [_Named("NotPrincipal", ", ".join(entry.value for entry in entries), is_caller, "open")]
    return entries or [_Named("Principal", "", False, None)]


def _is_caller(kind: str, value: str, caller: Caller) -> tuple[Truth, HowNamed | None]:
    """Return whether a principal of a statement is the caller, None where that is not known, and how it names it."""
    if value == "*" and kind in ("*", "AWS"):
        # Whether `*` means services and holders of tokens too is not written anywhere.
        return (True if caller.kind == "aws" else None), "open"
    if caller.kind == "unknown":
        grant: HowNamed = "account" if _account_of(kind, value) else "direct"
        return (None, grant) if kind in ("AWS", "Service", "Federated") else (False, None)
    if kind == "Service":
        return (_same_service(value, caller.name or "") if caller.kind == "service" else False), "direct"
    if kind == "Federated":
        if caller.kind not in ("web-identity", "saml") or (":saml-provider/" in value) != (caller.kind == "saml"):
            return False, None
        return (None if caller.name is None else _same_provider(value, caller.name)), "direct"
    if kind != "AWS" or caller.kind != "aws" or caller.name is None:
        return False, None
    if account := _account_of(kind, value):
        return arn.split_arn(caller.name).account == account, "account"
    return _same_principal(value, caller.name), "direct"


def _account_of(kind: str, value: str) -> str | None:
    if kind != "AWS":
        return None
    if re.fullmatch(r"\d{12}", value):
        return value
    parts = arn.split_arn(value)
    return parts.account if parts.service == "iam" and parts.resource == "root" else None


def _same_service(value: str, service: str) -> Truth:
    ours, theirs = value.lower().removesuffix(".cn"), service.lower().removesuffix(".cn")
    if ours == theirs:
        return True
    # A service's name with a region in it may stand for the same service.
    return None if _REGIONAL.sub("", ours) == _REGIONAL.sub("", theirs) else False


def _same_provider(value: str, provider: str) -> bool:
    if value.startswith("arn:") and provider.startswith("arn:"):
        return value.lower() == provider.lower()
    return (issuer_of(value) or value).lower() == (issuer_of(provider) or provider).lower()


def _same_principal(value: str, caller: str) -> Truth:
    """Return whether the principal that a policy names is the caller; the ARN of a session lacks its role's path."""
    if value == caller:
        return True
    one, other = arn.split_arn(value), arn.split_arn(caller)
    if (one.partition, one.account) != (other.partition, other.account):
        return False
    (kind, name, session), (its_kind, its_name, its_session) = _role_of(one), _role_of(other)
    if "" in (name, its_name) or name != its_name:
        return False
    if kind == its_kind:
        return False  # two paths, or two sessions of one role
    if kind == "role":
        return True
    return None if not its_session and session else False


def _role_of(parts: arn.Arn) -> tuple[str, str, str]:
    kind, _, rest = parts.resource.partition("/")
    if (parts.service, kind) == ("iam", "role"):
        return "role", rest.rpartition("/")[2], ""
    if (parts.service, kind) == ("sts", "assumed-role"):
        name, _, session = rest.partition("/")
        return "session", name, session
    return kind, "", ""


def _judged(
    request: Request,
    caller: Caller,
    named: _Named,
    place: tuple[int, Statement],
    trust: AppliedPolicy,
    reference: Reference | None,
) -> tuple[StatementResult, HowNamed | None]:
    index, statement = place
    issuer = (issuer_of(named.value) or named.value) if named.kind == "Federated" else None
    never = [line for line in statement.conditions if _never_holds(line, issuer, caller)]
    # The conditions and the action are judged as an identity policy's are; the principal is what differs.
    plain = statement._replace(resource_element="Resource", resources=("*",), principal_element=None, principals=(),
        conditions=tuple(line for line in statement.conditions if line not in never),
    )  # fmt: skip
    document = Document(trust.document.version, None, (plain,))
    asked = _with_claims(request, caller, issuer, plain.conditions)
    (result,) = evaluate(asked, (trust._replace(document=document),), reference=reference).decisive.statements
    principal = Failure("principal", None, named.kind, (named.value,), _given(caller, named))
    fits = every((named.is_caller, result.matches, *(False for _ in never)))
    failed = result.failed if result.matches is fits else ()
    if named.is_caller is fits and fits is not True:
        failed = (principal, *failed)
    if fits is False:
        known = {key.lower(): values for key, values in asked.context.items()}
        failed += tuple(
            Failure("condition", line.key, line.operator, line.values, known.get(line.key.lower())) for line in never
        )
    missing = result.missing
    if fits is None and named.is_caller is None:
        missing = (*_missing(caller, issuer), *missing)
    judged = StatementResult("trust", trust, index, statement, fits, failed, missing if fits is None else ())
    return judged, named.grant if named.is_caller is not False else None


def _given(caller: Caller, named: _Named) -> tuple[str, ...] | None:
    if caller.name is not None:
        return (caller.name,)
    # Whose token it is may not be known, but that it is one is.
    kinds = {"web-identity": ("a web identity token",), "saml": ("a SAML assertion",)}
    return kinds.get(caller.kind) if named.is_caller is False else None


def _missing(caller: Caller, issuer: str | None) -> tuple[str, ...]:
    if caller.kind == "unknown":
        return (PRINCIPAL,)
    if caller.kind == "web-identity" and caller.name is None and issuer is not None:
        return () if caller.subject is None else (f"{issuer}:sub",)
    return (_PROVIDER,) if caller.name is None and caller.kind in ("web-identity", "saml") else ()


def _with_claims(request: Request, caller: Caller, issuer: str | None, conditions: Iterable[Condition]) -> Request:
    """Return the request as the trust policy of that issuer sees it: a token has the claims of its own issuer only."""
    context: dict[str, tuple[str, ...]] = dict(request.context)
    absent = set(request.absent)
    if caller.kind == "web-identity":
        for claim, value in (("sub", caller.subject), ("aud", caller.audience)):
            for name in (issuer, caller.issuer):
                if name is not None and value is not None:
                    context.setdefault(f"{name}:{claim}", (value,))
        given = {key.lower() for key in context}
        own = {(name or "").lower() for name in (issuer, caller.issuer)}
        absent |= {
            line.key
            for line in conditions
            if "." in (of := line.key.lower().rpartition(":")[0]) and of not in own and line.key.lower() not in given
        }
    if caller.kind == "service":
        context.setdefault("aws:PrincipalIsAWSService", ("true",))
        context.setdefault("aws:PrincipalServiceName", (caller.name or "",))
        for key, value in _pod_tags(request, caller):
            context.setdefault(f"aws:RequestTag/{key}", (value,))
    signed = caller.kind == "aws"
    return replace(request, principal=request.principal if signed else None, context=context, absent=frozenset(absent))


def _pod_tags(request: Request, caller: Caller) -> Iterator[tuple[str, str]]:
    """Yield the tags of a pod's session that are known."""
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
    """Return whether no service account's token can meet a line on the subject, whichever it is."""
    if issuer is None or eks_region(issuer) is None or line.key.lower() != f"{issuer}:sub".lower():
        return False
    known = operator(line.operator)
    if known is None or known.negated or known.quantifier == "ForAllValues" or caller.subject is not None:
        return False
    if known.base in ("StringEquals", "StringEqualsIgnoreCase"):
        return not any("${" in text or _SUBJECT.fullmatch(text) for text in line.values)
    return known.base == "StringLike" and not any("${" in text or _fits_some(text) for text in line.values)


def _fits_some(pattern: str) -> bool:
    return overlaps(pattern, f"{_SERVICE_ACCOUNT}?*:?*")


def _wanted(document: Document) -> tuple[WantedToken, ...]:
    """Return the tokens that a trust policy lets in, as its Allow statements write them."""
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
        if audiences and all(text.startswith(_SERVICE_ACCOUNT) for text in audiences):
            continue  # a subject in the wrong place
        wanted.append(WantedToken(trustee.name, trustee.service_accounts, tuple(audiences)))
    return tuple(dict.fromkeys(wanted))


def _lists_accepted(name: str) -> bool:
    known = operator(name)
    return known is None or known.lists_accepted


def _of_another_issuer(line: Condition, issuers: Iterable[str]) -> bool:
    """Return whether a line wants a claim of another issuer than those, which no token of theirs has."""
    of, _, claim = line.key.lower().rpartition(":")
    known = operator(line.operator)
    needs_key = known is not None and known.needs_key(line.values)
    return needs_key and claim in ("sub", "aud") and "." in of and of not in map(str.lower, issuers)


def _notes(
    action: str, verdict: Verdict, caller: Caller, document: Document, wanted: Sequence[WantedToken]
) -> Iterator[str]:
    if verdict == "allowed":
        return
    trusted = trustees(document)
    if caller.kind == "service" and verdict == "implicit-deny":
        meant = [each for each in trusted if _same_service(each.name, caller.name or "") or each.kind == "anyone"]
        if not meant:
            yield f"The trust policy does not name {caller.name}."
        elif action == "sts:TagSession" and not any(each.allows(action) for each in meant):
            yield f"The trust policy does not allow {caller.name} sts:TagSession, which it needs beside sts:AssumeRole."
    elif caller.kind == "aws" and verdict == "implicit-deny" and action.lower() in _OF_SESSIONS:
        named = [each for each in trusted if each.kind not in ("irsa", "service")]
        if not any(each.allows(action) for each in named):
            yield f"The trust policy does not allow {action}, which the session's tags or source identity need."
    if verdict == "depends" and caller.kind in ("web-identity", "saml", "service") and _names_everybody(document):
        yield 'AWS does not say whether the principal "*" means services and holders of tokens too.'
    if caller.kind != "web-identity":
        return
    yield from (_wanted_in_words(token, caller) for token in wanted if not _is_met(token, caller))
    of_eks = caller.issuer is None or eks_region(caller.issuer) is not None
    if not wanted and of_eks:
        irsa = [each for each in trusted if each.kind == "irsa"]
        if irsa and not any(each.allows(WEB_IDENTITY) for each in irsa):
            yield f"The trust policy names the issuer {irsa[0].name}, but does not allow {WEB_IDENTITY}."
        elif not irsa:
            yield "The trust policy lets nobody in with a token of an EKS cluster."
    for statement in document.statements:
        yield from _mistakes(statement)
    if caller.issuer is not None and wanted and all(token.issuer.lower() != caller.issuer.lower() for token in wanted):
        yield f"The token is of the issuer {caller.issuer}, which is another cluster's."
    if caller.audience is None and any(_USUAL_AUDIENCE not in token.audiences and token.audiences for token in wanted):
        yield f"Tokens of service accounts are for {_USUAL_AUDIENCE}, unless an annotation says otherwise."


def _is_issued_and_named(token: WantedToken, caller: Caller) -> bool:
    """Return whether the caller's token is of the issuer and of one of the service accounts that are wanted."""
    if caller.issuer is None or caller.subject is None or caller.issuer.lower() != token.issuer.lower():
        return False
    account = ServiceAccount(caller.subject, pattern=False)
    return not token.service_accounts or any(
        each.fits(account.namespace, account.name) for each in token.service_accounts
    )


def _is_met(token: WantedToken, caller: Caller) -> bool:
    """Return whether the caller's token is one of those, so that something else keeps it out."""
    return _is_issued_and_named(token, caller) and (not token.audiences or caller.audience in token.audiences)


def _names_everybody(document: Document) -> bool:
    return any("*" in each.values for statement in document.statements for each in statement.principals)


def _wanted_in_words(token: WantedToken, caller: Caller) -> str:
    if caller.audience is not None and _is_issued_and_named(token, caller):
        return f"The token would have to be for {' or '.join(token.audiences)}, not for {caller.audience}."
    usable = [account for account in token.service_accounts if not account.never_matches]
    if not token.service_accounts:
        return f"Any service account of the cluster with issuer {token.issuer} may assume it."
    if not usable:
        return f"No service account of the cluster with issuer {token.issuer} fits."
    names = " or ".join(f"{account.namespace}/{account.name}" for account in usable)
    return f"It would have to be service account {names} of the cluster with issuer {token.issuer}."


def _mistakes(statement: Statement) -> Iterator[str]:
    """Yield what keeps every service account out of a statement, whatever its token says."""
    issuers = [
        issuer_of(value)
        for principal in statement.principals
        if principal.kind == "Federated"
        for value in principal.values
        if eks_region(issuer_of(value))
    ]
    for line in statement.conditions if issuers else ():
        of, _, claim = line.key.rpartition(":")
        known = operator(line.operator)
        exact = known is not None and known.base in ("StringEquals", "StringEqualsIgnoreCase") and not known.negated
        if of in issuers and exact and (wild := [text for text in line.values if is_wild(text)]):
            yield f"{line.operator} takes * and ? in {' or '.join(wild)} literally; StringLike reads wildcards."
        elif _of_another_issuer(line, issuers):
            yield f"No token of the issuer that the statement trusts has {line.key}, which is another issuer's."
        elif of in issuers and claim == "aud" and any(value.startswith(_SERVICE_ACCOUNT) for value in line.values):
            yield f"{line.key} is compared with a service account, which a token has in :sub."
