"""An action: its level, resource types and condition keys, the statements that match it, and completing its name."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from ekstui.iam import console
from ekstui.iam.document import Document, Statement
from ekstui.iam.grants import may_match, statement_may_match
from ekstui.iam.reference import ActionInfo, ResourceUse, reference
from ekstui.iam.summary import ActionSummary
from ekstui.named_tuples import NamedTuple


class CardResource(NamedTuple):
    """A resource type that the action takes."""

    name: str
    required: bool
    """Whether every request for the action names one. If several types are required, a policy must allow each."""
    arn_formats: tuple[str, ...]
    """Such as `arn:${Partition}:ec2:${Region}:${Account}:volume/${VolumeId}`."""
    condition_keys: tuple[str, ...]
    """The keys that the action has on this resource, and those of the resource type itself."""


class ActionCard(NamedTuple):
    """Everything that the reference says about an action."""

    info: ActionInfo | None
    """None if the reference lacks it; AWS has undocumented actions."""
    service_title: str
    """Such as `Amazon EC2`, or the prefix if the service is unknown."""
    resources: tuple[CardResource, ...]
    """Required ones first. An action without resource types needs `*` in a statement."""

    @property
    def needs_wildcard(self) -> bool:
        """Whether the action has no resource-level permissions, so that a statement needs `*`."""
        return self.info is not None and not self.resources


def action_card(action: str) -> ActionCard:
    """Return the card of an action, ignoring case."""
    info = reference().find(action)
    service = action.strip().partition(":")[0].lower()
    resources = [_resource(service, use) for use in info.resource_types] if info else []
    resources.sort(key=lambda entry: not entry.required)
    return ActionCard(info, reference().service_title(service), tuple(resources))


def _resource(service: str, use: ResourceUse) -> CardResource:
    kind = reference().resource_type(service, use.name)
    keys = {*use.condition_keys, *(kind.condition_keys if kind else ())}
    return CardResource(
        name=use.name,
        required=use.required,
        arn_formats=kind.arn_formats if kind else (),
        condition_keys=tuple(sorted(keys, key=str.lower)),
    )


SHORTEST_NAME = 3
"""The shortest text without a colon that is looked up among the names of all actions, in characters."""


def action_completions(text: str, limit: int = 20) -> tuple[str, ...]:
    """Return completions of a text, best first: `ec2:` for `ec`, `eks:DescribeCluster` for `eks:descr`.

    Without a colon: services, then actions of any service, that start with the text. With a colon: the service's
    actions that start with it, then those that contain it. Case is ignored.
    """
    prefix = text.strip().lower()
    service, colon, name = prefix.partition(":")
    completions = _in_service(service, name) if colon else _anywhere(prefix)
    return tuple(dict.fromkeys(islice(completions, limit)))


def _in_service(service: str, name: str) -> Iterator[str]:
    names = reference().names(service)
    yield from (spelling for lower, spelling in names.items() if lower.startswith(name))
    yield from (spelling for lower, spelling in names.items() if name in lower and not lower.startswith(name))


def _anywhere(text: str) -> Iterator[str]:
    if not text:
        return
    yield from (f"{service}:" for service in reference().services() if service.startswith(text))
    if len(text) < SHORTEST_NAME:
        return
    names = _by_name()
    for place in range(bisect_left(names, (text, "")), len(names)):
        lower, spelling = names[place]
        if not lower.startswith(text):
            return
        yield spelling


@cache
def _by_name() -> list[tuple[str, str]]:
    """Return every action as (lower-case name, full name), sorted; the first call reads all services in 150 ms."""
    return sorted(
        (lower, spelling)
        for service in reference().services()
        for lower, spelling in reference().names(service).items()
    )


class ResourceRow(NamedTuple):
    """A resource on which an action is given or denied."""

    resource: str
    """The pattern as written, `All resources`, or `All resources except …`."""
    region: str
    """The region as written, or `All regions`."""
    account: str
    """The account as written, `All accounts` or `This account`."""
    condition: str
    """`None`, the one condition, or `Multiple`."""


def resources_of(action: ActionSummary, account: str | None = None) -> tuple[ResourceRow, ...]:
    """Return the rows of an action in document order; `account` is the caller's own, if known."""
    rows: list[ResourceRow] = []
    for grant in action.grants:
        condition = console.condition_words(grant.conditions)
        if grant.resource_element == "NotResource":
            all_but_listed = f"{console.ALL_RESOURCES} except {', '.join(grant.resources)}"
            rows.append(ResourceRow(all_but_listed, console.EVERY_REGION, console.ALL_ACCOUNTS, condition))
            continue
        for resource in grant.resources:
            name = console.ALL_RESOURCES if resource == "*" else resource
            region, owner = console.region_words(resource), console.account_words(resource, account)
            rows.append(ResourceRow(name, region, owner, condition))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class MatchingStatement:
    """A statement that matches an action, whatever its resources and conditions."""

    index: int
    """Its place in the document, from 0."""
    statement: Statement
    patterns: tuple[str, ...]
    """The patterns that match the action, as written; for `NotAction` the whole list."""

    @property
    def label(self) -> str:
        """Its Sid, or its position counted from 1."""
        return self.statement.sid or f"statement {self.index + 1}"


def statements_matching(document: Document, action: str) -> tuple[MatchingStatement, ...]:
    """Return the statements that match an action, in document order."""
    return tuple(
        MatchingStatement(
            index,
            statement,
            tuple(pattern for pattern in statement.actions if may_match("Action", (pattern,), action.lower()))
            if statement.action_element == "Action"
            else statement.actions,
        )
        for index, statement in enumerate(document.statements)
        if statement_may_match(statement, action)
    )
