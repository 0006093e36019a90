"""The bundled corpus as raw JSON, read without ekstui's own parser, for tests that compare with it."""

import json
import lzma
from functools import cache
from typing import Any

from ekstui import files


@cache
def raw_corpus() -> list[dict[str, Any]]:
    """Every policy of the corpus: `{name, arn, default, versions: [{version, created, document}]}`."""
    with lzma.open(files.assets() / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def raw_document(name: str, version: int) -> Any:
    """The document of one version of a policy."""
    policy = next(policy for policy in raw_corpus() if policy["name"] == name)
    return next(each["document"] for each in policy["versions"] if each["version"] == f"v{version}")
