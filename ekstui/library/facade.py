"""The library itself: each method is one line of the table of contents, and the module it names does the work."""

import json
from dataclasses import dataclass
from typing import Literal

from ekstui.core.document import Document
from ekstui.core.knowledge import PolicyKnowledge
from ekstui.core.policy import Policy
from ekstui.core.reference import reference
from ekstui.core.summary import ServiceSummary, services_in
from ekstui.core.timeline import Step, timeline
from ekstui.core.where import Side
from ekstui.library.comparison import compared, read_side
from ekstui.library.knowledge import knowledge
from ekstui.library.policies import find_policy, known_version, parse_stored
from ekstui.library.reader import PolicyReader
from ekstui.library.values import Comparison, DataStatus, PolicyEntry
from ekstui.sources.corpus import Corpus


@dataclass(frozen=True, slots=True)
class Library:
    """Answers about policies; cheap to make, and safe to call from any thread."""

    corpus: Corpus

    @staticmethod
    def open() -> "Library":
        """Return the library over the bundled corpus and the user's cache; nothing is read yet."""
        return Library(Corpus.bundled())

    def data(self) -> DataStatus:
        """Return what answers rest on, and until when it is known."""
        manifest = self.corpus.manifest()
        return DataStatus(
            source=f"{manifest.source} {manifest.source_version}",
            partition=manifest.partition,
            newest=manifest.known_until,
            synced_at=None,
            reference=reference().version,
        )

    def policies(self, scope: Literal["eks", "all"] = "eks") -> tuple[PolicyEntry, ...]:
        """Return the policies of a scope: the EKS family in its own order, then the others by name."""
        family = self._family()
        return tuple(_entry(policy, family) for policy in self._reader().policies(family=scope == "eks"))

    def find(self, name: str) -> PolicyEntry:
        """Return the policy that a user names: an ARN, a name whatever its case, or a unique part of one.

        Raises AmbiguousError with the candidates, NotFoundError with the nearest names.
        """
        return _entry(find_policy(name, self._reader().policies()), self._family())

    def document(self, policy: Policy, version: int | None = None) -> Document:
        """Return a version's document, the default's for None; NotFoundError for a version nobody has seen."""
        number = known_version(policy, version)
        return parse_stored(policy.name, number, self._reader().text(policy.name, number))

    def document_json(self, policy: Policy, version: int | None = None) -> object:
        """Return a version's document as IAM has it."""
        value: object = json.loads(self._reader().text(policy.name, known_version(policy, version)))
        return value

    def summary(self, policy: Policy, version: int | None = None) -> tuple[ServiceSummary, ...]:
        """Return what a version permits, service by service."""
        return services_in(self.document(policy, version))

    def knowledge(self, policy: Policy) -> PolicyKnowledge | None:
        """Return what ekstui knows about a policy beyond its documents; None outside the EKS family."""
        return knowledge().policies.get(policy.name)

    def timeline(self, policy: Policy) -> tuple[Step, ...]:
        """Return the policy's known versions, oldest first, and what each changed."""
        texts = self._reader().history(policy.name).texts
        return timeline(policy, {number: parse_stored(policy.name, number, text) for number, text in texts.items()})

    def compare(self, before: Side, after: Side, standard_input: str = "") -> Comparison:
        """Return what differs between two sides; `standard_input` is the text for a side that is StandardInput."""
        reader = self._reader()
        return compared(read_side(before, reader, standard_input), read_side(after, reader, standard_input))

    def _reader(self) -> PolicyReader:
        return self.corpus

    def _family(self) -> frozenset[str]:
        return frozenset(policy.name for policy in self.corpus.policies(family=True))


def _entry(policy: Policy, family: frozenset[str]) -> PolicyEntry:
    return PolicyEntry(policy, "eks" if policy.name in family else "aws")
