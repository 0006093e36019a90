"""What is known about the EKS policies beyond their documents: what each is for, and what EKS asks of a role.

It is written down in `assets/eks.toml`, whose head explains its fields; this module turns its compiled form into values.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal, NamedTuple, TypeVar, cast

from ekstui.errors import DataError

T = TypeVar("T")


class Update(NamedTuple):
    """Why AWS made one version of a policy."""

    version: int
    actions: tuple[str, ...]
    """The actions whose grants the version changed; none for an introduction."""
    text: str
    disagreement: str | None = None
    """Where what AWS announced and what the document did differ."""
    source: str | None = None
    """An address, or `document` where it was not announced; None: as the policy's."""


class PolicyKnowledge(NamedTuple):
    """What is known about one AWS managed policy."""

    name: str
    purpose: str
    attached_to: tuple[str, ...]
    """Kinds of role, such as `cluster role`, or `user`."""
    attachable: bool
    """Whether a user may attach it."""
    source: str
    """`guide` (the EKS User Guide), `document` (its document alone), or an address."""
    services: Mapping[str, str]
    """Why each service is needed, by prefix."""
    unused: tuple[str, ...]
    """Services that EKS no longer uses and that stay for old set-ups."""
    superseded_by: tuple[str, ...]
    supersession: str | None
    """What taking the newer policy instead would change; None where nothing supersedes it."""
    narrower: tuple[str, ...]
    """Policies that give a node what it needs of this one, and less beside it."""
    access_policy: bool
    """Whether an EKS access policy has the same name."""
    service_linked_role: str | None
    notes: tuple[str, ...]
    disagreements: tuple[str, ...]
    """Where what AWS writes about the policy and its document differ."""
    updates: tuple[Update, ...]
    """Oldest first."""

    def update(self, version: int) -> Update | None:
        """Return why AWS made a version, or None where that is not known."""
        return next((update for update in self.updates if update.version == version), None)


class Requirement(NamedTuple):
    """What EKS needs of a role that is used in some way, in terms of actions."""

    name: str
    """What the role is to do, such as `pull images`."""
    uses: tuple[str, ...]
    """The kinds of use that it holds for, such as `nodegroup`."""
    when: tuple[str, ...]
    """Conditions that must all hold; one that was not looked at makes the requirement unknown."""
    actions: tuple[str, ...]
    policies: tuple[str, ...]
    """AWS managed policies each of which gives all the actions, narrowest first; none where AWS manages none."""
    consequence: str
    """What happens without, as half a sentence."""
    source: str
    optional: bool = False
    """True where a cluster runs without it."""


class TrustRequirement(NamedTuple):
    """What the trust policy of a role that is used in some way must allow a service to do."""

    uses: tuple[str, ...]
    when: tuple[str, ...]
    principal: str
    """The service that assumes the role."""
    actions: tuple[str, ...]
    consequence: str
    source: str


class DependentActions(NamedTuple):
    """What a call needs beside its own action: a hint, never a ground for a verdict."""

    action: str
    needs: tuple[str, ...]
    text: str
    source: str


class Absence(NamedTuple):
    """A policy that people look for and that AWS does not have."""

    topic: str
    words: tuple[str, ...]
    """Small letters; any of them in what the user typed means this topic."""
    text: str
    source: str


AccessContent = Literal["exact", "prose", "unknown"]
"""How well what an access policy allows is known: rule by rule, in a sentence of a guide, or not at all."""


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
    """When the guide's list of updates first has it; None where it does not."""


class Symptom(NamedTuple):
    """Something people are paged for, and which policy explains it."""

    symptom: str
    answer: str
    policies: tuple[str, ...]
    actions: tuple[str, ...]
    source: str
    messages: tuple[str, ...] = ()
    """What logs say, whatever the case; `…` stands for anything between two parts."""

    def is_in(self, text: str) -> bool:
        """Return whether a text, on one line in small letters, has one of the messages."""
        return any(_has(text, message.lower().split("…")) for message in self.messages)


def _has(text: str, parts: list[str]) -> bool:
    position = 0
    for part in parts:
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return True


class Knowledge(NamedTuple):
    """All of `eks.toml`."""

    policies: Mapping[str, PolicyKnowledge]
    """By name, in the list's order: these are the policies of scope eks."""
    access_policies: Mapping[str, AccessPolicy]
    absences: tuple[Absence, ...]
    requirements: tuple[Requirement, ...]
    trust: tuple[TrustRequirement, ...]
    capabilities: Mapping[str, str]
    """What the role of a capability needs, by the capability's type."""
    dependent_actions: tuple[DependentActions, ...]
    symptoms: tuple[Symptom, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """How the app lists the policies: the title of each group, and the names in it."""
    tracked_since: date
    """Since when AWS keeps the list of changes that the updates go back to."""

    def reason(self, policy: str, service: str) -> str | None:
        """Return why a policy needs a service, or None where that is not known."""
        known = self.policies.get(policy)
        return None if known is None else known.services.get(service.lower())

    def access_policy(self, name: str) -> AccessPolicy | None:
        """Return the access policy of a name, whatever its case, or None if there is none."""
        return next((known for known in self.access_policies.values() if known.name.lower() == name.lower()), None)

    def absence(self, asked: str) -> Absence | None:
        """Return what to answer where no policy exists for what the user typed, or None."""
        text = asked.lower()
        return next((absence for absence in self.absences if any(word in text for word in absence.words)), None)

    def dependents(self, action: str) -> tuple[DependentActions, ...]:
        """Return the hints for an action, whatever its case."""
        return tuple(hint for hint in self.dependent_actions if hint.action.lower() == action.lower())

    def symptoms_in(self, text: str) -> tuple[Symptom, ...]:
        """Return the symptoms whose messages occur in a text of one line."""
        folded = text.lower()
        return tuple(symptom for symptom in self.symptoms if symptom.is_in(folded))

    def symptoms_of(self, policy: str) -> tuple[Symptom, ...]:
        """Return the symptoms that a policy explains."""
        return tuple(symptom for symptom in self.symptoms if policy in symptom.policies)


def parse_knowledge(text: str) -> Knowledge:
    """Return what the text of `eks.json`, the compiled form of `eks.toml`, says; DataError where it is not of that shape.

    The standard library reads the TOML in 80 ms and the JSON in 1 ms.
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
    introduced = {name: date.fromisoformat(day) for day, names in access["introduced"].items() for name in names}
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
                introduced=introduced.get(name),
            )
            for name, says in access["names"].items()
        },
        absences=_each(Absence, tables["none_exists"]),
        requirements=_each(Requirement, tables["requirements"]),
        trust=_each(TrustRequirement, tables["trust"]),
        capabilities=dict(tables["capabilities"]),
        dependent_actions=_each(DependentActions, tables["dependent_actions"]),
        symptoms=_each(Symptom, tables["symptoms"]),
        groups=tuple((title, tuple(names)) for title, names in tables["groups"].items()),
        tracked_since=date.fromisoformat(tables["tracking"]["since"]),
    )


def _policy(name: str, fields: Mapping[str, Any]) -> PolicyKnowledge:
    absent: dict[str, Any] = {
        "unused": (),
        "superseded_by": (),
        "supersession": None,
        "narrower": (),
        "access_policy": False,
        "service_linked_role": None,
        "notes": (),
        "disagreements": (),
    }
    given = {key: value for key, value in fields.items() if key != "updates"}
    return PolicyKnowledge(name=name, updates=_each(Update, fields.get("updates", ())), **{**absent, **_frozen(given)})


def _each(make: Callable[..., T], tables: object) -> tuple[T, ...]:
    return tuple(make(**_frozen(fields)) for fields in cast("list[dict[str, Any]]", tables))


def _frozen(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
