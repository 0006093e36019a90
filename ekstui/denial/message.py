"""Denials, and IAM's sentences about them; the names that SDKs and CloudTrail have for services and actions."""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from ekstui.denial.patterns import compiled_later
from ekstui.eks.trust import SERVICE_ACCOUNT_NAME
from ekstui.iam.arn import is_cut_off
from ekstui.iam.evaluation import LAYER_WORDS, Layer
from ekstui.iam.reference import reference
from ekstui.named_tuples import NamedTuple

PolicyType = Layer | Literal["vpc-endpoint", "public-access-block"]
"""What a message says decided; S3's Block Public Access is no policy, but denies like one."""


_POLICY_WORDS: dict[PolicyType | None, str] = {
    **dict(LAYER_WORDS.items()),
    None: "policy",
    "resource": "resource policy",
    "trust": "trust policy of the role",
    "vpc-endpoint": "VPC endpoint policy",
    "public-access-block": "Block Public Access setting of S3",
}


class Cause(NamedTuple):
    """The reason that a message gives."""

    policy_type: PolicyType | None
    """None if it mentions a deny without the kind of policy."""
    explicit: bool
    """True for a Deny; False if no policy of the type allows the request."""
    policy: str | None = None
    """The ARN of the policy, or the name of the setting, if the message names it."""
    is_one_of_several: bool = False
    """Whether the message leaves open if such a policy denies it, none allows it, or the resource does not exist."""

    @property
    def verdict(self) -> Literal["explicit-deny", "implicit-deny"]:
        """What it says of the request."""
        return "explicit-deny" if self.explicit else "implicit-deny"

    @property
    def kind(self) -> str:
        """The kind of policy in words."""
        return _POLICY_WORDS[self.policy_type]

    @property
    def one_policy(self) -> str:
        """The same with an article."""
        article = "the" if self.policy_type == "trust" else "an" if self.policy_type == "identity" else "a"
        return f"{article} {self.kind}"

    @property
    def has_remedy(self) -> bool:
        """Whether an identity policy could help, which is so only if it lacks an Allow."""
        return self.policy_type == "identity" and not self.explicit


class Denial(NamedTuple):
    """A denied request, as a message describes it."""

    action: str
    """The action that must be allowed, in the reference's spelling if it has it."""
    resource: str | None = None
    """An ARN or `*`; None if the message names none."""
    principal: str | None = None
    cause: Cause | None = None
    """None if the message gives no reason."""
    context: Mapping[str, tuple[str, ...]] = {}
    """Condition keys with values from the message."""
    absent: frozenset[str] = frozenset()
    """Condition keys that the request lacked according to the message; `aws:RequestTag/*` is every such key."""
    resource_name: str | None = None
    """The resource as the message names it, if that is not a whole ARN, such as the name of a secret."""
    parameter_resources: tuple[str, ...] = ()
    """ARNs that follow from the parameters of the call, if the message names no resource."""
    called: str | None = None
    """The action that was called, if it differs: `ec2:CreateVpcEndpoint` may need `vpce:AllowMultiRegion`."""
    encoded: str | None = None
    """The encoded authorization message that came with it, which contains more context."""

    @property
    def is_resource_cut_off(self) -> bool:
        """Whether the message has only the beginning of the resource's ARN, which is then its name here."""
        return is_cut_off(self.resource_name or "")


# Where a line was joined to the next without a space, the status of the answer follows.
_ACTION = r"([A-Za-z][A-Za-z0-9-]{0,63}:[A-Za-z][A-Za-z0-9]{0,127}?(?=status code:|(?![A-Za-z0-9])))"
_PHRASES = compiled_later(
    r"(?:not authorized to perform(?: action| the action)?:? ?|n[o']t authorized to call ?|failed to call ?"
    r"|(?:missing|n[o']t have|lacks?|without)(?: the)?(?: required)? permissions? (?:for|to perform|to call):? ?)"
    r"[`'\"]?(?=[A-Za-z][A-Za-z0-9-]{0,63}:[A-Za-z])"
    r"|(?:requires?|needs?|missing|lacks?|without)(?: the)? [`'\"]?(?=[A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,128}[`'\"]? permission)",
    re.IGNORECASE,
)
_ACTION_AT = compiled_later(_ACTION)
_VERB = compiled_later(r"(?: |(?<=[*>\])}#…\dxX]))(?:is|are) $", re.IGNORECASE)
"""What follows who is not authorized; where a tool blanked out the end of a name, the space may be gone too."""
_BLANKED = compiled_later(r"<[^<>]{1,60}>|\[[^\[\]]{1,60}\]|\{\{?[^{}]{1,60}\}?\}")
"""What people put in place of a name, which may have several words."""
_GAP = "\0"
"""A space within such a replacement."""
_NOBODY = frozenset(("action", "client", "controller", "it", "request", "role", "that", "user", "which", "who", "you"))
"""Words before `is not authorized` that name no principal."""
_RESOURCE = compiled_later(
    r"[`'\"]?,? on (?:this )?(?:resource|role|user|group|key|secret|bucket|repository|cluster)s?:? ?"
    r"(?:\"([^\"]{1,2048})\"|'([^']{1,2048})'|(\S{1,2048}))",
    re.IGNORECASE,
)
_NO_ALLOW = compiled_later(
    r"because no ([A-Za-z -]{3,40}?)(?: policy| policies)? allows? (?:the " + _ACTION + r" action|access)"
)
_DENY = compiled_later(r"with an explicit deny(?: in (?:an? |the )?([A-Za-z -]{3,40}?)(?= policy| boundary|[.,:;]|$))?")
_DENY_POLICY = compiled_later(r"(?: policy| boundary)?:? ?(arn:[^\s,;\"']{1,1000})")
_NO_RESOURCE_POLICIES = "no resource-based policies allow access"
_PUBLIC = compiled_later(
    r"because public (?:policies|ACLs|access) (?:are|is) (?:prevented|blocked) by the (\w{1,40}) (?:setting|block public access)"
)
"""Amazon S3 User Guide, "Troubleshoot access denied (403 Forbidden) errors", on Block Public Access."""

_NEXT = compiled_later(r"User: |AccessDenied|Unauthorized|An error occurred|operation error |is forbidden")
"""How another message begins."""

# How far after the action the reason may follow, in characters; an S3 ARN has up to 1,100.
_REASON_WITHIN = 2_400

_POLICY_TYPES: dict[str, PolicyType] = {
    "identity-based": "identity",
    "resource-based": "resource",
    "permissions": "boundary",
    "permissions boundary": "boundary",
    "service control": "service-control",
    "resource control": "resource-control",
    "session": "session",
    "vpc endpoint": "vpc-endpoint",
    "role trust": "trust",
    "trust": "trust",
    "assume role": "trust",
}

_NAME = compiled_later(r"[\w+=,.@/-]{1,512}", re.ASCII)
_HIDDEN = compiled_later(r"(.)\1*|redacted|masked|hidden|null|none", re.IGNORECASE)
"""What logs have in place of a name."""
_KINDS_OF_RESOURCE = frozenset(("role", "user", "group", "key", "secret", "bucket", "repository", "cluster", "arn"))
"""Words that old messages have before the name, as in `resource: role NAME`."""
_SECRET_WITHOUT_END = compiled_later(r"arn:[\w-]+:secretsmanager:[\w*-]*:[\d*]*:secret:(?!.*-[A-Za-z0-9]{6}$)[^*?]+")
"""An ARN of a secret as a caller may write it: without the hyphen and the six characters that the real one ends in."""

_ROLE = compiled_later(r"arn:aws[a-z-]{0,10}:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,600}", re.ASCII)
_ISSUER = compiled_later(r"oidc\.eks\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?/id/[A-Za-z0-9]{1,64}")


# SDK service IDs and CloudTrail event sources that do not become IAM's prefix by removing spaces or adding hyphens.
_PREFIXES = {
    "applicationautoscaling": "application-autoscaling",
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "configservice": "config",
    "costexplorer": "ce",
    "databasemigrationservice": "dms",
    "directoryservice": "ds",
    "efs": "elasticfilesystem",
    "eksauth": "eks-auth",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "eventbridge": "events",
    "monitoring": "cloudwatch",
    "opensearch": "es",
    "prometheus": "aps",
    "amp": "aps",
    "resourcegroupstaggingapi": "tag",
    "sesv2": "ses",
    "email": "ses",
    "sfn": "states",
    "tagging": "tag",
    "wafregional": "waf-regional",
}

# S3 operations that are authorised under another name (S3 User Guide, "Required permissions for S3 API operations").
_S3_ACTIONS = {
    "completemultipartupload": "PutObject",
    "createmultipartupload": "PutObject",
    "deletebucketencryption": "PutEncryptionConfiguration",
    "deletebucketlifecycle": "PutLifecycleConfiguration",
    "deletebuckettagging": "PutBucketTagging",
    "deleteobjects": "DeleteObject",
    "getbucketencryption": "GetEncryptionConfiguration",
    "getbucketlifecycle": "GetLifecycleConfiguration",
    "getbucketlifecycleconfiguration": "GetLifecycleConfiguration",
    "headbucket": "ListBucket",
    "headobject": "GetObject",
    "listbuckets": "ListAllMyBuckets",
    "listmultipartuploads": "ListBucketMultipartUploads",
    "listobjects": "ListBucket",
    "listobjectsv2": "ListBucket",
    "listobjectversions": "ListBucketVersions",
    "putbucketencryption": "PutEncryptionConfiguration",
    "putbucketlifecycleconfiguration": "PutLifecycleConfiguration",
    "uploadpart": "PutObject",
}

_VERSION_SUFFIX = compiled_later(r"[0-9]{8}(?:v[0-9]{1,2})?$", re.ASCII)


class _Sentence(NamedTuple):
    """A sentence of IAM's in a text: who is not authorized to perform what, and why."""

    start: int
    """Where the action begins."""
    end: int
    denial: Denial
    rest: str
    """The text that follows the resource."""


def sentences_in(text: str) -> Iterator[_Sentence]:
    """Yield each sentence of IAM's in a text on one line."""
    for phrase in _PHRASES.finditer(text):
        action_match = _ACTION_AT.match(text, phrase.end())
        if action_match is not None:
            denial, reason = _denial(text, phrase.start(), action_match)
            yield _Sentence(action_match.start(), action_match.end(), denial, reason)


def with_token(denial: Denial, text: str) -> Denial:
    """Return the denial of a call with a token, completed by the log around it.

    The log may name the role, the service account and the issuer.
    """
    if denial.action.lower() != "sts:assumerolewithwebidentity":
        return denial
    role, subject, provider = (_only(pattern, text) for pattern in (_ROLE, SERVICE_ACCOUNT_NAME, _ISSUER))
    context = {"aws:FederatedProvider": (provider,), **denial.context} if provider is not None else denial.context
    return denial._replace(resource=denial.resource or role, principal=denial.principal or subject, context=context)


def _only(pattern: re.Pattern[str], text: str) -> str | None:
    """Return what a pattern finds in a text, if it is the same everywhere."""
    texts = {match[0].rstrip(".,:") for match in pattern.finditer(text)}
    return texts.pop() if len(texts) == 1 else None


def _denial(text: str, start: int, action_match: re.Match[str]) -> tuple[Denial, str]:
    called_action = as_in_reference(action_match[1])
    principal = _principal(text, start)
    position = action_match.end()
    resource = name = None
    if match := _RESOURCE.match(_BLANKED.sub(_as_one_word, text[position : position + 2_100])):
        position += match.end()
        # Between quotes is the whole of it: a key of S3 may end in a bracket, such as `report (1)`.
        word = match[1] or match[2] or match[3].strip("\"'`").rstrip(".,;)\\`")
        word = word.replace(_GAP, " ")
        if _SECRET_WITHOUT_END.fullmatch(word) or is_cut_off(word):
            name = word
        elif word == "*" or word.startswith("arn:"):
            resource = word
        elif _NAME.fullmatch(word) and not _HIDDEN.fullmatch(word) and word.lower() not in _KINDS_OF_RESOURCE:
            name = word
    tail = text[position : position + _REASON_WITHIN]
    # The reason ends at the next denial, whose sentence a wrapped line may have broken.
    ends = [match.start() for match in (_PHRASES.search(tail), _NEXT.search(tail)) if match]
    reason = tail[: min(ends, default=None)]
    cause, needed_action = _cause(reason)
    action = called_action if needed_action is None else as_in_reference(needed_action)
    return (
        Denial(
            action=action,
            resource=resource,
            resource_name=name,
            principal=principal,
            cause=cause,
            called=called_action if called_action != action else None,
        ),
        reason,
    )


def _principal(text: str, start: int) -> str | None:
    """Return who is not authorized: usually `User: ARN`, but also `eks.amazonaws.com` or just a role's name."""
    before = _BLANKED.sub(_as_one_word, text[max(0, start - 2_100) : start])
    verb = _VERB.search(before, len(before) - 5)
    if verb is None:
        return None
    word = before[: verb.start()].rpartition(" ")[2]
    if word.lower() in _NOBODY:
        return None
    begin = verb.start() - len(word)
    user = before.rfind("User: ", max(0, begin - 300), begin)
    if user >= 0 and before[user + 6 : begin].startswith("arn:") and " is " not in before[user:begin]:
        return _role_at(before[user + 6 : verb.start()])  # a redacted ARN of several words
    name = _unquoted(word)
    name = _unquoted(name.removeprefix("User:").removeprefix("user:"))
    # `AccessDenied:` and the like end in a colon.
    is_name = bool(name) and not name.endswith(":") and name.lower() not in _NOBODY
    return name.replace(_GAP, " ") if is_name else None


def _as_one_word(match: re.Match[str]) -> str:
    return match[0].replace(" ", _GAP)


def _unquoted(name: str) -> str:
    """Return a name without the quotation marks, commas and brackets around it."""
    name = name.strip("\"'`,;")
    for opening, closing in ("()", "[]", "{}", "<>"):
        if name.startswith(opening) and name.count(opening) > name.count(closing):
            name = name[1:]
        elif name.endswith(closing) and name.count(closing) > name.count(opening):
            name = name[:-1]
        elif name.startswith(f"{opening}arn:") and name.endswith(closing):
            name = name[1:-1]
    return name.strip("\"'`,;")


def _role_at(words: str) -> str | None:
    """Return the ARN of a session up to its role, if nothing up to there was replaced by several words."""
    role = re.match(r"arn:[^\s:]*:sts:[^\s:]*:[^\s:]*:assumed-role/[^\s/]+(?=/)", words)
    return role[0].replace(_GAP, " ") if role else None


def _cause(reason: str) -> tuple[Cause | None, str | None]:
    """Return the reason that a message gives, and the action that must be allowed, if it names one."""
    if match := _NO_ALLOW.search(reason):
        return Cause(_POLICY_TYPES.get(match[1].lower()), explicit=False), match[2]
    if match := _DENY.search(reason):
        policy = _DENY_POLICY.match(reason, match.end())
        return (
            Cause(
                _POLICY_TYPES.get((match[1] or "").lower()),
                explicit=True,
                policy=policy[1].rstrip(".") if policy else None,
            ),
            None,
        )
    if match := _PUBLIC.search(reason):
        return Cause("public-access-block", explicit=True, policy=match[1]), None
    if _NO_RESOURCE_POLICIES in reason:
        return Cause("resource", explicit=False, is_one_of_several="explicitly denies" in reason), None
    return None, None


def prefix_of_service(name: str) -> str | None:
    """Return the IAM prefix of an SDK's service ID (`Elastic Load Balancing v2`) or of an event source's label."""
    words = name.lower().replace("amazon ", "").replace("aws ", "").split()
    compact_name = "".join(words)
    for candidate in (_PREFIXES.get(compact_name), compact_name, "-".join(words)):
        if candidate and reference().has_service(candidate):
            return candidate
    return None


def action_of_operation(service: str, operation: str) -> str:
    """Return the action that authorises an operation, such as `s3:ListBucket` for `ListObjectsV2`."""
    if service == "s3":
        operation = _S3_ACTIONS.get(operation.lower(), operation)
    for name in (operation, _VERSION_SUFFIX.sub("", operation)):
        if info := reference().find(f"{service}:{name}"):
            return info.name
    return f"{service}:{operation}"


def as_in_reference(action: str) -> str:
    """Return an action in the reference's spelling, or unchanged if the reference lacks it."""
    info = reference().find(action)
    return action if info is None else info.name
