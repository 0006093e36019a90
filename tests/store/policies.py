"""Small histories for the tests of the cache."""

import json
from datetime import UTC, datetime
from pathlib import Path

from ekstui.core.history import Authority, PolicyHistory, Provenance
from ekstui.core.policy import Policy, VersionInfo
from ekstui.sources.corpus import Corpus
from ekstui.store.filling import Filling, fill
from ekstui.store.policies import PolicyCache
from ekstui.store.storing import UNSAID, Stored, packed, store, storing


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


def put(cache: PolicyCache, given: PolicyHistory, authority: Authority, day: int) -> Stored:
    with storing(cache) as connection:
        return store(connection, "aws", packed(given), provenance(authority, day), UNSAID)


def fill_from_the_corpus(folder: Path, *, family: bool = False) -> PolicyCache:
    """A filled cache in a folder: of the whole corpus, or of its EKS family alone."""
    cache, corpus = PolicyCache.in_folder(folder), Corpus.bundled()
    manifest = corpus.manifest()
    source = Provenance(manifest.label, "archive", manifest.known_until, moment(1))
    total = manifest.family if family else manifest.policies
    filling = Filling(manifest.sha256, manifest.family, total, source)
    assert fill(cache, filling, lambda: corpus.histories(family=family), lambda *_: None, lambda: False)
    return cache
