"""Policies: finding them by what a user types, reading their documents, and what ekstui knows about each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Protocol

from ekstui import files, spelling
from ekstui.change.policy import (
    Policy,
    PolicyHistory,
    PolicyScope,
    ReleaseNumber,
    Scope,
    parse_version,
    runs_of,
    version_label,
)
from ekstui.eks.knowledge import Absence, Knowledge, PolicyKnowledge, parse_knowledge
from ekstui.eks.published import Component
from ekstui.errors import (
    Advice,
    AmbiguousError,
    DataError,
    DocumentError,
    InputError,
    NotFoundError,
    UnknownPolicyError,
)
from ekstui.iam.text import begins_word, first_of
from ekstui.named_tuples import NamedTuple
from ekstui.sources.shipped import PublishedPolicies, reader_of

if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import AccountSnapshot, LocalPolicy
    from ekstui.eks.kubernetes import AccessPolicyRules
    from ekstui.iam.document import Document
    from ekstui.library.notation import PolicyAt


class PolicyEntry(NamedTuple):
    """A policy as the list shows it."""

    policy: Policy
    scope: PolicyScope
    """The scope that it belongs to."""
    purpose: str | None = None
    """What it is for, if ekstui knows."""
    superseded_by: str | None = None
    """The name of the policy that replaces it."""
    component: Component | None = None
    """The component, if a controller publishes the policy."""
    also_access_policy: bool = False
    """Whether an EKS access policy, which cannot be attached to a role, has the same name."""
    access: AccessPolicyRules | None = None
    """The access policy with its rules, if it is one."""

    @property
    def name(self) -> str:
        """Its name as users write it: `access:NAME` for an access policy, as an IAM policy may have the same name."""
        return f"access:{self.policy.name}" if self.access else self.policy.name


class ComparedSide(NamedTuple):
    """One side of a comparison."""

    label: str
    """Such as `AmazonEKS_CNI_Policy@v6`, or a file's path."""
    document: Document
    policy: Policy | None = None
    """None unless it is a managed policy."""
    version: int | None = None
    created: datetime | None = None
    parameters: Mapping[str, str | None] = {}
    """A controller's parameters with their values; None for those without one."""


class PolicyReader(Protocol):
    """Reads policies and their documents by exact names; safe to call from any thread."""

    def names(self) -> Iterable[str]:
        """Return all names, the EKS family first in its order, then by name."""

    def policies(self, scope: Scope = "all") -> Iterable[Policy]:
        """Return the policies of a scope in the same order."""

    def policy(self, name: str) -> Policy:
        """Return one policy."""

    def text(self, name: str, version: int) -> bytes:
        """Return one document's JSON."""

    def history(self, name: str) -> PolicyHistory:
        """Return a policy with all its documents."""

    def histories(self, scope: Scope = "all") -> Iterable[PolicyHistory]:
        """Yield the policies of a scope with all their documents, in the same order."""

    def histories_of(self, names: Iterable[str]) -> Iterable[PolicyHistory]:
        """Yield some policies with all their documents, in the order of the names."""


_ACCESS_POLICY = r"(?i)arn:aws[a-z-]*:eks::aws:cluster-access-policy/([^/]+)"
"""Compiled where a policy is named, which for a list none is."""

NEAREST = 5
"""How many near names are suggested for a name that does not exist."""

MAX_CANDIDATES = 20
"""How many candidates the message about an ambiguous name lists; the error has all of them."""


def find_policy(name: str, reader: PolicyReader) -> Policy:
    """Return the policy of an ARN, a name in any case, or words of one name.

    AmbiguousError for several, NotFoundError for none.
    """
    if (access_name := access_policy_name(name)) is not None:
        raise _no_iam_policy(access_name)
    if name.startswith("arn:"):
        return _find_arn(name, reader)
    fragment = name.casefold()
    candidates: list[str] = []
    fragments: list[str] = []
    names: list[str] = []
    for entry in reader.names():
        entry_key = entry.casefold()
        if entry_key == fragment:
            return reader.policy(entry)
        if fragment in entry_key:
            (candidates if begins_word(entry_key, entry, fragment) else fragments).append(entry)
        names.append(entry)
    if knowledge().access_policy(name):
        raise _no_iam_policy(name)
    absence = knowledge().absence(name) if len(candidates) < 2 else None
    if absence is not None and candidates and fragment in absence.words:
        raise NotFoundError(absence.text, tuple(candidates), f"One policy has that in its name: {candidates[0]}.")
    if fragments and not candidates and absence is None:
        # Inside of their words, it means none of them.
        raise UnknownPolicyError(
            f"No policy is named {name!r}.", tuple(fragments), f"It is a part of {first_of(fragments, NEAREST)}."
        )
    if not candidates or not fragment:
        raise unknown_policy(name, names, absence)
    if len(candidates) > 1:
        first_names = first_of(candidates, MAX_CANDIDATES)
        raise AmbiguousError(f"{name!r} matches {len(candidates)} policies: {first_names}.", tuple(candidates))
    return reader.policy(candidates[0])


def find_shipped(name: str, reader: PublishedPolicies) -> Policy:
    """Return the policy of a family that ships, by its name, words of one name alone, or a part's name.

    Components come before their variants.
    """
    fragment = name.lower().removeprefix(f"{reader.family}:")
    names = list(reader.names())
    if fragment in (by_key := {known_name.lower(): known_name for known_name in names}):
        return reader.policy(by_key[fragment])
    among = names if fragment else []  # an empty text is a part of every name, and means none
    fitting_names = [known_name for known_name in among if begins_word(known_name.lower(), known_name, fragment)]
    fitting_names += [
        known_name for known_name in among if known_name not in fitting_names and reader.contains(known_name, fragment)
    ]
    components = [known_name for known_name in fitting_names if "/" not in known_name]
    if len(fitting_names) == 1 or len(components) == 1:
        return reader.policy((components or fitting_names)[0])
    if fitting_names:
        raise AmbiguousError(
            f"{name!r} matches {len(fitting_names)} policies: {', '.join(fitting_names)}.", tuple(fitting_names)
        )
    raise NotFoundError(
        f"No controller's policy is named {name!r}.",
        spelling.nearest(name, names, NEAREST),
        f"Known are {', '.join(names)}.",
    )


def version_at(policy: Policy, place: PolicyAt) -> int:
    """Return the number of the version that a place names, by default of the default version.

    NotFoundError for an unknown version or release.
    """
    if not policy.home:
        if place.release is not None:
            raise NotFoundError(
                f"{policy.name} has no release {place.release}.", (), "Its versions are written v1, v2."
            )
        return known_version(policy, place.version)
    if place.release is None:
        newest = policy.versions[-1].through
        is_number = place.version is not None and not isinstance(place.version, ReleaseNumber)
        if is_number and newest is not None and place.name != policy.name:
            raise NotFoundError(f"{policy.name} has releases, such as {newest}.")
        return known_version(policy, place.version)
    version = reader_of(policy).release(policy.name, place.release)
    if version is None:
        raise NotFoundError(
            f"{policy.name} {place.release} is not known.",
            tuple(version_label(info.number) for info in policy.versions),
            f"Known are {version_label(policy.versions[0].number)} to {policy.versions[-1].through}.",
        )
    return version.number


def access_policy_name(arn: str) -> str | None:
    """Return the name in the ARN of an EKS access policy, or None for another text."""
    match = re.fullmatch(_ACCESS_POLICY, arn)
    return None if match is None else match[1]


def _no_iam_policy(name: str) -> NotFoundError:
    """Return the error for the name of an EKS access policy where an IAM policy is wanted."""
    access = knowledge().access_policy(name)
    if access is None:
        message = f"{name!r} is neither a known EKS access policy nor an IAM policy."
        return not_found(message, name, knowledge().access_policies)
    namesakes = (access.name,) if access.name in knowledge().policies else ()
    message = f"{access.name} is an EKS access policy, not an IAM policy."
    if namesakes:
        message = f"That is the EKS access policy {access.name}, not the IAM policy of the same name."
    return NotFoundError(message, namesakes, f"{access.text} {access.explanation}")


def refuse_access_policy(name: str) -> None:
    """Raise NotFoundError, which explains EKS access policies, if the name is that of one."""
    if access := knowledge().access_policy(name):
        raise NotFoundError(f"{access.name} is an EKS access policy, not an IAM policy.", (), access.explanation)


def unknown_policy(name: str, names: Iterable[str], absence: Absence | None = None) -> UnknownPolicyError:
    """Return the error for a name that no policy has: what is known about its absence, or the nearest names."""
    error = not_found(
        f"No AWS managed policy is named {name!r}.",
        name,
        names,
        Advice("See ekstui list --scope all.", "s lists all of them; : finds any by a part of its name."),
    )
    return UnknownPolicyError(error.message, error.nearest, absence.text if absence else error.next_step)


def sync_there(partition: str) -> Advice:
    """Return the advice to read the policies of another partition."""
    in_app = "a chooses a profile there, and then r in the list of policies reads them."
    return Advice(f"Run ekstui sync with credentials of {partition}.", in_app)


def not_found(message: str, name: str, names: Iterable[str], otherwise: str = "") -> NotFoundError:
    """Return the error for a name that does not exist, with the nearest names or else what to do."""
    nearest_names = spelling.nearest(name, names, NEAREST)
    return NotFoundError(
        message, nearest_names, f"Nearest: {', '.join(nearest_names)}." if nearest_names else otherwise
    )


def known_version(policy: Policy, version: int | None) -> int:
    """Return a version's number, for None that of the default version; NotFoundError for an unknown one."""
    number = policy.default_version if version is None else version
    numbers = [info.number for info in policy.versions]
    if number in numbers:
        return number
    if 0 < number < numbers[-1]:
        message = f"No copy of {policy.name} {version_label(number)} is known."
    else:
        message = f"{policy.name} has no {version_label(number)}."
    ranges = (f"v{first}" if first == last else f"v{first} to v{last}" for first, last in runs_of(numbers))
    raise UnknownPolicyError(message, tuple(map(version_label, numbers)), f"Known are {', '.join(ranges)}.")


def parse_stored(name: str, version: int, text: bytes) -> Document:
    """Return the document of a stored text; DataError if it cannot be parsed, since it is not the user's input."""
    from ekstui.iam.document import parse_text

    try:
        return parse_text(text)
    except DocumentError as error:
        label = version_label(version)
        raise DataError(
            f"The stored document of {name} {label} is damaged: {error.message}", "Run ekstui cache clear."
        ) from None


def document_of(history: PolicyHistory, number: int) -> Document:
    """Return the document of one version of a policy; DataError if it cannot be parsed."""
    return parse_stored(history.policy.name, number, history.texts[number])


class DefaultVersion(NamedTuple):
    """An AWS policy's default version."""

    number: int
    created: datetime | None
    document: Document


DefaultVersions = Callable[[Iterable[str]], Mapping[str, DefaultVersion]]
"""Takes ARNs of policies, returns the default versions of those that are AWS's and known."""


def default_versions(arns: Iterable[str], reader: PolicyReader) -> dict[str, DefaultVersion]:
    """Return the default versions of those AWS policies that are known, by ARN, partition included."""
    arn_by_name = {arn.rpartition("/")[2]: arn for arn in arns if arn.split(":", 5)[4:5] == ["aws"]}
    versions: dict[str, DefaultVersion] = {}
    for name in [name for name in reader.names() if name in arn_by_name] if arn_by_name else []:
        policy = reader.policy(name)
        if policy.arn == arn_by_name[name]:
            number = policy.default_version
            document = parse_stored(name, number, reader.text(name, number))
            versions[policy.arn] = DefaultVersion(number, policy.updated, document)
    return versions


def _find_arn(arn: str, reader: PolicyReader) -> Policy:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "iam" or not parts[5].startswith("policy/"):
        raise NotFoundError(
            f"{arn!r} is not the ARN of an IAM policy.", (), "Such an ARN has the form arn:aws:iam::aws:policy/NAME."
        )
    name = arn.rpartition("/")[2]
    if parts[4] != "aws":
        raise NotFoundError(
            f"{name} is a policy of account {parts[4]}, not an AWS managed one.",
            (),
            Advice("Use it with ekstui diff or ekstui attached.", ": finds it among the account's own."),
        )
    names: list[str] = []
    for entry in reader.names():
        if entry == name:
            policy = reader.policy(name)
            if policy.arn == arn:
                return policy
            if policy.partition != parts[1]:
                raise NotFoundError(
                    f"The policies of partition {parts[1]} are not known here, those of {policy.partition} are.",
                    (),
                    sync_there("that partition"),
                )
            raise UnknownPolicyError(f"No AWS managed policy has the ARN {arn!r}.", (name,), f"Nearest: {policy.arn}.")
        names.append(entry)
    if knowledge().access_policy(name):
        raise _no_iam_policy(name)
    raise unknown_policy(name, names)


def is_own(text: str) -> bool:
    """Return whether a text is the ARN of a policy that belongs to an account."""
    parts = text.split(":", 5)
    return len(parts) == 6 and parts[0] == "arn" and parts[4] != "aws" and parts[5].startswith("policy/")


def own_policy(arn: str, snapshot: AccountSnapshot) -> LocalPolicy:
    """Return a customer managed policy of the account; NotFoundError if it was not read."""
    local_policy = next((policy for policy in snapshot.local_policies if policy.arn == arn), None)
    if local_policy is None:
        account = f"account {snapshot.identity.account}"
        read_part = account if snapshot.complete else f"the part of {account} that was read"
        raise NotFoundError(f"No policy in {read_part} has the ARN {arn}.")
    return local_policy


def own_policy_side(arn: str, version: int | None, snapshot: AccountSnapshot) -> ComparedSide:
    """Return a customer managed policy's default version, the only one in a snapshot; else NotFoundError."""
    policy = own_policy(arn, snapshot)
    default = parse_version(policy.default_version)
    if version is not None and version != default:
        raise NotFoundError(
            f"{version_label(version)} of {policy.name} was not read: a snapshot has only the default version of an "
            f"account's own policies, {policy.default_version}."
        )
    if policy.document is None:
        raise InputError(f"The document of {arn} could not be read.")
    return ComparedSide(f"{policy.name}@{policy.default_version} (the account's own)", policy.document)


@cache
def knowledge() -> Knowledge:
    """Return what `eks.toml` says, from its compiled form; DataError if it cannot be read."""
    try:
        text = files.asset("eks.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"eks.json cannot be read: {error}.", "Install ekstui again.") from None
    return parse_knowledge(text)


def knowledge_of(policy: Policy) -> PolicyKnowledge | None:
    """Return what ekstui knows about a policy beyond its documents; None outside the EKS family."""
    notes = knowledge().policies.get(policy.name)
    # A customer managed policy may have the same name.
    return notes if notes is not None and policy.family == "aws-managed" else None


def entry_of(policy: Policy) -> PolicyEntry:
    """Return a policy as the list shows it."""
    if policy.home:
        reader = reader_of(policy)
        purpose, component = reader.purpose(policy.name), reader.component(policy.name)
        return PolicyEntry(policy, reader.scope, purpose, component=component)
    notes = knowledge_of(policy)
    if notes is None:
        return PolicyEntry(policy, "aws")
    return PolicyEntry(
        policy,
        "eks",
        notes.purpose,
        notes.superseded_by[0] if notes.superseded_by else None,
        also_access_policy=notes.access_policy,
    )
