"""The bundled corpus: decompressed once in a process, and as raw JSON for tests that compare with ekstui's own parser."""

import json
import lzma
import marshal
from collections.abc import Iterator
from functools import cache, lru_cache
from gc import freeze
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from ekstui import files, log
from ekstui.change.policy import Policy, PolicyHistory, Scope, VersionInfo, parse_time
from ekstui.iam import document
from ekstui.sources.corpus import Corpus
from ekstui.store import objects
from tests.support.effort import sample

_Item = TypeVar("_Item")

MANY_BYTES = 100_000
"""No document of the corpus is as long; hostile ones are, and are not kept."""


def read_once() -> None:
    """Let all libraries of this process share what is read of the bundled corpus, and the documents parsed last.

    Without a cache each answer would read 34 MB again; a command or an app reads them once.
    """
    shipped_corpus, decompress = Corpus.bundled(), Corpus.lines
    read_policies, read_histories, read_names = Corpus.policies, Corpus.histories, Corpus.names

    @cache
    def lines() -> tuple[bytes, ...]:
        return tuple(decompress(shipped_corpus))

    @cache
    def policies() -> tuple[Policy, ...]:
        return tuple(read_policies(shipped_corpus))

    @cache
    def histories() -> tuple[PolicyHistory, ...]:
        return tuple(read_histories(shipped_corpus))

    @cache
    def names() -> list[str]:
        return list(read_names(shipped_corpus))

    def of_scope(items: tuple[_Item, ...], corpus: Corpus, scope: Scope) -> Iterator[_Item]:
        log.info_once("opens the bundled corpus")
        return islice(items, corpus.manifest().family if scope == "eks" else None)

    def shared_lines(corpus: Corpus, scope: Scope = "all") -> Iterator[bytes]:
        return of_scope(lines(), corpus, scope) if corpus == shipped_corpus else decompress(corpus, scope)

    def shared_policies(corpus: Corpus, scope: Scope = "all") -> Iterator[Policy]:
        return of_scope(policies(), corpus, scope) if corpus == shipped_corpus else read_policies(corpus, scope)

    def shared_histories(corpus: Corpus, scope: Scope = "all") -> Iterator[PolicyHistory]:
        return of_scope(histories(), corpus, scope) if corpus == shipped_corpus else read_histories(corpus, scope)

    def shared_names(corpus: Corpus) -> Iterator[str]:
        return iter(names()) if corpus == shipped_corpus else read_names(corpus)

    parse_text = document.parse_text
    parse_stored = lru_cache(2_000)(parse_text)

    def shared_documents(text: str | bytes) -> document.Document:
        return parse_stored(text) if isinstance(text, bytes) and len(text) < MANY_BYTES else parse_text(text)

    document.parse_text = shared_documents
    Corpus.lines = shared_lines  # type: ignore[assignment, method-assign]
    Corpus.names = shared_names  # type: ignore[assignment, method-assign]
    Corpus.policies = shared_policies  # type: ignore[assignment, method-assign]
    Corpus.histories = shared_histories  # type: ignore[assignment, method-assign]


_OWN = objects.unpacked, objects.Objects.value


def unpack_once() -> None:
    """Let all caches of this process share what was unpacked last of what is stored, whichever file it is in.

    What differs in a byte is unpacked and checked by itself. Values are copies, which whoever asks may change.
    """
    objects.unpacked = lru_cache(2_000)(objects.unpacked)
    value_of = lru_cache(500)(lambda content: marshal.dumps(json.loads(content)))
    objects.Objects.value = lambda self, digest: marshal.loads(value_of(self.get(digest)))  # type: ignore[method-assign]


def read_anew() -> None:
    """Let this process, a fork, read what caches store and the corpus's last line as a command's process does."""
    objects.unpacked, objects.Objects.value = _OWN  # type: ignore[method-assign]
    Corpus.line_of.cache_clear()


def small_corpus(folder: Path, others: int = 100) -> Corpus:
    """Write a corpus of the EKS family and some `others`, for tests of what is done with any: it is a tenth of the whole."""
    corpus = Corpus.bundled()
    manifest = json.loads((files.assets() / "manifest.json").read_bytes())
    lines = list(islice(corpus.lines(), manifest["family"] + others))
    content = b"".join(lines)
    versions = sum(len(policy.versions) for policy in islice(corpus.policies(), len(lines)))
    header = {"policies": len(lines), "versions": versions, "sha256": sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest | header), encoding="utf-8")
    (folder / "corpus.jsonl.xz").write_bytes(lzma.compress(content, preset=0))
    (folder / "steps.json.xz").symlink_to(files.assets() / "steps.json.xz")
    return Corpus(folder)


@cache
def raw_corpus() -> list[dict[str, Any]]:
    """Every policy of the corpus: `{name, arn, default, versions: [{version, created, document}]}`."""
    with lzma.open(files.assets() / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        policies = [json.loads(line) for line in lines]
    # Some million objects that never die: without this, each full collection in a test run takes 0.4 s.
    freeze()
    return policies


@cache
def raw_policies() -> dict[str, dict[str, Any]]:
    """The same by name."""
    return {policy["name"]: policy for policy in raw_corpus()}


def raw_document(name: str, version: int) -> Any:
    """The document of one version of a policy."""
    return next(entry["document"] for entry in raw_policies()[name]["versions"] if entry["version"] == f"v{version}")


def policy_of(raw: dict[str, Any]) -> Policy:
    """The policy of a line of the corpus, without its documents."""
    infos = tuple(
        VersionInfo(int(version["version"][1:]), parse_time(version["created"]) if version["created"] else None)
        for version in raw["versions"]
    )
    return Policy(raw["name"], raw["arn"], int(raw["default"][1:]), infos)


def sampled_corpus(size: int = 100) -> list[dict[str, Any]]:
    """Every policy of the EKS family and `size` others, always the same; all of them in torture."""
    family = json.loads((files.assets() / "manifest.json").read_text(encoding="utf-8"))["family"]
    return [*raw_corpus()[:family], *sample(raw_corpus()[family:], size)]
