"""Condition keys that depend on each other: which values exclude each other, and what one key implies for another.

Source: IAM User Guide, "AWS global condition context keys"; the service authorization reference for EC2 and KMS.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from ekstui.iam import wildcard
from ekstui.iam.arn import split_arn
from ekstui.iam.conditions.arn_values import form_of_values
from ekstui.iam.conditions.known_keys import type_of
from ekstui.iam.conditions.spans import POINTS
from ekstui.named_tuples import NamedTuple

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
"""Account numbers that AWS's documentation uses as examples."""

STAND_IN = "zq"
"""A value that does not occur in policies."""

Values = tuple[str, ...]
KeyValues = Mapping[str, Values]

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_ARN = re.compile(r"arn:[a-z-]+:[^:*?]+:[^:*?]*:[^:*?]*:.+", re.DOTALL)
_PRINCIPAL = re.compile(r"arn:[a-z-]+:(?:iam::[0-9]{12}:(?:role/.+|user/.+|root)|sts::[0-9]{12}:federated-user/.+)")
_TAG_OF_RESOURCE = re.compile(r"[a-z0-9-]+:resourcetag/(.*)", re.DOTALL)

_PRINCIPAL_TYPES = {"role": "AssumedRole", "user": "User", "root": "Account", "federated-user": "FederatedUser"}


class DependentKeys(NamedTuple):
    """A pair of keys that depend on each other."""

    key_a: str
    key_b: str
    agree: Callable[[Values, Values], bool]
    """Whether a request may have both; without values it lacks the key."""
    forward: Callable[[Values, Values], Values]
    """The values of `key_b`, given new values of `key_a` and its own old ones."""
    backward: Callable[[Values, Values], Values]
    """The values of `key_a`, given new values of `key_b` and its own old ones."""


def _equal(values_a: Values, values_b: Values) -> bool:
    return not values_a or not values_b or values_a == values_b


def _keep(new: Values, old: Values) -> Values:
    return new if old else old


def _account(arns: Values) -> str:
    return split_arn(arns[0]).account if arns else ""


def _with_source_account(arns: Values, accounts: Values) -> bool:
    account = _account(arns)
    return not _ACCOUNT.fullmatch(account) or accounts == (account,)


def _account_of(arns: Values, old: Values) -> Values:
    account = _account(arns)
    return (account,) if account else old


def _with_account(accounts: Values, arns: Values) -> Values:
    if not accounts or not arns:
        return arns
    parts = split_arn(arns[0])
    return (":".join(parts._replace(account=accounts[0])),) if parts.account else arns


def _kind(arns: Values) -> str:
    return split_arn(arns[0]).resource.partition("/")[0] if arns else ""


def _user_of(arns: Values, _: Values) -> Values:
    return (split_arn(arns[0]).resource.rpartition("/")[2],) if _kind(arns) == "user" else ()


def _as_user(names: Values, arns: Values) -> Values:
    account = _account(arns) or ACCOUNT
    return (f"arn:aws:iam::{account}:user/{names[0]}" if names else f"arn:aws:iam::{account}:role/{STAND_IN}",)


def _as_type(types: Values, arns: Values) -> Values:
    account = _account(arns) or ACCOUNT
    kind = next((kind for kind, name in _PRINCIPAL_TYPES.items() if types == (name,)), "role")
    service = "sts" if kind == "federated-user" else "iam"
    return (f"arn:aws:{service}::{account}:{kind if kind == 'root' else f'{kind}/{STAND_IN}'}",)


def _within(organisations: Values, paths: Values) -> bool:
    if not organisations or not paths:
        return organisations == paths
    return all(path.partition("/")[0] == organisations[0] for path in paths)


def _together(values_a: Values, values_b: Values) -> bool:
    return bool(values_a) == bool(values_b)


def _with_it(one: Values, old: Values) -> Values:
    return (old or (STAND_IN,)) if one else ()


def _are_disjoint(values_a: Values, values_b: Values) -> bool:
    return not (values_a and values_b)


def _without_it(one: Values, old: Values) -> Values:
    return () if one else old


def _in_region(regions: Values, zones: Values) -> bool:
    return not regions or not zones or zones[0].startswith(regions[0])


def _zone_in(regions: Values, old: Values) -> Values:
    return (f"{regions[0]}a",) if regions and old else old


DEPENDENT_KEYS = (
    DependentKeys(
        "aws:principalarn", "aws:principalaccount",
        lambda arns, accounts: not accounts or _account(arns) in ("", accounts[0]), _account_of, _with_account,
    ),
    DependentKeys("aws:sourcearn", "aws:sourceaccount", _with_source_account, _account_of, _with_account),
    DependentKeys("aws:principalaccount", "kms:calleraccount", _equal, _keep, _keep),
    DependentKeys(
        "aws:principalarn", "aws:username",
        lambda arns, names: not arns or names == _user_of(arns, names), _user_of, _as_user,
    ),
    DependentKeys(
        "aws:principalarn", "aws:principaltype",
        lambda arns, types: not arns or not types or _PRINCIPAL_TYPES.get(_kind(arns)) == types[0],
        lambda arns, old: (_PRINCIPAL_TYPES[_kind(arns)],) if _kind(arns) in _PRINCIPAL_TYPES else old, _as_type,
    ),
    DependentKeys(
        "aws:multifactorauthpresent", "aws:multifactorauthage",
        lambda present, age: bool(age) == (present == ("true",)),
        lambda present, old: (old or ("60",)) if present == ("true",) else (),
        lambda age, old: ("true",) if age else old if old != ("true",) else ("false",),
    ),
    *(
        DependentKeys(
            f"aws:{whose}orgid", f"aws:{whose}orgpaths", _within,
            lambda organisations, _: tuple(f"{organisation}/r-{STAND_IN}/" for organisation in organisations),
            lambda paths, _: (paths[0].partition("/")[0],) if paths else (),
        )
        for whose in ("principal", "resource", "source", "vpce")
    ),
    DependentKeys(
        "aws:currenttime", "aws:epochtime",
        lambda values_a, values_b: (
            not values_a or not values_b or POINTS["date"](values_a[0]) == POINTS["date"](values_b[0])
        ),
        _keep, _keep,
    ),
    DependentKeys("aws:requestedregion", "ec2:region", _equal, _keep, _keep),
    DependentKeys("aws:requestedregion", "ec2:availabilityzone", _in_region, _zone_in, lambda _, old: old),
    DependentKeys("ec2:region", "ec2:availabilityzone", _in_region, _zone_in, lambda _, old: old),
    DependentKeys("aws:sourcevpc", "aws:sourcevpce", _together, _with_it, _with_it),
    DependentKeys(
        "aws:sourcevpc", "aws:vpcsourceip", _together,
        lambda one, old: (old or ("10.0.0.1",)) if one else (), _with_it,
    ),
    DependentKeys("aws:sourcevpc", "aws:sourceip", _are_disjoint, _without_it, _without_it),
    DependentKeys("aws:sourcevpce", "aws:sourceip", _are_disjoint, _without_it, _without_it),
    DependentKeys(
        "aws:principalisawsservice", "aws:principalservicename",
        lambda truth, names: not truth or bool(names) == (truth == ("true",)),
        lambda truth, old: (old or (f"{STAND_IN}.amazonaws.com",)) if truth == ("true",) else (),
        lambda names, _: ("true",) if names else ("false",),
    ),
)  # fmt: skip
"""A new pair of keys that depend on each other is an entry here."""


def _followers() -> dict[str, list[tuple[DependentKeys, str, Callable[[Values, Values], Values]]]]:
    """Return the keys that follow each key, with their pair and the step to them."""
    followers: dict[str, list[tuple[DependentKeys, str, Callable[[Values, Values], Values]]]] = {}
    for pair in DEPENDENT_KEYS:
        followers.setdefault(pair.key_a, []).append((pair, pair.key_b, pair.forward))
        followers.setdefault(pair.key_b, []).append((pair, pair.key_a, pair.backward))
    return followers


_FOLLOWERS = _followers()


@lru_cache(maxsize=65536)
def is_possible(key: str, values: Values) -> bool:
    """Return whether the values of a key, in lower case, have the type that AWS gives it."""
    if not values:
        return True
    if key == "aws:principalarn":
        return all(map(_PRINCIPAL.fullmatch, values))
    if key == "aws:principaltype":
        return all(value in _PRINCIPAL_TYPES.values() for value in values)
    if key == "aws:tagkeys":
        return "" not in values
    if key == "aws:principalisawsservice":
        return values == ("false",)  # a service that calls on its own behalf has no identity policies
    if key.startswith("aws:") and key.endswith(("orgid", "orgpaths")):
        return all(value.startswith("o-") for value in values)
    match type_of(key):
        case "account":
            return all(map(_ACCOUNT.fullmatch, values))
        case "arn":
            form = form_of_values(key)
            return all(_ARN.fullmatch(value) and wildcard.matches(form, value) for value in values)
        case "truth":
            return all(value in ("true", "false") for value in values)
        case "number" | "date" | "address" as kind:
            return all(POINTS[kind](value) is not None for value in values)
        case _:
            return True


def follow(context: KeyValues, changed_key: str) -> KeyValues:
    """Return the context with the keys that depend on one key adjusted to it."""
    if changed_key not in _FOLLOWERS and not changed_key.endswith(":resourceaccount"):
        return context
    whole_context = dict(context)
    pending, visited_keys = [changed_key], {changed_key}
    while pending:
        key = pending.pop()
        for pair, dependent, step in _FOLLOWERS.get(key, ()):
            if dependent in whole_context and dependent not in visited_keys:
                if not pair.agree(whole_context[pair.key_a], whole_context[pair.key_b]):
                    whole_context[dependent] = step(whole_context[key], whole_context[dependent])
                    pending.append(dependent)
                visited_keys.add(dependent)
    if changed_key.endswith(":resourceaccount"):
        for key in whole_context:
            if key.endswith(":resourceaccount") and whole_context[key]:
                whole_context[key] = whole_context[changed_key] or whole_context[key]
    return whole_context


def agreeing(context: KeyValues, resource: str, spelled_tags: Mapping[str, str]) -> KeyValues | None:
    """Return the context with the keys that follow from the others; None if they contradict each other."""
    if not all(is_possible(key, values) for key, values in context.items()):
        return None
    for pair in DEPENDENT_KEYS:
        if pair.key_a in context and pair.key_b in context and not pair.agree(context[pair.key_a], context[pair.key_b]):
            return None
    if not _agrees_with_resource(context, resource):
        return None
    full_context = dict(context)
    for entries, list_key in (
        ("aws:requesttag/", "aws:tagkeys"),
        ("kms:encryptioncontext:", "kms:encryptioncontextkeys"),
    ):
        if any(key.startswith(entries) or key == list_key for key in context):
            _agree_on_listed_names(full_context, entries, list_key, spelled_tags)
    agree = _agree_on_tags_of_resource(full_context) and _agree_on_chain(full_context)
    return full_context if agree else None


def _agree_on_tags_of_resource(context: dict[str, Values]) -> bool:
    """Give each resource tag the same value under every service's key; return whether nothing contradicts that."""
    for key, values in tuple(context.items()):
        tag = _TAG_OF_RESOURCE.fullmatch(key)
        for spelling in context if tag and values else ():
            if tag and spelling.endswith(f":resourcetag/{tag[1]}"):
                if context[spelling] not in ((), values):
                    return False
                context[spelling] = values
    return True


def _agrees_with_resource(context: KeyValues, resource: str) -> bool:
    arn = split_arn(resource) if resource != "*" else None
    accounts = {values for key, values in context.items() if key.endswith(":resourceaccount") and values}
    partitions = set()
    if arn is not None:
        partitions.add(arn.partition)
        if _ACCOUNT.fullmatch(arn.account):
            accounts.add((arn.account,))
        for key in ("aws:requestedregion", "ec2:region"):
            if arn.region and context.get(key) and context[key] != (arn.region,):
                return False
    for key, values in context.items():
        if type_of(key) == "arn":
            partitions.update(split_arn(value).partition for value in values)
    return len(accounts) < 2 and len(partitions) < 2


def _agree_on_listed_names(context: dict[str, Values], prefix: str, list_key: str, spelling: Mapping[str, str]) -> None:
    """Make a key that lists names, such as aws:TagKeys, and the keys of these names, which have a prefix, consistent."""
    listed_names = {value.lower() for value in context.get(list_key, ())}
    names = [key.removeprefix(prefix) for key, values in context.items() if key.startswith(prefix) and values]
    context[list_key] = (
        *context.get(list_key, ()),
        *(spelling.get(name, name) for name in names if name not in listed_names),
    )
    for value in context[list_key]:
        if not context.get(prefix + value.lower()):
            context[prefix + value.lower()] = (STAND_IN,)


def _agree_on_chain(context: dict[str, Values]) -> bool:
    """Make the keys about services that call on the principal's behalf consistent; return whether that is possible."""
    first, last = context.get("aws:calledviafirst", ()), context.get("aws:calledvialast", ())
    chain = context.get("aws:calledvia", ())
    if not (first or last or chain):
        if not context.get("aws:viaawsservice"):
            context["aws:viaawsservice"] = ("false",)
        return True
    if chain:
        if first not in ((), chain[:1]) or last not in ((), chain[-1:]):
            return False
    else:
        chain = (*(first or last), *(last if last and last != first and first else ()))
    context.update({"aws:calledvia": chain, "aws:calledviafirst": chain[:1], "aws:calledvialast": chain[-1:]})
    if context.get("aws:viaawsservice") not in (None, (), ("true",)):
        return False
    context["aws:viaawsservice"] = ("true",)
    return True
