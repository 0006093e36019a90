"""A policy and the state of a collection as they are stored: values, and the JSON that they become."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ekstui.change.policy import Policy, Provenance, VersionInfo, format_time, parse_time
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.change.policy import Authority


class StoredPolicy(NamedTuple):
    """A policy as it is stored."""

    policy: Policy
    documents: Mapping[int, str]
    """The name of each version's document."""
    dated_by: Mapping[int, Authority]
    """Which authority gave the time of a version."""
    provenance: Provenance
    """Of the newest source that said which version is the default."""


class State(NamedTuple):
    """What is stored of a collection, and until when it is known."""

    source: str
    """The source that knows of the newest changes."""
    known_until: datetime
    synced_at: datetime | None = None
    corpus: str = ""
    """SHA-256 of the corpus that it was filled from."""
    endpoints: tuple[str, ...] = ()
    """Endpoints other than AWS's own that some of it came from."""
    chunks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Each chunk's object, and the names in it; the EKS family's is the first."""


def policy_record(stored: StoredPolicy) -> list[Any]:
    """Return a policy as the JSON that is stored."""
    policy, fields = stored.policy, stored.provenance
    versions = [
        [info.number, format_time(info.created), stored.documents[info.number], stored.dated_by.get(info.number)]
        for info in policy.versions
    ]
    origin = [fields.source, fields.authority, format_time(fields.as_of), format_time(fields.fetched_at)]
    return [policy.name, policy.arn, policy.default_version, policy.withdrawn, origin, versions]


def read_policy(record: list[Any]) -> StoredPolicy:
    """Return the policy in what `policy_record` returned."""
    *_, (source, authority, as_of, fetched_at), versions = record
    return StoredPolicy(
        policy_from_record(record),
        {number: digest for number, _, digest, _ in versions},
        {number: who for number, _, _, who in versions if who},
        Provenance(source, authority, parse_time(as_of), parse_time(fetched_at)),
    )


def policy_from_record(record: list[Any]) -> Policy:
    """Return the policy alone: reading the rest as well would take twice as long for 1,600 records."""
    name, arn, default_version, withdrawn, _, versions = record
    version_infos = [
        VersionInfo(number, parse_time(created) if created else None) for number, created, _, _ in versions
    ]
    return Policy(name, arn, default_version, tuple(version_infos), withdrawn)


def state_record(state: State) -> dict[str, Any]:
    """Return a state as the JSON that is stored."""
    return {
        "source": state.source,
        "known_until": format_time(state.known_until),
        "synced_at": format_time(state.synced_at),
        "corpus": state.corpus,
        "endpoints": state.endpoints,
        "chunks": state.chunks,
    }


def state_from_record(record: Mapping[str, Any]) -> State:
    """Return the state in what `state_record` returned."""
    return State(
        source=record["source"],
        known_until=parse_time(record["known_until"]),
        synced_at=parse_time(record["synced_at"]) if record["synced_at"] else None,
        corpus=record["corpus"],
        endpoints=tuple(record["endpoints"]),
        chunks=tuple((digest, tuple(names)) for digest, names in record["chunks"]),
    )
