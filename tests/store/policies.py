"""Small histories for the tests of the cache."""

import json
from datetime import UTC, datetime
from pathlib import Path

from ekstui.change.policy import Authority, Policy, PolicyHistory, Provenance, VersionInfo
from ekstui.sources.corpus import Corpus
from ekstui.store.policy_store import DeliveryInfo, PolicyStore, PutResult, pack


def moment(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


def document(action: str) -> bytes:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    ).encode()


def history(
    versions: dict[int, tuple[datetime | None, bytes]], default: int | None = None, name: str = "P"
) -> PolicyHistory:
    policy = Policy(
        name=name,
        arn=f"arn:aws:iam::aws:policy/{name}",
        default_version=default or max(versions),
        versions=tuple(VersionInfo(number, created) for number, (created, _) in versions.items()),
    )
    return PolicyHistory(policy, {number: text for number, (_, text) in versions.items()})


def provenance(authority: Authority, day: int) -> Provenance:
    return Provenance(f"{authority} {day}", authority, moment(day), moment(day))


def store_history(
    store: PolicyStore, policy_history: PolicyHistory, authority: Authority, day: int, *withdrawn: str
) -> PutResult | None:
    """Store one history in a transaction that can be undone; return what was new, None where nothing was."""
    change = DeliveryInfo(provenance(authority, day), moment(day), withdrawn=withdrawn)
    return next(iter(store.put([pack(policy_history)], change, undoable=True)), None)


def fill_from_the_corpus(folder: Path, *, family: bool = False) -> PolicyStore:
    """A filled store in a folder: of the whole corpus, or of its EKS family alone."""
    store, corpus = PolicyStore.in_folder(folder), Corpus.bundled()
    manifest = corpus.manifest()
    source = Provenance(manifest.label, "archive", manifest.known_until, moment(1))
    histories = [pack(entry) for entry in corpus.histories("eks" if family else "all")]
    names = tuple(entry.policy.name for entry in histories[: manifest.family])
    store.put(histories, DeliveryInfo(source, manifest.known_until, corpus=manifest.sha256), names)
    return store
