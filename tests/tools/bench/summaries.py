"""`python -m tests.tools.bench.summaries`: expanding and summarising every current policy, in milliseconds a policy."""

import json
import lzma
import statistics
import sys
import time
from pathlib import Path

from ekstui.iam.document import Document, parse
from ekstui.iam.summary import services_in

CORPUS = Path(__file__).parents[3] / "assets" / "corpus.jsonl.xz"
NAMED = ("AmazonEKSClusterPolicy", "ReadOnlyAccess", "PowerUserAccess")


def current_documents() -> dict[str, Document]:
    """Return the default version of every policy of the corpus, by name."""
    documents = {}
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        for line in lines:
            policy = json.loads(line)
            versions = {entry["version"]: entry["document"] for entry in policy["versions"]}
            documents[policy["name"]] = parse(versions[policy["default"]])
    return documents


def milliseconds(document: Document) -> float:
    """Return how long one summary takes, in milliseconds of processor time."""
    began = time.process_time()
    services_in(document)
    return (time.process_time() - began) * 1000


def main() -> int:
    """Print the times of some policies, first and warm, and those of all."""
    documents = current_documents()
    for name in NAMED:
        first = milliseconds(documents[name])
        warm = min(milliseconds(documents[name]) for _ in range(5))
        print(f"{name:<24} first {first:7.1f} ms   warm {warm:7.2f} ms")
    times = {name: milliseconds(document) for name, document in documents.items()}
    slowest = max(times, key=lambda name: times[name])
    print(
        f"{len(times):,} policies: {sum(times.values()) / 1000:.1f} s, median {statistics.median(times.values()):.2f} ms"
    )
    print(f"slowest: {slowest}, {times[slowest]:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
