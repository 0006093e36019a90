"""Resource patterns of statements: ARNs matched part by part, and the patterns that IAM's manual leaves ambiguous.

An ARN has six parts, split at its first five colons. A wildcard stays within its part and matches `/` there; it matches
`:` only in the last part. Missing parts of a short ARN are `*`. However, the page on the Resource element says that a
`*` at the end of a part "can expand to match beyond the colon boundaries". Every function here returns None (not known)
for what only this second reading matches: `arn:aws:ec2:*:volume/*` may or may not match volumes.

`${*}`, `${?}` and `${$}` are literal characters; any other `${…}` is a policy variable whose value is not known here
(IAM User Guide, "IAM policy elements: variables and tags").
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from ekstui.iam import wildcard
from ekstui.iam.policy_variables import VARIABLE, aligned, literal, opened, template, variables_of
from ekstui.iam.truth import Truth, every, negation, some
from ekstui.named_tuples import NamedTuple

# What ARNs of resources that belong to no customer have as the account, such as `arn:aws:iam::aws:policy/…`.
_ACCOUNT_WORDS = ("", "aws", "amazon", "aws-marketplace", "cloudfront", "third-party")
_ACCOUNT_LENGTH = 12
_NAMED = re.compile(r"<\w+>")
_COLONS = 5
_REGIONS = ("", "??-*-?", "eusc-*-?")
"""The forms of a region, such as us-east-1 and eusc-de-east-1; global services have none."""

_OWNED_BY_AWS = frozenset({"apigateway", "partnercentral", "resource-explorer-2", "ssm"})
"""Services in which ARNs of AWS's own resources have no account although the reference lists one.

AWS's policies show it: `arn:aws:ssm:*::parameter/aws/service/*`. For EC2 the reference itself lists images and
snapshots without an account.
"""


_PATHS_END_IN_SLASH = frozenset(("apigateway", "es", "execute-api", "logs", "s3", "ssm"))
"""Services in which a slash may end the ARN of a resource: a folder of objects, parameters or logs, or the path `/`."""
_BUCKET = re.compile(r"[^/]+/")


class Arn(NamedTuple):
    """The six parts of an ARN or ARN pattern; missing parts are `*`."""

    arn: str
    partition: str
    service: str
    region: str
    account: str
    resource: str


class Readings(NamedTuple):
    """The possible meanings of an ARN pattern."""

    certain: tuple[Arn, ...]
    """The pattern split at its first five colons, or nothing if no ARN could match that."""
    possible: tuple[Arn, ...]
    """The other readings that an ARN could match: those in which a `*` matches a colon."""


def split_arn(text: str) -> Arn:
    """Return the parts of an ARN or ARN pattern, split outside of policy variables; a lone `*` is `*` in every part."""
    trimmed_text = text.strip()
    if not trimmed_text.strip("*") and trimmed_text:
        return Arn("*", "*", "*", "*", "*", "*")
    # Patterns too long to match are not worth caching.
    parts = (
        _pieces(trimmed_text, _COLONS)
        if len(trimmed_text) <= wildcard.MAX_LENGTH
        else tuple(trimmed_text.split(":", _COLONS))
    )
    return Arn(*parts, *["*"] * (6 - len(parts)))


def is_of_aws(arn: str) -> bool:
    """Return whether an ARN is of something of AWS's own, such as a managed policy, rather than of an account's."""
    return arn.split(":", _COLONS)[4:5] == ["aws"]


def is_cut_off(arn: str) -> bool:
    """Return whether an ARN ends in a slash before the name that has to follow, as where a log broke or cut a line."""
    if not (arn.startswith("arn:") and arn.endswith("/")):
        return False
    parts = split_arn(arn)
    # The key of an object is never empty.
    is_bucket = parts.service == "s3" and not parts.account and _BUCKET.fullmatch(parts.resource) is not None
    return is_bucket or parts.service not in _PATHS_END_IN_SLASH


class Entity(NamedTuple):
    """A role or user of IAM, or a session of a role."""

    kind: str
    """`role`, `user` or `session`; empty for anything else."""
    name: str
    """Without the path, which a session's ARN lacks."""
    session: str | None = None


def entity_of(text: str | None) -> Entity:
    """Return the role, user or session whose ARN a text is."""
    if text is None or not text.startswith("arn:"):
        return Entity("", "")
    parts = split_arn(text)
    kind, _, name_part = parts.resource.partition("/")
    if (parts.service, kind) == ("sts", "assumed-role"):
        name, slash, session = name_part.partition("/")
        return Entity("session", name, session if slash else None)
    is_known = parts.service == "iam" and kind in ("role", "user")
    return Entity(kind, name_part.rpartition("/")[2]) if is_known else Entity("", "")


_ONLY_KINDS = {"sqs": "queue", "sns": "topic", "codecommit": "repository"}
"""The kinds of resource of services whose ARNs do not spell it."""


def kind_of_resource(arn: str | None) -> str | None:
    """Return the kind of resource that an ARN names, as the ARN spells it; None without one."""
    if arn is None or arn == "*":
        return arn
    parts = split_arn(arn)
    if parts.service == "s3" and not parts.account:
        return "object" if "/" in parts.resource else "bucket"
    for separator in (":", "/"):
        kind, pieces, _ = parts.resource.partition(separator)
        if pieces and kind.replace("-", "").isalpha():
            return kind
    return _ONLY_KINDS.get(parts.service, parts.service)


def has_variable(pattern: str) -> bool:
    """Return whether the pattern contains a policy variable, whose value depends on the request."""
    return "${" in pattern and bool(variables_of(template(pattern)))


@lru_cache(maxsize=16384)
def readings(pattern: str) -> Readings:
    """Return the possible meanings of a pattern.

    For a pattern with six plausible parts, only the reading by parts counts: any other would need a name with a colon
    that looks like the rest of an ARN.
    """
    by_parts = split_arn(pattern)
    if set(by_parts) == {"*"} or len(pattern) > wildcard.MAX_LENGTH:
        return Readings((by_parts,), ())
    is_short = len(_pieces(pattern.strip(), _COLONS)) <= _COLONS
    plausible = is_plausible(by_parts)
    crossing = (
        tuple(reading for reading in _across_colons(pattern) if is_plausible(reading))
        if is_short or not plausible
        else ()
    )
    return Readings((by_parts,) if plausible or not (crossing or is_short) else (), crossing)


def readings_of(resources: Iterable[str]) -> int:
    """Return how many readings some patterns have together, at least one; a short ARN may have dozens."""
    return max(1, sum(len(meaning) for pattern in resources for meaning in readings(pattern)))


def is_uncertain(pattern: str) -> bool:
    """Return whether a pattern has no certain reading, so that it may match nothing."""
    return not readings(pattern).certain


def is_plausible(arn: Arn) -> bool:
    """Return whether an ARN could have the region and account of a pattern.

    `<Region>` and the like stand for one value that is not filled in.
    """
    return _is_place(arn.region, arn.account)


@lru_cache(maxsize=4096)
def _is_place(region: str, account: str) -> bool:
    account, region = ("" if _NAMED.fullmatch(part) else open_variables(part) for part in (account, region))
    numbers = set(account) <= set("0123456789*?") and wildcard.overlaps(account, "?" * _ACCOUNT_LENGTH)
    is_account_end = not region or region[-1] in "0123456789*?"
    return (
        (numbers or account in _ACCOUNT_WORDS)
        and is_account_end
        and any(wildcard.overlaps(region, form) for form in _REGIONS)
    )


def open_variables(text: str) -> str:
    """Return an ARN, an ARN format of the reference, or a part of one, with `*` for each variable."""
    return opened(template(text)) if "$" in text else text


@lru_cache(maxsize=4096)
def open_format(arn_format: str) -> str:
    """Return an ARN format of the reference as a pattern, in which the region and account, if variable, are not empty.

    "Missing ARN Region" and "Missing ARN account" of the IAM User Guide's policy checks. AWS's own resources are an
    exception in some services.
    """
    form = split_arn(open_variables(arn_format))
    region = "?*" if form.region == "*" else form.region
    account = "?*" if form.account == "*" and form.service not in _OWNED_BY_AWS else form.account
    return ":".join(form._replace(region=region, account=account))


def meet(arn_a: Arn, arn_b: Arn) -> bool:
    """Return whether some ARN matches both, part by part, for some values of the variables."""
    return _all_parts(wildcard.overlaps, arn_a, arn_b)


def _any_meet(arns_a: tuple[Arn, ...], arns_b: tuple[Arn, ...]) -> bool:
    return any(meet(arn_a, arn_b) for arn_a in arns_a for arn_b in arns_b)


def matches_resource(pattern: str, arn: str) -> bool | None:
    """Return whether a resource pattern matches an ARN; None if that depends on a policy variable or on the reading."""
    if pattern == "*":
        return True
    concrete = literal(arn)
    special = split_arn(concrete)
    if _all_parts(wildcard.matches, split_arn(pattern), special):
        return None if has_variable(pattern) else True
    # Comparing the text as a whole is quicker and rules out nearly everything.
    text = open_variables(pattern)
    if wildcard.matches(text, concrete) or wildcard.matches(f"{text}:*", concrete):
        return (
            None
            if any(_all_parts(wildcard.matches, reading, special) for reading in _across_colons(pattern))
            else False
        )
    return False


def overlaps_resource(a: str, b: str) -> bool | None:
    """Return whether some ARN matches both resource patterns; None if that depends on a variable or on the reading."""
    readings_a, readings_b = readings(a), readings(b)
    if "*" in (a, b) and readings_a.certain and readings_b.certain:
        return True
    if _any_meet(readings_a.certain, readings_b.certain):
        return None if has_variable(a) or has_variable(b) else True
    depends = (readings_a.possible or readings_b.possible) and _any_meet(
        readings_a.certain + readings_a.possible, readings_b.certain + readings_b.possible
    )
    return None if depends else False


@lru_cache(maxsize=16384)
def resource_covers(general: str, special: str) -> bool | None:
    """Return whether `general` matches every ARN that `special` matches; None if that depends on a variable or reading.

    A variable has the same value on both sides, so `${aws:username}/*` covers `${aws:username}/a`.
    """
    if general in ("*", special):
        return True
    general_readings, special_readings = readings(general), readings(special)
    if not general_readings.possible and not special_readings.possible:
        return _covers(split_arn(general), split_arn(special))
    meanings = special_readings.certain + special_readings.possible or (split_arn(special),)
    if all(any(_covers(reading, meaning) is True for reading in general_readings.certain) for meaning in meanings):
        return True
    depends = any(
        _covers(reading, meaning) is not False
        for reading in general_readings.certain + general_readings.possible
        for meaning in meanings
    )
    return None if depends else False


Resources = tuple[str, tuple[str, ...]]
"""A statement's `Resource` or `NotResource`, and what it lists."""


def list_covers(general: Resources, special: Resources, covers: Callable[[str, str], Truth] = resource_covers) -> Truth:
    """Return whether `general` applies to every ARN that `special` applies to; None if that is not known."""
    (general_element, generals), (special_element, specials) = general, special
    if general_element == special_element == "Resource":
        return every(part in generals or some(covers(pattern, part) for pattern in generals) for part in specials)
    if general_element == special_element:
        return every(part in specials or some(covers(pattern, part) for pattern in specials) for part in generals)
    if general_element == "Resource":
        return "*" in generals
    return every(negation(overlaps_resource(exclusion, resource)) for exclusion in generals for resource in specials)


def lists_overlap(list_a: Resources, list_b: Resources, covers: Callable[[str, str], Truth] = resource_covers) -> Truth:
    """Return whether some ARN is one that both lists apply to; None if that is not known."""
    if list_a[0] == list_b[0] == "Resource":
        return some(overlaps_resource(a, b) for a in list_a[1] for b in list_b[1])
    if list_a[0] == list_b[0]:
        return True
    resources, excluded_resources = (list_a[1], list_b[1]) if list_a[0] == "Resource" else (list_b[1], list_a[1])
    return some(
        every(negation(covers(exclusion, resource)) for exclusion in excluded_resources) for resource in resources
    )


def _covers(general: Arn, special: Arn) -> bool | None:
    in_wide, in_narrow = any(map(has_variable, general)), any(map(has_variable, special))
    if not in_wide and not in_narrow:
        # Most differ in their last parts.
        return all(
            a == b or wildcard.covers(open_variables(a), open_variables(b))
            for a, b in zip(reversed(general), reversed(special), strict=True)
        )
    pairs = (aligned(template(a), template(b)) for a, b in zip(general, special, strict=True))
    if all(pair is not None and wildcard.covers(*pair) for pair in pairs):
        return True
    return None if _all_parts(wildcard.overlaps if in_narrow else wildcard.covers, general, special) else False


def _all_parts(compare: Callable[[str, str], bool], arn_a: Arn, arn_b: Arn) -> bool:
    """Return whether the comparison holds for each part, with `*` for variables."""
    return all(compare(open_variables(a), open_variables(b)) for a, b in zip(arn_a, arn_b, strict=True))


@lru_cache(maxsize=4096)
def _across_colons(pattern: str) -> tuple[Arn, ...]:
    """Return the readings of a pattern in which a `*` at the end of a part matches one colon or more."""
    pieces = _pieces(pattern.strip())
    # Missing parts of a short ARN may be filled in before or after a wildcard expands.
    missing_parts = max(0, _COLONS + 1 - len(pieces))
    forms = ((*pieces, *["*"] * count) for count in range(missing_parts + 1))
    readings = dict.fromkeys(reading for form in forms for reading in _expansions([], form))
    readings.pop(split_arn(pattern), None)
    return tuple(readings)


def _expansions(parts: list[str], pieces: tuple[str, ...]) -> Iterator[Arn]:
    """Yield every ARN that starts with these parts and continues with the pieces between the pattern's colons."""
    if len(parts) == _COLONS or not pieces:
        padding = ["*"] * (_COLONS - len(parts))
        yield Arn._make([*parts, *padding, ":".join(pieces) if pieces else "*"])
        return
    piece, later_pieces = pieces[0], pieces[1:]
    yield from _expansions([*parts, piece], later_pieces)
    new_parts = [*parts, piece]
    while piece.endswith("*") and len(new_parts) < _COLONS:
        new_parts = [*new_parts, "*"]
        yield from _expansions(new_parts, later_pieces)
    if piece.endswith("*") and later_pieces:
        yield Arn._make([*new_parts, ":".join(("*", *later_pieces))])


@lru_cache(maxsize=16384)
def _pieces(text: str, cuts: int = -1) -> tuple[str, ...]:
    """Return the pieces between the colons of a text, or between its first `cuts` colons."""
    if "${" not in text:
        return tuple(text.split(":", cuts))
    # Masked to the same length, so that colons within variables are not counted.
    # Searching what follows the last brace for one that closes a variable would take squared time.
    end = text.rfind("}") + 1
    masked_text = VARIABLE.sub(lambda match: "_" * len(match[0]), text[:end]) + text[end:]
    parts = []
    start = 0
    for piece in masked_text.split(":", cuts):
        parts.append(text[start : start + len(piece)])
        start += len(piece) + 1
    return tuple(parts)
