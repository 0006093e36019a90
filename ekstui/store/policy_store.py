"""The policies of one collection in `policies.db`: reading them, and storing what a source delivers.

The root names a collection's state; the state names chunks of policies, the EKS family's first, and a policy names its
documents. A state is never changed: the next one takes its place, and the one before a sync is kept so that the sync
can be undone.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ekstui.change.policy import (
    Authority,
    Policy,
    PolicyHistory,
    Provenance,
    Scope,
    VersionInfo,
    format_time,
    parse_time,
)
from ekstui.named_tuples import NamedTuple
from ekstui.store.objects import AbsentCacheError, Draft, ObjectFile, Objects, packed

CHUNK = 64
"""Policies in a chunk after the EKS family's."""


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


def policy_record(entry: StoredPolicy) -> list[Any]:
    """Return a policy as the JSON that is stored."""
    policy, fields = entry.policy, entry.provenance
    versions = [
        [info.number, format_time(info.created), entry.documents[info.number], entry.dated_by.get(info.number)]
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


class PackedHistory(NamedTuple):
    """A history with its documents as they will be stored."""

    policy: Policy
    objects: Mapping[int, tuple[str, bytes]]


class PutResult(NamedTuple):
    """What was new about one policy."""

    policy: str
    new_policy: bool
    new_versions: tuple[int, ...]
    conflicts: tuple[int, ...] = ()
    """Versions whose document differs from the stored one."""


class PolicyStore:
    """The policies of one collection, such as an AWS partition; safe for any thread, and raises CacheError."""

    def __init__(self, file: ObjectFile, collection: str = "aws") -> None:
        self.file = file
        self.collection = collection
        # What was read before: objects are named by their hash, so it cannot become stale.
        self._states: dict[str, State] = {}
        self._chunks: dict[str, dict[str, list[Any]]] = {}

    @staticmethod
    def in_folder(folder: Path) -> PolicyStore:
        """Return the store in a folder; nothing is opened yet."""
        return PolicyStore(ObjectFile(folder / "policies.db"))

    def of(self, collection: str) -> PolicyStore:
        """Return the store of another collection in the same file."""
        return PolicyStore(self.file, collection)

    def state(self) -> State:
        """Return the current state; AbsentCacheError if nothing is stored."""
        with self.file.reading() as objects:
            return self.state_in(objects)[1]

    def names(self) -> tuple[str, ...]:
        return tuple(name for _, names in self.state().chunks for name in names)

    def policies(self, scope: Scope = "all") -> tuple[Policy, ...]:
        with self.file.reading() as objects:
            return tuple(map(policy_from_record, self._records(objects, self.state_in(objects)[1], scope)))

    def policy(self, name: str) -> Policy:
        return self.named((name,))[0].policy

    def named(self, names: Iterable[str]) -> list[StoredPolicy]:
        """Return some policies by their exact names, in that order."""
        with self.file.reading() as objects:
            return self._named_in(objects, names)

    def text(self, name: str, version: int) -> bytes:
        with self.file.reading() as objects:
            (entry,) = self._named_in(objects, (name,))
            return objects.get(entry.documents[version])

    def history(self, name: str) -> PolicyHistory:
        with self.file.reading() as objects:
            (entry,) = self._named_in(objects, (name,))
            return PolicyHistory(entry.policy, {number: objects.get(name) for number, name in entry.documents.items()})

    def histories(self, scope: Scope = "all") -> Iterator[PolicyHistory]:
        """Yield the policies of a scope with their documents, which are read on first use."""
        with self.file.reading() as objects:
            for entry in self.all_in(objects, self.state_in(objects)[1], scope):
                yield PolicyHistory(entry.policy, _Texts(self, objects, entry))

    def histories_of(self, names: Iterable[str]) -> Iterator[PolicyHistory]:
        """Yield policies by their exact names, in that order, with documents that are read when asked for."""
        with self.file.reading() as objects:
            for entry in self._named_in(objects, names):
                yield PolicyHistory(entry.policy, _Texts(self, objects, entry))

    def verify(self) -> tuple[int, int]:
        """Read everything; return how many policies and versions there are."""
        with self.file.reading() as objects:
            entries = list(self.all_in(objects, self.state_in(objects)[1]))
            for digest in {digest for entry in entries for digest in entry.documents.values()}:
                json.loads(objects.get(digest))
            return len(entries), sum(len(entry.documents) for entry in entries)

    def put(
        self,
        delivery: Sequence[PackedHistory],
        info: DeliveryInfo,
        family: Sequence[str] = (),
        *,
        undoable: bool = False,
    ) -> tuple[PutResult, ...]:
        """Store a delivery, all of it or nothing, and return what was new.

        Another document of a stored version is replaced by AWS's alone.
        """
        with self.file.writing() as draft:
            root, before, state = self._current(draft)
            entries = {entry.policy.name: entry for entry in self.all_in(draft, state)} if state else {}
            index_inputs = {name: _index_inputs(entry) for name, entry in entries.items()}
            outcome: list[PutResult] = []
            for history in delivery:
                entry, result = _merged(draft, entries.get(history.policy.name), history, info.provenance)
                entries[entry.policy.name] = entry
                if result.new_policy or result.new_versions or result.conflicts:
                    outcome.append(result)
            for name in info.withdrawn:
                entries[name] = entries[name]._replace(policy=entries[name].policy._replace(withdrawn=True))
            new_state = info.applied_to(state)
            order = [name for name in family if name in entries]
            order = order or (list(state.chunks[0][1]) if state and state.chunks else [])
            new_state = new_state._replace(chunks=_write_chunks(draft, entries, order))
            root["states"][self.collection] = draft.put_value(state_record(new_state))
            if index_inputs == {name: _index_inputs(entry) for name, entry in entries.items()}:
                self._keep_index(draft, root, before)
            root["before"].pop(self.collection, None)
            if undoable and before is not None:
                root["before"][self.collection] = before
            draft.set_root(root, self._live(draft, root))
            return tuple(outcome)

    def _keep_index(self, draft: Draft, root: Mapping[str, Any], before: str | None) -> None:
        """Keep the index of actions of the state before, since what it depends on is the same."""
        indexes = root["index"].get(self.collection, {})
        index = draft.value(indexes["actions"]) if "actions" in indexes else {}
        if index and index["of"] == before:
            indexes["actions"] = draft.put_value({**index, "of": root["states"][self.collection]})

    def undo(self) -> State | None:
        """Restore the state before the last sync and return it; None if there is none."""
        with self.file.writing() as draft:
            root = self._current(draft)[0]
            before = root["before"].pop(self.collection, None)
            if before is None:
                return None
            root["states"][self.collection] = before
            draft.set_root(root, self._live(draft, root))
            return self._state(draft, before)

    def attach_index(self, kind: str, of: str, write: Callable[[Draft], Mapping[str, Any]]) -> bool:
        """Store an index of the state named `of`; return whether it is still the current one."""
        with self.file.writing() as draft:
            root, current, _ = self._current(draft)
            if current != of:
                return False
            root["index"].setdefault(self.collection, {})[kind] = draft.put_value({**write(draft), "of": of})
            draft.set_root(root, self._live(draft, root))
            return True

    def state_in(self, objects: Objects) -> tuple[str, State]:
        """Return the current state's name and value."""
        name = objects.root().get("states", {}).get(self.collection)
        if name is None:
            raise AbsentCacheError(f"The cache has no policies of {self.collection}.")
        return name, self._state(objects, name)

    def all_in(self, objects: Objects, state: State, scope: Scope = "all") -> Iterator[StoredPolicy]:
        """Yield the policies of a state in the list's order."""
        return map(read_policy, self._records(objects, state, scope))

    def _records(self, objects: Objects, state: State, scope: Scope) -> Iterator[list[Any]]:
        for digest, names in state.chunks if scope == "all" else state.chunks[:1]:
            chunk = self._chunk(objects, digest)
            for name in names:
                yield chunk[name]

    def _named_in(self, objects: Objects, names: Iterable[str]) -> list[StoredPolicy]:
        places = {name: digest for digest, chunk_names in self.state_in(objects)[1].chunks for name in chunk_names}
        return [read_policy(self._chunk(objects, places[name])[name]) for name in names]

    def index_in(self, objects: Objects, kind: str) -> dict[str, Any]:
        """Return the index of the current state; AbsentCacheError if there is none, or only of an older state."""
        index = self.last_index(objects, kind)
        if not index or index["of"] != objects.root()["states"].get(self.collection):
            raise AbsentCacheError("There is no index of the current state.")
        return index

    def last_index(self, objects: Objects, kind: str) -> dict[str, Any]:
        """Return the last index of a kind, of whatever state; empty if there is none."""
        name = objects.root().get("index", {}).get(self.collection, {}).get(kind)
        index: dict[str, Any] = objects.value(name) if name else {}
        return index

    def outlines(self, version: str) -> Mapping[str, Any]:
        """Return what the last index has of that version of the reference; empty if it has none."""
        with self.file.reading() as objects:
            index = self.last_index(objects, "actions")
            outlines: Mapping[str, Any] = objects.value(index["outlines"]) if index.get("reference") == version else {}
            return outlines

    def _current(self, draft: Draft) -> tuple[dict[str, Any], str | None, State | None]:
        root = {"states": {}, "before": {}, "index": {}} | draft.root()
        name = root["states"].get(self.collection)
        return root, name, self._state(draft, name) if name else None

    def _state(self, objects: Objects, name: str) -> State:
        if name not in self._states:
            self._states[name] = state_from_record(objects.value(name))
        return self._states[name]

    def _chunk(self, objects: Objects, digest: str) -> dict[str, list[Any]]:
        if digest not in self._chunks:
            self._chunks[digest] = {record[0]: record for record in objects.value(digest)}
        return self._chunks[digest]

    def _live(self, draft: Draft, root: Mapping[str, Any]) -> set[str]:
        """Return the names of all objects that the root leads to."""
        live_names: set[str] = set()
        # The index of an earlier state stays: the next takes over what it has of policies with the same documents.
        for name in (name for indexes in root["index"].values() for name in indexes.values()):
            live_names |= {name, *draft.value(name)["objects"]}
        for name in (*root["states"].values(), *root["before"].values()):
            live_names.add(name)
            for digest, _ in draft.value(name)["chunks"]:
                live_names.add(digest)
                for record in draft.value(digest):
                    live_names.update(version[2] for version in record[-1])
        return live_names


class DeliveryInfo(NamedTuple):
    """What a delivery says about the whole collection."""

    provenance: Provenance
    known_until: datetime | None
    """Until when the source knows every change; None if it does not cover all policies."""
    synced_at: datetime | None = None
    corpus: str | None = None
    endpoint: str | None = None
    withdrawn: tuple[str, ...] = ()

    def applied_to(self, state: State | None) -> State:
        """Return the next state, without its chunks; `known_until` never goes back."""
        provenance = self.provenance
        known_until = self.known_until or datetime.min.replace(tzinfo=provenance.as_of.tzinfo)
        if state is None:
            state = State(provenance.source, known_until)
        elif known_until > state.known_until or (provenance.authority == "aws" and known_until == state.known_until):
            state = state._replace(source=provenance.source, known_until=known_until)
        endpoints = dict.fromkeys([*state.endpoints, *([self.endpoint] if self.endpoint else [])])
        return state._replace(
            synced_at=self.synced_at or state.synced_at,
            corpus=state.corpus if self.corpus is None else self.corpus,
            endpoints=tuple(endpoints),
        )


def pack(history: PolicyHistory) -> PackedHistory:
    """Return a history ready to be stored."""
    objects: dict[int, tuple[str, bytes]] = {}
    previous: tuple[bytes, tuple[str, bytes]] = (b"", ("", b""))
    for number, text in history.texts.items():
        # One version in eight has the same text as the one before it.
        if text != previous[0]:
            previous = (text, packed(text))
        objects[number] = previous[1]
    return PackedHistory(history.policy, objects)


def _merged(
    draft: Draft, stored_policy: StoredPolicy | None, history: PackedHistory, provenance: Provenance
) -> tuple[StoredPolicy, PutResult]:
    """Merge a source's history into a stored policy, store its new documents; return it and what was new."""
    policy, from_aws = history.policy, provenance.authority == "aws"
    before = stored_policy or StoredPolicy(policy._replace(versions=(), withdrawn=False), {}, {}, provenance)
    documents = dict(before.documents)
    new_numbers = tuple(number for number in history.objects if number not in documents)
    conflicts = tuple(
        number
        for number, (digest, _) in history.objects.items()
        if number in documents and documents[number] != digest and _differ(draft, documents[number], history, number)
    )
    for number in (*new_numbers, *(conflicts if from_aws else ())):
        draft.put(*history.objects[number])
        documents[number] = history.objects[number][0]
    times, dated_by = _dated(before, policy.versions, new_numbers, provenance.authority)
    # AWS answers as of now, whatever the local clock says.
    newest_policy = history.policy if from_aws or provenance.as_of >= before.provenance.as_of else before.policy
    defaults = (
        number for number in (newest_policy.default_version, before.policy.default_version) if number in documents
    )
    value = Policy(
        name=policy.name,
        arn=newest_policy.arn,
        default_version=next(defaults, max(documents)),
        versions=tuple(VersionInfo(number, times[number]) for number in sorted(documents)),
        withdrawn=before.policy.withdrawn and not from_aws,
    )
    newest_provenance = provenance if newest_policy is policy else before.provenance
    return StoredPolicy(value, documents, dated_by, newest_provenance), PutResult(
        policy.name, stored_policy is None, new_numbers, conflicts
    )


def _dated(
    before: StoredPolicy, versions: Iterable[VersionInfo], new_numbers: Collection[int], authority: Authority
) -> tuple[dict[int, datetime | None], dict[int, Authority]]:
    """Return when each version was made, and which authority said so: AWS corrects times, an archive only adds them."""
    times = {info.number: info.created for info in before.policy.versions}
    dated_by = dict(before.dated_by)
    for number, created, _ in versions:
        date = times.get(number)
        corrects = created is not None and created != date and (authority == "aws" or date is None)
        if number in new_numbers or (number in before.documents and corrects):
            times[number] = created
            dated_by[number] = authority
    return times, dated_by


def _differ(objects: Objects, digest: str, history: PackedHistory, number: int) -> bool:
    """Return whether the stored document is another one, not only written differently."""
    return bool(objects.value(digest) != json.loads(zlib.decompress(history.objects[number][1])))


_AT_ONCE = 10
"""How many documents of a policy are read at once."""


class _Texts(Mapping[int, bytes]):
    """The documents of a policy, each read on first use: most questions need the default version only."""

    def __init__(self, store: PolicyStore, objects: Objects, entry: StoredPolicy) -> None:
        self._store = store
        self._stored = entry
        self._read = {entry.policy.default_version: objects.get(entry.documents[entry.policy.default_version])}

    def __getitem__(self, version: int) -> bytes:
        if version not in self._read:
            documents = self._stored.documents
            # Who asks for one version mostly asks for those before it too, and opening the file takes longer.
            numbers = [number for number in sorted(documents) if number <= version and number not in self._read]
            with self._store.file.reading() as objects:
                self._read |= {number: objects.get(documents[number]) for number in numbers[-_AT_ONCE:]}
        return self._read[version]

    def __iter__(self) -> Iterator[int]:
        return iter(self._stored.documents)

    def __len__(self) -> int:
        return len(self._stored.documents)


def _index_inputs(entry: StoredPolicy) -> object:
    return entry.policy.default_version, entry.documents


def _write_chunks(
    draft: Draft, entries: Mapping[str, StoredPolicy], family: Sequence[str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    other_names = sorted(entries.keys() - set(family))
    groups = [
        tuple(family),
        *(tuple(other_names[start : start + CHUNK]) for start in range(0, len(other_names), CHUNK)),
    ]
    return tuple((draft.put_value([policy_record(entries[name]) for name in names]), names) for names in groups)
