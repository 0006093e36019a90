"""The library itself: each method is a line in the table of contents, and the module it names does the work."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ekstui import paths
from ekstui.cache.policies import PolicyCache
from ekstui.core.document import Document
from ekstui.core.knowledge import PolicyKnowledge
from ekstui.core.policy import Policy
from ekstui.core.reference import reference
from ekstui.core.summary import ServiceSummary, services_in
from ekstui.core.timeline import Step, timeline
from ekstui.core.where import Side
from ekstui.library.comparison import compared, read_side
from ekstui.library.knowledge import entry_of, knowledge
from ekstui.library.policies import find_policy, known_version, parse_stored
from ekstui.library.store import Store
from ekstui.library.values import ComparedSide, Comparison, DataStatus, PolicyEntry
from ekstui.sources.corpus import Corpus


@dataclass(frozen=True, slots=True)
class Library:
    """Answers about policies; cheap to make, and safe to call from any thread."""

    store: Store

    @staticmethod
    def open() -> "Library":
        """Return the library over the bundled corpus and the user's cache; nothing is read yet."""
        return Library(Store(Corpus.bundled(), PolicyCache.in_folder(paths.cache_dir())))

    def data(self) -> DataStatus:
        """Return what answers rest on, and until when it is known."""
        holding = self.store.holding()
        manifest = self.store.corpus.manifest()
        return DataStatus(
            source=holding.source if holding else manifest.label,
            partition=self.store.cache.partition if holding else manifest.partition,
            newest=holding.known_until if holding else manifest.known_until,
            synced_at=holding.synced_at if holding else None,
            reference=reference().version,
            policies=holding.total if holding else manifest.policies,
        )

    def policies(self, scope: Literal["eks", "all"] = "eks") -> tuple[PolicyEntry, ...]:
        """Return the policies of a scope: the EKS family in its own order, then the others by name."""
        return self.store.ask(lambda reader: tuple(map(entry_of, reader.policies(family=scope == "eks"))))

    def find(self, name: str) -> PolicyEntry:
        """Return the policy that a user names: an ARN, a name whatever its case, or a unique part of one.

        Raises AmbiguousError with the candidates, NotFoundError with the nearest names.
        """
        return entry_of(self.store.ask(lambda reader: find_policy(name, reader, knowledge)))

    def document(self, policy: Policy, version: int | None = None) -> Document:
        """Return a version's document, the default's for None; NotFoundError for a version nobody has seen."""
        number = known_version(policy, version)
        return parse_stored(policy.name, number, self.store.ask(lambda reader: reader.text(policy.name, number)))

    def document_json(self, policy: Policy, version: int | None = None) -> object:
        """Return a version's document as IAM has it."""
        number = known_version(policy, version)
        value: object = json.loads(self.store.ask(lambda reader: reader.text(policy.name, number)))
        return value

    def summary(self, policy: Policy, version: int | None = None) -> tuple[ServiceSummary, ...]:
        """Return what a version permits, service by service."""
        return services_in(self.document(policy, version))

    def knowledge(self, policy: Policy) -> PolicyKnowledge | None:
        """Return what ekstui knows about a policy beyond its documents; None outside the EKS family."""
        return knowledge().policies.get(policy.name)

    def timeline(self, policy: Policy) -> tuple[Step, ...]:
        """Return the policy's known versions, oldest first, and what each changed."""
        texts = self.store.ask(lambda reader: reader.history(policy.name)).texts
        return timeline(policy, {number: parse_stored(policy.name, number, text) for number, text in texts.items()})

    def compare(self, before: Side, after: Side, standard_input: str = "") -> Comparison:
        """Return what differs between two sides; `standard_input` is the text for a side that is StandardInput."""

        def ask(side: Side) -> ComparedSide:
            return self.store.ask(lambda reader: read_side(side, reader, knowledge, standard_input))

        return compared(ask(before), ask(after))

    def fill(
        self,
        progress: Callable[[int, int], None] = lambda *_: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Fill the cache from the bundled corpus; return whether it is filled.

        Meant for a background thread: it takes a second or two, says how many policies are stored and of how many,
        and asks `cancelled` between transactions. What is stored stays, and the next call goes on from there.
        """
        return self.store.fill(progress, cancelled)

    def notices(self) -> tuple[str, ...]:
        """Return what went wrong with the cache since the last call, a sentence each; none of it stops an answer."""
        return self.store.notices()
