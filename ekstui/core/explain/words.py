"""Explanations in words, for both front ends."""

from ekstui.core.denial import Cause
from ekstui.core.evaluation import Failure, Verdict
from ekstui.core.explain.explanation import Allower, Explanation, NearStatement, NewerVersion
from ekstui.core.policy import version_label

_VERDICTS: dict[Verdict, str] = {
    "allowed": "allowed by the policies looked at",
    "explicit-deny": "denied explicitly: a Deny counts more than any Allow",
    "implicit-deny": "denied: nothing allows it",
    "depends": "depends on what was not told",
}


_SIMULATED = {"allowed": "allowed", "explicitDeny": "denied explicitly", "implicitDeny": "denied, nothing allows it"}


def simulated_in_words(decision: str) -> str:
    """Return what IAM's simulator decided (`allowed`, `explicitDeny`, `implicitDeny`) in words."""
    return _SIMULATED.get(decision, decision)


_POLICY_WORDS = {
    "identity": "identity policy",
    "resource": "resource policy",
    "trust": "trust policy of the role",
    "boundary": "permissions boundary",
    "session": "session policy",
    "service-control": "service control policy",
    "resource-control": "resource control policy",
    "vpc-endpoint": "VPC endpoint policy",
}


def verdict_in_words(explanation: Explanation) -> str:
    """Return what the verdict means, and where it is the message's own, by which kind of policy."""
    cause = explanation.cause
    if explanation.judged or not explanation.denied:
        return _VERDICTS[explanation.verdict]
    if cause is None:
        return "denied; the message does not say by which policy"
    kind = _POLICY_WORDS.get(cause.policy_type or "", "policy")
    if cause.policy_type == "trust":
        return (
            f"{'denied explicitly by' if cause.explicit else 'denied: not allowed by'} the {kind}, as the message says"
        )
    if cause.explicit:
        return f"denied explicitly by {_article(kind)} {kind}, as the message says"
    return f"denied: no {kind} allows it, as the message says"


def cause_in_words(cause: Cause) -> str:
    """Return what the message names as the reason, and that no identity policy helps."""
    kind = _POLICY_WORDS.get(cause.policy_type or "", "policy")
    named = f" ({cause.policy})" if cause.policy else ""
    article = "the" if cause.policy_type == "trust" else _article(kind)
    if cause.explicit:
        return f"The message names an explicit deny in {article} {kind}{named}: no Allow elsewhere changes that."
    if cause.policy_type == "trust":
        return f"The message says that the {kind} does not allow it: an identity policy does not change that."
    return f"The message says that no {kind} allows it: an identity policy does not change that."


def newer_in_words(newer: NewerVersion) -> str:
    """Return which later version allows a request, and on what that depends."""
    day = f" ({newer.created:%Y-%m-%d})" if newer.created else ""
    depends = f", if {', '.join(newer.missing)} fits" if newer.missing else ""
    return f"{newer.policy} {version_label(newer.version)}{day}{depends}; in force is {version_label(newer.current)}"


def since_in_words(allower: Allower) -> str:
    """Return since which version a policy allows a request."""
    day = f" ({allower.since.created:%Y-%m-%d})" if allower.since.created else ""
    return f"since {'at latest ' if allower.since.at_latest else ''}{version_label(allower.since.version)}{day}"


def decode_command(encoded: str) -> str:
    """Return the command that decodes an authorization message, which takes an action that ekstui does not."""
    return f"aws sts decode-authorization-message --encoded-message {encoded} --query DecodedMessage --output text"


def _article(word: str) -> str:
    return "an" if word[0] in "aeio" else "a"


def statement_in_words(near: NearStatement) -> str:
    """Return which statement it is, such as `AmazonEBSCSIDriverPolicy v2, statement 4`."""
    version = "" if near.version is None else f" {version_label(near.version)}"
    layer = "" if near.layer == "identity" else f" ({near.layer})"
    deny = ", a Deny" if near.effect == "Deny" else ""
    return f"{near.policy}{version}, {near.sid or f'statement {near.index + 1}'}{layer}{deny}"


def failure_in_words(failure: Failure) -> str:
    """Return what a statement asks for and what the request has."""
    if failure.part == "effect":
        return "it denies the request"
    wanted = " or ".join(failure.wanted) or "nothing"
    if failure.given is None:
        given = "not told"
    elif failure.given:
        given = f"the request has {', '.join(failure.given)}"
    else:
        given = "the request does not have the key"
    if failure.part == "condition":
        return f"condition {failure.key}: {failure.operator} {wanted}; {given}"
    return f"{failure.operator} {wanted}; {given}"
