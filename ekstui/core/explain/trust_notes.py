"""Why a caller cannot assume a role, in sentences: what the trust policy requires, and common mistakes in it.

EKS User Guide, "IAM roles for service accounts" and "EKS Pod Identity".
"""

from collections.abc import Iterable, Iterator, Sequence

from ekstui.core.conditions.operators import Operator, operator
from ekstui.core.document import Condition, Document, Statement
from ekstui.core.evaluation import Verdict
from ekstui.core.explain.answer import WantedToken
from ekstui.core.explain.callers import WEB_IDENTITY, Caller, same_service
from ekstui.core.trust import SERVICE_ACCOUNT, ServiceAccount, Trustee, eks_region, issuer_of, trustees
from ekstui.core.wildcard import is_wild

OF_SESSIONS = frozenset({"sts:tagsession", "sts:setsourceidentity"})
"""Actions that must be allowed as well if a caller tags the session or sets its source identity."""

_USUAL_AUDIENCE = "sts.amazonaws.com"


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
