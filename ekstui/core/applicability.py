"""Whether a statement can have any effect on an action: by the resources it is given and by its condition keys.

The console only checks that a resource belongs to the action's service. The service authorization reference also says
which resource types an action takes, so an ARN that none of them can have gives nothing.
"""

import re
from functools import lru_cache

from ekstui.core import arn, wildcard
from ekstui.core.conditions.known_keys import is_unassigned, lists_key
from ekstui.core.conditions.operators import operator
from ekstui.core.document import Condition, Statement
from ekstui.core.reference import ActionInfo, reference

_PLACEHOLDER = re.compile(r"\$\{(\w*)\}")

# Names of the reference's placeholders whose values never hold a slash, where it matters: without this a bucket's
# ARN would take in every object.
_WITHOUT_SLASH = {"BucketName"}


def applicable_resources(action: ActionInfo | None, statement: Statement) -> tuple[str, ...]:
    """Return those of the statement's resources that the action can be used on; for `NotResource` all or none.

    Of an action that the reference lacks (None) nothing is ruled out. A statement without resources, as in a trust
    policy, applies to all.
    """
    if statement.resource_element is None:
        return ("*",)
    if action is None:
        return statement.resources
    if statement.resource_element == "NotResource":
        return () if _leaves_nothing(action, statement.resources) else statement.resources
    if statement.resources == ("*",):
        return statement.resources
    return tuple(resource for resource in statement.resources if can_be_on(action, resource))


def can_be_on(action: ActionInfo, resource: str) -> bool:
    """Return False only if the action can never be used on what a resource pattern matches.

    An action that takes no resource needs `*`.
    """
    if not resource.strip("*") or len(resource) > wildcard.MAX_LENGTH:
        return resource[:1] == "*"
    service = action.name.partition(":")[0]
    return any(fits_type(service, use.name, resource) is not False for use in action.resource_types)


@lru_cache(maxsize=65536)
def fits_type(service: str, resource_type: str, resource: str) -> bool | None:
    """Return whether a resource pattern matches some ARN of a resource type, whatever the value of a policy variable.

    None where the reference does not describe the type, and where IAM's documentation leaves two readings of the
    pattern (see core/arn.py).
    """
    kind = reference().resource_type(service, resource_type)
    if kind is None:
        return None
    answers = {_fits_format(arn_format, resource) for arn_format in kind.arn_formats}
    return True if True in answers else None if None in answers else False


def is_of_known_type(service: str, resource: str) -> bool:
    """Return whether a resource pattern can be of any resource type that the reference has for a service."""
    return any(fits_type(service, name, resource) is not False for name in reference().resource_types(service))


def unsupported_keys(action: ActionInfo, conditions: tuple[Condition, ...]) -> tuple[str, ...]:
    """Return the keys that no request for the action has although their condition needs them, as written.

    Only keys of the action's own service and tags of the resource count: AWS's other global keys hold everywhere.
    """
    service = action.name.partition(":")[0] + ":"
    return tuple(
        dict.fromkeys(
            condition.key
            for condition in conditions
            if condition.key.lower().startswith((service, "aws:resourcetag/"))
            and needs_its_key(condition)
            and not supports_key(action, condition.key)
        )
    )


def supports_key(action: ActionInfo, key: str) -> bool:
    """Return whether the reference lists a condition key for an action, or for the service without naming any action."""
    return lists_key(action.name, key) or is_unassigned(key)


def needs_its_key(condition: Condition) -> bool:
    """Return whether a condition is certain not to hold while its key is absent from the request."""
    known = operator(condition.operator)
    return known is not None and known.needs_key(condition.values)


def _leaves_nothing(action: ActionInfo, excluded: tuple[str, ...]) -> bool:
    """Return whether a `NotResource` list excludes everything that the action can be used on."""
    if any(resource and not resource.strip("*") for resource in excluded):
        return True
    if not action.resource_types:
        return False
    service = action.name.partition(":")[0]
    kinds = [reference().resource_type(service, use.name) for use in action.resource_types]
    return all(
        kind is not None
        and all(any(arn.resource_covers(entry, _open(form)) is True for entry in excluded) for form in kind.arn_formats)
        for kind in kinds
    )


def _fits_format(arn_format: str, resource: str) -> bool | None:
    form = arn.split_arn(_open(arn_format))
    named = arn.split_arn(arn_format).resource
    without_slash = "/" not in named and set(_PLACEHOLDER.findall(named)) <= _WITHOUT_SLASH

    def fits(reading: arn.Arn) -> bool:
        if without_slash and "/" in arn.open_variables(reading.resource):
            return False
        return (arn.is_plausible(reading) or form.account != "*") and arn.meet(form, reading)

    meanings = arn.readings(resource)
    if any(map(fits, meanings.certain)):
        return True
    # Names have no colon, so those that a pattern still has are the form's own.
    crossing = (each for each in meanings.possible if each.resource.count(":") <= form.resource.count(":"))
    return None if any(map(fits, crossing)) else False


@lru_cache(maxsize=8192)
def _open(arn_format: str) -> str:
    return _PLACEHOLDER.sub("*", arn_format)
