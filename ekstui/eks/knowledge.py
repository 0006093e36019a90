"""What is known about the EKS policies beyond their documents: what each is for, and what EKS requires of a role.

The source is `assets/eks.toml`, which explains its fields; this module reads its compiled form.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any, Literal, TypeVar, cast

from ekstui.eks.published import release_numbers
from ekstui.errors import DataError
from ekstui.named_tuples import NamedTuple

_T = TypeVar("_T")


class Update(NamedTuple):
    """Why AWS made one version of a policy."""

    version: int
    actions: tuple[str, ...]
    """The actions whose grants the version changed; empty for the first version."""
    text: str
    disagreement: str | None = None
    """How AWS's announcement and the document differ, if they do."""
    source: str | None = None
    """A URL, or `document` if it was not announced; None for the policy's own source."""


class PolicyKnowledge(NamedTuple):
    """What is known about one AWS managed policy."""

    name: str
    purpose: str
    attached_to: tuple[str, ...]
    """Kinds of role, such as `cluster role`, or `user`."""
    attachable: bool
    """Whether a user may attach it."""
    source: str
    """`guide` (the EKS User Guide), `document` (its document alone), or a URL."""
    services: Mapping[str, str]
    """Why each service is needed, by prefix."""
    unused: tuple[str, ...] = ()
    """Services that EKS no longer uses and that are kept for old setups."""
    superseded_by: tuple[str, ...] = ()
    supersession: str | None = None
    """What switching to the newer policy would change; None if nothing supersedes it."""
    narrower: tuple[str, ...] = ()
    """Policies that give a node what it needs of this one, and less besides."""
    access_policy: bool = False
    """Whether an EKS access policy has the same name."""
    service_linked_role: str | None = None
    notes: tuple[str, ...] = ()
    disagreements: tuple[str, ...] = ()
    """How AWS's documentation and the document differ, if they do."""
    updates: tuple[Update, ...] = ()
    """Oldest first."""

    def update(self, version: int) -> Update | None:
        """Return why AWS made a version; None if unknown."""
        return next((update for update in self.updates if update.version == version), None)


class ReleaseRange(NamedTuple):
    """The releases of a controller about which something was seen in its sources."""

    of: str
    """The controller's component, such as `vpc-cni`."""
    since: str
    """The first release."""
    checked: str
    """The newest release whose sources were read."""
    until: str = ""
    """The first release after the range; empty if `checked` is still one of them."""

    def includes(self, release: str) -> bool | None:
        """Return whether a release is one of them; None if it cannot be read, or is newer than what was checked."""
        numbers = release_numbers(release)
        if not numbers:
            return None
        if numbers < release_numbers(self.since) or (self.until and numbers >= release_numbers(self.until)):
            return False
        return True if self.until or numbers <= release_numbers(self.checked) else None

    def unsure(self, release: str) -> str:
        """Return what has to hold for a release of which `includes` does not know it, as the end of `where …`."""
        if release_numbers(release):
            return f"{self.of} {release} still needs it, as {self.checked} does"
        end = f"newer, but older than {self.until}" if self.until else "newer"
        return f"{self.of} is {self.since} or {end}"


class Requirement(NamedTuple):
    """The actions that EKS requires of a role with certain uses."""

    name: str
    """What the role does, such as `pull images`."""
    uses: tuple[str, ...]
    """The kinds of use that it applies to, such as `nodegroup`."""
    when: tuple[str, ...]
    """Conditions that must all hold; one that was not checked makes the requirement unknown."""
    actions: tuple[str, ...]
    policies: tuple[str, ...]
    """AWS managed policies that each give all the actions, narrowest first; empty if there are none."""
    consequence: str
    """What happens without them, as half a sentence."""
    source: str
    optional: bool = False
    """Whether a cluster runs without it."""
    releases: ReleaseRange | None = None
    """The releases of a controller that need it; None if it is not about one, or all do."""


class TrustRequirement(NamedTuple):
    """What the trust policy of a role with certain uses must allow a service."""

    uses: tuple[str, ...]
    when: tuple[str, ...]
    principal: str
    """The service that assumes the role."""
    actions: tuple[str, ...]
    consequence: str
    source: str


class OptionalActions(NamedTuple):
    """Actions that a controller's published policy has and that some of its releases need only in one case."""

    actions: tuple[str, ...]
    """Patterns, such as `s3files:*`."""
    releases: ReleaseRange
    only_if: str
    """The case, as the end of `only if …`."""
    source: str


class DependentActions(NamedTuple):
    """What a call needs besides its own action: a hint that never affects a verdict."""

    action: str
    needs: tuple[str, ...]
    text: str
    source: str


class Absence(NamedTuple):
    """A policy that people look for and that does not exist."""

    topic: str
    words: tuple[str, ...]
    """In lower case; any of them in what the user typed means this topic."""
    text: str
    source: str


AccessContent = Literal["exact", "prose", "unknown"]
"""How well the content of an access policy is known: rule by rule, from a sentence in a guide, or not at all."""


class AccessPolicy(NamedTuple):
    """An EKS access policy: Kubernetes permissions that an access entry gives, not an IAM policy."""

    name: str
    text: str
    """What it allows."""
    explanation: str
    """What an access policy is."""
    source: str
    content: AccessContent
    reserved: bool
    """Whether AWS gives it to its own service-linked roles only."""
    introduced: date | None
    """When the guide's list of updates first mentions it; None if it does not."""


class Symptom(NamedTuple):
    """Something people are paged for, and which policy explains it."""

    symptom: str
    answer: str
    policies: tuple[str, ...]
    actions: tuple[str, ...]
    source: str
    messages: tuple[str, ...] = ()
    """Log messages, ignoring case; `…` stands for anything between two parts."""
    code: str = ""
    """A code by which an explanation refers to it without a message."""

    @property
    def words(self) -> str:
        """Everything that the notes say about it."""
        return " ".join((self.symptom, self.answer, *self.messages, *self.policies, *self.actions))

    def is_in(self, text: str) -> bool:
        """Return whether a text, on one line and in lower case, contains one of the messages."""
        # Hardly any line of a log has even a beginning, which takes a tenth of the time to find out.
        return any(map(text.__contains__, _beginnings(self.messages))) and any(
            _has(text, _parts(message)) for message in self.messages
        )


@cache
def _parts(message: str) -> list[str]:
    return message.lower().split("…")


@cache
def _beginnings(messages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_parts(message)[0] for message in messages)


def _has(text: str, parts: list[str]) -> bool:
    position = 0
    for part in parts:
        place = text.find(part, position)
        if place < 0:
            return False
        position = place + len(part)
    return True


class ReportMeaning(NamedTuple):
    """What a problem that EKS reports means."""

    kind: str
    """What it is reported of, such as `nodegroup`."""
    code: str
    text: str
    command: tuple[str, ...] = ()
    """The command that shows or mends it, with `{cluster}` and `{resource}`; empty for the one of what EKS knows."""
    about: str = "shows more"
    """What the command does, as half a sentence."""


class Knowledge(NamedTuple):
    """All of `eks.toml`."""

    policies: Mapping[str, PolicyKnowledge]
    """By name, in list order: the policies of scope eks."""
    access_policies: Mapping[str, AccessPolicy]
    absences: tuple[Absence, ...]
    requirements: tuple[Requirement, ...]
    trust: tuple[TrustRequirement, ...]
    capabilities: Mapping[str, str]
    """What the role of a capability needs, by type of capability."""
    dependent_actions: tuple[DependentActions, ...]
    optional_actions: tuple[OptionalActions, ...]
    symptoms: tuple[Symptom, ...]
    reports: Mapping[tuple[str, str], ReportMeaning]
    """What EKS means by what it reports, by kind of part and code."""
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """How the app groups the policies: titles and names."""
    aliases: Mapping[str, tuple[str, ...]]
    """What people call things, in lower case, and the names of the things, likeliest first."""
    synonyms: Mapping[str, str]
    """Words that people use for others, in lower case."""
    tracked_since: date
    """The start of AWS's list of changes, which the updates are based on."""

    def reason(self, policy: str, service: str) -> str | None:
        """Return why a policy needs a service; None if unknown."""
        notes = self.policies.get(policy)
        return None if notes is None else notes.services.get(service.lower())

    def access_policy(self, name: str) -> AccessPolicy | None:
        """Return the access policy of that name, ignoring case; None if there is none."""
        return next((notes for notes in self.access_policies.values() if notes.name.lower() == name.lower()), None)

    def absence(self, query: str) -> Absence | None:
        """Return the answer for something the user typed for which no policy exists; None if it is not such a topic."""
        text = query.lower()
        return next((absence for absence in self.absences if any(word in text for word in absence.words)), None)

    def dependents(self, action: str) -> tuple[DependentActions, ...]:
        """Return the hints for an action, ignoring case."""
        return tuple(hint for hint in self.dependent_actions if hint.action.lower() == action.lower())

    def symptoms_in(self, text: str) -> tuple[Symptom, ...]:
        """Return the symptoms whose messages occur in a text, which is on one line."""
        lower_text = text.lower()
        return tuple(symptom for symptom in self.symptoms if symptom.is_in(lower_text))

    def symptoms_of(self, policy: str) -> tuple[Symptom, ...]:
        """Return the symptoms that a policy explains."""
        return tuple(symptom for symptom in self.symptoms if policy in symptom.policies)


def parse_knowledge(text: str) -> Knowledge:
    """Return the content of `eks.json`, the compiled form of `eks.toml`; DataError if it has another shape.

    It is compiled because the standard library takes 80 ms to read the TOML and 1 ms for the JSON.
    """
    try:
        return _knowledge(json.loads(text))
    except ValueError as error:
        raise DataError(f"eks.json cannot be read: {error}.", _REINSTALL) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"eks.json is not of the expected shape: {error}.", _REINSTALL) from None


_REINSTALL = "Install ekstui again."


def _knowledge(tables: Mapping[str, Any]) -> Knowledge:
    access = tables["access_policies"]
    dates = {name: date.fromisoformat(day) for day, names in access["introduced"].items() for name in names}
    return Knowledge(
        policies={name: _policy(name, fields) for name, fields in tables["policies"].items()},
        access_policies={
            name: AccessPolicy(
                name=name,
                text=says,
                explanation=access["explanation"],
                source=access["source"],
                content="exact" if name in access["exact"] else "prose" if name in access["prose"] else "unknown",
                reserved=name in access["reserved"],
                introduced=dates.get(name),
            )
            for name, says in access["names"].items()
        },
        absences=_entries(Absence, tables["none_exists"]),
        requirements=_entries(Requirement, map(_with_releases, tables["requirements"])),
        trust=_entries(TrustRequirement, tables["trust"]),
        capabilities=dict(tables["capabilities"]),
        dependent_actions=_entries(DependentActions, tables["dependent_actions"]),
        optional_actions=_entries(OptionalActions, map(_with_releases, tables["optional_actions"])),
        symptoms=_entries(Symptom, tables["symptoms"]),
        reports={(meaning.kind, meaning.code): meaning for meaning in _entries(ReportMeaning, tables["reports"])},
        groups=tuple((title, tuple(names)) for title, names in tables["groups"].items()),
        aliases=_frozen(tables["aliases"]),
        synonyms=dict(tables["synonyms"]),
        tracked_since=date.fromisoformat(tables["tracking"]["since"]),
    )


def _policy(name: str, fields: Mapping[str, Any]) -> PolicyKnowledge:
    other_fields = _frozen({key: value for key, value in fields.items() if key != "updates"})
    return PolicyKnowledge(name=name, updates=_entries(Update, fields.get("updates", ())), **other_fields)


def _entries(make: Callable[..., _T], tables: object) -> tuple[_T, ...]:
    return tuple(make(**_frozen(fields)) for fields in cast("list[dict[str, Any]]", tables))


def _with_releases(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "releases": ReleaseRange(**fields["releases"])} if "releases" in fields else fields


def _frozen(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
