"""The bundled corpus: decompressed once in a process, and as raw JSON for tests that compare with ekstui's own parser."""

import gc
import json
import lzma
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

from ekstui import files, log
from ekstui.change.policy import Policy, Scope, VersionInfo, parse_time
from ekstui.sources.corpus import Corpus
from tests.support.effort import sample


def decompress_once() -> None:
    """Let every `Corpus.bundled()` of this process share its lines: each answer without a cache would read 34 MB again."""
    bundled, decompress = Corpus.bundled(), Corpus.lines

    @cache
    def lines() -> tuple[bytes, ...]:
        return tuple(decompress(bundled))

    def read(corpus: Corpus, scope: Scope = "all") -> Iterator[bytes]:
        if corpus != bundled:
            return decompress(corpus, scope)
        log.info_once("opens the bundled corpus")
        return islice(lines(), corpus.manifest().family if scope == "eks" else None)

    Corpus.lines = read  # type: ignore[assignment, method-assign]


@cache
def raw_corpus() -> list[dict[str, Any]]:
    """Every policy of the corpus: `{name, arn, default, versions: [{version, created, document}]}`."""
    with lzma.open(files.assets() / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        policies = [json.loads(line) for line in lines]
    # Some million objects that never die: without this, each full collection in a test run takes 0.4 s.
    gc.freeze()
    return policies


def raw_document(name: str, version: int) -> Any:
    """The document of one version of a policy."""
    policy = next(policy for policy in raw_corpus() if policy["name"] == name)
    return next(each["document"] for each in policy["versions"] if each["version"] == f"v{version}")


def policy_of(raw: dict[str, Any]) -> Policy:
    """The policy of a line of the corpus, without its documents."""
    infos = tuple(
        VersionInfo(int(each["version"][1:]), parse_time(each["created"]) if each["created"] else None)
        for each in raw["versions"]
    )
    return Policy(raw["name"], raw["arn"], int(raw["default"][1:]), infos)


def sampled_corpus(size: int = 100) -> list[dict[str, Any]]:
    """Every policy of the EKS family and `size` others, always the same; all of them in torture."""
    family = json.loads((files.assets() / "manifest.json").read_text(encoding="utf-8"))["family"]
    return [*raw_corpus()[:family], *sample(raw_corpus()[family:], size)]
