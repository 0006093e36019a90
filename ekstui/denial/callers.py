"""The callers that a trust policy expects: the tokens that it accepts, and why a caller may not fit.

IAM User Guide, "AWS JSON policy elements: Principal"; EKS User Guide, "IAM roles for service accounts" and "EKS Pod
Identity".
"""

from collections.abc import Iterable, Iterator, Sequence

from ekstui.eks.trust import ServiceAccount, Trustee, eks_region, trustees
from ekstui.iam.condition_operators import Operator, operator
from ekstui.iam.document import Condition, Document, Statement
from ekstui.iam.evaluation import Verdict
from ekstui.iam.principals import OF_SESSIONS, SERVICE_ACCOUNT, WEB_IDENTITY, Caller, issuer_of, same_service
from ekstui.iam.wildcard import is_wild
from ekstui.named_tuples import NamedTuple

_USUAL_AUDIENCE = "sts.amazonaws.com"


class WantedToken(NamedTuple):
    """The tokens of one EKS cluster's issuer that a trust policy accepts."""

    issuer: str
    service_accounts: tuple[ServiceAccount, ...]
    """Empty for every service account."""
    audiences: tuple[str, ...]
    """Empty for any audience."""


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
            if line.key.lower() == f"{trustee.name}:aud".lower()
            and ((definition := operator(line.operator)) is None or definition.lists_accepted)
            for value in line.values
        ]
        if audiences and all(text.startswith(SERVICE_ACCOUNT) for text in audiences):
            continue  # a subject in place of the audience
        wanted.append(WantedToken(trustee.name, trustee.service_accounts, tuple(audiences)))
    return tuple(dict.fromkeys(wanted))


def _of_another_issuer(line: Condition, issuers: Iterable[str]) -> bool:
    """Return whether a condition needs a claim of another issuer, which no token of these issuers has."""
    of, _, claim = line.key.lower().rpartition(":")
    definition = operator(line.operator)
    needs_key = definition is not None and definition.needs_key(line.values)
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
    elif (
        verdict == "depends"
        and caller.kind in ("web-identity", "saml", "service")
        and any("*" in principal.values for statement in document.statements for principal in statement.principals)
    ):
        yield 'AWS does not say whether the principal "*" includes services and bearers of tokens.'
    if caller.kind == "web-identity":
        yield from filter(None, (_wanted_in_words(token, caller) for token in wanted))
        if not wanted and (caller.issuer is None or eks_region(caller.issuer) is not None):
            yield from _no_token(trusted)
        for statement in document.statements:
            yield from _mistakes(statement)
        yield from _other_token(caller, wanted)


def _not_trusted(action: str, caller: Caller, trusted: Sequence[Trustee]) -> Iterator[str]:
    """Yield which service is not trusted, or which action besides sts:AssumeRole is not allowed."""
    if caller.kind == "service":
        meant = [
            trustee for trustee in trusted if same_service(trustee.name, caller.name or "") or trustee.kind == "anyone"
        ]
        if not meant:
            yield f"The trust policy does not name {caller.name}."
        elif action == "sts:TagSession" and not any(trustee.allows(action) for trustee in meant):
            yield f"The trust policy does not allow {caller.name} sts:TagSession, which it needs besides sts:AssumeRole."
    elif caller.kind == "aws" and action.lower() in OF_SESSIONS:
        named = [trustee for trustee in trusted if trustee.kind not in ("irsa", "service")]
        if not any(trustee.allows(action) for trustee in named):
            yield f"The trust policy does not allow {action}, which the session's tags or source identity need."


def _no_token(trusted: Sequence[Trustee]) -> Iterator[str]:
    irsa = [trustee for trustee in trusted if trustee.kind == "irsa"]
    if not irsa:
        yield "The trust policy accepts no token of an EKS cluster."
    elif not any(trustee.allows(WEB_IDENTITY) for trustee in irsa):
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
    return (
        definition is not None
        and definition.base in ("StringEquals", "StringEqualsIgnoreCase")
        and not definition.negated
    )
