"""The IAM console's own words for access, resources and conditions (IAM User Guide, "Policy summaries")."""

from collections.abc import Iterable, Mapping

from ekstui.iam.arn import Arn, readings, split_arn
from ekstui.iam.document import Condition, ResourceElement
from ekstui.iam.reference import LEVELS
from ekstui.named_tuples import NamedTuple

FULL_ACCESS = "Full access"
NO_ACCESS = "None"
NO_ACTIONS = "⚠ No actions are defined."
ALL_RESOURCES = "All resources"
MULTIPLE = "Multiple"
NO_CONDITION = "None"
EVERY_REGION = "All regions"
ALL_ACCOUNTS = "All accounts"
THIS_ACCOUNT = "This account"

NO_RESOURCES_DEFINED = "No resources are defined."
ACTIONS_WITHOUT_RESOURCE = "One or more actions do not have an applicable resource."
RESOURCES_WITHOUT_ACTION = "One or more resources do not have an applicable action."
ACTIONS_WITHOUT_CONDITION = "One or more actions do not have an applicable condition."
CONDITIONS_WITHOUT_ACTION = "One or more conditions do not have an applicable action."

NEEDS_WILDCARD = (
    "This action does not support resource-level permissions. This requires a wildcard (*) for the resource."
)
NO_APPLICABLE_RESOURCE = "This action does not have an applicable resource."
NO_RESOURCE_AND_CONDITION = "This action does not have an applicable resource and condition."
MULTIPLE_KEYS_UNSUPPORTED = "Multiple condition keys are not supported for this action."

# AWS documents these warnings only as screenshots; the words are ekstui's.
UNRECOGNISED_SERVICE = "This service is not recognised."
UNRECOGNISED_ACTIONS = "One or more actions are not recognised."
UNRECOGNISED_ACTION = "This action is not recognised."
UNCERTAIN_RESOURCE = "Whether this resource matches is not certain: a part of its ARN is missing."
UNLISTED = "AWS's reference, which says so, is not complete: whether this action is allowed is not known."
"""Beside the console's warning: aws-marketplace:Subscribe does have `aws-marketplace:ProductId`."""
UNLISTED_RESOURCE = "AWS's reference does not list such a resource for this action: whether it is allowed is not known."
UNCHECKED_RESOURCES = "Too many resources to check whether each applies to this action."
UNMATCHED_PATTERN = "No known action matches this pattern."


class LevelCount(NamedTuple):
    """How many actions of one access level are granted, out of those that the reference has."""

    granted: int
    total: int


def access_words(levels: Mapping[str, LevelCount], count_named: Mapping[str, int]) -> str:
    """Return the access level cell: `Full access`, `Full: List Limited: Read, Write` or `None`.

    Levels without any granted action are left out. As in the console, a level is full if all of its actions are named
    (`count_named` counts them), even if some have no applicable resource; a warning and the count show that.
    """
    counts = [(level, levels[level]) for level in LEVELS if level in levels and levels[level].total]
    full_levels = [level for level, count in counts if count.granted and count_named.get(level) == count.total]
    limited_levels = [level for level, count in counts if count.granted and level not in full_levels]
    if full_levels and len(full_levels) == len(counts):
        return FULL_ACCESS
    parts = [
        f"{word}: {', '.join(names)}" for word, names in (("Full", full_levels), ("Limited", limited_levels)) if names
    ]
    return " ".join(parts) or NO_ACCESS


def resource_words(restrictions: Iterable[tuple[ResourceElement, tuple[str, ...]]]) -> str:
    """Return the resource cell: `All resources`, `Multiple`, the only resource, or nothing if none is granted."""
    distinct = set(restrictions)
    if len(distinct) != 1:
        return MULTIPLE if distinct else ""
    element, resources = distinct.pop()
    if element == "NotResource" or len(resources) != 1:
        return MULTIPLE
    return ALL_RESOURCES if resources == ("*",) else resources[0]


def condition_words(conditions: Iterable[Condition]) -> str:
    """Return the request condition cell: `None`, the only condition, or `Multiple`."""
    distinct = {(line.operator.lower(), line.key.lower(), frozenset(line.values)): line for line in conditions}
    if len(distinct) != 1:
        return MULTIPLE if distinct else NO_CONDITION
    return condition_text(next(iter(distinct.values())))


def condition_text(condition: Condition) -> str:
    """Return one line of a condition block, such as `s3:x-amz-acl = public-read` or `aws:SourceIp IpAddress …`."""
    relation = "=" if condition.operator == "StringEquals" else condition.operator
    return f"{condition.key} {relation} {', '.join(condition.values)}"


def unsupported_words(keys: tuple[str, ...]) -> str:
    """Return the warning about condition keys that an action does not support."""
    return (
        f"{keys[0]} is not a supported condition key for this action." if len(keys) == 1 else MULTIPLE_KEYS_UNSUPPORTED
    )


def region_words(resource: str) -> str:
    """Return the region that a resource pattern names, or `All regions`."""
    region = _parts(resource).region
    return region if region.strip("*") else EVERY_REGION


def account_words(resource: str, account: str | None) -> str:
    """Return the account that a resource pattern names: its number, `This account` (the caller's) or `All accounts`."""
    pattern_account = _parts(resource).account
    if not pattern_account.strip("*"):
        return ALL_ACCOUNTS
    return THIS_ACCOUNT if pattern_account == account else pattern_account


def _parts(resource: str) -> Arn:
    """Return the parts of a resource in its likeliest reading."""
    meanings = readings(resource)
    return next(iter(meanings.certain + meanings.possible), split_arn(resource))
