"""What the event of a call that assumes a role tells: the role, the provider, the subject and the audience.

CloudTrail User Guide, "CloudTrail userIdentity element"; IAM User Guide, "Logging IAM and AWS STS API calls with AWS
CloudTrail".
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ekstui.core.denial.denial import Denial

_PARAMETERS = {
    "roleSessionName": "sts:RoleSessionName",
    "externalId": "sts:ExternalId",
    "sourceIdentity": "sts:SourceIdentity",
}
_OIDC_PROVIDER = ":oidc-provider/"


def with_assumption(denial: Denial, event: Mapping[str, Any]) -> Denial:
    """Return the denial with the role that was asked for and what is known of the token, if it is of such a call."""
    if not denial.action.lower().startswith(("sts:assumerole", "sts:tagsession")):
        return denial
    parameters = event.get("requestParameters")
    identity = event.get("userIdentity")
    given = parameters if isinstance(parameters, dict) else {}
    who = identity if isinstance(identity, dict) else {}
    role = given.get("roleArn")
    principal = denial.principal
    if who.get("type") == "AWSService" and isinstance(who.get("invokedBy"), str):
        principal = who["invokedBy"]
    context = dict(denial.context)
    for name, key in _PARAMETERS.items():
        value = given.get(name)
        if isinstance(value, str) and value:
            context[key] = (value,)
        elif given and name not in given and denial.action.lower() == "sts:assumerole":
            context[key] = ()  # CloudTrail writes every parameter that was given
    context.update(_of_token(denial.action, who, given))
    attributes = (
        (who.get("sessionContext") or {}).get("attributes") if isinstance(who.get("sessionContext"), dict) else {}
    )
    if isinstance(attributes, dict) and attributes.get("mfaAuthenticated") == "true":
        # "false" is also written where the request does not have the key.
        context["aws:MultiFactorAuthPresent"] = ("true",)
    return replace(
        denial,
        resource=denial.resource or (role if isinstance(role, str) else None),
        principal=principal,
        context=context,
    )


def _of_token(action: str, who: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what is known of the token: its provider, and for OIDC the claims, whose names are the issuer's."""
    if action.lower() == "sts:assumerolewithsaml":
        provider = given.get("principalArn") or who.get("identityProvider")
        if isinstance(provider, str):
            yield "aws:FederatedProvider", (provider,)
        return
    provider, subject, principal = (who.get(name) for name in ("identityProvider", "userName", "principalId"))
    if action.lower() != "sts:assumerolewithwebidentity" or not isinstance(provider, str) or not provider:
        return
    yield "aws:FederatedProvider", (provider,)
    issuer = provider.partition(_OIDC_PROVIDER)[2] or provider
    if isinstance(subject, str) and subject:
        yield f"{issuer}:sub", (subject,)
        # PROVIDER:AUDIENCE:SUBJECT
        if isinstance(principal, str) and principal.startswith(f"{provider}:") and principal.endswith(f":{subject}"):
            audience = principal[len(provider) + 1 : -len(subject) - 1]
            if audience:
                yield f"{issuer}:aud", (audience,)
