"""What a document gives of each action of a service: the work under the summary, shared between actions alike.

A policy such as PowerUserAccess names 22,000 actions in one breath. What is given of an action depends only on the
statements that name it, those that deny it, its resource types and the condition keys it supports, so it is worked out
once for each such combination.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ekstui.core.applicability import supports_key
from ekstui.core.document import Document, Effect
from ekstui.core.expansion import LiteralIndex, NamedActions, PairCount, Source
from ekstui.core.given import Denied, Given, checked_keys, denied, given_by, is_on_all
from ekstui.core.reference import ActionInfo, reference


class Common(NamedTuple):
    """What is given of all actions that make no difference."""

    given: Given
    denied: Denied | None


class ActionRead(NamedTuple):
    """One action that a document names, and what the document gives of it."""

    name: str
    info: ActionInfo | None
    """None where the reference lacks the action."""
    sources: tuple[Source, ...]
    statements: tuple[int, ...]
    """The places of the statements that name it."""
    common: Common

    @property
    def specific(self) -> bool:
        """Whether a pattern names the service, so that what it cannot give is worth a warning."""
        return any(source.specific for source in self.sources)


@dataclass(slots=True)
class _Group:
    """The actions that the same statements name and the same statements deny."""

    denying: tuple[int, ...]
    on_all: bool
    """Whether all of these statements hold on the same resources for every action."""
    common: dict[tuple[object, ...], Common]
    """By what else makes a difference."""


class Reader:
    """The reading of one document's statements of one effect."""

    def __init__(self, document: Document, effect: Effect, denials: Mapping[str, NamedActions]) -> None:
        self._statements = document.statements
        self._denials = denials
        denying = [
            (index, entry)
            for index, entry in enumerate(document.statements)
            if entry.effect == "Deny" and effect == "Allow"
        ]
        self._literal_denials = LiteralIndex(denying, PairCount())
        self._groups: dict[tuple[tuple[int, ...], tuple[Source, ...]], _Group] = {}

    def service(self, service: str, named: NamedActions) -> list[ActionRead]:
        """Return the actions of a service that the document names, in the reference's order, unknown ones last."""
        infos = reference().actions(service)
        start = len(service) + 1
        denied_known = self._denials[service].known if service in self._denials else {}
        on_keys = {
            index: keys for index, entry in enumerate(self._statements) if (keys := checked_keys(entry, service))
        }
        read = [
            self._read(service, name, infos[name[start:].lower()], sources, denied_known.get(name, ()), on_keys)
            for name, sources in named.known.items()
        ]
        for name, sources in named.unknown.items():
            read.append(self._read(service, name, None, sources, self._literal_denials.sources(name), on_keys))
        return read

    def _read(
        self,
        service: str,
        name: str,
        info: ActionInfo | None,
        sources: tuple[Source, ...],
        denials: tuple[Source, ...],
        on_keys: Mapping[int, tuple[str, ...]],
    ) -> ActionRead:
        statements = _places(sources)
        group = self._groups.get((statements, denials))
        if group is None:
            denying = _places(denials)
            on_all = all(is_on_all(self._statements[index]) for index in (*statements, *denying))
            group = self._groups[statements, denials] = _Group(denying, on_all, {})
        key: tuple[object, ...] = ()
        if info is None:
            key = (None,)
        elif not group.on_all or (on_keys and not on_keys.keys().isdisjoint(statements)):
            supported = tuple(supports_key(info, wanted) for index in statements for wanted in on_keys.get(index, ()))
            key = (service, tuple(use.name for use in info.resource_types), supported)
        common = group.common.get(key)
        if common is None:
            given = given_by([self._statements[index] for index in statements], info)
            taken = denied(given.grants, [self._statements[index] for index in group.denying], info)
            common = group.common[key] = Common(given, taken)
        return ActionRead(name, info, sources, statements, common)


def _places(sources: tuple[Source, ...]) -> tuple[int, ...]:
    if len(sources) == 1:
        return (sources[0].statement,)
    return tuple(dict.fromkeys(source.statement for source in sources))
