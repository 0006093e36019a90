"""The index of a state: which versions of which policies match which actions, and what each step changed.

It belongs to one state; a new state has no index until it is rebuilt from the documents.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from ekstui.change.candidates import Candidate
from ekstui.change.policy import Policy, Scope, runs_of
from ekstui.change.steps import JUDGEMENT_VERSION, FeedStep, StepCounts, newest_first, steps_since
from ekstui.files import digest_of
from ekstui.iam.document import Document, Statement, parse, parse_text, serialise_statement
from ekstui.iam.grants import TargetUse, may_match, merged_document, service_of, uses_of
from ekstui.iam.policy_variables import VARIABLES_SINCE
from ekstui.iam.reference import reference_version, written_outlines
from ekstui.iam.wildcard import is_wild
from ekstui.named_tuples import NamedTuple
from ekstui.store.objects import AbsentCacheError, Draft, Objects
from ekstui.store.policy_store import CHUNK, PolicyStore
from ekstui.waiting import Cancelled, Progress

VERSION = 4
"""Increased when the same documents give another index; an index of an older version is rebuilt."""

STEPS_KEY = 16
"""How much of a history's key ships with its steps, in hexadecimal digits."""


def index_actions(store: PolicyStore, progress: Progress, cancelled: Cancelled) -> bool:
    """Index which policies match which actions, as far as they changed since; return False if cancelled."""
    with store.file.reading() as objects:
        of, state = store.state_in(objects)
        before = store.last_index(objects, "actions")
        if before.get("version") != VERSION:
            before = {"services": {}, "policies": None}
        indexed_policies: dict[str, list[Any]] = objects.value(before["policies"]) if before["policies"] else {}
        entries = {entry.policy.name: entry for entry in store.all_in(objects, state)}
        keys = {
            name: f"{history_key(entry.documents)} {entry.policy.default_version}" for name, entry in entries.items()
        }
        stale_names = [name for name, (key, _) in indexed_policies.items() if keys.get(name) != key]
        shards = _Shards(before["services"], objects)
        for name in stale_names:
            _remove(shards, name, indexed_policies.pop(name)[1])
        fresh_entries = [entry for name, entry in entries.items() if name not in indexed_policies]
        for done, entry in enumerate(fresh_entries):
            if cancelled():
                return False
            if done % CHUNK == 0:
                progress(done, len(fresh_entries))
            services = add_to_shards(shards, entry.policy, _parsed(entry.documents, objects))
            indexed_policies[entry.policy.name] = [keys[entry.policy.name], sorted(services)]

    def write(draft: Draft) -> Mapping[str, Any]:
        written_shards = {service: draft.put_value(shard) for service, shard in shards.items()}
        kept_shards = {
            service: digest for service, digest in before["services"].items() if service not in written_shards
        }
        services = {**kept_shards, **written_shards}
        policies = draft.put_value(indexed_policies)
        version = reference_version()
        outlines = before["outlines"] if before.get("reference") == version else draft.put_value(written_outlines())
        return {
            "version": VERSION,
            "reference": version,
            "services": services,
            "policies": policies,
            "outlines": outlines,
            "objects": [*services.values(), policies, outlines],
        }

    return store.attach_index("actions", of, write)


class _Shards(dict[str, "_Shard"]):
    """The shards by service, each read on first use from the last index."""

    def __init__(self, digests: Mapping[str, str], objects: Objects) -> None:
        super().__init__()
        self._digests, self._objects = digests, objects

    def __missing__(self, service: str) -> _Shard:
        digest = self._digests.get(service)
        return self.setdefault(service, self._objects.value(digest) if digest else {"targets": {}, "frames": {}})


def _remove(shards: Mapping[str, _Shard], name: str, services: Iterable[str]) -> None:
    for service in services:
        shard = shards[service]
        del shard["frames"][name]
        for target in [target for target, runs in shard["targets"].items() if name in runs]:
            del shard["targets"][target][name]
            if not shard["targets"][target]:
                del shard["targets"][target]


def _parsed(names: Mapping[int, str], objects: Objects) -> dict[int, Document]:
    """Return a policy's documents; equal statements are one object, since parsing each takes most of the time."""
    statements: dict[bytes, Statement] = {}
    documents: dict[str, Document] = {}
    for name in names.values():
        if name not in documents:
            value = objects.value(name)
            raw_statements = value["Statement"] if isinstance(value["Statement"], list) else [value["Statement"]]
            # Unlike a comparison, this tells true from 1; without references it is the same for equal values.
            keys = [marshal.dumps(statement, 2) for statement in raw_statements]
            new_statements = {
                key: statement for key, statement in zip(keys, raw_statements, strict=True) if key not in statements
            }
            document = parse({**value, "Statement": list(new_statements.values())})
            statements.update(zip(new_statements, document.statements, strict=True))
            documents[name] = document._replace(statements=tuple(statements[key] for key in keys))
    return {number: documents[name] for number, name in names.items()}


def is_current(store: PolicyStore, kind: Literal["actions", "steps"]) -> bool:
    """Return whether there is an index of the current state as this version makes it; raises CacheError."""
    made_by = (
        {"version": VERSION, "reference": reference_version()} if kind == "actions" else {"judges": judging_version()}
    )
    with store.file.reading() as objects:
        try:
            return made_by.items() <= store.index_in(objects, kind).items()
        except AbsentCacheError:
            return False


def candidates(store: PolicyStore, action: str, scope: Scope = "all") -> tuple[Candidate, ...]:
    """Return the policies that may allow an action or a pattern, in the list's order.

    AbsentCacheError without a current index.
    """
    matches = _uses_of(store, action, scope)
    names = _allowed_by(matches)
    policy_candidates: list[Candidate] = []
    for entry in store.named(name for name in matches.listed if name in names):
        name, default = entry.policy.name, entry.policy.default_version
        allowing_versions = _allowing(matches.uses[name])
        if default in allowing_versions:
            # The history of a pattern is not asked for, and reducing it would take most of the time.
            numbers = (default,) if is_wild(action) else allowing_versions
            documents = _reduced(numbers, matches.uses[name], matches.frames[name])
            policy_candidates.append(Candidate(entry.policy, allowing_versions, documents))
    return tuple(policy_candidates)


def names_allowing(store: PolicyStore, action: str, extra_names: Collection[str]) -> tuple[str, ...]:
    """Return the policies with a version that may allow an action, and `extra_names`, in the list's order.

    Errors as those of `candidates`.
    """
    matches = _uses_of(store, action, "all")
    names = _allowed_by(matches).union(extra_names)
    return tuple(name for name in matches.listed if name in names)


_Shard = dict[str, dict[str, dict[str, Any]]]
"""What is indexed of a service: `targets`, with runs of versions by policy, and `frames`, with JSON by place."""


class _Uses(NamedTuple):
    listed: tuple[str, ...]
    """Every policy of the scope."""
    uses: dict[str, list[TargetUse]]
    """The targets that match, by policy."""
    frames: dict[str, dict[str, str]]
    """The statements without their actions that have them, as JSON, by policy and place."""


def _uses_of(store: PolicyStore, action: str, scope: Scope) -> _Uses:
    pattern = action.lower()
    service = pattern.partition(":")[0]
    uses: dict[str, list[TargetUse]] = {}
    frames: dict[str, dict[str, str]] = {}
    with store.file.reading() as objects:
        index = store.index_in(objects, "actions")
        if index["version"] != VERSION:
            raise AbsentCacheError("The index is of another version.")
        services = index["services"]
        anywhere = ":" not in pattern or is_wild(service)
        for digest in [services[name] for name in (services if anywhere else (service, "*")) if name in services]:
            shard = objects.value(digest)
            for name, use in _matching(shard["targets"], pattern):
                uses.setdefault(name, []).append(use)
            for name, texts in shard["frames"].items():
                frames.setdefault(name, {}).update(texts)
        groups = store.state_in(objects)[1].chunks if scope == "all" else store.state_in(objects)[1].chunks[:1]
    return _Uses(tuple(name for _, names in groups for name in names), uses, frames)


def index_steps(
    store: PolicyStore,
    judges: str,
    find_shipped: ShippedSteps,
    progress: Progress,
    cancelled: Cancelled,
) -> bool:
    """Index what each step changed; return False if it was cancelled.

    `judges` names what the judgement depends on besides the documents.
    """
    with store.file.reading() as objects:
        last = store.last_index(objects, "steps")
        before: dict[str, list[Any]] = objects.value(last["steps"]) if last.get("judges") == judges else {}
        of, state = store.state_in(objects)
        entries = list(store.all_in(objects, state))
    rows: dict[str, list[Any]] = {}
    for done, entry in enumerate(entries):
        name, key = entry.policy.name, history_key(entry.documents)
        earlier = before.get(name)
        steps = earlier[1] if earlier and earlier[0] == key else find_shipped(name, entry.documents)
        if steps is None:
            if cancelled():
                return False
            progress(done, len(entries))
            steps = judged(*store.history(name))
        rows[name] = [key, steps]

    def write(draft: Draft) -> Mapping[str, Any]:
        digest = draft.put_value(rows)
        return {"judges": judges, "steps": digest, "objects": [digest]}

    done_all = store.attach_index("steps", of, write)
    progress(len(entries), len(entries))
    return done_all


ShippedSteps: TypeAlias = "Callable[[str, Mapping[int, str]], list[list[Any]] | None]"
"""Takes a policy's name and its documents' digests by version; returns its steps as `judged` does, or None."""


def shipped_steps(bundle: Mapping[str, Any], judges: str) -> ShippedSteps:
    """Return a function that finds a policy's shipped steps, if judged by `judges` for the same documents."""
    steps = bundle["steps"] if bundle.get("judges") == judges else {}

    def steps_of(name: str, documents: Mapping[int, str]) -> list[list[Any]] | None:
        key, rows = steps.get(name, ("", None))
        return rows if rows is not None and key == history_key(documents)[:STEPS_KEY] else None

    return steps_of


def judged(policy: Policy, texts: Mapping[int, bytes]) -> list[list[Any]]:
    """Return a row per step of a policy: versions, kind, reach, counts of added, removed and changed, denies."""
    documents = {number: parse_text(text) for number, text in texts.items()}
    return [[step.version, step.previous, *step.change] for step in steps_since(policy, documents, None)]


def judging_version() -> str:
    """Return what a step's reach depends on besides documents: the versions of the reference and of the code."""
    return f"reference {reference_version()}, judgement {JUDGEMENT_VERSION}"


def history_key(documents: Mapping[int, str]) -> str:
    """Return what identifies a policy's documents, given their digests by version: half a hash over these in order."""
    return digest_of(json.dumps(sorted(documents.items())).encode())[:32]


def feed(store: PolicyStore, since: datetime | None, judges: str, scope: Scope = "all") -> tuple[FeedStep, ...]:
    """Return the steps since a time, newest first, undated ones only without a time.

    AbsentCacheError without an index by `judges`.
    """
    with store.file.reading() as objects:
        index = store.index_in(objects, "steps")
        if index["judges"] != judges:
            raise AbsentCacheError("The index was judged by another version.")
        rows = objects.value(index["steps"])
        entries = list(store.all_in(objects, store.state_in(objects)[1], scope))
    return newest_first(
        step for entry in entries for step in steps_of_rows(entry.policy, rows[entry.policy.name][1], since)
    )


def steps_of_rows(policy: Policy, rows: Iterable[Sequence[Any]], since: datetime | None) -> Iterator[FeedStep]:
    """Yield a policy's steps since a time from rows of `judged`; those of unknown time only without a time."""
    times = {info.number: info.created for info in policy.versions}
    for version, previous, *counts in rows:
        created = times[version]
        if since is None or (created is not None and created >= since):
            yield FeedStep(policy.name, version, previous, created, StepCounts(*counts))


def add_to_shards(shards: dict[str, _Shard], policy: Policy, documents: Mapping[int, Document]) -> Collection[str]:
    """Add a policy's targets, and their statements without actions, to the shards of the services it returns."""
    # The statements are kept without their documents, so those of an older language are written as the newest has them.
    newest = {
        number: document if document.version == VARIABLES_SINCE else merged_document((document,))
        for number, document in documents.items()
    }
    targets = uses_of(newest, policy.default_version)
    texts: list[str] = []
    for frame in targets.frames:
        value = serialise_statement(frame)
        del value[frame.action_element]
        texts.append(json.dumps(value, separators=(",", ":")))
    runs: dict[int, str] = {}
    versions_by_service: dict[str, dict[int, Mapping[int, tuple[int, ...]]]] = {}
    for effect, element, actions, versions in targets.uses:
        identity = id(versions)
        if identity not in runs:
            runs[identity] = ";".join(f"{place}:{written_numbers(numbers)}" for place, numbers in versions.items())
        service = service_of(element, actions)
        versions_by_service.setdefault(service, {})[identity] = versions
        target = "\n".join((effect, element, *actions))
        shards[service]["targets"].setdefault(target, {})[policy.name] = runs[identity]
    for service, by_runs in versions_by_service.items():
        shards[service]["frames"][policy.name] = {
            str(place): texts[place] for versions in by_runs.values() for place in versions
        }
    return versions_by_service


def _matching(targets: Mapping[str, Mapping[str, str]], action: str) -> Iterator[tuple[str, TargetUse]]:
    for target, grants in targets.items():
        effect, element, *actions = target.split("\n")
        if may_match(element, actions, action):  # type: ignore[arg-type]
            for name, runs in grants.items():
                yield name, TargetUse(effect, element, tuple(actions), _read_runs(runs))  # type: ignore[arg-type]


def written_numbers(numbers: Iterable[int]) -> str:
    """Return ascending numbers as ranges: `1-4,6`."""
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs_of(numbers))


def read_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers in such ranges; ValueError for any other text."""
    numbers: list[int] = []
    for run in text.split(",") if text else ():
        first, dash, last = run.partition("-")
        numbers.extend(range(int(first), int(last if dash else first) + 1))
    return tuple(numbers)


@lru_cache(maxsize=4096)
def _read_runs(text: str) -> Mapping[int, tuple[int, ...]]:
    places = (run.partition(":") for run in text.split(";"))
    return {int(place): read_numbers(numbers) for place, _, numbers in places}


def _allowed_by(matches: _Uses) -> set[str]:
    return {name for name, uses in matches.uses.items() if any(use.effect == "Allow" for use in uses)}


def _allowing(uses: Iterable[TargetUse]) -> tuple[int, ...]:
    allows = (use for use in uses if use.effect == "Allow")
    return tuple(sorted({number for use in allows for numbers in use.versions.values() for number in numbers}))


def _reduced(numbers: Iterable[int], uses: Iterable[TargetUse], frames: Mapping[str, str]) -> dict[int, Document]:
    """Return versions reduced to what the uses name."""
    parsed_frames: dict[int, Statement] = {}
    documents = {}
    for number in numbers:
        actions: dict[int, list[str]] = {}
        for use in uses:
            for place, run in use.versions.items():
                if number in run:
                    actions.setdefault(place, []).extend(use.actions)
                    if place not in parsed_frames:
                        value = {**json.loads(frames[str(place)]), use.element: []}
                        (parsed_frames[place],) = parse({"Statement": value}).statements
        statements = []
        for place, statement_actions in sorted(actions.items()):
            frame = parsed_frames[place]
            ordered_actions = sorted(statement_actions) if frame.action_element == "Action" else statement_actions
            statements.append(frame._replace(actions=tuple(ordered_actions)))
        documents[number] = Document(VARIABLES_SINCE, None, tuple(statements))
    return documents
